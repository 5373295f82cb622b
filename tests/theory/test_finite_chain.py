import warnings

import numpy as np
import pytest

from dpgcourse.gradient.derivative_checks import central_difference, complex_step, relative_error
from dpgcourse.theory.finite_chain import SoftmaxChain
from tests.theory.chains import random_case

CASES = [random_case(np.random.default_rng(seed)) for seed in range(200)]


def two_states(**changes):
    arguments = {
        "logits": np.zeros((2, 2)),
        "tilt": np.array([[[0.0], [1.0]], [[0.0], [0.0]]]),
        "base": [0.0, 1.0],
        "favorite": np.zeros((2, 1)),
        "p0": [1.0, 0.0],
        "gamma": 0.5,
    }
    return SoftmaxChain(**(arguments | changes))


def test_gradient_is_central_differences_of_the_return_on_200_chains():
    errors = [
        relative_error(
            case.chain.dJ_du(case.a, case.J_s),
            central_difference(lambda u, case=case: case.chain.J(case.mu(u)), case.u),
        )
        for case in CASES
    ]
    assert len(errors) == 200
    assert max(errors) < 1e-8


def test_gradient_is_the_complex_step_of_the_return():
    for case in CASES:
        claim = case.chain.dJ_du(case.a, case.J_s)
        exact = complex_step(lambda u, case=case: case.chain.J(case.mu(u)), case.u)
        assert relative_error(claim, exact) < 1e-11


def test_hand_numbers():
    chain, zero = two_states(), np.zeros((2, 1))
    assert chain.V(zero).tolist() == [0.5, 1.5]
    assert chain.rho(zero).tolist() == [1.5, 0.5]
    assert chain.local_gradient(zero, np.ones((2, 1, 1))).tolist() == [[0.125], [0.0]]
    np.testing.assert_allclose(chain.dV_du(zero, np.ones((2, 1, 1)))[:, 0], [0.1875, 0.0625])
    assert chain.dJ_du(zero, np.ones((2, 1, 1))).tolist() == [0.1875]
    assert chain.J(zero) == 0.5


def test_values_and_visits_are_the_sums_over_time():
    for case in CASES[:20]:
        P, r, gamma = case.chain.P(case.a), case.chain.r(case.a), case.chain.gamma
        V, rho, row = 0.0, 0.0, np.eye(len(r))
        for _ in range(2000):
            V, rho, row = V + row @ r, rho + case.chain.p0 @ row, gamma * row @ P
        np.testing.assert_allclose(case.chain.V(case.a), V, rtol=1e-10)
        np.testing.assert_allclose(case.chain.rho(case.a), rho, rtol=1e-10)
        assert case.chain.J(case.a) == pytest.approx(case.chain.rho(case.a) @ r)
        assert case.chain.rho(case.a).sum() == pytest.approx(1 / (1 - gamma))


def test_probabilities_are_probabilities_and_survive_large_logits():
    for case in CASES[:20]:
        P = case.chain.P(case.a)
        assert (P > 0).all()
        np.testing.assert_allclose(P.sum(-1), 1)
        np.testing.assert_allclose(case.chain.dP_da(case.a).sum(-2), 0, atol=1e-14)
    np.testing.assert_allclose(two_states().P([[2000.0], [0.0]])[0], [0, 1])


def one_action_at_a_time(f, a):
    """Central differences to each state's own action of a function (S, m) -> (S, ...)."""
    full = central_difference(f, a)  # (S, ..., S, m)
    return np.stack([full[s, ..., s, :] for s in range(len(a))])


@pytest.mark.parametrize(("value", "slope"), [("P", "dP_da"), ("r", "dr_da")])
def test_partial_derivatives(value, slope):
    for case in CASES[:20]:
        numeric = one_action_at_a_time(getattr(case.chain, value), case.a)
        assert relative_error(getattr(case.chain, slope)(case.a), numeric) < 1e-8


