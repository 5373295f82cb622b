import functools
import warnings

import numpy as np
import pytest
from scipy.linalg import solve_discrete_are

from dpgcourse.gradient.derivative_checks import central_difference, relative_error
from dpgcourse.theory.lqr import LQR, UnstableGainError
from tests.theory.systems import CART, CART_STILL, SCALAR, random_system, rollout_costs

ONE = np.array([[1.0, 1.0]])


def to_the_digits(value, shown: str):
    """The value rounds to exactly the digits shown."""
    digits = len(shown.partition(".")[2])
    return float(f"{float(value):.{digits}f}") == float(shown)


@pytest.mark.parametrize(
    ("K", "P", "E", "Sigma", "J", "slope", "J_noisy", "slope_noisy"),
    [
        ("0", "10", "-9", "10", "-10", "180", "-19", "342"),
        (
            ".3",
            "1.949911",
            "-.928444",
            "1.788909",
            "-1.949911",
            "3.321802",
            "-3.704830",
            "6.311424",
        ),
        ("1", "2", "1", "1", "-2", "-2", "-3.8", "-3.8"),
    ],
)
def test_the_scalar_table(K, P, E, Sigma, J, slope, J_noisy, slope_noisy):
    noisy = LQR([[1]], [[1]], [[1]], [[1]], 0.9, W=[[0.1]])
    K = [[float(K)]]
    assert to_the_digits(SCALAR.P(K)[0, 0], P)
    assert to_the_digits(SCALAR.E(K)[0, 0], E)
    assert to_the_digits(SCALAR.Sigma(K)[0, 0], Sigma)
    assert to_the_digits(SCALAR.J(K), J)
    assert to_the_digits(SCALAR.dJ_dK(K)[0, 0], slope)
    assert to_the_digits(noisy.J(K), J_noisy)
    assert to_the_digits(noisy.dJ_dK(K)[0, 0], slope_noisy)


def test_the_other_scalar_numbers():
    K = [[0.3]]
    star = SCALAR.optimal_gain()
    assert to_the_digits(star[0, 0], "0.588403")
    assert to_the_digits(SCALAR.P(star)[0, 0], "1.588403")
    local = -2 * SCALAR.E(K)[0, 0]
    assert to_the_digits(local, "1.856887")
    assert to_the_digits(SCALAR.dQ_da(K, [1.0], [-0.3])[0], "-1.856887")
    s_only, a_only, both = (SCALAR.Q(K, [s], [a]) for s, a in ((1, 0), (0, 1), (1, 1)))
    # 2.7549195, a little less than 1 + 0.9 · 1.949911 with that P rounded
    assert to_the_digits(s_only, "-2.754919") and to_the_digits(a_only, "-2.754919")
    assert to_the_digits(both - s_only - a_only, "-3.509839")


def test_the_cart():
    star = CART.optimal_gain()
    assert [f"{k:.6f}" for k in star[0]] == ["7.241429", "4.438999"]
    assert to_the_digits(CART.J(star), "-9.425467")
    assert to_the_digits(CART_STILL.J(star), "-6.325817")
    assert np.allclose(CART_STILL.optimal_gain(), star, rtol=1e-12)
    assert to_the_digits(CART.J(ONE), "-20.252324")
    assert [f"{g:.6f}" for g in CART.dJ_dK(ONE)[0]] == ["9.507706", "6.452124"]
    assert to_the_digits(CART_STILL.J(ONE), "-13.592164")
    assert [f"{g:.6f}" for g in CART_STILL.dJ_dK(ONE)[0]] == ["6.381011", "4.330284"]


def test_the_gradient_against_central_differences_on_200_random_systems():
    rng, worst, sizes = np.random.default_rng(0), 0.0, set()
    for _ in range(200):
        system, K = random_system(rng)
        sizes.add((system.state_dim, system.action_dim))
        gradient = system.dJ_dK(K)
        assert gradient.shape == K.shape
        worst = max(worst, relative_error(gradient, central_difference(system.J, K)))
    assert worst < 1e-6
    assert {d for d, _ in sizes} == set(range(1, 7)) and {m for _, m in sizes} == {1, 2, 3}


