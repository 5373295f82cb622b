"""Attempts at the exercises of chapter 8."""

import numpy as np
import torch
from scipy.linalg import solve_discrete_lyapunov

from tests.exercises.attempts import Right, Wrong

HAND = {"visits": 2, "total": 16 / 7, "kept": -4 / 7, "exact": -32 / 49, "dropped": -4 / 49}
TIED = {
    "w_at_5": "negative",
    "exact_slope_at_5": "positive",
    "w_always_has_the_sign_of": "the kept part",
    "why_a_full_gain_is_safe": "its critic has the true slope in every state",
}
WEIGHTS = {
    "mean_of_weights": 1,
    "worth_for_one_entry": 660_000,
    "worth_for_fifty_entries": 1e6 / 1.51**50,
}


def recursive(system, K, visits, n):
    local = -2 * system.E(K) @ visits
    if n == 0:
        return local
    F = system.closed_loop(K)
    return local + keep_of_next(system, K, F, visits, n)


def keep_of_next(system, K, F, visits, n):
    return recursive(system, K, system.gamma * F @ visits @ F.T, n - 1)


def all_minus_later(system, K, visits, n):
    F, gamma = system.A - system.B @ K, system.gamma
    total = solve_discrete_lyapunov(np.sqrt(gamma) * F, visits)
    power = np.linalg.matrix_power(F, n + 1)
    return -2 * system.E(K) @ (total - gamma ** (n + 1) * power @ total @ power.T)


def powers(system, K, visits, n):
    F = system.closed_loop(K)
    total = np.zeros_like(visits)
    for t in range(n + 1):
        Ft = np.linalg.matrix_power(F, t)
        total = total + system.gamma**t * (Ft @ visits @ Ft.T)
    return -2 * (system.E(K) @ total)


def one_less(system, K, visits, n):
    F, total, term = system.closed_loop(K), np.zeros_like(visits), visits
    for _ in range(n):
        total, term = total + term, system.gamma * F @ term @ F.T
    return -2 * system.E(K) @ total


def one_less_from_a_number(system, K, visits, n):
    F, total, term = system.closed_loop(K), 0.0, visits
    for _ in range(n):
        total, term = total + term, system.gamma * F @ term @ F.T
    return -2 * system.E(K) @ total


def one_more(system, K, visits, n):
    F, total, term = system.closed_loop(K), visits, visits
    for _ in range(n + 1):
        term = system.gamma * F @ term @ F.T
        total = total + term
    return -2 * system.E(K) @ total


def no_gamma(system, K, visits, n):
    F, total, term = system.closed_loop(K), 0, visits
    for _ in range(n + 1):
        total, term = total + term, F @ term @ F.T
    return -2 * system.E(K) @ total


def F_turned(system, K, visits, n):
    F, total, term = system.closed_loop(K), 0, visits
    for _ in range(n + 1):
        total, term = total + term, system.gamma * F.T @ term @ F
    return -2 * system.E(K) @ total


def entry_by_entry(system, K, visits, n):
    F, total, term = system.closed_loop(K), 0, visits
    for _ in range(n + 1):
        total, term = total + term, system.gamma * F * term * F.T
    return -2 * system.E(K) @ total


def power_by_entry(system, K, visits, n):
    F, total = system.closed_loop(K), 0
    for t in range(n + 1):
        total = total + system.gamma**t * F**t @ visits @ (F**t).T
    return -2 * system.E(K) @ total


def averaged(system, K, visits, n):
    F, terms = system.closed_loop(K), [visits]
    while len(terms) < n + 1:
        terms.append(system.gamma * F @ terms[-1] @ F.T)
    return -2 * system.E(K) @ np.mean(terms, axis=0)


def transposed(system, K, visits, n):
    F, total, term = system.closed_loop(K), 0, visits
    for _ in range(n + 1):
        total, term = total + term, system.gamma * F @ term @ F.T
    return -2 * total @ system.E(K).T


def last_alone(system, K, visits, n):
    F, term = system.closed_loop(K), visits
    for _ in range(n):
        term = system.gamma * F @ term @ F.T
    return -2 * system.E(K) @ term


