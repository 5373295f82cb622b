"""Attempts at the exercises of chapter 6."""

import numpy as np

from dpgcourse.gradient.derivative_checks import central_difference
from tests.exercises.attempts import Right, Wrong

HAND = {"V_low": 2, "V_high": 3, "g_low": 0.2, "visits_to_low": 3, "dV_low_du": 0.6}
EXPLAIN = {
    "a_fails_at": "step 1: values and visits exist",
    "b_fails_at": "step 3: the advantage in one state",
    "c_fails_at": "step 2: the exact difference",
    "what_c_leaves_open": "the critic at all other actions",
}

# last_states(P, p0, gamma, count, rng)


def moved(P, s, rng):
    """One step of every episode."""
    return (P[s].cumsum(1) > rng.random((len(s), 1))).argmax(1)


def side_by_side(P, p0, gamma, count, rng):
    s = rng.choice(len(p0), size=count, p=p0)
    going = rng.random(count) < gamma
    while going.any():
        s[going] = moved(P, s[going], rng)
        going &= rng.random(count) < gamma
    return s


def one_by_one(P, p0, gamma, count, rng):
    last, states = [], np.arange(len(p0))
    for _ in range(count):
        s = rng.choice(states, p=p0)
        while rng.random() < gamma:
            s = rng.choice(states, p=P[s])
        last.append(s)
    return last


def by_length(P, p0, gamma, count, rng):
    s = rng.choice(len(p0), size=count, p=p0)
    left = rng.geometric(1 - gamma, size=count) - 1  # steps that are still to come
    while left.max() > 0:
        s = np.where(left > 0, moved(P, s, rng), s)
        left = left - 1
    return s


def acts_first(P, p0, gamma, count, rng):
    s = moved(P, rng.choice(len(p0), size=count, p=p0), rng)
    going = rng.random(count) < gamma
    while going.any():
        s[going] = moved(P, s[going], rng)
        going &= rng.random(count) < gamma
    return s


def stops_with_gamma(P, p0, gamma, count, rng):
    s = rng.choice(len(p0), size=count, p=p0)
    going = rng.random(count) > gamma
    while going.any():
        s[going] = moved(P, s[going], rng)
        going &= rng.random(count) > gamma
    return s


def stopped_ones_move(P, p0, gamma, count, rng):
    s = rng.choice(len(p0), size=count, p=p0)
    going = rng.random(count) < gamma
    while going.any():
        s = moved(P, s, rng)
        going = going & (rng.random(count) < gamma)
    return s


def a_thousand_steps(P, p0, gamma, count, rng):
    s = rng.choice(len(p0), size=count, p=p0)
    for _ in range(1000):
        s = moved(P, s, rng)
    return s


def mean_length(P, p0, gamma, count, rng):
    s = rng.choice(len(p0), size=count, p=p0)
    for _ in range(int(1 / (1 - gamma))):
        s = moved(P, s, rng)
    return s


def first_states(P, p0, gamma, count, rng):
    return rng.choice(len(p0), size=count, p=p0)


def asks_once(P, p0, gamma, count, rng):
    s = rng.choice(len(p0), size=count, p=p0)
    going = rng.random(count) < gamma
    s[going] = moved(P, s[going], rng)
    return s


def any_start(P, p0, gamma, count, rng):
    return side_by_side(P, np.ones(len(p0)) / len(p0), gamma, count, rng)


def start_in_0(P, p0, gamma, count, rng):
    return side_by_side(P, np.eye(len(p0))[0], gamma, count, rng)


def forgets_P(P, p0, gamma, count, rng):
    s = rng.choice(len(p0), size=count, p=p0)
    going = rng.random(count) < gamma
    while going.any():
        s[going] = rng.integers(len(p0), size=going.sum())
        going &= rng.random(count) < gamma
    return s


def restarts(P, p0, gamma, count, rng):
    return side_by_side(np.array([p0] * len(p0)), p0, gamma, count, rng)


def all_visited(P, p0, gamma, count, rng):
    visited = [rng.choice(len(p0), size=count, p=p0)]
    going = rng.random(count) < gamma
    while going.any():
        visited.append(moved(P, visited[-1][:], rng))
        going &= rng.random(count) < gamma
    return np.concatenate(visited)


def lengths(P, p0, gamma, count, rng):
    return rng.geometric(1 - gamma, size=count)


