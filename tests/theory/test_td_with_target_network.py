import numpy as np
import pytest

from dpgcourse.theory import td, td_with_target_network
from dpgcourse.theory.td import Transitions

# One state leads to the other, which leads to itself; reward 1 for ever, so both are worth 10.
GAMMA, VALUE = 0.9, 10.0
TWO = Transitions(phi=[[1.0, 0.0], [2.0, 1.0]], r=[1.0, 1.0], phi_next=[[2.0, 1.0], [2.0, 1.0]])
W_STAR = np.array([10.0, -10.0])


def follow(tau, updates, alpha=0.5):
    w = slow = np.zeros(2)
    for _ in range(updates):
        w, slow = td_with_target_network.step(w, slow, TWO, GAMMA, alpha, tau)
    return w, slow


def random_transitions(rng, N=7, p=3):
    return Transitions(
        phi=rng.normal(size=(N, p)),
        r=rng.normal(size=N),
        phi_next=rng.normal(size=(N, p)),
        terminated=rng.integers(2, size=N),
        weights=rng.dirichlet(np.ones(N)),
    )


def test_one_update_is_the_semi_gradient_toward_the_copys_targets():
    rng = np.random.default_rng(0)
    data, w, slow = random_transitions(rng), rng.normal(size=3), rng.normal(size=3)
    new, copy = td_with_target_network.step(w, slow, data, 0.8, alpha=0.1, tau=0.3)
    expected = w.copy()
    for phi, r, phi_next, end, weight in zip(
        data.phi, data.r, data.phi_next, data.terminated, data.weights, strict=True
    ):
        y = r if end else r + 0.8 * phi_next @ slow
        expected += 0.1 * weight * (y - phi @ w) * phi
    assert np.allclose(new, expected, rtol=0, atol=1e-14)
    assert np.allclose(copy, 0.3 * expected + 0.7 * slow, rtol=0, atol=1e-14)


def test_at_tau_one_it_is_td():
    data = random_transitions(np.random.default_rng(1))
    A, C, b = td_with_target_network.td_moments(data, 0.9)
    assert np.allclose(A - C, td.semi_gradient_matrix(data, 0.9))
    w = np.ones(3)
    new, copy = td_with_target_network.step(w, w, data, 0.9, alpha=0.1, tau=1.0)
    assert np.allclose(new, w + 0.1 * td.semi_gradient(w, data, 0.9))
    assert (new == copy).all()
    assert np.allclose(b, data.phi.T @ (data.weights * data.r))


@pytest.mark.parametrize("tau", [1.0, 0.3, 0.01])
def test_errors_follow_the_transition_matrix(tau):
    T = td_with_target_network.transition_matrix(TWO, GAMMA, 0.5, tau)
    error = np.linalg.matrix_power(T, 20) @ -np.tile(W_STAR, 2)
    assert np.allclose(np.concatenate(follow(tau, 20)), np.tile(W_STAR, 2) + error, rtol=1e-10)


def test_a_slow_copy_turns_divergence_into_convergence():
    assert td.semi_gradient_fixed_point(TWO, GAMMA) == pytest.approx(W_STAR)
    assert np.linalg.eigvals(td.semi_gradient_matrix(TWO, GAMMA)).real.max() < 0  # for every step
    assert td_with_target_network.spectral_radius(TWO, GAMMA, 0.5, tau=1.0) > 1.03
    assert td_with_target_network.spectral_radius(TWO, GAMMA, 0.5, tau=0.1) < 0.99
    assert np.abs(follow(1.0, 400)[0] - W_STAR).max() > 1e6
    assert np.abs(follow(0.1, 1500)[0] - W_STAR).max() < 1e-8
    assert np.linalg.eigvals(
        td_with_target_network.fitted_iteration_matrix(TWO, GAMMA)
    ).real.max() == pytest.approx(0.9)


def test_where_fitted_iteration_diverges_a_slow_copy_only_delays():
    one_feature = Transitions(phi=[[1.0]], r=[0.0], phi_next=[[2.0]])
    rates = [
        td_with_target_network.spectral_radius(one_feature, GAMMA, 0.5, tau)
        for tau in (1.0, 0.1, 0.01, 0.001)
    ]
    assert rates == sorted(rates, reverse=True) and rates[-1] > 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alpha": 0.0}, "alpha is 0.0; allowed: a finite number > 0"),
        ({"alpha": np.nan}, "alpha is nan"),
        ({"tau": 0.0}, "tau is 0.0; allowed: 0 < tau <= 1"),
        ({"tau": 1.5}, "tau is 1.5"),
        ({"gamma": -1.0}, "gamma is -1.0"),
    ],
)
def test_bad_arguments(arguments, message):
    good = {"gamma": 0.9, "alpha": 0.1, "tau": 0.1}
    with pytest.raises(ValueError, match=message):
        td_with_target_network.step(np.zeros(2), np.zeros(2), TWO, **(good | arguments))
