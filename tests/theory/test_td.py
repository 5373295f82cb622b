import numpy as np
import pytest

from dpgcourse.gradient.derivative_checks import central_difference
from dpgcourse.theory import td
from dpgcourse.theory.lqr import LQR
from dpgcourse.theory.quadrature import gauss_hermite_nodes

GAMMA = 0.9


def random_transitions(seed=0, N=7, p=3) -> td.Transitions:
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.1, 1, N)
    return td.Transitions(
        phi=rng.normal(size=(N, p)),
        r=rng.normal(size=N),
        phi_next=rng.normal(size=(N, p)),
        terminated=np.arange(N) % 3 == 0,
        weights=weights / weights.sum(),
    )


def a_split() -> td.Transitions:
    """Sutton and Barto (2018), example 11.2: A leads to B or C; B ends with 1, C with 0."""
    A, B, C = np.eye(3)
    return td.Transitions(
        phi=[A, A, B, C],
        r=[0, 0, 1, 0],
        phi_next=[B, C, A, A],  # what follows termination must not matter
        terminated=[0, 0, 1, 1],
    )


# --- one transition by hand ---------------------------------------------------------------------


@pytest.fixture
def one() -> td.Transitions:
    # s = a = 1, s' = 2, a' = -0.6, features s², sa, a², 1
    return td.Transitions(phi=[[1, 1, 1, 1]], r=[-2], phi_next=[[4, -1.2, 0.36, 1]])


W_BY_HAND = [-1.0, 0.0, -1.0, 0.0]


def test_target_and_error_by_hand(one):
    np.testing.assert_allclose(td.td_target(W_BY_HAND, one, GAMMA), [-5.924])
    np.testing.assert_allclose(td.td_error(W_BY_HAND, one, GAMMA), [-3.924])


def test_both_rules_by_hand(one):
    np.testing.assert_allclose(td.semi_gradient(W_BY_HAND, one, GAMMA), [-3.924] * 4)
    expected = -3.924 * np.array([-2.6, 2.08, 0.676, 0.1])
    np.testing.assert_allclose(td.residual_gradient(W_BY_HAND, one, GAMMA), expected)


def test_a_terminated_transition_has_its_reward_as_target():
    ended = td.Transitions(phi=[[1.0]], r=[3.0], phi_next=[[100.0]], terminated=[1])
    assert td.td_target([2.0], ended, GAMMA) == [3.0]
    np.testing.assert_array_equal(
        td.semi_gradient([2.0], ended, GAMMA), td.residual_gradient([2.0], ended, GAMMA)
    )


# --- the rules against finite differences -------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_residual_is_the_gradient_and_semi_the_one_with_frozen_target(seed):
    data = random_transitions(seed)
    w = np.random.default_rng(seed + 100).normal(size=3)
    y = td.td_target(w, data, GAMMA)

    def moving(v):
        return -0.5 * data.weights @ td.td_error(v, data, GAMMA) ** 2

    def frozen(v):
        return -0.5 * data.weights @ (y - data.phi @ v) ** 2

    np.testing.assert_allclose(
        td.residual_gradient(w, data, GAMMA), central_difference(moving, w), rtol=1e-7, atol=1e-9
    )
    np.testing.assert_allclose(
        td.semi_gradient(w, data, GAMMA), central_difference(frozen, w), rtol=1e-7, atol=1e-9
    )


@pytest.mark.parametrize("seed", range(5))
def test_matrix_is_minus_the_derivative_of_the_semi_gradient(seed):
    data = random_transitions(seed)
    derivative = central_difference(lambda w: td.semi_gradient(w, data, GAMMA), np.ones(3))
    np.testing.assert_allclose(td.semi_gradient_matrix(data, GAMMA), -derivative, atol=1e-8)


@pytest.mark.parametrize("seed", range(5))
def test_each_rule_is_zero_at_its_fixed_point(seed):
    data = random_transitions(seed)
    w = td.semi_gradient_fixed_point(data, GAMMA)
    np.testing.assert_allclose(td.semi_gradient(w, data, GAMMA), 0, atol=1e-12)
    w = td.residual_fixed_point(data, GAMMA)
    np.testing.assert_allclose(td.residual_gradient(w, data, GAMMA), 0, atol=1e-12)
    assert not np.allclose(w, td.semi_gradient_fixed_point(data, GAMMA))


