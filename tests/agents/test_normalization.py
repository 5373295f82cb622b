"""Observations scaled by their running mean and deviation, wherever an agent meets them."""

import gymnasium as gym
import numpy as np
import pytest

from dpgcourse.agents.base import Agent
from dpgcourse.agents.batch import Batch
from dpgcourse.agents.config import AgentConfig, DDPGConfig
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.faulty import DoubleScaling, TruncatedAsDone
from dpgcourse.agents.normalization import NormalizedObservations
from dpgcourse.agents.numpy_ddpg import NumpyDDPG
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.td3 import TD3
from dpgcourse.errors import InvalidInputError
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.loop import train
from dpgcourse.training.record import load, read_record

BOX = ActionBox([-2.0, 0.0], [2.0, 1.0])
D, M = 3, 2
SHIFT, SCALE = np.array([100.0, -3.0, 0.0]), np.array([10.0, 0.1, 1.0])


class Seen(Agent):
    """Keeps what it is asked about; its action is the first two entries of what it sees."""

    def policy(self, s):
        return np.asarray(s)[..., :M]

    def update(self, batch):
        self.batch = batch

    def state(self):
        return {"actor.theta": np.zeros((self.num_seeds, 1))}

    def load_state(self, state):
        self.loaded = dict(state)

    def q(self, s, a):
        return s.sum(-1) + a.sum(-1)

    def dq_da(self, s, a):
        return s[..., :M]

    def bootstrap_value(self, s_next):
        return s_next.sum(-1)


def states(T, S=2, seed=0):
    return SHIFT + SCALE * np.random.default_rng(seed).normal(size=(T, S, D))


def agent_of(agent_class=Seen, S=2, observed=50, **config):
    hyperparameters = agent_class.config_class(**config)
    agent = NormalizedObservations(agent_class(hyperparameters, D, BOX, random_streams(range(S))))
    for s in states(observed, S):
        agent.observe(s)
    return agent


@pytest.mark.parametrize("T", [1, 2, 7, 1000])
def test_the_running_statistics_are_those_of_all_states_observed(T):
    agent, seen = agent_of(observed=T), states(T)
    assert np.allclose(agent.mean, seen.mean(0), rtol=1e-12)
    assert np.allclose(agent.square_sum / agent.count[:, None], seen.var(0), rtol=1e-9, atol=1e-20)
    assert agent.count.tolist() == [T, T]


def test_the_statistics_stay_exact_far_from_zero():
    """A sum of squares would lose all digits of a deviation of 1 around 1e9."""
    agent, rng = agent_of(S=1, observed=0), np.random.default_rng(0)
    seen = 1e9 + rng.normal(size=(2000, 1, D))
    for s in seen:
        agent.observe(s)
    assert np.allclose(np.sqrt(agent.square_sum[0] / 2000), seen[:, 0].std(0), rtol=1e-6)


def test_states_are_scaled_by_their_own_seeds_statistics():
    agent, seen = agent_of(), states(50)
    s = states(20, seed=1).swapaxes(0, 1)  # (S, B, d)
    expected = (s - seen.mean(0)[:, None]) / seen.std(0)[:, None]
    assert np.allclose(agent.normalize(s), expected, rtol=1e-9)
    assert not np.allclose(agent.mean[0], agent.mean[1], rtol=1e-3)


def test_what_lies_far_out_is_clipped():
    agent = agent_of()
    far = agent.normalize(np.full((2, 1, D), 1e9))
    assert (far == 10).all() and (agent.normalize(np.full((2, 1, D), -1e9)) == -10).all()


def test_before_the_first_state_and_for_an_entry_that_never_varies_nothing_is_divided():
    agent, s = agent_of(observed=0), np.full((2, 1, D), 0.5)
    assert np.array_equal(agent.normalize(s), s)
    for _ in range(5):
        agent.observe(np.tile([7.0, 7.0, 7.0], (2, 1)))
    assert np.array_equal(agent.normalize(np.full((2, 1, D), 7.5)), np.full((2, 1, D), 0.5))


