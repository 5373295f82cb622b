"""Exercises of chapter 6, the theorem."""

from collections.abc import Callable

import numpy as np

from dpgcourse.exercises.exercise import AnswersExercise, Asked, FunctionExercise, Mistake
from dpgcourse.gradient.composite import TanhActor
from dpgcourse.gradient.derivative_checks import complex_step
from dpgcourse.theory.finite_chain import SoftmaxChain

EPISODES = 400  # few enough for a loop in Python
NEAR = 0.13  # more than five standard errors of a share of that many episodes


class _RandomChain(SoftmaxChain):
    """A random chain whose name fits on a card."""

    def __repr__(self) -> str:
        states, entries = self.favorite.shape
        return f"a random chain with {states} states and {entries}-dimensional actions"


def _random_chain(rng, S, m, gamma=0.9):
    shapes = {"logits": (S, S), "tilt": (S, S, m), "base": (S,), "favorite": (S, m)}
    arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return _RandomChain(**arrays, p0=rng.dirichlet(np.ones(S)), gamma=gamma)


def _sampled_chains(rng):
    """Chains on which every two mistakes differ by much more than chance does."""
    held = [[0.0, 0.3, 0.1, 0.6], [0.0, 0.3, 0.3, 0.4], [0.3, 0.4, 0.2, 0.1], [0.0, 0.0, 0.0, 1.0]]
    sure = [[0.0, 0.0, 0.7, 0.3], [0.0, 0.0, 1.0, 0.0], [0.1, 0.0, 0.3, 0.6], [0.0, 0.5, 0.5, 0.0]]
    small = [[0.0, 0.2, 0.8], [0.6, 0.1, 0.3], [0.1, 0.0, 0.9]]
    for P, p0, gamma in (
        (sure, [0.0, 1.0, 0.0, 0.0], 0.5),
        (held, [0.0, 0.0, 1.0, 0.0], 0.75),
        (small, [0.2, 0.0, 0.8], 0.75),
    ):
        yield np.array(P), np.array(p0), gamma, EPISODES


def _shares(answer, P, p0, gamma, count):
    """How often each state is returned, with a generator of the checker's."""
    states = answer(P, p0, gamma, count, np.random.default_rng(1))
    if states is None or states is ...:
        return states
    states, S = np.asarray(states), len(p0)
    if states.shape != (count,):
        raise ValueError(f"its result has the shape {states.shape}; asked for: ({count},)")
    if not np.isin(states, np.arange(S)).all():
        raise ValueError(f"it returns other numbers than the states 0 to {S - 1}")
    return np.bincount(states.astype(int), minlength=S) / count


def _stopped(P, p0, gamma):
    """Distribution of the state in which an episode stops."""
    return (1 - gamma) * np.linalg.solve(np.eye(len(p0)) - gamma * P.T, p0)


def _many_steps(P, p0, number):
    return p0 @ np.linalg.matrix_power(P, number)


def _visits(chain):
    return chain.rho


def _stationary(chain):
    return lambda a: 10 * np.linalg.matrix_power(chain.P(a), 2000)[0]


def _uniform(chain):
    return lambda a: np.full(len(chain.p0), 2.0)


_WEIGHTS: dict[str, Callable] = {
    "chain.rho": _visits,
    "10 times the stationary distribution": _stationary,
    "2 for every state": _uniform,
}


def _fields(rng):
    for weights, S, m in (
        ("10 times the stationary distribution", 5, 1),
        ("chain.rho", 6, 1),
        ("chain.rho", 4, 2),
        ("10 times the stationary distribution", 4, 2),
        ("2 for every state", 5, 2),
    ):
        chain = _random_chain(rng, S, m)
        features, u = rng.normal(size=(S, 2)).round(2), rng.normal(size=2 * m).round(2)
        yield chain, TanhActor(2, m), features, u, weights


def _derivatives(chain, actor, features, u, weights, *, frozen="", normalized=False):
    """Derivatives of the weighted local gradients; the weights or the slopes may stay at u."""
    weigh = _WEIGHTS[weights](chain) if isinstance(weights, str) else weights

    def field(v):
        weight = weigh(actor.mu(features, u if frozen == "weights" else v))
        weight = weight / weight.sum() if normalized else weight
        g = chain.dQ_da(actor.mu(features, u if frozen == "slopes" else v))
        return np.einsum("s,sm,smn->n", weight, g, actor.da_du(features, v))

    return complex_step(field, u)