def test_the_closed_forms_against_sums_over_time_on_random_systems():
    rng = np.random.default_rng(1)
    for _ in range(50):
        system, K = random_system(rng)
        F = system.A - system.B @ K
        P, Sigma, second = np.zeros_like(F), np.zeros_like(F), system.Sigma0
        power, weight = np.eye(len(F)), 1.0
        while weight * np.abs(power).max() ** 2 > 1e-18 or weight > 1e-12:
            P = P + weight * power.T @ (system.M + K.T @ system.R @ K) @ power
            Sigma = Sigma + weight * second
            second = F @ second @ F.T + system.W  # E[s_t s_tᵀ], noise added step by step
            power, weight = F @ power, weight * system.gamma
        assert relative_error(system.P(K), P) < 1e-8
        assert relative_error(system.Sigma(K), Sigma) < 1e-8
        by_states = -np.trace((system.M + K.T @ system.R @ K) @ Sigma)  # J without P and c
        assert np.isclose(system.J(K), by_states, rtol=1e-8)


def test_value_and_action_value_against_noisy_rollouts():
    rng = np.random.default_rng(2)
    for _ in range(4):
        system, K = random_system(rng)
        s, a = rng.normal(size=system.state_dim), rng.normal(size=system.action_dim)
        for first, value in ((None, system.V(K, s)), (a, system.Q(K, s, a))):
            costs = rollout_costs(system, K, s, first, copies=4000, rng=rng)
            assert abs(-costs.mean() - value) < 4 * costs.std() / len(costs) ** 0.5


def test_the_action_gradient_is_that_of_Q_and_at_the_policy_2Es():
    rng = np.random.default_rng(3)
    for _ in range(50):
        system, K = random_system(rng)
        s, a = rng.normal(size=(5, system.state_dim)), rng.normal(size=(5, system.action_dim))
        for s_i, a_i, slope in zip(s, a, system.dQ_da(K, s, a), strict=True):
            value = functools.partial(system.Q, K, s_i)
            assert relative_error(slope, central_difference(value, a_i)) < 1e-6
        at_policy = system.dQ_da(K, s, -s @ K.T)
        assert relative_error(at_policy, 2 * s @ system.E(K).T) < 1e-9
        assert np.allclose(system.V(K, s), system.Q(K, s, -s @ K.T), rtol=1e-9)


def test_the_optimum_against_scipy():
    rng = np.random.default_rng(4)
    for _ in range(100):
        system, _ = random_system(rng)
        root = system.gamma**0.5
        P = solve_discrete_are(root * system.A, root * system.B, system.M, system.R)
        star = system.optimal_gain()
        assert relative_error(system.P(star), P) < 1e-8
        curvature = system.R + system.gamma * system.B.T @ P @ system.B
        expected = np.linalg.solve(curvature, system.gamma * system.B.T @ P @ system.A)
        assert relative_error(star, expected) < 1e-8
        assert np.abs(system.dJ_dK(star)).max() < 1e-8 * max(1, abs(system.J(star)))


def test_policy_iteration_decreases_the_cost_in_every_state_and_finds_the_optimum():
    rng = np.random.default_rng(5)
    for _ in range(50):
        system, K = random_system(rng)
        star = system.optimal_gain()
        for _ in range(12):
            K_next = system.policy_iteration(K)
            drop = system.P(K) - system.P(K_next)
            assert np.linalg.eigvalsh(drop).min() > -1e-9 * np.abs(system.P(K)).max()
            K = K_next
        assert relative_error(K, star) < 1e-7


def test_the_natural_gradient_is_the_gradient_without_the_states():
    rng = np.random.default_rng(6)
    for _ in range(20):
        system, K = random_system(rng)
        assert relative_error(system.natural_gradient(K) @ system.Sigma(K), system.dJ_dK(K)) < 1e-10


def test_action_noise_is_noise_of_the_state():
    rng = np.random.default_rng(7)
    system, K = random_system(rng)
    root = rng.normal(size=(system.action_dim, system.action_dim))
    noisy = system.with_action_noise(root @ root.T)
    s = rng.normal(size=system.state_dim)
    costs = rollout_costs(system, K, s, None, copies=8000, rng=rng, action_root=root)
    extra = np.trace(system.R @ root @ root.T) / (1 - system.gamma)
    assert abs(costs.mean() - (extra - noisy.V(K, s))) < 4 * costs.std() / len(costs) ** 0.5
    gaps = [system.with_action_noise(v * root @ root.T).dJ_dK(K) - system.dJ_dK(K) for v in (1, 4)]
    assert relative_error(4 * gaps[0], gaps[1]) < 1e-10