def test_the_agent_inside_sees_scaled_states_everywhere():
    agent = agent_of(sigma=0.0)
    inner, s, a = agent.agent, states(4, seed=1).swapaxes(0, 1), np.ones((2, 4, M))
    seen = agent.normalize(s)
    assert np.array_equal(agent.policy(s), seen[..., :M])
    assert np.array_equal(agent.act(s), seen[..., :M])
    assert np.array_equal(agent.act(s[0, 1]), agent.normalize(np.stack([s[0, 1:2]] * 2))[:, 0, :M])
    assert np.array_equal(agent.q(s, a), seen.sum(-1) + 2)
    assert np.array_equal(agent.dq_da(s, a), seen[..., :M])
    assert np.array_equal(agent.bootstrap_value(s), seen.sum(-1))
    explored = np.clip(seen[:, 0, :M], BOX.low, BOX.high)
    assert np.array_equal(agent.explore(s[:, 0]), explored)
    r, ends = np.ones((2, 4)), np.zeros((2, 4))
    agent.update(Batch(s, a, r, s + 1, ends))
    assert np.array_equal(inner.batch.s, seen)
    assert np.array_equal(inner.batch.s_next, agent.normalize(s + 1))
    for name, field in (("a", a), ("r", r), ("terminated", ends)):
        assert getattr(inner.batch, name) is field


@pytest.mark.parametrize("shape", [(2,), (4, 2), (3, 4, D), (1, 4, D)])
def test_wrong_shapes_are_refused_as_by_any_agent(shape):
    with pytest.raises(InvalidInputError, match=r"allowed: \(3,\), \(B, 3\) or \(2, B, 3\)"):
        agent_of().act(np.zeros(shape))


def test_the_agent_inside_draws_ends_and_executes_as_it_does_alone():
    config = {"hidden_sizes": (8,), "sigma": 0.3}
    agent = agent_of(DoubleScaling, observed=0, **config)
    alone = DoubleScaling(DDPGConfig(**config), D, BOX, random_streams(range(2)))
    s = np.random.default_rng(0).normal(size=(2, D))
    assert np.array_equal(agent.random_action(), alone.random_action())
    assert agent.noise is agent.agent.noise
    assert np.array_equal(agent.explore(s), alone.explore(s))
    for observation in (s[0], s, s[:, None]):
        assert np.array_equal(agent.act(observation), alone.act(observation))
    assert not np.array_equal(agent.act(s[:, None]), agent.policy(s[:, None]))
    ends = np.array([True, False]), np.array([False, True])
    assert agent_of(TruncatedAsDone).terminal_flags(*ends).tolist() == [True, True]
    assert agent.terminal_flags(*ends).tolist() == [True, False]


# Stored, loaded, shared


def test_a_snapshot_of_the_policy_keeps_its_statistics():
    agent = agent_of(DDPG, hidden_sizes=(8,))
    s = states(4, seed=1).swapaxes(0, 1)
    frozen, before = agent.policy_snapshot(), agent.policy(s).copy()
    for later in states(50, seed=2):
        agent.observe(later + 5)
    rng = np.random.default_rng(0)
    agent.update(Batch(s, rng.normal(size=(2, 4, M)), np.ones((2, 4)), s, np.zeros((2, 4))))
    assert np.array_equal(frozen(s), before)
    assert not np.array_equal(agent.policy(s), before)


@pytest.mark.parametrize("part", ["state", "policy_state"])
def test_the_statistics_are_part_of_what_is_stored(part):
    agent = agent_of(NumpyDDPG, hidden_sizes=(8,))
    other = agent_of(NumpyDDPG, observed=3, hidden_sizes=(8,))
    other.agent.actor.theta += 1
    stored = getattr(agent, part)()
    kept = {name: x.copy() for name, x in stored.items()}
    s = states(4, seed=1).swapaxes(0, 1)
    other.load_state(stored)
    assert np.array_equal(other.act(s), agent.act(s))
    for later in states(5, seed=3):
        assert agent.observe(later) is other.observe(later) is None
    assert np.array_equal(other.act(s), agent.act(s))
    for name, x in kept.items():  # what was stored is a copy, also after loading
        assert np.array_equal(stored[name], x), name


@pytest.mark.parametrize("name", ["mean", "square_sum", "count"])
def test_missing_or_misshapen_statistics_are_refused_by_name_and_nothing_is_loaded(name):
    agent = agent_of()
    state, before = agent.state(), agent.mean.copy()
    state["observations.mean"] = state["observations.mean"] + 1
    shape = state[f"observations.{name}"].shape
    for change, said in (
        (lambda: state.pop(f"observations.{name}"), "missing"),
        (lambda: state.update({f"observations.{name}": np.zeros(5)}), r"of shape \(5,\)"),
    ):
        change()
        with pytest.raises(InvalidInputError) as error:
            agent.load_state(state)
        said = said.replace("\\", "")
        assert str(error.value) == f"observations.{name} is {said}; allowed: {shape}"
    assert np.array_equal(agent.mean, before) and not hasattr(agent.agent, "loaded")


