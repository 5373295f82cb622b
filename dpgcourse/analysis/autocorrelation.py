"""Chapter 9: the autocorrelation of a sequence, and how many independent values it is worth."""

import numpy as np


def autocorrelation(x, lags: int) -> np.ndarray:
    """Correlations of a stationary sequence with itself 0, 1, ..., lags steps later.

    Args:
        x: T values in the first axis, (T, ...). Further axes hold further sequences; mean, variance
            and covariances are averaged over all of them.
        lags: 0 <= lags < T.

    Returns:
        (lags + 1,), the first of them 1.

    Raises:
        ValueError: lags out of its range, or x is constant.
    """
    x = np.asarray(x, dtype=np.float64)
    if not 0 <= lags < len(x):
        raise ValueError(f"lags is {lags}; allowed: 0 to {len(x) - 1}")
    x = x - x.mean()
    covariance = np.array([(x[: len(x) - k] * x[k:]).mean() for k in range(lags + 1)])
    if covariance[0] == 0:
        raise ValueError("x is constant; allowed: values that vary")
    return covariance / covariance[0]


def effective_sample_size(c, size: int) -> float:
    """How many independent values have a mean with the variance of that of `size` successive ones.

    The mean of B successive values has the variance (v/B)(1 + 2 Σ_k (1 − k/B) c_k), k from 1 to
    B − 1, where v is the variance of one value. So the effective size is B over the second factor.
    The variance of their *sum* is B/effective_sample_size times that of independent values.

    Args:
        c: correlations c_0 = 1, c_1, ..., c_(B−1) or more.
        size: B >= 1.

    Raises:
        ValueError: fewer than B correlations, or B below 1.

    >>> effective_sample_size([1.0, 0.0], 2), effective_sample_size([1.0, 1.0], 2)
    (2.0, 1.0)
    """
    c = np.asarray(c, dtype=np.float64)
    if not 1 <= size <= len(c):
        raise ValueError(f"size is {size}; allowed: 1 to {len(c)}, the correlations given")
    k = np.arange(1, size)
    return float(size / (1 + 2 * ((1 - k / size) * c[1:size]).sum()))
