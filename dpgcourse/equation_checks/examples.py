"""Random examples for the entries of several chapters, and routes that they share."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch

from dpgcourse.gradient.composite import (
    Composite,
    LinearActor,
    QuadraticCritic,
    SineCritic,
    TanhActor,
)

# The running example: a = us, Q = −(a − ws)², and the point (s, u, w) where a = 1.
PAIR = Composite(LinearActor(1, 1), QuadraticCritic(1, 1))
S, U, W = np.array([2.0]), np.array([0.5]), np.array([1.5])


def smooth_composite(rng: np.random.Generator, batch: tuple[int, ...] = ()):
    """A tanh actor before a critic of sines, d = 3, m = 2, n = 6, with a point (s, u, w).

    Args:
        rng: source of the numbers.
        batch: leading axes of s.

    Returns:
        ``(composite, s, u, w)`` with s of shape (*batch, 3), u (6,) and w (4,).
    """
    critic = SineCritic(rng.normal(size=(4, 3)), rng.normal(size=(4, 2)), rng.normal(size=4))
    composite = Composite(TanhActor(3, 2), critic)
    return composite, rng.normal(size=(*batch, 3)), rng.normal(size=6), rng.normal(size=4)


def scalar_composite(rng: np.random.Generator):
    """The same with one number for state, action and actor: s (1,), u (1,), w (4,).

    The actor is not saturated, and all sines rise with the action, so that no slope is near zero.
    """
    alpha, beta = rng.uniform(-0.3, 0.3, (4, 1)), rng.uniform(0.5, 0.8, (4, 1))
    composite = Composite(TanhActor(1, 1), SineCritic(alpha, beta, rng.uniform(-0.5, 0.5, 4)))
    return composite, rng.uniform(0.8, 1.2, 1), rng.uniform(0.3, 0.8, 1), rng.uniform(1, 2, 4)


def torch_ell(composite: Composite, s, u: torch.Tensor, w) -> torch.Tensor:
    """ℓ(u) of `smooth_composite` or `scalar_composite`, written again in PyTorch; shape (...)."""
    s, w = torch.as_tensor(s), torch.as_tensor(w)
    alpha, beta, phi = (
        torch.as_tensor(getattr(composite.critic, x)) for x in ("alpha", "beta", "phi")
    )
    a = torch.tanh(s @ u.reshape(beta.shape[1], alpha.shape[1]).T)
    return torch.sin(s @ alpha.T + a @ beta.T + phi) @ w


def autograd(f: Callable[[torch.Tensor], torch.Tensor], x) -> np.ndarray:
    """Gradient of a scalar function of a float64 tensor at x, of x's shape, by PyTorch."""
    x = torch.tensor(np.asarray(x, dtype=np.float64), requires_grad=True)
    return torch.autograd.grad(f(x), x)[0].numpy()


def extrapolate(f: Callable[[float], np.ndarray], h: float = 0.1, levels: int = 6) -> np.ndarray:
    """The limit of f(h) as h → 0: values at h, h/2, h/4, ..., extrapolated by polynomials in h."""
    values = [np.asarray(f(h / 2**k)) for k in range(levels)]
    for j in range(1, levels):
        values = [(2**j * fine - coarse) / (2**j - 1) for coarse, fine in pairwise(values)]
    return values[0]
