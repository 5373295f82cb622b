"""The contract of an agent, held by every agent of the package."""

import numpy as np
import pytest
import torch

from dpgcourse.agents.base import Agent, flat_parameters, require_shapes
from dpgcourse.agents.batch import Batch
from dpgcourse.agents.config import AgentConfig, DDPGConfig
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.noise import GaussianNoise, OrnsteinUhlenbeckNoise
from dpgcourse.agents.numpy_ddpg import NumpyDDPG
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.sac import SAC
from dpgcourse.agents.td3 import TD3
from dpgcourse.errors import InvalidInputError
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.gradient.derivative_checks import central_difference, relative_error

BOX = ActionBox([-2.0, 0.0], [2.0, 1.0])
D, M = 3, 2
AGENTS = [DDPG, TD3, NumpyDDPG, SAC]
of_every_agent = pytest.mark.parametrize("agent_class", AGENTS)


def agent_of(agent_class, seeds=(3, 1, 4), dtype="float32", **config):
    if not issubclass(agent_class, NumpyDDPG):
        dtype = getattr(torch, dtype)
    config = agent_class.config_class(hidden_sizes=(8, 6), **config)
    return agent_class(config, D, BOX, random_streams(seeds), dtype)


def batch_of(S, B=5, seed=0):
    rng = np.random.default_rng(seed)
    s, a, s_next = (rng.normal(size=(S, B, size)) for size in (D, M, D))
    batch = Batch(s, a, rng.normal(size=(S, B)), s_next, rng.integers(2, size=(S, B)))
    return batch.map(lambda field: field.astype(np.float32))


def trained(agent, updates=3):
    """The same agent, after a few updates with batches that depend on nothing else."""
    for k in range(updates):
        agent.update(batch_of(agent.num_seeds, seed=k))
    return agent


def assert_equal_states(state, other, names=None):
    assert state.keys() == other.keys()
    for name in names or state:
        assert np.array_equal(state[name], other[name]), name


class Constant(Agent):
    """The smallest agent: an action that depends on the seed and the number of updates alone."""

    updates = 0

    def policy(self, s):
        a = 0.1 * np.arange(self.num_seeds) + 0.01 * self.updates
        return np.broadcast_to(a[:, None, None], (*s.shape[:2], M))

    def update(self, batch):
        self.updates += 1

    def state(self):
        return {"updates": np.full(self.num_seeds, self.updates)}

    def load_state(self, state):
        require_shapes(state, self.state())
        self.updates = int(state["updates"][0])


def constant(seeds=(0, 1, 2), box=BOX, **config):
    return Constant(AgentConfig(**config), D, box, random_streams(seeds))


