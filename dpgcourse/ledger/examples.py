"""Examples that the entries of several chapters draw, and the routes that they share."""

from collections.abc import Callable

import numpy as np
import torch

from dpgcourse.gradient.composite import Composite, SineCritic, TanhActor


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


def torch_ell(composite: Composite, s, u: torch.Tensor, w) -> torch.Tensor:
    """The composite of `smooth_composite`, written anew in PyTorch; shape (...)."""
    s, w = torch.as_tensor(s), torch.as_tensor(w)
    alpha, beta, phi = (
        torch.as_tensor(getattr(composite.critic, x)) for x in ("alpha", "beta", "phi")
    )
    a = torch.tanh(s @ u.reshape(2, 3).T)
    return torch.sin(s @ alpha.T + a @ beta.T + phi) @ w


def autograd(f: Callable[[torch.Tensor], torch.Tensor], x) -> np.ndarray:
    """Gradient of a scalar function of a float64 tensor at x, of x's shape, by PyTorch."""
    x = torch.tensor(np.asarray(x, dtype=np.float64), requires_grad=True)
    return torch.autograd.grad(f(x), x)[0].numpy()
