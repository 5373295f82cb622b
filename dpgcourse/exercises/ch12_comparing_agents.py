"""Exercises of chapter 12, comparing agents."""

from itertools import count

import numpy as np
from scipy import stats

from dpgcourse.exercises.exercise import AnswersExercise, Asked, FunctionExercise, Mistake

# Differences in tenths of a point, so that every sum of them lies on a grid. The standard error of
# each mean is about 1 point.
_TENTHS = (
    [-11, 16, 4, 44, 27],
    [-7, 6, -13, 2, -26, 9, -4, 0, -88, -61, 11],
)


def _quantiles(d, shares):
    """Quantiles of the mean of len(d) draws from d, from its exact distribution."""
    tenths = np.rint(np.asarray(d) * 10).astype(int)
    one = np.bincount(tenths - tenths.min()) / len(d)
    of_sum = np.ones(1)
    for _ in range(len(d)):
        of_sum = np.convolve(of_sum, one)
    at = np.searchsorted(np.cumsum(of_sum), shares)
    return (at / len(d) + tenths.min()) / 10


def _simulated(d, statistic):
    """The 2.5% and 97.5% quantiles of a statistic of len(d) draws."""
    draws = np.random.default_rng(1).choice(d, size=(4000, len(d)))
    return np.quantile(statistic(draws), [0.025, 0.975])


def _error(d):
    return d.std() / len(d) ** 0.5


def _around_mean(d, times):
    return d.mean() + np.array([-1, 1]) * times


def _t(d):
    return stats.t.ppf(0.975, len(d) - 1)


def _expanded(d):
    share = stats.norm.sf(_t(d) * (len(d) / (len(d) - 1)) ** 0.5)
    return _quantiles(d, [share, 1 - share])


def _power(true, spread, seeds):
    """Chance that Student's t interval leaves out 0, as an integral over the measured scatter."""
    df = seeds - 1
    c = np.linspace(0, df**0.5 + 8, 1001)  # measured scatter / spread, times the root of df
    reach = stats.t.ppf(0.975, df) * c / df**0.5
    shift = abs(true) / spread * seeds**0.5
    shown = stats.norm.sf(reach - shift) + stats.norm.cdf(-reach - shift)
    return float(np.trapezoid(stats.chi.pdf(c, df) * shown, c))


def _needed(true, spread, wanted=0.8):
    """The smallest number of seeds, by doubling and halving."""
    high = next(2**k for k in count(1) if _power(true, spread, 2**k) >= wanted)
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _power(true, spread, middle) >= wanted else (middle, high)
    return high


def _at_errors(errors):
    """The seeds at which the difference is so many standard errors of a known scatter."""
    return lambda true, spread: np.ceil((errors * spread / true) ** 2)


_known_scatter = _at_errors(stats.norm.ppf(0.975) + stats.norm.ppf(0.8))


