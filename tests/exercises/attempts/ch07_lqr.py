"""Attempts at the exercises of chapter 7."""

import numpy as np
import torch
from scipy.linalg import solve_discrete_lyapunov

from tests.exercises.attempts import Right, Wrong

HALF = {
    "P": 10 / 7,
    "Sigma": 8 / 7,
    "E": 1 / 7,
    "slope": -16 / 49,
    "gain_should_go": "down",
    "K_star": 2**0.5 - 1,
}
SCALE = {
    "gradient_times": 4,
    "natural_gradient_times": 1,
    "best_gain": "stays",
    "good_step_size_of_plain_ascent": "a quarter",
}


def inner(system, D, k):
    return np.einsum("ij,ij->", system.dJ_dK(k * np.asarray(D)), D)


def measured(system, D, k):
    h = 1e-5
    return (system.J((k + h) * D) - system.J((k - h) * D)) / (2 * h)


def by_torch(system, D, k):
    """The return from a linear equation for P, differentiated by autograd."""
    A, B, M, R, W, S = (
        torch.tensor(x) for x in (system.A, system.B, system.M, system.R, system.W, system.Sigma0)
    )
    k = torch.tensor(k, dtype=torch.float64, requires_grad=True)
    K, d = k * torch.tensor(D), len(system.A)
    F, cost = A - B @ K, M + K.T @ R @ K
    FF = system.gamma * torch.kron(F.T.contiguous(), F.T.contiguous())
    P = torch.linalg.solve(torch.eye(d * d, dtype=torch.float64) - FF, cost.reshape(-1))
    value = -(P.reshape(d, d) * (S + system.gamma / (1 - system.gamma) * W)).sum()
    return torch.autograd.grad(value, k)[0]


def all_entries(system, D, k):
    return system.dJ_dK(k * D).sum()


def mean_of_products(system, D, k):
    return np.mean(system.dJ_dK(k * D) * D)


def mean_entry(system, D, k):
    return system.dJ_dK(k * D).mean()


def products(system, D, k):
    return D * system.dJ_dK(k * D)


def matrix_product(system, D, k):
    return system.dJ_dK(k * D) @ D.T


def whole_gradient(system, D, k):
    return system.dJ_dK(k * D)


def at_D(system, D, k):
    return np.vdot(system.dJ_dK(D), D)


def rate_K(system, D, k):
    K = k * D
    return np.vdot(system.dJ_dK(K), K)


def first_states(system, D, k):
    K = k * D
    return -2 * np.trace(system.E(K) @ system.Sigma0 @ D.T)


def natural(system, D, k):
    return np.vdot(system.natural_gradient(k * D), D)


def of_the_cost(system, D, k):
    K = k * D
    return 2 * np.vdot(system.E(K) @ system.Sigma(K), D)


def the_return(system, D, k):
    return system.J(k * D)


def unit_direction(system, D, k):
    return np.vdot(system.dJ_dK(k * D), D / np.sqrt((D**2).sum()))


def length(system, D, k):
    return np.sqrt((system.dJ_dK(k * D) ** 2).sum())


def divides_by_h(system, D, k, h=1e-5):
    return (system.J(k * D + h * D) - system.J(k * D - h * D)) / h


def without_2(system, D, k):
    K = k * D
    return -np.vdot(system.E(K) @ system.Sigma(K), D)


def vectorized(system, K, L, states, alpha):
    g = system.dQ_da(K, states, -states @ L.T)
    return L + alpha * np.einsum("ni,nj->ij", g, -states) / len(states)


def loop(system, K, L, states, alpha):
    """With matrices of the critic's own, state by state."""
    F, N = system.A - system.B @ K, system.M + K.T @ system.R @ K
    P = solve_discrete_lyapunov(np.sqrt(system.gamma) * F.T, N)
    step = np.zeros_like(L)
    for s in states:
        a = -L @ s
        g = -2 * (system.R @ a + system.gamma * system.B.T @ P @ (system.A @ s + system.B @ a))
        step -= np.outer(g, s)
    return L + alpha * step / len(states)


