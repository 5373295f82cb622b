"""A run that diverges stops at the step where the first number is no longer one."""

from collections.abc import Sequence

import numpy as np
import torch

LARGEST = float(np.finfo(np.float32).max)  # what the replay and the networks can hold


def require_finite(quantity: str, values, seeds: Sequence[int], step: int) -> None:
    """Check one number or more per seed.

    Args:
        quantity: what the numbers are, for the message.
        values: (S, ...).
        seeds: the S seeds.
        step: environment step at which they appeared.

    Raises:
        FloatingPointError: a number is NaN, infinite or too large for float32; the message names
            the quantity, the first such seed and the step.
    """
    size = np.abs(values)
    if size.max() <= LARGEST:  # false where one of them is NaN
        return
    bad = ~(size.reshape(len(seeds), -1).max(1) <= LARGEST)  # (S,)
    seed = seeds[int(bad.argmax())]
    raise FloatingPointError(
        f"the {quantity} of seed {seed} is no longer finite at step {step}; "
        "lower the learning rates"
    )


def require_finite_parameters(agent, seeds: Sequence[int], step: int) -> None:
    """Check the parameters of actor and critic; raises as `require_finite` does."""
    for name in ("actor", "critic"):
        require_finite(name, parameters(getattr(agent, name)), seeds, step)


def parameters(network) -> np.ndarray:
    """All parameters of a network, in torch or by hand, (S, n)."""
    flat = [torch.as_tensor(p).detach().flatten(1) for p in network.parameters()]
    return torch.cat(flat, dim=1).numpy()
