"""n-step batches against trajectories that are walked along transition by transition."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from dpgcourse.agents.batch import Batch
from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.faulty import NoDetach
from dpgcourse.agents.n_step import NStepBatch, NStepReplayBuffer
from dpgcourse.agents.normalization import NormalizedObservations
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.replay_buffer import ReplayBuffer
from dpgcourse.agents.td3 import TD3
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training import training_state
from dpgcourse.training.config import make_config
from dpgcourse.training.loop import train
from dpgcourse.training.training_state import TrainingState

GAMMA = 0.9


def rngs(S=2):
    return [np.random.default_rng(seed) for seed in range(S)]


def trajectory(T, S, seed=0):
    """T transitions of S seeds; a state is its step, a state reached lies half a step further."""
    rng = np.random.default_rng(seed)
    s = np.broadcast_to(np.arange(T, dtype=float)[:, None, None], (T, S, 1))
    end = rng.random((T, S))
    return Batch(s, -s, rng.normal(size=(T, S)), s + 0.5, end < 0.15), end > 0.85


def walked(path, truncated, t, seed, n):
    """Sum of rewards, last state, whether it is terminal, and discount, from step t on."""
    total, discount = 0.0, 1.0
    for k in range(t, min(t + n, len(path.r))):
        total += discount * path.r[k, seed]
        discount *= GAMMA
        if path.terminated[k, seed] or truncated[k, seed]:
            break
    return total, path.s_next[k, seed], path.terminated[k, seed], discount


def check_against_walks(buffer_class=NStepReplayBuffer, n=3, T=70, S=3, capacity=100):
    path, truncated = trajectory(T, S)
    replay = buffer_class(n, GAMMA, capacity, 1, 1, rngs(S), "float64")
    for t in range(T):
        replay.add(*path.map(lambda field, t=t: field[t]))
        replay.mark_ends(path.terminated[t] | truncated[t])
    batch = replay.sample(1500)
    kinds = set()
    for seed in range(S):
        assert set(batch.s[seed, :, 0]) == set(range(max(T - capacity, 0), T))  # all of them
        for i, t in enumerate(batch.s[seed, :, 0].astype(int)):
            r, s_next, terminated, discount = walked(path, truncated, t, seed, n)
            kinds.add((terminated, round(np.log(discount) / np.log(GAMMA))))
            assert batch.a[seed, i] == -t
            assert batch.r[seed, i] == pytest.approx(r, abs=1e-12)
            assert np.array_equal(batch.s_next[seed, i], s_next)
            assert batch.terminated[seed, i] == terminated
            assert batch.discount[seed, i] == pytest.approx(discount, abs=1e-12)
    assert kinds >= {(end, k) for end in (False, True) for k in range(1, min(n, 3) + 1)}


@pytest.mark.parametrize("capacity", [100, 70, 41])  # part filled, just full, and gone round
@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_a_batch_is_what_a_walk_along_the_trajectory_gives(n, capacity):
    check_against_walks(n=n, capacity=capacity)


class OneDiscountTooFew(NStepReplayBuffer):
    def sample(self, batch_size):
        batch = super().sample(batch_size)
        return batch._replace(discount=batch.discount / self.gamma)


class FullDiscountAlways(NStepReplayBuffer):
    def sample(self, batch_size):
        batch = super().sample(batch_size)
        return batch._replace(discount=0 * batch.discount + self.gamma**self.n_step)


class GoesOnAfterTruncation(NStepReplayBuffer):
    def mark_ends(self, ended):
        pass


class GoesOnAfterTermination(NStepReplayBuffer):
    def add(self, s, a, r, s_next, terminated):
        super().add(s, a, r, s_next, terminated)
        self._ended[:, self._latest] = False

    def mark_ends(self, ended):
        super().mark_ends(ended & ~self._stored.terminated[:, self._latest].astype(bool))


class TruncationIsTerminal(NStepReplayBuffer):
    def mark_ends(self, ended):
        super().mark_ends(ended)
        self._stored.terminated[:, self._latest] = ended


class NeverForgetsAnEnd(NStepReplayBuffer):
    def add(self, s, a, r, s_next, terminated):
        before = self._ended[:, self.position].copy()
        super().add(s, a, r, s_next, terminated)
        self.mark_ends(before)


class GoesRound(NStepReplayBuffer):
    """A window crosses from the latest transition to the oldest."""

    _latest = -1

    def add(self, s, a, r, s_next, terminated):
        self._now = self.position
        super().add(s, a, r, s_next, terminated)

    def mark_ends(self, ended):
        self._ended[:, self._now] = ended


class FirstState(NStepReplayBuffer):
    def sample(self, batch_size):
        batch = super().sample(batch_size)
        return batch._replace(s_next=batch.s + 0.5)


@pytest.mark.parametrize(
    "fault",
    [
        *(OneDiscountTooFew, FullDiscountAlways, GoesOnAfterTruncation, GoesOnAfterTermination),
        *(TruncationIsTerminal, NeverForgetsAnEnd, GoesRound, FirstState),
    ],
)
def test_planted_faults_are_found(fault):
    with pytest.raises(AssertionError):
        check_against_walks(fault, capacity=41)


def test_one_step_is_the_plain_buffer_to_the_last_bit():
    path, truncated = trajectory(60, 2)
    plain, ours = ReplayBuffer(37, 1, 1, rngs()), NStepReplayBuffer(1, 0.98, 37, 1, 1, rngs())
    for t in range(60):
        for replay in (plain, ours):
            replay.add(*path.map(lambda field, t=t: field[t]))
            replay.mark_ends(path.terminated[t] | truncated[t])
    one, other = plain.sample(64), ours.sample(64)
    for name in Batch._fields:
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert (other.discount == 0.98).all()


def test_a_window_longer_than_the_buffer_is_cut():
    path, _ = trajectory(5, 1)
    replay = NStepReplayBuffer(10**30, GAMMA, 3, 1, 1, rngs(1), "float64")
    for t in range(5):
        replay.add(path.s[t], path.a[t], path.r[t], path.s_next[t], [False])
    batch = replay.sample(100)
    oldest = batch.s[0, :, 0] == 2
    assert oldest.any() and np.allclose(batch.discount[0, oldest], GAMMA**3)
    with pytest.raises(ValueError, match="n_step is 0; allowed: 1 or more"):
        NStepReplayBuffer(0, GAMMA, 3, 1, 1, rngs(1))


def test_a_state_brings_the_ends_back():
    path, truncated = trajectory(50, 2)

    def filled(steps):
        replay = NStepReplayBuffer(4, GAMMA, 31, 1, 1, rngs())
        for t in range(steps):
            replay.add(*path.map(lambda field, t=t: field[t]))
            replay.mark_ends(path.terminated[t] | truncated[t])
        return replay

    for steps in (20, 50):
        one, other = filled(steps), filled(3)
        other.load_state(one.state())
        for a, b in zip(one.sample(200), other.sample(200), strict=True):
            assert np.array_equal(a, b)
        state = one.state()
        for wrong in (state["ended"][:, 1:], state["ended"].astype(float)):
            with pytest.raises(ValueError, match="ended has shape .* and dtype .*; allowed: "):
                other.load_state({**state, "ended": wrong})


def n_step_batch(S, B, D, M):
    rng = np.random.default_rng(3)
    s, a, s_next = (rng.normal(size=(S, B, size)) for size in (D, M, D))
    terminated = (rng.random((S, B)) < 0.3).astype(float)
    discount = GAMMA ** rng.integers(1, 5, (S, B))
    return NStepBatch(s, a, rng.normal(size=(S, B)), s_next, terminated, discount)


@pytest.mark.parametrize("agent_class", [DDPG, TD3, NoDetach])
def test_a_target_discounts_each_transition_by_its_own_steps(agent_class):
    """A soft end that keeps the share γ^(K−1) of the value gives the same targets in one step."""
    box, batch = ActionBox([-1.0], [1.0]), n_step_batch(2, 40, 3, 1)
    config = agent_class.config_class(gamma=GAMMA)

    def target(of):
        agent = agent_class(config, 3, box, random_streams([0, 1]), torch.float64)
        return agent.td_target(of.map(agent.tensor)).detach().numpy()

    soft = 1 - batch.discount / GAMMA * (1 - batch.terminated)
    single = Batch(batch.s, batch.a, batch.r, batch.s_next, soft)
    np.testing.assert_allclose(target(batch), target(single), rtol=0, atol=1e-15)
    plain = target(single._replace(terminated=batch.terminated))
    assert np.abs(target(batch) - plain).max() > 1e-5


def test_normalized_observations_keep_the_discounts():
    batch, seen = n_step_batch(2, 5, 3, 1), []

    class Seen(DDPG):
        def update(self, batch):
            seen.append(batch)

    box = ActionBox([-1.0], [1.0])
    agent = NormalizedObservations(Seen(DDPGConfig(), 3, box, random_streams([0, 1])))
    agent.observe(np.ones((2, 3)))
    agent.update(batch)
    assert np.array_equal(seen[0].discount, batch.discount)
    assert not np.array_equal(seen[0].s_next, batch.s_next)


class Recorded(gym.Env):
    """A walk whose episodes end at random in both ways; keeps what happened."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (1,), np.float64)
    action_space = gym.spaces.Box(-1.0, 1.0, (1,))
    made: list = []  # noqa: RUF012 - filled by its copies

    def __init__(self):
        self.steps = []
        Recorded.made.append(self)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.s = self.np_random.normal(size=1).astype("float32").astype(float)
        return self.s.copy(), {}

    def step(self, action):
        before, self.s = self.s, self.np_random.normal(size=1).astype("float32").astype(float)
        r, end = float(np.float32(self.np_random.normal())), self.np_random.random()
        self.steps.append((before, r, self.s, end < 0.15, end > 0.85))
        return self.s.copy(), r, end < 0.15, end > 0.85, {}


