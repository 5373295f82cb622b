"""Attempts at the exercises of chapter 9."""

import math

import numpy as np
import torch

from tests.exercises.attempts import Right, Wrong

LAG = {"updates_behind": 99, "lag": 1.8, "updates_behind_at_one": 0}
GAMMA = {"trace": -0.15, "determinant": 0.025, "edge": 0.857, "at_the_edge": "it runs away"}
CLOCK = {
    "value_at_start": 8.78,
    "value_at_last_step": 1,
    "what_the_critic_answers": "how much is to come before the clock runs out",
    "when_this_bit_is_right": "if the task ends after 20 steps",
}


def spread(theta, sigma):
    return sigma / math.sqrt(1 - (1 - theta) ** 2)


def spread_by_steps(theta, sigma):
    variance = 0.0
    for _ in range(2000):
        variance = (1 - theta) ** 2 * variance + sigma**2
    return variance**0.5


def variance_only(theta, sigma):
    return sigma**2 / (theta * (2 - theta))


def factor_not_squared(theta, sigma):
    variance = 0.0
    for _ in range(2000):
        variance = (1 - theta) * variance + sigma**2
    return variance**0.5


def kick_not_squared(theta, sigma):
    return math.sqrt(sigma / (2 * theta - theta**2))


def adds_deviations(theta, sigma):
    spread = 0.0
    for _ in range(2000):
        spread = abs(1 - theta) * spread + sigma
    return spread


def adds_deviations_signed(theta, sigma):
    return sigma / (1 - (1 - theta))


def backward(r, terminated, truncated, value_end, gamma):
    values, value = [], 0 if terminated else value_end
    for reward in r[::-1]:
        value = reward + gamma * value
        values.insert(0, value)
    return values


def forward(r, terminated, truncated, value_end, gamma):
    r = torch.as_tensor(np.append(r, value_end * (1 - terminated)))
    power = gamma ** torch.arange(len(r), dtype=torch.float64)
    return torch.stack([(power[: len(r) - t] * r[t:]).sum() for t in range(len(r) - 1)])


def starting_from(value_at_end):
    def answer(r, terminated, truncated, value_end, gamma):
        value = value_at_end(terminated, truncated, value_end)
        out = np.empty(len(r))
        for t in range(len(r) - 1, -1, -1):
            value = r[t] + gamma * value
            out[t] = value
        return out

    return answer


def last_without_gamma(r, terminated, truncated, value_end, gamma):
    r = r.copy()
    r[-1] += 0 if terminated else value_end
    return backward(r, True, truncated, value_end, gamma)


def gamma_twice(r, terminated, truncated, value_end, gamma):
    return backward(r, terminated, truncated, gamma * value_end, gamma)


def undiscounted(r, terminated, truncated, value_end, gamma):
    return backward(r, terminated, truncated, value_end, 1)


def end_added(r, terminated, truncated, value_end, gamma):
    end = value_end * (1 - terminated)
    return [value + end for value in backward(r, True, truncated, 0, gamma)]


def from_the_start(r, terminated, truncated, value_end, gamma):
    T = len(r)
    end = 0 if terminated else gamma**T * value_end
    return [sum(gamma**k * r[k] for k in range(t, T)) + end for t in range(T)]


def one_reward(r, terminated, truncated, value_end, gamma):
    return r + gamma * value_end * (1 - terminated)


def so_far(r, terminated, truncated, value_end, gamma):
    total, sums = 0, []
    for t, reward in enumerate(r):
        total += gamma**t * reward
        sums.append(total)
    return sums


def one_late(r, terminated, truncated, value_end, gamma):
    value, out = (0 if terminated else value_end), []
    for reward in reversed(r):
        out.append(gamma * value)
        value = reward + gamma * value
    return out[::-1]


def backwards(*case):
    return backward(*case)[::-1]


RIGHT = [
    Right("mech-lag", LAG),
    Right("mech-lag", {"updates_behind": 99.0, "lag": 0.2 * 0.9 / 0.1, "updates_behind_at_one": 0}),
    Right("mech-euler", spread),
    Right("mech-euler", spread_by_steps),
    Right("mech-gamma", GAMMA),
    Right("mech-gamma", {**GAMMA, "edge": 6 / 7}),
    Right("mech-episode", backward),
    Right("mech-episode", forward),
    Right("mech-clock", CLOCK),
]

