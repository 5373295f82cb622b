"""The front page: Deterministic policy gradients."""

import numpy as np
import sympy

from dpgcourse.equation_checks.entry import entry
from dpgcourse.equation_checks.examples import (
    PAIR,
    autograd,
    scalar_composite,
    smooth_composite,
    torch_ell,
)
from dpgcourse.gradient.chain_rule import gradient_by_jacobian
from dpgcourse.gradient.composite import (
    Composite,
    LinearActor,
    QuadraticCritic,
    SineCritic,
    TanhActor,
)
from dpgcourse.gradient.derivative_checks import central_difference, complex_step


@entry("eq-intro-rule", "theorem", SineCritic.dQ_da, TanhActor.da_du)
def rule(rng):
    """The slope in u is the critic's slope in a times the actor's slope in u."""
    composite, s, u, w = scalar_composite(rng)
    a = np.tanh(u * s)
    return {
        "formula": composite.critic.dQ_da(s, a, w) * composite.actor.da_du(s, u)[0],
        "central differences": central_difference(lambda u: composite.ell(s, u, w), u),
        "autograd": autograd(lambda u: torch_ell(composite, s, u, w), u),
    }


@entry("eq-intro-composite", "definition", Composite.ell)
def composite(rng):
    """The composite is the critic's value of the actor's action, a function of u."""
    composite, s, u, w = scalar_composite(rng)
    critic, a = composite.critic, np.tanh(u[0] * s[0])
    phases = (critic.alpha[k, 0] * s[0] + critic.beta[k, 0] * a + critic.phi[k] for k in range(4))
    return {
        "formula": composite.ell(s, u, w),
        "by hand": sum(w_k * np.sin(phase) for w_k, phase in zip(w, phases, strict=True)),
    }


def _by_symbols(composite, s, u, w):
    """The slope of the composite of sines, differentiated by sympy."""
    x, critic = sympy.Symbol("u"), composite.critic
    a = sympy.tanh(s[0] * x)
    terms = zip(w, critic.alpha[:, 0], critic.beta[:, 0], critic.phi, strict=True)
    value = sum(w_k * sympy.sin(alpha * s[0] + beta * a + phi) for w_k, alpha, beta, phi in terms)
    return [float(value.diff(x).subs(x, u[0]))]


@entry("eq-intro-chain", "theorem", gradient_by_jacobian)
def chain(rng):
    """The critic's slope is evaluated at the action that the actor takes."""
    composite, s, u, w = scalar_composite(rng)
    return {
        "formula": gradient_by_jacobian(composite, s, u, w),
        "central differences": central_difference(lambda u: composite.ell(s, u, w), u),
        "complex step": complex_step(lambda u: composite.ell(s, u, w), u),
        "sympy": _by_symbols(composite, s, u, w),
    }


@entry("eq-intro-example", "definition", LinearActor.mu, QuadraticCritic.Q)
def example(rng):
    """The running example: a linear actor, and a critic with the favorite action ws."""
    s, u, a, w = rng.normal(size=(4, 1))
    return {
        "formula": [PAIR.actor.mu(s, u)[0], PAIR.critic.Q(s, a, w)],
        "by hand": [u[0] * s[0], -(a[0] ** 2) + 2 * a[0] * w[0] * s[0] - (w[0] * s[0]) ** 2],
    }


@entry("eq-intro-vector", "theorem", Composite.factors)
def vector(rng):
    """With several entries and parameters, the product of slopes is Jᵀg."""
    composite, s, u, w = smooth_composite(rng)
    g, J = composite.factors(s, u, w)
    return {
        "formula": J.T @ g,
        "central differences": central_difference(lambda u: composite.ell(s, u, w), u),
        "complex step": complex_step(lambda u: composite.ell(s, u, w), u),
        "autograd": autograd(lambda u: torch_ell(composite, s, u, w), u),
    }