@pytest.mark.parametrize("agent_class", [*AGENTS, Constant])
def test_one_agent_answers_states_of_every_shape(agent_class):
    agent = constant((4,)) if agent_class is Constant else agent_of(agent_class, (4,))
    s = np.random.default_rng(0).normal(size=(1, 6, D)).astype(np.float32)
    answers = agent.policy(s)
    assert answers.shape == (1, 6, M)
    np.testing.assert_array_equal(agent.act(s), answers)
    np.testing.assert_array_equal(agent.act(s[0]), answers[0])
    one = agent.act(s[0, 2])
    assert one.shape == (M,)
    np.testing.assert_allclose(one, answers[0, 2], rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(agent.act(s[0, 2].tolist()), one)


@pytest.mark.parametrize("agent_class", [*AGENTS, Constant])
def test_several_agents_all_answer_a_state_without_a_seeds_axis(agent_class):
    agent = constant() if agent_class is Constant else agent_of(agent_class)
    s = np.random.default_rng(0).normal(size=(6, D)).astype(np.float32)
    answers = agent.policy(np.stack([s] * 3))
    assert agent.act(s).shape == (3, 6, M)
    np.testing.assert_array_equal(agent.act(s), answers)
    assert agent.act(s[2]).shape == (3, M)
    np.testing.assert_allclose(agent.act(s[2]), answers[:, 2], rtol=1e-6, atol=1e-9)
    assert not np.array_equal(answers[0], answers[1])
    own = np.random.default_rng(1).normal(size=(3, 6, D)).astype(np.float32)
    np.testing.assert_array_equal(agent.act(own), agent.policy(own))


@pytest.mark.parametrize("shape", [(), (2,), (6, 2), (2, 6, D), (3, 6, 2), (1, 3, 6, D)])
def test_other_shapes_are_refused_with_those_that_are_allowed(shape):
    with pytest.raises(InvalidInputError) as error:
        constant().act(np.zeros(shape))
    said = f"observation has shape {shape}; allowed: (3,), (B, 3) or (3, B, 3)"
    assert str(error.value) == said


@of_every_agent
def test_q_and_its_slope_belong_together(agent_class):
    agent = agent_of(agent_class, dtype="float64")
    trained(agent, 20)
    rng = np.random.default_rng(7)
    s, a = rng.normal(size=(3, 4, D)), rng.normal(size=(3, 4, M))
    assert agent.q(s, a).shape == (3, 4) and agent.dq_da(s, a).shape == (3, 4, M)
    slope = central_difference(lambda a: agent.q(s, a).sum(), a)
    assert relative_error(agent.dq_da(s, a), slope) < 1e-6
    before = agent.state()
    agent.dq_da(s, a)
    assert_equal_states(agent.state(), before)


@pytest.mark.parametrize("agent_class", [DDPG, TD3, NumpyDDPG])  # SAC has no target actor
def test_bootstrap_value_is_that_of_the_target_networks(agent_class):
    agent = trained(agent_of(agent_class, tau=0.01), 50)
    s = batch_of(3).s
    state = agent.state()
    targets = {name.replace("_target.", "."): x for name, x in state.items() if "_target." in name}
    other = agent_of(agent_class)
    other.load_state(targets)
    np.testing.assert_allclose(
        agent.bootstrap_value(s), other.q(s, other.policy(s)), rtol=1e-5, atol=1e-6
    )
    assert not np.allclose(agent.bootstrap_value(s), agent.q(s, agent.policy(s)), rtol=1e-3)


def test_an_agent_without_a_critic_says_so():
    agent, s = constant(), np.zeros((3, 2, D))
    for method, arguments in (("q", (s, s)), ("dq_da", (s, s)), ("bootstrap_value", (s,))):
        with pytest.raises(NotImplementedError, match="Constant has no critic"):
            getattr(agent, method)(*arguments)


def test_an_agent_that_lacks_a_method_cannot_be_made():
    class Half(Agent):
        def policy(self, s):
            return s

    with pytest.raises(TypeError, match="load_state.*state.*update"):
        Half(AgentConfig(), D, BOX, random_streams([0]))


# What is learned, out and in again


@pytest.mark.parametrize("agent_class", [*AGENTS, Constant])
def test_a_policy_snapshot_stays_as_it_is(agent_class):
    agent = constant() if agent_class is Constant else trained(agent_of(agent_class))
    s = np.random.default_rng(0).normal(size=(3, 6, D)).astype(np.float32)
    frozen, before = agent.policy_snapshot(), agent.policy(s).copy()
    np.testing.assert_array_equal(frozen(s), before)
    trained(agent, 6)
    np.testing.assert_array_equal(frozen(s), before)
    assert not np.array_equal(agent.policy(s), before)


@of_every_agent
def test_a_state_holds_all_seeds_in_front_and_is_a_copy(agent_class):
    agent = trained(agent_of(agent_class))
    state = agent.state()
    kept = {name: x.copy() for name, x in state.items()}
    assert all(isinstance(x, np.ndarray) and len(x) == 3 for x in state.values())
    networks = ("actor", "critic", "critic_target")
    assert {f"{network}.theta" for network in networks} <= set(state)
    trained(agent, 4)
    assert_equal_states(state, kept)
    for x in state.values():
        x.fill(0)
    assert np.abs(agent.state()["actor.theta"]).max() > 0


# Of every agent, one with an odd number of updates, so that TD3 is between two turns of its actor.
@pytest.mark.parametrize("updates", [0, 1, 4, 5])
@of_every_agent
def test_the_next_updates_of_a_loaded_agent_are_the_same_to_the_last_bit(agent_class, updates):
    agent, loaded = trained(agent_of(agent_class), updates), agent_of(agent_class)
    trained(loaded, 2)  # whatever it has learned before is gone
    loaded.load_state(agent.state())
    assert_equal_states(loaded.state(), agent.state())
    for k in range(10, 13):
        for one in (
            agent,
            loaded,
        ):  # the noise of TD3 and SAC comes from streams, which are no part of a state
            fresh = random_streams([10 * k + seed for seed in range(3)])
            one.streams.target_noise[:] = fresh.target_noise
            one.update(batch_of(3, seed=k))
        assert_equal_states(loaded.state(), agent.state())


def test_the_delay_counter_of_td3_is_part_of_its_state():
    for updates in (4, 5):
        agent, loaded = trained(agent_of(TD3), updates), agent_of(TD3)
        loaded.load_state(agent.state())
        assert loaded.updates == updates
        before = loaded.state()["actor.theta"]
        loaded.update(batch_of(3))
        moved = not np.array_equal(before, loaded.state()["actor.theta"])
        assert moved == (updates == 5)


@of_every_agent
def test_a_loaded_state_is_a_copy(agent_class):
    agent, loaded = trained(agent_of(agent_class)), agent_of(agent_class)
    state = agent.state()
    kept = {name: x.copy() for name, x in state.items()}
    loaded.load_state(state)
    trained(loaded, 4)
    assert_equal_states(state, kept)
    for x in state.values():
        x.fill(0)
    assert np.abs(loaded.state()["actor.theta"]).max() > 0
    assert np.abs(loaded.state()["critic_optimizer.theta.exp_avg_sq"]).max() > 0


@of_every_agent
def test_the_rows_of_a_state_are_the_states_of_its_seeds(agent_class):
    together, alone = trained(agent_of(agent_class)), agent_of(agent_class, seeds=(1,))
    alone.load_state({name: x[1:2] for name, x in together.state().items()})
    s = np.random.default_rng(0).normal(size=(3, 6, D)).astype(np.float32)
    np.testing.assert_allclose(alone.policy(s[1:2])[0], together.policy(s)[1], rtol=1e-5, atol=1e-6)


@of_every_agent
def test_the_policys_part_of_a_state_suffices_for_acting(agent_class):
    agent, other = trained(agent_of(agent_class), 20), agent_of(agent_class)
    policy_state = agent.policy_state()
    assert list(policy_state) == ["actor.theta"]
    before = other.state()
    other.load_state(policy_state)
    s = np.random.default_rng(0).normal(size=(3, 6, D)).astype(np.float32)
    np.testing.assert_array_equal(other.act(s), agent.act(s))
    rest = [name for name in before if name != "actor.theta"]
    assert_equal_states(other.state(), before, rest)


@of_every_agent
def test_a_state_with_an_unknown_name_or_another_shape_is_refused(agent_class):
    agent = agent_of(agent_class)
    before, theta = agent.state(), agent.state()["actor.theta"]
    n = theta.shape[1]
    for state, said in (
        ({"actor.theta": theta, "actor.phi": theta}, r"state has 'actor.phi'; allowed: \['actor"),
        ({"actor.theta": theta[:, 1:]}, rf"theta has shape \(3, {n - 1}\); allowed: \(3, {n}\)"),
        ({"actor.theta": theta[:2]}, rf"actor.theta has shape \(2, {n}\); allowed: \(3, {n}\)"),
        ({"actor.theta": theta[0]}, rf"actor.theta has shape \({n},\); allowed: \(3, {n}\)"),
        ({}, r"state is empty; allowed: \['actor.theta'"),
    ):
        with pytest.raises(InvalidInputError, match=said):
            agent.load_state(state)
    assert_equal_states(agent.state(), before)


@pytest.mark.parametrize("agent_class", [DDPG, NumpyDDPG])
def test_the_state_of_another_agent_is_refused(agent_class):
    with pytest.raises(InvalidInputError, match="state has 'critic.second.theta'"):
        agent_of(agent_class).load_state(agent_of(TD3).state())


def test_torch_and_numpy_exchange_states():
    one, other = trained(agent_of(DDPG, dtype="float64")), agent_of(NumpyDDPG, dtype="float64")
    other.load_state(one.state())
    assert_equal_states(other.state(), one.state())
    for agent in (one, other):
        agent.update(batch_of(3, seed=9).map(lambda field: field.astype(float)))
    for name, x in one.state().items():
        np.testing.assert_allclose(other.state()[name], x, rtol=0, atol=1e-12)


def test_flat_parameters_are_those_of_one_network():
    state = {
        "actor.theta": np.arange(6.0).reshape(2, 3),
        "critic.theta": np.zeros((2, 4)),
        "critic.second.theta": np.ones((2, 1, 2)),
        "actor_target.theta": np.full((2, 3), 9.0),
    }
    assert flat_parameters(state, "actor").tolist() == [[0, 1, 2], [3, 4, 5]]
    assert flat_parameters(state, "critic").tolist() == [[0, 0, 0, 0, 1, 1]] * 2
    assert flat_parameters(state, "critic_target") is None


# Exploration


def test_gaussian_noise_is_what_the_configuration_asks_for():
    noise = constant(sigma=0.3).noise
    assert type(noise) is GaussianNoise
    assert np.allclose(noise.scale, [0.6, 0.15])


def test_ou_noise_has_the_spread_of_independent_noise():
    seeds, sigma = range(50), 0.3
    agent = constant(seeds, sigma=sigma, noise_type="ornstein-uhlenbeck")
    assert type(agent.noise) is OrnsteinUhlenbeckNoise
    draws = np.stack([agent.noise() for _ in range(600)])[100:]  # (T, S, m)
    independent = constant(seeds, sigma=sigma).noise
    assert np.allclose(draws.std((0, 1)), independent.scale, rtol=0.05)
    assert np.allclose(independent.scale, [0.6, 0.15])


@pytest.mark.parametrize("theta", [0.15, 0.7])
def test_ou_noise_has_the_memory_that_the_configuration_asks_for(theta):
    noise = constant(range(400), noise_type="ornstein-uhlenbeck", ou_theta=theta).noise
    draws = np.stack([noise() for _ in range(150)])[100:]
    correlation = (draws[1:] * draws[:-1]).mean() / (draws**2).mean()
    # 400 seeds, 50 steps and 2 entries; effectively 400 · 50 · 2 · tanh θ independent draws
    assert abs(correlation - np.exp(-theta)) < 4 / np.sqrt(40_000 * np.tanh(theta))


def test_exploration_adds_the_noise_and_clips():
    agent, twin = constant(sigma=0.4), constant(sigma=0.4)
    s = np.zeros((3, D))
    for _ in range(50):
        expected = np.clip(agent.act(s[:, None])[:, 0] + twin.noise(), BOX.low, BOX.high)
        np.testing.assert_array_equal(agent.explore(s), expected)


def test_random_actions_fill_the_box_and_are_each_seeds_own():
    agent, alone = constant((0, 1)), constant((1,))
    drawn = np.stack([agent.random_action() for _ in range(2000)])  # (T, S, m)
    assert (drawn >= BOX.low).all() and (drawn <= BOX.high).all()
    # uniform on an interval: standard deviation half_range / √3; 4 s.e. are 6%
    assert np.allclose(drawn.mean(0), BOX.center, atol=0.06 * BOX.half_range.max())
    assert np.allclose(drawn.std(0), BOX.half_range / 3**0.5, rtol=0.06)
    assert np.array_equal(drawn[:, 1], [alone.random_action()[0] for _ in range(2000)])


def test_only_terminations_are_stored_as_ends():
    terminated, truncated = np.array([[0, 0, 1, 1], [0, 1, 0, 1]], dtype=bool)
    assert np.array_equal(constant().terminal_flags(terminated, truncated), terminated)


def test_the_defaults_of_a_small_agent():
    agent = constant()
    assert (agent.num_seeds, agent.action_dim, agent.state_dim) == (3, M, D)
    assert agent.observe(np.zeros((3, D))) is None
    agent.update(batch_of(3))
    assert_equal_states(agent.policy_state(), agent.state())
    with pytest.raises(InvalidInputError, match="compile is True; allowed: False for Constant"):
        agent.compile()


@pytest.mark.parametrize(
    ("agent_class", "settings"),
    [
        *((agent_class, {}) for agent_class in AGENTS),
        *((agent_class, {"critic_layer_norm": True}) for agent_class in (DDPG, TD3, SAC)),
        *((agent_class, {"critic_action_layer": 2}) for agent_class in (DDPG, TD3)),
    ],
)
def test_the_parameters_of_one_seed_are_counted(agent_class, settings):
    config = agent_class.config_class(hidden_sizes=(8, 6), **settings)
    agent = agent_class(config, D, BOX, random_streams([0]))
    state = agent.state()
    count = sum(flat_parameters(state, name).size for name in ("actor", "critic"))
    assert agent_class.num_parameters(config, D, M) == count


def test_ddpg_config_is_the_configuration_of_both_ddpg_agents():
    assert DDPG.config_class is NumpyDDPG.config_class is DDPGConfig


@of_every_agent
def test_a_part_of_an_optimizers_state_is_refused(agent_class):
    agent = trained(agent_of(agent_class))
    state = agent.state()
    before = {name: value.copy() for name, value in state.items()}
    del state["actor_optimizer.theta.exp_avg"]
    with pytest.raises(
        InvalidInputError, match=r"no 'actor_optimizer.theta.exp_avg'; allowed: all"
    ):
        agent.load_state(state)
    assert_equal_states(agent.state(), before)
