"""Attempts at the exercises of chapter 12."""

import random
from bisect import bisect_left

import numpy as np
import torch
from scipy import stats

from dpgcourse.analysis.statistics import detectable_difference, mean_interval
from tests.exercises.attempts import Right, Wrong

STARTS = {
    "starts_per_agent": 2071,
    "episodes": 20_710,
    "why_common_starts_need_fewer": "the luck of the starts cancels in the difference",
}
EXPLAIN = {
    "half_width": 2.83,
    "does_the_difference_show": "yes, its interval leaves out 0",
    "if_an_interval_contains_0": "these seeds do not show a difference",
    "what_the_paper_should_add": "how large a difference five seeds would have shown",
}


def drawn(d, resamples, replace=True):
    rng = np.random.default_rng(7)
    return np.array([rng.choice(d, len(d), replace=replace) for _ in range(resamples)])


def interval(d, resamples=10_000):
    rng = np.random.default_rng(7)
    means = rng.choice(d, size=(resamples, len(d))).mean(axis=1)
    return np.quantile(means, [0.025, 0.975])


def interval_by_sorting(d, resamples=10_000):
    d, draws = d.tolist(), random.Random(7)
    means = sorted(sum(draws.choices(d, k=len(d))) / len(d) for _ in range(resamples))
    return means[int(0.025 * resamples)], means[int(0.975 * resamples)]


def interval_in_torch(d, resamples=10_000):
    d, draws = torch.as_tensor(d), torch.Generator().manual_seed(7)
    means = d[torch.randint(len(d), (resamples, len(d)), generator=draws)].mean(1)
    return means.quantile(torch.tensor([0.025, 0.975], dtype=d.dtype))


def of_statistic(statistic, shares=(2.5, 97.5)):
    return lambda d, resamples: np.percentile(statistic(drawn(d, resamples)), shares)


def without_replacement(d, resamples):
    return np.quantile(drawn(d, resamples, replace=False).mean(1), [0.025, 0.975])


def means_of_many(d, resamples):
    draws = np.random.default_rng(7).choice(d, size=(resamples, len(d)))
    return np.quantile(draws.mean(axis=0), [0.025, 0.975])


def normal_interval(times):
    def answer(d, resamples):
        error = np.std(drawn(d, resamples).mean(1))
        return d.mean() - times * error, d.mean() + times * error

    return answer


def single(d, resamples):
    return d.mean() - 1.96 * d.std(ddof=1), d.mean() + 1.96 * d.std(ddof=1)


def about_zero(d, resamples):
    error = np.std(drawn(d, resamples).mean(1), ddof=1)
    return -1.96 * error, 1.96 * error


def student(d, resamples):
    return stats.t.interval(0.95, len(d) - 1, d.mean(), stats.sem(d))


def exact_power(true, spread, seeds):
    """As the text gives it: T² has a noncentral F distribution."""
    limit = stats.t.ppf(0.975, seeds - 1)
    return stats.ncf.sf(limit**2, 1, seeds - 1, seeds * (true / spread) ** 2)


def seeds_needed(true, spread, power=0.8):
    seeds = 2
    while exact_power(true, spread, seeds) < power:
        seeds += 1
    return seeds


def seeds_by_detectable(true, spread):
    """The package's number is about the other way round: seeds to difference."""

    def shows(n):
        d = np.arange(n) * 1.0
        return detectable_difference(d, 0 * d, paired=True) / d.std(ddof=1) <= abs(true) / spread

    return 2 + bisect_left(range(2, 100), True, key=shows)


def seeds_by_halving(true, spread):
    low, high = 1, 100
    while low + 1 < high:
        middle = (low + high) // 2
        if exact_power(true, spread, middle) >= 0.8:
            high = middle
        else:
            low = middle
    return high


def z_rule(true, spread):
    return int(np.ceil((1.96 + 0.84) ** 2 * spread**2 / true**2))


def z_rule_of_scipy(true, spread):
    z = stats.norm.isf(0.025) + stats.norm.isf(0.2)
    return np.ceil((z / (true / spread)) ** 2)


def last_too_few(true, spread):
    return seeds_needed(true, spread) - 1


def misses(true, spread):
    return next(n for n in range(2, 100) if exact_power(true, spread, n) >= 1 - 0.8)


def swapped(true, spread):
    return seeds_needed(spread, abs(true))


RIGHT = [
    Right("compare-starts", STARTS),
    Right("compare-starts", {**STARTS, "starts_per_agent": np.ceil((91 / 2) ** 2)}),
    Right("compare-bootstrap", interval),
    Right("compare-bootstrap", interval_by_sorting),
    Right("compare-bootstrap", interval_in_torch),
    Right("compare-bootstrap", of_statistic(lambda x: x.mean(1))),
    Right("compare-seeds", seeds_needed),
    Right("compare-seeds", seeds_by_detectable),
    Right("compare-seeds", seeds_by_halving),
    Right("compare-explain", EXPLAIN),
    Right("compare-explain", {**EXPLAIN, "half_width": np.sqrt(8)}),
]