GOOD = {"A": np.eye(2), "B": np.ones((2, 1)), "M": np.eye(2), "R": np.eye(1), "gamma": 0.9}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"A": np.eye(3)}, r"A has shape \(3, 3\); allowed: \(2, 2\)"),
        ({"A": [1.0, 2.0]}, r"A has shape \(2,\); allowed: two axes"),
        ({"B": 1.0}, r"B has shape \(\); allowed: two axes"),
        ({"A": [[np.nan, 0], [0, 1]]}, r"A is \[\[nan, .*allowed: finite"),
        ({"B": [["x"], ["y"]]}, "B is .*allowed: a matrix of real numbers"),
        ({"M": [[1, 2], [0, 1]]}, "M is .*allowed: a symmetric matrix"),
        ({"M": np.diag([1, -1])}, "M has eigenvalue -1; allowed: positive semidefinite"),
        ({"R": [[0.0]]}, "R has eigenvalue 0; allowed: positive definite"),
        ({"Sigma0": -np.eye(2)}, "Sigma0 has eigenvalue -1"),
        ({"W": np.eye(3)}, r"W has shape \(3, 3\)"),
        ({"gamma": 1.0}, "gamma is 1.0; allowed: 0 < gamma < 1"),
        ({"gamma": 0.0}, "gamma is 0.0"),
        ({"gamma": np.nan}, "gamma is nan"),
    ],
)
def test_bad_systems_are_refused_by_name(change, message):
    with pytest.raises(ValueError, match=message):
        LQR(**(GOOD | change))


def test_bad_arguments_are_refused_by_name():
    with pytest.raises(ValueError, match=r"K has shape \(2, 1\); allowed: \(1, 2\)"):
        CART.J([[1.0], [1.0]])
    with pytest.raises(ValueError, match=r"K is \[\[inf, 1.0\]\]; allowed: finite"):
        CART.J([[np.inf, 1.0]])
    with pytest.raises(ValueError, match=r"s has shape \(3,\); allowed: \(\.\.\., 2\)"):
        CART.V(ONE, np.zeros(3))
    for method in (CART.Q, CART.dQ_da):
        with pytest.raises(ValueError, match=r"a has shape \(2,\); allowed: \(\.\.\., 1\)"):
            method(ONE, np.zeros(2), np.zeros(2))
    with pytest.raises(ValueError, match="covariance has eigenvalue -1"):
        CART.with_action_noise([[-1.0]])


def test_the_edge_of_the_stability_region():
    edge = 1 - 1 / SCALAR.gamma**0.5  # √γ(1 − K) = 1 at this K
    for K in (edge - 1e-3, 2 - edge + 1e-3):
        for method in (SCALAR.P, SCALAR.Sigma, SCALAR.J, SCALAR.dJ_dK, SCALAR.E):
            with pytest.raises(
                UnstableGainError, match=r"K is .*radius 1\.00\d*; allowed: below 1"
            ):
                method([[K]])
    with pytest.warns(RuntimeWarning, match=r"radius 0\.9999995\d* is within 1e-06 of 1"):
        SCALAR.P([[edge + 5e-7 / SCALAR.gamma**0.5]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SCALAR.P([[edge + 2e-6 / SCALAR.gamma**0.5]])


def test_systems_without_an_optimal_gain():
    lost = LQR([[2.0, 0], [0, 0.5]], [[0.0], [1.0]], np.eye(2), [[1.0]], 0.9)
    with pytest.raises(ArithmeticError, match="did not settle"):
        lost.optimal_gain()
    unseen = LQR([[2.0]], [[1.0]], [[0.0]], [[1.0]], 0.9)  # doing nothing is free
    with pytest.raises(UnstableGainError):
        unseen.optimal_gain()


def test_the_callers_arrays_are_copied():
    A = np.eye(2)
    system = LQR(**(GOOD | {"A": A}))
    A[0, 0] = 7
    assert system.A[0, 0] == 1
