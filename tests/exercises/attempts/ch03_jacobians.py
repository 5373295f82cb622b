"""Attempts at the exercises of chapter 3."""

import numpy as np
import torch

from tests.exercises.attempts import Right, Wrong

SIGN = {
    "slope_of_a2_in_u2": 1,
    "slope_of_ell_in_u1": 8,
    "slope_of_ell_in_u2": 2,
    "slope_of_ell_in_u3": -4,
    "why_u2_has_a_smaller_slope": "its two roads partly cancel",
}
ROTATION = {
    "J_12": -1,
    "J_21": 1,
    "slope_in_u1": 1,
    "slope_in_u2": -3,
    "direction_of_Jg": "steepest descent",
    "why_for_every_g": "Jᵀ = −J",
}
MOVE = {
    "move_of_a1": 22,
    "move_of_a2": -14,
    "can_a_small_step_lower_Q": "never",
    "change_of_Q": "α‖Jᵀg‖²",
    "change_is_zero": "only if Jᵀg = 0",
}
BATCH_SIZE = {
    "right_loss": 0.5,
    "loss_of_this_line": 1.5,
    "why_one_state_hides_it": "the difference is one number, and it is the right one",
    "why_a_fresh_critic_hides_it": "equal predictions do not vary with the targets",
}


def jacobian(s, u):
    """Of a single state, for the attempts that build it."""
    d = 1 - np.tanh(u[0] * s + u[1]) ** 2
    return np.array([[d * s, d], [0, s**2]])


def in_numpy(s, u, G):
    into_z = G[:, 0] * (1 - np.tanh(u[0] * s + u[1]) ** 2)
    return np.array([(into_z * s).sum(), (into_z + G[:, 1] * s**2).sum()])


def by_einsum(s, u, G):
    J = np.array([jacobian(x, u) for x in s])
    return np.einsum("bm,bmn->n", G, J)


def by_autograd(s, u, G):
    u = torch.tensor(u, requires_grad=True)
    s, G = torch.tensor(s), torch.tensor(G)
    a = torch.stack([torch.tanh(u[0] * s + u[1]), u[1] * s**2], dim=1)
    a.backward(G)
    return u.grad


def in_a_loop(s, u, G):
    total = [0.0, 0.0]
    for x, (g1, g2) in zip(s, G, strict=True):
        h = np.tanh(x * u[0] + u[1])
        total[0] += g1 * (1 - h * h) * x
        total[1] += g1 * (1 - h * h) + g2 * x * x
    return total


def without_transpose(s, u, G):
    return sum(jacobian(x, u) @ g for x, g in zip(s, G, strict=True))


def other_slope(slope):
    def answer(s, u, G):
        z = s * u[0] + u[1]
        into_z = G[:, 0] * slope(z)
        return np.array([np.dot(into_z, s), into_z.sum() + np.dot(G[:, 1], s**2)])

    return answer


def no_second_road(s, u, G):
    into_z = G[:, 0] / np.cosh(u[0] * s + u[1]) ** 2
    return np.array([(into_z * s).sum(), into_z.sum()])


def no_first_road(s, u, G):
    return np.array([in_numpy(s, u, G)[0], (G[:, 1] * s**2).sum()])


def averaged(s, u, G):
    return np.mean([jacobian(x, u).T @ g for x, g in zip(s, G, strict=True)], axis=0)


def times_B(s, u, G):
    return in_numpy(s, u, G * len(s))


def mean_jacobian(s, u, G):
    J = np.mean([jacobian(x, u) for x in s], axis=0)
    return J.T @ G.sum(axis=0)


def sum_jacobian(s, u, G):
    J = sum(jacobian(x, u) for x in s)
    return J.T @ G.sum(axis=0)


def rows(s, u, G):
    return np.array([g @ jacobian(x, u) for x, g in zip(s, G, strict=True)])


def forgets_s(s, u, G):
    into_z = G[:, 0] * (1 - np.tanh(u[0] * s + u[1]) ** 2)
    return np.array([into_z.sum(), (into_z + G[:, 1] * s**2).sum()])


def weight_for_input(s, u, G):
    into_z = G[:, 0] * (1 - np.tanh(u[0] * s + u[1]) ** 2)
    return np.array([(into_z * u[0]).sum(), (into_z + G[:, 1] * s**2).sum()])


def s_in_both(s, u, G):
    into_u1 = G[:, 0] * (1 - np.tanh(u[0] * s + u[1]) ** 2) * s
    return np.array([into_u1.sum(), (into_u1 + G[:, 1] * s**2).sum()])


def not_squared(s, u, G):
    into_z = G[:, 0] * (1 - np.tanh(u[0] * s + u[1]) ** 2)
    return np.array([(into_z * s).sum(), (into_z + G[:, 1] * s).sum()])


def derivative_in_s(s, u, G):
    into_z = G[:, 0] * (1 - np.tanh(u[0] * s + u[1]) ** 2)
    return np.array([(into_z * s).sum(), (into_z + 2 * G[:, 1] * u[1] * s).sum()])


def tanh_for_both(s, u, G):
    back = G * (1 - np.tanh(u[0] * s + u[1]) ** 2)[:, None]
    return np.array([back[:, 0] @ s, back[:, 0].sum() + back[:, 1] @ s**2])


def swapped(s, u, G):
    g2, g1 = G.T
    return in_numpy(s, u, np.stack([g1, g2], axis=1))


def without_g(s, u, G):
    return np.array([jacobian(x, u).sum(axis=0) for x in s]).sum(axis=0)


def wrong(mistake, answer, hint):
    return Wrong("jac-vjp", mistake, answer, hint)


