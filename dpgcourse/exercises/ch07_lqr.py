"""Exercises of chapter 7, LQR."""

import numpy as np

from dpgcourse.exercises.exercise import (
    AnswersExercise,
    Asked,
    Exercise,
    FunctionExercise,
    Mistake,
)
from dpgcourse.gradient.derivative_checks import central_difference
from dpgcourse.theory.lqr import LQR


class ReadableLQR(LQR):
    """A system that a card shows as the code that makes it."""

    def __repr__(self) -> str:
        text = ", ".join(str(x.tolist()) for x in (self.A, self.B, self.M, self.R))
        text += f", {self.gamma:g}"
        if not np.array_equal(self.Sigma0, np.eye(self.state_dim)):
            text += f", Sigma0={self.Sigma0.tolist()}"
        if self.W.any():
            text += f", W={self.W.tolist()}"
        return f"LQR({text})"


def random_system(rng, d, m, K, noise=True) -> LQR:
    """A system that the gain K stabilizes, with d states and m actions.

    Its numbers have few digits, so that a card can show them.
    """
    F = rng.normal(size=(d, d))
    F *= 0.6 / np.abs(np.linalg.eigvals(F)).max()
    B = rng.normal(size=(d, m)).round(1)
    root = np.tril(rng.integers(1, 3, size=(d, d)))
    W = np.diag(rng.integers(1, 4, size=d)) / 10 if noise else None
    M, R = np.diag(np.arange(1.0, d + 1)), np.diag(np.arange(1.0, m + 1))
    return ReadableLQR((F + B @ K).round(2), B, M, R, 0.9, Sigma0=root @ root.T, W=W)


def cart(noise=True) -> LQR:
    """The cart of chapter 7."""
    W = 0.01 * np.eye(2) if noise else None
    A, B = [[1.0, 0.1], [0.0, 1.0]], [[0.005], [0.1]]
    return ReadableLQR(A, B, np.diag([1.0, 0.1]), [[0.01]], 0.98, W=W)


def line() -> LQR:
    """The point on a line."""
    one = [[1.0]]
    return ReadableLQR(one, one, one, one, 0.9)


def _tied_cases(rng):
    yield cart(), np.array([[1.0, 1.0]]), 2.0
    yield cart(), np.array([[3.0, 1.0]]), 1.5
    yield line(), np.array([[1.0]]), 0.3
    for d, m, k in ((2, 2, 1.5), (3, 2, 0.5), (1, 2, 0.8)):
        D = rng.integers(1, 4, size=(m, d)) * rng.choice([-0.2, 0.3], size=(m, d))
        yield random_system(rng, d, m, k * D), D, k


def _tied_slope(system, D, k):
    return central_difference(lambda x: system.J(x * D), k)


def _tied(change):
    """What a change of the gradient gives: `change` gets the system, D, k and the gradient."""
    return lambda system, D, k: change(system, D, k, system.dJ_dK(k * D))


def _frozen_cases(rng):
    yield cart(), np.array([[1.0, 1.0]]), np.array([[3.0, 2.0]]), rng.normal(size=(5, 2)), 0.5
    yield cart(), np.array([[2.0, 1.0]]), np.array([[1.0, 4.0]]), rng.normal(size=(1, 2)), 2.0
    yield line(), np.array([[0.3]]), np.array([[0.9]]), rng.normal(size=(4, 1)), 0.1
    for d, m, N in ((2, 2, 3), (3, 2, 7), (3, 2, 1)):
        K = rng.normal(size=(m, d)).round(1)
        system, L = random_system(rng, d, m, K), (K + 0.01 * rng.integers(1, 5, size=K.shape))
        yield system, K, L, rng.normal(size=(N, d)), 0.2


def _climb(system, K, L, states):
    """Slope over L of the mean of the frozen Q, by central differences."""
    return central_difference(lambda X: system.Q(K, states, -states @ X.T).mean(), L)


def _outer(g, states):
    """Mean of −g sᵀ over the states."""
    return -np.mean([np.outer(x, s) for x, s in zip(g, states, strict=True)], axis=0)


def _stepped(direction):
    """The gain after a step along `direction`, which gets the system, K, L and the states."""
    return lambda system, K, L, states, alpha: L + alpha * direction(system, K, L, states)


