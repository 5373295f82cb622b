"""Exercises of chapter 3, Jacobians and batches."""

import sys
from collections.abc import Callable

import numpy as np

from dpgcourse.exercises.exercise import AnswersExercise, Asked, FunctionExercise, Mistake

H = 1e-20  # step of the complex step: it has no rounding error, so it may be tiny


def _load_torch() -> None:
    """If the reader has torch: load what it loads at its first product with a Jacobian."""
    if torch := sys.modules.get("torch"):
        p = torch.ones(1, requires_grad=True)
        torch.autograd.grad(2 * p, p, torch.ones(1))


def _batches(rng):
    """Batches of one, two and several states, the first with round numbers."""
    yield np.array([2.0, 1.0, -1.0]), np.array([0.5, -0.5]), np.array([[1.0, 2], [3, 1], [-2, 1]])
    yield np.array([1.5]), np.array([0.0, 0.0]), np.array([[4.0, -2.0]])
    for batch in (1, 2, 6):
        yield rng.normal(size=batch), rng.normal(size=2), rng.normal(size=(batch, 2))


def _pulled_back(s, u, G):
    """Slopes of the sum of G times the actions, each by a complex step of its parameter."""
    slopes = []
    for moved in u + 1j * H * np.eye(2):
        first, second = np.tanh(moved[0] * s + moved[1]), moved[1] * s**2
        slopes.append((G[:, 0] * first + G[:, 1] * second).sum().imag / H)
    return np.array(slopes)


def _links(s, u):
    """Slopes of a₁ in u₁, of a₁ in u₂ and of a₂ in u₂, each (B,)."""
    slope = np.cosh(u[0] * s + u[1]) ** -2.0
    return s * slope, slope, s**2


def _sums(first: Callable, second: Callable):
    """An answer that adds up over the states what two rules give for u₁ and u₂.

    The rules get the columns of G, the three links, and s and u.
    """

    def gives(s, u, G):
        arguments = (G[:, 0], G[:, 1], *_links(s, u), s, u)
        return np.array([np.sum(first(*arguments)), np.sum(second(*arguments))])

    return gives


def _with_slope(wrong: Callable):
    """An answer with another slope of tanh, which is a function of z."""
    return _sums(
        lambda g1, g2, p, q, r, s, u: g1 * wrong(s * u[0] + u[1]) * s,
        lambda g1, g2, p, q, r, s, u: g1 * wrong(s * u[0] + u[1]) + g2 * r,
    )


def _right_u1(g1, g2, p, q, r, s, u):
    return g1 * p


def _right_u2(g1, g2, p, q, r, s, u):
    return g1 * q + g2 * r


def _averaged_first(s, u, G):
    p, q, r = (link.mean() for link in _links(s, u))
    return np.array([G[:, 0].sum() * p, G[:, 0].sum() * q + G[:, 1].sum() * r])


def _summed_first(s, u, G):
    p, q, r = (link.sum() for link in _links(s, u))
    return np.array([G[:, 0].sum() * p, G[:, 0].sum() * q + G[:, 1].sum() * r])


def _row_by_row(s, u, G):
    p, q, r = _links(s, u)
    return np.stack([G[:, 0] * p, G[:, 0] * q + G[:, 1] * r], axis=1)


