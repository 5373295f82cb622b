"""Confidence intervals and robust means of results from a few seeds.

The intervals come from the bootstrap: the seeds are resampled 10,000 times, by a fixed generator,
so that the same data give the same interval. Its percentiles alone are too narrow for ten seeds:
they hold the true mean in 90% of the cases instead of 95%. So they are taken farther out, as far as
Student's t interval of a normal sample is wider.

Source: Hesterberg (2015), §4, on the expanded percentile interval.
"""

from typing import Any

import numpy as np
from scipy import optimize, stats

RESAMPLES = 10_000


def mean_interval(per_seed: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Bootstrap interval of the mean over seeds; the seed is the unit that is resampled.

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
    difference; two overlapping intervals of the means do not speak against one. Runs that share
    their seeds have more in common: use `paired_difference_interval`.

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


def paired_difference_interval(a, b, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Bootstrap interval of mean(a) − mean(b), for two runs with the same seeds.

    The difference of each seed is resampled. What both runs of a seed have in common, such as the
    initial weights and the start states, is in no difference.

    Args:
        a, b: one number per seed in the last axis, (..., S) with S ≥ 2, the same seeds in the same
            order.
        level: confidence, 0 < level < 1.

    Returns:
        Lower and upper ends, each (...).

    Raises:
        ValueError: fewer than two seeds, different numbers of them, or a level outside (0, 1).

    >>> low, high = paired_difference_interval([5.0, 106.0, 57.0], [3.0, 105.0, 54.0])
    >>> bool(1 <= low < 2 < high <= 3)
    True
    """
    a, b = _sample("a", a), _sample("b", b)
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(f"a has {a.shape[-1]} seeds and b {b.shape[-1]}; allowed: the same seeds")
    return mean_interval(a - b, level)


def detectable_difference(a, b, paired: bool, power: float = 0.8, level: float = 0.95) -> float:
    """How large a true difference of the means has to be to show with the given probability.

    It says what a comparison of so many seeds, with such a spread, could have seen. A smaller
    difference may well exist. Computed for a two-sided t test of normal numbers with the spread of
    the given ones.

    Args:
        a, b: one number per seed, (S,) with S ≥ 2.
        paired: whether the seeds are the same, in the same order; then the spread of their
            differences counts.
        power: probability that such a difference shows, 0 < power < 1.
        level: confidence of the interval that has to leave out 0, 0 < level < 1.

    Raises:
        ValueError: fewer than two seeds, or a probability outside (0, 1).

    Source: the noncentral t distribution, as in Colas, Sigaud and Oudeyer (2018), §4.

    >>> a, b = np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.1, 1.9])
    >>> detectable_difference(a, b, paired=True) < detectable_difference(a, b, paired=False)
    True
    """
    a, b = _sample("a", a), _sample("b", b)
    for name, share in (("power", power), ("level", level)):
        if not 0 < share < 1:
            raise ValueError(f"{name} is {share}; allowed: 0 < {name} < 1")
    n, m = len(a), len(b)
    if paired:
        error, df = float(np.std(a - b, ddof=1)) / n**0.5, n - 1
    else:
        df = n + m - 2
        variance = ((n - 1) * a.var(ddof=1) + (m - 1) * b.var(ddof=1)) / df
        error = float(np.sqrt(variance * (1 / n + 1 / m)))
    limit = stats.t.ppf((1 + level) / 2, df)

    def missing(shift):
        shown = stats.nct.sf(limit, df, shift) + stats.nct.cdf(-limit, df, shift)
        return (shown if np.isfinite(shown) else 1.0) - power  # SciPy gives up far out

    return error * optimize.brentq(missing, 0.0, 100.0)


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
        n_resamples=RESAMPLES,
        batch=1_000,
        confidence_level=_expanded(level, samples),
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return interval.low, interval.high


def _expanded(level: float, samples) -> float:
    """The level of the percentiles that hold the truth as often as ``level`` says."""
    sizes = [sample.shape[-1] for sample in samples]
    n, df = min(sizes), sum(sizes) - len(sizes)
    quantile = stats.t.ppf((1 + level) / 2, df) * (n / (n - 1)) ** 0.5
    return float(1 - 2 * stats.norm.sf(quantile))
