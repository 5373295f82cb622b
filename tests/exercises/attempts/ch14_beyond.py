"""Attempts at the exercises of chapter 14."""

import numpy as np
import torch

from tests.exercises.attempts import Right, Wrong

THREE = {"bias_of_a_target": 1.693, "critic_too_high": 167.6}
EXPLAIN = {
    "slope_of_the_minimum": "it is the slope of the critic that is smaller there",
    "where_the_two_cross": "the slope jumps",
    "actor_ends_at": 0,
    "which_method": "SAC",
}


def by_choice(q, M, rng):
    return min(q[i] for i in rng.choice(len(q), M, replace=False))


def by_permutation(q, M, rng):
    return np.sort(rng.permutation(q)[:M])[0]


def repeats(q, M, rng):
    return q[rng.integers(len(q), size=M)].min()


def largest(q, M, rng):
    return max(rng.permutation(q)[:M])


def of_all(q, M, rng):
    rng.permutation(q)
    return np.min(q)


def first_ones(q, M, rng):
    return q[:M].min()


def last_ones(q, M, rng):
    return min(q[len(q) - M :])


def one_at_random(q, M, rng):
    return rng.choice(q)


def average(q, M, rng):
    return rng.choice(q, M, replace=False).mean()


def number(q, M, rng):
    drawn = rng.choice(len(q), size=M, replace=False)
    return drawn[q[drawn].argmin()]


def place(q, M, rng):
    return np.argmin(rng.choice(q, M, replace=False))


def sorted_first(q, M, rng):
    return rng.choice(sorted(q)[:M])


def own_generator(q, M, rng):
    rng = np.random.default_rng(0)
    return min(q[rng.choice(len(q), size=M, replace=False)])


def shuffled_in_place(q, M, rng):
    rng.shuffle(q)
    return q[:M].min()


def closed_form(u, sigma):
    return 3 * u**2 + 3 * sigma**2, 3 * sigma**2


def by_many_draws(u, sigma):
    """Not random: the middles of many equal pieces of the normal distribution."""
    levels = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    noise = torch.special.ndtri(levels)
    noise = noise / noise.std(correction=0)
    mean = (3 * (u + sigma * noise) ** 2).mean()
    return torch.stack((mean, mean - 3 * u**2))


def one_row_after_the_other(r, terminated, q_end, gamma):
    y = []
    for i in range(len(r)):
        total, discount = 0.0, 1.0
        for k in range(len(r[i])):
            total += discount * r[i][k]
            discount *= gamma
            if terminated[i][k]:
                break
        else:
            total += discount * q_end[i]
        y.append(total)
    return y


def with_masks(r, terminated, q_end, gamma):
    r, ended = torch.tensor(r), torch.tensor(terminated).double()
    alive = torch.cumprod(1 - ended, dim=1)
    before = torch.cat((torch.ones(len(r), 1), alive[:, :-1]), dim=1)
    n = r.shape[1]
    powers = gamma ** torch.arange(n).double()
    return torch.einsum("bk,bk,k->b", r, before, powers) + gamma**n * alive[:, -1] * torch.tensor(
        q_end
    )


def ignores_ends(r, terminated, q_end, gamma):
    n = r.shape[1]
    return r @ gamma ** np.arange(n) + gamma**n * q_end


def value_behind_end(r, terminated, q_end, gamma):
    n = r.shape[1]
    before = np.cumsum(terminated, axis=1) - terminated == 0
    return (r * before) @ gamma ** np.arange(n) + gamma**n * q_end


def next_episode(r, terminated, q_end, gamma):
    n = r.shape[1]
    return r @ gamma ** np.arange(n) + (1 - terminated.any(axis=1)) * gamma**n * q_end


def last_reward_lost(r, terminated, q_end, gamma):
    n = r.shape[1]
    alive = np.cumsum(terminated, axis=1) == 0
    return (r * alive) @ gamma ** np.arange(n) + alive[:, -1] * gamma**n * q_end


def last_flag(r, terminated, q_end, gamma):
    n = r.shape[1]
    return r @ gamma ** np.arange(n) + ~terminated[:, -1] * gamma**n * q_end


