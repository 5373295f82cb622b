"""How much memory a run will take, told before it takes any."""

from itertools import pairwise
from typing import TYPE_CHECKING

import psutil

from dpgcourse.agent.by_hand import DDPGByHand
from dpgcourse.agent.td3 import TD3Agent
from dpgcourse.lab.env import VECTORIZED, make_env
from dpgcourse.lab.methods import METHODS

if TYPE_CHECKING:  # `train` asks here before it begins
    from dpgcourse.lab.train import TrainConfig

NUMBER = 4  # bytes of a float32
COPIES = 9  # of all parameters: network, target, two averages of Adam, and what is in flight
ENVIRONMENT = 40_000  # bytes of one Gymnasium environment with its wrappers and generator
GENERATORS = 50_000  # bytes of a seed's random streams


def estimate_memory(config: "TrainConfig") -> int:
    """Bytes that a run adds to the process: replay, networks, optimizers, batches, environments.

    Made of sizes alone; nothing of it is allocated. Measured peaks lie within a factor of 1.6 and
    30 MB of it. The interpreter and its libraries, about 0.35 GB with torch, come on top.
    """
    env = make_env(config.env)
    (d,), (m,) = env.observation_space.shape, env.action_space.shape
    env.close()
    hidden, method = config.agent.hidden, METHODS[config.method]
    S, E, B = config.seeds, config.eval_episodes, config.agent.batch_size
    critics = 2 if issubclass(method, TD3Agent) else 1
    replay = S * min(config.capacity or config.steps, config.steps) * (2 * d + m + 2)
    actor, critic = _parameters((d, *hidden, m)), _parameters((d + m, *hidden, 1))
    networks = COPIES * S * (actor + critics * critic)
    width = 2 * (d + m) + sum(hidden)
    batches = 4 * S * max(B, E, 256) * width  # activations and what is pulled back
    evaluations = 3 * S * E * (config.steps // config.eval_every)
    environments = GENERATORS * S
    if config.env not in VECTORIZED:
        environments += ENVIRONMENT * S * (1 + E)
    if method is DDPGByHand:
        networks += S * (actor + critic)  # its Adam averages and steps are new arrays every time
    return NUMBER * (replay + networks + batches + evaluations) + environments


def _parameters(sizes: tuple[int, ...]) -> int:
    return sum((i + 1) * o for i, o in pairwise(sizes))


def require_memory(config: "TrainConfig") -> None:
    """Refuse what will not fit.

    Raises:
        ValueError: the estimate exceeds the memory that is available; the message gives both.
    """
    needed, available = estimate_memory(config), psutil.virtual_memory().available
    if needed > available:
        raise ValueError(
            f"seeds is {config.seeds} and steps is {config.steps}, which needs about "
            f"{needed / 2**30:.1f} GiB; allowed: {available / 2**30:.1f} GiB, which is available; "
            "lower seeds, steps or capacity"
        )
