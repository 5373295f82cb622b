"""Chapter 1: The composite function."""

import numpy as np
import sympy

from dpgcourse.equation_checks.entry import entry
from dpgcourse.equation_checks.examples import PAIR, S, U, W, smooth_composite
from dpgcourse.gradient.chain_rule import gradient_by_jacobian
from dpgcourse.gradient.composite import Composite, LinearActor, QuadraticCritic
from dpgcourse.gradient.derivative_checks import central_difference, complex_step

A = np.array([1.0])  # the action of the running example
s_, a_, u_, w_ = sympy.symbols("s a u w")
Q_ = -((a_ - w_ * s_) ** 2)
HERE = {s_: 2, u_: sympy.Rational(1, 2), w_: sympy.Rational(3, 2)}


def _at_example(*expressions):
    return [float(x.subs(a_, u_ * s_).subs(HERE)) for x in expressions]


@entry("eq-composite-actor", "identity", LinearActor.mu)
def actor(rng):
    """The smallest actor multiplies the state by its one parameter."""
    s, u = rng.normal(size=(2, 1))
    return {"formula": PAIR.actor.mu(s, u), "by hand": [u[0] * s[0]]}


@entry("eq-composite-critic", "definition", QuadraticCritic.Q)
def critic(rng):
    """The smallest critic subtracts the squared distance to its favorite action ws."""
    s, a, w = rng.normal(size=(3, 1))
    return {
        "formula": PAIR.critic.Q(s, a, w),
        "by hand": -(a[0] ** 2) + 2 * a[0] * w[0] * s[0] - (w[0] * s[0]) ** 2,
    }


@entry("eq-composite-ell", "definition", Composite.ell)
def ell(rng):
    """ℓ(u) is the critic's value of the action that u leads to."""
    s, u, w = rng.normal(size=(3, 1))
    return {
        "formula": PAIR.ell(s, u, w),
        "by hand": -((u[0] * s[0] - w[0] * s[0]) ** 2),
    }


@entry("eq-composite-closed", "identity", Composite.ell)
def closed(rng):
    """The example's composite is −s²(u − w)², a parabola in u with its top at w."""
    s, u, w = rng.normal(size=(3, 1))
    general, here = PAIR.ell(s, u, w), PAIR.ell(S, u, W)
    expanded = sympy.factor(sympy.expand(Q_.subs(a_, u_ * s_)))
    numbers = [{s_: s[0], u_: u[0], w_: w[0]}, {s_: 2, u_: u[0], w_: 1.5}]

    def by_terms(s, w):
        return -(s**2) * u[0] ** 2 + 2 * s**2 * w * u[0] - s**2 * w**2

    symbols = [float(expanded.subs(letters)) for letters in numbers]
    return {
        "formula": [
            general,
            -((u[0] * s[0] - w[0] * s[0]) ** 2),
            -(s[0] ** 2) * (u[0] - w[0]) ** 2,
            here,
            -4 * (u[0] - 1.5) ** 2,
        ],
        "by hand": np.repeat([by_terms(s[0], w[0]), by_terms(2, 1.5)], (3, 2)),
        "sympy": np.repeat(symbols, (3, 2)),
    }


def _Q4(s, a, w, u):
    """The critic with u as a fourth argument, which it ignores."""
    return PAIR.critic.Q(s, a, w) + 0 * u[0]


@entry("eq-composite-partial", "theorem", QuadraticCritic.dQ_da, draws=1)
def partial(rng):
    """With its other arguments held, Q has slope 4 in a, and slope 0 in u."""

    def slopes(derivative):
        in_a = derivative(lambda a: _Q4(S, a, W, U), A)
        return [in_a[0], derivative(lambda u: _Q4(S, A, W, u), U)[0]]

    return {
        "formula": [PAIR.critic.dQ_da(S, A, W)[0], 0.0],
        "by hand": [4.0, 0.0],
        "central differences": slopes(central_difference),
        "complex step": slopes(complex_step),
        "sympy": _at_example(Q_.diff(a_), Q_.diff(u_)),
    }


