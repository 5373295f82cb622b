"""Chapter 11: the actor and the critic in torch.

Parameters carry a leading seeds axis: a weight is (S, in, out), and matrix products broadcast over
it. The code of one network and of ten is therefore the same; S = 1 is a single agent.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from dpgcourse.agent.config import FINAL_BOUND
from dpgcourse.gradient.chain_rule import Squash


class Linear(nn.Module):
    """One affine layer per seed: y = x W + b.

    Args:
        fan_in: inputs.
        fan_out: outputs.
        rngs: one generator per seed; each draws that seed's W and b from U(−bound, bound).
        bound: default 1/√fan_in.
        dtype: of the parameters.
    """

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        rngs: Sequence[np.random.Generator],
        bound: float | None = None,
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__()
        bound = fan_in**-0.5 if bound is None else bound
        drawn = np.stack([rng.uniform(-bound, bound, (fan_in + 1, fan_out)) for rng in rngs])
        self.W = nn.Parameter(torch.tensor(drawn[:, :-1], dtype=dtype))  # (S, in, out)
        self.b = nn.Parameter(torch.tensor(drawn[:, -1:], dtype=dtype))  # (S, 1, out)

    def forward(self, x: Tensor) -> Tensor:
        """Map (S, B, in) to (S, B, out)."""
        return torch.baddbmm(self.b, x, self.W)  # one operation instead of two


def _hidden(sizes, rngs, dtype) -> list[nn.Module]:
    """Affine layers, each with a ReLU behind it."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(sizes):
        layers += [Linear(fan_in, fan_out, rngs, dtype=dtype), nn.ReLU()]
    return layers


def _layers(sizes, rngs, dtype) -> nn.Sequential:
    """Affine layers with ReLU between them; the last one starts near zero."""
    *body, out = sizes
    layers = _hidden(body, rngs, dtype)
    return nn.Sequential(*layers, Linear(body[-1], out, rngs, bound=FINAL_BOUND, dtype=dtype))


class Actor(nn.Module):
    """The policy a = μ(s,u), squashed into the action box.

    Args:
        state_dim: d.
        squash: the box's bounds, (m,).
        hidden: widths of the hidden layers.
        rngs: one generator per seed.
        dtype: of the parameters.
    """

    def __init__(
        self,
        state_dim: int,
        squash: Squash,
        hidden: Sequence[int],
        rngs: Sequence[np.random.Generator],
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__()
        self.layers = _layers((state_dim, *hidden, len(squash.low)), rngs, dtype)
        self.register_buffer("center", torch.tensor(squash.center, dtype=dtype))
        self.register_buffer("half_range", torch.tensor(squash.half_range, dtype=dtype))

    def forward(self, s: Tensor) -> Tensor:
        """Map states (S, B, d) to actions (S, B, m) inside the box."""
        return self.center + self.half_range * torch.tanh(self.layers(s))


class Critic(nn.Module):
    """The action value Q(s,a,w); the action enters beside the state, or in a later layer.

    Args:
        state_dim: d.
        action_dim: m.
        hidden: widths of the hidden layers.
        rngs: one generator per seed.
        dtype: of the parameters.
        action_layer: which layer the action enters, counted from 1.
    """

    def __init__(
        self,
        state_dim: int,
        action_dim: int,
        hidden: Sequence[int],
        rngs: Sequence[np.random.Generator],
        dtype: torch.dtype = torch.float32,
        action_layer: int = 1,
    ):
        super().__init__()
        *alone, joined = (state_dim, *hidden)[:action_layer]
        self.features = nn.Sequential(*_hidden((*alone, joined), rngs, dtype))  # of s alone
        self.layers = _layers((joined + action_dim, *hidden[action_layer - 1 :], 1), rngs, dtype)

    def forward(self, s: Tensor, a: Tensor) -> Tensor:
        """Map states (S, B, d) and actions (S, B, m) to values (S, B)."""
        return self.layers(torch.cat((self.features(s), a), dim=-1)).squeeze(-1)
