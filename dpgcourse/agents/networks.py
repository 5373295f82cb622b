"""Chapter 11: the actor and the critic in torch.

All parameters of a network lie in one array theta (S, n), as by hand (chapter 10), so that an
optimizer and a slow copy move one array. The leading seeds axis is carried by every layer, and
matrix products broadcast over it: the code of one network and of ten is the same.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from dpgcourse.agents.config import FINAL_BOUND
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.gradient.network import initial_parameters


class Network(nn.Module):
    """Affine layers for each seed, the last of which starts near zero.

    Args:
        shapes: (inputs, outputs) of each layer.
        rngs: one generator per seed; each draws that seed's weights and biases, layer by layer,
            from U(−1/√inputs, 1/√inputs), the last layer's from U(−FINAL_BOUND, FINAL_BOUND).
        dtype: of the parameters.

    Attributes:
        theta: for each layer W, row by row, and then b; (S, n).
    """

    def __init__(
        self,
        shapes: Sequence[tuple[int, int]],
        rngs: Sequence[np.random.Generator],
        dtype: torch.dtype,
    ):
        super().__init__()
        self.shapes = list(shapes)
        self._lengths = [length for i, o in self.shapes for length in (i * o, o)]  # W, b, W, b ...
        drawn = np.stack([initial_parameters(self.shapes, rng, FINAL_BOUND) for rng in rngs])
        self.theta = nn.Parameter(torch.tensor(drawn, dtype=dtype))

    def layers(self) -> list[tuple[Tensor, Tensor]]:
        """W (S, in, out) and b (S, 1, out) of each layer: views of theta."""
        parts = iter(self.theta.unsqueeze(1).split(self._lengths, dim=-1))
        return [(next(parts).view(-1, *shape), next(parts)) for shape in self.shapes]


def affine(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """x W + b for each seed: (S, B, in) to (S, B, out)."""
    if W.shape[-1] == 1 < len(W):  # MKL takes its time over many products with one column
        return (x * W.mT).sum(-1, keepdim=True) + b
    return torch.baddbmm(b, x, W)  # one operation instead of two


def apply_relu_layers(x: Tensor, layers: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Pass x (S, B, in) through affine layers, each with a ReLU behind it."""
    for W, b in layers:
        x = torch.relu(affine(x, W, b))
    return x


class Actor(Network):
    """The policy a = μ(s,u), squashed into the action box.

    Args:
        state_dim: d.
        box: the box's bounds, (m,).
        hidden: widths of the hidden layers.
        rngs: one generator per seed.
        dtype: of the parameters.
    """

    center: Tensor
    half_range: Tensor

    def __init__(
        self,
        state_dim: int,
        box: ActionBox,
        hidden: Sequence[int],
        rngs: Sequence[np.random.Generator],
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__(list(pairwise((state_dim, *hidden, len(box.low)))), rngs, dtype)
        for name in ("center", "half_range"):  # the box is the task's, no part of what is learned
            bound = torch.tensor(getattr(box, name), dtype=dtype)
            self.register_buffer(name, bound, persistent=False)

    def forward(self, s: Tensor) -> Tensor:
        """Map states (S, B, d) to actions (S, B, m) inside the box."""
        *hidden, last = self.layers()
        return self.center + self.half_range * torch.tanh(
            affine(apply_relu_layers(s, hidden), *last)
        )


class Critic(Network):
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
        shapes = list(pairwise((state_dim, *hidden, 1)))
        state_layers = action_layer - 1  # these layers see the state without the action
        shapes[state_layers] = (shapes[state_layers][0] + action_dim, shapes[state_layers][1])
        super().__init__(shapes, rngs, dtype)
        self.state_layers = state_layers

    def forward(self, s: Tensor, a: Tensor) -> Tensor:
        """Map states (S, B, d) and actions (S, B, m) to values (S, B)."""
        *hidden, last = self.layers()
        features = apply_relu_layers(s, hidden[: self.state_layers])
        x = apply_relu_layers(torch.cat((features, a), dim=-1), hidden[self.state_layers :])
        return affine(x, *last).squeeze(-1)