def last_flag_for_the_value(r, terminated, q_end, gamma):
    n = r.shape[1]
    before = np.cumsum(terminated, axis=1) - terminated == 0
    return (r * before) @ gamma ** np.arange(n) + (1 - terminated[:, -1]) * gamma**n * q_end


def powers_of(reward_power, value_power):
    """Targets with other discounts, each a function of the step or of n."""

    def targets(r, terminated, q_end, gamma):
        n = r.shape[1]
        before = np.cumsum(terminated, axis=1) - terminated == 0
        discounts = np.array([gamma ** reward_power(k) for k in range(n)])
        value = gamma ** value_power(n) * q_end
        return (r * before) @ discounts + np.where(terminated.any(axis=1), 0, value)

    return targets


def other_sense(r, terminated, q_end, gamma):
    n = r.shape[1]
    before = np.cumsum(terminated, axis=1) - terminated == 0
    return (r * before) @ gamma ** np.arange(n) + terminated.any(axis=1) * gamma**n * q_end


def mean_reward(r, terminated, q_end, gamma):
    n = r.shape[1]
    before = np.cumsum(terminated, axis=1) - terminated == 0
    rewards = (r * before * gamma ** np.arange(n)).mean(axis=1)
    return rewards + ~terminated.any(axis=1) * gamma**n * q_end


def ddpg(r, terminated, q_end, gamma):
    return r[:, -1] + gamma * (1 - terminated[:, -1]) * q_end


def averaged(*case):
    return np.mean(one_row_after_the_other(*case))


def summed(*case):
    return sum(one_row_after_the_other(*case))


RIGHT = [
    Right("beyond-three", THREE),
    Right("beyond-three", {"bias_of_a_target": 3 / np.pi**0.5, "critic_too_high": 168}),
    Right("beyond-redq", by_choice),
    Right("beyond-redq", by_permutation),
    Right("beyond-explain", EXPLAIN),
    Right("beyond-svg", closed_form),
    Right("beyond-svg", by_many_draws),
    Right("beyond-ends", one_row_after_the_other),
    Right("beyond-ends", with_masks),
]