def test_q_at_the_policy_is_the_value_and_its_slope_is_the_action_gradient():
    rng = np.random.default_rng(1)
    for case in CASES[:20]:
        chain, a = case.chain, case.a
        np.testing.assert_allclose(chain.Q(a, a), chain.V(a), rtol=1e-10)
        tried = a + rng.normal(size=a.shape)
        numeric = one_action_at_a_time(lambda x, c=chain, a=a: c.Q(a, x), tried)
        assert relative_error(chain.dQ_da(a, tried), numeric) < 1e-8
        assert np.array_equal(chain.dQ_da(a), chain.dQ_da(a, a))


def test_q_takes_many_tried_actions_at_once():
    case = random_case(np.random.default_rng(2), states=4, actions=2)
    tried = np.random.default_rng(3).normal(size=(5, 4, 2))
    Q, g = case.chain.Q(case.a, tried), case.chain.dQ_da(case.a, tried)
    assert Q.shape == (5, 4) and g.shape == (5, 4, 2)
    np.testing.assert_allclose(Q[3], case.chain.Q(case.a, tried[3]))
    np.testing.assert_allclose(g[3], case.chain.dQ_da(case.a, tried[3]))


def test_total_derivative_of_every_value():
    for case in CASES[:20]:
        numeric = complex_step(lambda u, case=case: case.chain.V(case.mu(u)), case.u)
        assert relative_error(case.chain.dV_du(case.a, case.J_s), numeric) < 1e-11


def test_difference_of_returns_is_exact_for_large_steps():
    for case, other in zip(CASES[:20], CASES[20:40], strict=True):
        chain, a = case.chain, case.a
        b = a + np.resize(other.a, a.shape)
        gain = chain.rho(b) @ (chain.Q(a, b) - chain.V(a))
        assert gain == pytest.approx(chain.J(b) - chain.J(a), rel=1e-9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gamma": 1.0}, r"gamma is 1.0; allowed: 0 <= gamma < 1"),
        ({"gamma": -0.1}, r"gamma is -0.1"),
        ({"gamma": np.nan}, r"gamma is nan"),
        ({"p0": [0.6, 0.6]}, r"p0 is \[0.6, 0.6\]; allowed: nonnegative entries that sum to 1"),
        ({"p0": [1.5, -0.5]}, r"p0 is"),
        ({"logits": np.zeros((2, 3))}, r"logits has shape \(2, 3\); allowed"),
        ({"logits": np.full((2, 2), np.inf)}, r"logits is .*; allowed: finite entries"),
        ({"tilt": np.zeros((2, 2, 2))}, r"tilt has shape \(2, 2, 2\); allowed"),
        ({"base": [0.0]}, r"base has shape \(1,\); allowed"),
        ({"base": np.zeros((3, 2))}, r"base has shape \(3, 2\); allowed: \(2,\)"),
        ({"favorite": np.zeros((3, 1))}, r"favorite has shape \(3, 1\); allowed"),
        ({"favorite": 0.0}, r"favorite has shape \(\)"),
    ],
)
def test_bad_chains_are_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message):
        two_states(**changes)


@pytest.mark.parametrize(
    ("a", "message"),
    [
        (np.zeros(2), r"a has shape \(2,\); allowed: \(..., 2, "),
        (np.zeros((3, 1)), r"a has shape \(3, 1\)"),
        (np.zeros((2, 2)), r"a has shape \(2, 2\)"),
        (np.full((2, 1), np.nan), r"a is .*; allowed: finite entries"),
        (np.zeros((5, 2, 1)), r"a policy has one row per state"),
    ],
)
@pytest.mark.parametrize("method", ["V", "rho", "J", "dQ_da"])
def test_bad_actions_are_refused_by_name(method, a, message):
    with pytest.raises(ValueError, match=message):
        getattr(two_states(), method)(a)


def test_a_jacobian_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"da_du has shape \(2, 3\); allowed: \(..., 2, 1, any\)"):
        two_states().dJ_du(np.zeros((2, 1)), np.ones((2, 3)))


def test_a_discount_near_one_warns():
    with pytest.warns(RuntimeWarning, match="spectral radius of γP is within 1e-06 of 1"):
        two_states(gamma=1 - 1e-7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        two_states(gamma=1 - 1e-5)
