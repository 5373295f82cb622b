"""Exercises of chapter 8, off-policy."""

import numpy as np

from dpgcourse.exercises.ch07_lqr import ReadableLQR, cart, line, random_system
from dpgcourse.exercises.exercise import (
    AnswersExercise,
    Asked,
    Exercise,
    FunctionExercise,
    Mistake,
)
from dpgcourse.theory.off_policy import exact_gradient


def _keep_cases(rng):
    start, K = np.array([[1.0, 3.0], [3.0, 9.2]]), np.array([[-0.5, 1.0]])
    A, B = [[0.0, 0.0], [1.0, 1.0]], [[0.0], [1.0]]
    gust = ReadableLQR(A, B, np.eye(2), [[1.0]], 0.9, Sigma0=start)
    yield gust, K, np.array([[1.0, 3.0], [3.0, 9.2]]), 1
    yield gust, K, np.array([[2.0, 1.0], [1.0, 4.0]]), 0
    yield line(), np.array([[0.3]]), np.array([[2.0]]), 2
    yield cart(noise=False), np.array([[1.0, 1.0]]), np.array([[6.3, -7.0], [-7.0, 14.6]]), 5
    for d, m, n in ((2, 2, 2), (3, 2, 3), (3, 1, 0)):
        K, root = rng.normal(size=(m, d)).round(1), rng.integers(-2, 3, size=(d, d))
        yield random_system(rng, d, m, K, noise=False), K, (root @ root.T + np.eye(d)), n


def _call_keep(keep, system, K, visits, n):
    try:
        return keep(system, K, visits, n)
    except ValueError as error:
        if n:
            raise
        raise ValueError(
            f"{error}. For n = 0 the sum has one term, and the loop runs once"
        ) from error


def _terms(system, K, visits, times):
    """Local products of each step, for single states whose products s sᵀ add up to the visits."""
    states = np.linalg.cholesky(visits).T
    for t in range(times):
        g = system.dQ_da(K, states, -states @ K.T)
        yield -(system.gamma**t) * sum(np.outer(x, s) for x, s in zip(g, states, strict=True))
        states = states @ (system.A - system.B @ K).T


def _keep(system, K, visits, n):
    return sum(_terms(system, K, visits, n + 1))


def _moments(change):
    """The answer with moments that go wrong: `change` gets F, γ, the visits and t."""

    def gives(system, K, visits, n):
        F = system.A - system.B @ K
        return -2 * system.E(K) @ sum(change(F, system.gamma, visits, t) for t in range(n + 1))

    return gives


def _moved(F, gamma, visits, t):
    power = np.linalg.matrix_power(F, t)
    return gamma**t * power @ visits @ power.T


def _open_loop(system, K, visits, n):
    moments = sum(_moved(system.A, system.gamma, visits, t) for t in range(n + 1))
    return -2 * system.E(K) @ moments


def _fit_cases(rng):
    yield np.array([[[1.0], [2.0]]]), np.array([[1.0, -1.0]]), np.array([1.0])
    for S, m, n in ((5, 2, 3), (6, 1, 2), (4, 3, 1), (3, 2, 2)):
        J, g = rng.normal(size=(S, m, n)).round(1), rng.normal(size=(S, m)).round(1)
        yield J, g, rng.integers(1, 9, size=S) / 2
    J, g = rng.normal(size=(5, 2, 2)).round(1), rng.normal(size=(5, 2)).round(1)
    yield J, g, np.array([0.0, 3.0, 1.0, 0.0, 0.5])  # two states that nobody visits


def _least_squares(J, g, rho):
    root = np.sqrt(rho)
    rows, values = J * root[:, None, None], g * root[:, None]
    return np.linalg.lstsq(rows.reshape(-1, J.shape[2]), values.ravel(), rcond=None)[0]


def _H(J, rho):
    return sum(r * x.T @ x for r, x in zip(rho, J, strict=True))


def _step(J, g, rho):
    return sum(r * x.T @ y for r, x, y in zip(rho, J, g, strict=True))