def test_default_weights_are_a_batch_mean():
    data = random_transitions()
    equal = td.Transitions(data.phi, data.r, data.phi_next, data.terminated)
    per_row = [
        td.semi_gradient(np.ones(3), td.Transitions([f], [r], [g], [t]), GAMMA)
        for f, r, g, t in zip(data.phi, data.r, data.phi_next, data.terminated, strict=True)
    ]
    np.testing.assert_allclose(td.semi_gradient(np.ones(3), equal, GAMMA), np.mean(per_row, 0))


# --- two answers --------------------------------------------------------------------------------


def test_the_a_split_example():
    np.testing.assert_allclose(td.semi_gradient_fixed_point(a_split(), 1), [0.5, 1, 0], atol=1e-14)
    np.testing.assert_allclose(td.residual_fixed_point(a_split(), 1), [0.5, 0.75, 0.25])


@pytest.mark.parametrize("gamma", [0.0, 0.3, 0.9, 1.0])
def test_the_a_split_example_for_every_discount(gamma):
    gap = 1 / (1 + gamma**2)
    expected = [gamma / 2, (1 + gap) / 2, (1 - gap) / 2]
    np.testing.assert_allclose(td.residual_fixed_point(a_split(), gamma), expected, atol=1e-14)


def test_averaged_next_features_remove_the_bias():
    A, B, C = np.eye(3)
    averaged = td.Transitions(
        phi=[A, B, C],
        r=[0, 1, 0],
        phi_next=[(B + C) / 2, A, A],
        terminated=[0, 1, 1],
        weights=[0.5, 0.25, 0.25],
    )
    np.testing.assert_allclose(td.residual_fixed_point(averaged, 1), [0.5, 1, 0], atol=1e-14)


def quadratic_transitions(system, K, sigma, K_next):
    d, m = system.B.shape
    z, weights = gauss_hermite_nodes(2 * d + m)
    s, noise, eps = np.split(z, [d, d + m], axis=1)
    a = -s @ K.T + sigma * noise
    s_next = s @ system.A.T + a @ system.B.T + eps @ np.linalg.cholesky(system.W).T
    r = -np.einsum("ni,ij,nj->n", s, system.M, s) - np.einsum("ni,ij,nj->n", a, system.R, a)
    phi, phi_next = td.quadratic_features(s, a), td.quadratic_features(s_next, -s_next @ K_next.T)
    return td.Transitions(phi, r, phi_next, weights=weights)


SCALAR = LQR([[1.0]], [[1.0]], [[1.0]], [[1.0]], gamma=0.9, W=[[0.1]]), np.array([[0.3]])
PAIR = (
    LQR(
        A=[[1.0, 0.2], [-0.1, 0.9]],
        B=[[0.5, 0.1], [0.0, 0.4]],
        M=np.eye(2),
        R=np.diag([0.5, 0.2]),
        gamma=0.9,
        W=[[0.1, 0.03], [0.03, 0.05]],
    ),
    np.array([[0.4, 0.1], [0.0, 0.4]]),
)


@pytest.mark.parametrize(("system", "K"), [SCALAR, PAIR])
def test_semi_gradient_finds_the_closed_form_whatever_policy_collected_the_data(system, K):
    data = quadratic_transitions(system, 0.5 * K, 0.7, K_next=K)
    w = td.semi_gradient_fixed_point(data, system.gamma)
    s, a = np.random.default_rng(0).normal(size=(2, 50, system.state_dim))
    a = a[:, : system.action_dim]
    np.testing.assert_allclose(td.quadratic_features(s, a) @ w, system.Q(K, s, a), rtol=1e-9)
    np.testing.assert_allclose(td.quadratic_dQ_da(w, s, a), system.dQ_da(K, s, a), atol=1e-9)


def test_residual_gradient_biases_the_slope_when_transitions_are_random():
    system, K = SCALAR
    data = quadratic_transitions(system, K, 0.5, K_next=K)
    w = td.residual_fixed_point(data, system.gamma)
    assert td.quadratic_dQ_da(w, [1.0], [-0.3])[0] == pytest.approx(-1.143016, abs=1e-6)
    assert system.dQ_da(K, [1.0], [-0.3])[0] == pytest.approx(-1.856887, abs=1e-6)


