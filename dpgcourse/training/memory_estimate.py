"""Estimate a run's memory before allocating it."""

import psutil

from dpgcourse.agents.registry import find_algorithm
from dpgcourse.envs.make import VECTORIZED
from dpgcourse.errors import InvalidInputError
from dpgcourse.training.config import TrainConfig

_BYTES_PER_NUMBER = 4  # bytes of a float32
_COPIES_PER_PARAMETER = (
    9  # of all parameters: network, target, two averages of Adam, and temporaries
)
_BYTES_PER_ENV = 40_000  # bytes of one Gymnasium environment with its wrappers and generator
_BYTES_OF_STREAMS = 50_000  # bytes of a seed's random streams


def estimate_memory(config: TrainConfig, state_dim: int, action_dim: int) -> int:
    """Bytes that a run adds to the process: replay, networks, optimizers, batches, environments.

    Made of sizes alone; nothing of it is allocated. Measured peaks lie within a factor of 1.6 and
    30 MB of it. The interpreter and its libraries, about 0.35 GB with torch, come on top.

    Args:
        config: what to train.
        state_dim: d.
        action_dim: m.
    """
    d, m, agent = state_dim, action_dim, config.agent
    S, E = config.num_seeds, config.eval_episodes
    assert config.eval_every is not None
    batch_size = getattr(agent, "batch_size", 1)
    count = getattr(find_algorithm(config.algorithm).import_factory(), "num_parameters", None)
    parameters = count(agent, d, m) if count else 0
    replay = S * min(config.buffer_size or config.steps, config.steps) * (2 * d + m + 2)
    width = 2 * (d + m) + sum(getattr(agent, "hidden_sizes", ()))
    batches = 4 * S * max(batch_size, E, 256) * width  # activations and their gradients
    evaluations = 3 * S * E * (config.steps // config.eval_every + 1)
    environments = _BYTES_OF_STREAMS * S
    if config.env not in VECTORIZED:
        environments += _BYTES_PER_ENV * S * (1 + E)
    numbers = replay + _COPIES_PER_PARAMETER * S * parameters + batches + evaluations
    return _BYTES_PER_NUMBER * numbers + environments


def require_memory(config: TrainConfig, state_dim: int, action_dim: int) -> None:
    """Refuse what will not fit; arguments as for `estimate_memory`.

    Raises:
        InvalidInputError: the estimate exceeds the memory that is available; the message gives
            both.
    """
    needed = estimate_memory(config, state_dim, action_dim)
    available = psutil.virtual_memory().available
    if needed > available:
        raise InvalidInputError(
            f"num_seeds is {config.num_seeds} and steps is {config.steps}, which needs about "
            f"{needed / 2**30:.1f} GiB; allowed: {available / 2**30:.1f} GiB, which is available; "
            "lower num_seeds, steps or buffer_size"
        )