def downhill(system, K, L, states, alpha):
    g = system.dQ_da(K, states, -states @ L.T)
    return L + alpha * g.T @ states / len(states)


def own_action_of_K(system, K, L, states, alpha):
    g = system.dQ_da(K, states, -states @ K.T)
    return L - alpha * g.T @ states / len(states)


def slope_2Es(system, K, L, states, alpha):
    g = 2 * states @ system.E(K).T
    return L - alpha * g.T @ states / len(states)


def critic_moves(system, K, L, states, alpha):
    g = system.dQ_da(L, states, -states @ L.T)
    return L - alpha * g.T @ states / len(states)


def added_up(system, K, L, states, alpha):
    g = system.dQ_da(K, states, -states @ L.T)
    return L - alpha * g.T @ states


def plus_Ls(system, K, L, states, alpha):
    g = system.dQ_da(K, states, states @ L.T)
    return L - alpha * g.T @ states / len(states)


def from_K(system, K, L, states, alpha):
    g = system.dQ_da(K, states, -states @ L.T)
    return K - alpha * g.T @ states / len(states)


def step_alone(system, K, L, states, alpha):
    g = system.dQ_da(K, states, -states @ L.T)
    return -alpha * g.T @ states / len(states)


def slope_alone(system, K, L, states, alpha):
    g = system.dQ_da(K, states, -states @ L.T)
    return -(g.T @ states) / len(states)


def no_alpha(system, K, L, states, alpha):
    g = system.dQ_da(K, states, -states @ L.T)
    return L - g.T @ states / len(states)


def mean_state(system, K, L, states, alpha):
    s = np.mean(states, axis=0)
    return L - alpha * np.outer(system.dQ_da(K, s, -L @ s), s)


def mean_twice(system, K, L, states, alpha):
    g = system.dQ_da(K, states, -states @ L.T) / len(states)
    return L - alpha * np.mean([np.outer(x, s) for x, s in zip(g, states, strict=True)], axis=0)


def divided_by_size(system, K, L, states, alpha):
    g = system.dQ_da(K, states, -states @ L.T)
    return L - alpha * g.T @ states / states.size


def halved(system, K, L, states, alpha):
    g = system.dQ_da(K, states, -states @ L.T) / 2
    return L - alpha * g.T @ states / len(states)


def doubled(system, K, L, states, alpha):
    g = 2 * system.dQ_da(K, states, -states @ L.T)
    return L - alpha * g.T @ states / len(states)


def first_only(system, K, L, states, alpha):
    for s in states:
        g = system.dQ_da(K, s, -L @ s)
        return L - alpha * np.outer(g, s)


def the_end(system, K, L, states, alpha):
    G = system.R + system.gamma * system.B.T @ system.P(K) @ system.B
    return K - np.linalg.inv(G) @ system.E(K)


def stays(system, K, L, states, alpha):
    g = system.dQ_da(K, states, -states @ L.T)
    L - alpha * g.T @ states / len(states)
    return L


def in_place(system, K, L, states, alpha):
    L -= alpha * system.dQ_da(K, states, -states @ L.T).T @ states / len(states)
    return L


def no_return(system, K, L, states, alpha):
    L = L - alpha * system.dQ_da(K, states, -states @ L.T).T @ states / len(states)


RIGHT = [
    Right("lqr-half", HALF),
    Right("lqr-half", {**HALF, "P": 1.4286, "K_star": 0.4142, "slope": np.float32(-0.32653)}),
    Right("lqr-tied", inner),
    Right("lqr-tied", measured),
    Right("lqr-tied", by_torch),
    Right("lqr-frozen", vectorized),
    Right("lqr-frozen", loop),
    Right("lqr-scale", SCALE),
]

