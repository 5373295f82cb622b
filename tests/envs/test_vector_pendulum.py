import gymnasium as gym
import numpy as np
import pytest

from dpgcourse.envs.make import make_vector_env
from dpgcourse.envs.vector_pendulum import (
    MAX_SPEED,
    REFERENCE_RETURNS,
    VectorPendulum,
    pendulum_step,
)


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
    envs = make_vector_env("Pendulum-v1", 4)
    assert isinstance(envs, VectorPendulum)
    s, _ = envs.reset(seed=0)
    one = gym.make("Pendulum-v1")
    assert envs.single_observation_space == one.observation_space
    assert envs.single_action_space == one.action_space
    assert envs.observation_space.contains(s)


def test_one_seed_stands_for_the_next_ones_too():
    one, listed = VectorPendulum(3), VectorPendulum(3)
    assert np.array_equal(one.reset(seed=5)[0], listed.reset(seed=[5, 6, 7])[0])


@pytest.mark.parametrize("angle", [0.3, -2.0, 3 * np.pi - 0.1, -7 * np.pi])
def test_the_reward_is_that_of_the_state_left(angle):
    theta, speed, torque = np.array([angle]), np.array([1.5]), np.array([5.0])
    _, next_speed, r = pendulum_step(theta, speed, torque)
    upright = np.arctan2(np.sin(angle), np.cos(angle))
    assert r == pytest.approx(-(upright**2 + 0.1 * 1.5**2 + 0.001 * 2**2))
    assert np.abs(next_speed).max() <= MAX_SPEED


def test_the_reference_returns_are_those_of_a_registered_task():
    assert set(REFERENCE_RETURNS) <= set(gym.registry)
    assert (
        REFERENCE_RETURNS["Pendulum-v1"]["random"]
        < REFERENCE_RETURNS["Pendulum-v1"]["near-optimal"]
    )
