import random
import warnings
from functools import partial

import gymnasium as gym
import numpy as np
import pytest
import torch

from dpgcourse.agents.ddpg import DDPG, DDPGConfig
from dpgcourse.agents.noise import OrnsteinUhlenbeckNoise
from dpgcourse.agents.numpy_ddpg import NumpyDDPG
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.replay_buffer import ReplayBuffer
from dpgcourse.errors import InvalidInputError
from dpgcourse.training import training_state
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.divergence import DivergenceError
from dpgcourse.training.loop import SaturationWarning, _warn_if_saturated, train
from dpgcourse.training.record import read_record
from dpgcourse.training.record_writer import RecordWriter

SMALL = {"steps": 60, "learning_starts": 20, "eval_every": 30, "eval_episodes": 2}
pytestmark = pytest.mark.filterwarnings("ignore::dpgcourse.training.loop.SaturationWarning")
TINY = DDPGConfig(hidden_sizes=(8,), batch_size=4)


def small(**changes):
    return TrainConfig(**{"env": "Pendulum-v1", "num_seeds": 2, "agent": TINY, **SMALL, **changes})


def weights(result):
    return torch.from_numpy(result.agent.state()["actor.theta"])


@pytest.fixture
def buffers(monkeypatch):
    """Every replay buffer that a training run makes."""
    made = []

    class Kept(ReplayBuffer):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            made.append(self)

    monkeypatch.setattr(training_state, "ReplayBuffer", Kept)
    return made


def test_no_transition_crosses_an_episode_and_no_end_is_lost(buffers):
    train(small(env="Counter-v0", num_seeds=3, steps=2000, learning_starts=2000, eval_every=2000))
    stored = buffers[0]._stored.map(torch.from_numpy)
    s, s_next = stored.s[..., 0], stored.s_next[..., 0]
    assert torch.equal(s_next - s, torch.ones(3, 2000))  # the next state is the state reached
    jumps = s[:, 1:] - s_next[:, :-1]
    ended = jumps > 0
    assert set(jumps.unique().tolist()) == {0.0, 1001.0}
    terminated = stored.terminated[:, :-1].bool()
    assert (ended | ~terminated).all()  # a terminated step is followed by a reset
    assert 0.4 < terminated[ended].float().mean() < 0.6  # and the other resets are truncations


def test_the_first_actions_are_drawn_from_the_whole_box_and_the_policy_takes_over(buffers):
    train(small(env="Counter-v0", num_seeds=1, steps=1000, learning_starts=900, eval_every=1000))
    a = buffers[0]._stored.a[0, :, 0]
    first, later = a[:900], a[900:]
    counts, _ = np.histogram(first, bins=4, range=(-1, 3))
    assert np.abs(counts - 225).max() < 4 * 13  # a bin's standard deviation is 13
    assert np.abs(later - 1).max() < 6 * 0.4  # the fresh policy, near the center, plus noise
    assert later.std() < 0.7 < first.std()


def test_a_small_replay_keeps_the_latest_transitions(buffers):
    train(small(env="Counter-v0", steps=60, buffer_size=7))
    train(small(env="Counter-v0", steps=60, buffer_size=None))
    train(small(env="Counter-v0", steps=60, buffer_size=1000))
    few, all_of_them, no_more = (replay._stored.s[..., 0] for replay in buffers)
    assert few.shape == (2, 7) and all_of_them.shape == no_more.shape == (2, 60)
    assert np.array_equal(np.sort(few), np.sort(all_of_them)[:, -7:])


def test_noise_with_a_memory_starts_each_episode_anew():
    asked = []

    class Noise(OrnsteinUhlenbeckNoise):
        def reset(self, ended):
            asked.append(ended.copy())
            super().reset(ended)

    class Agent(DDPG):
        def __init__(self, config, state_dim, box, streams):
            super().__init__(config, state_dim, box, streams)
            self.noise = Noise(box.half_range, streams.exploration)

    # 450 steps of episodes that take 200: both seeds end at steps 200 and 400
    config = {"steps": 450, "eval_every": 450, "eval_episodes": 1, "learning_starts": 450}
    train(small(**config, algorithm=Agent))
    assert np.array_equal(np.flatnonzero(np.all(asked, axis=1)) + 1, [200, 400])
    assert np.sum(asked) == 4


def test_a_training_run_repeats_bit_for_bit_and_leaves_global_randomness_alone():
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    first, second = train(small()), train(small())
    assert torch.equal(weights(first), weights(second))
    assert np.array_equal(first.returns, second.returns)
    assert random.getstate() == states[0]
    assert np.random.get_state()[1].tolist() == states[1]  # noqa: NPY002
    assert torch.get_rng_state().tolist() == states[2]