def without_first(system, K, visits, n):
    F, total, term = system.closed_loop(K), np.zeros_like(visits), visits
    for _ in range(n):
        term = system.gamma * F @ term @ F.T
        total = total + term
    return -2 * system.E(K) @ total


def counts_from_1(system, K, visits, n):
    F, total, term = system.closed_loop(K), np.zeros_like(visits), visits
    for _ in range(n + 1):
        term = system.gamma * F @ term @ F.T
        total = total + term
    return -2 * system.E(K) @ total


def gamma_twice(system, K, visits, n):
    F, total, term = system.gamma * system.closed_loop(K), 0, visits
    for _ in range(n + 1):
        total, term = total + term, F @ term @ F.T
    return -2 * system.E(K) @ total


def one_side(system, K, visits, n):
    F, total, term = system.closed_loop(K), 0, visits
    for _ in range(n + 1):
        total, term = total + term, system.gamma * F @ term
    return -2 * system.E(K) @ total


def F_once(system, K, visits, n):
    F, total = system.closed_loop(K), visits
    for t in range(1, n + 1):
        total = total + system.gamma**t * F @ visits @ F.T
    return -2 * system.E(K) @ total


def no_motion(system, K, visits, n):
    return -2 * system.E(K) @ visits * sum(system.gamma**t for t in range(n + 1))


def open_loop(system, K, visits, n):
    F, total, term = system.A, 0, visits
    for _ in range(n + 1):
        total, term = total + term, system.gamma * F @ term @ F.T
    return -2 * system.E(K) @ total


def everything(system, K, visits, n):
    F = np.sqrt(system.gamma) * system.closed_loop(K)
    return -2 * system.E(K) @ solve_discrete_lyapunov(F, visits)


def first_alone(system, K, visits, n):
    return system.natural_gradient(K) @ visits


def from_the_start(system, K, visits, n):
    F, total, term = system.closed_loop(K), 0, system.Sigma0
    for _ in range(n + 1):
        total, term = total + term, system.gamma * F @ term @ F.T
    return -2 * system.E(K) @ total


def plus_2(system, K, visits, n):
    return -powers(system, K, visits, n)


def no_2(system, K, visits, n):
    F, total, term = system.closed_loop(K), 0, visits
    for _ in range(n + 1):
        total, term = total + term, system.gamma * F @ term @ F.T
    return -system.E(K) @ total


def moments(system, K, visits, n):
    F, total, term = system.closed_loop(K), 0, visits
    for _ in range(n + 1):
        total, term = total + term, system.gamma * F @ term @ F.T
    return total


def changes_visits(system, K, visits, n):
    F, total, term = system.closed_loop(K), visits, visits.copy()
    for _ in range(n + 1):
        term = system.gamma * F @ term @ F.T
        total += term
    return -2 * system.E(K) @ total


def normal_equations(J, g, rho):
    n = J.shape[2]
    H, step = np.zeros((n, n)), np.zeros(n)
    for r, J_s, g_s in zip(rho, J, g, strict=True):
        H += r * J_s.T @ J_s
        step += r * J_s.T @ g_s
    return np.linalg.inv(H) @ step


def weighted_rows(J, g, rho):
    weight = np.repeat(rho, J.shape[1])
    rows = J.reshape(-1, J.shape[2])
    return np.linalg.solve((rows.T * weight) @ rows, (rows.T * weight) @ g.reshape(-1))


def newton(J, g, rho):
    """One Newton step of the squared errors, with autograd."""
    J, g, rho = (torch.tensor(x) for x in (J, g, rho))

    def loss(w):
        return (rho[:, None] * (J @ w - g) ** 2).sum()

    w = torch.zeros(J.shape[2], dtype=torch.float64)
    gradient = torch.autograd.functional.jacobian(loss, w)
    return w - torch.linalg.solve(torch.autograd.functional.hessian(loss, w), gradient)


def unweighted(J, g, rho):
    return np.linalg.lstsq(J.reshape(-1, J.shape[2]), g.ravel(), rcond=None)[0]


