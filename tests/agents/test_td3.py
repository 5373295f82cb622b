import itertools

import numpy as np
import pytest
import torch

from dpgcourse.agents.batch import Batch
from dpgcourse.agents.ddpg import DDPG, DDPGConfig
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.td3 import TD3, NoTargetNoiseTD3, SingleCriticTD3
from dpgcourse.training.loop import TrainConfig, train
from tests.agents.test_ddpg import SQUASH, D, M, batch_of, parameters


def agent_of(seeds, agent_class=TD3, **config):
    return agent_class(DDPGConfig(**config), D, SQUASH, random_streams(seeds), dtype=torch.float64)


KINDS = TD3, SingleCriticTD3, NoTargetNoiseTD3


class SwitchedOff(TD3):
    """TD3 without its changes: no noise, no delay, and two critics that are one and the same."""

    target_sigma, delay = 0.0, 1

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for critic in (self.critic, self.critic_target):
            critic.second.theta.data.copy_(critic.theta)


def test_with_its_changes_switched_off_it_is_ddpg():
    ours, ddpg = agent_of([3, 1], SwitchedOff), agent_of([3, 1], DDPG)
    for k in range(100):
        batch = batch_of(2, 8, seed=k)
        ours.update(batch)
        ddpg.update(batch)
        assert torch.equal(parameters(ours.actor), parameters(ddpg.actor))
        assert torch.equal(ours.critic.theta.flatten(), parameters(ddpg.critic))
    assert torch.equal(ours.critic_target.theta.flatten(), parameters(ddpg.critic_target))


def test_it_starts_with_ddpgs_networks_and_a_second_critic():
    ours, ddpg = agent_of([0]), agent_of([0], DDPG)
    assert torch.equal(parameters(ours.actor), parameters(ddpg.actor))
    assert torch.equal(ours.critic.theta.flatten(), parameters(ddpg.critic))
    assert not torch.equal(parameters(ours.critic.second), parameters(ddpg.critic))


def test_the_target_is_the_hand_formula():
    agent, batch = agent_of([5, 6], gamma=0.9), batch_of(2, 5000)
    noise = np.stack([rng.standard_normal((5000, M)) for rng in random_streams([5, 6]).target])
    low, high = torch.tensor(SQUASH.low), torch.tensor(SQUASH.high)
    with torch.no_grad():
        reach = torch.tensor(SQUASH.half_range * np.clip(0.2 * noise, -0.5, 0.5))
        a_next = torch.minimum(torch.maximum(agent.actor_target(batch.s_next) + reach, low), high)
        q_1 = agent.critic_target(batch.s_next, a_next)
        q_2 = agent.critic_target.second(batch.s_next, a_next)
    smaller = torch.where(q_1 < q_2, q_1, q_2)
    assert 0.1 < (q_1 < q_2).double().mean() < 0.9  # either critic is the smaller one somewhere
    y = agent.td_target(batch)
    expected = batch.r + 0.9 * (1 - batch.terminated) * smaller
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-15)
    assert not y.requires_grad


def test_the_noise_is_normal_and_cut_off():
    agent = agent_of([0])
    noise = agent.target_noise(40_000)[0].numpy() / SQUASH.half_range
    assert noise.shape == (40_000, M)
    assert np.abs(noise).max() == pytest.approx(0.5)
    share = (np.abs(noise) == 0.5).mean()
    assert share == pytest.approx(0.01242, rel=0.15)  # P(|N(0,1)| > 2.5); 4 s.e. are 12%
    assert noise.std() == pytest.approx(0.2, rel=0.02)


def test_the_noisy_action_stays_in_the_box():
    agent, s_next = agent_of([0]), 10 * batch_of(1, 4000).s
    agent.target_sigma, agent.target_clip = 5.0, 9.0
    a_next = agent.target_action(s_next).detach().numpy()
    assert (a_next.min((0, 1)) == SQUASH.low).all()
    assert (a_next.max((0, 1)) == SQUASH.high).all()


def test_actor_and_targets_move_at_every_second_update():
    agent, moved = agent_of([0]), []
    waiting = agent.actor, agent.actor_target, agent.critic_target
    for k in range(6):
        before = [parameters(network) for network in (*waiting, agent.critic)]
        agent.update(batch_of(1, 8, seed=k))
        after = [parameters(network) for network in (*waiting, agent.critic)]
        moved.append([not torch.equal(b, a) for b, a in zip(before, after, strict=True)])
    assert moved == [[False, False, False, True], [True, True, True, True]] * 3


def test_both_critics_descend_and_the_actor_climbs_the_first():
    agent, batch = agent_of([0]), batch_of(1, 32)
    y = agent.td_target(batch)

    def errors():
        return ((y - agent.critic.both(batch.s, batch.a)) ** 2).mean(-1).detach()

    first = errors()
    for _ in range(50):
        agent.critic_step(batch, y)
    assert (errors() < first).all()
    before = agent.critic(batch.s, agent.actor(batch.s)).mean().item()
    critic = parameters(agent.critic)
    for _ in range(20):
        agent.actor_step(batch.s)
    assert agent.critic(batch.s, agent.actor(batch.s)).mean().item() > before
    assert torch.equal(critic, parameters(agent.critic))


def test_a_study_gives_every_seed_what_its_own_run_gives():
    together = agent_of([3, 1, 4])
    alone = [agent_of([seed]) for seed in (3, 1, 4)]
    for k in range(100):
        batch = batch_of(3, 8, seed=k)
        together.update(batch)
        for row, agent in enumerate(alone):
            agent.update(Batch(*(field[row : row + 1] for field in batch)))
    for row, agent in enumerate(alone):
        pairs = itertools.chain(
            zip(together.actor.parameters(), agent.actor.parameters(), strict=True),
            zip(together.critic.parameters(), agent.critic.parameters(), strict=True),
        )
        for several, one in pairs:
            torch.testing.assert_close(several[row], one[0], rtol=0, atol=1e-9)


@torch.no_grad()
def test_without_a_change_the_rest_of_the_target_stays():
    batch, whole, one, still = batch_of(1, 500), *map(agent_of, [[0]] * 3, KINDS)

    def target(a_next, which):
        q_next = which(whole.critic_target.both(batch.s_next, a_next))
        return batch.r + whole.config.gamma * (1 - batch.terminated) * q_next

    noisy, calm = whole.target_action(batch.s_next), whole.actor_target(batch.s_next)
    torch.testing.assert_close(one.td_target(batch), target(noisy, lambda q: q[0]))
    torch.testing.assert_close(still.td_target(batch), target(calm, lambda q: q.amin(0)))


def test_the_training_loop_takes_it():
    config = TrainConfig(seeds=2, steps=60, warmup=20, eval_every=30, eval_episodes=1)
    result = train(config, agent_class=TD3)
    assert result.agent.updates == 40
    assert np.isfinite(result.returns).all()