def test_a_seed_gets_the_same_run_alone_and_beside_others():
    together, alone = train(small(num_seeds=3)), train(small(num_seeds=1, first_seed=2))
    torch.testing.assert_close(weights(together)[2], weights(alone)[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(together.returns[:, 2], alone.returns[:, 0], rtol=0.05)
    assert not torch.allclose(weights(together)[0], weights(together)[2])


@pytest.mark.parametrize(("agent_class", "dtype"), [(DDPG, torch.float64), (NumpyDDPG, "float64")])
def test_in_double_precision_a_seed_gets_its_own_run_to_nine_digits(
    agent_class, dtype, monkeypatch
):
    monkeypatch.setattr(training_state, "ReplayBuffer", partial(ReplayBuffer, dtype="float64"))
    double = partial(agent_class, dtype=dtype)

    def learned(**seeds):
        result = train(small(steps=220, eval_every=220, algorithm=double, **seeds))
        state = result.agent.state()
        networks = ("actor.theta", "critic.theta", "actor_target.theta")
        return np.concatenate([state[name] for name in networks], axis=1)

    together = learned(num_seeds=3, first_seed=4)
    for row in range(3):
        alone = learned(num_seeds=1, first_seed=4 + row)[0]
        assert np.abs(together[row] - alone).max() < 1e-9
        assert np.abs(together[row] - together[row - 1]).max() > 0.1


def test_evaluations_are_counted_and_on_schedule():
    calls = []
    result = train(small(), callback=lambda r: calls.append((r.step, r.returns.shape)))
    assert calls == [(30, (2, 2)), (60, (2, 2))]
    assert result.steps.tolist() == [30, 60]
    assert result.returns.shape == (2, 2, 2)
    assert result.final_returns.tolist() == result.returns[-1].mean(-1).tolist()


def test_evaluation_is_noiseless(monkeypatch):
    def no_noise_allowed(self, s):
        raise AssertionError("an evaluation must not explore")

    monkeypatch.setattr(DDPG, "explore", no_noise_allowed)
    train(small(steps=30, learning_starts=30, eval_every=30))  # no update yet


def test_evaluation_stops_counting_at_the_end_of_each_episode():
    result = train(small(env="Counter-v0", steps=30, learning_starts=30))
    lengths = result.returns  # one reward of 1 a step
    assert (lengths >= 1).all()
    assert len(np.unique(lengths)) > 1


def test_evaluation_does_not_disturb_training():
    rarely = train(small(eval_every=60))
    often = train(small(eval_every=10))
    assert torch.equal(weights(rarely), weights(often))


def test_no_update_before_learning_starts():
    class Counts(DDPG):
        updates = 0

        def update(self, batch):
            Counts.updates += 1
            super().update(batch)

    train(small(algorithm=Counts))
    assert Counts.updates == 60 - 20


def test_a_policy_that_is_no_longer_finite_is_named():
    class Breaks(DDPG):
        def actor_step(self, s):
            super().actor_step(s)
            with torch.no_grad():
                next(self.actor.parameters())[1].fill_(float("nan"))

    with pytest.raises(DivergenceError, match="the actor of seed 6 is .* at step 30"):
        train(small(first_seed=5, learning_starts=29, algorithm=Breaks))
    with pytest.raises(DivergenceError, match="the action of seed 6 is .* at step 22"):
        train(small(first_seed=5, algorithm=Breaks))  # broken at 21, found when it next acts


def test_the_numpy_agent_trains_like_the_one_in_torch():
    in_numpy, in_torch = train(small(algorithm="numpy-ddpg")), train(small())
    assert type(in_numpy.agent) is NumpyDDPG and type(in_torch.agent) is DDPG
    torch.testing.assert_close(weights(in_numpy), weights(in_torch), rtol=0, atol=1e-3)
    np.testing.assert_allclose(in_numpy.returns, in_torch.returns, rtol=0.05)


def test_a_numpy_agent_that_is_not_finite_is_named():
    class Breaks(NumpyDDPG):
        def update_targets(self):
            self.critic.theta[1, 0] = np.inf

    with pytest.raises(DivergenceError, match="the critic of seed 6 is .* at step 30"):
        train(small(first_seed=5, learning_starts=29, algorithm=Breaks))


@pytest.mark.parametrize("quantity", ["state", "reward"])
def test_a_quantity_of_the_environment_that_is_no_longer_finite_is_named(quantity, tmp_path):
    config = small(env=f"Bad{quantity.capitalize()}-v0", first_seed=5)  # bad from the 45th step
    writer = RecordWriter(tmp_path / "record", config)
    message = f"the {quantity} of seed 5 is .* at step 45, .*: the environment returned it"
    with pytest.raises(DivergenceError, match=message):
        train(config, callback=writer)
    record = read_record(tmp_path / "record")  # both seeds, up to the evaluation before
    assert record.steps.tolist() == [30]
    assert record.returns.shape == (1, 2, 2)


def test_an_evaluation_that_is_no_longer_finite_is_named():
    class Breaks(DDPG):
        def act(self, s):
            return super().act(s) + np.array([0, np.nan])[:, None, None]

    message = "the action in an evaluation of seed 6 is .* at step 30"
    with pytest.raises(DivergenceError, match=message):
        train(small(first_seed=5, learning_starts=60, algorithm=Breaks))


def test_a_run_that_really_diverges_stops_with_an_error():
    wild = DDPGConfig(hidden_sizes=(8,), batch_size=4, critic_lr=1e30)
    for algorithm in ("ddpg", "numpy-ddpg"):
        with pytest.raises(
            DivergenceError,
            match=r"seed [01] is \S+ at step .*: the updates diverge",
        ):
            train(small(agent=wild, algorithm=algorithm))


def test_an_error_of_the_environment_keeps_its_cause():
    with pytest.raises(RuntimeError, match="the motor is on fire"):
        train(small(env="Raises-v0"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_seeds", 0),
        ("first_seed", -1),
        ("steps", 0),
        ("learning_starts", 0),
        ("learning_starts", 61),
        ("eval_every", 0),
        ("eval_every", 120),
        ("eval_episodes", 0),
        ("buffer_size", 0),
        ("algorithm", "ppo"),
    ],
)
def test_bad_values_are_named(field, value):
    with pytest.raises(ValueError, match=f"{field} is {value!r}; allowed: "):
        small(**{field: value})


def test_five_hundred_steps_alone_just_work():
    config = TrainConfig(steps=500)
    assert (config.learning_starts, config.eval_every) == (50, 500)
    run = train("Pendulum-v1", steps=110, num_seeds=1, eval_episodes=1)
    assert run.steps.tolist() == [110] and run.config.learning_starts == 11


def test_the_last_step_is_always_evaluated():
    assert train(small(eval_every=25)).steps.tolist() == [25, 50, 60]


def test_settings_of_the_run_and_of_the_algorithm_stand_side_by_side():
    run = train("LQR-v0", "td3", **SMALL, num_seeds=1, policy_delay=3, hidden_sizes=[8])
    assert run.config.agent.policy_delay == 3 and run.config.agent.hidden_sizes == (8,)
    with pytest.raises(InvalidInputError, match=r"'num_seed' \(did you mean num_seeds\?\)"):
        train("Pendulum-v1", num_seed=3)
    with pytest.raises(InvalidInputError, match="'policy_delay'"):
        train("Pendulum-v1", "ddpg", policy_delay=3)
    with pytest.raises(InvalidInputError, match=r"no further settings \(steps\)"):
        train(small(), steps=3)


def test_torch_has_its_threads_back_after_training():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        seen = []
        train(small(), callback=lambda report: seen.append(torch.get_num_threads()))
        assert seen == [1, 1] and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.filterwarnings("ignore::dpgcourse.training.evaluation.CutEpisodeWarning")
def test_what_is_stored_is_what_was_executed(buffers):
    class HalfPrecision(gym.Env):
        observation_space = gym.spaces.Box(-1, 1, (1,), np.float64)
        action_space = gym.spaces.Box(-1, 1, (1,), np.float16)
        executed = ()

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return np.zeros(1), {}

        def step(self, action):
            HalfPrecision.executed += (float(action[0]),)
            return np.zeros(1), 0.0, False, False, {}

    train(small(env=HalfPrecision, num_seeds=1, eval_every=60, eval_max_steps=1, eval_episodes=1))
    executed = HalfPrecision.executed[:60]
    assert np.array_equal(buffers[0]._stored.a[0, :, 0], np.float32(executed))
    assert np.array_equal(np.float16(executed), executed)


@pytest.mark.filterwarnings("ignore::dpgcourse.training.evaluation.CutEpisodeWarning")
def test_large_observations_and_stuck_policies_are_named():
    class Large(RandomStates):
        scale = 1e4

    settings = {"num_seeds": 2, "steps": 400, "eval_episodes": 1, "eval_max_steps": 5}
    with pytest.warns(SaturationWarning, match="2 of 2 policies.*try normalize_observations"):
        train(Large, **settings, eval_every=400)


def test_the_last_evaluation_decides_about_a_warning():
    replay = ReplayBuffer(8, 1, 1, random_streams([0]).replay)
    replay.add(np.full((1, 1), 1e6), np.zeros((1, 1)), np.zeros(1), np.zeros((1, 1)), np.zeros(1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _warn_if_saturated({"saturation": np.array([[1.0], [0.0]])}, replay)
    with pytest.warns(SaturationWarning, match="1 of 1 policies"):
        _warn_if_saturated({"saturation": np.array([[0.0], [1.0]])}, replay)


class RandomStates(gym.Env):
    """Observations are random numbers times a scale; the reward asks for a large action."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float64)
    action_space = gym.spaces.Box(-1, 1, (1,), np.float32)
    scale = 1.0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.scale * self.np_random.normal(size=2), {}

    def step(self, action):
        return self.scale * self.np_random.normal(size=2), float(action[0]), False, False, {}
