"""What may be said about a handful of seeds."""

import numpy as np
from scipy import stats


def mean_interval(per_seed: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Bootstrap interval of the mean over seeds; the seed is the unit that is resampled.

    Percentile bootstrap with 10,000 resamples and a fixed generator, so that the same data give
    the same interval.

    Args:
        per_seed: one number per seed in the last axis, (..., S) with S ≥ 2.
        level: confidence, 0 < level < 1.

    Returns:
        Lower and upper ends, each (...).

    Raises:
        ValueError: fewer than two seeds, or a level outside (0, 1).

    >>> low, high = mean_interval(np.array([1.0, 2.0, 3.0]))
    >>> bool(1 <= low < 2 < high <= 3)
    True
    """
    per_seed = np.asarray(per_seed, dtype=float)
    if per_seed.ndim == 0 or per_seed.shape[-1] < 2:
        raise ValueError(f"per_seed has shape {per_seed.shape}; allowed: (..., S) with S >= 2")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; allowed: 0 < level < 1")
    interval = stats.bootstrap(
        (per_seed,),
        np.mean,
        axis=-1,
        n_resamples=10_000,
        batch=1_000,
        confidence_level=level,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return interval.low, interval.high
