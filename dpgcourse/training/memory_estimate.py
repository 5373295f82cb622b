"""Estimate a run's memory before allocating it."""

from collections.abc import Sequence

import psutil

from dpgcourse.agents.registry import find_algorithm
from dpgcourse.envs.make import VECTORIZED
from dpgcourse.errors import InvalidInputError
from dpgcourse.training.config import TrainConfig

_BYTES_PER_NUMBER = 4  # bytes of a float32
# network, target and two averages of Adam; the same again as it was at the latest evaluation; a
# state that is being made; temporaries
_COPIES_PER_PARAMETER = 16
_COPIES_OF_CHECKPOINT = 2  # of the replay and the parameters, while a file is made of them
_BYTES_PER_ENV = 40_000  # bytes of one Gymnasium environment with its wrappers and generator
_BYTES_OF_STREAMS = 50_000  # bytes of a seed's random streams


def estimate_memory(
    config: TrainConfig, state_dim: int, action_dim: int, recorded: bool = False
) -> int:
    """Bytes that a run adds to the process: replay, networks, optimizers, batches, environments.

    Made of sizes alone; nothing of it is allocated. Measured peaks lie within a factor of 1.6 and
    30 MB of it. The interpreter and its libraries, about 0.35 GB with torch, come on top.

    Args:
        config: what to train.
        state_dim: d.
        action_dim: m.
        recorded: whether checkpoints are written.
    """
    d, m, agent = state_dim, action_dim, config.agent
    S, E = config.num_seeds, config.eval_episodes
    assert config.eval_every is not None
    batch_size = getattr(agent, "batch_size", 1)
    parameters = _num_parameters(config, d, m)
    replay = S * min(config.buffer_size or config.steps, config.steps) * (2 * d + m + 2)
    width = 2 * (d + m) + sum(getattr(agent, "hidden_sizes", ()))
    batches = 4 * S * max(batch_size, E, 256) * width  # activations and their gradients
    evaluations = 3 * S * E * (config.steps // config.eval_every + 1)
    environments = _BYTES_OF_STREAMS * S
    if config.env not in VECTORIZED:
        environments += _BYTES_PER_ENV * S * (1 + E)
    if recorded:
        replay += _COPIES_OF_CHECKPOINT * (replay + 8 * S * parameters)
    numbers = replay + _COPIES_PER_PARAMETER * S * parameters + batches + evaluations
    return _BYTES_PER_NUMBER * numbers + environments


def _num_parameters(config: TrainConfig, state_dim: int, action_dim: int) -> int:
    """Of one agent; 0 for an agent that does not say."""
    count = getattr(find_algorithm(config.algorithm).import_factory(), "num_parameters", None)
    return count(config.agent, state_dim, action_dim) if count else 0


def require_memory_for_agent(
    config: TrainConfig, num_seeds: int, state_dim: int, action_dim: int
) -> None:
    """Refuse agents, made from a file, that will not fit.

    Raises:
        InvalidInputError: the networks and optimizers exceed the memory that is available.
    """
    parameters = _num_parameters(config, state_dim, action_dim)
    needed = _BYTES_PER_NUMBER * _COPIES_PER_PARAMETER * num_seeds * parameters
    if needed > (available := psutil.virtual_memory().available):
        raise InvalidInputError(
            f"{num_seeds} agents of {parameters} parameters each need about "
            f"{needed / 2**30:.1f} GiB; allowed: {available / 2**30:.1f} GiB, which is available"
        )


def require_memory(
    config: TrainConfig, state_dim: int, action_dim: int, recorded: bool = False
) -> None:
    """Refuse what will not fit; arguments as for `estimate_memory`.

    Raises:
        InvalidInputError: the estimate exceeds the memory that is available; the message gives
            both.
    """
    needed = estimate_memory(config, state_dim, action_dim, recorded)
    available = psutil.virtual_memory().available
    if needed > available:
        raise InvalidInputError(
            f"num_seeds is {config.num_seeds} and steps is {config.steps}, which needs about "
            f"{needed / 2**30:.1f} GiB; allowed: {available / 2**30:.1f} GiB, which is available; "
            "lower num_seeds, steps or buffer_size"
        )


def require_memory_together(needed: Sequence[int], jobs: int) -> None:
    """Refuse runs that will not fit beside each other.

    Args:
        needed: bytes of each run, from `estimate_memory`.
        jobs: how many are trained at a time.

    Raises:
        InvalidInputError: the largest of them exceed the memory that is available.
    """
    total, available = sum(sorted(needed)[-jobs:]), psutil.virtual_memory().available
    if total > available:
        raise InvalidInputError(
            f"jobs is {jobs}, and so many runs need about {total / 2**30:.1f} GiB together; "
            f"allowed: {available / 2**30:.1f} GiB, which is available; lower jobs"
        )
