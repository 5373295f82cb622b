"""Chapter 4: the box of allowed actions, and what its bounds do to a gradient."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, init=False)
class ActionBox:
    """Maps any real z into the action box: a = center + half_range · tanh(z).

    The chain rule adds the factor da/dz = half_range · (1 − tanh²z), which vanishes as a nears a
    bound (chapter 4).

    Args:
        low: lower bounds, (m,), finite.
        high: upper bounds, (m,), finite, each above its lower bound.

    Raises:
        ValueError: bounds that are not finite, not ordered, or of different shapes.

    >>> box = ActionBox(low=[-2.0], high=[4.0])
    >>> box.squash(np.array([0.0])), box.da_dz(np.array([0.0]))
    (array([1.]), array([3.]))
    """

    low: np.ndarray
    high: np.ndarray

    def __init__(self, low: ArrayLike, high: ArrayLike):
        low, high = (np.asarray(bound, dtype=np.float64) for bound in (low, high))
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

    def squash(self, z) -> np.ndarray:
        """The action for the pre-activation z, (..., m)."""
        return self.center + self.half_range * np.tanh(z)

    def da_dz(self, z) -> np.ndarray:
        """Diagonal of ∂a/∂z, (..., m)."""
        return self.half_range * (1 - np.tanh(z) ** 2)

    def inverting_gradients(self, g, a) -> np.ndarray:
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
