import copy

import numpy as np
import pytest
import torch

from dpgcourse.agents.batch import Batch
from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.numpy_ddpg import NumpyDDPG
from dpgcourse.agents.optim import Adam, polyak_update
from dpgcourse.agents.policy_gradient import policy_gradient
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.gradient.derivative_checks import check_gradient, relative_error

BOX = ActionBox([-2.0, 0.0], [2.0, 1.0])
D, M = 3, 2
NETWORKS = ("actor", "critic", "actor_target", "critic_target")
CONFIG = DDPGConfig(gamma=0.9, tau=0.2, actor_lr=2e-3, hidden_sizes=(16, 8))


def in_numpy(seeds=(0,), agent_class=NumpyDDPG, dtype="float64", config=CONFIG):
    return agent_class(config, D, BOX, random_streams(seeds), dtype)


def in_torch(seeds=(0,), dtype=torch.float64, config=CONFIG):
    return DDPG(config, D, BOX, random_streams(seeds), dtype)


def batch_of(S, B, seed=0):
    rng = np.random.default_rng(seed)
    r, terminated = rng.normal(size=(S, B)), rng.random((S, B)) < 0.2
    s, a, s_next = (rng.normal(size=(S, B, size)) for size in (D, M, D))
    return Batch(s, a, r, s_next, terminated.astype(float))


def tensors(batch):
    return batch.map(torch.from_numpy)


def flat(network):
    return torch.cat([p.detach().flatten(1) for p in network.parameters()], 1).numpy()


def largest_difference(agent_class=NumpyDDPG, seeds=(0,), B=16, updates=100):
    """Between any two parameters of the agent in NumPy and the one in torch, after that many."""
    agent, reference = in_numpy(seeds, agent_class), in_torch(seeds)
    for k in range(updates):
        batch = batch_of(len(seeds), B, seed=k)
        agent.update(batch)
        reference.update(tensors(batch))
    pairs = [(getattr(agent, name).theta, flat(getattr(reference, name))) for name in NETWORKS]
    return max(np.abs(ours - theirs).max() for ours, theirs in pairs)


def test_the_same_streams_draw_the_same_weights():
    assert largest_difference(seeds=(3, 1, 4), updates=0) == 0


@pytest.mark.parametrize("B", [1, 2, 16])
@pytest.mark.parametrize("seeds", [(0,), (3, 1, 4)], ids=["one", "three seeds"])
def test_a_hundred_updates_equal_those_in_torch(seeds, B):
    assert largest_difference(seeds=seeds, B=B) < 1e-9


class Recorder:
    """An optimizer that keeps the gradient and moves nothing."""

    def descend(self, theta, gradient):
        self.downhill = gradient

    def ascend(self, theta, gradient):
        self.uphill = gradient


def recorded(S=2, B=7):
    """An agent in NumPy and one in torch, well away from their start, and recorded gradients."""
    agent, reference, batch = in_numpy(range(S)), in_torch(range(S)), batch_of(S, B)
    rng = np.random.default_rng(9)
    for name in NETWORKS:
        theta, start = getattr(agent, name).theta, 0
        theta += rng.normal(size=theta.shape) * 0.3
        for p in getattr(reference, name).parameters():
            end = start + p[0].numel()
            p.data = torch.tensor(theta[:, start:end]).reshape(p.shape)
            start = end
    agent.actor_optimizer, agent.critic_optimizer = Recorder(), Recorder()
    agent.critic_step(batch, agent.td_target(batch))
    agent.actor_step(batch.s)
    return agent, reference, batch


def test_the_gradients_equal_autograd_in_sign_and_size():
    agent, reference, batch = recorded()
    y = reference.td_target(tensors(batch))
    np.testing.assert_allclose(agent.td_target(batch), y, rtol=1e-12)
    loss = ((y - reference.critic(*tensors(batch)[:2])) ** 2).mean(-1).sum()
    downhill = torch.autograd.grad(loss, tuple(reference.critic.parameters()))
    uphill = policy_gradient(reference.actor, reference.critic, tensors(batch).s)
    for ours, theirs in (
        (agent.critic_optimizer.downhill, downhill),
        (agent.actor_optimizer.uphill, uphill),
    ):
        assert relative_error(ours, torch.cat([g.flatten(1) for g in theirs], 1).numpy()) < 1e-10