def test_a_training_run_learns_from_what_happened(monkeypatch):
    """Every batch of a run, against walks along what its environments themselves have recorded."""
    Recorded.made.clear()
    batches = []

    class Keeps(TD3):
        def update(self, batch):
            batches.append((len(worlds()[0].steps), batch))
            super().update(batch)

    def worlds():
        return [world for world in Recorded.made if world.steps][:2]

    settings = {"n_step": 3, "gamma": GAMMA, "hidden_sizes": (4,), "batch_size": 32}
    run = {"num_seeds": 2, "steps": 80, "learning_starts": 5, "eval_every": 80}
    train(Recorded, Keeps, **settings, **run, eval_episodes=1)
    assert len(batches) == 75
    for T, batch in batches[::8]:
        for seed, world in enumerate(worlds()):
            s, r, s_next, terminated, truncated = (
                np.array(x)[:, None] for x in zip(*world.steps[:T], strict=True)
            )
            path = Batch(s, s, r, s_next, terminated)
            for i in range(32):
                (t,) = np.flatnonzero(s[:, 0, 0] == batch.s[seed, i, 0])
                total, last, ended, discount = walked(path, truncated, t, 0, 3)
                assert batch.r[seed, i] == pytest.approx(total, abs=1e-5)
                assert batch.s_next[seed, i] == last and batch.terminated[seed, i] == ended
                assert batch.discount[seed, i] == pytest.approx(discount)


