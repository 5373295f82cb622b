"""Chapter 10: Adam and the target network's update in NumPy, in place on one parameter array."""

import numpy as np


class Adam:
    """Gradient steps, each coordinate divided by the recent size of its gradient.

    Args:
        lr: learning rate.
        beta1: decay rate of the mean of gradients.
        beta2: decay rate of the mean of squared gradients.
        eps: added to the divisor.

    Attributes:
        t: number of steps taken.
        mean, square: running means of the gradients and of their squares, of theta's shape.

    Source: Kingma and Ba (2015), Algorithm 1; the defaults are theirs and `torch.optim.Adam`'s.
    """

    def __init__(self, lr: float, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.t = 0
        self.mean: np.ndarray | float = 0.0
        self.square: np.ndarray | float = 0.0

    def descend(self, theta: np.ndarray, gradient: np.ndarray) -> None:
        """Move theta downhill, in place."""
        self.t += 1
        self.mean += (1 - self.beta1) * (gradient - self.mean)
        self.square += (1 - self.beta2) * (gradient**2 - self.square)
        # Both averages started at 0. Dividing them by 1 − β^t corrects for that; it is done to the
        # numbers beside them instead, which takes no pass over the arrays.
        unbias = (1 - self.beta2**self.t) ** 0.5
        lr = self.lr * unbias / (1 - self.beta1**self.t)
        theta -= lr * self.mean / (np.sqrt(self.square) + self.eps * unbias)

    def ascend(self, theta: np.ndarray, gradient: np.ndarray) -> None:
        """Move theta uphill, in place."""
        self.descend(theta, -gradient)


def polyak_update(target: np.ndarray, source: np.ndarray, tau: float) -> None:
    """Move target parameters the share τ of the way to the source, in place."""
    target += tau * (source - target)