def rows_times_rho(J, g, rho):
    rows, values = J * rho[:, None, None], g * rho[:, None]
    return np.linalg.lstsq(rows.reshape(-1, J.shape[2]), values.ravel(), rcond=None)[0]


def root_in_sums(J, g, rho):
    r = np.sqrt(rho)
    H = np.einsum("s,smi,smj->ij", r, J, J)
    return np.linalg.solve(H, np.einsum("s,smi,sm->i", r, J, g))


def actor_step(J, g, rho):
    return np.einsum("s,smi,sm->i", rho, J, g)


def plain_H(J, g, rho):
    H = np.einsum("smi,smj->ij", J, J)
    return np.linalg.solve(H, np.einsum("s,smi,sm->i", rho, J, g))


def plain_step(J, g, rho):
    H = np.einsum("s,smi,smj->ij", rho, J, J)
    return np.linalg.solve(H, np.einsum("smi,sm->i", J, g))


def diagonal(J, g, rho):
    return actor_step(J, g, rho) / np.einsum("s,smi,smi->i", rho, J, J)


def each_alone(J, g, rho):
    fits = [np.linalg.lstsq(x, y, rcond=None)[0] for x, y in zip(J, g, strict=True)]
    return np.average(fits, axis=0, weights=rho)


def minus_g(J, g, rho):
    return normal_equations(J, -g, rho)


def mean_H(J, g, rho):
    H = np.mean([r * x.T @ x for r, x in zip(rho, J, strict=True)], axis=0)
    return np.linalg.solve(H, actor_step(J, g, rho))


def mean_step(J, g, rho):
    H = np.einsum("s,smi,smj->ij", rho, J, J)
    step = np.mean([r * x.T @ y for r, x, y in zip(rho, J, g, strict=True)], axis=0)
    return np.linalg.solve(H, step)


def times_H(J, g, rho):
    return np.einsum("s,smi,smj->ij", rho, J, J) @ actor_step(J, g, rho)


def summed_actions(J, g, rho):
    rows, values = J.sum(axis=1), g.sum(axis=1)
    return np.linalg.solve((rows.T * rho) @ rows, (rows.T * rho) @ values)


RIGHT = [
    Right("offpolicy-hand", HAND),
    Right("offpolicy-hand", {**HAND, "exact": -0.65306, "dropped": -0.0816}),
    Right("offpolicy-inner", recursive),
    Right("offpolicy-inner", all_minus_later),
    Right("offpolicy-inner", powers),
    Right("offpolicy-fit", normal_equations),
    Right("offpolicy-fit", weighted_rows),
    Right("offpolicy-fit", newton),
    Right("offpolicy-tied", TIED),
    Right("offpolicy-weights", WEIGHTS),
    Right("offpolicy-weights", {**WEIGHTS, "worth_for_fifty_entries": 1e-3}),
]

