"""Chapter 14: n-step targets, put together from single steps when a batch is sampled.

For the transition of step t, the target adds up K rewards before it bootstraps:

    y = r_t + γ r_{t+1} + … + γ^(K−1) r_{t+K−1} + γ^K (1 − terminated) Q'(s_{t+K}, μ'(s_{t+K}))

K is n. It is less where the episode ends earlier: a termination leaves nothing to bootstrap from, a
truncation bootstraps from the state that the time limit struck in. K is also less where the latest
transition comes earlier, so that every stored transition can be sampled at once, and nothing waits.

The actions behind a_t are those that the replay holds, from older policies and with noise. Nothing
corrects for that, as usual with DDPG: the price of rewards that arrive sooner.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from dpgcourse.agents.replay_buffer import ReplayBuffer


class NStepBatch(NamedTuple):
    """Transitions over K steps, B of them, for each seed in the leading axis ``...``.

    Fields are named as in `dpgcourse.agents.batch.Batch`, so that an update reads either.

    Attributes:
        s: states s_t, (..., B, d).
        a: actions a_t as executed, (..., B, m).
        r: discounted sums of the K rewards, (..., B).
        s_next: states s_{t+K}, (..., B, d).
        terminated: 1 where the task ended in s_{t+K}, else 0, (..., B).
        discount: γ^K, (..., B).
    """

    s: Any
    a: Any
    r: Any
    s_next: Any
    terminated: Any
    discount: Any

    def map(self, function: Callable) -> "NStepBatch":
        """The batch with the function applied to every field."""
        return NStepBatch(*map(function, self))

    def bootstrap_discount(self, gamma: float) -> Any:
        """What a target multiplies the value of s_next with: γ^K, (..., B)."""
        return self.discount


class NStepReplayBuffer(ReplayBuffer):
    """A replay buffer that stores single steps like any other, and samples n steps together.

    Call `mark_ends` after every `add`: a time limit leaves no other trace in what is stored.

    Args:
        n_step: n, >= 1.
        gamma: γ.
        args, kwargs: as for `dpgcourse.agents.replay_buffer.ReplayBuffer`.

    Raises:
        ValueError: n_step below 1; else as `ReplayBuffer`.

    Source: Sutton (1988), the n-step return; with a deterministic policy and replay,
    Barth-Maron et al. (2018), Eq. 4.
    """

    def __init__(self, n_step: int, gamma: float, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if n_step < 1:
            raise ValueError(f"n_step is {n_step}; allowed: 1 or more")
        self.n_step = min(n_step, self.capacity)  # no window is longer than what is kept
        self.gamma = gamma
        self._ended = np.zeros((len(self.rngs), self.capacity), dtype=bool)

    def add(self, s, a, r, s_next, terminated) -> None:
        """Store one transition per seed: arrays (S, d), (S, m), (S,), (S, d), (S,)."""
        super().add(s, a, r, s_next, terminated)
        self._ended[:, self._latest] = terminated

    def mark_ends(self, ended: np.ndarray) -> None:
        """Let no window go beyond the latest transition where ended (S,) is true."""
        self._ended[:, self._latest] |= ended

    def sample(self, batch_size: int) -> NStepBatch:  # type: ignore[override]  # has one field more
        """Draw a batch of arrays for each seed, uniformly and with replacement."""
        first = self._draw(batch_size)  # (S, B)
        steps = np.arange(self.n_step)
        seed = np.arange(len(first))[:, None, None]
        window = (first[..., None] + steps) % self.capacity  # (S, B, n)
        last = self._ended[seed, window] | (window == self._latest)
        last[..., -1] = True
        K = 1 + last.argmax(-1)  # up to the first of them; (S, B)
        weights = self.gamma**steps * (steps < K[..., None])  # γ^k, and 0 beyond
        end = self._at((first + K - 1) % self.capacity)
        r = (weights * self._stored.r[seed, window]).sum(-1)
        start = self._at(first)
        return NStepBatch(start.s, start.a, r, end.s_next, end.terminated, self.gamma**K)

    def state(self) -> dict[str, np.ndarray]:
        """What is kept, as in `ReplayBuffer`, and which transitions ended an episode, (S, size)."""
        return {**super().state(), "ended": self._ended[:, : self.size].copy()}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` of a buffer of the same sizes returned.

        Raises:
            ValueError: the arrays do not fit.
        """
        ended = state["ended"]
        if ended.shape != state["rows"].shape[:2] or ended.dtype != np.bool_:
            raise ValueError(
                f"ended has shape {ended.shape} and dtype {ended.dtype}; allowed: "
                f"{state['rows'].shape[:2]} and bool"
            )
        super().load_state(state)
        self._ended[:, : self.size] = ended

    @property
    def _latest(self) -> int:
        """Where the latest transition lies."""
        return (self.position - 1) % self.capacity
