"""Exercises of chapter 9, replay, targets, exploration."""

from collections.abc import Callable

import numpy as np

from dpgcourse.exercises.exercise import AnswersExercise, Asked, FunctionExercise, Mistake


def _summed_spread(theta, sigma):
    """The spread as a sum: a kick of j steps ago is left with the factor (1 − θ)^j."""
    return sigma * np.sqrt(((1 - theta) ** (2 * np.arange(5000))).sum())


def _discounts(T, gamma):
    """Row t holds the discount of each reward, seen from step t; what is past has weight 0."""
    ahead = np.arange(T) - np.arange(T)[:, None]
    return np.where(ahead >= 0, gamma ** np.maximum(ahead, 0.0), 0.0)


def _values(r, worth, gamma, end_power=0):
    """Sums of discounted rewards to come, if the state after the last step has this worth."""
    to_end = np.arange(len(r), 0, -1) + end_power
    return _discounts(len(r), gamma) @ r + gamma**to_end * worth


def _with_worth(worth: Callable) -> Callable:
    """A mistake in what the state after the last step is worth."""

    def gives(r, terminated, truncated, value_end, gamma):
        return _values(r, worth(terminated, truncated) * value_end, gamma)

    return gives


def _true_values(r, terminated, truncated, value_end, gamma):
    return _values(r, (not terminated) * value_end, gamma)


def _episodes(rng):
    for T, gamma in ((5, 0.9), (1, 0.5), (12, 0.8)):
        for bits in ((False, True), (True, False), (False, False), (True, True)):
            yield rng.normal(size=T).round(2), *bits, round(rng.uniform(2, 9), 2), gamma