WRONG = [
    Wrong("compare-starts", "rounds down", {**STARTS, "starts_per_agent": 2070}, "round up"),
    Wrong("compare-starts", "rounds not", {**STARTS, "starts_per_agent": 45.5**2}, "whole numbers"),
    Wrong("compare-starts", "no square", {**STARTS, "starts_per_agent": 46}, "ratio is squared"),
    Wrong("compare-starts", "91²/2", {**STARTS, "starts_per_agent": 4141}, "The 2 points are"),
    Wrong("compare-starts", "one agent", {**STARTS, "episodes": 2071}, "of its own"),
    Wrong("compare-starts", "rounds late", {**STARTS, "episodes": 20_703}, "Round up first"),
    Wrong(
        "compare-starts",
        "common starts are easier",
        {**STARTS, "why_common_starts_need_fewer": "common starts are easier"},
        "same distribution",
    ),
    Wrong("compare-bootstrap", "no replacement", without_replacement, "with replacement"),
    Wrong("compare-bootstrap", "means of many", means_of_many, "over len(d) numbers"),
    Wrong(
        "compare-bootstrap",
        "all draws",
        of_statistic(lambda x: x.ravel()),
        "quantiles of the differences",
    ),
    Wrong(
        "compare-bootstrap",
        "no draws",
        lambda d, resamples: np.percentile(d, [2.5, 97.5]),
        "Draw, and take those of the means",
    ),
    Wrong(
        "compare-bootstrap",
        "90%",
        of_statistic(lambda x: x.mean(1), (5, 95)),
        "the middle 90%",
    ),
    Wrong("compare-bootstrap", "25%", of_statistic(lambda x: x.mean(1), (25, 75)), "quartiles"),
    Wrong("compare-bootstrap", "ends swapped", lambda *x: interval(*x)[::-1], "ends are swapped"),
    Wrong("compare-bootstrap", "sums", of_statistic(lambda x: x.sum(1)), ""),
    Wrong(
        "compare-bootstrap",
        "centered",
        lambda d, resamples: interval(d, resamples) - d.mean(),
        "take the mean away",
    ),
    Wrong("compare-bootstrap", "about zero", about_zero, "take the mean away"),
    Wrong("compare-bootstrap", "one error", normal_interval(1), "one standard error"),
    Wrong("compare-bootstrap", "spread of one", single, "single differences"),
    Wrong("compare-bootstrap", "package", lambda d, resamples: mean_interval(d), "package's wider"),
    Wrong("compare-bootstrap", "Student", student, "Student's t"),
    Wrong("compare-bootstrap", "median", of_statistic(lambda x: np.median(x, axis=1)), "median"),
    Wrong("compare-bootstrap", "width", lambda *x: np.ptp(interval(*x)), "returns the shape"),
    Wrong("compare-seeds", "last too few", last_too_few, "one seed too few"),
    Wrong("compare-seeds", "one more", lambda *x: seeds_needed(*x) + 1, "one seed too many"),
    Wrong("compare-seeds", "known scatter", z_rule, "known scatter"),
    Wrong("compare-seeds", "known scatter, by SciPy", z_rule_of_scipy, "known scatter"),
    Wrong(
        "compare-seeds",
        "two errors",
        lambda true, spread: np.ceil((1.96 * spread / true) ** 2),
        "1.96 standard errors",
    ),
    Wrong("compare-seeds", "50%", lambda *x: seeds_needed(*x, power=0.5), "every second time"),
    Wrong("compare-seeds", "95%", lambda *x: seeds_needed(*x, power=0.95), "level of the interval"),
    Wrong("compare-seeds", "90%", lambda *x: seeds_needed(*x, power=0.9), "not 90%"),
    Wrong("compare-seeds", "1 − 0.8", misses, "chance to miss"),
    Wrong("compare-seeds", "both runs", lambda *x: 2 * seeds_needed(*x), "two runs"),
    Wrong(
        "compare-seeds",
        "no square",
        lambda true, spread: round(2.8 * spread / abs(true)),
        "square the ratio",
    ),
    Wrong("compare-seeds", "swapped", swapped, "are swapped"),
    Wrong("compare-seeds", "a power", lambda *x: exact_power(*x, 10), "power of ten seeds"),
    Wrong("compare-seeds", "constant", lambda true, spread: 52, "a difference of 8"),
    Wrong("compare-explain", "adds", {**EXPLAIN, "half_width": 4}, "do not add"),
    Wrong("compare-explain", "one mean", {**EXPLAIN, "half_width": 2}, "luck of both"),
    Wrong("compare-explain", "no root", {**EXPLAIN, "half_width": 8}, "Take the root"),
    Wrong(
        "compare-explain",
        "overlap",
        {**EXPLAIN, "does_the_difference_show": "no, the intervals of the means overlap"},
        "interval of the difference",
    ),
    Wrong(
        "compare-explain",
        "equal",
        {**EXPLAIN, "if_an_interval_contains_0": "the methods perform equally"},
        "too small",
    ),
    Wrong(
        "compare-explain",
        "best seed",
        {**EXPLAIN, "what_the_paper_should_add": "the best of the five seeds"},
        "chosen for being high",
    ),
]
