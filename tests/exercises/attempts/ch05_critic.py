"""Attempts at the exercises of chapter 5."""

import numpy as np
import torch

from dpgcourse.theory import td
from tests.exercises.attempts import Right, Wrong

STEP = {
    "s_next": 1,
    "a_next": -0.3,
    "y": -5.981,
    "delta": -0.981,
    "weight_of_sa": 0.1962,
    "critic_was": "too hopeful",
}
RIPPLES = {
    "slope_error_of_constant": 0,
    "slope_error_of_ripple": 5,
    "learned_slope_with_ripple": 3.143,
    "critic_to_choose": "off by a constant",
    "why_this_critic": "the actor reads only the slope",
}

# gap(gamma)


def settled(gamma):
    A, B, C = np.eye(3)
    end = np.zeros(3)
    return td.residual_fixed_point(
        td.Transitions([A, A, B, C], [0, 0, 1, 0], [B, C, end, end], [0, 0, 1, 1]), gamma
    )


def gap_from_package(gamma):
    values = settled(gamma)
    return values[1] - values[2]


def gap_by_formula(gamma):
    return 1 / (1 + gamma**2)


def gap_by_descent(gamma):
    A, B, C = 0.0, 0.0, 0.0
    for _ in range(300):
        to_B, to_C = gamma * B - A, gamma * C - A
        A, B = A + 0.3 * (to_B + to_C), B + 0.3 * (1 - B - gamma * to_B)
        C = C + 0.3 * (-C - gamma * to_C)
    return B - C


def gap_of_semi_gradient(gamma):
    A, B, C, end = *np.eye(3), np.zeros(3)
    data = td.Transitions([A, A, B, C], [0, 0, 1, 0], [B, C, end, end], [0, 0, 1, 1])
    values = td.semi_gradient_fixed_point(data, gamma)
    return values[1] - values[2]


def gap_after_one_step(gamma):
    A, B, C, end = *np.eye(3), np.zeros(3)
    data = td.Transitions([A, A, B, C], [0, 0, 1, 0], [B, C, end, end], [0, 0, 1, 1])
    values = td.residual_gradient(np.zeros(3), data, gamma)
    return values[1] - values[2]


# after(rule, gamma)

DATA = td.Transitions(phi=[[1.0]], r=[0.0], phi_next=[[2.0]])


def after(rule, gamma):
    w = np.ones(1)
    for _ in range(200):
        w += 0.1 * rule(w, DATA, gamma)
    return abs(w[0])


def after_recursive(rule, gamma, steps=200, w=(1.0,)):
    if steps == 0:
        return np.linalg.norm(w)
    return after_recursive(rule, gamma, steps - 1, np.array(w) + rule(w, DATA, gamma) / 10)


def still_an_array(rule, gamma):
    w = np.array([1.0])
    for _ in range(200):
        w = w + 0.1 * rule(w, DATA, gamma)
    return np.abs(w)


def steps_against(rule, gamma):
    w = np.ones(1)
    for _ in range(200):
        w = w - 0.1 * rule(w, DATA, gamma)
    return abs(w[0])


def no_step_size(rule, gamma):
    w = np.ones(1)
    for _ in range(200):
        w = w + rule(w, DATA, gamma)
    return abs(w[0])


def direction_once(rule, gamma):
    w = np.ones(1)
    direction = rule(w, DATA, gamma)
    for _ in range(200):
        w = w + 0.1 * direction
    return abs(w[0])


def returns_inside(rule, gamma):
    w = np.ones(1)
    for _ in range(200):
        w = w + 0.1 * rule(w, DATA, gamma)
        return abs(w[0])


def from_range_one(rule, gamma):
    w = np.ones(1)
    for _ in range(1, 200):
        w = w + 0.1 * rule(w, DATA, gamma)
    return abs(w[0])


def one_more(rule, gamma):
    w, count = np.ones(1), 0
    while count <= 200:
        w, count = w + 0.1 * rule(w, DATA, gamma), count + 1
    return abs(w[0])


def from_zero(rule, gamma):
    w = np.zeros(1)
    for _ in range(200):
        w = w + 0.1 * rule(w, DATA, gamma)
    return abs(w[0])


def never_stored(rule, gamma):
    w = np.ones(1)
    for _ in range(200):
        w + 0.1 * rule(w, DATA, gamma)
    return abs(w[0])


def discount_fixed(rule, gamma):
    w = np.ones(1)
    for _ in range(200):
        w = w + 0.1 * rule(w, DATA, 0.9)
    return abs(w[0])


def always_semi(rule, gamma):
    w = np.ones(1)
    for _ in range(200):
        w = w + 0.1 * td.semi_gradient(w, DATA, gamma)
    return abs(w[0])