def _state_by_state(J, g, rho):
    return sum(r * np.linalg.pinv(x) @ y for r, x, y in zip(rho, J, g, strict=True)) / rho.sum()


EXERCISES: tuple[Exercise, ...] = (
    AnswersExercise(
        label="offpolicy-hand",
        asked={
            "visits": Asked(
                2,
                {
                    8 / 7: "This counts the actor's path. Σ^β counts the behavior's, with s = 1 "
                    "throughout.",
                    1: "Σ^β is 1 + γ + γ² + … for s = 1 throughout.",
                    4 / 3: "γ comes in squared: Σ^β is 1 + γ + γ² + …",
                    10: "This is Σ^β for γ = 0.9.",
                    4: "The factors γ^t add up to 1/(1 − γ), without a square.",
                },
            ),
            "total": Asked(
                16 / 7,
                {
                    4: "Sigma-tilde is Σ^β/(1 − γF²); the actor's F is 1/2. This takes the "
                    "behavior's F.",
                    8 / 7: "This starts with a single visit. The actor takes over at each visit of "
                    "the memory: start with Σ^β.",
                    8 / 3: "Sigma-tilde is Σ^β/(1 − γF²): γ or the square is missing.",
                    9 / 4: "This counts one step after the takeover. All later ones count too.",
                    2: "This is Σ^β, without the states after the takeover.",
                },
            ),
            "kept": Asked(
                -4 / 7,
                {
                    4 / 7: "The sign: both are −2E times a moment.",
                    -32 / 49: "This is the exact part. Kept: −2EΣ^β.",
                    -2 / 7: "A factor is missing. Kept: −2EΣ^β.",
                    -16 / 49: "This is the slope of the return. Kept: −2EΣ^β.",
                },
            ),
            "exact": Asked(
                -32 / 49,
                {
                    32 / 49: "The sign: both are −2E times a moment.",
                    -16 / 49: "A factor is missing. Exact: −2E times Sigma-tilde.",
                    -4 / 7: "This is the kept part. Exact: −2E times Sigma-tilde.",
                    -8 / 7: "Sigma-tilde in it has the behavior's F. The actor's F is 1/2.",
                },
            ),
            "dropped": Asked(
                -4 / 49,
                {
                    4 / 49: "Dropped is exact minus kept, not kept minus exact.",
                    -60 / 49: "Dropped is exact minus kept, not their sum.",
                    2 / 7: "This is the difference of the moments. Both parts have the factor −2E.",
                    0: "The actor moves after it took over: something is dropped.",
                },
            ),
        },
        checked="both moments and the three parts",
    ),
    FunctionExercise(
        label="offpolicy-inner",
        name="keep",
        parameters=("system", "K", "visits", "n"),
        cases=_keep_cases,
        right=_keep,
        use=_call_keep,
        checked="six systems with one to three states and one or two actions, n from 0 to 5, "
        "state by state",
        mistakes=(
            Mistake(
                "The sum ends one step early: n + 1 terms, from t = 0 to t = n.",
                lambda system, K, visits, n: sum(_terms(system, K, visits, n), 0 * K),
            ),
            Mistake(
                "The sum has one term too many: it ends at t = n.",
                lambda system, K, visits, n: _keep(system, K, visits, n + 1),
            ),
            Mistake(
                "The discount γ is missing.",
                _moments(lambda F, gamma, visits, t: _moved(F, 1, visits, t)),
            ),
            Mistake(
                "F and its transpose have changed places. A state s moves to Fs, so the first "
                "factor is F.",
                _moments(lambda F, gamma, visits, t: _moved(F.T, gamma, visits, t)),
            ),
            Mistake(
                "A product with F is taken entry by entry. Matrices are multiplied with @.",
                _moments(lambda F, gamma, visits, t: gamma**t * F**t * visits * (F.T) ** t),
            ),
            Mistake(
                "A power of F is taken entry by entry. F to the power t is F @ F @ ...",
                _moments(lambda F, gamma, visits, t: gamma**t * F**t @ visits @ (F.T) ** t),
            ),
            Mistake(
                "You take the mean over the steps. They add up.",
                lambda system, K, visits, n: _keep(system, K, visits, n) / (n + 1),
            ),
            Mistake(
                "The answer is transposed: E comes first.",
                lambda system, K, visits, n: _keep(system, K, visits, n).T,
            ),
            Mistake(
                "This is the last step alone. All steps up to it add up.",
                lambda system, K, visits, n: list(_terms(system, K, visits, n + 1))[-1],
            ),
            Mistake(
                "The first step, t = 0, is left out.",
                lambda system, K, visits, n: (
                    _keep(system, K, visits, n) - _keep(system, K, visits, 0)
                ),
            ),
            Mistake(
                "The steps are counted from 1: the first one is t = 0, with the visits as they "
                "are.",
                lambda system, K, visits, n: (
                    _keep(system, K, visits, n + 1) - _keep(system, K, visits, 0)
                ),
            ),
            Mistake(
                "γ comes in twice in every step. It stands before both factors F, once.",
                _moments(lambda F, gamma, visits, t: _moved(F, gamma**2, visits, t)),
            ),
            Mistake(
                "Only one factor F per step: the moment of Fs has F on both sides.",
                _moments(
                    lambda F, gamma, visits, t: gamma**t * np.linalg.matrix_power(F, t) @ visits
                ),
            ),
            Mistake(
                "F acts once in every term. After t steps it has acted t times.",
                _moments(
                    lambda F, gamma, visits, t: (
                        gamma**t * F @ visits @ F.T if t else np.asarray(visits, float)
                    )
                ),
            ),
            Mistake(
                "The states do not move in your sum. After t steps F has acted t times.",
                _moments(lambda F, gamma, visits, t: gamma**t * visits),
            ),
            Mistake(
                "The states move with A. Under the policy they move with F = A − BK.",
                _open_loop,
            ),
            Mistake(
                "These are all steps, whatever n is.",
                lambda system, K, visits, n: exact_gradient(system, K, visits),
            ),
            Mistake(
                "This is the kept part, whatever n is.",
                lambda system, K, visits, n: _keep(system, K, visits, 0),
            ),
            Mistake(
                "The moment starts with Σ₀ of the system. Start with the visits that are given.",
                lambda system, K, visits, n: _keep(system, K, system.Sigma0, n),
            ),
            Mistake(
                "The sign: the local products are −2E times a moment.",
                lambda system, K, visits, n: -_keep(system, K, visits, n),
            ),
            Mistake(
                "The factor 2 is missing: the critic's slope is 2Es.",
                lambda system, K, visits, n: _keep(system, K, visits, n) / 2,
            ),
            Mistake(
                "These are the moments. Multiply them by −2E.",
                lambda system, K, visits, n: sum(
                    _moved(system.closed_loop(K), system.gamma, visits, t) for t in range(n + 1)
                ),
            ),
        ),
    ),
    FunctionExercise(
        label="offpolicy-fit",
        name="compatible_fit",
        parameters=("J", "g", "rho"),
        cases=_fit_cases,
        right=_least_squares,
        checked="six sets of states with up to three action entries and three parameters, by "
        "least squares",
        mistakes=(
            Mistake(
                "The weights ρ are left out.",
                lambda J, g, rho: _least_squares(J, g, np.ones_like(rho)),
            ),
            Mistake(
                "The weights come in twice: ρ multiplies the squares, so its root multiplies what "
                "is squared.",
                lambda J, g, rho: _least_squares(J, g, rho**2),
            ),
            Mistake(
                "The root of ρ stands in place of ρ.",
                lambda J, g, rho: _least_squares(J, g, np.sqrt(rho)),
            ),
            Mistake(
                "This is the actor step. The matrix H is not divided out.",
                _step,
            ),
            Mistake(
                "The weights ρ are left out of the matrix H.",
                lambda J, g, rho: np.linalg.solve(_H(J, np.ones_like(rho)), _step(J, g, rho)),
            ),
            Mistake(
                "The weights ρ are left out on the right-hand side.",
                lambda J, g, rho: np.linalg.solve(_H(J, rho), _step(J, g, np.ones_like(rho))),
            ),
            Mistake(
                "Only the diagonal of H is divided out. The weights are found together.",
                lambda J, g, rho: _step(J, g, rho) / np.diag(_H(J, rho)),
            ),
            Mistake(
                "Each state has a fit of its own here, and their mean is taken. One w must fit all "
                "states together.",
                _state_by_state,
            ),
            Mistake(
                "The sign: the critic's slope Jw is to be near g, not near −g.",
                lambda J, g, rho: -_least_squares(J, g, rho),
            ),
            Mistake(
                "A mean in H stands beside a sum on the right-hand side: take sums in both.",
                lambda J, g, rho: len(rho) * _least_squares(J, g, rho),
            ),
            Mistake(
                "A sum in H stands beside a mean on the right-hand side: take sums in both.",
                lambda J, g, rho: _least_squares(J, g, rho) / len(rho),
            ),
            Mistake(
                "You multiply by H. It is to be divided out.",
                lambda J, g, rho: _H(J, rho) @ _step(J, g, rho),
            ),
            Mistake(
                "The entries of the action are added before the fit. Each of them has a slope to "
                "be met.",
                lambda J, g, rho: _least_squares(
                    J.sum(1, keepdims=True), g.sum(1, keepdims=True), rho
                ),
            ),
        ),
    ),
    AnswersExercise(
        label="offpolicy-tied",
        asked={
            "w_at_5": Asked(
                "negative",
                {
                    "positive": "With one parameter w has the sign of the kept part. It is past "
                    "its zero at k = 5.",
                    "zero": "w is zero where the kept part is zero.",
                },
            ),
            "exact_slope_at_5": Asked(
                "positive",
                {
                    "negative": "The exact slope is not yet at its zero when k = 5.",
                    "zero": "The exact slope is zero at k = 5.39.",
                },
            ),
            "w_always_has_the_sign_of": Asked(
                "the kept part",
                {
                    "the exact slope": "Compare both signs at k = 5.",
                    "neither": "H is a positive number here. What is divided by it?",
                },
            ),
            "why_a_full_gain_is_safe": Asked(
                "its critic has the true slope in every state",
                {
                    "it has more parameters": "The number alone does not help: with which "
                    "features do its actions and the slopes change over the states?",
                    "its memory holds the right states": "The memory is the same for both.",
                    "its H is positive": "So is the H of the tied gain.",
                },
            ),
        },
        checked="both signs at k = 5, what w follows, and why a full gain is safe",
    ),
    AnswersExercise(
        label="offpolicy-weights",
        asked={
            "mean_of_weights": Asked(
                1,
                {
                    1.511858: "This is the mean of ω². In the mean of ω the density β cancels.",
                    0.5: "The ratio of the widths is not the mean: ω is below 1 far outside.",
                    2: "This is the weight at the common mean, where ω is largest.",
                },
            ),
            "worth_for_one_entry": Asked(
                661_438,
                {
                    1_511_858: "Weights make a mean vary more: divide by E[ω²].",
                    866_025: "Half is the standard deviation, not the variance.",
                    875_000: "The root of v is missing.",
                    437_500: "E[ω²] is squared once more.",
                    500_000: "This divides by the weight at the mean. Divide by E[ω²].",
                    1_000_000: "The mean of ω is 1. What counts here is the mean of ω².",
                },
                rtol=5e-3,
            ),
            "worth_for_fifty_entries": Asked(
                1e6 / (1 / (0.5 * np.sqrt(1.75))) ** 50,
                {
                    13_229: "The factor comes in once for each entry: a power, not a product.",
                    661_438: "This is the answer for one entry.",
                    9.449e8: "This is E[ω²]. How many of the million are left?",
                    0: "Very little, and not zero: compute the power.",
                },
                rtol=0.1,
            ),
        },
        checked="the mean of the weights, and what a million of them are worth",
    ),
)
