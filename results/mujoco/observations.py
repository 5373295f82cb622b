"""How large the entries of an observation are, in the tasks of chapter 15.

python results/mujoco/observations.py

writes ``observations.csv``: mean and standard deviation of every entry, over 10,000 steps of
uniformly random actions. That is what the replay holds when learning starts.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dpgcourse.envs.make import make_env

OUT = Path(__file__).with_name("observations.csv")
COLUMNS = ("env", "entry", "mean", "deviation")
ENVS = ("InvertedPendulum-v5", "Hopper-v5", "HalfCheetah-v5")
STEPS = 10_000


def rows(env_name: str, steps: int = STEPS) -> Iterator[tuple[str, int, float, float]]:
    """One row for each entry of the observation, as in `COLUMNS`."""
    env = make_env(env_name)
    env.action_space.seed(0)
    s, _ = env.reset(seed=0)
    seen = []
    for _ in range(steps):
        seen.append(s)
        s, _, terminated, truncated, _ = env.step(env.action_space.sample())
        if terminated or truncated:
            s, _ = env.reset()
    env.close()
    mean, deviation = np.mean(seen, axis=0), np.std(seen, axis=0)
    for entry in range(len(mean)):
        yield env_name, entry, float(mean[entry]), float(deviation[entry])


def main() -> None:
    """Write the table."""
    with OUT.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for env_name in ENVS:
            for name, entry, *numbers in rows(env_name):
                writer.writerow((name, entry, *(f"{x:.5g}" for x in numbers)))


if __name__ == "__main__":
    main()