WRONG = [
    Wrong("beyond-three", "ς is 1", {**THREE, "bias_of_a_target": 0.846}, "Here ς is 2"),
    Wrong("beyond-three", "ς²", {**THREE, "bias_of_a_target": 3.385}, "not as its square"),
    Wrong("beyond-three", "two actions", {**THREE, "bias_of_a_target": 1.128}, "largest of two"),
    Wrong("beyond-three", "no bias", {**THREE, "bias_of_a_target": 0}, "has not"),
    Wrong("beyond-three", "γb", {**THREE, "bias_of_a_target": 1.6756}, "what a target adds"),
    Wrong("beyond-three", "b/(1 − γ)", {**THREE, "critic_too_high": 169.3}, "with the factor γ"),
    Wrong("beyond-three", "once", {**THREE, "critic_too_high": 1.69}, "bias of one target"),
    Wrong("beyond-three", "49 times", {**THREE, "critic_too_high": 82.9}, "belongs to γ"),
    Wrong("beyond-redq", "repeats", repeats, "must be different"),
    Wrong("beyond-redq", "largest", largest, "return the largest"),
    Wrong("beyond-redq", "of all", of_all, "all N values"),
    Wrong("beyond-redq", "first M", first_ones, "the first M"),
    Wrong("beyond-redq", "last M", last_ones, "the last M"),
    Wrong("beyond-redq", "one at random", one_at_random, "one critic drawn at random"),
    Wrong("beyond-redq", "average", average, "average the drawn"),
    Wrong("beyond-redq", "number", number, "number of a critic"),
    Wrong("beyond-redq", "place", place, "a place among"),
    Wrong("beyond-redq", "among the smallest", sorted_first, "among the M smallest"),
    Wrong("beyond-redq", "own generator", own_generator, "Use `rng`"),
    Wrong("beyond-redq", "changes q", shuffled_in_place, "changes its inputs"),
    Wrong(
        "beyond-explain",
        "smaller slope",
        {**EXPLAIN, "slope_of_the_minimum": "it is the smaller of the two slopes"},
        "but the values",
    ),
    Wrong(
        "beyond-explain",
        "zero at the crossing",
        {**EXPLAIN, "where_the_two_cross": "the slope is zero"},
        "keeps its size",
    ),
    Wrong("beyond-explain", "a slope", {**EXPLAIN, "actor_ends_at": 2}, "not an action"),
    Wrong("beyond-explain", "TD3", {**EXPLAIN, "which_method": "TD3"}, "in its target alone"),
    Wrong("beyond-explain", "REDQ", {**EXPLAIN, "which_method": "REDQ"}, "the mean of its critics"),
    Wrong("beyond-svg", "no noise", lambda u, s: (3 * u * u, 0 * s), "the noise is missing"),
    Wrong("beyond-svg", "σ", lambda u, s: (3 * u * u + 3 * s, 3 * s), "you have σ"),
    Wrong(
        "beyond-svg", "ε is 1", lambda u, s: (3 * (u + s) ** 2, 6 * u * s + 3 * s * s), "mixed term"
    ),
    Wrong("beyond-svg", "3 once", lambda u, s: (3 * u * u + s * s, s * s), "the whole square"),
    Wrong(
        "beyond-svg",
        "mean of Q",
        lambda u, s: np.array([u**3 + 3 * u * s**2, u**3 + 3 * u * s**2 - 3 * u**2]),
        "This is the mean of Q.",
    ),
    Wrong(
        "beyond-svg",
        "gap of Q",
        lambda u, s: [u**3 + 3 * u * s**2, 3 * u * s**2],
        "distance from Q",
    ),
    Wrong("beyond-svg", "reverse gap", lambda u, s: (closed_form(u, s)[0], -3 * s**2), "minus the"),
    Wrong("beyond-svg", "6a", lambda u, s: (closed_form(u, s)[0], s**2 / 2 * 6 * u), "not 6a"),
    Wrong("beyond-svg", "no half", lambda u, s: (closed_form(u, s)[0], 6 * s**2), "factor 1/2"),
    Wrong(
        "beyond-svg", "no half in both", lambda u, s: (3 * u**2 + 6 * s**2, 6 * s**2), "factor 1/2"
    ),
    Wrong("beyond-svg", "slope", lambda u, s: (closed_form(u, s)[0], 3 * u**2), "slope at u"),
    Wrong("beyond-svg", "no gap", lambda u, s: closed_form(u, s)[0], "gap is missing"),
    Wrong("beyond-svg", "no mean", lambda u, s: closed_form(u, s)[1], "mean is missing"),
    Wrong("beyond-svg", "reverse order", lambda u, s: closed_form(u, s)[::-1], "reverse order"),
    Wrong("beyond-ends", "no ends", ignores_ends, "ends are ignored"),
    Wrong("beyond-ends", "value behind", value_behind_end, "although the task has ended"),
    Wrong("beyond-ends", "next episode", next_episode, "next episode"),
    Wrong("beyond-ends", "last reward lost", last_reward_lost, "It is paid"),
    Wrong("beyond-ends", "last flag", last_flag, "last of the n flags is looked at"),
    Wrong("beyond-ends", "last flag, value", last_flag_for_the_value, "decides about the value"),
    Wrong("beyond-ends", "γ", powers_of(lambda k: k, lambda n: 1), "n steps later"),
    Wrong("beyond-ends", "γ^(n−1)", powers_of(lambda k: k, lambda n: n - 1), "once too little"),
    Wrong("beyond-ends", "γ^(n+1)", powers_of(lambda k: k, lambda n: n + 1), "once too much"),
    Wrong("beyond-ends", "γ^(k+1)", powers_of(lambda k: k + 1, lambda n: n), "It comes at once"),
    Wrong("beyond-ends", "no γ", powers_of(lambda k: 0, lambda n: n), "not discounted"),
    Wrong("beyond-ends", "sense", other_sense, "wrong sense"),
    Wrong("beyond-ends", "mean of rewards", mean_reward, "averaged"),
    Wrong("beyond-ends", "one reward", ddpg, "Only one reward"),
    Wrong("beyond-ends", "mean", averaged, "return the mean"),
    Wrong("beyond-ends", "sum", summed, "return the sum"),
]
