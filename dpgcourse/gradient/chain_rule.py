"""Chapters 2 to 4: ∇ℓ(u) = Jᵀg with g = ∇_aQ and J = ∂a/∂u, by three routes; batches; bounds.

The layout of the whole course: g is a column of m numbers, J is m×n, and the gradient Jᵀg is a
column of n numbers. Silver et al. (2014) define ∇_θμ as our Jᵀ; Lillicrap et al. (2016, Eq. 6)
write the row ∇_aQ ∇_θμ. All three are the same n numbers.
"""

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Squash:
    """Maps any real z into the action box: a = center + half_range · tanh(z).

    The chain rule adds the factor da/dz = half_range · (1 − tanh²z), which vanishes as a nears a
    bound (chapter 4).

    Args:
        low: lower bounds, (m,), finite.
        high: upper bounds, (m,), finite, each above its lower bound.

    Raises:
        ValueError: bounds that are not finite, not ordered, or of different shapes.

    >>> squash = Squash(low=[-2.0], high=[4.0])
    >>> squash.action(np.array([0.0])), squash.da_dz(np.array([0.0]))
    (array([1.]), array([3.]))
    """

    low: np.ndarray
    high: np.ndarray

    def __post_init__(self):
        low, high = (np.asarray(bound, dtype=np.float64) for bound in (self.low, self.high))
        if low.shape != high.shape or low.ndim != 1:
            raise ValueError(f"low has shape {low.shape}, high {high.shape}; allowed: both (m,)")
        if not (np.isfinite(low).all() and np.isfinite(high).all() and (low < high).all()):
            raise ValueError(f"bounds are {low} and {high}; allowed: finite, low < high")
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)

    @property
    def center(self) -> np.ndarray:
        """Middle of the box, (m,)."""
        return (self.high + self.low) / 2

    @property
    def half_range(self) -> np.ndarray:
        """Half the width of the box, (m,)."""
        return (self.high - self.low) / 2

    def action(self, z) -> np.ndarray:
        """The action for the pre-activation z, (..., m)."""
        return self.center + self.half_range * np.tanh(z)

    def da_dz(self, z) -> np.ndarray:
        """Diagonal of ∂a/∂z, (..., m)."""
        return self.half_range * (1 - np.tanh(z) ** 2)

    def invert(self, g, a) -> np.ndarray:
        """g scaled by the share of the box that is left in its direction, (..., m).

        Beyond a bound the outward components change sign, so that a policy without a squashing
        comes back.

        Args:
            g: ∇_aQ, (..., m).
            a: actions, anywhere, (..., m).

        Source: Hausknecht and Stone (2016).
        """
        g, a = np.asarray(g), np.asarray(a)
        return g * np.where(g > 0, self.high - a, a - self.low) / (2 * self.half_range)
