"""Chapter 3: a multilayer perceptron differentiated by hand.

Parameters are a list of ``(W, b)`` with W (in, out) and b (out,); inputs are batches (B, in).
Every array may carry the same leading axes (one network per seed, chapter 10), which matrix
products broadcast over.
"""

from itertools import pairwise

import numpy as np

Params = list[tuple[np.ndarray, np.ndarray]]

# name -> (function of z, slope written in terms of the output h)
ACTIVATIONS = {
    "relu": (lambda z: np.maximum(z, 0), lambda h: (h > 0).astype(h.dtype)),
    "tanh": (np.tanh, lambda h: 1 - h**2),
}


class MLP:
    """Fully connected network with a linear last layer.

    Args:
        sizes: (inputs, hidden ..., outputs), at least two positive numbers.
        activation: of the hidden layers, ``"relu"`` or ``"tanh"``.

    Raises:
        ValueError: sizes or activation not allowed; an input without the right last axis.
    """

    def __init__(self, sizes: tuple[int, ...], activation: str = "relu"):
        if len(sizes) < 2 or any(size < 1 for size in sizes):
            raise ValueError(f"sizes is {sizes}; allowed: two or more positive numbers")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation is {activation!r}; allowed: {sorted(ACTIVATIONS)}")
        self.sizes = tuple(sizes)
        self.function, self.slope = ACTIVATIONS[activation]

    @property
    def n(self) -> int:
        """Number of parameters."""
        return sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(self.sizes))

    def init(self, rng: np.random.Generator) -> Params:
        """Draw every weight and bias from U(−1/√fan_in, 1/√fan_in), float64."""
        params = []
        for fan_in, fan_out in pairwise(self.sizes):
            bound = fan_in**-0.5
            W = rng.uniform(-bound, bound, (fan_in, fan_out))
            params.append((W, rng.uniform(-bound, bound, fan_out)))
        return params

    def unflatten(self, u: np.ndarray) -> Params:
        """Cut the flat vector u (n,) into the list of (W, b)."""
        u = np.asarray(u)
        if u.shape != (self.n,):
            raise ValueError(f"u has shape {u.shape}; allowed: ({self.n},)")
        params, start = [], 0
        for fan_in, fan_out in pairwise(self.sizes):
            end_W, end_b = start + fan_in * fan_out, start + (fan_in + 1) * fan_out
            params.append((u[start:end_W].reshape(fan_in, fan_out), u[end_W:end_b]))
            start = end_b
        return params

    def forward(self, params: Params, x) -> tuple[np.ndarray, list[np.ndarray]]:
        """Run the network on a batch.

        Args:
            params: list of (W, b).
            x: (..., B, in).

        Returns:
            The output (..., B, out), and the input of every layer, which `backward` needs.
        """
        x = np.asarray(x)
        if x.ndim < 2 or x.shape[-1] != self.sizes[0]:
            raise ValueError(f"x has shape {x.shape}; allowed: (..., B, {self.sizes[0]})")
        inputs, h = [], x
        for i, (W, b) in enumerate(params):
            inputs.append(h)
            h = h @ W + b[..., None, :]
            if i < len(params) - 1:
                h = self.function(h)
        return h, inputs

    def backward(self, params: Params, inputs: list[np.ndarray], g) -> tuple[Params, np.ndarray]:
        """Pull a gradient back through the network: the vector-Jacobian products of both kinds.

        Args:
            params: list of (W, b).
            inputs: from `forward`.
            g: gradient with respect to the output, (..., B, out).

        Returns:
            Gradient with respect to the parameters, summed over the batch, shaped like params;
            gradient with respect to the input, (..., B, in).
        """
        grads = []
        for i in reversed(range(len(params))):
            (W, _), x = params[i], inputs[i]
            grads.append((x.swapaxes(-1, -2) @ g, g.sum(-2)))
            g = g @ W.swapaxes(-1, -2)  # gradient with respect to x
            if i > 0:
                g = g * self.slope(x)  # x left the activation of the layer before
        return grads[::-1], g


def flatten(params: Params) -> np.ndarray:
    """All weights and biases as one vector (n,), in the order that `MLP.unflatten` reads."""
    return np.concatenate([part.ravel() for layer in params for part in layer])
