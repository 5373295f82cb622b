"""Chapter 11: what an update learns from."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Batch(NamedTuple):
    """Transitions (s, a, r, s', terminated), B of them, for each seed in the leading axis ``...``.

    The replay buffer hands out NumPy arrays; an agent in torch turns them into tensors.

    Attributes:
        s: states, (..., B, d).
        a: actions as executed, (..., B, m).
        r: rewards, (..., B).
        s_next: states reached, (..., B, d): the true next state, never one after a reset.
        terminated: 1 where the task ended in s_next, else 0, (..., B). A time limit is no end.
    """

    s: Any
    a: Any
    r: Any
    s_next: Any
    terminated: Any

    def map(self, function: Callable) -> "Batch":
        """The batch with the function applied to every field."""
        return Batch(*map(function, self))

    def bootstrap_discount(self, gamma: float) -> Any:
        """What a target multiplies the value of s_next with: γ, since s_next is one step ahead.

        `dpgcourse.agents.n_step.NStepBatch` gives each of its transitions a discount of its own.
        """
        return gamma