def _largest(H):
    return np.abs(H - H.T).max()


def _asymmetry(*case):
    return _largest(_derivatives(*case))


def _noisy_chains(rng):
    for S, m, sigma, gamma in (
        (2, 1, 0.5, 0.5),
        (6, 1, 0.3, 0.9),
        (3, 2, 1.0, 0.8),
        (5, 2, 0.4, 0),
    ):
        yield _random_chain(rng, S, m, gamma), rng.normal(size=(S, m)).round(2), sigma


def _bends(chain, a, directions):
    """Sum over directions of the second derivatives of Q in them, (S,), by a complex step."""
    bent = 0
    for direction in directions:
        slopes = chain.dQ_da(a, a + 1e-20j * direction).imag / 1e-20  # (S, m)
        bent = bent + slopes @ direction
    return bent


def _cost(chain, a, sigma, weights=None, directions=None):
    directions = np.eye(a.shape[1]) if directions is None else directions
    weights = chain.rho(a) if weights is None else weights
    return sigma**2 / 2 * weights @ _bends(chain, a, directions)


def _second_difference(f, a, h=1e-3):
    """Sum of the second differences of f, each moving one entry of the action in every state."""
    moves = h * np.eye(a.shape[1])
    return sum((f(a + e) - 2 * f(a) + f(a - e)) / h**2 for e in moves)


_STEPS = {
    "values": "step 1: values and visits exist",
    "difference": "step 2: the exact difference",
    "advantage": "step 3: the advantage in one state",
    "visits": "step 4: the visits are continuous",
}


def _first(right, **wrong):
    """Which step of the proof fails first."""
    return Asked(_STEPS[right], {_STEPS[step]: hint for step, hint in wrong.items()})


