import copy
import itertools

import numpy as np
import pytest
import torch

from dpgcourse.agents.batch import Batch
from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.gradient.action_box import ActionBox

BOX = ActionBox([-2.0, 0.0], [2.0, 1.0])
D, M = 3, 2


def agent_of(seeds, **config):
    return DDPG(DDPGConfig(**config), D, BOX, random_streams(seeds), dtype=torch.float64)


def batch_of(S, B, seed=0):
    rng = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(S, B, *shape, generator=rng, dtype=torch.float64)

    return Batch(draw(D), draw(M), draw(), draw(D), (draw() > 1).double())


def parameters(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_the_target_is_exact_in_ten_thousand_cases():
    agent = agent_of([0], gamma=0.9)
    batch = batch_of(1, 10_000)
    terminated = torch.tensor([0.0, 1.0]).repeat(5000)[None].double()
    y = agent.td_target(batch._replace(terminated=terminated))
    with torch.no_grad():
        q_next = agent.critic_target(batch.s_next, agent.actor_target(batch.s_next))
    torch.testing.assert_close(y[:, 1::2], batch.r[:, 1::2], rtol=0, atol=0)
    torch.testing.assert_close(y[:, ::2], (batch.r + 0.9 * q_next)[:, ::2], rtol=0, atol=1e-15)
    assert not y.requires_grad


def test_the_critic_step_moves_only_the_critic_and_descends():
    agent, batch = agent_of([0]), batch_of(1, 32)
    others = [agent.actor, agent.actor_target, agent.critic_target]
    before = [parameters(network) for network in others]
    y = agent.td_target(batch)

    def error():
        return ((y - agent.critic(batch.s, batch.a)) ** 2).mean().item()

    first = error()
    for _ in range(50):
        agent.critic_step(batch, y)
    assert error() < first
    assert all(torch.equal(b, parameters(n)) for b, n in zip(before, others, strict=True))


def test_the_actor_step_moves_only_the_actor_and_ascends():
    agent, batch = agent_of([0]), batch_of(1, 32)
    others = [agent.critic, agent.actor_target, agent.critic_target]
    before = [parameters(network) for network in others]

    def value():
        return agent.critic(batch.s, agent.actor(batch.s)).mean().item()

    first = value()
    for _ in range(20):
        agent.actor_step(batch.s)
    assert value() > first
    assert all(torch.equal(b, parameters(n)) for b, n in zip(before, others, strict=True))
    assert all(p.grad is None for p in agent.critic.parameters())


def test_an_update_moves_the_targets_by_the_formula():
    agent, batch = agent_of([0], tau=0.25), batch_of(1, 16)
    before = parameters(agent.critic_target), parameters(agent.actor_target)
    agent.update(batch)
    after = parameters(agent.critic_target), parameters(agent.actor_target)
    sources = parameters(agent.critic), parameters(agent.actor)
    for first, now, source in zip(before, after, sources, strict=True):
        torch.testing.assert_close(now, 0.25 * source + 0.75 * first)


def literal_update(nets, optimizers, batch, gamma, tau):
    """The algorithm box written out in plain torch, with −mean Q as the actor's loss."""
    actor, critic, actor_target, critic_target = nets
    with torch.no_grad():
        q_next = critic_target(batch.s_next, actor_target(batch.s_next))
        y = batch.r + gamma * (1 - batch.terminated) * q_next
    losses = (
        lambda: ((critic(batch.s, batch.a) - y) ** 2).mean(),
        lambda: -critic(batch.s, actor(batch.s)).mean(),
    )
    for optimizer, loss in zip(optimizers, losses, strict=True):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    for slow, fast in ((actor_target, actor), (critic_target, critic)):
        for old, new in zip(slow.parameters(), fast.parameters(), strict=True):
            old.data = tau * new.data + (1 - tau) * old.data


def test_a_hundred_updates_equal_the_box_written_out():
    agent = agent_of([0], gamma=0.9, tau=0.2)
    nets = agent.actor, agent.critic, agent.actor_target, agent.critic_target
    copies = [copy.deepcopy(network) for network in nets]
    adams = [torch.optim.Adam(network.parameters(), lr=1e-3) for network in copies[1::-1]]
    for k in range(100):
        batch = batch_of(1, 16, seed=k)
        agent.update(batch)
        literal_update(copies, adams, batch, gamma=0.9, tau=0.2)
    for ours, theirs in zip(nets, copies, strict=True):
        torch.testing.assert_close(parameters(ours), parameters(theirs), rtol=0, atol=1e-9)


@pytest.mark.parametrize("B", [1, 2, 7])
def test_a_study_gives_every_seed_what_its_own_run_gives(B):
    together = agent_of([3, 1, 4], hidden_sizes=(24, 16))
    alone = [agent_of([seed], hidden_sizes=(24, 16)) for seed in (3, 1, 4)]
    for k in range(200):
        batch = batch_of(3, B, seed=k)
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


def test_exploration_is_clipped_noisy_and_each_seeds_own():
    agent, alone = agent_of([0, 1], sigma=5.0), agent_of([1], sigma=5.0)
    s = np.ones((2, D))
    for _ in range(200):
        a, one = agent.explore(s), alone.explore(s[1:])
        assert (a >= BOX.low).all()
        assert (a <= BOX.high).all()
        assert np.array_equal(a[1], one[0])
    assert agent.random_action().shape == (2, M)


def test_the_noise_is_measured_in_half_ranges_of_each_action():
    agent = agent_of(range(2000), sigma=0.1)
    s = np.ones((2000, D))
    noise = agent.explore(s) - agent.act(s[:, None])[:, 0]
    assert np.allclose(noise.std(0), 0.1 * BOX.half_range, rtol=0.07)  # 4 s.e. are 0.063


def test_no_noise_without_sigma():
    agent = agent_of([0], sigma=0.0)
    s = np.ones((1, D))
    assert np.array_equal(agent.explore(s), agent.act(s[:, None])[:, 0])


def test_the_targets_start_equal_and_apart():
    agent = agent_of([0])
    assert torch.equal(parameters(agent.critic), parameters(agent.critic_target))
    agent.critic_step(batch_of(1, 8), torch.ones(1, 8, dtype=torch.float64))
    assert not torch.equal(parameters(agent.critic), parameters(agent.critic_target))


def test_copies_of_an_agent_are_independent():
    agent = agent_of([0])
    twin = copy.deepcopy(agent)
    agent.update(batch_of(1, 8))
    assert not torch.equal(parameters(agent.actor), parameters(twin.actor))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("gamma", 1.0),
        ("gamma", -0.1),
        ("tau", 0.0),
        ("tau", 1.5),
        ("actor_lr", 0.0),
        ("critic_lr", float("nan")),
        ("batch_size", 0),
        ("hidden_sizes", ()),
        ("hidden_sizes", (64, 0)),
        ("sigma", -1.0),
        ("critic_action_layer", 0),
        ("critic_action_layer", 3),
        ("critic_weight_decay", -1.0),
    ],
)
def test_bad_hyperparameters_are_named(field, value):
    with pytest.raises(ValueError, match=f"{field} is .*; allowed: "):
        DDPGConfig(**{field: value})


def test_weight_decay_shrinks_the_critic_alone():
    """Adam's first step is the learning rate times the sign of the slope, here the penalty's."""
    agent = agent_of([0], hidden_sizes=(8,), critic_weight_decay=1e6)
    before = copy.deepcopy(agent.critic)
    agent.critic_step(batch_of(1, 16), torch.zeros(1, 16, dtype=torch.float64))
    for new, old in zip(agent.critic.parameters(), before.parameters(), strict=True):
        torch.testing.assert_close(new, old - 1e-3 * old.sign(), rtol=0, atol=1e-5)