def without_alpha_a_hundredth(rule, gamma):
    w = np.ones(1)
    for _ in range(200):
        w = w + 0.01 * rule(w, DATA, gamma)
    return abs(w[0])


# direction(w, s, a, r, s_next, a_next, terminated, K, gamma)


def by_package(w, s, a, r, s_next, a_next, terminated, K, gamma):
    phi_next = td.quadratic_features(s_next, -(K @ s_next.T).T)
    data = td.Transitions(td.quadratic_features(s, a), r, phi_next, terminated)
    return td.semi_gradient(w, data, gamma)


def by_autograd(w, s, a, r, s_next, a_next, terminated, K, gamma):
    w = torch.tensor(w, requires_grad=True)
    phi = torch.tensor(td.quadratic_features(s, a))
    phi_next = torch.tensor(td.quadratic_features(s_next, -s_next @ K.T))
    y = torch.tensor(r) + gamma * (1 - torch.tensor(terminated)) * (phi_next @ w)
    (0.5 * (y.detach() - phi @ w) ** 2).mean().backward()
    return -w.grad


def without_detach(w, s, a, r, s_next, a_next, terminated, K, gamma):
    w = torch.tensor(w, requires_grad=True)
    phi = torch.tensor(td.quadratic_features(s, a))
    phi_next = torch.tensor(td.quadratic_features(s_next, -s_next @ K.T))
    y = torch.tensor(r) + gamma * (1 - torch.tensor(terminated)) * (phi_next @ w)
    (0.5 * (y - phi @ w) ** 2).mean().backward()
    return -w.grad


def uphill(*case):
    return -by_autograd(*case)


def by_loop(w, s, a, r, s_next, a_next, terminated, K, gamma):
    total = np.zeros(len(w))
    for i in range(len(r)):
        phi = td.quadratic_features(s[i], a[i])
        y = r[i]
        if not terminated[i]:
            y = y + gamma * td.quadratic_features(s_next[i], -K @ s_next[i]) @ w
        total += (y - phi @ w) * phi
    return total / len(r)


def summed(w, s, a, r, *rest):
    return by_loop(w, s, a, r, *rest) * len(r)


def replayed(w, s, a, r, s_next, a_next, terminated, K, gamma):
    phi, phi_next = td.quadratic_features(s, a), td.quadratic_features(s_next, a_next)
    delta = r + gamma * (1 - terminated) * (phi_next @ w) - phi @ w
    return np.mean(delta[:, None] * phi, axis=0)


def present_at_policy(w, s, a, r, s_next, a_next, terminated, K, gamma):
    return by_loop(w, s, -s @ K.T, r, s_next, a_next, terminated, K, gamma)


def endless(w, s, a, r, s_next, a_next, terminated, K, gamma):
    return by_loop(w, s, a, r, s_next, a_next, 0 * terminated, K, gamma)


def undiscounted(w, s, a, r, s_next, a_next, terminated, K, gamma):
    return by_package(w, s, a, r, s_next, a_next, terminated, K, 1.0)


def ended_the_other_way(w, s, a, r, s_next, a_next, terminated, K, gamma):
    return by_loop(w, s, a, r, s_next, a_next, 1 - terminated, K, gamma)


def policy_at_s(w, s, a, r, s_next, a_next, terminated, K, gamma):
    phi, phi_next = td.quadratic_features(s, a), td.quadratic_features(s_next, -s @ K.T)
    delta = r + gamma * (1 - terminated) * (phi_next @ w) - phi @ w
    return phi.T @ delta / len(delta)


def executed_again(w, s, a, r, s_next, a_next, terminated, K, gamma):
    phi, phi_next = td.quadratic_features(s, a), td.quadratic_features(s_next, a)
    delta = r + gamma * (1 - terminated) * (phi_next @ w) - phi @ w
    return phi.T @ delta / len(delta)


def plus_K(w, s, a, r, s_next, a_next, terminated, K, gamma):
    return by_package(w, s, a, r, s_next, a_next, terminated, -K, gamma)


def K_transposed(w, s, a, r, s_next, a_next, terminated, K, gamma):
    return by_package(w, s, a, r, s_next, a_next, terminated, K.T, gamma)


def last_reward_lost(w, s, a, r, s_next, a_next, terminated, K, gamma):
    phi, phi_next = td.quadratic_features(s, a), td.quadratic_features(s_next, -s_next @ K.T)
    y = (1 - terminated) * (r + gamma * (phi_next @ w))
    return phi.T @ (y - phi @ w) / len(y)


