import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from dpgcourse.envs.make import VectorPendulum, make_env, make_envs


def test_the_vector_pendulum_equals_gymnasiums_step_for_step():
    rng, seeds = np.random.default_rng(0), [3, 1, 4]
    ours = VectorPendulum(3)
    theirs = [gym.make("Pendulum-v1") for _ in seeds]
    s, _ = ours.reset(seed=seeds)
    expected = [env.reset(seed=seed)[0] for env, seed in zip(theirs, seeds, strict=True)]
    for _ in range(2):  # the second episode continues each generator
        assert np.array_equal(s, expected)
        for t in range(200):
            a = rng.uniform(-3, 3, (3, 1)).astype(np.float32)
            s, r, terminated, truncated, _ = ours.step(a)
            steps = [env.step(action) for env, action in zip(theirs, a, strict=True)]
            np.testing.assert_allclose(s, [step[0] for step in steps], rtol=0, atol=1e-6)
            np.testing.assert_allclose(r, [step[1] for step in steps], rtol=0, atol=1e-6)
            assert not terminated.any()
            assert truncated.tolist() == [step[3] for step in steps] == [t == 199] * 3
        s, _ = ours.reset(options={"reset_mask": np.ones(3, dtype=bool)})
        expected = [env.reset()[0] for env in theirs]


def test_a_masked_reset_leaves_the_others_alone():
    envs = VectorPendulum(3)
    envs.reset(seed=0)
    before, *_ = envs.step(np.zeros((3, 1)))
    after, _ = envs.reset(options={"reset_mask": np.array([False, True, False])})
    assert np.array_equal(before[[0, 2]], after[[0, 2]])
    assert not np.array_equal(before[1], after[1])
    assert envs.elapsed.tolist() == [1, 0, 1]


def test_states_and_spaces_agree():
    envs = make_envs("Pendulum-v1", 4)
    assert isinstance(envs, VectorPendulum)
    s, _ = envs.reset(seed=0)
    one = gym.make("Pendulum-v1")
    assert envs.single_observation_space == one.observation_space
    assert envs.single_action_space == one.action_space
    assert envs.observation_space.contains(s)


def test_other_environments_step_one_by_one_and_never_reset_by_themselves():
    envs = make_envs("MountainCarContinuous-v0", 2)
    assert envs.num_envs == 2
    assert envs.metadata["autoreset_mode"] == AutoresetMode.DISABLED
    assert len({id(env) for env in envs.envs}) == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Pendulum-v99", "cannot be made"),
        ("NoSuchTask-v0", "cannot be made"),
        ("not a name!", "cannot be made"),
        ("CartPole-v1", r"actions Discrete\(2\); allowed: a Box of shape \(m,\)"),
        ("Unbounded-v0", "allowed: finite bounds"),
        ("Picture-v0", r"allowed: a Box of shape \(d,\)"),
    ],
)
def test_environments_that_cannot_be_used_are_named(name, message):
    for make in (make_env, lambda name: make_envs(name, 2)):
        with pytest.raises(ValueError, match=message) as caught:
            make(name)
        assert name in str(caught.value)
