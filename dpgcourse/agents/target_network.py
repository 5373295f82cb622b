"""Chapter 11: target networks, slow copies that the critic's target is computed from."""

import torch
from torch import nn


@torch.no_grad()
def polyak_update(target: nn.Module, source: nn.Module, tau: float) -> None:
    """Move a target network toward its source, in place: θ' ← τθ + (1 − τ)θ'.

    A change of the source is half carried over after ln 2 / τ calls.

    Args:
        target: the slow copy, changed.
        source: the network that learns, of the same structure.
        tau: 0 < τ ≤ 1; 1 copies.

    Raises:
        ValueError: tau outside (0, 1].

    Source: Lillicrap et al. (2016), Algorithm 1.
    """
    if not 0 < tau <= 1:
        raise ValueError(f"tau is {tau}; allowed: 0 < tau <= 1")
    torch._foreach_lerp_(list(target.parameters()), list(source.parameters()), tau)