def means_multiplied(w, s, a, r, s_next, a_next, terminated, K, gamma):
    phi, phi_next = td.quadratic_features(s, a), td.quadratic_features(s_next, -s_next @ K.T)
    delta = r + gamma * (1 - terminated) * (phi_next @ w) - phi @ w
    return delta.mean() * np.mean(phi, axis=0)


def averaged_over_all(w, s, a, r, s_next, a_next, terminated, K, gamma):
    phi, phi_next = td.quadratic_features(s, a), td.quadratic_features(s_next, -s_next @ K.T)
    delta = r + gamma * (1 - terminated) * (phi_next @ w) - phi @ w
    return np.mean(delta[:, None] * phi)


def reward_alone(w, s, a, r, s_next, a_next, terminated, K, gamma):
    return by_package(w, s, a, r, s_next, a_next, terminated, K, 0.0)


def next_features(w, s, a, r, s_next, a_next, terminated, K, gamma):
    phi, phi_next = td.quadratic_features(s, a), td.quadratic_features(s_next, -s_next @ K.T)
    phi_next = gamma * (1 - terminated)[:, None] * phi_next
    delta = r + phi_next @ w - phi @ w
    return phi_next.T @ delta / len(delta)


def errors_alone(w, s, a, r, s_next, a_next, terminated, K, gamma):
    phi, phi_next = td.quadratic_features(s, a), td.quadratic_features(s_next, -s_next @ K.T)
    return r + gamma * (1 - terminated) * (phi_next @ w) - phi @ w


def column_of_rewards(w, s, a, r, s_next, a_next, terminated, K, gamma):
    phi, phi_next = td.quadratic_features(s, a), td.quadratic_features(s_next, -s_next @ K.T)
    delta = r[:, None] + gamma * (1 - terminated) * (phi_next @ w) - phi @ w  # (B, B)
    return phi.T @ delta / len(r)


RIGHT = [
    Right("critic-step", STEP),
    Right("critic-step", {**STEP, "s_next": 1.0, "y": np.float32(-5.981)}),
    Right("critic-discount", gap_from_package),
    Right("critic-discount", gap_by_formula),
    Right("critic-discount", gap_by_descent),
    Right("critic-diverge", after),
    Right("critic-diverge", after_recursive),
    Right("critic-diverge", still_an_array),
    Right("critic-memory", by_package),
    Right("critic-memory", by_autograd),
    Right("critic-memory", by_loop),
    Right("critic-ripples", RIPPLES),
]

