"""Exercises of chapter 14, beyond."""

from itertools import combinations, product
from typing import Any

import numpy as np

from dpgcourse.exercises.exercise import (
    AnswersExercise,
    Asked,
    Exercise,
    FunctionExercise,
    Mistake,
)

# --- The smallest value of M critics --------------------------------------------------------------

_CALLS = 800  # of the reader's function, with each input


def _redq_cases(rng):
    # the smallest value is neither among the first M nor among the last, where N is 4 or 6
    yield np.array([0.04, -0.48, 0.51]), 2
    yield np.array([0.31, -0.2]), 2
    yield np.array([0.22, -0.17, -0.52, 0.49]), 1
    yield np.array([-0.27, 0.26, -0.49, -0.1, 0.51, 0.02]), 2


def _drawn(answer: Any, q: np.ndarray, M: int) -> np.ndarray | None:
    """How often each critic's value is returned, and behind that the mean."""
    rng = np.random.default_rng(1)
    returned = [answer(q, M, rng) for _ in range(_CALLS)]
    if returned[0] is None:
        return None
    return _counted(q, [float(value) for value in returned])


def _counted(q: np.ndarray, returned: list[float]) -> np.ndarray:
    """The share of each critic among values returned, and their mean; no critic is beyond 1."""
    values = np.clip(returned, -1, 1)
    return np.append(np.isclose(values[:, None], q).mean(0), values.mean())


def _over_sets(choose):
    """What a choice gives, over all sets of M different critics."""
    return lambda q, M: _counted(q, [choose(q[list(x)]) for x in combinations(range(len(q)), M)])


def _with_repeats(q, M):
    return _counted(q, [q[list(x)].min() for x in product(range(len(q)), repeat=M)])


def _place_of_the_smallest(q, M):
    sets = combinations(range(len(q)), M)
    return _counted(q, [float(min(x, key=lambda i: q[i])) for x in sets])


def _place_among_the_drawn(q, M):
    return _counted(q, [float(place) for place in range(M)])


def _first_seed(q, M):
    drawn = np.random.default_rng(0).choice(len(q), size=M, replace=False)
    return _counted(q, [q[drawn].min()])


# --- The slope of a random policy -----------------------------------------------------------------

_NODES, _WEIGHT = np.polynomial.hermite_e.hermegauss(12)
_WEIGHT = _WEIGHT / _WEIGHT.sum()


def _slope(a):
    """The slope of a³, by a complex step."""
    return ((a + 1e-20j) ** 3).imag / 1e-20


def _mean_and_gap(u, sigma):
    mean = _WEIGHT @ _slope(u + sigma * _NODES)
    return mean, mean - _slope(u)


def _pair(mean, gap):
    """A mean and a gap, each a function of u and sigma."""
    return lambda u, sigma: (mean(u, sigma), gap(u, sigma))


def _with_mean(mean):
    """A wrong mean, and the gap that follows from it."""
    return lambda u, sigma: (mean(u, sigma), mean(u, sigma) - 3 * u**2)


def _right_mean(u, sigma):
    return _mean_and_gap(u, sigma)[0]


# --- Targets over several steps -------------------------------------------------------------------


def _ends_cases(rng):
    flags = (
        [[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 1, 1]],
        [[0, 0]],
        [[1], [0], [1]],
        [[0, 0, 1, 0]],
        [[0, 0, 0, 0, 0], [0, 1, 0, 0, 0]],
    )
    for ended, gamma in zip(flags, (0.5, 0.9, 0.8, 0.98, 0.7), strict=True):
        terminated = np.array(ended, dtype=bool)
        B, n = terminated.shape
        r, q_end = rng.normal(size=(B, n)).round(2), rng.normal(3, 1, size=B).round(2)
        yield r, terminated, q_end, gamma


def _targets(
    first=0,  # power of the first discount
    last=0,  # added to the power of the last discount
    stops=True,  # whether rewards behind an end are left out
    drops=False,  # whether the reward of the ending step is left out too
    cuts=True,  # whether an end leaves no value
    looks_at_last=False,  # whether only the last flag is looked at
    discounts=True,  # whether rewards are discounted
    inverted=False,  # whether a value follows where the task ended
):
    """Targets by a loop over single steps, with a mistake or without."""

    def gives(r, terminated, q_end, gamma):
        y = []
        for rewards_of_row, flags, value in zip(r, terminated, q_end, strict=True):
            total, alive = 0.0, True
            for k, (reward, flag) in enumerate(zip(rewards_of_row, flags, strict=True)):
                counted = (alive and not (drops and flag)) or not stops
                total += counted * reward * (gamma if discounts else 1) ** (k + first)
                alive = alive and not flag
            n = len(flags)
            left = not flags[-1] if looks_at_last else alive
            left = (left != inverted) or not cuts
            y.append(total + left * gamma ** (n + last) * value)
        return np.array(y)

    return gives


def _one_step_at_a_time(r, terminated, q_end, gamma):
    """The right targets, from the last step to the first."""
    y = q_end.astype(float)
    for k in reversed(range(r.shape[1])):
        y = r[:, k] + gamma * np.where(terminated[:, k], 0.0, y)
    return y


