"""Chapter 3: Jacobians and batches."""

import numpy as np
import sympy
import torch

from dpgcourse.equation_checks.entry import entry
from dpgcourse.equation_checks.examples import autograd, smooth_composite, torch_ell
from dpgcourse.gradient.chain_rule import (
    batch_gradient,
    gradient_by_jacobian,
    gradient_by_jvp,
)
from dpgcourse.gradient.composite import TanhActor
from dpgcourse.gradient.derivative_checks import central_difference, complex_step
from dpgcourse.gradient.network import MLP, flatten

S, U, W = 2.0, np.array([0.5, 0.0, 1.0]), np.array([1.5, 0.5])  # the chapter's example


def _mu(u, s=S):
    return np.stack([u[0] * s + u[1], u[2] * s - u[1]])


def _Q(a):
    return -((a - W * S) ** 2).sum()


@entry("eq-jac-actor", "identity")
def example_actor(rng):
    """The example's actor is linear in u."""
    s, u = rng.normal(), rng.normal(size=3)
    return {"formula": _mu(u, s), "by hand": np.array([[s, 1, 0], [0, -1, s]]) @ u}


@entry("eq-jac-g", "theorem", draws=1)
def example_g(rng):
    """The example's action gradient is (4, −2)."""
    a = sympy.symbols("a1:3")
    Q = -((a[0] - sympy.Rational(3)) ** 2) - (a[1] - 1) ** 2
    return {
        "formula": [4.0, -2.0],
        "central differences": central_difference(_Q, _mu(U)),
        "complex step": complex_step(_Q, _mu(U)),
        "sympy": [float(Q.diff(x).subs({a[0]: 1, a[1]: 2})) for x in a],
    }


@entry("eq-jac-J", "theorem", draws=1)
def example_J(rng):
    """The example's Jacobian has a row per entry of the action."""
    return {
        "formula": [[2.0, 1.0, 0.0], [0.0, -1.0, 2.0]],
        "central differences": central_difference(_mu, U),
        "complex step": complex_step(_mu, U),
    }


@entry("eq-jac-chain", "theorem", gradient_by_jacobian)
def chain(rng):
    """The gradient of the composite is Jᵀg."""
    composite, s, u, w = smooth_composite(rng)
    g, J = composite.factors(s, u, w)

    def ell(u):
        return composite.ell(s, u, w)

    return {
        "formula": gradient_by_jacobian(composite, s, u, w),
        "by hand": [sum(g[j] * J[j, k] for j in range(2)) for k in range(6)],
        "central differences": central_difference(ell, u),
        "complex step": complex_step(ell, u),
        "autograd": autograd(lambda u: torch_ell(composite, s, u, w), u),
    }


@entry("eq-jac-rows", "identity")
def rows(rng):
    """The gradient is the rows of J weighted by g, added up."""
    composite, s, u, w = smooth_composite(rng)
    g, J = composite.factors(s, u, w)
    return {
        "formula": g[0] * J[0] + g[1] * J[1],
        "autograd": autograd(lambda u: torch_ell(composite, s, u, w), u),
    }


@entry("eq-jac-products", "theorem", TanhActor.jvp, TanhActor.vjp)
def products(rng):
    """A JVP pushes δu forward to Jδu; a VJP pulls g back to Jᵀg."""
    s, u, du, g = (rng.normal(size=size) for size in (3, 6, 6, 2))
    actor = TanhActor(3, 2)

    def along(t):
        return actor.mu(s, u + t * du)

    def weighted(u):
        return g @ actor.mu(s, u)

    pulled = autograd(lambda u: torch.tensor(g) @ torch.tanh(u.reshape(2, 3) @ torch.tensor(s)), u)
    return {
        "formula": np.concatenate([actor.jvp(s, u, du), actor.vjp(s, u, g)]),
        "complex step": np.concatenate([complex_step(along, 0.0), complex_step(weighted, u)]),
        "autograd": np.concatenate([complex_step(along, 0.0), pulled]),
    }


@entry("eq-jac-jvp", "identity", gradient_by_jvp)
def one_component_each(rng):
    """One JVP gives one slope, gᵀ(J e_k)."""
    composite, s, u, w = smooth_composite(rng)
    g, J = composite.factors(s, u, w)
    return {
        "formula": gradient_by_jvp(composite, s, u, w),
        "by hand": J.T @ g,
        "autograd": autograd(lambda u: torch_ell(composite, s, u, w), u),
    }


@entry("eq-jac-batch", "theorem", batch_gradient)
def batch(rng):
    """The gradient of a batch mean is the mean of the products."""
    composite, s, u, w = smooth_composite(rng, batch=(5,))

    def mean_ell(u):
        return composite.ell(s, u, w).mean()

    return {
        "formula": batch_gradient(composite, s, u, w),
        "central differences": central_difference(mean_ell, u),
        "autograd": autograd(lambda u: torch_ell(composite, s, u, w).mean(), u),
    }


@entry("eq-jac-covariance", "identity")
def covariance(rng):
    """Mean of products = product of means + covariance."""
    J, g = rng.normal(size=(7, 2, 3)), rng.normal(size=(7, 2))
    J_bar, g_bar = J.mean(0), g.mean(0)
    together = np.einsum("bmn,bm->n", J - J_bar, g - g_bar) / 7
    return {
        "formula": J_bar.T @ g_bar + together,
        "by hand": sum(J_i.T @ g_i for J_i, g_i in zip(J, g, strict=True)) / 7,
    }


@entry("eq-jac-broadcast", "identity")
def broadcast(rng):
    """With the shapes (B, 1) and (B,) the loss fits every prediction to the mean target."""
    q, y = rng.normal(size=6), rng.normal(size=6)
    return {
        "formula": ((q - y.mean()) ** 2).mean() + ((y - y.mean()) ** 2).mean(),
        "by hand": sum((a - b) ** 2 for a in q for b in y) / 36,
    }


@entry("eq-jac-layer", "theorem", MLP.backward)
def layer(rng):
    """The gradients of a linear layer with respect to its input, weights and bias."""
    x, W, b, G = (rng.normal(size=size) for size in ((5, 3), (3, 2), 2, (5, 2)))

    def parts(theta):
        return theta[:15].reshape(5, 3), theta[15:21].reshape(3, 2), theta[21:]

    def ell(theta):
        x, W, b = parts(theta)
        return ((x @ W + b) * G).sum()

    def torch_sum(theta):
        x, W, b = parts(theta)
        return ((x @ W + b) * torch.tensor(G)).sum()

    theta = np.concatenate([x.ravel(), W.ravel(), b])
    to_params, to_input = MLP((3, 2)).backward([(W, b)], [x], G)
    return {
        "formula": np.concatenate([to_input.ravel(), flatten(to_params)]),
        "by hand": np.concatenate([(G @ W.T).ravel(), (x.T @ G).ravel(), G.sum(0)]),
        "complex step": complex_step(ell, theta),
        "autograd": autograd(torch_sum, theta),
    }


@entry("eq-jac-tanh", "theorem")
def tanh(rng):
    """Through tanh, each unit's gradient is scaled by 1 − h²."""
    z, G = rng.normal(size=(5, 2)), rng.normal(size=(5, 2))
    return {
        "formula": G * (1 - np.tanh(z) ** 2),
        "complex step": complex_step(lambda z: (np.tanh(z) * G).sum(), z),
        "autograd": autograd(lambda z: (torch.tanh(z) * torch.tensor(G)).sum(), z),
    }
