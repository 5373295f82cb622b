"""Stop a run at the first NaN or infinite value, and say where it came from."""

from collections.abc import Sequence

import numpy as np

_MAX_FLOAT32 = float(np.finfo(np.float32).max)  # what the replay buffer and the networks can hold

FROM_ENVIRONMENT = "the environment returned it"
FROM_INITIAL_POLICY = "nothing has been learned yet, so look at the initial policy"
FROM_UPDATES = "the updates diverge; lower the learning rates, or set normalize_observations"


class DivergenceError(FloatingPointError):
    """A number of a run is NaN, infinite, or too large for float32."""


def require_finite(quantity: str, values, seeds: Sequence[int], step: int, cause: str) -> None:
    """Check one number or more per seed.

    Args:
        quantity: what the numbers are, for the message.
        values: (S, ...).
        seeds: the S seeds.
        step: environment step at which they appeared.
        cause: where they come from, for the message.

    Raises:
        DivergenceError: a number is NaN, infinite or too large for float32; the message names the
            quantity, the first such seed, the step and the cause.
    """
    size = np.abs(values)
    if size.max() <= _MAX_FLOAT32:  # false where one of them is NaN
        return
    size = size.reshape(len(seeds), -1)
    row, column = np.argwhere(~(size <= _MAX_FLOAT32))[0]
    value = np.reshape(values, size.shape)[row, column]
    raise DivergenceError(
        f"the {quantity} of seed {seeds[row]} is {value:g} at step {step}, which is not a finite "
        f"number: {cause}"
    )
