"""Confidence intervals and robust means of results from a few seeds."""

from typing import Any

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
    return _interval((_sample("per_seed", per_seed),), _mean, level)


def interquartile_mean(values, axis: int = -1) -> np.ndarray:
    """Mean of what is left when the lowest and the highest quarter are dropped.

    Of n values ⌊n/4⌋ are dropped at each end. Less swayed by one lucky seed than the mean, less
    wasteful than the median.

    Raises:
        ValueError: no values.

    Source: Agarwal et al. (2021), §4.3.

    >>> float(interquartile_mean([0.0, 1.0, 2.0, 900.0]))
    1.5
    """
    values = np.asarray(values, dtype=float)
    if values.ndim == 0 or values.shape[axis] == 0:
        raise ValueError(f"values have shape {values.shape}; allowed: one or more along the axis")
    return stats.trim_mean(values, 0.25, axis=axis)


def stratified_interval(scores, statistic=interquartile_mean, level: float = 0.95):
    """Bootstrap interval of one number that sums up several tasks.

    Each resample draws as many seeds as there are, for every task on its own: the tasks are
    given, the seeds are a sample.

    Args:
        scores: one number per task and seed, (T, S) with S ≥ 2, on comparable scales.
        statistic: of all T·S numbers, called with them along the last axis.
        level: confidence, 0 < level < 1.

    Returns:
        Lower and upper end.

    Raises:
        ValueError: fewer than two seeds, not two axes, or a level outside (0, 1).

    Source: Agarwal et al. (2021), §4.1.
    """
    scores = _sample("scores", scores)
    if scores.ndim != 2:
        raise ValueError(f"scores have shape {scores.shape}; allowed: (T, S)")

    def pooled(*tasks, axis):
        return statistic(np.concatenate(tasks, axis=axis))

    return _interval(tuple(scores), pooled, level)


def difference_interval(a, b, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Bootstrap interval of mean(a) − mean(b), for two groups of seeds that share nothing.

    Both groups are resampled, each on its own. An interval that leaves out 0 speaks for a
    difference; two overlapping intervals of the means do not speak against one.

    Args:
        a, b: one number per seed in the last axis, (..., S) with S ≥ 2; S may differ.
        level: confidence, 0 < level < 1.

    Returns:
        Lower and upper ends, each (...).

    Raises:
        ValueError: fewer than two seeds, or a level outside (0, 1).

    >>> low, high = difference_interval([5.0, 6.0, 7.0], [1.0, 2.0])
    >>> bool(3 <= low < 4.5 < high <= 6)
    True
    """
    samples = _sample("a", a), _sample("b", b)
    return _interval(samples, lambda a, b, axis: a.mean(axis) - b.mean(axis), level)


def _mean(x, axis):
    return x.mean(axis)


def _sample(name: str, values) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    if values.ndim == 0 or values.shape[-1] < 2:
        raise ValueError(f"{name} has shape {values.shape}; allowed: (..., S) with S >= 2")
    return values


def _interval(samples, statistic, level: float) -> tuple[np.ndarray, np.ndarray]:
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; allowed: 0 < level < 1")
    interval: Any = stats.bootstrap(
        samples,
        statistic,
        axis=-1,
        vectorized=True,
        n_resamples=10_000,
        batch=1_000,
        confidence_level=level,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return interval.low, interval.high