def test_an_agent_on_scaled_observations_compiles_the_agent_inside():
    with pytest.raises(InvalidInputError, match="compile is True; allowed: False for NumpyDDPG"):
        agent_of(NumpyDDPG).compile()


SMALL = {
    "num_seeds": 2,
    "steps": 60,
    "learning_starts": 20,
    "eval_every": 30,
    "eval_episodes": 2,
    "normalize_observations": True,
}


@pytest.mark.parametrize("algorithm", ["ddpg", "td3", "numpy-ddpg"])
def test_training_shares_the_statistics_with_evaluation_and_with_what_is_loaded(
    algorithm, tmp_path
):
    reports = []
    run = train(algorithm=algorithm, out=tmp_path / "run", callback=reports.append, **SMALL)
    agent = run.agent
    assert isinstance(agent, NormalizedObservations) and agent.count.tolist() == [60, 60]
    assert reports[-1].agent is agent  # the agent that was evaluated
    loaded = load(tmp_path / "run")
    assert isinstance(loaded, NormalizedObservations)
    for name in ("mean", "square_sum", "count"):
        assert np.array_equal(getattr(loaded, name), getattr(agent, name))
    s = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
    assert np.array_equal(loaded.act(s), agent.act(s))
    single = load(tmp_path / "run", seed=1)
    assert np.array_equal(single.mean, agent.mean[1:])
    assert np.allclose(single.act(s[1]), agent.act(s)[1], rtol=1e-6, atol=1e-7)
    assert read_record(tmp_path / "run").config.normalize_observations


def test_the_statistics_are_those_of_the_states_that_training_acted_in(monkeypatch):
    acted_in = []

    def watched(self, s):
        acted_in.append(s.astype(float))
        observe(self, s)

    observe = NormalizedObservations.observe
    monkeypatch.setattr(NormalizedObservations, "observe", watched)
    run = train(algorithm=DDPG, **SMALL)
    assert len(acted_in) == 60  # the states of 10 evaluation episodes are not among them
    assert np.allclose(run.agent.mean, np.mean(acted_in, axis=0), rtol=1e-9)
    deviation = np.sqrt(run.agent.square_sum / 60)
    assert np.allclose(deviation, np.std(acted_in, axis=0), rtol=1e-9)


@pytest.mark.filterwarnings("ignore::dpgcourse.training.loop.SaturationWarning")
@pytest.mark.parametrize("agent_class", [DDPG, pytest.param(TD3, marks=pytest.mark.long)])
def test_it_learns_a_task_whose_observations_are_badly_scaled(agent_class):
    """The bandit's state, a number in [−1, 1], arrives as 1000 + s."""

    def far_away():
        return gym.wrappers.TransformObservation(
            gym.make("ContextualBandit-v0"),
            lambda s: 1000 + s,
            gym.spaces.Box(-np.inf, np.inf, (1,), np.float64),
        )

    settings = {
        "env": far_away,
        "algorithm": agent_class,
        "num_seeds": 2,
        "steps": 900,
        "learning_starts": 100,
        "eval_every": 900,
        "eval_episodes": 50,
        "agent": agent_class.config_class(
            gamma=0.9, tau=0.1, actor_lr=5e-3, critic_lr=5e-3, hidden_sizes=(32, 32)
        ),
    }
    scaled, plain = (
        train(TrainConfig(**settings, normalize_observations=flag)) for flag in (True, False)
    )
    # The best return is 0, and −1/3, the variance of the state, is that of every constant action.
    assert (scaled.final_returns > -0.1).all()
    assert (plain.final_returns < -0.2).all()


def test_the_wrapper_takes_over_what_the_agent_is():
    inner = Seen(AgentConfig(gamma=0.5), D, BOX, random_streams([4]))
    agent = NormalizedObservations(inner)
    assert (agent.config, agent.box, agent.streams) == (inner.config, inner.box, inner.streams)
    assert (agent.num_seeds, agent.action_dim, agent.state_dim) == (1, M, D)
