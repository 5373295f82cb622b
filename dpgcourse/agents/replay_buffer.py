"""Chapter 11: a replay buffer, sampled uniformly."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dpgcourse.agents.batch import Batch


class ReplayBuffer:
    """Ring buffer of the latest transitions of each seed, one transition per seed and step.

    Everything is stored in ``dtype``, whatever the environment delivers. A transition is one row of
    one array, so that a batch is gathered at once; its fields are columns of what was gathered.
    Batches are NumPy arrays; `torch.as_tensor` shares their memory.

    Args:
        capacity: transitions kept per seed.
        state_dim: d.
        action_dim: m.
        rngs: one generator per seed, which chooses that seed's batches.
        dtype: of all that is stored.

    Raises:
        ValueError: capacity below 1; on `add`, a wrong shape; on `sample`, an empty buffer or a
            batch size below 1.
    """

    def __init__(
        self,
        capacity: int,
        state_dim: int,
        action_dim: int,
        rngs: Sequence[np.random.Generator],
        dtype="float32",
    ):
        if capacity < 1:
            raise ValueError(f"capacity is {capacity}; allowed: 1 or more")
        self.capacity, self.rngs = capacity, list(rngs)
        self.size = self.position = 0
        S = len(self.rngs)
        widths = Batch(state_dim, action_dim, 1, state_dim, 1)
        ends = Batch(*np.cumsum(widths))
        self._columns = Batch(
            s=slice(0, ends.s),
            a=slice(ends.s, ends.a),
            r=ends.a,  # one column: r is (S, B), not (S, B, 1)
            s_next=slice(ends.r, ends.s_next),
            terminated=ends.s_next,
        )
        self._rows = np.zeros((S, capacity, sum(widths)), dtype=dtype)
        self._first = np.arange(S)[:, None] * capacity  # the first row of each seed

    def add(self, s, a, r, s_next, terminated) -> None:
        """Store one transition per seed: arrays (S, d), (S, m), (S,), (S, d), (S,)."""
        row = self._cut(self._rows[:, self.position])
        for name, place, value in zip(
            Batch._fields, row, (s, a, r, s_next, terminated), strict=True
        ):
            value = np.asarray(value)
            if value.shape != place.shape:
                raise ValueError(f"{name} has shape {value.shape}; allowed: {place.shape}")
            place[...] = value
        self.position = (self.position + 1) % self.capacity
        self.size = min(self.size + 1, self.capacity)

    def mark_ends(self, ended: np.ndarray) -> None:
        """Told after every `add` where it ended an episode, (S,); a single step needs no ends."""

    def transitions_at(self, positions: np.ndarray) -> Batch:
        """The transitions at given positions, (n,), of each seed; 0 is the oldest kept.

        Raises:
            ValueError: a position that is not filled.
        """
        positions = np.asarray(positions)
        if ((positions < 0) | (positions >= self.size)).any():
            raise ValueError(f"positions are {positions}; allowed: 0 to {self.size - 1}")
        index = (self.position - self.size + positions) % self.capacity
        return self._cut(self._rows[:, index])

    def terminated_fraction(self) -> np.ndarray:
        """Share of the transitions kept that are stored as ends of the task, (S,)."""
        return self._stored.terminated[:, : self.size].mean(-1, dtype=np.float64)

    def sample(self, batch_size: int) -> Batch:
        """Draw a batch of arrays for each seed, uniformly and with replacement."""
        return self._at(self._draw(batch_size))

    def _draw(self, batch_size: int) -> np.ndarray:
        """Places in the store for a batch of each seed, (S, B)."""
        if self.size == 0 or batch_size < 1:
            raise ValueError(
                f"batch of {batch_size} from {self.size} transitions; allowed: 1 or more of each"
            )
        return np.array([rng.integers(self.size, size=batch_size) for rng in self.rngs])

    def _at(self, places: np.ndarray) -> Batch:
        """The transitions at places (S, B) of the store, copied."""
        rows = self._rows.reshape(-1, self._rows.shape[-1])  # of all seeds; a view
        return self._cut(rows.take(self._first + places, axis=0))

    def state(self) -> dict[str, np.ndarray]:
        """What is kept: the rows of the transitions, (S, size, width), and where the next goes."""
        return {"rows": self._rows[:, : self.size].copy(), "position": np.array([self.position])}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` of a buffer of the same sizes returned.

        Raises:
            ValueError: the rows do not fit.
        """
        rows, position = state["rows"], int(state["position"][0])
        S, capacity, width = self._rows.shape
        size = rows.shape[1] if rows.ndim == 3 else -1
        full = size == capacity and 0 <= position < capacity
        if rows.shape != (S, size, width) or not (full or position == size < capacity):
            raise ValueError(
                f"rows have shape {rows.shape} at position {position}; allowed: "
                f"({S}, size <= {capacity}, {width}), position size or, if full, any"
            )
        self._rows[:, :size] = rows
        self.size, self.position = size, position

    @property
    def _stored(self) -> Batch:
        """All fields, as views of the rows: never kept, since a copy would not be a view."""
        return self._cut(self._rows)

    def _cut(self, rows: Any) -> Batch:
        """The fields of rows (..., width), an array or a tensor, as views."""
        return self._columns.map(lambda column: rows[..., column])
