"""Chapter 8: compatible critics. Silver et al. (2014), Theorem 3."""

import numpy as np


def compatible_Q(a, mu, J, w, V=0.0) -> np.ndarray:
    """The critic (a − μ(s))ᵀ J w + V, whose action gradient is J w; shape (...).

    Args:
        a, mu: action and the policy's action, (..., m).
        J: ∂a/∂u, (..., m, n).
        w: weights, (n,), as many as the policy has parameters.
        V: value of the state, (...).
    """
    return np.einsum("...i,...ij,j->...", np.asarray(a) - mu, J, w) + V


def compatible_weights(J, g) -> np.ndarray:
    """The w that minimizes Σ_i ‖J_i w − g_i‖², a regression on action gradients; shape (n,).

    It solves (Σ J_iᵀJ_i) w = Σ J_iᵀ g_i, so w is the policy gradient with the metric
    Σ J_iᵀJ_i divided out: the natural gradient. Least squares of minimum norm, if not unique.

    Args:
        J: ∂a/∂u at each of N states, (N, m, n).
        g: ∇_aQ at the policy's actions, (N, m).

    Raises:
        ValueError: the shapes do not belong together.
    """
    J, g = np.asarray(J, dtype=np.float64), np.asarray(g, dtype=np.float64)
    if J.ndim != 3 or g.shape != J.shape[:2]:
        raise ValueError(f"J has shape {J.shape}, g {g.shape}; allowed: (N, m, n) and (N, m)")
    return np.linalg.lstsq(J.reshape(-1, J.shape[2]), g.ravel(), rcond=None)[0]
