import numpy as np
import pytest

from dpgcourse.agent.noise import GaussianNoise


def test_scale_and_independence_of_dimensions_and_seeds():
    rngs = [np.random.default_rng(seed) for seed in range(2)]
    noise = GaussianNoise([0.5, 2.0], rngs)
    draws = np.stack([noise() for _ in range(20_000)])  # (T, S, m)
    assert np.allclose(draws.std(0), [0.5, 2.0], rtol=0.03)
    correlation = np.corrcoef(draws.reshape(len(draws), -1).T)
    assert np.abs(correlation - np.eye(4)).max() < 5 / np.sqrt(len(draws))
    successive = np.corrcoef(draws[1:, 0, 0], draws[:-1, 0, 0])[0, 1]
    assert abs(successive) < 5 / np.sqrt(len(draws))


@pytest.mark.parametrize("scale", [[-1.0], [np.nan], [np.inf], 0.5])
def test_bad_scale(scale):
    with pytest.raises(ValueError, match="allowed: \\(m,\\) finite numbers >= 0"):
        GaussianNoise(scale, [])
