"""Attempts at the exercises of chapter 15."""

import numpy as np
import torch

from tests.exercises.attempts import Right, Wrong

HORIZON = {"value_with_20_to_go": 18.209, "value_without_end": 100, "steps_for_half": 69}
EXPLAIN = {
    "score_of_the_seed": 28,
    "what_follows": "these five seeds do not show that A is better",
    "which_is_higher": "the maximum over time",
}


def in_numpy(seen, s):
    deviation = seen.std(axis=0)
    deviation[deviation < 1e-12] = 1
    return ((s - seen.mean(axis=0)) / deviation).clip(-10, 10)


def in_torch(seen, s):
    seen, s = torch.tensor(seen), torch.tensor(s)
    deviation = seen.std(0, correction=0)
    deviation = torch.where(deviation > 1e-8, deviation, torch.ones_like(deviation))
    return torch.clamp((s - seen.mean(0)) / deviation, min=-10, max=10)


def own_statistics(seen, s):
    return in_numpy(s, s)


def unbounded(seen, s):
    deviation = seen.std(axis=0)
    return (s - seen.mean(axis=0)) / np.where(deviation > 1e-12, deviation, 1)


def divided_by_zero(seen, s):
    with np.errstate(all="ignore"):
        return np.clip((s - seen.mean(axis=0)) / seen.std(axis=0), -10, 10)


def one_for_all(seen, s):
    return np.clip((s - seen.mean()) / seen.std(), -10, 10)


def by_variance(seen, s):
    variance = seen.var(axis=0)
    return np.clip((s - seen.mean(axis=0)) / np.where(variance > 1e-15, variance, 1), -10, 10)


def no_mean(seen, s):
    deviation = seen.std(axis=0)
    return np.clip(s / np.where(deviation > 1e-12, deviation, 1), -10, 10)


def sample_deviation(seen, s):
    deviation = seen.std(axis=0, ddof=1)
    return np.clip((s - seen.mean(axis=0)) / np.where(deviation > 1e-12, deviation, 1), -10, 10)


def clip_of_sum(a, eps, low, high):
    return np.clip(a + eps * (high - low) / 2, low, high)


def through_units(a, eps, low, high):
    center, half = (low + high) / 2, (high - low) / 2
    return center + half * torch.clamp(torch.tensor((a - center) / half + eps), -1, 1).numpy()


RIGHT = [
    Right("real-horizon", HORIZON),
    Right("real-horizon", {**HORIZON, "value_with_20_to_go": (1 - 0.99**20) / 0.01}),
    Right("real-normalize", in_numpy),
    Right("real-normalize", in_torch),
    Right("real-box", clip_of_sum),
    Right("real-box", through_units),
    Right("real-explain", EXPLAIN),
]

WRONG = [
    Wrong("real-horizon", "no γ", {**HORIZON, "value_with_20_to_go": 20}, "without discounts"),
    Wrong("real-horizon", "19", {**HORIZON, "value_with_20_to_go": 17.38}, "of 19 steps"),
    Wrong("real-horizon", "21", {**HORIZON, "value_with_20_to_go": 19.03}, "of 21 steps"),
    Wrong("real-horizon", "late", {**HORIZON, "value_with_20_to_go": 18.03}, "comes at once"),
    Wrong(
        "real-horizon", "γ of text", {**HORIZON, "value_with_20_to_go": 16.62}, "Here it is 0.99"
    ),
    Wrong("real-horizon", "no end", {**HORIZON, "value_with_20_to_go": 100}, "without an end"),
    Wrong("real-horizon", "50", {**HORIZON, "value_without_end": 50}, "Here it is 0.99"),
    Wrong("real-horizon", "γ/(1 − γ)", {**HORIZON, "value_without_end": 99}, "comes at once"),
    Wrong("real-horizon", "20", {**HORIZON, "value_without_end": 20}, "goes on behind"),
    Wrong("real-horizon", "half of 100", {**HORIZON, "steps_for_half": 50}, "still to come"),
    Wrong("real-horizon", "half, γ of text", {**HORIZON, "steps_for_half": 34}, "Here it is 0.99"),
    Wrong("real-normalize", "own", own_statistics, "seen before"),
    Wrong("real-normalize", "unbounded", unbounded, "beyond ±10"),
    Wrong("real-normalize", "0", divided_by_zero, "Divide it by 1"),
    Wrong("real-normalize", "one for all", one_for_all, "Each entry has its own"),
    Wrong("real-normalize", "variance", by_variance, "Take its root"),
    Wrong("real-normalize", "no mean", no_mean, "not subtracted"),
    Wrong("real-normalize", "N − 1", sample_deviation, "divides them by N"),
    Wrong("real-normalize", "mean", lambda seen, s: seen.mean(axis=0), "You return the mean"),
    Wrong(
        "real-box",
        "shared",
        lambda a, eps, low, high: np.clip(a + eps[0] * (high - low) / 2, low, high),
        "the first noise",
    ),
    Wrong(
        "real-box",
        "no half-range",
        lambda a, eps, low, high: np.clip(a + eps, low, high),
        "Multiply it by them",
    ),
    Wrong(
        "real-box",
        "width",
        lambda a, eps, low, high: np.clip(a + eps * (high - low), low, high),
        "Take half of it",
    ),
    Wrong(
        "real-box",
        "upper bound",
        lambda a, eps, low, high: np.clip(a + eps * high, low, high),
        "a box around 0",
    ),
    Wrong("real-box", "no clip", lambda a, eps, low, high: a + eps * (high - low) / 2, "Clip it"),
    Wrong(
        "real-box",
        "±1",
        lambda a, eps, low, high: np.clip(a + eps * (high - low) / 2, -1, 1),
        "its own bounds",
    ),
    Wrong("real-explain", "best", {**EXPLAIN, "score_of_the_seed": 1000}, "because it is high"),
    Wrong("real-explain", "mean", {**EXPLAIN, "score_of_the_seed": 967.6}, "another measure"),
    Wrong("real-explain", "better", {**EXPLAIN, "what_follows": "A is better"}, "luck of the"),
    Wrong(
        "real-explain",
        "equal",
        {**EXPLAIN, "what_follows": "A and B are equally good"},
        "have missed",
    ),
    Wrong(
        "real-explain",
        "last",
        {**EXPLAIN, "which_is_higher": "the last evaluation"},
        "is among them",
    ),
]