# --- features and nodes -------------------------------------------------------------------------


def test_features_of_numbers_are_in_the_documented_order():
    np.testing.assert_array_equal(td.quadratic_features([2.0], [3.0]), [4, 6, 9, 1])


@pytest.mark.parametrize(("d", "m"), [(1, 1), (2, 1), (1, 2), (3, 2)])
def test_action_gradient_against_central_differences(d, m):
    rng = np.random.default_rng(d + 10 * m)
    k = d + m
    w, s, a = rng.normal(size=k * (k + 1) // 2 + 1), rng.normal(size=d), rng.normal(size=m)
    numeric = central_difference(lambda x: td.quadratic_features(s, x) @ w, a)
    np.testing.assert_allclose(td.quadratic_dQ_da(w, s, a), numeric, rtol=1e-8, atol=1e-9)


def test_action_gradient_of_a_batch_is_that_of_its_rows():
    rng = np.random.default_rng(0)
    w, s, a = rng.normal(size=11), rng.normal(size=(4, 2)), rng.normal(size=(4, 2))
    rows = [td.quadratic_dQ_da(w, s_i, a_i) for s_i, a_i in zip(s, a, strict=True)]
    np.testing.assert_allclose(td.quadratic_dQ_da(w, s, a), rows)


# --- bad input ----------------------------------------------------------------------------------

GOOD = {"phi": np.eye(2), "r": [0.0, 0.0], "phi_next": np.eye(2)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"phi": [1.0, 2.0]}, r"phi has shape \(2,\); allowed: \(N, p\)"),
        ({"phi": np.zeros((0, 2))}, r"phi has shape \(0, 2\); allowed"),
        ({"r": [[0.0], [0.0]]}, r"r has shape \(2, 1\); allowed: \(2,\)"),
        ({"phi_next": np.eye(3)}, r"phi_next has shape \(3, 3\); allowed: \(2, 2\)"),
        ({"r": [0.0, np.nan]}, r"r is \[ 0. nan\]; allowed: finite entries"),
        ({"terminated": [0.5, 0]}, r"terminated is \[0.5 0. \]; allowed: 0 and 1"),
        ({"weights": [0.5, 0.6]}, r"weights is \[0.5 0.6\]; allowed: at least 0, with sum 1"),
        ({"weights": [1.5, -0.5]}, r"weights is .*; allowed: at least 0, with sum 1"),
    ],
)
def test_bad_transitions_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        td.Transitions(**(GOOD | change))


@pytest.mark.parametrize("gamma", [-0.1, 1.1, np.nan])
def test_bad_discount_is_refused(gamma):
    with pytest.raises(ValueError, match=r"gamma is .*; allowed: 0 <= gamma <= 1"):
        td.td_error([0.0, 0.0], td.Transitions(**GOOD), gamma)


def test_parameters_of_the_wrong_shape_are_refused():
    with pytest.raises(ValueError, match=r"w has shape \(3,\); allowed: \(2,\)"):
        td.semi_gradient(np.zeros(3), td.Transitions(**GOOD), GAMMA)
    with pytest.raises(ValueError, match=r"w has shape \(3,\); allowed: \(4,\)"):
        td.quadratic_dQ_da(np.zeros(3), [1.0], [1.0])


@pytest.mark.parametrize("solve", [td.semi_gradient_fixed_point, td.residual_fixed_point])
def test_data_without_exploration_determine_no_critic(solve):
    system, K = SCALAR
    data = quadratic_transitions(system, K, 0.0, K_next=K)
    with pytest.raises(td.UndeterminedCriticError, match="the 4 features are not told apart"):
        solve(data, system.gamma)


@pytest.mark.parametrize("solve", [td.semi_gradient_fixed_point, td.residual_fixed_point])
def test_a_nearly_singular_system_warns(solve):
    data = td.Transitions(phi=np.diag([1.0, 3e-6]), r=[1, 1], phi_next=np.zeros((2, 2)))
    with pytest.warns(RuntimeWarning, match="condition number 1.1e\\+11 exceeds 1e\\+10"):
        solve(data, GAMMA)