EXERCISES = (
    AnswersExercise(
        label="jac-sign",
        asked={
            "slope_of_a2_in_u2": Asked(
                1,
                {
                    -1: "That is the slope of the old actor: the sign of u₂ in a₂ has changed.",
                    2: "The factor of u₂ in a₂ is 1. The factor s belongs to u₃.",
                    0: "u₂ stands in a₂, so a₂ moves with it.",
                },
            ),
            "slope_of_ell_in_u1": Asked(
                8,
                {
                    4: "This is the critic's slope. Multiply by the slope s of a₁ in u₁.",
                    2: "This is the actor's slope. Multiply by the critic's slope for a₁.",
                    6: "The slopes along a road are multiplied, not added.",
                    -8: "The critic wants more of a₁: its slope there is positive.",
                },
            ),
            "slope_of_ell_in_u2": Asked(
                2,
                {
                    6: "That is the slope of the old actor: the sign of u₂ in a₂ has changed.",
                    4: "This is the road through a₁ alone; u₂ moves a₂ too.",
                    -2: "This is the road through a₂ alone; u₂ moves a₁ too.",
                    -8: "Along a road the slopes multiply; different roads are added.",
                    -6: "Both roads have the actor's slope 1; only the critic's slopes differ.",
                },
            ),
            "slope_of_ell_in_u3": Asked(
                -4,
                {
                    -2: "This is the critic's slope. Multiply by the slope s of a₂ in u₃.",
                    2: "This is the actor's slope. Multiply by the critic's slope for a₂.",
                    4: "The critic wants less of a₂: its slope there is negative.",
                    8: "u₃ moves a₂, so use the critic's slope for a₂, not the one for a₁.",
                    0: "The slopes along a road are multiplied, not added.",
                },
            ),
            "why_u2_has_a_smaller_slope": Asked(
                "its two roads partly cancel",
                {
                    "one of its roads is gone": "u₂ still moves both entries of the action.",
                    "the critic's slopes are smaller": "The action is the same, and so are they.",
                    "the step is smaller": "A slope does not depend on the length of a step.",
                },
            ),
        },
        checked="the changed entry of the Jacobian, the three slopes and the reason",
    ),
    AnswersExercise(
        label="jac-rotation",
        asked={
            "J_12": Asked(
                -1,
                {
                    1: "a₁ = −u₂ s has a minus.",
                    0: "Row 1 belongs to a₁, and column 2 to u₂. a₁ contains u₂.",
                },
            ),
            "J_21": Asked(
                1,
                {
                    -1: "Row 2 belongs to a₂ = u₁ s, which has no minus.",
                    0: "Row 2 belongs to a₂, and column 1 to u₁. a₂ contains u₁.",
                },
            ),
            "slope_in_u1": Asked(
                1,
                {
                    -1: "This is an entry of Jg. Column 1 of J belongs to u₁: multiply it by g.",
                    3: "u₁ moves a₂, so use the critic's slope for a₂.",
                    -3: "u₁ moves a₂, so use the critic's slope for a₂.",
                    0: "u₁ moves a₂, and the critic has a slope for a₂.",
                },
            ),
            "slope_in_u2": Asked(
                -3,
                {
                    3: "This is an entry of Jg. Column 2 of J belongs to u₂: multiply it by g.",
                    1: "u₂ moves a₁, so use the critic's slope for a₁.",
                    -1: "u₂ moves a₁, so use the critic's slope for a₁.",
                    0: "u₂ moves a₁, and the critic has a slope for a₁.",
                },
            ),
            "direction_of_Jg": Asked(
                "steepest descent",
                {
                    "steepest ascent": "That is the gradient. Compare both entries of Jg with it.",
                    "Q does not change": "Take the inner product of Jg with the gradient.",
                    "another one for every g": "For this J, one sentence covers every g.",
                },
            ),
            "why_for_every_g": Asked(
                "Jᵀ = −J",
                {
                    "Jᵀ = J": "Then forgetting the transpose would do no harm.",
                    "J is the identity": "The identity turns nothing.",
                    "J is square": "A square J lets the wrong product run, but does not say "
                    "which numbers come out.",
                },
            ),
        },
        checked="the Jacobian, the gradient, and what the wrong product does",
    ),
    FunctionExercise(
        label="jac-vjp",
        name="vjp",
        parameters=("s", "u", "G"),
        cases=_batches,
        prepare=_load_torch,
        right=_pulled_back,
        checked="five batches of one to six states, each parameter by a complex step",
        mistakes=(
            Mistake(
                "The factor of tanh is missing: pull G back through the tanh first.",
                _with_slope(np.ones_like),
            ),
            Mistake(
                "The slope of tanh is 1 − tanh², and the square is missing.",
                _with_slope(lambda z: 1 - np.tanh(z)),
            ),
            Mistake(
                "The slope of tanh is 1 − tanh(z)², not 1 − z².",
                _with_slope(lambda z: 1 - z**2),
            ),
            Mistake("You use the value of tanh in place of its slope.", _with_slope(np.tanh)),
            Mistake(
                "One road of u₂ is missing: it moves a₂ too.",
                _sums(_right_u1, lambda g1, g2, p, q, r, s, u: g1 * q),
            ),
            Mistake(
                "One road of u₂ is missing: it moves a₁ too.",
                _sums(_right_u1, lambda g1, g2, p, q, r, s, u: g2 * r),
            ),
            Mistake(
                "That is J G, without the transpose: add up over the action's entries, "
                "not over the parameters.",
                _sums(
                    lambda g1, g2, p, q, r, s, u: g1 * p + g2 * q,
                    lambda g1, g2, p, q, r, s, u: g2 * r,
                ),
            ),
            Mistake(
                "You average over the states. G is divided by B already, so add up.",
                lambda s, u, G: _pulled_back(s, u, G) / len(s),
            ),
            Mistake(
                "You multiply by B. G holds the slopes of ℓ already, so only add up.",
                lambda s, u, G: _pulled_back(s, u, G) * len(s),
            ),
            Mistake(
                "You average before you multiply: multiply in each state, and then add.",
                _averaged_first,
            ),
            Mistake(
                "You add up before you multiply: multiply in each state, and then add.",
                _summed_first,
            ),
            Mistake(
                "These are the slopes state by state. The states meet at the parameters: add up.",
                _row_by_row,
            ),
            Mistake(
                "The road to u₁ lacks a factor: z = u₁s + u₂ has the slope s in u₁.",
                _sums(lambda g1, g2, p, q, r, s, u: g1 * q, _right_u2),
            ),
            Mistake(
                "z = u₁s + u₂ has the slope s in u₁, not u₁.",
                _sums(lambda g1, g2, p, q, r, s, u: g1 * q * u[0], _right_u2),
            ),
            Mistake(
                "The road from u₂ through a₁ has the factor s, which belongs to u₁.",
                _sums(_right_u1, lambda g1, g2, p, q, r, s, u: g1 * p + g2 * r),
            ),
            Mistake(
                "a₂ = u₂s² has the slope s² in u₂, not s.",
                _sums(_right_u1, lambda g1, g2, p, q, r, s, u: g1 * q + g2 * s),
            ),
            Mistake(
                "This is the slope of a₂ in s. The slope in u₂ is asked for.",
                _sums(_right_u1, lambda g1, g2, p, q, r, s, u: g1 * q + g2 * 2 * s * u[1]),
            ),
            Mistake(
                "a₂ has no tanh: only the road through a₁ gets its slope.",
                _sums(_right_u1, lambda g1, g2, p, q, r, s, u: (g1 + g2 * r) * q),
            ),
            Mistake(
                "The columns of G are swapped: column 0 belongs to a₁.",
                lambda s, u, G: _pulled_back(s, u, G[:, ::-1]),
            ),
            Mistake(
                "G is missing: these are the slopes of the actions, not those of ℓ.",
                lambda s, u, G: _pulled_back(s, u, np.ones_like(G)),
            ),
        ),
    ),
    AnswersExercise(
        label="jac-move",
        asked={
            "move_of_a1": Asked(
                22,
                {
                    8: "This is the first entry of Jᵀg, a step of the parameters. Multiply by J.",
                    16: "a₁ moves with u₁ and with u₂: a road is missing.",
                    6: "a₁ moves with u₁ and with u₂: a road is missing.",
                    20: "u₂ moves both entries of the action, so J Jᵀ is not diagonal.",
                    4: "This is the first entry of g. Multiply by Jᵀ, and then by J.",
                },
            ),
            "move_of_a2": Asked(
                -14,
                {
                    -4: "This is the last entry of Jᵀg, a step of the parameters. Multiply by J.",
                    -8: "a₂ moves with u₂ and with u₃: a road is missing.",
                    -6: "a₂ moves with u₂ and with u₃: a road is missing.",
                    -10: "u₂ moves both entries of the action, so J Jᵀ is not diagonal.",
                    -2: "Multiply g by Jᵀ and then by J. In J, a₂ falls when u₂ grows.",
                },
            ),
            "can_a_small_step_lower_Q": Asked(
                "never",
                {
                    "yes, because δa is not parallel to g": "δa may turn away from g, as long as "
                    "the angle stays below a right angle.",
                    "yes, if J has more columns than rows": "The shape of J does not matter here.",
                    "yes, if g is long": "The length of g does not change the sign.",
                },
            ),
            "change_of_Q": Asked(
                "α‖Jᵀg‖²",
                {
                    "α‖g‖²": "This would be right if the action moved along g itself.",
                    "α gᵀJg": "The shapes do not fit: J has three columns.",
                    "α‖J‖²": "The change of Q depends on g.",
                },
            ),
            "change_is_zero": Asked(
                "only if Jᵀg = 0",
                {
                    "only if g = 0": "g may be nonzero, with no parameter that moves the action "
                    "along it.",
                    "only if J = 0": "Some parameters may move the action, all at a right angle "
                    "to g.",
                    "only if α is small": "A small change is not zero.",
                },
            ),
        },
        checked="the move of the action, and why it never lowers Q to first order",
    ),
    AnswersExercise(
        label="jac-batch-size",
        asked={
            "right_loss": Asked(
                0.5,
                {
                    1: "The loss is the mean of the squares, not their sum.",
                    1.5: "This compares every prediction with every target.",
                    0.25: "Divide by the number of states once.",
                },
            ),
            "loss_of_this_line": Asked(
                1.5,
                {
                    0.5: "The line does not pair row i with target i. Write down the table "
                    "of differences.",
                    6: "This is the sum of the squares; the line takes their mean.",
                    3: "The mean runs over all entries of the table: divide by their number.",
                },
            ),
            "why_one_state_hides_it": Asked(
                "the difference is one number, and it is the right one",
                {
                    "the shapes are equal": "They are (1, 1) and (1,).",
                    "NumPy broadcasts only arrays with several rows": "It broadcasts here too.",
                    "the loss of one state is zero": "It is zero only for a perfect prediction.",
                },
            ),
            "why_a_fresh_critic_hides_it": Asked(
                "equal predictions do not vary with the targets",
                {
                    "the difference has shape (4,)": "It has shape (4, 4).",
                    "four states are too few": "Four states find it if the predictions differ.",
                    "the loss is zero": "The targets are not 0, so the loss is not.",
                },
            ),
        },
        checked="both losses, and why the two tests pass",
    ),
)
