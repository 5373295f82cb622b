"""Chapter 11: what an update learns from, as arrays or as tensors."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Batch(NamedTuple):
    """Transitions (s, a, r, s', terminated), B of them, for each seed in the leading axis ``...``.

    The agent in torch learns from tensors, the agent by hand from arrays.

    Attributes:
        s: states, (..., B, d).
        a: actions as executed, (..., B, m).
        r: rewards, (..., B).
        s_next: states reached, (..., B, d): the true next state, never one after a reset.
        terminated: 1 where the task ended in s_next, else 0, (..., B). A time limit is no end.
    """

    s: np.ndarray
    a: np.ndarray
    r: np.ndarray
    s_next: np.ndarray
    terminated: np.ndarray

    def map(self, function: Callable) -> "Batch":
        """The batch with the function applied to every field."""
        return Batch(*map(function, self))
