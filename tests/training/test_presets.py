from dataclasses import asdict

import numpy as np
import pytest
import torch

from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.noise import GaussianNoise, OrnsteinUhlenbeckNoise
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.td3 import TD3
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training.presets import (
    FUJIMOTO2018_DDPG,
    FUJIMOTO2018_TD3,
    LILLICRAP2016,
    PRESETS,
    SUMMARIES,
)


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


FUJIMOTO2018 = [(FUJIMOTO2018_DDPG, DDPG), (FUJIMOTO2018_TD3, TD3)]


@pytest.mark.parametrize(("config", "kind"), FUJIMOTO2018, ids=["ddpg", "td3"])
def test_the_agents_of_the_td3_paper_are_those_of_the_paper(config, kind):
    box = ActionBox(-np.ones(3), np.ones(3))  # 11 states and 3 actions, as its hopper has
    agent = kind(config.agent, 11, box, random_streams([0]))
    actor, critic = shapes(agent.actor), shapes(agent.critic)
    assert [layer[:2] for layer in actor] == [(11, 400), (400, 300), (300, 3)]
    assert [layer[:2] for layer in critic] == [(14, 400), (400, 300), (300, 1)]
    for optimizer in (agent.actor_optimizer, agent.critic_optimizer):
        (group,) = optimizer.param_groups
        assert type(optimizer) is torch.optim.Adam
        assert (group["lr"], group["weight_decay"]) == (1e-3, 0)
    assert type(agent.noise) is GaussianNoise
    assert (config.agent.gamma, config.agent.tau, config.agent.batch_size) == (0.99, 0.005, 100)
    assert config.agent.sigma == 0.1


@pytest.mark.parametrize("config", [config for config, _ in FUJIMOTO2018], ids=["ddpg", "td3"])
def test_the_runs_of_the_td3_paper_are_those_of_the_paper(config):
    assert (config.steps, config.learning_starts, config.num_seeds) == (1_000_000, 1_000, 10)
    assert (config.eval_every, config.eval_episodes) == (5_000, 10)
    assert config.buffer_size is None and not config.normalize_observations


def test_td3_differs_from_its_papers_ddpg_in_its_three_changes_alone():
    ddpg, td3 = (asdict(config.agent) for config, _ in FUJIMOTO2018)
    assert td3 == ddpg | {
        "target_policy_noise": 0.2,
        "noise_clip": 0.5,
        "policy_delay": 2,
        "twin_critics": True,
    }


def test_every_preset_has_a_summary():
    assert set(PRESETS) == set(SUMMARIES)
