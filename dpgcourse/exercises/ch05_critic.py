"""Exercises of chapter 5, the critic."""

import numpy as np

from dpgcourse.exercises.exercise import AnswersExercise, Asked, FunctionExercise, Mistake
from dpgcourse.theory import td

H = 1e-20  # step of the complex step: it has no rounding error, so it may be tiny


def _gap(gamma):
    """V(B) − V(C) where the mean of δ² is least, by least squares over the four errors."""
    change = np.array([[1, -gamma, 0], [1, 0, -gamma], [0, 1, 0], [0, 0, 1.0]])
    values = np.linalg.lstsq(change, np.array([0, 0, 1.0, 0]), rcond=None)[0]
    return values[1] - values[2]


def _factor(rule, gamma, step=0.1):
    """What one step multiplies the weight by, for φ = 1, φ' = 2 and r = 0."""
    slope = 2 * gamma - 1  # of δ in w
    return 1 + step * slope * (1 if rule == "semi_gradient" else -slope)


def _after(rule, gamma, steps=200, step=0.1):
    return abs(_factor(rule, gamma, step)) ** steps


def _use_rule(answer, rule, gamma):
    """Call with the rule itself; the card shows its name."""
    value = answer(getattr(td, rule), gamma)
    return value.reshape(()) if getattr(value, "shape", None) == (1,) else value


def _memories(rng):
    for d, m, B in ((1, 1, 1), (1, 1, 4), (2, 2, 5), (1, 1, 2), (2, 2, 3)):
        p = (d + m) * (d + m + 1) // 2 + 1
        shapes = (p,), (B, d), (B, m), (B,), (B, d), (B, m)
        w, s, a, r, s_next, a_next = (rng.normal(size=x).round(2) for x in shapes)
        terminated = np.array([0.0, 1.0, 0.0, 0.0, 1.0])[:B]
        K, gamma = rng.uniform(0.1, 0.9, size=(m, d)).round(2), float(rng.uniform(0.5, 0.95))
        yield w, s, a, r, s_next, a_next, terminated, K, round(gamma, 2)


def _products(s, a):
    """The features of one transition, by a loop."""
    x = [*s, *a]
    return np.array([x[i] * x[j] for i in range(len(x)) for j in range(i, len(x))] + [1.0])


def _td(w, s, a, r, s_next, a_next, terminated, K, gamma):
    """TD(0) as the descent direction of δ²/2 with frozen targets, by a complex step."""
    columns = []
    for k in range(len(w)):
        nudged = w + 1j * H * np.eye(len(w))[k]
        loss = 0
        for i in range(len(r)):
            then = _products(s_next[i], [-sum(row * s_next[i]) for row in K])
            y = r[i] if terminated[i] else r[i] + gamma * sum(w * then)
            loss = loss + (y - sum(nudged * _products(s[i], a[i]))) ** 2 / 2 / len(r)
        columns.append(-loss.imag / H)
    return np.array(columns)


def _mistaken(
    *,
    next_action=lambda s, a, s_next, a_next, K: -s_next @ K.T,
    now=lambda s, a, K: a,
    target=lambda r, left, gamma, q: r + left * gamma * q,
    step=lambda delta, phi, phi_next: (delta[:, None] * phi).mean(0),
):
    """TD(0) with one part replaced. `left` is 1 − terminated; `phi_next` includes it and γ."""

    def gives(w, s, a, r, s_next, a_next, terminated, K, gamma):
        left = 1 - terminated
        phi = td.quadratic_features(s, now(s, a, K))
        phi_next = td.quadratic_features(s_next, next_action(s, a, s_next, a_next, K))
        delta = target(r, left, gamma, phi_next @ w) - phi @ w
        return step(delta, phi, (left * gamma)[:, None] * phi_next)

    return gives