# asymmetry(chain, actor, features, u, weights)


def matrix(chain, actor, features, u, weights):
    """The matrix of derivatives, by two values of the field for each parameter."""

    def field(u):
        table, jacobians = actor.mu(features, u), actor.da_du(features, u)
        return weights(table) @ chain.local_gradient(table, jacobians)

    H = np.zeros((len(u), len(u)))
    for j in range(len(u)):
        e = np.zeros(len(u))
        e[j] = 1e-5
        H[:, j] = (field(u + e) - field(u - e)) / 2e-5
    return H


def asymmetry(chain, actor, features, u, weights):
    def field(u):
        a = actor.mu(features, u)
        return weights(a) @ chain.local_gradient(a, actor.da_du(features, u))

    H = central_difference(field, u)
    return np.max(np.abs(H.T - H))


def asymmetry_by_pairs(chain, actor, features, u, weights):
    H, worst = matrix(chain, actor, features, u, weights), 0.0
    for i in range(len(u)):
        for j in range(i):
            worst = max(worst, abs(H[i, j] - H[j, i]))
    return worst


def weights_held(chain, actor, features, u, weights):
    held = weights(actor.mu(features, u))
    return asymmetry(chain, actor, features, u, lambda a: held)


def slopes_held(chain, actor, features, u, weights):
    g = chain.dQ_da(actor.mu(features, u))

    def field(v):
        return np.einsum("s,sm,smn->n", weights(actor.mu(features, v)), g, actor.da_du(features, v))

    H = central_difference(field, u)
    return np.abs(H - H.T).max()


def without_weights(chain, actor, features, u, weights):
    def field(v):
        return chain.local_gradient(actor.mu(features, v), actor.da_du(features, v)).sum(0)

    H = central_difference(field, u)
    return np.abs(H - H.T).max()


def of_the_return(chain, actor, features, u, weights):
    H = central_difference(
        lambda v: chain.dJ_du(actor.mu(features, v), actor.da_du(features, v)), u
    )
    return np.abs(H - H.T).max()


def nothing_moves(chain, actor, features, u, weights):
    a, da_du = actor.mu(features, u), actor.da_du(features, u)
    H = central_difference(lambda v: weights(a) @ chain.local_gradient(a, da_du), u)
    return np.abs(H - H.T).max()


def added(*case):
    H = matrix(*case)
    return np.abs(H + H.T).max()


def largest_of_H(*case):
    return abs(matrix(*case)).max()


def one_pair(*case):
    H = matrix(*case)
    return abs(H[0, 1] - H[1, 0])


def one_pair_with_sign(*case):
    H = matrix(*case)
    return H[0, 1] - H[1, 0]


def whole_matrix(*case):
    H = matrix(*case)
    return H - H.T


def norm(*case):
    H = matrix(*case)
    return np.sqrt(((H - H.T) ** 2).sum())


def scaled(chain, actor, features, u, weights):
    return asymmetry(chain, actor, features, u, lambda a: weights(a) / weights(a).sum())


# change(chain, a, sigma)


def curvature(chain, a, step=1e-3):
    total = np.zeros(len(a))
    for k in range(a.shape[1]):
        up, down = a.copy(), a.copy()
        up[:, k] += step
        down[:, k] -= step
        total += (chain.Q(a, up) - 2 * chain.Q(a, a) + chain.Q(a, down)) / step**2
    return total


def change(chain, a, sigma):
    return np.sum(chain.rho(a) * curvature(chain, a)) * sigma**2 / 2


def change_by_slopes(chain, a, sigma):
    total = 0
    for k, e in enumerate(np.eye(a.shape[1])):
        ahead, behind = chain.dQ_da(a, a + 1e-5 * e), chain.dQ_da(a, a - 1e-5 * e)
        total += chain.rho(a) @ (ahead - behind)[:, k] / 2e-5
    return sigma**2 / 2 * total


def no_half(chain, a, sigma):
    return chain.rho(a) @ curvature(chain, a) * sigma**2


def sigma_not_squared(chain, a, sigma):
    return chain.rho(a) @ curvature(chain, a) * sigma / 2


def from_start(chain, a, sigma):
    return chain.p0 @ curvature(chain, a) * sigma**2 / 2


def plain_sum(chain, a, sigma):
    return curvature(chain, a).sum() * sigma**2 / 2