EXERCISES = (
    AnswersExercise(
        label="theorem-hand",
        asked={
            "V_low": Asked(
                2,
                {
                    0.5: "This is the value at γ = 1/2. Here γ is 0.8.",
                    0.4: "This counts the next reward alone. High and low have futures too.",
                    2 / 3: "Half of the time low goes on to low: its value stands in its own "
                    "equation two times.",
                    4: "Only half of the later steps find you in high.",
                    2.5: "The reward that high pays comes one step later: discount it too.",
                    3: "This is the value of high.",
                },
            ),
            "V_high": Asked(
                3,
                {
                    1: "This is the reward of high. Add its future.",
                    1.5: "This is the value at γ = 1/2. Here γ is 0.8.",
                    2.8: "High pays 1 now: this reward is not discounted.",
                    5: "Only half of the later steps find you in high.",
                },
            ),
            "g_low": Asked(
                0.2,
                {
                    0.25: "The landing counts one step later: discount it.",
                    0.125: "This is the slope at γ = 1/2. Here γ is 0.8.",
                    0.6: "A better chance of high is a worse chance of low: what counts is the "
                    "difference of the values.",
                    0.4: "1/2 is the probability at a = 0. Its slope is 1/4.",
                    0: "The cost is flat at a = 0, but the landing changes with a.",
                },
            ),
            "visits_to_low": Asked(
                3,
                {
                    1.5: "This is the number at γ = 1/2. Here γ is 0.8.",
                    2.5: "This is half of all visits. The start is in low, for certain.",
                    5: "These are the visits to both states.",
                    2: "This leaves out the start or is the number of visits to high.",
                    0.6: "ρ is no probability: do not multiply by 1 − γ.",
                },
            ),
            "dV_low_du": Asked(
                0.6,
                {
                    0.2: "This is the local derivative: u moves every later action too.",
                    0.1875: "This is the total derivative at γ = 1/2. Here γ is 0.8.",
                    0.5: "The start is in low, for certain: count the visits to low again.",
                    1: "Only visits to low count. In high the action moves nothing.",
                    0.4: "The first visit counts too, or you counted the visits to high.",
                    0.12: "The weight is the number of visits, not a probability.",
                },
            ),
        },
        checked="both values, the slope, the visits and the total derivative",
    ),
    FunctionExercise(
        label="theorem-sample",
        name="last_states",
        parameters=("P", "p0", "gamma", "count", "rng"),
        cases=_sampled_chains,
        use=_shares,
        right=lambda P, p0, gamma, count: _stopped(P, p0, gamma),
        checked=f"the share of each state in {EPISODES} episodes of three chains is within "
        f"{NEAR} of (1 − γ)ρ",
        mistakes=(
            Mistake(
                "You act before you ask whether to stop. So the first state is never counted.",
                lambda P, p0, gamma, count: _stopped(P, p0, gamma) @ P,
            ),
            Mistake(
                "You stop with probability γ. The episode goes on with probability γ.",
                lambda P, p0, gamma, count: _stopped(P, p0, 1 - gamma),
            ),
            Mistake(
                "This is where the chain is in the long run. An episode that has stopped stays "
                "in its state.",
                lambda P, p0, gamma, count: _many_steps(P, p0, 40),
            ),
            Mistake(
                "Your states are distributed as p0. Draw each next state from the row of P that "
                "belongs to the present one.",
                lambda P, p0, gamma, count: p0,
            ),
            Mistake(
                "Every episode takes the same number of steps. Only the mean of the lengths is "
                "fixed; each length is random.",
                lambda P, p0, gamma, count: _many_steps(P, p0, round(1 / (1 - gamma))),
            ),
            Mistake(
                "Every episode takes at most one step. Ask again in each state until it stops.",
                lambda P, p0, gamma, count: (1 - gamma) * p0 + gamma * p0 @ P,
            ),
            Mistake(
                "All first states are equally likely in your function. Draw them from p0.",
                lambda P, p0, gamma, count: _stopped(P, np.full(len(p0), 1 / len(p0)), gamma),
            ),
            Mistake(
                "Every episode starts in state 0. Draw the first state from p0.",
                lambda P, p0, gamma, count: _stopped(P, np.eye(len(p0))[0], gamma),
            ),
            Mistake(
                "The next state does not follow P: all states are equally likely.",
                lambda P, p0, gamma, count: _stopped(np.full(P.shape, 1 / len(p0)), p0, gamma),
            ),
        ),
        atol=NEAR,
    ),
    FunctionExercise(
        label="theorem-curl",
        name="asymmetry",
        parameters=("chain", "actor", "features", "u", "weights"),
        cases=_fields,
        use=lambda answer, chain, actor, features, u, weights: answer(
            chain, actor, features, u, _WEIGHTS[weights](chain)
        ),
        right=_asymmetry,
        checked="five random chains and three kinds of weights, by a complex step",
        mistakes=(
            Mistake(
                "The weights are held while u moves. They depend on the policy: compute them "
                "again at every u.",
                lambda *case: _largest(_derivatives(*case, frozen="weights")),
            ),
            Mistake(
                "You find no asymmetry for any weights. Does your field use its weights, and "
                "does it move with u?",
                lambda *case: 0.0,
            ),
            Mistake(
                "The states have no weights in your field.",
                lambda chain, actor, features, u, weights: _asymmetry(
                    chain, actor, features, u, lambda a: np.ones(len(features))
                ),
            ),
            Mistake(
                "The slopes of Q are held while u moves. Compute them again at every u.",
                lambda *case: _largest(_derivatives(*case, frozen="slopes")),
            ),
            Mistake(
                "You add the matrix and its transpose. Subtract them.",
                lambda *case: np.abs(_derivatives(*case) + _derivatives(*case).T).max(),
            ),
            Mistake(
                "Only one pair of entries is compared, and with its sign. Take the largest "
                "absolute value over all pairs.",
                lambda *case: (H := _derivatives(*case))[0, 1] - H[1, 0],
            ),
            Mistake(
                "This is the largest entry of H itself. Compare H with its transpose.",
                lambda *case: np.abs(_derivatives(*case)).max(),
            ),
            Mistake(
                "Only one pair of entries is compared. Take the largest over all pairs.",
                lambda *case: np.abs((H := _derivatives(*case))[0, 1] - H[1, 0]),
            ),
            Mistake(
                "You scale the weights to the sum 1. Use them as they are.",
                lambda *case: _largest(_derivatives(*case, normalized=True)),
            ),
            Mistake(
                "You return the whole matrix. Its largest absolute entry is asked for.",
                lambda *case: (H := _derivatives(*case)) - H.T,
            ),
            Mistake(
                "This is a norm of the whole matrix. Its largest absolute entry is asked for.",
                lambda *case: np.linalg.norm((H := _derivatives(*case)) - H.T),
            ),
        ),
        rtol=1e-4,
        atol=1e-6,
    ),
    FunctionExercise(
        label="theorem-cost",
        name="change",
        parameters=("chain", "a", "sigma"),
        cases=_noisy_chains,
        right=_cost,
        checked="four random chains with one and two entries of the action, by a complex step",
        mistakes=(
            Mistake(
                "The factor 1/2 is missing.",
                lambda chain, a, sigma: 2 * _cost(chain, a, sigma),
            ),
            Mistake(
                "The size of the noise is squared: σ², not σ.",
                lambda chain, a, sigma: _cost(chain, a, sigma) / sigma,
            ),
            Mistake(
                "This is the curvature of the reward. The noise also changes the landing: take "
                "the curvature of Q.",
                lambda chain, a, sigma: -(sigma**2) / 2 * chain.rho(a).sum() * a.shape[1],
            ),
            Mistake(
                "You move the policy at every step. In Q only the first action moves, and the "
                "later policy stays a.",
                lambda chain, a, sigma: (
                    sigma**2 / 2 * chain.rho(a) @ _second_difference(chain.V, a)
                ),
            ),
            Mistake(
                "This is the curvature of the return in all actions at once. Take Q, state by "
                "state.",
                lambda chain, a, sigma: sigma**2 / 2 * _second_difference(chain.J, a),
            ),
            Mistake(
                "You move all entries of the action at once, so mixed derivatives come in. Move "
                "them one by one and add.",
                lambda chain, a, sigma: _cost(chain, a, sigma, directions=np.ones((1, a.shape[1]))),
            ),
            Mistake(
                "You move the first entry of the action alone. Δ adds over all entries.",
                lambda chain, a, sigma: _cost(chain, a, sigma, directions=np.eye(a.shape[1])[:1]),
            ),
            Mistake(
                "The states are weighted by the start distribution. Later visits count too.",
                lambda chain, a, sigma: _cost(chain, a, sigma, weights=chain.p0),
            ),
            Mistake(
                "The states have no weights. Weight each with its visits.",
                lambda chain, a, sigma: _cost(chain, a, sigma, weights=np.ones(len(a))),
            ),
            Mistake(
                "This is the mean over the states. Weight each with its visits.",
                lambda chain, a, sigma: _cost(chain, a, sigma, weights=np.full(len(a), 1 / len(a))),
            ),
            Mistake(
                "The visits are scaled to a probability distribution. Use them as they are.",
                lambda chain, a, sigma: (1 - chain.gamma) * _cost(chain, a, sigma),
            ),
            Mistake(
                "The sum runs over slopes, not over second derivatives.",
                lambda chain, a, sigma: sigma**2 / 2 * chain.rho(a) @ chain.dQ_da(a).sum(axis=1),
            ),
            Mistake(
                "The second difference is not divided by the square of its step.",
                lambda chain, a, sigma: 0.0,
            ),
            Mistake(
                "The sign is wrong: add Q at both moved actions and subtract Q in the middle "
                "two times.",
                lambda chain, a, sigma: -_cost(chain, a, sigma),
            ),
        ),
        rtol=1e-3,
    ),
    AnswersExercise(
        label="theorem-explain",
        asked={
            "a_fails_at": _first(
                "values",
                difference="The difference compares values. Do they exist?",
                advantage="One action has its slope. Do the values exist that it uses?",
                visits="Before visits can be continuous, they must exist.",
            ),
            "b_fails_at": _first(
                "advantage",
                values="γ is below 1, so values and visits exist, whatever the clip does.",
                difference="The difference needs no derivative: it holds for any two policies.",
                visits="A clip is continuous: a small change of u changes the visits little.",
            ),
            "c_fails_at": _first(
                "difference",
                values="The true values and visits do not depend on the critic.",
                advantage="Look one step earlier: the proof already uses more of Q than its "
                "values at the policy's own actions.",
                visits="The visits do not depend on the critic.",
            ),
            "what_c_leaves_open": Asked(
                "the critic at all other actions",
                {
                    "the critic in states not visited": "It is right in every state, at the "
                    "policy's own action.",
                    "whether the critic has a slope": "It may have one, and a wrong one.",
                    "the visits under the new policy": "They come from the chain, not from the "
                    "critic.",
                },
            ),
        },
        checked="the three steps, and what right values leave open",
    ),
)
