import numpy as np
import pytest

from dpgcourse.gradient.derivative_checks import complex_step, relative_error
from dpgcourse.theory.smoothed_chain import SmoothedChain
from tests.theory.chains import random_case

CASES = [random_case(np.random.default_rng(seed), actions=1) for seed in range(30)]


def test_smoothing_is_the_average_over_samples():
    case = random_case(np.random.default_rng(5), states=3, actions=2)
    smooth = SmoothedChain(case.chain, 0.7)
    noise = np.random.default_rng(6).normal(size=(40_000, 3, 2))
    for name in ("P", "dP_da", "r", "dr_da"):
        samples = getattr(case.chain, name)(case.a + 0.7 * noise)
        error = np.abs(samples.mean(0) - getattr(smooth, name)(case.a))
        assert (error <= 5 * samples.std(0) / 200 + 1e-12).all(), name


def test_a_smooth_reward_loses_half_its_curvature_times_the_variance():
    case = random_case(np.random.default_rng(7), states=3, actions=2)
    loss = case.chain.r(case.a) - SmoothedChain(case.chain, 0.7).r(case.a)
    np.testing.assert_allclose(loss, 2 * 0.7**2 / 2)


def test_the_theorem_on_the_smoothed_chain_is_the_stochastic_policy_gradient():
    for case in CASES:
        smooth = SmoothedChain(case.chain, 0.5)
        by_theorem = smooth.dJ_du(case.a, case.J_s)
        by_score = smooth.likelihood_ratio_gradient(case.a, case.J_s)
        exact = complex_step(lambda u, c=case, s=smooth: s.J(c.mu(u)), case.u)
        assert relative_error(by_theorem, exact) < 1e-11
        assert relative_error(by_score, exact) < 1e-6


def test_the_gap_to_the_deterministic_gradient_falls_with_sigma_squared():
    for case in CASES:
        limit = case.chain.dJ_du(case.a, case.J_s)
        coarse, fine = (
            np.linalg.norm(SmoothedChain(case.chain, sigma).dJ_du(case.a, case.J_s) - limit)
            for sigma in (0.02, 0.01)
        )
        assert np.log2(coarse / fine) == pytest.approx(2, abs=0.02)


@pytest.mark.parametrize("sigma", [0.0, -1.0, np.nan, np.inf])
def test_bad_sigma(sigma):
    with pytest.raises(ValueError, match=r"sigma is .*; allowed: a positive number"):
        SmoothedChain(CASES[0].chain, sigma)


def test_bad_counts():
    with pytest.raises(ValueError, match="count is 0; allowed: at least 1"):
        SmoothedChain(CASES[0].chain, 0.1, count=0)