def _without_power(r, terminated, q_end, gamma):
    alive = ~terminated.any(1)
    total = _one_step_at_a_time(r, terminated, 0 * q_end, gamma)
    return total + alive * gamma * q_end


def _last_reward_alone(r, terminated, q_end, gamma):
    return r[:, -1] + gamma * np.where(terminated[:, -1], 0, q_end)


def _mean_of_rewards(r, terminated, q_end, gamma):
    n = r.shape[1]
    value = _one_step_at_a_time(r, terminated, q_end, gamma)
    total = _one_step_at_a_time(r, terminated, 0 * q_end, gamma)
    return value - total + total / n


_KINK = "it is the slope of the critic that is smaller there"
_B = 3 / np.sqrt(np.pi)  # 2 × the mean of the largest of three standard normal numbers

EXERCISES: tuple[Exercise, ...] = (
    AnswersExercise(
        label="beyond-three",
        asked={
            "bias_of_a_target": Asked(
                _B,
                {
                    _B / 2: "This is for standard normal errors. Here ς is 2.",
                    2 * _B: "The bias grows as ς, not as its square.",
                    2 / np.sqrt(np.pi): "This is the largest of two. The actor chooses among "
                    "three.",
                    0: "Each error has mean 0, but the largest of three has not.",
                    0.99 * _B: "This is what a target adds, γb. The bias with which it reads the "
                    "next value is b.",
                },
                rtol=4e-3,
            ),
            "critic_too_high": Asked(
                99 * _B,
                {
                    100 * _B: "The bias enters a target with the factor γ.",
                    99 * _B / 2: "This is for standard normal errors. Here ς is 2.",
                    99 * 2 / np.sqrt(np.pi): "This is the largest of two. The actor chooses among "
                    "three.",
                    _B: "This is the bias of one target. The next value has been fitted to such "
                    "targets too.",
                    0.99 * _B: "This is the bias of one target. The next value has been fitted to "
                    "such targets too.",
                    49 * _B: "The chapter's factor belongs to γ = 0.98.",
                },
                rtol=4e-3,
            ),
        },
        checked="the bias of one target, and where the critic settles",
    ),
    FunctionExercise(
        label="beyond-redq",
        name="redq_value",
        parameters=("q", "M", "rng"),
        cases=_redq_cases,
        right=_over_sets(np.min),
        use=_drawn,
        checked=f"{_CALLS} calls with each of four inputs: the share of every critic, and the mean",
        mistakes=(
            Mistake("A critic can be drawn twice. The M critics must be different.", _with_repeats),
            Mistake(
                "You return the largest value. The target takes the smallest.", _over_sets(np.max)
            ),
            Mistake(
                "You take the smallest of all N values. Draw M of them first.",
                lambda q, M: _counted(q, [q.min()]),
            ),
            Mistake(
                "You always take the first M critics. Draw them at random at every call.",
                lambda q, M: _counted(q, [q[:M].min()]),
            ),
            Mistake(
                "You always take the last M critics. Draw them at random at every call.",
                lambda q, M: _counted(q, [q[-M:].min()]),
            ),
            Mistake(
                "You return the value of one critic drawn at random. Draw M, and take the "
                "smallest of them.",
                lambda q, M: _counted(q, list(q)),
            ),
            Mistake(
                "You average the drawn values. The target takes the smallest of them.",
                _over_sets(np.mean),
            ),
            Mistake(
                "You return the number of a critic. Its value is asked for.",
                _place_of_the_smallest,
            ),
            Mistake(
                "You return a place among the drawn values. The value there is asked for.",
                _place_among_the_drawn,
            ),
            Mistake(
                "You draw among the M smallest values. Draw among all N, then take the smallest.",
                lambda q, M: _counted(q, list(np.sort(q)[:M])),
            ),
            Mistake(
                "A generator that is made inside the function draws the same critics at every "
                "call. Use `rng`.",
                _first_seed,
            ),
        ),
        atol=0.09,
    ),
    AnswersExercise(
        label="beyond-explain",
        asked={
            "slope_of_the_minimum": Asked(
                _KINK,
                {
                    "it is the smaller of the two slopes": "Not the slopes are compared, but the "
                    "values.",
                    "it is the mean of the two slopes": "Near such an action one critic alone is "
                    "the minimum.",
                    "it is always the slope of the first critic": "Where Q₂ is smaller, the "
                    "minimum is Q₂.",
                },
            ),
            "where_the_two_cross": Asked(
                "the slope jumps",
                {
                    "the slope is zero": "On both sides of the crossing the slope keeps its size.",
                    "the slope changes smoothly": "Left of the crossing one critic gives the "
                    "slope, right of it the other.",
                    "nothing happens": "The two critics have different slopes there.",
                },
            ),
            "actor_ends_at": Asked(
                0,
                {
                    2: "This is a slope, not an action.",
                    1: "At 1 the minimum is −a: it rises toward smaller actions.",
                    -1: "At −1 the minimum is 2a: it rises toward larger actions.",
                },
            ),
            "which_method": Asked(
                "SAC",
                {
                    "TD3": "TD3's actor climbs the first critic. The smaller value is in its "
                    "target alone.",
                    "DDPG": "DDPG has one critic.",
                    "REDQ": "REDQ's actor climbs the mean of its critics.",
                },
            ),
        },
        checked="the slope, the crossing, where the actor ends, and the method",
    ),
    FunctionExercise(
        label="beyond-svg",
        name="mean_and_gap",
        parameters=("u", "sigma"),
        cases=lambda rng: [
            (0.4, 0.7),
            (-1.5, 0.3),
            (0.0, 1.0),
            (2.0, 0.0),
            *rng.uniform(0.2, 2, size=(8, 2)).round(2).tolist(),
        ],
        right=_mean_and_gap,
        checked="12 pairs of u and σ, the mean by quadrature",
        mistakes=(
            Mistake(
                "This is the slope at the mean action: the noise is missing.",
                _with_mean(lambda u, sigma: 3 * u**2),
            ),
            Mistake(
                "The mean of ε² is 1, and σ² stays in front of it; you have σ.",
                _with_mean(lambda u, sigma: 3 * u**2 + 3 * sigma),
            ),
            Mistake(
                "The mean of ε is 0, so the mixed term vanishes.",
                _with_mean(lambda u, sigma: 3 * (u + sigma) ** 2),
            ),
            Mistake(
                "The factor 3 multiplies the whole square.",
                _with_mean(lambda u, sigma: 3 * u**2 + sigma**2),
            ),
            Mistake(
                "This is the mean of Q. The mean of its slope is asked for.",
                _with_mean(lambda u, sigma: u**3 + 3 * u * sigma**2),
            ),
            Mistake(
                "This is the mean of Q, and its distance from Q at the mean action. The mean "
                "of the slope is asked for.",
                _pair(lambda u, sigma: u**3 + 3 * u * sigma**2, lambda u, sigma: 3 * u * sigma**2),
            ),
            Mistake(
                "The gap is the mean minus the slope at u, not the reverse.",
                _pair(_right_mean, lambda u, sigma: -3 * sigma**2),
            ),
            Mistake(
                "The gap takes the slope of the second derivative 6a, not 6a itself.",
                _pair(_right_mean, lambda u, sigma: 3 * u * sigma**2),
            ),
            Mistake(
                "Taylor's formula has the factor 1/2 at the second derivative.",
                _pair(_right_mean, lambda u, sigma: 6 * sigma**2),
            ),
            Mistake(
                "Taylor's formula has the factor 1/2 at the second derivative.",
                _with_mean(lambda u, sigma: 3 * u**2 + 6 * sigma**2),
            ),
            Mistake(
                "The second value is the slope at u. The gap is the distance from it.",
                _pair(_right_mean, lambda u, sigma: 3 * u**2),
            ),
            Mistake("The gap is missing: return the mean and the gap.", _right_mean),
            Mistake(
                "The mean is missing: return the mean and the gap.", lambda u, sigma: 3 * sigma**2
            ),
        ),
    ),
    FunctionExercise(
        label="beyond-ends",
        name="targets_with_ends",
        parameters=("r", "terminated", "q_end", "gamma"),
        cases=_ends_cases,
        right=_one_step_at_a_time,
        checked="five batches of 1 to 5 rows, with n from 1 to 5, and ends at every step",
        mistakes=(
            Mistake(
                "The ends are ignored. Behind an end there is neither reward nor value.",
                _targets(stops=False, cuts=False),
            ),
            Mistake("A value follows although the task has ended.", _targets(cuts=False)),
            Mistake(
                "Rewards behind an end are counted. They belong to the next episode.",
                _targets(stops=False),
            ),
            Mistake(
                "The reward of the step that ends the task is lost. It is paid.",
                _targets(drops=True),
            ),
            Mistake(
                "Only the last of the n flags is looked at. The task may end before.",
                _targets(stops=False, looks_at_last=True),
            ),
            Mistake(
                "Only the last of the n flags decides about the value. The task may end before.",
                _targets(looks_at_last=True),
            ),
            Mistake("The value is discounted by γ. It comes n steps later.", _without_power),
            Mistake("The value is discounted once too little.", _targets(last=-1)),
            Mistake("The value is discounted once too much.", _targets(last=1)),
            Mistake(
                "The first reward is discounted. It comes at once, with the factor 1.",
                _targets(first=1),
            ),
            Mistake("The rewards are not discounted.", _targets(discounts=False)),
            Mistake(
                "The flag has the wrong sense: a value follows where the task did not end.",
                _targets(inverted=True),
            ),
            Mistake("The rewards are averaged. The target adds them up.", _mean_of_rewards),
            Mistake("Only one reward is used. The target adds up n of them.", _last_reward_alone),
            Mistake(
                "Each row has its own target. You return the mean of them.",
                lambda *case: _one_step_at_a_time(*case).mean(),
            ),
            Mistake(
                "Each row has its own target. You return the sum of them.",
                lambda *case: _one_step_at_a_time(*case).sum(),
            ),
        ),
    ),
)