def test_the_gradients_equal_central_differences():
    agent, _, batch = recorded(S=1)
    y = agent.td_target(batch)

    def loss(w):
        agent.critic.theta[:] = w
        return ((y - agent.critic.Q(batch.s, batch.a)[0]) ** 2).mean()

    def value(u):
        agent.actor.theta[:] = u
        return agent.critic.Q(batch.s, agent.actor.mu(batch.s)[0])[0].mean()

    for f, theta, claim in (
        (loss, agent.critic.theta.copy(), agent.critic_optimizer.downhill),
        (value, agent.actor.theta.copy(), agent.actor_optimizer.uphill),
    ):
        check_gradient(f, claim[0], theta[0])
        f(theta)  # put the parameters back


class ActorDescends(NumpyDDPG):
    def actor_step(self, s):
        a, trace = self.actor.mu(s)
        g = self.critic.dQ_da(s, a) / s.shape[-2]
        self.actor_optimizer.descend(self.actor.theta, self.actor.vjp(trace, g))


class CriticAscends(NumpyDDPG):
    def critic_step(self, batch, y):
        q, trace = self.critic.Q(batch.s, batch.a)
        gradient = self.critic.vjp(trace, 2 * (y - q) / y.shape[-1])
        self.critic_optimizer.descend(self.critic.theta, gradient)


class CriticSums(NumpyDDPG):
    def critic_step(self, batch, y):
        q, trace = self.critic.Q(batch.s, batch.a)
        self.critic_optimizer.descend(self.critic.theta, self.critic.vjp(trace, 2 * (q - y)))


class ActorSums(NumpyDDPG):
    def actor_step(self, s):
        a, trace = self.actor.mu(s)
        g = self.critic.dQ_da(s, a)
        self.actor_optimizer.ascend(self.actor.theta, self.actor.vjp(trace, g))


class ReplayActionInActorStep(NumpyDDPG):
    def update(self, batch):
        self.replayed = batch.a
        super().update(batch)

    def actor_step(self, s):
        _, trace = self.actor.mu(s)
        g = self.critic.dQ_da(s, self.replayed)
        self.actor_optimizer.ascend(self.actor.theta, self.actor.vjp(trace, g / s.shape[-2]))


class TargetIsNotConstant(NumpyDDPG):
    """The residual gradient: w also moves the target, through its copy."""

    def td_target(self, batch):
        self.critic_target.theta = self.critic.theta
        return super().td_target(batch)

    def critic_step(self, batch, y):
        q, trace = self.critic.Q(batch.s, batch.a)
        _, trace_next = self.critic.Q(batch.s_next, self.actor_target.mu(batch.s_next)[0])
        delta = 2 * (y - q) / y.shape[-1]
        through_y = self.config.gamma * (1 - batch.terminated) * delta
        gradient = self.critic.vjp(trace_next, through_y) - self.critic.vjp(trace, delta)
        self.critic_optimizer.descend(self.critic.theta, gradient)


class OnlineTarget(NumpyDDPG):
    def td_target(self, batch):
        q_next, _ = self.critic.Q(batch.s_next, self.actor.mu(batch.s_next)[0])
        return batch.r + self.config.gamma * (1 - batch.terminated) * q_next


class BootstrapsThroughTheEnd(NumpyDDPG):
    def td_target(self, batch):
        return super().td_target(batch._replace(terminated=0 * batch.terminated))


class NoDiscount(NumpyDDPG):
    def td_target(self, batch):
        return batch.r + (super().td_target(batch) - batch.r) / self.config.gamma


