import numpy as np
import pytest

from dpgcourse.analysis.autocorrelation import autocorrelation, effective_sample_size


def drifting(rng, rho=0.8, length=20_000, copies=20):
    x = np.empty((length, copies))
    x[0] = rng.standard_normal(copies)
    for t in range(1, length):
        x[t] = rho * x[t - 1] + np.sqrt(1 - rho**2) * rng.standard_normal(copies)
    return x


def test_correlations_of_a_known_process():
    c = autocorrelation(drifting(np.random.default_rng(0)), 30)
    assert c[0] == 1
    assert np.abs(c - 0.8 ** np.arange(31)).max() < 0.02


def test_a_mean_of_neighbors_varies_as_the_effective_size_says():
    x, B = drifting(np.random.default_rng(1)), 50
    batches = x.reshape(-1, B, x.shape[1]).mean(1)
    worth = effective_sample_size(0.8 ** np.arange(B), B)
    assert 1 / batches.var() == pytest.approx(worth, rel=0.1)
    assert worth == pytest.approx(B * 0.2 / 1.8, rel=0.1)  # B (1 − ρ)/(1 + ρ) for long batches


def test_closed_form_of_a_geometric_correlation():
    rho, B = 0.7, 9
    bracket = (1 + rho) / (1 - rho) - 2 * rho * (1 - rho**B) / (B * (1 - rho) ** 2)
    assert effective_sample_size(rho ** np.arange(B), B) == pytest.approx(B / bracket, rel=1e-13)


def test_further_correlations_do_not_count():
    c = 0.7 ** np.arange(20)
    assert effective_sample_size(c, 9) == effective_sample_size(c[:9], 9)


def test_all_sequences_share_one_mean():
    x = np.array([[0.0, 10.0], [1.0, 11.0], [0.0, 10.0], [1.0, 11.0]])
    d = x - 5.5
    by_hand = [(d**2).mean(), (d[:-1] * d[1:]).mean(), (d[:-2] * d[2:]).mean()]
    assert np.allclose(autocorrelation(x, 2), np.array(by_hand) / by_hand[0], rtol=1e-14)


@pytest.mark.parametrize("lags", [-1, 3])
def test_bad_lags(lags):
    with pytest.raises(ValueError, match="lags is .*; allowed: 0 to 2"):
        autocorrelation([1.0, 2.0, 4.0], lags)


def test_a_constant_has_no_correlation():
    with pytest.raises(ValueError, match="x is constant"):
        autocorrelation(np.ones(5), 2)


@pytest.mark.parametrize("size", [0, 4])
def test_bad_size(size):
    with pytest.raises(ValueError, match="size is .*; allowed: 1 to 3"):
        effective_sample_size([1.0, 0.5, 0.1], size)
