"""Chapter 11: noise that is added to the executed action, and to nothing else."""

from collections.abc import Sequence

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
        return self.scale * np.stack(draws)
