"""Chapter 12: Comparing agents."""

import itertools

import numpy as np

from dpgcourse.equation_checks.entry import entry


@entry("eq-compare-starts", "theorem")
def starts(rng):
    """The mean of n independent returns scatters by 1/√n of what one return scatters."""
    returns, n = rng.normal(size=5), int(rng.integers(2, 5))
    means = [np.mean(drawn) for drawn in itertools.product(returns, repeat=n)]  # equally likely
    return {"formula": returns.std() / np.sqrt(n), "by hand": np.std(means)}


@entry("eq-compare-pairs", "identity")
def pairs(rng):
    """The variance of a difference is the sum of the variances minus twice the covariance."""
    x = rng.normal(size=12)
    other = 0.7 * x + rng.normal(size=12)
    mean = np.mean
    covariance = mean(x * other) - mean(x) * mean(other)
    difference = x - other
    return {
        "formula": x.var() + other.var() - 2 * covariance,
        "by hand": mean(difference**2) - mean(difference) ** 2,
    }
