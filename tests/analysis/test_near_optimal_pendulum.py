import numpy as np

from dpgcourse.analysis.near_optimal_pendulum import Grid, near_optimal_returns
from dpgcourse.envs.vector_pendulum import REFERENCE_RETURNS, VectorPendulum, pendulum_step


def test_interpolation_is_exact_for_what_is_linear_between_grid_points():
    grid = Grid(angles=12, speeds=9)
    theta, speed = grid.points()
    rng = np.random.default_rng(0)
    inside = rng.uniform(-np.pi, np.pi * 5 / 6, 50), rng.uniform(-8, 8, 50)
    index, weight = grid.corners(*inside)
    assert np.allclose(weight.sum(0), 1)
    assert np.allclose((theta[index] * weight).sum(0), inside[0])
    assert np.allclose((speed[index] * weight).sum(0), inside[1])


def test_interpolation_is_periodic_in_the_angle_and_ends_at_full_speed():
    grid = Grid(angles=12, speeds=9)
    for turn in (-2, 1):
        here, there = (grid.corners([0.3 + k * 2 * np.pi], [8.0]) for k in (0, turn))
        assert np.array_equal(here[0], there[0])
        assert np.allclose(here[1], there[1])


def test_the_last_angle_of_the_grid_is_a_neighbor_of_the_first():
    grid = Grid(angles=12, speeds=9)
    theta, _ = grid.points()
    index, weight = grid.corners([np.pi * 11 / 12], [0.0])  # half way between 5π/6 and π
    between = (np.cos(theta)[index] * weight).sum()
    assert np.isclose(between, (np.cos(np.pi * 5 / 6) + np.cos(np.pi)) / 2)


def test_the_last_torque_is_zero_since_nothing_comes_after_it(monkeypatch):
    monkeypatch.setattr(VectorPendulum, "limit", 1)
    envs = VectorPendulum(20)
    envs.reset(seed=5)
    _, _, best = pendulum_step(envs.theta, envs.speed, 0.0)
    assert np.allclose(near_optimal_returns(20, seed=5, grid=Grid(12, 9)), best)


def test_dynamic_programming_beats_every_constant_torque_and_reaches_the_anchor():
    returns = near_optimal_returns(episodes=500, seed=10_000, grid=Grid(101, 81))
    anchor = REFERENCE_RETURNS["Pendulum-v1"]["near-optimal"]
    assert abs(returns.mean() - anchor) < 4 * returns.std() / np.sqrt(500)
    for torque in (-2.0, 0.0, 2.0):
        envs = VectorPendulum(500)
        envs.reset(seed=10_000)
        constant = np.zeros(500)
        for _ in range(200):
            envs.theta, envs.speed, r = pendulum_step(envs.theta, envs.speed, torque)
            constant += r
        assert returns.mean() > constant.mean() + 500
