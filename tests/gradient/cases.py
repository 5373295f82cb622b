"""Random smooth composites, and their gradient by two routes that share no code with the package.

The torch and sympy routes write μ and Q again, from the formulas of chapter 1.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import sympy
import torch

from dpgcourse.gradient.composite import (
    Composite,
    LinearActor,
    QuadraticCritic,
    SineCritic,
    TanhActor,
)

KINDS = [(actor, critic) for actor in ("linear", "tanh") for critic in ("quadratic", "sine")]


@dataclass(frozen=True)
class Case:
    """A composite with a point (s, u, w) to differentiate it at."""

    actor_kind: str
    critic_kind: str
    composite: Composite
    s: np.ndarray  # (d,)
    u: np.ndarray  # (m·d,)
    w: np.ndarray  # (m·d,) for the quadratic critic, (p,) for the sines


def random_case(kind: tuple[str, str], seed: int) -> Case:
    """Draw the shapes d, m, p, the frequencies of the critic, and the point."""
    rng = np.random.default_rng(seed)
    d, m, p = (int(size) for size in rng.integers(1, 4, 3))
    actor_kind, critic_kind = kind
    actor = {"linear": LinearActor, "tanh": TanhActor}[actor_kind](d, m)
    if critic_kind == "quadratic":
        critic, size_w = QuadraticCritic(d, m), m * d
    else:
        alpha, beta, phi = rng.normal(size=(p, d)), rng.normal(size=(p, m)), rng.normal(size=p)
        critic, size_w = SineCritic(alpha, beta, phi), p
    s, u, w = rng.normal(size=d), rng.normal(size=m * d), rng.normal(size=size_w)
    return Case(actor_kind, critic_kind, Composite(actor, critic), s, u, w)


def gradient_by_autograd(case: Case) -> np.ndarray:
    """∇ℓ(u) by torch autograd in float64."""
    s, w = torch.as_tensor(case.s), torch.as_tensor(case.w)
    u = torch.as_tensor(case.u).requires_grad_()
    a = u.reshape(-1, len(s)) @ s
    if case.actor_kind == "tanh":
        a = torch.tanh(a)
    if case.critic_kind == "quadratic":
        q = -torch.sum((a - w.reshape(-1, len(s)) @ s) ** 2)
    else:
        critic = case.composite.critic
        alpha, beta, phi = (torch.as_tensor(x) for x in (critic.alpha, critic.beta, critic.phi))
        q = torch.dot(w, torch.sin(alpha @ s + beta @ a + phi))
    return torch.autograd.grad(q, u)[0].numpy()


@cache
def _symbolic_gradient(actor_kind: str, critic_kind: str, d: int, m: int, p: int):
    """∇ℓ(u) as a function of (s, u, w, α, β, φ), derived by sympy once for each shape."""
    size_w = m * d if critic_kind == "quadratic" else p
    s, u, w = sympy.symbols(f"s:{d}"), sympy.symbols(f"u:{m * d}"), sympy.symbols(f"w:{size_w}")
    alpha, beta = sympy.symbols(f"alpha:{p * d}"), sympy.symbols(f"beta:{p * m}")
    phi = sympy.symbols(f"phi:{p}")
    state = sympy.Matrix(s)
    a = sympy.Matrix(m, d, u) * state
    if actor_kind == "tanh":
        a = a.applyfunc(sympy.tanh)
    if critic_kind == "quadratic":
        miss = a - sympy.Matrix(m, d, w) * state
        ell = -(miss.T * miss)[0]
    else:
        phase = sympy.Matrix(p, d, alpha) * state + sympy.Matrix(p, m, beta) * a
        ell = sum(w[k] * sympy.sin(phase[k] + phi[k]) for k in range(p))
    slopes = [sympy.diff(ell, parameter) for parameter in u]
    return sympy.lambdify([s, u, w, alpha, beta, phi], slopes, modules="numpy")


def gradient_by_sympy(case: Case) -> np.ndarray:
    """∇ℓ(u) from the derivative that sympy wrote down."""
    critic, d, m = case.composite.critic, len(case.s), case.composite.actor.action_dim
    if case.critic_kind == "quadratic":
        alpha, beta, phi = np.zeros((0, d)), np.zeros((0, m)), np.zeros(0)
    else:
        alpha, beta, phi = critic.alpha, critic.beta, critic.phi
    slopes = _symbolic_gradient(case.actor_kind, case.critic_kind, d, m, len(phi))
    return np.array(slopes(case.s, case.u, case.w, alpha.ravel(), beta.ravel(), phi))