EXERCISES: tuple[Exercise, ...] = (
    AnswersExercise(
        label="lqr-half",
        asked={
            "P": Asked(
                10 / 7,
                {
                    5 / 3: "P is (1 + K²)/(1 − γF²), with F = 1/2: γ or the square is missing.",
                    8 / 7: "This is Σ. P also counts the cost of the push: the factor 1 + K².",
                    12 / 7: "The push costs its square: the factor is 1 + K².",
                    5 / 4: "This is the cost of the first step alone.",
                    -10: "F is 1 − K.",
                    -10 / 7: "P is a cost and positive. The value is −P.",
                    1.25 / 0.775: "This is P for γ = 0.9.",
                },
            ),
            "Sigma": Asked(
                8 / 7,
                {
                    4 / 3: "Σ is 1/(1 − γF²): γ or the square is missing.",
                    7 / 8: "Σ is one over this number.",
                    10 / 7: "This is P. Σ counts the squared states, without the costs.",
                    2: "The factors γ alone add up to this. The states shrink too.",
                    1 / 0.775: "This is Σ for γ = 0.9.",
                },
            ),
            "E": Asked(
                1 / 7,
                {
                    -3 / 14: "E is K − γFP: F or γ is missing.",
                    -1 / 7: "E is K − γFP, not γFP − K.",
                    2 / 7: "E is half of the slope: it has no factor 2.",
                    3 / 14: "In E stands P, not Σ.",
                    6 / 7: "The future counts against the push: E is K minus γFP.",
                },
            ),
            "slope": Asked(
                -16 / 49,
                {
                    16 / 49: "The return is −P: the sign is missing.",
                    -8 / 49: "The slope is −2EΣ: the factor 2 is missing.",
                    -2 / 7: "This is the local term. The slope of the return has the factor Σ.",
                    2 / 7: "This is the local term, and with the wrong sign.",
                    -20 / 49: "The local terms add up with Σ, not with P.",
                },
            ),
            "gain_should_go": Asked(
                "down",
                {"up": "Ascent goes where the sign of the slope points."},
            ),
            "K_star": Asked(
                np.sqrt(2) - 1,
                {
                    np.sqrt(2): "This is P at the best gain. The best gain follows from it.",
                    5 / 12: "The P in K* belongs to K* itself, not to K = 1/2.",
                    np.sqrt(2) / (1 + np.sqrt(2)): "K* is γP/(1 + γP): γ is missing.",
                    -1 - np.sqrt(2): "P is a cost: take the positive root.",
                    0.588403: "This is K* for γ = 0.9.",
                    1
                    / 2: "For γ = 1/2 the quadratic is P²/2 = 1. At K = 1/2 the slope is not zero.",
                    1 / (1 + 2 * np.sqrt(2)): "For γ = 1/2 the quadratic is P²/2 = 1.",
                    10 / 7: "This is P at K = 1/2.",
                },
            ),
        },
        checked="P, Σ, E, the slope, its direction and the best gain",
    ),
    FunctionExercise(
        label="lqr-tied",
        name="tied_slope",
        parameters=("system", "D", "k"),
        cases=_tied_cases,
        right=_tied_slope,
        checked="the cart, the line and three random systems with up to three states and two "
        "actions, by central differences of the return",
        mistakes=(
            Mistake(
                "You add the entries of the gradient. k moves each entry of K at its own rate, "
                "the entry of D.",
                _tied(lambda system, D, k, g: g.sum()),
            ),
            Mistake(
                "You take the mean over the entries. All of them move at once: add them.",
                _tied(lambda system, D, k, g: (g * D).mean()),
            ),
            Mistake(
                "You take the mean over the entries of the gradient. Each entry counts, with the "
                "rate at which k moves it.",
                _tied(lambda system, D, k, g: g.mean()),
            ),
            Mistake(
                "This is the product entry by entry. k is one number: add its effects.",
                _tied(lambda system, D, k, g: g * D),
            ),
            Mistake(
                "This is a matrix product. The slope over one number is a number: multiply entry "
                "by entry and add.",
                _tied(lambda system, D, k, g: g @ D.T),
            ),
            Mistake(
                "This is the gradient over all of K. Only k may move.",
                _tied(lambda system, D, k, g: g),
            ),
            Mistake(
                "The gradient is taken at D. The gain is kD.",
                lambda system, D, k: (system.dJ_dK(D) * D).sum(),
            ),
            Mistake(
                "K = kD moves at the rate D when k moves, not at the rate kD.",
                _tied(lambda system, D, k, g: k * (g * D).sum()),
            ),
            Mistake(
                "This is the local term over the first states. A lasting change counts in all "
                "states that follow: Σ, not Σ₀.",
                lambda system, D, k: (-2 * system.E(k * D) @ system.Sigma0 * D).sum(),
            ),
            Mistake(
                "This is the natural gradient, in which Σ is divided out.",
                lambda system, D, k: (-2 * system.E(k * D) * D).sum(),
            ),
            Mistake(
                "This is the slope of the cost. The return is minus the cost.",
                _tied(lambda system, D, k, g: -(g * D).sum()),
            ),
            Mistake(
                "This is the return. Its slope is asked for.",
                lambda system, D, k: system.J(k * D),
            ),
            Mistake(
                "The result is divided by the length of D. The slope is per unit of k.",
                _tied(lambda system, D, k, g: (g * D).sum() / np.linalg.norm(D)),
            ),
            Mistake(
                "This is the length of the gradient. k moves the gain along D, not uphill.",
                _tied(lambda system, D, k, g: np.linalg.norm(g)),
            ),
            Mistake(
                "A central difference spans 2h: divide by 2h, not by h.",
                _tied(lambda system, D, k, g: 2 * (g * D).sum()),
            ),
            Mistake(
                "A factor 2 is missing: the costs are squares.",
                _tied(lambda system, D, k, g: (g * D).sum() / 2),
            ),
        ),
        rtol=1e-4,
    ),
    FunctionExercise(
        label="lqr-frozen",
        name="frozen_step",
        parameters=("system", "K", "L", "states", "alpha"),
        cases=_frozen_cases,
        right=_stepped(_climb),
        checked="the cart, the line and three random batches with up to three states and two "
        "actions, by central differences of the frozen Q",
        mistakes=(
            Mistake(
                "The step goes downhill: the action is −Ls, so a larger L makes it smaller.",
                _stepped(lambda *x: -_climb(*x)),
            ),
            Mistake(
                "The critic's slope is taken at the action of K. The actor acts with L.",
                _stepped(
                    lambda system, K, L, states: _outer(
                        system.dQ_da(K, states, -states @ K.T), states
                    )
                ),
            ),
            Mistake(
                "The critic is the one of L. It is frozen: the one of K stays.",
                _stepped(lambda system, K, L, states: _climb(system, L, L, states)),
            ),
            Mistake(
                "You add up the states. The step asks for the mean over the batch.",
                _stepped(lambda system, K, L, states: len(states) * _climb(system, K, L, states)),
            ),
            Mistake(
                "The critic's slope is taken at the action +Ls. The action is −Ls.",
                _stepped(
                    lambda system, K, L, states: _outer(
                        system.dQ_da(K, states, states @ L.T), states
                    )
                ),
            ),
            Mistake(
                "The step begins at K. The actor is at L.",
                lambda system, K, L, states, alpha: K + alpha * _climb(system, K, L, states),
            ),
            Mistake(
                "This is the step. The gain after the step is asked for.",
                lambda system, K, L, states, alpha: alpha * _climb(system, K, L, states),
            ),
            Mistake(
                "This is the slope over L. The gain after a step along it is asked for.",
                lambda system, K, L, states, alpha: _climb(system, K, L, states),
            ),
            Mistake(
                "The step size alpha is missing.",
                lambda system, K, L, states, alpha: L + _climb(system, K, L, states),
            ),
            Mistake(
                "The mean is taken over the states before the product. The mean of g sᵀ is asked "
                "for.",
                _stepped(
                    lambda system, K, L, states: _climb(system, K, L, states.mean(0, keepdims=True))
                ),
            ),
            Mistake(
                "The mean is taken twice: over the batch, and once more.",
                _stepped(lambda system, K, L, states: _climb(system, K, L, states) / len(states)),
            ),
            Mistake(
                "The mean runs over the entries of the states too. Divide by the number of states.",
                _stepped(lambda system, K, L, states: _climb(system, K, L, states) / len(L.T)),
            ),
            Mistake(
                "You halve the slope: dQ_da is the whole slope.",
                _stepped(lambda system, K, L, states: _climb(system, K, L, states) / 2),
            ),
            Mistake(
                "You double the slope: dQ_da holds the factor 2 already.",
                _stepped(lambda system, K, L, states: _climb(system, K, L, states) * 2),
            ),
            Mistake(
                "Only the first state of the batch counts.",
                _stepped(lambda system, K, L, states: _climb(system, K, L, states[:1])),
            ),
            Mistake(
                "This is where many steps end. One step is asked for.",
                lambda system, K, L, states, alpha: system.policy_iteration(K),
            ),
            Mistake(
                "The actor does not move.",
                lambda system, K, L, states, alpha: L,
            ),
        ),
        rtol=1e-5,
    ),
    AnswersExercise(
        label="lqr-scale",
        asked={
            "gradient_times": Asked(
                4,
                {
                    2: "Σ holds squares of the states: Σ₀ has grown by this square already.",
                    1: "The gradient is −2EΣ, and Σ starts with Σ₀.",
                    16: "Σ is linear in Σ₀: the factor comes in once.",
                    0.25: "Larger states make Σ larger.",
                },
            ),
            "natural_gradient_times": Asked(
                1,
                {
                    4: "The natural gradient is −2E. Does E contain the start?",
                    2: "The natural gradient is −2E. Does E contain the start?",
                    0.25: "Σ is divided out of a gradient that contains it once: none is left.",
                },
            ),
            "best_gain": Asked(
                "stays",
                {
                    "grows": "At the best gain E is zero. Does E contain the start?",
                    "shrinks": "At the best gain E is zero. Does E contain the start?",
                },
            ),
            "good_step_size_of_plain_ascent": Asked(
                "a quarter",
                {
                    "the same": "The step is α times a gradient that has become longer.",
                    "four times": "The gradient is longer already: α must make up for it.",
                    "half": "Compare with the factor of the gradient.",
                },
            ),
        },
        checked="the gradient, the natural gradient, the best gain and the step size",
    ),
)