class ActorFirst(NumpyDDPG):
    def update(self, batch):
        y = self.td_target(batch)
        self.actor_step(batch.s)
        self.critic_step(batch, y)
        self.update_targets()


class TargetsFirst(NumpyDDPG):
    def update(self, batch):
        self.update_targets()
        y = self.td_target(batch)
        self.critic_step(batch, y)
        self.actor_step(batch.s)


class TauSwapped(NumpyDDPG):
    def update_targets(self):
        for target, source in (
            (self.critic_target, self.critic),
            (self.actor_target, self.actor),
        ):
            target.theta[:] = self.config.tau * target.theta + 0.8 * source.theta


class ActorTargetStays(NumpyDDPG):
    def update_targets(self):
        kept = self.actor_target.theta.copy()
        super().update_targets()
        self.actor_target.theta[:] = kept


class SquashingForgotten(NumpyDDPG):
    def actor_step(self, s):
        a, (inputs, h) = self.actor.mu(s)
        g = self.critic.dQ_da(s, a) / s.shape[-2]
        self.actor_optimizer.ascend(self.actor.theta, self.actor.vjp((inputs, 0 * h), g))


class ActorStepMovesTheCritic(NumpyDDPG):
    def actor_step(self, s):
        q, trace = self.critic.Q(s, self.actor.mu(s)[0])
        up = self.critic.vjp(trace, np.ones_like(q) / s.shape[-2])
        super().actor_step(s)
        self.critic_optimizer.ascend(self.critic.theta, up)


FAULTS = [
    ActorDescends,
    CriticAscends,
    CriticSums,
    ActorSums,
    ReplayActionInActorStep,
    TargetIsNotConstant,
    OnlineTarget,
    BootstrapsThroughTheEnd,
    NoDiscount,
    ActorFirst,
    TargetsFirst,
    TauSwapped,
    ActorTargetStays,
    SquashingForgotten,
    ActorStepMovesTheCritic,
]


@pytest.mark.parametrize("fault", FAULTS)
def test_every_planted_fault_is_found_by_the_hundred_updates(fault):
    assert largest_difference(fault) > 1e-3  # equal agents differ by less than 1e-9


def test_adam_equals_torch():
    rng = np.random.default_rng(0)
    ours, theirs = np.ones((2, 5)), torch.nn.Parameter(torch.ones(2, 5, dtype=torch.float64))
    adam, reference = Adam(0.01), torch.optim.Adam([theirs], lr=0.01)
    for _ in range(100):
        gradient = rng.normal(size=(2, 5)) * 10.0 ** rng.integers(-9, 3, (2, 5))
        adam.descend(ours, gradient)
        theirs.grad = torch.tensor(gradient)
        reference.step()
    np.testing.assert_allclose(ours, theirs.detach(), rtol=0, atol=1e-12)


def test_polyak_update_moves_the_target_alone_and_in_place():
    target, source = np.array([1.0, 2.0]), np.array([3.0, -2.0])
    view = target[:1]
    polyak_update(target, source, 0.25)
    assert target.tolist() == [1.5, 1.0] and view.tolist() == [1.5]
    assert source.tolist() == [3.0, -2.0]


def test_the_target_networks_move_by_the_formula():
    agent = in_numpy()
    pairs = (agent.critic_target, agent.critic), (agent.actor_target, agent.actor)
    for _, source in pairs:
        source.theta += 1
    expected = [0.2 * source.theta + 0.8 * target.theta for target, source in pairs]
    agent.update_targets()
    for (target, _), theta in zip(pairs, expected, strict=True):
        np.testing.assert_allclose(target.theta, theta, rtol=0, atol=1e-14)


def test_it_acts_like_the_agent_in_torch():
    agent, reference = in_numpy((0, 1)), in_torch((0, 1))
    s = np.random.default_rng(0).normal(size=(2, D))
    for _ in range(20):
        assert np.array_equal(agent.random_action(), reference.random_action())
        np.testing.assert_allclose(agent.explore(s), reference.explore(s), rtol=1e-12)