WRONG = [
    Wrong("mech-lag", "1/τ", {**LAG, "updates_behind": 100}, "begins at j = 0"),
    Wrong("mech-lag", "half-life", {**LAG, "updates_behind": 69}, "after one jump"),
    Wrong("mech-lag", "upside down", {**LAG, "updates_behind": 0.01 / 0.99}, "upside down"),
    Wrong("mech-lag", "without c", {**LAG, "lag": 9}, "lag in updates"),
    Wrong("mech-lag", "c/τ", {**LAG, "lag": 0.2 / 0.1}, "begins at j = 0"),
    Wrong("mech-lag", "divides by c", {**LAG, "lag": 9 / 0.2}, "do not divide"),
    Wrong("mech-lag", "one late", {**LAG, "updates_behind_at_one": 1}, "takes the newest w"),
    Wrong(
        "mech-euler", "exact", lambda theta, sigma: sigma / (2 * theta) ** 0.5, "continuous time"
    ),
    Wrong("mech-euler", "variance", variance_only, "the variance."),
    Wrong("mech-euler", "1 − θ once", factor_not_squared, "(1 − θ)²."),
    Wrong("mech-euler", "σ for σ²", kick_not_squared, "variance σ²"),
    Wrong("mech-euler", "adds deviations", adds_deviations, "Add variances"),
    Wrong("mech-euler", "adds deviations, signed", adds_deviations_signed, "Add variances"),
    Wrong(
        "mech-euler",
        "plus for minus",
        lambda theta, sigma: math.sqrt(sigma**2 / (1 + (1 - theta) ** 2)),
        "subtracted",
    ),
    Wrong("mech-euler", "one step", lambda theta, sigma: sigma, "after one step"),
    Wrong(
        "mech-euler",
        "two steps",
        lambda theta, sigma: math.sqrt(sigma**2 + (1 - theta) ** 2 * sigma**2),
        "after two steps",
    ),
    Wrong(
        "mech-euler",
        "exponential",
        lambda theta, sigma: sigma / math.sqrt(1 - math.exp(-theta) ** 2),
        "not exp(−θ)",
    ),
    Wrong(
        "mech-euler",
        "sign of θ²",
        lambda theta, sigma: sigma / math.sqrt(2 * theta + theta**2),
        "sign of θ²",
    ),
    Wrong(
        "mech-euler",
        "product",
        lambda theta, sigma: sigma * math.sqrt(theta * (2 - theta)),
        "divide by it",
    ),
    Wrong("mech-euler", "the paper's case", lambda theta, sigma: 0.38, "same for every input"),
    Wrong("mech-gamma", "sum", {**GAMMA, "trace": -0.3}, "G is their mean"),
    Wrong("mech-gamma", "no γ", {**GAMMA, "trace": -0.5, "determinant": 0}, "γ is missing"),
    Wrong("mech-gamma", "own successor", {**GAMMA, "trace": 0.3}, "(2, 1) in both"),
    Wrong("mech-gamma", "half once", {**GAMMA, "determinant": 0.05}, "by 4"),
    Wrong("mech-gamma", "sign of a product", {**GAMMA, "determinant": -0.045}, "one is negative"),
    Wrong("mech-gamma", "first entry", {**GAMMA, "edge": 2.5 / 3}, "Not one entry"),
    Wrong("mech-gamma", "two digits", {**GAMMA, "edge": 0.86}, "three digits"),
    Wrong("mech-gamma", "determinant", {**GAMMA, "edge": 1}, "use the trace"),
    Wrong("mech-gamma", "3.5/3", {**GAMMA, "edge": 3.5 / 3}, "upside down"),
    Wrong(
        "mech-gamma",
        "keeps its size",
        {**GAMMA, "at_the_edge": "the error keeps its size"},
        "is not 1",
    ),
    Wrong(
        "mech-episode",
        "done",
        starting_from(lambda term, trunc, v: 0 if term or trunc else v),
        "count a truncation",
    ),
    Wrong("mech-episode", "never", starting_from(lambda term, trunc, v: 0), "worth something"),
    Wrong("mech-episode", "always", starting_from(lambda term, trunc, v: v), "worth nothing"),
    Wrong(
        "mech-episode",
        "other bit",
        starting_from(lambda term, trunc, v: v * (1 - trunc)),
        "the other bit",
    ),
    Wrong(
        "mech-episode",
        "only if truncated",
        starting_from(lambda term, trunc, v: v if trunc else 0),
        "With both bits 1",
    ),
    Wrong(
        "mech-episode",
        "truncated and not terminated",
        starting_from(lambda term, trunc, v: v if trunc and not term else 0),
        "both bits are 0",
    ),
    Wrong(
        "mech-episode",
        "terminated inverted",
        starting_from(lambda term, trunc, v: v * term),
        "wrong way round",
    ),
    Wrong(
        "mech-episode",
        "truncated first",
        starting_from(lambda term, trunc, v: v if trunc else (0 if term else v)),
        "both bits are 1",
    ),
    Wrong("mech-episode", "end without γ", last_without_gamma, "a γ is missing"),
    Wrong("mech-episode", "γ twice", gamma_twice, "one γ too many"),
    Wrong("mech-episode", "no γ", undiscounted, "The discount is missing"),
    Wrong("mech-episode", "end added everywhere", end_added, "several steps ahead"),
    Wrong("mech-episode", "from the start", from_the_start, "not from the start"),
    Wrong("mech-episode", "one reward", one_reward, "holds one reward"),
    Wrong("mech-episode", "so far", so_far, "looks ahead"),
    Wrong("mech-episode", "one late", one_late, "The reward of step t itself"),
    Wrong("mech-episode", "first only", lambda *x: backward(*x)[0], "one for each step"),
    Wrong("mech-episode", "reversed", backwards, "reverse order"),
    Wrong("mech-clock", "endless", {**CLOCK, "value_at_start": 10}, "goes on forever"),
    Wrong("mech-clock", "no clock", {**CLOCK, "value_at_start": 6.897}, "cannot see the clock"),
    Wrong("mech-clock", "19 rewards", {**CLOCK, "value_at_start": 8.65}, "sum of 19"),
    Wrong("mech-clock", "no reward", {**CLOCK, "value_at_last_step": 0}, "still pays"),
    Wrong(
        "mech-clock",
        "endless task",
        {**CLOCK, "what_the_critic_answers": "how much the endless task pays"},
        "10 at every t",
    ),
    Wrong("mech-clock", "always", {**CLOCK, "when_this_bit_is_right": "always"}, "only our loop"),
    Wrong("mech-clock", "never", {**CLOCK, "when_this_bit_is_right": "never"}, "at a fixed time"),
]
