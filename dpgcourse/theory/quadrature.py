"""Means under a normal distribution as finite sums, by Gauss-Hermite quadrature.

Source: Abramowitz and Stegun (1964), 25.4.46, in the form for the weight exp(−x²/2).
"""

from itertools import product

import numpy as np

_MAX_NODES = 10**6


def gauss_hermite_nodes(m: int, count: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Hermite nodes and weights for the mean of f(z), z ~ N(0, I) in m dimensions.

    The mean is ``weights @ f(nodes)``. It is exact for polynomials of degree up to 2·count − 1 in
    each entry.

    Args:
        m: number of entries of z.
        count: nodes per entry.

    Returns:
        nodes (K, m) and weights (K,) with sum 1; K = count^m.

    Raises:
        ValueError: m or count is below 1, or K above a million.

    >>> nodes, weights = gauss_hermite_nodes(m=1, count=3)
    >>> [round(float(weights @ nodes[:, 0] ** k), 12) for k in (0, 2, 4)]
    [1.0, 1.0, 3.0]
    """
    if m < 1 or count < 1:
        raise ValueError(f"m is {m}, count is {count}; allowed: both at least 1")
    if count**m > _MAX_NODES:
        raise ValueError(f"m is {m}, count is {count}; allowed: count^m at most {_MAX_NODES}")
    x, weight = np.polynomial.hermite_e.hermegauss(count)
    nodes = np.array(list(product(x, repeat=m)))
    weights = np.prod(list(product(weight / weight.sum(), repeat=m)), axis=1)
    return nodes, weights
