import numpy as np
import pytest

from dpgcourse.gradient.derivative_checks import central_difference, relative_error
from dpgcourse.theory import off_policy
from dpgcourse.theory.lqr import UnstableGainError
from tests.theory.systems import CART, SCALAR, random_system

ONE = np.ones((1, 2))


def random_case(rng):
    system, K = random_system(rng)
    root = rng.normal(size=(system.action_dim, system.action_dim))
    K_b = K + 0.01 * rng.normal(size=K.shape)
    return system, K, off_policy.behavior_moment(system, K_b, root @ root.T)


def test_exact_is_the_gradient_of_J_beta_and_the_sum_of_kept_and_dropped():
    rng = np.random.default_rng(0)
    for _ in range(50):
        system, K, visits = random_case(rng)
        exact = off_policy.exact_gradient(system, K, visits)
        numeric = central_difference(lambda k, s=system, v=visits: off_policy.J_beta(s, k, v), K)
        assert relative_error(exact, numeric) < 1e-6
        parts = (
            off_policy.kept_gradient(system, K, visits),
            off_policy.dropped_gradient(system, K, visits),
        )
        assert relative_error(parts[0] + parts[1], exact) < 1e-10


def test_kept_is_the_gradient_with_the_later_policy_held():
    rng = np.random.default_rng(1)
    for _ in range(20):
        system, K, visits = random_case(rng)
        states = np.linalg.cholesky(visits).T  # a few states with the second moment of the visits

        def first_step_only(L, system=system, K=K, states=states):
            return system.Q(K, states, -states @ L.T).sum()

        numeric = central_difference(first_step_only, K)
        assert relative_error(off_policy.kept_gradient(system, K, visits), numeric) < 1e-6


def test_the_carts_numbers():
    visits = off_policy.behavior_moment(CART, ONE, [[0.25]])
    kept, exact = (
        f(CART, ONE, visits) for f in (off_policy.kept_gradient, off_policy.exact_gradient)
    )
    assert [f"{x:.6f}" for x in kept[0]] == ["9.919257", "6.965771"]
    # The noise goes on after the visits, with weight γ/(1−γ)²: without it, [66.3, 57.4].
    assert [f"{x:.4f}" for x in exact[0]] == ["222.6442", "163.4617"]
    assert round(off_policy.cosine(kept, exact), 4) == 0.9998


def test_the_visits_by_simulation():
    rng, visits = np.random.default_rng(2), off_policy.behavior_moment(CART, ONE, [[0.25]])
    s, weight, copies = rng.normal(size=(4000, 2)), 1.0, 4000
    per_copy = np.zeros((copies, 2, 2))
    for _ in range(600):
        per_copy += weight * s[:, :, None] * s[:, None, :]
        a = -s @ ONE.T + 0.5 * rng.normal(size=(copies, 1))
        s = s @ CART.A.T + a @ CART.B.T + 0.1 * rng.normal(size=(copies, 2))
        weight *= CART.gamma
    assert (abs(per_copy.mean(0) - visits) < 4 * per_copy.std(0) / copies**0.5).all()


def test_the_tied_gain_settles_off_policy_where_it_should_not():
    def kept_slope(k):
        visits = off_policy.behavior_moment(CART, k * ONE, [[25.0]])
        return off_policy.kept_gradient(CART, k * ONE, visits).sum()

    def root(f, low=1.0, high=15.0):
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if f(middle) > 0 else (low, middle)
        return low

    on, off = root(lambda k: CART.dJ_dK(k * ONE).sum()), root(kept_slope)
    assert (f"{on:.4f}", f"{CART.J(on * ONE):.5f}") == ("5.6877", "-10.43897")
    assert (f"{off:.4f}", f"{CART.J(off * ONE):.5f}") == ("5.0799", "-10.47040")


def test_the_sign_can_flip_with_two_states_and_never_with_one():
    similarity, *_ = off_policy.find_reversal(np.random.default_rng(0), states=1, tries=500)
    assert np.isclose(similarity, 1)
    similarity, system, K, visits = off_policy.find_reversal(np.random.default_rng(0), 2, 500)
    assert similarity < -0.5
    kept = off_policy.kept_gradient(system, K, visits)
    step = 1e-6 * kept / np.linalg.norm(kept)
    before, after = (off_policy.J_beta(system, k, visits) for k in (K, K + step))
    assert after < before


def test_bad_arguments_are_refused_by_name():
    with pytest.raises(ValueError, match=r"Sigma_b has shape \(1, 1\); allowed: \(2, 2\)"):
        off_policy.kept_gradient(CART, ONE, [[1.0]])
    for function in (off_policy.exact_gradient, off_policy.dropped_gradient, off_policy.J_beta):
        with pytest.raises(ValueError, match="Sigma_b has eigenvalue -1"):
            function(CART, ONE, -np.eye(2))
    with pytest.raises(UnstableGainError):
        off_policy.behavior_moment(SCALAR, [[3.0]], [[1.0]])
    with pytest.raises(ValueError, match="covariance has eigenvalue"):
        off_policy.behavior_moment(SCALAR, [[0.3]], [[-1.0]])
    with pytest.raises(ValueError, match="equal shapes"):
        off_policy.cosine([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="is zero"):
        off_policy.cosine([0.0], [1.0])
    assert off_policy.cosine([1.0, 0.0], [-2.0, 0.0]) == -1