WRONG = [
    Wrong("offpolicy-hand", "the actor's path", {**HAND, "visits": 8 / 7}, "s = 1 throughout"),
    Wrong("offpolicy-hand", "one visit", {**HAND, "visits": 1}, "1 + γ + γ² + …"),
    Wrong("offpolicy-hand", "γ squared", {**HAND, "visits": 4 / 3}, "comes in squared"),
    Wrong("offpolicy-hand", "the book's γ", {**HAND, "visits": 10}, "γ = 0.9"),
    Wrong("offpolicy-hand", "behavior's F", {**HAND, "total": 4}, "the actor's F is 1/2"),
    Wrong("offpolicy-hand", "one start", {**HAND, "total": 8 / 7}, "start with Σ^β"),
    Wrong("offpolicy-hand", "F for F²", {**HAND, "total": 2 / 0.75}, "Σ^β/(1 − γF²)"),
    Wrong("offpolicy-hand", "one step", {**HAND, "total": 2.25}, "All later ones"),
    Wrong("offpolicy-hand", "no step", {**HAND, "total": 2}, "without the states after"),
    Wrong("offpolicy-hand", "kept: sign", {**HAND, "kept": 4 / 7}, "The sign: both are −2E"),
    Wrong("offpolicy-hand", "kept is exact", {**HAND, "kept": -32 / 49}, "This is the exact part"),
    Wrong("offpolicy-hand", "kept: no 2", {**HAND, "kept": -2 / 7}, "Kept: −2EΣ^β"),
    Wrong("offpolicy-hand", "kept: on-policy", {**HAND, "kept": -16 / 49}, "slope of the return"),
    Wrong("offpolicy-hand", "exact: sign", {**HAND, "exact": 32 / 49}, "The sign: both are −2E"),
    Wrong("offpolicy-hand", "exact: no 2", {**HAND, "exact": -16 / 49}, "times Sigma-tilde"),
    Wrong("offpolicy-hand", "exact is kept", {**HAND, "exact": -4 / 7}, "This is the kept part"),
    Wrong("offpolicy-hand", "exact: F", {**HAND, "exact": -8 / 7}, "behavior's F"),
    Wrong("offpolicy-hand", "kept − exact", {**HAND, "dropped": 4 / 49}, "exact minus kept"),
    Wrong("offpolicy-hand", "sum", {**HAND, "dropped": -60 / 49}, "not their sum"),
    Wrong("offpolicy-hand", "moments", {**HAND, "dropped": 2 / 7}, "difference of the moments"),
    Wrong("offpolicy-inner", "n terms", one_less, "one step early"),
    Wrong("offpolicy-inner", "n terms, from 0.0", one_less_from_a_number, "the loop runs once"),
    Wrong("offpolicy-inner", "n + 2 terms", one_more, "one term too many"),
    Wrong("offpolicy-inner", "no γ", no_gamma, "γ is missing"),
    Wrong("offpolicy-inner", "Fᵀ first", F_turned, "changed places"),
    Wrong("offpolicy-inner", "* for @", entry_by_entry, "A product with F"),
    Wrong("offpolicy-inner", "F**t", power_by_entry, "A power of F"),
    Wrong("offpolicy-inner", "mean", averaged, "mean over the steps"),
    Wrong("offpolicy-inner", "transposed", transposed, "transposed"),
    Wrong("offpolicy-inner", "last term", last_alone, "last step alone"),
    Wrong("offpolicy-inner", "no first term", without_first, "t = 0, is left out"),
    Wrong("offpolicy-inner", "from 1", counts_from_1, "counted from 1"),
    Wrong("offpolicy-inner", "γ twice", gamma_twice, "γ comes in twice"),
    Wrong("offpolicy-inner", "one F", one_side, "F on both sides"),
    Wrong("offpolicy-inner", "F once", F_once, "F acts once"),
    Wrong("offpolicy-inner", "no motion", no_motion, "do not move"),
    Wrong("offpolicy-inner", "A for F", open_loop, "F = A − BK"),
    Wrong("offpolicy-inner", "all steps", everything, "all steps, whatever n is"),
    Wrong("offpolicy-inner", "kept part", first_alone, "kept part, whatever n is"),
    Wrong("offpolicy-inner", "Σ₀", from_the_start, "visits that are given"),
    Wrong("offpolicy-inner", "sign", plus_2, "The sign"),
    Wrong("offpolicy-inner", "no factor 2", no_2, "factor 2 is missing"),
    Wrong("offpolicy-inner", "moments", moments, "These are the moments"),
    Wrong("offpolicy-inner", "in place", changes_visits, "changes its inputs"),
    Wrong("offpolicy-fit", "no weights", unweighted, "weights ρ are left out."),
    Wrong("offpolicy-fit", "rows times ρ", rows_times_rho, "come in twice"),
    Wrong("offpolicy-fit", "root", root_in_sums, "root of ρ stands"),
    Wrong("offpolicy-fit", "actor step", actor_step, "This is the actor step"),
    Wrong("offpolicy-fit", "H without ρ", plain_H, "left out of the matrix H"),
    Wrong("offpolicy-fit", "right side without ρ", plain_step, "right-hand side"),
    Wrong("offpolicy-fit", "diagonal", diagonal, "Only the diagonal"),
    Wrong("offpolicy-fit", "each alone", each_alone, "fit of its own"),
    Wrong("offpolicy-fit", "sign", minus_g, "The sign"),
    Wrong("offpolicy-fit", "mean in H", mean_H, "A mean in H"),
    Wrong("offpolicy-fit", "mean in the step", mean_step, "A sum in H"),
    Wrong("offpolicy-fit", "times H", times_H, "You multiply by H"),
    Wrong("offpolicy-fit", "actions added", summed_actions, "added before the fit"),
    Wrong("offpolicy-tied", "w up", {**TIED, "w_at_5": "positive"}, "sign of the kept part"),
    Wrong("offpolicy-tied", "w zero", {**TIED, "w_at_5": "zero"}, "where the kept part is zero"),
    Wrong(
        "offpolicy-tied",
        "exact slope down",
        {**TIED, "exact_slope_at_5": "negative"},
        "not yet at its zero",
    ),
    Wrong(
        "offpolicy-tied",
        "sign of the exact slope",
        {**TIED, "w_always_has_the_sign_of": "the exact slope"},
        "both signs at k = 5",
    ),
    Wrong(
        "offpolicy-tied",
        "more parameters",
        {**TIED, "why_a_full_gain_is_safe": "it has more parameters"},
        "with which features",
    ),
    Wrong(
        "offpolicy-tied",
        "right states",
        {**TIED, "why_a_full_gain_is_safe": "its memory holds the right states"},
        "the same for both",
    ),
    Wrong("offpolicy-weights", "ω²", {**WEIGHTS, "mean_of_weights": 1.512}, "mean of ω²"),
    Wrong(
        "offpolicy-weights", "widths", {**WEIGHTS, "mean_of_weights": 0.5}, "ratio of the widths"
    ),
    Wrong("offpolicy-weights", "at the mean", {**WEIGHTS, "mean_of_weights": 2}, "common mean"),
    Wrong(
        "offpolicy-weights",
        "multiplies",
        {**WEIGHTS, "worth_for_one_entry": 1.5119e6},
        "divide by E[ω²]",
    ),
    Wrong(
        "offpolicy-weights",
        "half the variance",
        {**WEIGHTS, "worth_for_one_entry": 866_000},
        "not the variance",
    ),
    Wrong("offpolicy-weights", "no root", {**WEIGHTS, "worth_for_one_entry": 875_000}, "root of v"),
    Wrong(
        "offpolicy-weights",
        "all of them",
        {**WEIGHTS, "worth_for_one_entry": 1e6},
        "the mean of ω²",
    ),
    Wrong(
        "offpolicy-weights",
        "times 50",
        {**WEIGHTS, "worth_for_fifty_entries": 661_438 / 50},
        "a power, not a product",
    ),
    Wrong(
        "offpolicy-weights",
        "second moment",
        {**WEIGHTS, "worth_for_fifty_entries": 1.51186**50},
        "This is E[ω²]",
    ),
    Wrong("offpolicy-hand", "γ twice", {**HAND, "visits": 4}, "without a square"),
    Wrong("offpolicy-hand", "nothing dropped", {**HAND, "dropped": 0}, "something is dropped"),
    Wrong(
        "offpolicy-tied",
        "zero slope",
        {**TIED, "exact_slope_at_5": "zero"},
        "zero at k = 5.39",
    ),
    Wrong(
        "offpolicy-tied",
        "neither",
        {**TIED, "w_always_has_the_sign_of": "neither"},
        "a positive number here",
    ),
    Wrong(
        "offpolicy-tied",
        "positive H",
        {**TIED, "why_a_full_gain_is_safe": "its H is positive"},
        "So is the H",
    ),
    Wrong(
        "offpolicy-weights",
        "squared",
        {**WEIGHTS, "worth_for_one_entry": 437_500},
        "squared once more",
    ),
    Wrong(
        "offpolicy-weights",
        "largest weight",
        {**WEIGHTS, "worth_for_one_entry": 5e5},
        "weight at the mean",
    ),
    Wrong(
        "offpolicy-weights",
        "one entry again",
        {**WEIGHTS, "worth_for_fifty_entries": 661_438},
        "answer for one entry",
    ),
    Wrong("offpolicy-weights", "none", {**WEIGHTS, "worth_for_fifty_entries": 0}, "not zero"),
]
