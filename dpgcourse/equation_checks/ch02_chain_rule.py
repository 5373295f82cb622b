"""Chapter 2: The chain rule."""

import numpy as np
import sympy

from dpgcourse.equation_checks.entry import entry
from dpgcourse.equation_checks.examples import (
    PAIR,
    S,
    U,
    W,
    autograd,
    extrapolate,
    scalar_composite,
    torch_ell,
)
from dpgcourse.gradient.chain_rule import gradient_by_jacobian
from dpgcourse.gradient.composite import Composite, QuadraticCritic, SineCritic
from dpgcourse.gradient.derivative_checks import central_difference, complex_step

u_ = sympy.Symbol("u")


@entry("eq-chain-two-slopes", "theorem", gradient_by_jacobian, draws=1)
def two_slopes(rng):
    """The slope of the composite is the critic's times the actor's: 4 · 2 = 8."""
    return {
        "formula": gradient_by_jacobian(PAIR, S, U, W),
        "by hand": [4.0 * 2.0],
        "central differences": central_difference(lambda u: PAIR.ell(S, u, W), U),
        "complex step": complex_step(lambda u: PAIR.ell(S, u, W), U),
        "sympy": [float((-((2 * u_ - 3) ** 2)).diff(u_).subs(u_, sympy.Rational(1, 2)))],
    }


@entry("eq-chain-tempting", "identity", QuadraticCritic.Q)
def tempting(rng):
    """As long as Δa is not zero, it cancels from ΔQ/Δa · Δa/Δu."""
    s, w, h = rng.uniform(0.5, 1.5, size=(3, 1))
    u = -rng.uniform(0.5, 1.5, size=1)
    a, a_plus = u * s, (u + h) * s
    rise = PAIR.critic.Q(s, a_plus, w) - PAIR.critic.Q(s, a, w)
    return {
        "formula": rise / (a_plus - a) * ((a_plus - a) / h),
        "by hand": ((u * s - w * s) ** 2 - ((u + h) * s - w * s) ** 2) / h,
        "closed form": -(s**2) * (2 * (u - w) + h),
    }


@entry("eq-chain-theorem", "theorem", gradient_by_jacobian)
def theorem(rng):
    """The slope of a composite is the outer slope at the inner value, times the inner slope."""
    composite, s, u, w = scalar_composite(rng)

    def ell(u):
        return composite.ell(s, u, w)

    return {
        "formula": gradient_by_jacobian(composite, s, u, w),
        "central differences": central_difference(ell, u),
        "complex step": complex_step(ell, u),
        "autograd": autograd(lambda u: torch_ell(composite, s, u, w), u),
        "limit": extrapolate(lambda h: np.array([(ell(u + h) - ell(u)) / h])),
    }


def _phases_and_slopes(critic, s, a):
    """Phase of each sine at (s, a), and its slope in a; (4,) each."""
    beta = critic.beta[:, 0]
    return critic.alpha[:, 0] * s + beta * a + critic.phi, beta


def _err(critic, s, a, w, k):
    """The error of the slope measured with the step k, from sin(x + y) = sin x cos y + ..."""
    if k == 0:
        return 0.0
    x, beta = _phases_and_slopes(critic, s, a)
    y = beta * k
    return w @ (np.cos(x) * (np.sin(y) - y) - np.sin(x) * (1 - np.cos(y))) / k


@entry("eq-chain-linear", "theorem", SineCritic.dQ_da)
def linear(rng):
    """The change of the critic is its slope times k, plus the error err(k) k, also at k = 0."""
    composite, s, u, w = scalar_composite(rng)
    critic, a, steps = composite.critic, composite.actor.mu(s, u), np.array([0.0, 0.4, -0.7, 1.1])
    slope, err = critic.dQ_da(s, a, w)[0], [_err(critic, s[0], a[0], w, k) for k in steps]
    nodes, weights = np.polynomial.legendre.leggauss(20)
    x, beta = _phases_and_slopes(critic, s, a)

    def change(k):  # the integral of the slope from a to a + k
        along = (nodes + 1) / 2 * k
        return k / 2 * weights @ (np.cos(x + np.outer(along, beta)) @ (w * beta))

    return {
        "formula": (slope + err) * steps,
        "by hand": [critic.Q(s, a + k, w) - critic.Q(s, a, w) for k in steps],
        "quadrature": [change(k) for k in steps],
    }


@entry("eq-chain-quotient", "identity", SineCritic.dQ_da)
def quotient(rng):
    """The quotient of the composite is (Q'(a) + err(Δa)) Δa/h, also where the actor is flat."""
    composite, s, _, w = scalar_composite(rng)
    critic, s, u = composite.critic, s[0], -rng.uniform(0.4, 0.8)
    h = np.array([-0.3, 0.2, 1.1, 1.7])  # for the first two, the action max(0, us) stays at 0

    def Q(a):
        return critic.Q([s], [a], w)

    a, moved = max(0.0, u * s), [max(0.0, (u + h_i) * s) for h_i in h]
    slope = critic.dQ_da([s], [a], w)[0]
    err = np.array([_err(critic, s, a, w, b - a) for b in moved])
    return {
        "formula": (slope + err) * (np.array(moved) - a) / h,
        "by hand": [(Q(b) - Q(a)) / h_i for b, h_i in zip(moved, h, strict=True)],
    }