def plain_mean(chain, a, sigma):
    return curvature(chain, a).mean() * sigma**2 / 2


def probabilities(chain, a, sigma):
    rho = chain.rho(a)
    return rho / rho.sum() @ curvature(chain, a) * sigma**2 / 2


def of_reward(chain, a, sigma):
    total = 0
    for e in 1e-3 * np.eye(a.shape[1]):
        total = total + (chain.r(a + e) - 2 * chain.r(a) + chain.r(a - e)) / 1e-6
    return chain.rho(a) @ total * sigma**2 / 2


def policy_moves(chain, a, sigma):
    total = 0
    for e in 1e-3 * np.eye(a.shape[1]):
        moved = chain.Q(a + e, a + e) + chain.Q(a - e, a - e)
        total = total + (moved - 2 * chain.Q(a, a)) / 1e-6
    return chain.rho(a) @ total * sigma**2 / 2


def of_return(chain, a, sigma):
    total = 0
    for e in 1e-3 * np.eye(a.shape[1]):
        total = total + (chain.J(a + e) - 2 * chain.J(a) + chain.J(a - e)) / 1e-6
    return total * sigma**2 / 2


def all_entries_at_once(chain, a, sigma):
    h = 1e-3
    bent = (chain.Q(a, a + h) - 2 * chain.Q(a, a) + chain.Q(a, a - h)) / h**2
    return sigma**2 / 2 * chain.rho(a) @ bent


def first_entry(chain, a, sigma):
    e = np.zeros_like(a)
    e[:, 0] = 1e-3
    bent = (chain.Q(a, a + e) - 2 * chain.Q(a, a) + chain.Q(a, a - e)) / 1e-6
    return sigma**2 / 2 * chain.rho(a) @ bent


def of_slopes(chain, a, sigma):
    return sigma**2 / 2 * np.einsum("s,sm->", chain.rho(a), chain.dQ_da(a))


def not_divided(chain, a, sigma):
    return change(chain, a, sigma) * 1e-6


def middle_minus_sides(chain, a, sigma):
    return -change(chain, a, sigma)


def divided_by_step(chain, a, sigma):
    return change(chain, a, sigma) * 1e-3


RIGHT = [
    Right("theorem-hand", HAND),
    Right("theorem-hand", {**HAND, "V_low": 2.0, "dV_low_du": np.float64(0.6)}),
    Right("theorem-sample", side_by_side),
    Right("theorem-sample", one_by_one),
    Right("theorem-sample", by_length),
    Right("theorem-curl", asymmetry),
    Right("theorem-curl", asymmetry_by_pairs),
    Right("theorem-cost", change),
    Right("theorem-cost", change_by_slopes),
    Right("theorem-explain", EXPLAIN),
]