EXERCISES = (
    AnswersExercise(
        label="mech-lag",
        asked={
            "updates_behind": Asked(
                99,
                {
                    100: "The mean of j begins at j = 0: the newest w is in the average, too.",
                    69: "After 69 updates a copy has moved half of the way after one jump. "
                    "Here w moves at every update.",
                    9900: "This is 1 − τ divided by τ². Divide by τ once.",
                    0.01010101: "This is the formula upside down: a small τ makes a long lag.",
                    0.99: "This is 1 − τ. Sum the series over j.",
                },
            ),
            "lag": Asked(
                1.8,
                {
                    9: "This is the lag in updates. At each of them w grows by c.",
                    2: "The mean of j begins at j = 0: the newest w is in the average, too.",
                    0.02222222: "The formula is upside down: a small τ makes a long lag.",
                    45: "Multiply by c; do not divide by it.",
                    0.18: "This is c(1 − τ). Sum the series over j.",
                },
            ),
            "updates_behind_at_one": Asked(
                0,
                {
                    1: "At τ = 1 the copy takes the newest w after every update.",
                    -1: "A copy is never ahead of w.",
                },
            ),
        },
        checked="the lag at three values of τ",
    ),
    FunctionExercise(
        label="mech-euler",
        name="euler_spread",
        parameters=("theta", "sigma"),
        cases=lambda rng: [
            (0.15, 0.2),
            (1.0, 0.7),
            (1.6, 0.5),
            *rng.uniform((0.05, 0.1), (1.9, 3), size=(12, 2)).round(2).tolist(),
        ],
        right=_summed_spread,
        checked="15 pairs of θ and σ, by a sum over all kicks",
        mistakes=(
            Mistake(
                "This is the spread of the process in continuous time. The Euler step has another.",
                lambda theta, sigma: sigma / np.sqrt(2 * theta),
            ),
            Mistake(
                "This is the variance. The standard deviation is asked for.",
                lambda theta, sigma: _summed_spread(theta, sigma) ** 2,
            ),
            Mistake(
                "The step multiplies x by 1 − θ, so it multiplies the variance by (1 − θ)².",
                lambda theta, sigma: sigma / np.sqrt(theta),
            ),
            Mistake(
                "The kick σξ has the variance σ², not σ.",
                lambda theta, sigma: _summed_spread(theta, 1) * np.sqrt(sigma),
            ),
            Mistake(
                "Add variances, not standard deviations: x and the kick are independent.",
                lambda theta, sigma: sigma / theta,
            ),
            Mistake(
                "Add variances, not standard deviations: x and the kick are independent.",
                lambda theta, sigma: sigma / (1 - abs(1 - theta)),
            ),
            Mistake(
                "In V = (1 − θ)²V + σ² the terms with V stand on two sides: one is subtracted.",
                lambda theta, sigma: sigma / np.sqrt(1 + (1 - theta) ** 2),
            ),
            Mistake(
                "This is the spread after one step from 0. Go on until it no longer changes.",
                lambda theta, sigma: sigma,
            ),
            Mistake(
                "This is the spread after two steps from 0. Go on until it no longer changes.",
                lambda theta, sigma: sigma * np.sqrt(1 + (1 - theta) ** 2),
            ),
            Mistake(
                "The Euler step keeps the part 1 − θ of x, not exp(−θ).",
                lambda theta, sigma: sigma / np.sqrt(1 - np.exp(-2 * theta)),
            ),
            Mistake(
                "(1 − θ)² is 1 − 2θ + θ²: look at the sign of θ² in 1 − (1 − θ)².",
                lambda theta, sigma: sigma / np.sqrt(theta * (2 + theta)),
            ),
            Mistake(
                "You multiply by the root where you must divide by it.",
                lambda theta, sigma: sigma**2 / _summed_spread(theta, sigma),
            ),
        ),
    ),
    AnswersExercise(
        label="mech-gamma",
        asked={
            "trace": Asked(
                -0.15,
                {
                    -0.3: "This is the sum over both transitions. G is their mean.",
                    -0.5: "γ is missing.",
                    3: "This is at γ = 0.",
                    -0.4: "This is state 1 alone. Both transitions are in the batch.",
                    -0.8: "This is state 1 alone. Both transitions are in the batch.",
                    0.3: "Both states lead to state 2, so φ' is (2, 1) in both.",
                    1.2: "Both states lead to state 2, so φ' is (2, 1) in both.",
                    0.5: "This is state 2 alone. Both transitions are in the batch.",
                    0.25: "This is state 2 alone. Both transitions are in the batch.",
                },
            ),
            "determinant": Asked(
                0.025,
                {
                    0.1: "This is the sum over both transitions. G is their mean.",
                    0.05: "The mean divides every entry of G by 2, so the determinant by 4.",
                    0: "γ is missing.",
                    0.0025: "Both states lead to state 2, so φ' is (2, 1) in both.",
                    0.25: "This is at γ = 0.",
                    -0.045: "Of the other two entries one is negative, so their product is, too.",
                    -0.01: "The product of the other two entries is missing.",
                },
            ),
            "edge": Asked(
                6 / 7,
                {
                    5 / 6: "There the first entry of G becomes 0. Not one entry decides.",
                    2 / 3: "There the second entry of G becomes 0. The trace decides.",
                    1: "There the determinant is 0. Before, it is positive: use the trace.",
                    7 / 6: "This is the edge upside down; γ is at most 1.",
                    0.86: "Give the edge as a fraction, or with three digits.",
                    0.5: "This is the edge for state 1 alone. Both transitions are in the batch.",
                },
            ),
            "at_the_edge": Asked(
                "it runs away",
                {
                    "it converges for small steps": "There the eigenvalues of G are ±ib. "
                    "How large is 1 − iαb?",
                    "the error keeps its size": "There the eigenvalues of G are ±ib, and the size "
                    "of 1 − iαb is not 1.",
                },
            ),
        },
        checked="the trace and the determinant at γ = 0.9, the edge, and what happens there",
    ),
    FunctionExercise(
        label="mech-episode",
        name="episode_values",
        parameters=("r", "terminated", "truncated", "value_end", "gamma"),
        cases=_episodes,
        right=_true_values,
        checked="12 episodes of 1, 5 and 12 steps, with all four pairs of bits",
        mistakes=(
            Mistake(
                "You count a truncation as an end of the task. Only a termination is one.",
                _with_worth(lambda terminated, truncated: not (terminated or truncated)),
            ),
            Mistake(
                "The state after the last step is worth something, unless the task terminated.",
                _with_worth(lambda terminated, truncated: 0),
            ),
            Mistake(
                "After a termination no reward can follow: the last state is worth nothing.",
                _with_worth(lambda terminated, truncated: 1),
            ),
            Mistake(
                "You use the other bit. Which of the two says that no reward can follow?",
                _with_worth(lambda terminated, truncated: not truncated),
            ),
            Mistake(
                "If both bits are 0, the task goes on as well. With both bits 1 it has ended.",
                _with_worth(lambda terminated, truncated: truncated),
            ),
            Mistake(
                "If both bits are 0, the task goes on as well.",
                _with_worth(lambda terminated, truncated: truncated and not terminated),
            ),
            Mistake(
                "You use the bit terminated the wrong way round.",
                _with_worth(lambda terminated, truncated: terminated),
            ),
            Mistake(
                "If both bits are 1, the task has ended.",
                _with_worth(lambda terminated, truncated: truncated or not terminated),
            ),
            Mistake(
                "The value of the last state comes one step after the last reward: a γ is missing.",
                lambda r, term, trunc, v, gamma: _values(r, (not term) * v, gamma, -1),
            ),
            Mistake(
                "The value of the last state has one γ too many.",
                lambda r, term, trunc, v, gamma: _values(r, (not term) * v, gamma, 1),
            ),
            Mistake(
                "The discount is missing.",
                lambda r, term, trunc, v, gamma: _values(r, (not term) * v, 1.0),
            ),
            Mistake(
                "The value of the last state is not discounted: it lies several steps ahead.",
                lambda r, term, trunc, v, gamma: _values(r, 0, gamma) + (not term) * v,
            ),
            Mistake(
                "Count the discount from step t, not from the start of the episode.",
                lambda r, term, trunc, v, gamma: (
                    gamma ** np.arange(len(r)) * _true_values(r, term, trunc, v, gamma)
                ),
            ),
            Mistake(
                "Each of your sums holds one reward. All later ones follow, too.",
                lambda r, term, trunc, v, gamma: r + gamma * (not term) * v,
            ),
            Mistake(
                "Your sums hold the rewards so far. A value looks ahead.",
                lambda r, term, trunc, v, gamma: np.cumsum(gamma ** np.arange(len(r)) * r),
            ),
            Mistake(
                "The reward of step t itself belongs to the sum from step t on.",
                lambda r, term, trunc, v, gamma: _true_values(r, term, trunc, v, gamma) - r,
            ),
            Mistake(
                "This is the sum from the first step alone. There is one for each step.",
                lambda r, term, trunc, v, gamma: _true_values(r, term, trunc, v, gamma)[0],
            ),
        ),
    ),
    AnswersExercise(
        label="mech-clock",
        asked={
            "value_at_start": Asked(
                8.784,
                {
                    10: "This is the value if the task goes on forever. With this bit the sum "
                    "ends after 20 rewards.",
                    6.897: "This is what a critic learns that cannot see the clock.",
                    9.55: "This is what the mean of the targets would be if every value were 10.",
                    8.649: "This is the sum of 19 rewards. An episode pays 20.",
                    8.906: "This is the sum of 21 rewards. An episode pays 20.",
                    20: "The discount is missing.",
                    1: "That is the value at the last step. At the start 20 rewards are to come.",
                },
            ),
            "value_at_last_step": Asked(
                1,
                {
                    0: "The last step still pays its reward.",
                    10: "This is the value if the task goes on forever. With this bit the last "
                    "target is r alone.",
                    1.9: "This is the value one step earlier.",
                    0.9: "The reward of a step is not discounted in its own target.",
                },
            ),
            "what_the_critic_answers": Asked(
                "how much is to come before the clock runs out",
                {
                    "how much the endless task pays": "That is 10 at every t. What does the "
                    "critic learn at the last step?",
                    "how much was paid so far": "A value looks ahead.",
                    "nothing, its targets contradict": "Each t has one target now, so they agree.",
                },
            ),
            "when_this_bit_is_right": Asked(
                "if the task ends after 20 steps",
                {
                    "always": "If only our loop stops the task, rewards could still follow.",
                    "never": "There are tasks that end at a fixed time, and the clock is part of "
                    "their state.",
                    "if γ is small": "A small γ makes the mistake smaller, not right.",
                },
            ),
        },
        checked="both values, the question that the critic answers, and when the bit is right",
    ),
)
