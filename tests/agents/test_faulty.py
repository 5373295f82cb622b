"""Each bug changes what it claims, and the right agent passes the same assertion."""

import copy
import inspect

import numpy as np
import pytest
import torch

from dpgcourse.agents.batch import Batch
from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.faulty import FAULTY_AGENTS, FIELD_FAULTS, TERMINAL_FAULTS
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.gradient.action_box import ActionBox

BOX = ActionBox([-2.0, 0.0], [2.0, 1.0])
D, M, B = 3, 2, 16
SEEDS = (5, 6)
FAULTS = FAULTY_AGENTS | FIELD_FAULTS | TERMINAL_FAULTS


def agent_of(kind, seeds=SEEDS, box=BOX, **config):
    """An agent whose target networks differ from those that learn, as they do while it learns."""
    if isinstance(kind, str):
        kind = DDPG if kind == "right" else FAULTS[kind]
    agent = kind(
        DDPGConfig(hidden_sizes=(16,), **config), D, box, random_streams(seeds), torch.float64
    )
    rng = torch.Generator().manual_seed(0)
    for network in (agent.actor, agent.critic, agent.actor_target, agent.critic_target):
        for parameter in network.parameters():
            noise = torch.randn(parameter.shape, generator=rng, dtype=torch.float64)
            parameter.data += 0.3 * noise
    return agent


def batch_of(seed=0, S=2):
    rng = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(S, B, *shape, generator=rng, dtype=torch.float64)

    return Batch(draw(D), draw(M), draw(), draw(D), (draw() > 1).double())


