"""What one step costs on MuJoCo's tasks: the environment alone, and a whole step of each agent.

One seed, one thread, hidden layers of 256 and 256, batches of 256, as in most published runs.
Prints the medians in microseconds as JSON; `book/published.ipynb` reads them.

    .venv/bin/python -m benchmarks.step_cost "AMD EPYC (Zen 5)" > results/mujoco/step_cost.json
"""

import argparse
import json
import logging
import platform
import statistics
import time
from collections.abc import Callable

import gymnasium
import mujoco
import numpy as np
import torch

from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.numpy_ddpg import NumpyDDPG
from dpgcourse.agents.td3 import TD3
from dpgcourse.envs.make import make_vector_env
from dpgcourse.training.config import make_config
from dpgcourse.training.loop import check_config, one_thread
from dpgcourse.training.training_state import TrainingState

TASKS = ("InvertedPendulum", "Hopper", "Walker2d", "HalfCheetah", "Ant")
AGENTS = {"DDPG, NumPy": NumpyDDPG, "DDPG, torch": DDPG, "TD3, torch": TD3}  # torch: compiled
NETWORKS = {"hidden_sizes": (256, 256), "batch_size": 256}
RANDOM_STEPS, WARM_UP, TIMED = 300, 30, 400


def median_us(call: Callable[[], object], times: int) -> float:
    """Median of the microseconds that a call takes."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return round(1e6 * statistics.median(taken), 1)


def environment_us(env: str) -> float:
    """One step of the environment under random actions, and now and then a new episode."""
    envs, rng = make_vector_env(env, 1), np.random.default_rng(0)
    envs.reset(seed=0)
    low, high = envs.single_action_space.low, envs.single_action_space.high

    def step():
        _, _, terminated, truncated, _ = envs.step(rng.uniform(low, high)[None].astype(low.dtype))
        if ended := (terminated | truncated):
            envs.reset(options={"reset_mask": ended})

    taken = median_us(step, 2000)
    envs.close()
    return taken


def step_us(env: str, agent_class: type, seeds: int = 1) -> float:
    """One step of all seeds: environments, exploration, replay and update."""
    config = make_config(
        env,
        agent_class,
        num_seeds=seeds,
        steps=10 * (RANDOM_STEPS + TIMED),
        learning_starts=RANDOM_STEPS,
        compile=agent_class is not NumpyDDPG,
        **NETWORKS,
    )
    with TrainingState(config, *check_config(config)) as state:
        for _ in range(RANDOM_STEPS + WARM_UP):
            state.advance()
        return median_us(state.advance, TIMED)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("processor", help="its name, for the record")
    arguments = parser.parse_args()
    logging.getLogger("torch._logging").setLevel(logging.ERROR)
    measured: dict[str, dict[str, float]] = {}
    with one_thread():
        for task in TASKS:
            env = f"{task}-v5"
            measured[task] = {"environment": environment_us(env)}
            for name, agent_class in AGENTS.items():
                measured[task][name] = step_us(env, agent_class)
        ten = {name: step_us("Hopper-v5", agent, 10) for name, agent in AGENTS.items()}
    modules = {m.__name__: m.__version__ for m in (torch, np, gymnasium, mujoco)}
    print(
        json.dumps(
            {
                **NETWORKS,
                "microseconds of a step of one seed": measured,
                "microseconds of a step of ten seeds, Hopper": ten,
                "versions": {"python": platform.python_version(), **modules},
                "processor": arguments.processor,
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