def changed(exercise, right, mistake, name, value, hint):
    return Wrong(exercise, mistake, {**right, name: value}, hint)


def sign(*args):
    return changed("jac-sign", SIGN, *args)


def rotation(*args):
    return changed("jac-rotation", ROTATION, *args)


def move(*args):
    return changed("jac-move", MOVE, *args)


def batch_size(*args):
    return changed("jac-batch-size", BATCH_SIZE, *args)


RIGHT = [
    Right("jac-sign", SIGN),
    Right("jac-rotation", ROTATION),
    Right("jac-vjp", in_numpy),
    Right("jac-vjp", by_einsum),
    Right("jac-vjp", by_autograd),
    Right("jac-vjp", in_a_loop),
    Right("jac-move", MOVE),
    Right("jac-batch-size", BATCH_SIZE),
]

WRONG = [
    sign("old Jacobian", "slope_of_a2_in_u2", -1, "the old actor"),
    sign("s for 1", "slope_of_a2_in_u2", 2, "belongs to u₃"),
    sign("critic alone", "slope_of_ell_in_u1", 4, "the critic's slope"),
    sign("adds along a road", "slope_of_ell_in_u1", 6, "multiplied, not added"),
    sign("old gradient", "slope_of_ell_in_u2", 6, "the old actor"),
    sign("one road", "slope_of_ell_in_u2", 4, "u₂ moves a₂ too"),
    sign("the other road", "slope_of_ell_in_u2", -2, "u₂ moves a₁ too"),
    sign("multiplies roads", "slope_of_ell_in_u2", -8, "are added"),
    sign("wrong entry of g", "slope_of_ell_in_u3", 8, "not the one for a₁"),
    sign("sign of g₂", "slope_of_ell_in_u3", 4, "wants less"),
    sign("no road", "why_u2_has_a_smaller_slope", "one of its roads is gone", "moves both"),
    rotation("no minus", "J_12", 1, "has a minus"),
    rotation("transposed", "J_21", -1, "has no minus"),
    rotation("Jg", "slope_in_u1", -1, "an entry of Jg"),
    rotation("Jg, second entry", "slope_in_u2", 3, "an entry of Jg"),
    rotation("wrong entry of g", "slope_in_u1", 3, "the critic's slope for a₂"),
    rotation("no change", "direction_of_Jg", "Q does not change", "inner product"),
    rotation("symmetric", "why_for_every_g", "Jᵀ = J", "no harm"),
    rotation("square", "why_for_every_g", "J is square", "which numbers"),
    wrong("no factor of tanh", other_slope(lambda z: 1), "factor of tanh is missing"),
    wrong("1 − tanh", other_slope(lambda z: 1 - np.tanh(z)), "the square is missing"),
    wrong("1 − z²", other_slope(lambda z: 1 - z * z), "not 1 − z²"),
    wrong("tanh", other_slope(np.tanh), "the value of tanh"),
    wrong("a₂ forgotten", no_second_road, "it moves a₂ too"),
    wrong("a₁ forgotten for u₂", no_first_road, "it moves a₁ too"),
    wrong("J G", without_transpose, "without the transpose"),
    wrong("mean over the states", averaged, "divided by B already"),
    wrong("times B", times_B, "multiply by B"),
    wrong("mean Jacobian", mean_jacobian, "average before you multiply"),
    wrong("sum of Jacobians", sum_jacobian, "add up before you multiply"),
    wrong("one row per state", rows, "state by state"),
    wrong("no s", forgets_s, "lacks a factor"),
    wrong("u₁ for s", weight_for_input, "not u₁"),
    wrong("s for u₂ as well", s_in_both, "belongs to u₁"),
    wrong("s for s²", not_squared, "not s."),
    wrong("slope in s", derivative_in_s, "the slope of a₂ in s"),
    wrong("tanh' in both", tanh_for_both, "a₂ has no tanh"),
    wrong("columns of G", swapped, "columns of G are swapped"),
    wrong("without G", without_g, "G is missing"),
    wrong("descends", lambda s, u, G: in_numpy(s, u, -G), "the sign is wrong"),
    wrong("reversed", lambda s, u, G: in_numpy(s, u, G)[::-1], "reverse order"),
    move("Jᵀg", "move_of_a1", 8, "a step of the parameters"),
    move("u₂ moves one entry", "move_of_a1", 16, "a road is missing"),
    move("diagonal", "move_of_a2", -10, "not diagonal"),
    move("sign of u₂'s road", "move_of_a2", -2, "a₂ falls"),
    move(
        "not parallel",
        "can_a_small_step_lower_Q",
        "yes, because δa is not parallel to g",
        "below a right angle",
    ),
    move("no J", "change_of_Q", "α‖g‖²", "along g itself"),
    move("shapes", "change_of_Q", "α gᵀJg", "do not fit"),
    move("g = 0", "change_is_zero", "only if g = 0", "may be nonzero"),
    batch_size("sum", "right_loss", 1, "not their sum"),
    batch_size("table", "right_loss", 1.5, "every target"),
    batch_size("no broadcasting", "loss_of_this_line", 0.5, "the table"),
    batch_size("sum of the table", "loss_of_this_line", 6, "takes their mean"),
    batch_size("divides by B", "loss_of_this_line", 3, "all entries"),
    batch_size("equal shapes", "why_one_state_hides_it", "the shapes are equal", "(1, 1) and (1,)"),
    batch_size(
        "flat difference",
        "why_a_fresh_critic_hides_it",
        "the difference has shape (4,)",
        "It has shape (4, 4)",
    ),
    batch_size(
        "four states", "why_a_fresh_critic_hides_it", "four states are too few", "Four states"
    ),
]
