"""Chapter 6: variances of single-sample gradients on a quadratic bandit, in closed form.

One state, reward r(a) = −(a − a*)ᵀC(a − a*), action a = θ + σε with ε standard normal in R^m.
Write r_θ = r(θ), g = ∇r(θ) = −2C(θ − a*). "Variance" is the trace of the covariance matrix.

Source: moments of the normal distribution, in chapter 6.
"""

import numpy as np


def _curvature(C) -> np.ndarray:
    C = np.asarray(C, dtype=np.float64)
    if C.ndim != 2 or C.shape[0] != C.shape[1] or not np.allclose(C, C.T):
        raise ValueError(f"C is {C.tolist()}; allowed: a symmetric matrix")
    return C


def likelihood_ratio_variance(g, C, r_theta, sigma, *, baseline: bool):
    """Variance of (ε/σ)(r(a) − b), with b = r_θ if baseline, else b = 0.

    Args:
        g: gradient at the mean action, (m,).
        C: curvature of the cost, (m, m), symmetric.
        r_theta: reward of the mean action.
        sigma: standard deviation of each entry of the action, positive; any shape.
        baseline: whether r_θ is subtracted from the reward.

    Returns:
        Array of sigma's shape.

    Raises:
        ValueError: C is not symmetric, or a sigma is not positive.
    """
    C, sigma = _curvature(C), np.asarray(sigma, dtype=np.float64)
    if not (sigma > 0).all():
        raise ValueError(f"sigma is {sigma.tolist()}; allowed: positive numbers")
    m, trace = len(C), np.trace(C)
    variance = (m + 1) * np.dot(g, g) + sigma**2 * (m + 4) * (trace**2 + 2 * np.trace(C @ C))
    if not baseline:
        variance = variance + m * r_theta**2 / sigma**2 - 2 * (m + 2) * r_theta * trace
    return variance


def pathwise_variance(C, sigma):
    """Variance of ∇r(θ + σε), 4σ² tr(C²); sigma may have any shape.

    >>> float(pathwise_variance([[1.0]], 0.5))
    1.0
    """
    C = _curvature(C)
    return 4 * np.asarray(sigma) ** 2 * np.trace(C @ C)
