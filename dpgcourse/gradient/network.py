"""Chapter 3: a multilayer perceptron differentiated by hand.

Parameters are a list of ``(W, b)`` with W (in, out) and b (out,); inputs are batches (B, in).
Every array may carry the same leading axes (one network per seed, chapter 10), which matrix
products broadcast over.

A gradient at the output can be pulled back to two places: to the parameters, which is how a network
learns, or to the input, which is how an actor learns through a critic. Each has its method, which
skips what only the other needs; `MLP.backward` does both.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

Params = list[tuple[np.ndarray, np.ndarray]]

# name -> (function of z, which it overwrites; slope written in terms of the output h)
ACTIVATIONS = {
    # Against an array of zeros: NumPy compares two arrays faster than an array and a number.
    "relu": (
        lambda z: np.maximum(z, np.zeros(z.shape, z.dtype), out=z),
        lambda h: (h > 0).astype(h.dtype),
    ),
    "tanh": (lambda z: np.tanh(z, out=z), lambda h: 1 - h**2),
}


class MLP:
    """Fully connected network with a linear last layer.

    Args:
        sizes: (inputs, hidden ..., outputs), at least two positive numbers.
        activation: of the hidden layers, ``"relu"`` or ``"tanh"``.

    Attributes:
        n: number of parameters.

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
        self.n, self._places = 0, []  # where each layer's W and b lie in the flat vector
        for fan_in, fan_out in pairwise(self.sizes):
            end_W = self.n + fan_in * fan_out
            W, b = slice(self.n, end_W), slice(end_W, end_W + fan_out)
            self._places.append((W, (fan_in, fan_out), b))
            self.n = b.stop

    def init(self, rng: np.random.Generator, last_bound: float | None = None) -> Params:
        """Draw all weights and biases, as `initial_parameters` does."""
        return self.unflatten(initial_parameters(list(pairwise(self.sizes)), rng, last_bound))

    def unflatten(self, u: np.ndarray) -> Params:
        """Cut flat vectors u (..., n) into the list of (W, b): views, which move when u moves."""
        u = np.asarray(u)
        if u.ndim == 0 or u.shape[-1] != self.n:
            raise ValueError(f"u has shape {u.shape}; allowed: (..., {self.n})")
        return [
            (u[..., W].reshape(*u.shape[:-1], *shape), u[..., b]) for W, shape, b in self._places
        ]

    def forward(self, params: Params, x) -> tuple[np.ndarray, list[np.ndarray]]:
        """Run the network on a batch.

        Args:
            params: list of (W, b).
            x: (..., B, in).

        Returns:
            The output (..., B, out), and the input of every layer, which the way back needs.
        """
        x = np.asarray(x)
        if x.ndim < 2 or x.shape[-1] != self.sizes[0]:
            raise ValueError(f"x has shape {x.shape}; allowed: (..., B, {self.sizes[0]})")
        inputs, h = [], x
        for i, (W, b) in enumerate(params):
            inputs.append(h)
            h = h @ W
            h += b[..., None, :]
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
        gradient, dz = self._pull(params, inputs, g)
        return self.unflatten(gradient), _times_transposed(dz, params[0][0])

    def parameter_gradient(self, params: Params, inputs: list[np.ndarray], g) -> np.ndarray:
        """Pull g (..., B, out) back to the parameters: flat, (..., n), summed over the batch."""
        return self._pull(params, inputs, g)[0]

    def input_gradient(self, params: Params, inputs: list[np.ndarray], g) -> np.ndarray:
        """Pull g (..., B, out) back to the input, (..., B, in); the parameters get no gradient."""
        *_, (_, dz) = self._way_back(params, inputs, g)
        return _times_transposed(dz, params[0][0])

    def _pull(self, params, inputs, g) -> tuple[np.ndarray, np.ndarray]:
        """The parameters' gradient, flat, and the gradient dz at the first layer's z."""
        dtype = params[0][0].dtype
        gradient = np.empty((*g.shape[:-2], self.n), dtype)
        parts = self.unflatten(gradient)
        ones = np.ones((1, g.shape[-2]), dtype)  # a product with it sums over the batch
        for (dW, db), (x, dz) in zip(parts[::-1], self._way_back(params, inputs, g), strict=True):
            np.matmul(x.mT, dz, out=dW)
            np.matmul(ones, dz, out=db[..., None, :])
        return gradient, dz

    def _way_back(self, params, inputs, g) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """For each layer, the last one first: its input x, and the gradient dz at z = x W + b."""
        dz = g
        for i in reversed(range(len(params))):
            yield inputs[i], dz
            if i > 0:
                dz = _times_transposed(dz, params[i][0])
                dz *= self.slope(inputs[i])  # x left the activation of the layer before


def initial_parameters(
    shapes: list[tuple[int, int]], rng: np.random.Generator, last_bound: float | None = None
) -> np.ndarray:
    """Weights and biases at the start, flat: each layer's W, row by row, and then its b.

    Args:
        shapes: (inputs, outputs) of each layer.
        rng: draws all of them from U(−1/√inputs, 1/√inputs).
        last_bound: if given, the last layer is drawn from U(−last_bound, last_bound) instead.

    Returns:
        float64, (n,).
    """
    bounds = [fan_in**-0.5 for fan_in, _ in shapes]
    if last_bound is not None:
        bounds[-1] = last_bound
    layers = [
        rng.uniform(-bound, bound, (fan_in + 1) * fan_out)
        for (fan_in, fan_out), bound in zip(shapes, bounds, strict=True)
    ]
    return np.concatenate(layers)


def _times_transposed(dz: np.ndarray, W: np.ndarray) -> np.ndarray:
    """The product dz Wᵀ, (..., B, in)."""
    if W.shape[-1] == 1:  # a column times a row: BLAS has no fast product for it
        return dz * W.mT
    return dz @ W.mT


def flatten(params: Params) -> np.ndarray:
    """All weights and biases as vectors (..., n), in the order that `MLP.unflatten` reads."""
    return np.concatenate([p.reshape(*b.shape[:-1], -1) for W, b in params for p in (W, b)], -1)
