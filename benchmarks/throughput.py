"""Agent-steps per second of this package, of other libraries and of plain loops.

The contenders (`benchmarks.contenders`) take turns in one process and on one core, round after
round, so that whatever else the machine does falls on all of them; every ratio is taken within a
round.

    make bench        on Pendulum, beside Stable-Baselines3 and a plain PyTorch loop
    make bench-all    beside JAX as well, and on HalfCheetah
"""

import argparse
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping

import stable_baselines3
import torch
from torch._inductor.utils import fresh_cache

from benchmarks import contenders
from benchmarks.contenders import HALF_CHEETAH, Contender, one_jax_program, ours, plain_loop
from benchmarks.matrix_products import print_matrix_products
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.numpy_ddpg import NumpyDDPG
from dpgcourse.training.loop import train
from dpgcourse.training.study import run_study

PEER = "Stable-Baselines3"
LEARNED = -400.0  # mean return; random actions have about -1200
PLAIN = "plain PyTorch loop"
JAX = "JAX, one program, 10 seeds"


def pendulum_contenders(jax: bool) -> dict[str, Contender]:
    """Who trains on Pendulum."""
    found = {
        PEER: contenders.stable_baselines3(stable_baselines3),
        PLAIN: plain_loop(),
        "torch, 1 seed": ours(DDPG, 1),
        "torch, 1 seed, compiled": ours(DDPG, 1, compiled=True),
        "torch, 10 seeds": ours(DDPG, 10),
        "torch, 10 seeds, compiled": ours(DDPG, 10, compiled=True),
        "NumPy, 1 seed": ours(NumpyDDPG, 1),
        "NumPy, 10 seeds": ours(NumpyDDPG, 10),
    }
    if jax:
        import sbx

        found["SBX, 1 seed"] = contenders.stable_baselines3(sbx)
        found["JAX, one program, 1 seed"] = one_jax_program(1)
        found[JAX] = one_jax_program(10)
    return found


def half_cheetah_contenders() -> dict[str, Contender]:
    """Who trains on HalfCheetah, 256×256, batches of 256."""
    return {
        PLAIN: plain_loop(HALF_CHEETAH),
        "torch": ours(DDPG, 1, task=HALF_CHEETAH),
        "torch, compiled": ours(DDPG, 1, compiled=True, task=HALF_CHEETAH),
        "NumPy": ours(NumpyDDPG, 1, task=HALF_CHEETAH),
    }


def compare(
    title: str, runs: Mapping[str, Callable[[], float]], reference: str, rounds: int
) -> None:
    """Print what each run gives, in turns, and its ratio to the reference within a round."""
    turns = [{name: run() for name, run in runs.items()} for _ in range(rounds)]
    print(f"\n{title}, and ratios to {reference}")
    print(f"{'':30}{'median':>9}{'ratio':>9}{'lowest':>9}{'highest':>9}")
    for name in runs:
        ratios = [turn[name] / turn[reference] for turn in turns]
        print(
            f"{name:30}{statistics.median(turn[name] for turn in turns):9.1f}"
            f"{statistics.median(ratios):9.2f}{min(ratios):9.2f}{max(ratios):9.2f}",
            flush=True,
        )


def rates(runs: Mapping[str, Contender], updates: int) -> dict[str, Callable[[], float]]:
    """The contenders with their number of updates."""
    return {name: lambda run=run: run(updates) for name, run in runs.items()}


def whole_training(agent_class: type, steps: int, compiled: bool = False) -> float:
    """Seconds of ten seeds on Pendulum, with an evaluation of five episodes every 1,000 steps."""
    torch._dynamo.reset()
    with fresh_cache():  # else the machine code of an earlier round is found on the disk
        start = time.perf_counter()
        run = train(
            algorithm=agent_class,
            num_seeds=10,
            steps=1000 + steps,
            learning_starts=1000,
            eval_every=1000,
            eval_episodes=5,
            compile=compiled,
        )
        seconds = time.perf_counter() - start
    require_learned(run.final_returns)
    return seconds


def require_learned(returns) -> None:
    """A contender that does not learn is none."""
    assert statistics.median(map(float, returns)) > LEARNED, returns


def whole_jax_training(steps: int) -> float:
    """The same in one JAX program, with its compilation."""
    import jax

    from benchmarks.jax_loop import train_in_one_program

    jax.clear_caches()
    start = time.perf_counter()
    _, _, returns = train_in_one_program(10, 1000, steps, eval_every=1000, eval_episodes=5)
    seconds = time.perf_counter() - start
    require_learned(returns)
    return seconds


def study_seconds(jobs: int, steps: int) -> float:
    """Seconds of a study of two runs of one seed on HalfCheetah, in this many processes."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        run_study(
            f"{folder}/study",
            envs=[HALF_CHEETAH.env],
            vary={"tau": [0.01, 0.02]},
            jobs=jobs,
            num_seeds=1,
            steps=steps,
            learning_starts=HALF_CHEETAH.learning_starts,
            eval_every=steps,
            eval_episodes=1,
            hidden_sizes=HALF_CHEETAH.config.hidden_sizes,
            batch_size=HALF_CHEETAH.batch_size,
        )
        return time.perf_counter() - start


def main() -> None:
    """Run all contenders in turns and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="turns of every contender")
    parser.add_argument("--updates", type=int, default=1000, help="timed updates in a turn")
    parser.add_argument("--all", action="store_true", help="JAX and HalfCheetah as well")
    arguments = parser.parse_args()
    rounds, updates = arguments.rounds, arguments.updates
    torch.set_num_threads(1)
    logging.getLogger("torch._logging").setLevel(logging.ERROR)
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})  # JAX has threads of its own, whatever it is told

    runs = rates(pendulum_contenders(arguments.all), updates)
    compare("Pendulum, agent-steps per second", runs, PEER, rounds)
    if arguments.all:
        steps = 20_000
        compare(
            f"Pendulum, ten seeds, {steps:,} updates with evaluations, seconds with compilation",
            {
                "NumPy": lambda: whole_training(NumpyDDPG, steps),
                "torch, compiled": lambda: whole_training(DDPG, steps, compiled=True),
                JAX: lambda: whole_jax_training(steps),
            },
            JAX,
            min(rounds, 3),
        )
        runs = rates(half_cheetah_contenders(), updates // 2)
        compare("HalfCheetah, agent-steps per second", runs, PLAIN, rounds)
        os.sched_setaffinity(0, cores)
        compare(
            "HalfCheetah, a study of two runs, seconds",
            {
                f"{jobs} process{'es' * (jobs > 1)}": lambda jobs=jobs: study_seconds(jobs, 12_000)
                for jobs in (1, 2)
            },
            "2 processes",
            min(rounds, 3),
        )
    print_matrix_products()


if __name__ == "__main__":
    main()
