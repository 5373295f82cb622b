"""Chapter 4: the actor's gradient in torch, as the two factors of the chain rule."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def policy_gradient(
    actor: nn.Module, critic: Callable[[Tensor, Tensor], Tensor], s: Tensor
) -> tuple[Tensor, ...]:
    """Gradient with respect to u of the batch mean of Q(s, μ(s,u), w): (1/B) Σ_i J_iᵀ g_i.

    The first factor differentiates Q with respect to the action alone, so the critic's parameters
    w neither move nor collect a gradient. The second pulls that vector back through the actor
    without building J. Leading axes (one agent per seed) are summed over: agents do not interact,
    so each gets its own gradient.

    Args:
        actor: maps states (..., B, d) to actions (..., B, m).
        critic: maps states and actions to values (..., B).
        s: states, (..., B, d).

    Returns:
        The gradient, one tensor per parameter of the actor. Follow it uphill with `ascend`, or give
        its negative to an optimizer that descends.

    Raises:
        ValueError: the critic's values have not one number per state.

    Source: Silver et al. (2014), Eq. 7; Lillicrap et al. (2016), Eq. 6 and Algorithm 1.
    """
    a = actor(s)  # (..., B, m)
    a_fixed = a.detach().requires_grad_()  # a new leaf: the road back to u is cut here
    q = critic(s, a_fixed)  # (..., B)
    if q.shape != s.shape[:-1]:
        raise ValueError(f"critic returned shape {tuple(q.shape)}; allowed: {tuple(s.shape[:-1])}")
    (g,) = torch.autograd.grad(q, a_fixed, torch.ones_like(q))  # ∇_aQ at a = μ(s,u), (..., B, m)
    return torch.autograd.grad(a, tuple(actor.parameters()), grad_outputs=g / s.shape[-2])


def ascend(actor: nn.Module, gradient: tuple[Tensor, ...], optimizer: torch.optim.Optimizer):
    """Take one uphill step. The only minus sign of the actor step is here: optimizers descend."""
    descend(actor, torch._foreach_neg(gradient), optimizer)


def descend(network: nn.Module, gradient: tuple[Tensor, ...], optimizer: torch.optim.Optimizer):
    """Hand a gradient, one tensor per parameter of the network, to the optimizer, and step."""
    for parameter, slope in zip(network.parameters(), gradient, strict=True):
        parameter.grad = slope
    optimizer.step()