EXERCISES = (
    AnswersExercise(
        label="critic-step",
        asked={
            "s_next": Asked(
                1,
                {
                    3: "s′ = s + a, and a is negative.",
                    1.4: "s′ follows from the executed action, not from μ(s).",
                    -1: "This is the executed action a. The state moves to s + a.",
                },
            ),
            "a_next": Asked(
                -0.3,
                {
                    -1: "This is the executed action. The next action is the policy's, in s′.",
                    -0.6: "This is μ(s). The next action is taken in s′.",
                    0.3: "μ(s) = −Ks: do not lose the minus.",
                    -0.9: "The policy is asked in s′ = s + a, and a is negative.",
                },
            ),
            "y": Asked(
                -5.981,
                {
                    -6.09: "The next value is not discounted: γ is missing.",
                    -0.981: "The reward −(s² + a²) is missing.",
                    -6.8: "The next value has the executed action in it. It belongs to μ(s′).",
                    -9.5: "The next value belongs to s′ and a′, not to s and a.",
                    -5.9: "The next value counts the action too: Q = −s² − a².",
                    -5: "This is the reward alone. The target goes on with the next value.",
                    4.019: "The reward is negative: it is −(s² + a²).",
                    -4.019: "The next value is negative, because w is: it lowers the target.",
                    -3.981: "The square of a negative action is positive.",
                    -3.924: "This is δ of the step in the text. Here s and a are others.",
                },
            ),
            "delta": Asked(
                -0.981,
                {
                    0.981: "δ is the target minus the critic, y − Q(s, a, w).",
                    -10.981: "Q(s, a, w) is subtracted, and it is negative.",
                    -5.981: "This is the target. Subtract what the critic says now.",
                    0: "This is r − Q(s, a, w). The target has the next value in it too.",
                    -1.09: "The next value is not discounted: γ is missing.",
                },
            ),
            "weight_of_sa": Asked(
                0.1962,
                {
                    -0.1962: "The feature sa is −2 here, and δ is negative: mind the signs.",
                    -0.0981: "This is αδ. Each weight moves by αδ times its own feature.",
                    1.962: "The step size α is missing.",
                    0.169713: "This is the residual gradient. TD(0) holds the target constant.",
                    0.02943: "The feature belongs to s and a, not to s′ and a′.",
                },
            ),
            "critic_was": Asked(
                "too hopeful",
                {
                    "too gloomy": "δ is negative: the target lies below what the critic says.",
                    "right": "Then δ would be zero.",
                },
            ),
        },
        checked="the next state and action, the target, the error, the new weight and its meaning",
    ),
    FunctionExercise(
        label="critic-discount",
        name="gap",
        parameters=("gamma",),
        cases=lambda rng: [(1.0,), (0.0,), (0.5,), (0.9,), (round(rng.uniform(0.1, 0.9), 2),)],
        right=_gap,
        checked="five discounts, by least squares over the four errors",
        mistakes=(
            Mistake("This is the gap of the semi-gradient, and of the truth.", lambda gamma: 1.0),
            Mistake("Your answer is the same for every γ.", lambda gamma: 0.5),
            Mistake(
                "The factor γ is there once. In (γB − A)² it stands before B, and the derivative "
                "by B brings it once more.",
                lambda gamma: 1 / (1 + gamma),
            ),
            Mistake("This is C minus B. The gap is B minus C.", lambda gamma: -1 / (1 + gamma**2)),
            Mistake(
                "This is the value of B alone. Subtract the value of C.",
                lambda gamma: (1 + _gap(gamma)) / 2,
            ),
            Mistake(
                "This is the value of C alone. Subtract it from the value of B.",
                lambda gamma: (1 - _gap(gamma)) / 2,
            ),
            Mistake(
                "This is A minus B. The states are in the order A, B, C, counted from 0.",
                lambda gamma: (gamma - 1 - _gap(gamma)) / 2,
            ),
            Mistake(
                "This is B minus A. The states are in the order A, B, C, counted from 0.",
                lambda gamma: (1 + _gap(gamma) - gamma) / 2,
            ),
            Mistake(
                "This is A minus C. The states are in the order A, B, C, counted from 0.",
                lambda gamma: (gamma - 1 + _gap(gamma)) / 2,
            ),
            Mistake(
                "These are the three values. One number is asked for: B minus C.",
                lambda gamma: (gamma / 2, (1 + _gap(gamma)) / 2, (1 - _gap(gamma)) / 2),
            ),
            Mistake(
                "This is one step from zero. The rule settles where its mean step is zero.",
                lambda gamma: 0.25,
            ),
        ),
        rtol=1e-3,
    ),
    FunctionExercise(
        label="critic-diverge",
        name="after",
        parameters=("rule", "gamma"),
        cases=lambda rng: [
            (rule, gamma)
            for rule in ("semi_gradient", "residual_gradient")
            for gamma in (0.9, 0.49, 0.51, 0.0, 1.0, round(rng.uniform(0.1, 0.9), 2))
        ],
        use=_use_rule,
        right=_after,
        checked="both rules with six discounts, by the factor of one step to the power 200",
        mistakes=(
            Mistake(
                "You step against the rule. It returns the direction in which w moves.",
                lambda rule, gamma: _after(rule, gamma, step=-0.1),
            ),
            Mistake("The step size is missing.", lambda rule, gamma: _after(rule, gamma, step=1.0)),
            Mistake(
                "The direction is computed once. Ask the rule again at every new w.",
                lambda rule, gamma: abs(1 + 200 * (_factor(rule, gamma) - 1)),
            ),
            Mistake(
                "Only one step is taken. Does the return stand inside the loop?",
                lambda rule, gamma: _after(rule, gamma, steps=1),
            ),
            Mistake(
                "One step is missing: 200 are asked for.",
                lambda rule, gamma: _after(rule, gamma, steps=199),
            ),
            Mistake(
                "This is one step too many: 200 are asked for.",
                lambda rule, gamma: _after(rule, gamma, steps=201),
            ),
            Mistake("w starts at 1. From 0 no rule moves it here.", lambda rule, gamma: 0.0),
            Mistake("w is never stored: the steps leave it at its start.", lambda rule, gamma: 1.0),
            Mistake(
                "The discount is fixed in your function: hand gamma to the rule.",
                lambda rule, gamma: _after(rule, 0.9),
            ),
            Mistake(
                "You always use the semi-gradient. Call the rule that your function is given.",
                lambda rule, gamma: _after("semi_gradient", gamma),
            ),
        ),
    ),
    FunctionExercise(
        label="critic-memory",
        name="direction",
        parameters=("w", "s", "a", "r", "s_next", "a_next", "terminated", "K", "gamma"),
        cases=_memories,
        right=_td,
        checked="five batches with one and two entries of state and action, by a complex step "
        "through frozen targets",
        mistakes=(
            Mistake(
                "The target uses the replayed action. So the critic learns the value of the "
                "policy that filled the memory, not that of μ.",
                _mistaken(next_action=lambda s, a, s_next, a_next, K: a_next),
            ),
            Mistake(
                "The present features are taken at μ(s). The reward and s′ belong to the action "
                "that was executed.",
                _mistaken(now=lambda s, a, K: -s @ K.T),
            ),
            Mistake(
                "The target goes on after the end of the task. Where terminated is 1 nothing "
                "follows.",
                _mistaken(target=lambda r, left, gamma, q: r + gamma * q),
            ),
            Mistake(
                "The next action is μ(s). The target needs the action in s_next.",
                _mistaken(next_action=lambda s, a, s_next, a_next, K: -s @ K.T),
            ),
            Mistake(
                "The next action is the executed action a. The target needs μ in s_next.",
                _mistaken(next_action=lambda s, a, s_next, a_next, K: a),
            ),
            Mistake(
                "This is the residual gradient: your target moves with w. TD(0) holds it constant.",
                _mistaken(step=lambda d, phi, after: (d[:, None] * (phi - after)).mean(0)),
            ),
            Mistake(
                "The next value is not discounted: γ is missing.",
                _mistaken(target=lambda r, left, gamma, q: r + left * q),
            ),
            Mistake(
                "This is the sum over the batch. The mean is asked for.",
                _mistaken(step=lambda d, phi, after: (d[:, None] * phi).sum(0)),
            ),
            Mistake(
                "The error has the wrong sign: it is the target minus the critic.",
                _mistaken(step=lambda d, phi, after: -(d[:, None] * phi).mean(0)),
            ),
            Mistake(
                "The policy's action has the wrong sign: μ(s) = −Ks.",
                _mistaken(next_action=lambda s, a, s_next, a_next, K: s_next @ K.T),
            ),
            Mistake(
                "K is transposed: each row of K belongs to one entry of the action.",
                _mistaken(next_action=lambda s, a, s_next, a_next, K: -s_next @ K),
            ),
            Mistake(
                "Where the task ended, the last reward is lost: only the next value falls away.",
                _mistaken(target=lambda r, left, gamma, q: left * (r + gamma * q)),
            ),
            Mistake(
                "terminated is taken the wrong way round: the next value counts where it is 0.",
                _mistaken(target=lambda r, left, gamma, q: r + (1 - left) * gamma * q),
            ),
            Mistake(
                "You multiply the mean error by the mean features. Average the products.",
                _mistaken(step=lambda d, phi, after: d.mean() * phi.mean(0)),
            ),
            Mistake(
                "The features of the step are those of s and a, not those of the next pair.",
                _mistaken(step=lambda d, phi, after: (d[:, None] * after).mean(0)),
            ),
            Mistake(
                "The error has no target: it is y − Q(s, a, w), and the reward is not all of y.",
                _mistaken(target=lambda r, left, gamma, q: r),
            ),
            Mistake(
                "The mean runs over the features too. Average over the batch alone.",
                _mistaken(step=lambda d, phi, after: (d[:, None] * phi).mean()),
            ),
            Mistake(
                "Only the error is returned. Each error is multiplied by its features.",
                _mistaken(step=lambda d, phi, after: d),
            ),
        ),
    ),
    AnswersExercise(
        label="critic-ripples",
        asked={
            "slope_error_of_constant": Asked(
                0,
                {
                    50: "This is the error of the value. A constant does not change with a.",
                    -1.857: "This is the true slope. The error of the slope is asked for.",
                },
            ),
            "slope_error_of_ripple": Asked(
                5,
                {
                    0.001: "This is the height of the ripple, the error of its value.",
                    5000: "This is the frequency. The height multiplies it.",
                    0: "The sine is zero there. Its slope, a cosine, is not.",
                    3.143: "This is the learned slope. The error alone is asked for.",
                },
            ),
            "learned_slope_with_ripple": Asked(
                3.143,
                {
                    -1.857: "This is the true slope. The slope of the ripple is added to it.",
                    5: "This is the error alone. Add the true slope.",
                    -6.857: "The slope of the ripple is positive at a = −0.3.",
                    6.857: "The true slope is negative.",
                },
            ),
            "critic_to_choose": Asked(
                "off by a constant",
                {
                    "off by a ripple": "At a = −0.3 this one sends the actor the wrong way.",
                    "no matter which": "Compare the signs of the two slopes.",
                },
            ),
            "why_this_critic": Asked(
                "the actor reads only the slope",
                {
                    "its value error is smaller": "It is larger: 50 against 0.001.",
                    "a constant error averages out": "It is 50 at every action, also on average.",
                    "the actor never sees the ripple": "The ripple's slope is in what it climbs.",
                },
            ),
        },
        checked="the three slopes, the choice and the reason",
    ),
)