def test_tensors_and_arrays_teach_the_same():
    one, other, batch = in_numpy(), in_numpy(), batch_of(1, 8)
    one.update(batch)
    other.update(tensors(batch))
    assert all(np.array_equal(getattr(one, n).theta, getattr(other, n).theta) for n in NETWORKS)


def test_float32_stays_float32_and_near():
    agent, reference = in_numpy(dtype="float32"), in_torch(dtype=torch.float32)
    for k in range(20):
        batch = batch_of(1, 16, seed=k).map(lambda field: field.astype(np.float32))
        agent.update(batch)
        reference.update(tensors(batch))
    for name in NETWORKS:
        theta = getattr(agent, name).theta
        assert theta.dtype == np.float32
        np.testing.assert_allclose(theta, flat(getattr(reference, name)), rtol=0, atol=1e-4)
    assert agent.critic_optimizer.square.dtype == agent.act(batch.s).dtype == np.float32


@pytest.mark.parametrize("put", ["in place", "anew", "in a copy"])
def test_the_layers_show_theta_however_it_was_put(put):
    network = in_numpy((0, 1)).actor
    network.layers[0][0]  # whatever is kept from reading is kept now
    if put == "in a copy":
        network = copy.deepcopy(network)
    if put == "anew":
        network.theta = np.ones_like(network.theta)
    else:
        network.theta[:] = 1
    assert all((W == 1).all() and (b == 1).all() for W, b in network.layers)
    network.theta += 1
    assert all((W == 2).all() and (b == 2).all() for W, b in network.layers)


def test_copies_of_an_agent_are_independent():
    agent = in_numpy()
    twin, batch = copy.deepcopy(agent), batch_of(1, 8)
    for _ in range(2):
        agent.update(batch)
    assert not np.array_equal(agent.act(batch.s), twin.act(batch.s))
    for _ in range(2):
        twin.update(batch)
    assert np.array_equal(agent.act(batch.s), twin.act(batch.s))


@pytest.mark.parametrize(
    ("field", "wrong", "allowed"),
    [
        ("s", (1, 8, 4), "(1, 8, 3)"),
        ("a", (1, 8, 1), "(1, 8, 2)"),
        ("r", (1, 8, 1), "(1, 8)"),
        ("s_next", (1, 7, 3), "(1, 8, 3)"),
        ("terminated", (1, 8, 1), "(1, 8)"),
        ("s", (2, 8, 3), "(1, 8, 3)"),
        ("s", (8, 3), "(1, 8, 3)"),
    ],
)
def test_a_field_of_the_wrong_shape_is_named(field, wrong, allowed):
    batch = batch_of(1, 8)._replace(**{field: np.zeros(wrong)})
    with pytest.raises(ValueError) as error:  # noqa: PT011
        in_numpy().update(batch)
    assert f"{field} has shape {wrong}; allowed: {allowed}" in str(error.value)


def test_an_empty_batch_is_refused():
    with pytest.raises(ValueError, match=r"s has shape \(1, 0, 3\); allowed: \(1, 1, 3\)"):
        in_numpy().update(batch_of(1, 0))


def test_bad_arguments_are_named():
    for dtype in ("float16", "int64"):
        with pytest.raises(ValueError, match=f"dtype is {dtype}; allowed: float32 or float64"):
            in_numpy(dtype=dtype)
    with pytest.raises(ValueError, match=r"sizes is \(0, 16, 8, 2\); allowed"):
        NumpyDDPG(CONFIG, 0, BOX, random_streams([0]))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("critic_action_layer", 2), ("critic_weight_decay", 0.01)),
        *(("critic_layer_norm", True), ("n_step", 3)),
    ],
)
def test_what_only_the_agent_in_torch_knows_is_refused(field, value):
    config = DDPGConfig(**{field: value})
    with pytest.raises(ValueError, match=f"{field} is {value}; allowed for NumpyDDPG: "):
        NumpyDDPG(config, 3, ActionBox([-2.0], [2.0]), random_streams([0]))