WRONG = [
    Wrong("theorem-hand", "γ of the text", {**HAND, "V_low": 0.5}, "Here γ is 0.8"),
    Wrong("theorem-hand", "one reward", {**HAND, "V_low": 0.4}, "have futures too"),
    Wrong("theorem-hand", "never low again", {**HAND, "V_low": 2 / 3}, "two times"),
    Wrong("theorem-hand", "reward now", {**HAND, "V_high": 1}, "Add its future"),
    Wrong("theorem-hand", "discounts the reward", {**HAND, "V_high": 2.8}, "is not discounted"),
    Wrong("theorem-hand", "no γ in g", {**HAND, "g_low": 0.25}, "one step later"),
    Wrong("theorem-hand", "V(high) in g", {**HAND, "g_low": 0.8 / 4 * 3}, "difference of the"),
    Wrong("theorem-hand", "1/2 in g", {**HAND, "g_low": 0.4}, "Its slope is 1/4"),
    Wrong("theorem-hand", "half of all", {**HAND, "visits_to_low": 2.5}, "half of all visits"),
    Wrong("theorem-hand", "all visits", {**HAND, "visits_to_low": 5}, "both states"),
    Wrong("theorem-hand", "no start", {**HAND, "visits_to_low": 2}, "leaves out the start"),
    Wrong("theorem-hand", "probability", {**HAND, "visits_to_low": 0.6}, "no probability"),
    Wrong("theorem-hand", "local", {**HAND, "dV_low_du": 0.2}, "the local derivative"),
    Wrong("theorem-hand", "all visits count", {**HAND, "dV_low_du": 1}, "Only visits to low"),
    Wrong("theorem-sample", "acts first", acts_first, "You act before you ask"),
    Wrong("theorem-sample", "γ and 1 − γ", stops_with_gamma, "stop with probability γ"),
    Wrong("theorem-sample", "stopped ones move", stopped_ones_move, "stays in its state"),
    Wrong("theorem-sample", "long run", a_thousand_steps, "in the long run"),
    Wrong("theorem-sample", "mean length", mean_length, "the same number of steps"),
    Wrong("theorem-sample", "no step", first_states, "distributed as p0"),
    Wrong("theorem-sample", "from p0 each time", restarts, "distributed as p0"),
    Wrong("theorem-sample", "one step", asks_once, "at most one step"),
    Wrong("theorem-sample", "any start", any_start, "Draw them from p0"),
    Wrong("theorem-sample", "start in 0", start_in_0, "starts in state 0"),
    Wrong("theorem-sample", "no P", forgets_P, "does not follow P"),
    Wrong("theorem-sample", "all visited states", all_visited, "asked for: ("),
    Wrong("theorem-sample", "lengths", lengths, "other numbers than the states"),
    Wrong("theorem-curl", "weights held", weights_held, "The weights are held"),
    Wrong("theorem-curl", "slopes held", slopes_held, "The slopes of Q are held"),
    Wrong("theorem-curl", "no weights", without_weights, "have no weights"),
    Wrong("theorem-curl", "always ρ", of_the_return, "no asymmetry for any weights"),
    Wrong("theorem-curl", "nothing moves", nothing_moves, "no asymmetry for any weights"),
    Wrong("theorem-curl", "H + Hᵀ", added, "Subtract them"),
    Wrong("theorem-curl", "largest of H", largest_of_H, "the largest entry of H itself"),
    Wrong("theorem-curl", "one pair", one_pair, "Only one pair of entries is compared."),
    Wrong("theorem-curl", "one pair, signed", one_pair_with_sign, "with its sign"),
    Wrong("theorem-curl", "matrix", whole_matrix, "the whole matrix"),
    Wrong("theorem-curl", "norm", norm, "a norm"),
    Wrong("theorem-curl", "sum 1", scaled, "scale the weights"),
    Wrong("theorem-cost", "no 1/2", no_half, "1/2 is missing"),
    Wrong("theorem-cost", "σ", sigma_not_squared, "σ², not σ"),
    Wrong("theorem-cost", "reward", of_reward, "curvature of the reward"),
    Wrong("theorem-cost", "policy moves", policy_moves, "move the policy at every step"),
    Wrong("theorem-cost", "return", of_return, "curvature of the return"),
    Wrong("theorem-cost", "entries at once", all_entries_at_once, "mixed derivatives"),
    Wrong("theorem-cost", "first entry", first_entry, "first entry of the action alone"),
    Wrong("theorem-cost", "p0", from_start, "by the start distribution"),
    Wrong("theorem-cost", "sum", plain_sum, "The states have no weights"),
    Wrong("theorem-cost", "mean", plain_mean, "the mean over the states"),
    Wrong("theorem-cost", "probabilities", probabilities, "a probability distribution"),
    Wrong("theorem-cost", "slopes", of_slopes, "over slopes"),
    Wrong("theorem-cost", "not divided", not_divided, "is not divided"),
    Wrong("theorem-cost", "sign", middle_minus_sides, "The sign is wrong"),
    Wrong("theorem-cost", "divided by h", divided_by_step, "0.001 times what it should be"),
    Wrong(
        "theorem-explain",
        "a at step 2",
        {**EXPLAIN, "a_fails_at": "step 2: the exact difference"},
        "Do they exist?",
    ),
    Wrong(
        "theorem-explain",
        "b at step 4",
        {**EXPLAIN, "b_fails_at": "step 4: the visits are continuous"},
        "A clip is continuous",
    ),
    Wrong(
        "theorem-explain",
        "c at step 3",
        {**EXPLAIN, "c_fails_at": "step 3: the advantage in one state"},
        "one step earlier",
    ),
    Wrong(
        "theorem-explain",
        "unvisited states",
        {**EXPLAIN, "what_c_leaves_open": "the critic in states not visited"},
        "right in every state",
    ),
]