def parameters(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def gradients(network):
    return torch.cat([p.grad.flatten() for p in network.parameters()])


def slope(network, value):
    """The gradient of a number in a network's parameters, written in plain torch."""
    found = torch.autograd.grad(value, tuple(network.parameters()))
    return torch.cat([g.flatten() for g in found])


def value_at(agent, critic, batch):
    return critic(batch.s, agent.actor(batch.s)).mean(-1).sum()


def actor_descent(kind):
    """What the agent's actor step hands to its optimizer, and the agent as it was before."""
    agent, batch = agent_of(kind), batch_of()
    before = copy.deepcopy(agent)
    agent.update(batch)
    before.critic, before.critic_target = agent.critic, before.critic_target
    return gradients(agent.actor), before, batch


def same(a, b):
    return torch.allclose(a, b, rtol=1e-9, atol=1e-12)


def both(bug):
    return pytest.mark.parametrize(("kind", "is_right"), [("right", True), (bug, False)])


@both("wrong-sign")
def test_wrong_sign_is_the_negative_gradient(kind, is_right):
    handed, before, batch = actor_descent(kind)
    uphill = slope(before.actor, value_at(before, before.critic, batch))
    assert same(handed, -uphill if is_right else uphill)


@both("replay-action")
def test_replay_action_takes_the_slope_of_the_wrong_place(kind, is_right):
    handed, before, batch = actor_descent(kind)
    place = before.actor(batch.s).detach() if is_right else batch.a
    place = place.clone().requires_grad_()
    (g,) = torch.autograd.grad(before.critic(batch.s, place).sum(), place)
    assert same(handed, -slope(before.actor, (g * before.actor(batch.s)).mean(1).sum()))


@both("target-critic-in-actor")
def test_target_critic_in_actor_follows_the_slow_copy(kind, is_right):
    handed, before, batch = actor_descent(kind)
    critics = [before.critic, before.critic_target]  # the first as the actor step saw it
    follows = [same(handed, -slope(before.actor, value_at(before, c, batch))) for c in critics]
    assert follows == [is_right, not is_right]


@both("truncated-as-done")
def test_truncated_as_done_has_the_wrong_truth_table(kind, is_right):
    terminated, truncated = np.array([[0, 0, 1, 1], [0, 1, 0, 1]], dtype=bool)
    stored = agent_of(kind).terminal_flags(terminated, truncated)
    assert np.array_equal(stored, terminated if is_right else [False, True, True, True])


@both("terminated-ignored")
def test_terminated_ignored_stores_no_end(kind, is_right):
    terminated, truncated = np.array([[0, 0, 1, 1], [0, 1, 0, 1]], dtype=bool)
    stored = agent_of(kind).terminal_flags(terminated, truncated)
    assert np.array_equal(stored, terminated if is_right else [False] * 4)


@both("double-scaling")
def test_double_scaling_stretches_what_the_actor_says(kind, is_right):
    agent, s = agent_of(kind), batch_of().s
    said = agent.actor(s).detach().numpy()
    stretched = np.clip(BOX.center + BOX.half_range * said, BOX.low, BOX.high)
    assert np.allclose(agent.act(s), said if is_right else stretched, rtol=0, atol=1e-12)
    assert not np.allclose(said, stretched, atol=0.1)


def test_double_scaling_does_nothing_in_the_unit_box():
    unit, s = ActionBox([-1.0, -1.0], [1.0, 1.0]), batch_of().s
    right, wrong = (agent_of(kind, box=unit) for kind in ("right", "double-scaling"))
    assert np.array_equal(right.act(s), wrong.act(s))


@both("broadcast-target")
def test_broadcast_target_fits_the_mean_target(kind, is_right):
    agent, batch = agent_of(kind), batch_of()
    y = batch.r
    wanted = y if is_right else y.mean(-1, keepdim=True).expand_as(y)
    loss = ((agent.critic(batch.s, batch.a) - wanted) ** 2).mean(-1).sum()
    expected = slope(agent.critic, loss)
    agent.critic_step(batch, y)
    assert same(gradients(agent.critic), expected)


@both("missing-zero-grad")
def test_missing_zero_grad_adds_what_the_actor_left(kind, is_right):
    agent, first, second = agent_of(kind), batch_of(), batch_of(1)
    agent.update(first)
    left = 0 if is_right else gradients(agent.critic)
    y = agent.td_target(second)
    own = slope(agent.critic, ((y - agent.critic(second.s, second.a)) ** 2).mean(-1).sum())
    agent.critic_step(second, y)
    assert same(gradients(agent.critic), own + left)
    assert is_right or left.norm() > 0.1 * own.norm()


def test_missing_zero_grad_gradients_are_those_of_minus_mean_q():
    agent, batch = agent_of("missing-zero-grad"), batch_of()
    expected = -slope(agent.critic, value_at(agent, agent.critic, batch))
    handed = -slope(agent.actor, value_at(agent, agent.critic, batch))
    agent.actor_step(batch.s)
    assert same(gradients(agent.critic), expected)
    assert same(gradients(agent.actor), handed)


@both("shared-noise")
def test_shared_noise_is_the_same_in_every_entry(kind, is_right):
    agent = agent_of(kind, sigma=0.3)
    drawn = np.stack([agent.noise() / (0.3 * BOX.half_range) for _ in range(2000)])
    assert np.allclose(drawn.std(0), 1, atol=0.07)  # 4 s.e. are 0.063
    correlation = [np.corrcoef(drawn[:, row].T)[0, 1] for row in range(len(SEEDS))]
    assert np.allclose(correlation, 0 if is_right else 1, atol=0.09)
    assert abs(np.corrcoef(drawn[:, :, 0].T)[0, 1]) < 0.09  # seeds stay independent


def test_shared_noise_does_nothing_with_one_entry():
    one = ActionBox([-2.0], [2.0])
    right, wrong = (agent_of(kind, box=one) for kind in ("right", "shared-noise"))
    assert np.array_equal([right.noise() for _ in range(9)], [wrong.noise() for _ in range(9)])


@both("no-detach")
def test_no_detach_descends_the_target_too(kind, is_right):
    agent, batch = agent_of(kind, gamma=0.9), batch_of()
    nets = (agent.actor_target, agent.critic_target) if is_right else (agent.actor, agent.critic)
    q_next = nets[1](batch.s_next, nets[0](batch.s_next))
    y = batch.r + 0.9 * (1 - batch.terminated) * q_next
    y = y.detach() if is_right else y
    expected = slope(agent.critic, ((y - agent.critic(batch.s, batch.a)) ** 2).mean(-1).sum())
    agent.critic_step(batch, agent.td_target(batch))
    assert same(gradients(agent.critic), expected)


def test_a_target_of_its_own_networks_needs_no_detach():
    """Where the target's networks are not optimized, leaving out the detach changes nothing."""

    class Undetached(DDPG):
        td_target = inspect.unwrap(DDPG.td_target)

    agents = agent_of("right"), agent_of(Undetached)
    assert agents[1].td_target(batch_of()).requires_grad
    for agent in agents:
        for k in range(20):
            agent.update(batch_of(k))
    assert torch.equal(*(parameters(agent.critic) for agent in agents))
    assert torch.equal(*(parameters(agent.actor) for agent in agents))


@both("frozen-targets")
def test_frozen_targets_never_move(kind, is_right):
    agent = agent_of(kind)
    before = parameters(agent.critic_target), parameters(agent.actor_target)
    for k in range(5):
        agent.update(batch_of(k))
    after = parameters(agent.critic_target), parameters(agent.actor_target)
    moved = [not torch.equal(a, b) for a, b in zip(before, after, strict=True)]
    assert moved == [is_right, is_right]


@both("no-actor-gradient")
def test_no_actor_gradient_moves_the_critic_alone(kind, is_right):
    agent, batch = agent_of(kind), batch_of()
    actor, critic = parameters(agent.actor), parameters(agent.critic)
    agent.update(batch)
    assert torch.equal(parameters(agent.actor), actor) == (not is_right)
    right = agent_of("right")
    right.update(batch)
    assert not torch.equal(parameters(agent.critic), critic)
    assert torch.equal(parameters(agent.critic), parameters(right.critic))


@both("shared-optimizer")
def test_shared_optimizer_moves_the_critic_too(kind, is_right):
    agent, s = agent_of(kind), batch_of().s
    before, actor, a = parameters(agent.critic), agent.actor, agent.actor(s).detach()
    uphill = slope(agent.critic, agent.critic(s, a).mean(-1).sum())
    value = agent.critic(s, a).mean()
    handed = -slope(actor, agent.critic(s, actor(s)).mean(-1).sum())
    agent.actor_step(s)
    assert same(gradients(actor), handed)
    assert torch.equal(parameters(agent.critic), before) == is_right
    if not is_right:
        assert same(gradients(agent.critic), -uphill)
        assert agent.critic(s, a).mean() > value


@both("swapped-tau")
def test_swapped_tau_follows_almost_at_once(kind, is_right):
    agent = agent_of(kind, tau=0.01)
    old = parameters(agent.critic_target), parameters(agent.actor_target)
    agent.update(batch_of())
    share = 0.01 if is_right else 0.99
    for before, target, source in zip(
        old, (agent.critic_target, agent.actor_target), (agent.critic, agent.actor), strict=True
    ):
        assert same(parameters(target), share * parameters(source) + (1 - share) * before)


@pytest.mark.parametrize(
    ("kind", "gamma", "place"),
    [("right", 0.9, "s_next"), ("missing-gamma", 1, "s_next"), ("target-at-s", 0.9, "s")],
)
def test_a_wrong_target_is_wrong_in_one_place(kind, gamma, place):
    agent, batch = agent_of(kind, gamma=0.9), batch_of()
    s = getattr(batch, place)
    q_next = agent.critic_target(s, agent.actor_target(s))
    y = agent.td_target(batch)
    assert same(y, batch.r + gamma * (1 - batch.terminated) * q_next)
    assert not y.requires_grad


def test_the_shared_optimizer_goes_on_from_its_state():
    agent, again = agent_of("shared-optimizer"), agent_of("shared-optimizer")
    for k in range(3):
        agent.update(batch_of(k))
    again.load_state(agent.state())
    for one in (agent, again):
        one.update(batch_of(3))
    for name in ("actor", "critic", "actor_target", "critic_target"):
        assert torch.equal(*(parameters(getattr(one, name)) for one in (agent, again)))


@pytest.mark.parametrize("name", FAULTS)
def test_a_bug_is_small_and_raises_nothing(name):
    agent = agent_of(name)
    for k in range(20):
        agent.update(batch_of(k))
    assert agent.explore(np.ones((len(SEEDS), D))).shape == (len(SEEDS), M)
    for network in (agent.actor, agent.critic):
        assert parameters(network).isfinite().all()
    lines = [line.strip() for line in inspect.getsource(FAULTS[name]).splitlines()]
    code = [x for x in lines if x and not x.startswith(('"""', "def ", "class ", "#"))]
    assert len(code) <= 8


@pytest.mark.parametrize("name", FAULTS)
def test_every_seed_of_a_bug_is_a_run_of_its_own(name):
    together, alone = agent_of(name), agent_of(name, seeds=SEEDS[1:])
    for network in ("actor", "critic", "actor_target", "critic_target"):
        for many, one in zip(
            getattr(together, network).parameters(),
            getattr(alone, network).parameters(),
            strict=True,
        ):
            one.data.copy_(many.data[1:])
    for k in range(20):
        batch = batch_of(k)
        together.update(batch)
        alone.update(batch.map(lambda field: field[1:]))
    for many, one in zip(together.actor.parameters(), alone.actor.parameters(), strict=True):
        torch.testing.assert_close(many[1], one[0], rtol=0, atol=1e-9)
