"""Exercises of chapter 15, a real task."""

import numpy as np

from dpgcourse.exercises.exercise import (
    AnswersExercise,
    Asked,
    Exercise,
    FunctionExercise,
    Mistake,
)


def _to_go(n: int, gamma: float = 0.99) -> float:
    """The value of n rewards of 1, added one after the other."""
    return sum(gamma**k for k in range(n))


# --- Observations, scaled -------------------------------------------------------------------------


def _scaled_cases(rng):
    for N, d, B in ((50, 3, 4), (200, 2, 1), (30, 5, 6)):
        deviation = 10.0 ** rng.uniform(-2, 1, size=d)
        seen = (rng.normal(1, 1, size=(N, d)) * deviation).round(4)
        s = (rng.normal(1, 1, size=(B, d)) * deviation).round(4)
        s[0, 0] += 40 * deviation[0]  # beyond ten deviations
        seen[:, -1] = 0.5  # an entry that never changes
        s[:, -1] = 0.5 + rng.normal(0, 1, size=B).round(2)
        yield seen, s


def _scaled(center=True, power=0.5, clipped=True, axis=0, freedom=0, guarded=True, own=False):
    """Scaled states by sums of squares, with a mistake or without."""

    def gives(seen, s):
        data = s if own else seen
        count = data.size if axis is None else len(data)
        mean = data.sum(axis) / count
        variance = (data**2).sum(axis) / count - mean**2
        variance = np.maximum(variance, 0) * count / max(count - freedom, 1)
        deviation = np.where(variance < 1e-15, 0, variance) ** power
        if guarded:
            deviation = np.where(deviation == 0, 1, deviation)
        with np.errstate(all="ignore"):
            scaled = (s - mean * center) / deviation
        return np.clip(scaled, -10, 10) if clipped else scaled

    return gives


# --- Noise in a box -------------------------------------------------------------------------------


def _box_cases(rng):
    yield np.array([-0.5, 0.9]), np.array([0.1, 0.3]), np.array([-1.0, -1.0]), np.array([1.0, 1.0])
    yield np.array([0.5]), np.array([-0.2]), np.array([-3.0]), np.array([3.0])
    for m in (3, 4):
        low = -rng.uniform(0.5, 3, size=m).round(1)
        high = rng.uniform(1, 5, size=m).round(1)
        a = low + (high - low) * rng.uniform(size=m).round(2)
        a[0] = high[0]
        eps = rng.normal(0, 0.3, size=m).round(2)
        eps[0] = abs(eps[0]) + 0.1  # out of the box
        yield a, eps, low, high


def _explored(scale=lambda low, high: (high - low) / 2, shared=False, clipped=True):
    """An action with noise, entry by entry, with a mistake or without."""

    def gives(a, eps, low, high):
        widths = np.broadcast_to(scale(low, high), a.shape)
        noisy = [x + (eps[0] if shared else e) * w for x, e, w in zip(a, eps, widths, strict=True)]
        if clipped:
            noisy = [min(max(x, lo), hi) for x, lo, hi in zip(noisy, low, high, strict=True)]
        return np.array(noisy)

    return gives


_NOT_SHOWN = "these five seeds do not show that A is better"

