import numpy as np
import pytest

from dpgcourse.theory.gradient_variance import likelihood_ratio_variance, pathwise_variance
from dpgcourse.theory.quadrature import gauss_hermite_nodes


def by_quadrature(estimates, weights):
    """Trace of the covariance; exact, since the estimates are polynomials of low degree."""
    mean = weights @ estimates
    return weights @ (estimates**2).sum(-1) - mean @ mean


@pytest.mark.parametrize("m", [1, 2, 3])
@pytest.mark.parametrize("sigma", [0.03, 0.5, 2.0])
def test_closed_forms_against_quadrature(m, sigma):
    rng = np.random.default_rng(m)
    root = rng.normal(size=(m, m))
    C, miss = root @ root.T, rng.normal(size=m)  # miss = θ − a*
    eps, weights = gauss_hermite_nodes(m, 6)
    x = miss + sigma * eps
    r, r_theta, g = -np.einsum("ki,ij,kj->k", x, C, x), -miss @ C @ miss, -2 * C @ miss
    plain, centered = (eps / sigma * (r - b)[:, None] for b in (0, r_theta))
    for estimates, baseline in ((plain, False), (centered, True)):
        np.testing.assert_allclose(weights @ estimates, g, rtol=1e-9)
        closed = likelihood_ratio_variance(g, C, r_theta, sigma, baseline=baseline)
        assert closed == pytest.approx(by_quadrature(estimates, weights), rel=1e-9)
    assert pathwise_variance(C, sigma) == pytest.approx(by_quadrature(-2 * x @ C, weights))


def test_many_sigmas_at_once():
    sigma = np.array([0.1, 0.2])
    both = likelihood_ratio_variance([1.0], [[1.0]], -1.0, sigma, baseline=False)
    one = likelihood_ratio_variance([1.0], [[1.0]], -1.0, 0.2, baseline=False)
    assert both.shape == (2,) and both[1] == one
    np.testing.assert_allclose(pathwise_variance([[1.0]], sigma), [0.04, 0.16])


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"C is .*; allowed: a symmetric matrix"):
        pathwise_variance([[1.0, 2.0], [0.0, 1.0]], 0.1)
    with pytest.raises(ValueError, match=r"sigma is 0.0; allowed: positive numbers"):
        likelihood_ratio_variance([1.0], [[1.0]], -1.0, 0.0, baseline=True)