WRONG = [
    Wrong("critic-step", "s − a", {**STEP, "s_next": 3}, "a is negative"),
    Wrong("critic-step", "moves by μ(s)", {**STEP, "s_next": 1.4}, "not from μ(s)"),
    Wrong("critic-step", "a again", {**STEP, "a_next": -1}, "is the policy's, in s′"),
    Wrong("critic-step", "μ(s)", {**STEP, "a_next": -0.6}, "This is μ(s)"),
    Wrong("critic-step", "no γ", {**STEP, "y": -5 - 1.09}, "γ is missing"),
    Wrong("critic-step", "no reward", {**STEP, "y": 0.9 * -1.09}, "reward −(s² + a²) is missing"),
    Wrong("critic-step", "replayed", {**STEP, "y": -5 + 0.9 * -2}, "belongs to μ(s′)"),
    Wrong("critic-step", "Q(s, a) in y", {**STEP, "y": -5 + 0.9 * -5}, "not to s and a"),
    Wrong("critic-step", "Q = −s²", {**STEP, "y": -5 + 0.9 * -1}, "counts the action too"),
    Wrong("critic-step", "Q − y", {**STEP, "delta": 0.981}, "the target minus the critic"),
    Wrong("critic-step", "y + Q", {**STEP, "delta": -10.981}, "it is negative"),
    Wrong("critic-step", "r − Q", {**STEP, "delta": 0}, "the next value in it too"),
    Wrong("critic-step", "sa is 2", {**STEP, "weight_of_sa": -0.1962}, "mind the signs"),
    Wrong("critic-step", "αδ", {**STEP, "weight_of_sa": -0.0981}, "its own feature"),
    Wrong("critic-step", "no α", {**STEP, "weight_of_sa": 1.962}, "α is missing"),
    Wrong(
        "critic-step",
        "residual gradient",
        {**STEP, "weight_of_sa": 0.1 * -0.981 * (-2 + 0.9 * 0.3)},
        "holds the target constant",
    ),
    Wrong("critic-step", "gloomy", {**STEP, "critic_was": "too gloomy"}, "the target lies below"),
    Wrong("critic-discount", "semi-gradient", gap_of_semi_gradient, "of the semi-gradient"),
    Wrong("critic-discount", "γ is 1", lambda gamma: gap_from_package(1.0), "for every γ"),
    Wrong("critic-discount", "γ once", lambda gamma: 1 / (gamma + 1), "brings it once more"),
    Wrong("critic-discount", "C − B", lambda g: settled(g)[2] - settled(g)[1], "C minus B"),
    Wrong("critic-discount", "B", lambda g: settled(g)[1], "the value of B alone"),
    Wrong("critic-discount", "C", lambda g: settled(g)[2], "the value of C alone"),
    Wrong("critic-discount", "A − B", lambda g: -np.diff(settled(g))[0], "A minus B"),
    Wrong("critic-discount", "B − A", lambda g: np.diff(settled(g))[0], "B minus A"),
    Wrong("critic-discount", "A − C", lambda g: settled(g)[0] - settled(g)[2], "A minus C"),
    Wrong("critic-discount", "all three", settled, "the three values"),
    Wrong("critic-discount", "one step", gap_after_one_step, "one step from zero"),
    Wrong("critic-discount", "1/(1 − γ²)", lambda g: 1 / (1 - g**2 + 1e-9), ""),
    Wrong("critic-diverge", "minus", steps_against, "step against the rule"),
    Wrong("critic-diverge", "no α", no_step_size, "step size is missing"),
    Wrong("critic-diverge", "direction once", direction_once, "at every new w"),
    Wrong("critic-diverge", "return in the loop", returns_inside, "inside the loop"),
    Wrong("critic-diverge", "199 steps", from_range_one, "One step is missing"),
    Wrong("critic-diverge", "201 steps", one_more, "one step too many"),
    Wrong("critic-diverge", "from 0", from_zero, "w starts at 1"),
    Wrong("critic-diverge", "not stored", never_stored, "never stored"),
    Wrong("critic-diverge", "γ = 0.9", discount_fixed, "The discount is fixed"),
    Wrong("critic-diverge", "one rule", always_semi, "always use the semi-gradient"),
    Wrong("critic-diverge", "α = 0.01", without_alpha_a_hundredth, ""),
    Wrong("critic-memory", "replayed", replayed, "the replayed action"),
    Wrong("critic-memory", "φ(s, μ(s))", present_at_policy, "present features are taken at μ(s)"),
    Wrong("critic-memory", "no end", endless, "goes on after the end"),
    Wrong("critic-memory", "μ(s)", policy_at_s, "The next action is μ(s)"),
    Wrong("critic-memory", "a again", executed_again, "is the executed action a"),
    Wrong("critic-memory", "no detach", without_detach, "your target moves with w"),
    Wrong("critic-memory", "no γ", undiscounted, "γ is missing"),
    Wrong("critic-memory", "sum", summed, "the sum over the batch"),
    Wrong("critic-memory", "sign", uphill, "wrong sign: it is the target"),
    Wrong("critic-memory", "+Ks", plus_K, "μ(s) = −Ks"),
    Wrong("critic-memory", "Kᵀ", K_transposed, "K is transposed"),
    Wrong("critic-memory", "last reward", last_reward_lost, "the last reward is lost"),
    Wrong("critic-memory", "ended upside down", ended_the_other_way, "the wrong way round"),
    Wrong("critic-memory", "means", means_multiplied, "Average the products"),
    Wrong("critic-memory", "mean of all", averaged_over_all, "over the features too"),
    Wrong("critic-memory", "no bootstrap", reward_alone, "is not all of y"),
    Wrong("critic-memory", "φ′", next_features, "not those of the next pair"),
    Wrong("critic-memory", "δ", errors_alone, "Only the error is returned"),
    Wrong("critic-memory", "(B, 1) and (B,)", column_of_rewards, "the shape"),
    Wrong("critic-ripples", "50", {**RIPPLES, "slope_error_of_constant": 50}, "does not change"),
    Wrong("critic-ripples", "height", {**RIPPLES, "slope_error_of_ripple": 0.001}, "the height"),
    Wrong("critic-ripples", "ω", {**RIPPLES, "slope_error_of_ripple": 5000}, "the frequency"),
    Wrong("critic-ripples", "sine is 0", {**RIPPLES, "slope_error_of_ripple": 0}, "a cosine"),
    Wrong(
        "critic-ripples",
        "minus",
        {**RIPPLES, "learned_slope_with_ripple": -6.857},
        "ripple is positive",
    ),
    Wrong(
        "critic-ripples",
        "the better value",
        {**RIPPLES, "critic_to_choose": "off by a ripple"},
        "the wrong way",
    ),
    Wrong(
        "critic-ripples",
        "averages",
        {**RIPPLES, "why_this_critic": "a constant error averages out"},
        "at every action",
    ),
]
