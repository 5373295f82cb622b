"""Chapters 2 and 3: ∇ℓ(u) = Jᵀg with g = ∇_aQ and J = ∂a/∂u, by three routes.

The layout of the whole course: g is a column of m numbers, J is m×n, and the gradient Jᵀg is a
column of n numbers. Silver et al. (2014) define ∇_θμ as our Jᵀ; Lillicrap et al. (2016, Eq. 6)
write the row ∇_aQ ∇_θμ. All three are the same n numbers.
"""

import numpy as np

from dpgcourse.gradient.composite import Composite


def gradient_by_jacobian(composite: Composite, s, u, w) -> np.ndarray:
    """∇ℓ(u) = Jᵀg with the Jacobian written out, shape (..., n).

    >>> from dpgcourse.gradient.composite import Composite, LinearActor, QuadraticCritic
    >>> composite = Composite(LinearActor(1, 1), QuadraticCritic(1, 1))
    >>> gradient_by_jacobian(composite, [2.0], [0.5], [1.5])
    array([8.])
    """
    g, J = composite.factors(s, u, w)  # (..., m), (..., m, n)
    return np.einsum("...m,...mn->...n", g, J)


def gradient_by_vjp(composite: Composite, s, u, w) -> np.ndarray:
    """∇ℓ(u) by one vector-Jacobian product, which never builds J; shape (..., n)."""
    a = composite.actor.mu(s, u)
    return composite.actor.vjp(s, u, composite.critic.dQ_da(s, a, w))


def gradient_by_jvp(composite: Composite, s, u, w) -> np.ndarray:
    """∇ℓ(u) by n Jacobian-vector products, component k being ⟨g, J e_k⟩; shape (..., n)."""
    a = composite.actor.mu(s, u)
    g = composite.critic.dQ_da(s, a, w)
    components = [(g * composite.actor.jvp(s, u, e)).sum(-1) for e in np.eye(composite.actor.n)]
    return np.stack(components, axis=-1)


def batch_gradient(composite: Composite, s, u, w) -> np.ndarray:
    """Gradient of the batch mean of ℓ: (1/B) Σ_i J_iᵀ g_i, shape (n,).

    Each state's Jacobian meets its own action gradient before anything is averaged.

    Args:
        composite: actor and critic.
        s: states, (B, d) with B ≥ 1.
        u: policy parameters, (n,).
        w: critic parameters.

    Raises:
        ValueError: s is not a batch with at least one state.
    """
    s = np.asarray(s)
    if s.ndim != 2 or len(s) == 0:
        raise ValueError(f"s has shape {s.shape}; allowed: (B, d) with B >= 1")
    return gradient_by_vjp(composite, s, u, w).mean(axis=0)
