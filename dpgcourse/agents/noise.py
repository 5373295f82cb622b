"""Chapter 9: noise that is added to the executed action, and to nothing else."""

from collections.abc import Mapping, Sequence

import numpy as np


class GaussianNoise:
    """Independent normal noise for every step, seed and action dimension.

    Args:
        scale: standard deviation in units of the action, (m,).
        rngs: one generator per seed.

    Raises:
        ValueError: a negative or non-finite standard deviation.
    """

    def __init__(self, scale, rngs: Sequence[np.random.Generator]):
        self.scale, self.rngs = np.asarray(scale, dtype=np.float64), list(rngs)
        if self.scale.ndim != 1 or not (np.isfinite(self.scale) & (self.scale >= 0)).all():
            raise ValueError(f"scale is {scale}; allowed: (m,) finite numbers >= 0")

    def __call__(self) -> np.ndarray:
        """The noise of one step, (S, m)."""
        draws = [rng.standard_normal(len(self.scale)) for rng in self.rngs]
        return self.scale * np.array(draws)

    def reset(self, ended: np.ndarray) -> None:
        """Begin new episodes where ended (S,) is true; Gaussian noise has no memory."""

    def state(self) -> dict[str, np.ndarray]:
        """What it remembers, by name; its generators are not part of it."""
        return {}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` returned."""


class OrnsteinUhlenbeckNoise(GaussianNoise):
    """Ornstein-Uhlenbeck noise: correlated in time, pulled back to 0 at the rate θ.

    The process dx = −θ x dt + σ dW, observed once a step (dt = 1). Between two steps its exact law
    is x ← e^(−θ) x + σ √((1 − e^(−2θ)) / 2θ) ξ with ξ ~ N(0, 1), so no step size is too large. It
    starts each episode at 0, approaches the standard deviation σ / √(2θ), and its values k steps
    apart then have the correlation e^(−θk). Many codes take the Euler step x ← (1 − θ) x + σ ξ.

    Args:
        scale: σ in units of the action, (m,). It is not the standard deviation, see above.
        rngs: one generator per seed.
        theta: θ > 0; 1/θ is the memory in steps.

    Attributes:
        x: the noise of the latest step, (S, m).

    Raises:
        ValueError: a negative or non-finite σ, a θ that is not a finite number > 0; on `reset`, a
            mask of the wrong shape.

    Source: Uhlenbeck and Ornstein (1930); as exploration, Lillicrap et al. (2016), §3 and §7, with
    θ = 0.15 and σ = 0.2.
    """

    def __init__(self, scale, rngs: Sequence[np.random.Generator], theta: float = 0.15):
        super().__init__(scale, rngs)
        if not 0 < theta < float("inf"):
            raise ValueError(f"theta is {theta}; allowed: a finite number > 0")
        self.decay = np.exp(-theta)
        # standard deviation of what one step adds, for σ = 1
        self.step_scale = np.sqrt(-np.expm1(-2 * theta) / (2 * theta))
        self.x = np.zeros((len(self.rngs), len(self.scale)))

    def __call__(self) -> np.ndarray:
        """The noise of one step, (S, m)."""
        self.x = self.decay * self.x + self.step_scale * super().__call__()
        return self.x.copy()

    def reset(self, ended: np.ndarray) -> None:
        """Begin new episodes at 0 for the seeds where ended (S,) is true."""
        ended = np.asarray(ended, dtype=bool)
        if ended.shape != self.x.shape[:1]:
            raise ValueError(f"ended has shape {ended.shape}; allowed: {self.x.shape[:1]}")
        self.x[ended] = 0.0

    def state(self) -> dict[str, np.ndarray]:
        """The noise of the latest step."""
        return {"x": self.x.copy()}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` returned."""
        self.x = np.array(state["x"])
