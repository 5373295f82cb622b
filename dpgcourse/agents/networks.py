"""Chapter 11: the actor and the critic in torch.

All parameters of a network lie in one array theta (S, n), as by hand (chapter 10), so that an
optimizer and a slow copy move one array. The leading seeds axis is carried by every layer, and
matrix products broadcast over it: the code of one network and of ten is the same.
"""

from collections.abc import Sequence
from itertools import pairwise, zip_longest
from typing import ClassVar

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
        normalized: how many layers, from the first on, are normalized (`layer_norm`).

    Attributes:
        theta: for each layer W, row by row, and then b; behind them the gain and the bias of each
            normalized layer; (S, n).
    """

    def __init__(
        self,
        shapes: Sequence[tuple[int, int]],
        rngs: Sequence[np.random.Generator],
        dtype: torch.dtype,
        normalized: int = 0,
    ):
        super().__init__()
        self.shapes = list(shapes)
        widths = [o for _, o in self.shapes[:normalized]]
        drawn = np.stack([initial_parameters(self.shapes, rng, FINAL_BOUND) for rng in rngs])
        start = [np.full((len(drawn), width), value) for width in widths for value in (1.0, 0.0)]
        theta = np.concatenate((drawn, *start), axis=1)
        self.theta = nn.Parameter(torch.tensor(theta, dtype=dtype))
        self._lengths = [length for i, o in self.shapes for length in (i * o, o)]  # W, b, W, b ...
        self._lengths += [width for width in widths for _ in range(2)]  # gain, bias, gain ...
        self._normalized = normalized

    def layers(self) -> list[tuple[Tensor, ...]]:
        """Views of theta for each layer: W (S, in, out) and b (S, 1, out).

        A normalized layer has gain and bias behind them, (S, 1, out) each.
        """
        parts = iter(self.theta.unsqueeze(1).split(self._lengths, dim=-1))
        layers = [(next(parts).view(-1, *shape), next(parts)) for shape in self.shapes]
        norms = [(next(parts), next(parts)) for _ in range(self._normalized)]
        return [(*layer, *norm) for layer, norm in zip_longest(layers, norms, fillvalue=())]


def affine(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """x W + b for each seed: (S, B, in) to (S, B, out)."""
    if W.shape[-1] == 1 < len(W):  # MKL takes its time over many products with one column
        return (x * W.mT).sum(-1, keepdim=True) + b
    return torch.baddbmm(b, x, W)  # one operation instead of two


def layer_norm(z: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
    """gain · (z − mean) / √(variance + 1e-5) + bias, mean and variance over the entries of a row.

    Args:
        z: (S, B, width).
        gain, bias: (S, 1, width).

    Source: Ba, Kiros and Hinton (2016), Eq. 4.
    """
    return bias + gain * nn.functional.layer_norm(z, z.shape[-1:])


def apply_relu_layers(x: Tensor, layers: Sequence[tuple[Tensor, ...]]) -> Tensor:
    """Pass x (S, B, in) through affine layers, normalized where so made, a ReLU behind each."""
    for W, b, *norm in layers:
        z = affine(x, W, b)
        x = torch.relu(layer_norm(z, *norm) if norm else z)
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
    outputs_per_action: ClassVar[int] = 1  # numbers of the last layer for each entry of an action

    def __init__(
        self,
        state_dim: int,
        box: ActionBox,
        hidden: Sequence[int],
        rngs: Sequence[np.random.Generator],
        dtype: torch.dtype = torch.float32,
    ):
        outputs = self.outputs_per_action * len(box.low)
        super().__init__(list(pairwise((state_dim, *hidden, outputs))), rngs, dtype)
        for name in ("center", "half_range"):  # the box is the task's, no part of what is learned
            bound = torch.tensor(getattr(box, name), dtype=dtype)
            self.register_buffer(name, bound, persistent=False)

    def forward(self, s: Tensor) -> Tensor:
        """Map states (S, B, d) to actions (S, B, m) inside the box."""
        *hidden, last = self.layers()
        return self.center + self.half_range * torch.tanh(
            affine(apply_relu_layers(s, hidden), *last)
        )


def critic_shapes(
    state_dim: int, action_dim: int, hidden: Sequence[int], action_layer: int
) -> list[tuple[int, int]]:
    """(inputs, outputs) of a critic's layers; arguments as for `Critic`."""
    shapes = list(pairwise((state_dim, *hidden, 1)))
    inputs, outputs = shapes[action_layer - 1]
    shapes[action_layer - 1] = (inputs + action_dim, outputs)
    return shapes


class Critic(Network):
    """The action value Q(s,a,w); the action enters beside the state, or in a later layer.

    Args:
        state_dim: d.
        action_dim: m.
        hidden: widths of the hidden layers.
        rngs: one generator per seed.
        dtype: of the parameters.
        action_layer: which layer the action enters, counted from 1.
        layer_norm: whether each hidden layer is normalized before its ReLU.
    """

    def __init__(
        self,
        state_dim: int,
        action_dim: int,
        hidden: Sequence[int],
        rngs: Sequence[np.random.Generator],
        dtype: torch.dtype = torch.float32,
        action_layer: int = 1,
        layer_norm: bool = False,
    ):
        shapes = critic_shapes(state_dim, action_dim, hidden, action_layer)
        super().__init__(shapes, rngs, dtype, len(hidden) if layer_norm else 0)
        self.state_layers = action_layer - 1  # these layers see the state without the action

    def forward(self, s: Tensor, a: Tensor) -> Tensor:
        """Map states (S, B, d) and actions (S, B, m) to values (S, B)."""
        *hidden, last = self.layers()
        features = apply_relu_layers(s, hidden[: self.state_layers])
        x = apply_relu_layers(torch.cat((features, a), dim=-1), hidden[self.state_layers :])
        return affine(x, *last).squeeze(-1)