EXERCISES: tuple[Exercise, ...] = (
    AnswersExercise(
        label="real-horizon",
        asked={
            "value_with_20_to_go": Asked(
                _to_go(20),
                {
                    20: "This is the sum without discounts.",
                    _to_go(19): "This is the value of 19 steps.",
                    _to_go(21): "This is the value of 21 steps.",
                    0.99 * _to_go(20): "The first reward comes at once. It has the factor 1.",
                    _to_go(20, 0.98): "The chapter's γ is 0.98. Here it is 0.99.",
                    100: "This is the value of a task without an end.",
                },
                rtol=4e-3,
            ),
            "value_without_end": Asked(
                100,
                {
                    50: "The chapter's γ is 0.98. Here it is 0.99.",
                    99: "The first reward comes at once. It has the factor 1.",
                    20: "The end is ignored, so the sum goes on behind the 20 steps.",
                    _to_go(20): "This is the value with the end.",
                },
                rtol=4e-3,
            ),
            "steps_for_half": Asked(
                69,
                {
                    50: "After 50 steps a share of 0.99⁵⁰ = 0.61 is still to come.",
                    34: "The chapter's γ is 0.98. Here it is 0.99.",
                    35: "The chapter's γ is 0.98. Here it is 0.99.",
                    70: "Solve γⁿ = 1/2; the nearest whole number is asked for.",
                    68: "Solve γⁿ = 1/2; the nearest whole number is asked for.",
                },
                rtol=2e-3,
            ),
        },
        checked="the value with the end, the value without it, and where half of it is reached",
    ),
    FunctionExercise(
        label="real-normalize",
        name="scaled",
        parameters=("seen", "s"),
        cases=_scaled_cases,
        right=_scaled(),
        checked="three memories with entries of very different sizes, one that never changes, and "
        "states far away",
        rtol=1e-5,
        atol=1e-6,
        mistakes=(
            Mistake(
                "You scale with the statistics of the states themselves. They come from what was "
                "seen before.",
                _scaled(own=True),
            ),
            Mistake("The bound is missing: nothing is beyond ±10.", _scaled(clipped=False)),
            Mistake(
                "An entry that never changed has the deviation 0. Divide it by 1 instead.",
                _scaled(guarded=False),
            ),
            Mistake(
                "One mean and one deviation for all entries. Each entry has its own.",
                _scaled(axis=None),
            ),
            Mistake("You divide by the variance. Take its root.", _scaled(power=1.0)),
            Mistake("The mean is not subtracted.", _scaled(center=False)),
            Mistake(
                "You divide the squares by N − 1. The package divides them by N.",
                _scaled(freedom=1),
            ),
            Mistake(
                "You return the mean. The scaled states are asked for.", lambda n, s: n.mean(0)
            ),
        ),
    ),
    FunctionExercise(
        label="real-box",
        name="explore",
        parameters=("a", "eps", "low", "high"),
        cases=_box_cases,
        right=_explored(),
        checked="four boxes with one to four entries, with different centers and widths",
        mistakes=(
            Mistake(
                "All entries get the first noise. Each entry has its own.", _explored(shared=True)
            ),
            Mistake(
                "The noise is in half-ranges of the box. Multiply it by them.",
                _explored(scale=lambda low, high: 1.0),
            ),
            Mistake(
                "You multiply by the whole width of the box. Take half of it.",
                _explored(scale=lambda low, high: high - low),
            ),
            Mistake(
                "You take the upper bound for the half-range. That is right only for a box around "
                "0.",
                _explored(scale=lambda low, high: high),
            ),
            Mistake("The action leaves the box. Clip it.", _explored(clipped=False)),
            Mistake(
                "You clip to [−1, 1]. The box has its own bounds.",
                lambda a, eps, low, high: np.clip(a + eps * (high - low) / 2, -1, 1),
            ),
        ),
    ),
    AnswersExercise(
        label="real-explain",
        asked={
            "score_of_the_seed": Asked(
                28,
                {
                    1000: "This evaluation was chosen because it is high.",
                    1000 - 972 / 30: "The mean over a run is another measure. The one that was "
                    "fixed is the last policy.",
                },
                rtol=1e-3,
            ),
            "what_follows": Asked(
                _NOT_SHOWN,
                {
                    "A is better": "The interval contains 0, so the luck of the seeds can explain "
                    "the difference.",
                    "A and B are equally good": "A comparison that shows nothing can have missed "
                    "something: look at what it would have shown.",
                    "B is better on other seeds": "Nothing was measured on other seeds.",
                },
            ),
            "which_is_higher": Asked(
                "the maximum over time",
                {
                    "the last evaluation": "The maximum over time is taken over all evaluations, "
                    "and the last one is among them.",
                    "neither, on average": "A maximum over several noisy numbers is above their "
                    "mean, on average.",
                },
            ),
        },
        checked="the score, what five seeds say, and which measure is higher",
    ),
)