@entry("eq-composite-total-u", "theorem", gradient_by_jacobian, draws=1)
def total_u(rng):
    """When the action follows u, the value has slope 8."""
    return {
        "formula": gradient_by_jacobian(PAIR, S, U, W),
        "by hand": [8.0],
        "central differences": central_difference(lambda u: PAIR.ell(S, u, W), U),
        "complex step": complex_step(lambda u: PAIR.ell(S, u, W), U),
        "sympy": _at_example(Q_.subs(a_, u_ * s_).diff(u_)),
    }


@entry("eq-composite-partial-s", "theorem", draws=1)
def partial_s(rng):
    """With the action held, the value has slope −6 in s."""

    def Q(s):
        return PAIR.critic.Q(s, A, W)

    return {
        "formula": [2 * W[0] * (A[0] - W[0] * S[0]), 2 * 1.5 * (1 - 3), -6.0],
        "central differences": np.repeat(central_difference(Q, S), 3),
        "complex step": np.repeat(complex_step(Q, S), 3),
        "sympy": _at_example(Q_.diff(s_)) * 3,
    }


@entry("eq-composite-total-s", "theorem", QuadraticCritic.dQ_da, draws=1)
def total_s(rng):
    """The state acts on the value directly and through the action; the slopes add: −6 + 2 = −4."""
    direct, through = 2 * W[0] * (A[0] - W[0] * S[0]), PAIR.critic.dQ_da(S, A, W)[0] * U[0]

    def slopes(derivative):
        held = derivative(lambda s: PAIR.critic.Q(s, A, W), S)
        following = derivative(lambda s: PAIR.critic.Q(S, PAIR.actor.mu(s, U), W), S)
        total = derivative(lambda s: PAIR.ell(s, U, W), S)
        return [held[0], following[0], total[0]]

    return {
        "formula": [direct, through, direct + through],
        "by hand": [-6.0, 4 * 0.5, -4.0],
        "central differences": slopes(central_difference),
        "complex step": slopes(complex_step),
        "sympy": _at_example(Q_.diff(s_), Q_.diff(a_) * u_, Q_.subs(a_, u_ * s_).diff(s_)),
    }


@entry("eq-composite-legs", "identity", QuadraticCritic.Q)
def legs(rng):
    """The effect of a new state is that with the old action, plus that of the new action."""
    s, h, u, w = rng.uniform(0.5, 1.5, size=(4, 1))
    u, a, a_plus = -u, -u * s, -u * (s + h)  # the action is far from the favorite ws
    Q = PAIR.critic.Q
    first = Q(s + h, a, w) - Q(s, a, w)
    second = Q(s + h, a_plus, w) - Q(s + h, a, w)
    return {
        "formula": first + second,
        "by hand": (a[0] - w[0] * s[0]) ** 2 - (a_plus[0] - w[0] * (s[0] + h[0])) ** 2,
        "closed form": -((u[0] - w[0]) ** 2) * h[0] * (2 * s[0] + h[0]),
    }


@entry("eq-composite-vector", "definition", LinearActor.mu, QuadraticCritic.Q)
def vector(rng):
    """With two entries, U and W are matrices and the square is a squared length."""
    s, a, u, w = (rng.normal(size=size) for size in (2, 2, 4, 4))
    action = [u[0] * s[0] + u[1] * s[1], u[2] * s[0] + u[3] * s[1]]
    favorite = [w[0] * s[0] + w[1] * s[1], w[2] * s[0] + w[3] * s[1]]
    return {
        "formula": [*LinearActor(2, 2).mu(s, u), QuadraticCritic(2, 2).Q(s, a, w)],
        "by hand": [*action, -((a[0] - favorite[0]) ** 2) - (a[1] - favorite[1]) ** 2],
    }


@entry("eq-composite-batch", "definition", Composite.ell)
def batch(rng):
    """The composite of a batch is the mean over its states."""
    composite, s, u, w = smooth_composite(rng, batch=(5,))
    U, critic, total = u.reshape(2, 3), composite.critic, 0.0
    for s_i in s:
        phase = critic.alpha @ s_i + critic.beta @ np.tanh(U @ s_i) + critic.phi
        total += w @ np.sin(phase)
    return {"formula": composite.ell(s, u, w).mean(), "by hand": total / 5}