EXERCISES = (
    AnswersExercise(
        label="compare-starts",
        asked={
            "starts_per_agent": Asked(
                2071,
                {
                    2070: "With 2,070 starts the luck is a little above 2 points: round up.",
                    2070.25: "Starts are whole numbers: round up.",
                    46: "The luck shrinks with the square root of n, so the ratio is squared.",
                    45.5: "The luck shrinks with the square root of n, so the ratio is squared.",
                    4141: "The 2 points are squared as well.",
                    4140.5: "The 2 points are squared as well.",
                    23: "σ_G is squared as well, not only the 2 points.",
                    20_710: "This is the number for ten agents together.",
                },
                rtol=1e-4,
            ),
            "episodes": Asked(
                20_710,
                {
                    2071: "Each of the ten agents has start states of its own.",
                    20_700: "With 2,070 starts the luck is a little above 2 points: round up.",
                    20_702.5: "Round up first: each agent plays a whole number of episodes.",
                    20_703: "Round up first: each agent plays a whole number of episodes.",
                    460: "The luck shrinks with the square root of n, so the ratio is squared.",
                    207_100: "Ten agents need ten times the episodes of one.",
                },
                rtol=1e-4,
            ),
            "why_common_starts_need_fewer": Asked(
                "the luck of the starts cancels in the difference",
                {
                    "the return scatters less over common starts": "One agent's return scatters "
                    "as before. Ask what becomes of the difference of two agents.",
                    "common starts are easier": "They are drawn from the same distribution.",
                    "the ten agents play their episodes together": "Each agent still plays every "
                    "one of its episodes.",
                },
            ),
        },
        checked="both numbers, and the reason for common starts",
    ),
    FunctionExercise(
        label="compare-bootstrap",
        name="interval",
        parameters=("d", "resamples"),
        cases=lambda rng: [(np.array(tenths) / 10, 4000) for tenths in _TENTHS],
        right=lambda d, resamples: _quantiles(d, [0.025, 0.975]),
        checked="samples of 5 and 11 differences, by the exact distribution of their means",
        mistakes=(
            Mistake(
                "Your interval has nearly no width. Draw with replacement, and let each mean be "
                "over len(d) numbers.",
                lambda d, resamples: _around_mean(d, 0),
            ),
            Mistake(
                "These are quantiles of the differences. The quantiles of their means are asked "
                "for.",
                lambda d, resamples: np.array([d.min(), d.max()]),  # of a thousand draws
            ),
            Mistake(
                "These are quantiles of the differences. Draw, and take those of the means.",
                lambda d, resamples: np.quantile(d, [0.025, 0.975]),
            ),
            Mistake(
                "These ends hold the middle 90%: cut 2.5% at each end, not 5%.",
                lambda d, resamples: _quantiles(d, [0.05, 0.95]),
            ),
            Mistake(
                "These are quartiles: 0.025 and 0.25 are mixed up.",
                lambda d, resamples: _quantiles(d, [0.25, 0.75]),
            ),
            Mistake(
                "The two ends are swapped: the lower one comes first.",
                lambda d, resamples: _quantiles(d, [0.975, 0.025]),
            ),
            Mistake(
                "You take the mean away. The interval of the mean itself is asked for.",
                lambda d, resamples: _quantiles(d, [0.025, 0.975]) - d.mean(),
            ),
            Mistake(
                "You take the mean away. The interval of the mean itself is asked for.",
                lambda d, resamples: 1.96 * _error(d) * np.array([-1, 1]),
            ),
            Mistake(
                "This is the mean and one standard error to each side. Take quantiles.",
                lambda d, resamples: _around_mean(d, _error(d)),
            ),
            Mistake(
                "This is how far single differences scatter. Ask how far their mean does.",
                lambda d, resamples: _around_mean(d, 1.96 * d.std(ddof=1)),
            ),
            Mistake(
                "This is the package's wider interval. The plain quantiles are asked for.",
                lambda d, resamples: _expanded(d),
            ),
            Mistake(
                "This is Student's t interval. Draw from the differences instead.",
                lambda d, resamples: _around_mean(d, _t(d) * stats.sem(d)),
            ),
            Mistake(
                "You resample the median. The mean is asked for.",
                lambda d, resamples: _simulated(d, lambda x: np.median(x, axis=1)),
            ),
        ),
        atol=0.2,  # the draws are random; 0.2 points are a fifth of a standard error
    ),
    FunctionExercise(
        label="compare-seeds",
        name="seeds_needed",
        parameters=("true", "spread"),
        cases=lambda rng: [(8.0, 20.0), (15.0, 23.0), (-12.0, 20.0), (30.0, 15.0), (45.0, 15.0)],
        right=_needed,
        checked="five pairs of a difference and a scatter, by integrals over the measured scatter",
        mistakes=(
            Mistake(
                "This is one seed too few: the power is still below 80%.",
                lambda true, spread: _needed(true, spread) - 1,
            ),
            Mistake(
                "This is one seed too many: one fewer has a power of 80% already.",
                lambda true, spread: _needed(true, spread) + 1,
            ),
            Mistake(
                "This is the rule for a known scatter. Here the scatter is measured with the same "
                "seeds, which takes a few more.",
                _known_scatter,
            ),
            Mistake(
                "This is the rule for a known scatter. Here the scatter is measured too, which "
                "takes a few seeds more.",
                _at_errors(2.8),
            ),
            Mistake(
                "A difference of 1.96 standard errors shows every second time: the power is 50%.",
                _at_errors(1.96),
            ),
            Mistake(
                "With so many seeds the difference shows every second time: the power is 50%.",
                lambda true, spread: _needed(true, spread, 0.5),
            ),
            Mistake(
                "95% is the level of the interval. The power should be 80%.",
                lambda true, spread: _needed(true, spread, 0.95),
            ),
            Mistake(
                "The power should be 80%, not 90%.",
                lambda true, spread: _needed(true, spread, 0.9),
            ),
            Mistake(
                "You ask for a chance of 20%. That is the chance to miss the difference.",
                lambda true, spread: _needed(true, spread, 0.2),
            ),
            Mistake(
                "You count two runs for each seed. The pairs are asked for.",
                lambda true, spread: 2 * _needed(true, spread),
            ),
            Mistake(
                "The scatter of a mean shrinks with the root of the seeds: square the ratio.",
                lambda true, spread: np.sqrt(_known_scatter(true, spread)).round(),
            ),
            Mistake(
                "The difference and the scatter are swapped.",
                lambda true, spread: _needed(spread, true if true > 0 else -true),
            ),
            Mistake(
                "This is the power of ten seeds. The number of seeds is asked for.",
                lambda true, spread: _power(true, spread, 10),
            ),
            Mistake(
                "This is right for a difference of 8 and a scatter of 20 only.",
                lambda true, spread: 52,
            ),
        ),
    ),
    AnswersExercise(
        label="compare-explain",
        asked={
            "half_width": Asked(
                8**0.5,
                {
                    4: "Half-widths do not add. Their squares do, as variances do.",
                    2: "This is the half-width of one mean. The difference has the luck of both.",
                    0: "Variances add, also if the means are subtracted.",
                    8: "The squares add up to 8. Take the root.",
                    2**0.5: "Each half-width is 2: square it before you add.",
                },
                rtol=5e-3,
            ),
            "does_the_difference_show": Asked(
                "yes, its interval leaves out 0",
                {
                    "no, the intervals of the means overlap": "Ask whether the interval of the "
                    "difference contains 0.",
                    "no, its interval contains 0": "The difference is 3. Compare it with the "
                    "half-width.",
                    "only equal seeds could tell": "Equal seeds help. Without them the interval "
                    "of the difference is wider, and still an interval.",
                },
            ),
            "if_an_interval_contains_0": Asked(
                "these seeds do not show a difference",
                {
                    "the methods perform equally": "A difference may be there, too small for "
                    "these seeds to show.",
                    "the methods are equal with a probability of 95%": "The 95% belong to the "
                    "interval. They are no probability that two methods are equal.",
                    "the two measurements were faulty": "A right measurement with few seeds often "
                    "has an interval that contains 0.",
                },
            ),
            "what_the_paper_should_add": Asked(
                "how large a difference five seeds would have shown",
                {
                    "the best of the five seeds": "A number that was chosen for being high is no "
                    "measurement.",
                    "the mean of the two methods together": "It does not say what five seeds "
                    "could have missed.",
                    "a second figure with smoother curves": "Smoothing hides scatter, and adds no "
                    "seeds.",
                },
            ),
        },
        checked="the half-width, and what an interval says and does not say",
    ),
)
