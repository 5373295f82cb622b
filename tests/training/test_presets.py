import numpy as np
import pytest
import torch

from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.noise import OrnsteinUhlenbeckNoise
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training.presets import LILLICRAP2016, PRESETS, SUMMARIES


@pytest.fixture(scope="module")
def agent():
    """For 17 states and 6 actions, as the paper's cheetah has."""
    box = ActionBox(-np.ones(6), np.ones(6))
    assert LILLICRAP2016.algorithm == "ddpg"
    return DDPG(LILLICRAP2016.agent, 17, box, random_streams([0]))


def shapes(network):
    """Inputs, outputs and largest weight of every layer."""
    return [(*W.shape[1:], float(W.detach().abs().max())) for W, _ in network.layers()]


def test_the_networks_are_those_of_the_paper(agent):
    actor, critic = shapes(agent.actor), shapes(agent.critic)
    assert [layer[:2] for layer in actor] == [(17, 400), (400, 300), (300, 6)]
    assert [layer[:2] for layer in critic] == [(17, 400), (406, 300), (300, 1)]
    for *hidden, (_, _, last) in (actor, critic):
        assert 0.95 * 3e-3 < last <= 3e-3
        for fan_in, _, largest in hidden:
            assert 0.99 * fan_in**-0.5 < largest <= fan_in**-0.5


def test_the_optimizers_are_those_of_the_paper(agent):
    (actor,), (critic,) = agent.actor_optimizer.param_groups, agent.critic_optimizer.param_groups
    assert type(agent.actor_optimizer) is type(agent.critic_optimizer) is torch.optim.Adam
    assert (actor["lr"], actor["weight_decay"]) == (1e-4, 0)
    assert (critic["lr"], critic["weight_decay"]) == (1e-3, 1e-2)


def test_the_other_numbers_are_those_of_the_paper(agent):
    config = LILLICRAP2016.agent
    assert (config.gamma, config.tau, config.batch_size) == (0.99, 0.001, 64)
    assert (LILLICRAP2016.buffer_size, LILLICRAP2016.num_seeds) == (1_000_000, 5)


def test_the_noise_is_that_of_the_paper(agent):
    assert type(agent.noise) is OrnsteinUhlenbeckNoise
    np.testing.assert_allclose(agent.noise.scale, 0.2)
    assert agent.noise.decay == pytest.approx(np.exp(-0.15))


def test_every_preset_has_a_summary():
    assert set(PRESETS) == set(SUMMARIES)