WRONG = [
    Wrong("lqr-half", "P without γ", {**HALF, "P": 1.25 / 0.75}, "γ or the square"),
    Wrong("lqr-half", "P without the push", {**HALF, "P": 8 / 7}, "cost of the push"),
    Wrong("lqr-half", "1 + K", {**HALF, "P": 1.5 * 8 / 7}, "costs its square"),
    Wrong("lqr-half", "first step", {**HALF, "P": 1.25}, "first step alone"),
    Wrong("lqr-half", "F = 1 + K", {**HALF, "P": -10}, "F is 1 − K"),
    Wrong("lqr-half", "value for cost", {**HALF, "P": -10 / 7}, "P is a cost"),
    Wrong("lqr-half", "γ = 0.9", {**HALF, "P": 1.6129}, "γ = 0.9"),
    Wrong("lqr-half", "Σ without γ", {**HALF, "Sigma": 1 / 0.75}, "Σ is 1/(1 − γF²)"),
    Wrong("lqr-half", "Σ upside down", {**HALF, "Sigma": 7 / 8}, "one over this number"),
    Wrong("lqr-half", "Σ is P", {**HALF, "Sigma": 10 / 7}, "without the costs"),
    Wrong("lqr-half", "Σ without F", {**HALF, "Sigma": 2}, "The states shrink"),
    Wrong("lqr-half", "E without F", {**HALF, "E": 0.5 - 5 / 7}, "E is K − γFP"),
    Wrong("lqr-half", "E's sign", {**HALF, "E": -1 / 7}, "not γFP − K"),
    Wrong("lqr-half", "E doubled", {**HALF, "E": 2 / 7}, "half of the slope"),
    Wrong("lqr-half", "Σ in E", {**HALF, "E": 0.5 - 2 / 7}, "P, not Σ"),
    Wrong("lqr-half", "plus in E", {**HALF, "E": 0.5 + 5 / 14}, "minus γFP"),
    Wrong("lqr-half", "slope of P", {**HALF, "slope": 16 / 49}, "The return is −P"),
    Wrong("lqr-half", "slope without 2", {**HALF, "slope": -8 / 49}, "factor 2"),
    Wrong("lqr-half", "local term", {**HALF, "slope": -2 / 7}, "local term"),
    Wrong("lqr-half", "P for Σ", {**HALF, "slope": -20 / 49}, "not with P"),
    Wrong("lqr-half", "upward", {**HALF, "gain_should_go": "up"}, "sign of the slope"),
    Wrong("lqr-half", "P* for K*", {**HALF, "K_star": 2**0.5}, "This is P at the best"),
    Wrong("lqr-half", "P at 1/2", {**HALF, "K_star": 5 / 12}, "belongs to K* itself"),
    Wrong("lqr-half", "K* without γ", {**HALF, "K_star": 0.585786}, "γ is missing"),
    Wrong("lqr-half", "other root", {**HALF, "K_star": -2.414214}, "positive root"),
    Wrong("lqr-half", "the book's K*", {**HALF, "K_star": 0.5884}, "γ = 0.9"),
    Wrong("lqr-half", "stays", {**HALF, "K_star": 0.5}, "quadratic"),
    Wrong("lqr-tied", "sum of the gradient", all_entries, "at its own rate"),
    Wrong("lqr-tied", "mean of products", mean_of_products, "mean over the entries. All"),
    Wrong("lqr-tied", "mean of the gradient", mean_entry, "mean over the entries of the gradient"),
    Wrong("lqr-tied", "no sum", products, "entry by entry. k is one number"),
    Wrong("lqr-tied", "matrix product", matrix_product, "matrix product"),
    Wrong("lqr-tied", "whole gradient", whole_gradient, "Only k may move"),
    Wrong("lqr-tied", "at D", at_D, "The gain is kD"),
    Wrong("lqr-tied", "rate kD", rate_K, "not at the rate kD"),
    Wrong("lqr-tied", "local term", first_states, "Σ, not Σ₀"),
    Wrong("lqr-tied", "natural gradient", natural, "natural gradient"),
    Wrong("lqr-tied", "cost", of_the_cost, "slope of the cost"),
    Wrong("lqr-tied", "return", the_return, "This is the return"),
    Wrong("lqr-tied", "unit direction", unit_direction, "length of D"),
    Wrong("lqr-tied", "length", length, "length of the gradient"),
    Wrong("lqr-tied", "divides by h", divides_by_h, "spans 2h"),
    Wrong("lqr-tied", "no factor 2", without_2, "factor 2 is missing"),
    Wrong("lqr-frozen", "downhill", downhill, "downhill"),
    Wrong("lqr-frozen", "action of K", own_action_of_K, "The actor acts with L"),
    Wrong("lqr-frozen", "2Es", slope_2Es, "The actor acts with L"),
    Wrong("lqr-frozen", "critic of L", critic_moves, "It is frozen"),
    Wrong("lqr-frozen", "sum", added_up, "mean over the batch"),
    Wrong("lqr-frozen", "a = +Ls", plus_Ls, "The action is −Ls"),
    Wrong("lqr-frozen", "begins at K", from_K, "The actor is at L"),
    Wrong("lqr-frozen", "step alone", step_alone, "This is the step."),
    Wrong("lqr-frozen", "slope alone", slope_alone, "This is the slope over L"),
    Wrong("lqr-frozen", "no alpha", no_alpha, "alpha is missing"),
    Wrong("lqr-frozen", "mean state", mean_state, "before the product"),
    Wrong("lqr-frozen", "mean twice", mean_twice, "taken twice"),
    Wrong("lqr-frozen", "by Nd", divided_by_size, "number of states"),
    Wrong("lqr-frozen", "half", halved, "halve the slope"),
    Wrong("lqr-frozen", "double", doubled, "double the slope"),
    Wrong("lqr-frozen", "first state", first_only, "Only the first state"),
    Wrong("lqr-frozen", "the end", the_end, "One step is asked for"),
    Wrong("lqr-frozen", "forgets to assign", stays, "does not move"),
    Wrong("lqr-frozen", "in place", in_place, "changes its inputs"),
    Wrong("lqr-frozen", "no return", no_return, "returns None"),
    Wrong("lqr-scale", "distance", {**SCALE, "gradient_times": 2}, "this square already"),
    Wrong("lqr-scale", "stays", {**SCALE, "gradient_times": 1}, "starts with Σ₀"),
    Wrong("lqr-scale", "twice", {**SCALE, "gradient_times": 16}, "linear in Σ₀"),
    Wrong("lqr-scale", "natural grows", {**SCALE, "natural_gradient_times": 4}, "−2E"),
    Wrong("lqr-scale", "natural shrinks", {**SCALE, "natural_gradient_times": 0.25}, "divided out"),
    Wrong("lqr-scale", "K* grows", {**SCALE, "best_gain": "grows"}, "E is zero"),
    Wrong(
        "lqr-scale",
        "same step",
        {**SCALE, "good_step_size_of_plain_ascent": "the same"},
        "has become longer",
    ),
    Wrong(
        "lqr-scale",
        "longer step",
        {**SCALE, "good_step_size_of_plain_ascent": "four times"},
        "longer already",
    ),
    Wrong("lqr-half", "book's Σ", {**HALF, "Sigma": 1.29032}, "γ = 0.9"),
    Wrong("lqr-half", "local, plus", {**HALF, "slope": 2 / 7}, "with the wrong sign"),
    Wrong("lqr-half", "P* upside down", {**HALF, "K_star": 0.2612}, "quadratic is P²/2 = 1"),
    Wrong("lqr-half", "P for K*", {**HALF, "K_star": 10 / 7}, "This is P at K = 1/2"),
    Wrong("lqr-scale", "a quarter", {**SCALE, "gradient_times": 0.25}, "make Σ larger"),
    Wrong("lqr-scale", "natural twice", {**SCALE, "natural_gradient_times": 2}, "−2E"),
    Wrong("lqr-scale", "K* shrinks", {**SCALE, "best_gain": "shrinks"}, "E is zero"),
    Wrong(
        "lqr-scale",
        "half a step",
        {**SCALE, "good_step_size_of_plain_ascent": "half"},
        "factor of the gradient",
    ),
]