@entry("eq-chain-remainder", "identity", QuadraticCritic.Q)
def remainder(rng):
    """In the example err(k) = −k, and the critic rises by (4 − k) k."""
    k = rng.normal()
    x = sympy.Symbol("k")
    expanded = sympy.expand(-((1 + x - 3) ** 2) + (1 - 3) ** 2)
    rise = PAIR.critic.Q(S, [1 + k], W) - PAIR.critic.Q(S, [1.0], W)
    slopes = -2 * (np.array([1, 1 + k]) - 3)  # at both ends; a parabola rises by k times their mean
    return {
        "formula": [rise, -((k - 2) ** 2) + 4, 4 * k - k**2, (4 - k) * k],
        "closed form": [k * slopes.mean()] * 4,
        "sympy": [float(expanded.subs(x, k))] * 4,
    }


@entry("eq-chain-ascent", "estimate", Composite.factors)
def ascent(rng):
    """To first order a gradient step changes the action by α j² g, and the value by α (g j)²."""
    composite, s, u, w = scalar_composite(rng)
    g, J = composite.factors(s, u, w)
    slope = autograd(lambda u: torch_ell(composite, s, u, w), u)

    def after(alpha):
        u_next = u + alpha * slope
        return np.stack([composite.actor.mu(s, u_next)[0], composite.ell(s, u_next, w)])

    return {
        "formula": [J[0, 0] ** 2 * g[0], (g[0] * J[0, 0]) ** 2],
        "limit": extrapolate(lambda alpha: (after(alpha) - after(0.0)) / alpha, h=0.02),
        "complex step": complex_step(after, 0.0),
    }


@entry("eq-chain-forward", "definition", Composite.ell)
def forward(rng):
    """The forward difference moves u to one side."""
    s, u, w, h = rng.uniform(0.5, 1.5, size=(4, 1))
    u = -u
    return {
        "formula": (PAIR.ell(s, u + h, w) - PAIR.ell(s, u, w)) / h,
        "by hand": ((u * s - w * s) ** 2 - ((u + h) * s - w * s) ** 2) / h,
        "closed form": -(s**2) * (2 * (u - w) + h),
    }


@entry("eq-chain-central", "definition", central_difference)
def central(rng):
    """The central difference moves u to both sides."""
    c, phi, u, h = rng.uniform(0.2, 0.7, size=4)
    return {
        "formula": central_difference(lambda u: np.sin(c * u + phi), u, step=h),
        "by hand": (np.sin(c * (u + h) + phi) - np.sin(c * (u - h) + phi)) / (2 * h),
        "closed form": np.cos(c * u + phi) * np.sin(c * h) / h,
    }


@entry("eq-chain-errors", "estimate")
def errors(rng):
    """The error of a difference is a power of h plus the rounding errors over its width."""
    (s, w, u), c = rng.uniform(0.8, 1.6, size=3), rng.uniform(0.5, 2)
    formula = -((sympy.tanh(s * u_) - w * s) ** 2)
    value, _, d2, d3 = (float(formula.diff(u_, k).subs(u_, u)) for k in range(4))

    def ell(u):
        return -((np.tanh(s * u) - w * s) ** 2)

    def worst(difference, eps):
        slope = complex_step(ell, u)
        return max(
            abs(difference(1 + i * eps, 1 + j * eps) - slope) for i in (1, -1) for j in (1, -1)
        )

    def scaled(h):  # with ε = c h² (c h³) both parts of the error shrink like h (h²)
        one = worst(lambda i, j: (i * ell(u + h) - j * ell(u)) / h, c * h**2)
        two = worst(lambda i, j: (i * ell(u + h) - j * ell(u - h)) / (2 * h), c * h**3)
        return [one / h, two / h**2]

    return {
        "formula": [abs(d2) / 2 + 2 * c * abs(value), abs(d3) / 6 + c * abs(value)],
        "limit": extrapolate(scaled, h=0.05),
    }


@entry("eq-chain-best-step", "theorem")
def best_step(rng):
    """The best step grows like ε to the power 1/2 and, for central differences, 1/3."""
    eps, value, d2, d3 = rng.uniform(0.5, 2, size=4)
    h, e = sympy.symbols("h epsilon", positive=True)
    models = (d2 / 2 * h + 2 * e * value / h, d3 / 6 * h**2 + e * value / h)
    best = [sympy.solve(sympy.Eq(model.diff(h), 0), h)[0] for model in models]
    exponents = [sympy.diff(sympy.log(x), e) * e for x in best]

    def minima(eps):  # the positive root of h² times the slope of each model
        roots = np.roots([d2 / 2, 0, -2 * eps * value]), np.roots([d3 / 3, 0, 0, -eps * value])
        return np.array([x[(abs(x.imag) < 1e-9) & (x.real > 0)].real[0] for x in roots])

    return {
        "formula": [2 * np.sqrt(eps * value / d2), np.cbrt(3 * eps * value / d3), 1 / 2, 1 / 3],
        "sympy": [float(x.subs(e, eps)) for x in (*best, *exponents)],
        "closed form": [*minima(eps), *np.log2(minima(2 * eps) / minima(eps))],
    }


@entry("eq-chain-complex", "theorem", complex_step)
def imaginary(rng):
    """The imaginary part of a complex step over h is the slope, with an error of order h²."""
    composite, s, u, w = scalar_composite(rng)

    def stepped(h):
        return composite.ell(s, u + 1j * h, w).imag / h

    slope = autograd(lambda u: torch_ell(composite, s, u, w), u)[0]
    order = np.log2((stepped(0.02) - slope) / (stepped(0.01) - slope))
    return {
        "formula": [complex_step(lambda u: composite.ell(s, u, w), u)[0], 2.0],
        "central differences": [central_difference(lambda u: composite.ell(s, u, w), u)[0], 2.0],
        "autograd": [slope, 2.0],
        "order": [stepped(0.01), order],
    }