def test_only_what_asks_for_several_steps_gets_them(monkeypatch):
    config = make_config(num_seeds=1, steps=20, eval_every=20, hidden_sizes=(4,))
    for agent, expected in (({}, ReplayBuffer), ({"n_step": 2}, NStepReplayBuffer)):
        changed = make_config(num_seeds=1, steps=20, eval_every=20, hidden_sizes=(4,), **agent)
        with TrainingState(changed, 3, ActionBox([-2.0], [2.0])) as state:
            assert type(state.replay) is expected
    assert config.agent.n_step == 1


def test_a_seed_learns_beside_others_what_it_learns_alone(monkeypatch):
    def double(*args):
        return NStepReplayBuffer(*args, dtype="float64")

    monkeypatch.setattr(training_state, "NStepReplayBuffer", double)

    class Double(DDPG):
        def __init__(self, *args):
            super().__init__(*args, dtype=torch.float64)

    def learned(**seeds):
        settings = {"n_step": 4, "hidden_sizes": (8,), "batch_size": 4, "eval_episodes": 1}
        run = train(Recorded, Double, steps=150, learning_starts=20, **settings, **seeds)
        return run.agent.state()["critic.theta"]

    together = learned(num_seeds=3, first_seed=4)
    for row in range(3):
        alone = learned(num_seeds=1, first_seed=4 + row)[0]
        assert np.abs(together[row] - alone).max() < 1e-9
