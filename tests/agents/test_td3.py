import itertools

import numpy as np
import pytest
import torch

from dpgcourse.agents.batch import Batch
from dpgcourse.agents.config import TD3Config
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.td3 import TD3
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.loop import train
from tests.agents.test_ddpg import BOX, D, M, batch_of, parameters


def agent_of(seeds, agent_class=TD3, **config):
    config = agent_class.config_class(**config)
    return agent_class(config, D, BOX, random_streams(seeds), dtype=torch.float64)


@pytest.mark.parametrize("twin_critics", [True, False])
def test_with_its_changes_switched_off_it_is_ddpg(twin_critics):
    off = {"target_policy_noise": 0.0, "policy_delay": 1, "twin_critics": twin_critics}
    ours, ddpg = agent_of([3, 1], **off), agent_of([3, 1], DDPG)
    if twin_critics:  # two that are one and the same
        for critic in (ours.critic, ours.critic_target):
            critic.second.theta.data.copy_(critic.theta)
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
    noise = np.stack(
        [rng.standard_normal((5000, M)) for rng in random_streams([5, 6]).target_noise]
    )
    low, high = torch.tensor(BOX.low), torch.tensor(BOX.high)
    with torch.no_grad():
        reach = torch.tensor(BOX.half_range * np.clip(0.2 * noise, -0.5, 0.5))
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
    noise = agent.target_noise(40_000)[0].numpy() / BOX.half_range
    assert noise.shape == (40_000, M)
    assert np.abs(noise).max() == pytest.approx(0.5)
    share = (np.abs(noise) == 0.5).mean()
    assert share == pytest.approx(0.01242, rel=0.15)  # P(|N(0,1)| > 2.5); 4 s.e. are 12%
    assert noise.std() == pytest.approx(0.2, rel=0.02)


def test_the_noisy_action_stays_in_the_box():
    agent = agent_of([0], target_policy_noise=5.0, noise_clip=9.0)
    s_next = 10 * batch_of(1, 4000).s
    a_next = agent.target_action(s_next).detach().numpy()
    assert (a_next.min((0, 1)) == BOX.low).all()
    assert (a_next.max((0, 1)) == BOX.high).all()


@pytest.mark.parametrize("policy_delay", [1, 2, 3])
def test_actor_and_targets_move_at_every_update_of_the_delay(policy_delay):
    agent, moved = agent_of([0], policy_delay=policy_delay), []
    waiting = agent.actor, agent.actor_target, agent.critic_target
    for k in range(6):
        before = [parameters(network) for network in (*waiting, agent.critic)]
        agent.update(batch_of(1, 8, seed=k))
        after = [parameters(network) for network in (*waiting, agent.critic)]
        moved.append([not torch.equal(b, a) for b, a in zip(before, after, strict=True)])
    due = [(k + 1) % policy_delay == 0 for k in range(6)]
    assert moved == [[now, now, now, True] for now in due]


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
    together = agent_of([3, 1, 4], hidden_sizes=(24, 16))
    alone = [agent_of([seed], hidden_sizes=(24, 16)) for seed in (3, 1, 4)]
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
    batch, whole = batch_of(1, 500), agent_of([0])
    single, calm = agent_of([0], twin_critics=False), agent_of([0], target_policy_noise=0.0)

    def target(a_next, which):
        q_next = which(whole.critic_target.both(batch.s_next, a_next))
        return batch.r + whole.config.gamma * (1 - batch.terminated) * q_next

    with_noise, without = whole.target_action(batch.s_next), whole.actor_target(batch.s_next)
    torch.testing.assert_close(single.td_target(batch), target(with_noise, lambda q: q[0]))
    torch.testing.assert_close(calm.td_target(batch), target(without, lambda q: q.amin(0)))


@pytest.mark.parametrize("algorithm", ["td3", TD3])
def test_the_training_loop_takes_it(algorithm):
    config = TrainConfig(
        algorithm=algorithm,
        num_seeds=2,
        steps=60,
        learning_starts=20,
        eval_every=30,
        eval_episodes=1,
    )
    run = train(config)
    assert isinstance(run.agent, TD3) and run.config.agent == TD3Config()
    assert run.agent.updates == 40
    assert np.isfinite(run.returns).all()


@pytest.mark.parametrize("twin_critics", [True, False])
def test_the_parameters_are_counted(twin_critics):
    config = TD3Config(hidden_sizes=(8, 5), twin_critics=twin_critics)
    agent = TD3(config, D, BOX, random_streams([0]))
    count = parameters(agent.actor).numel() + parameters(agent.critic).numel()
    assert TD3.num_parameters(config, D, M) == count
