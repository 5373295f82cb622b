"""The front page and chapter 11: a small agent at several stages of its training.

The agent is chapter 10's, with layers of 24 units, so that a page can hold its networks and run
them. The parameters of each stage are rounded to half precision, and the returns are those of the
rounded agents. `dpgcourse.figures.training_stages` reads what is written here.
"""

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np

from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.numpy_ddpg import NumpyDDPG
from dpgcourse.figures.training_stages import FORMAT
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.description import describe
from dpgcourse.training.evaluation import evaluate
from dpgcourse.training.loop import train
from dpgcourse.training.provenance import provenance
from dpgcourse.training.tensor_files import write_tensors

UPDATES = (0, 500, 1000, 2000, 3000, 4000, 8000)  # when the agent is copied
STARTS = 1000  # noiseless episodes behind each mean return
CONFIG = TrainConfig(
    algorithm="numpy-ddpg",
    num_seeds=1,  # seed 0
    steps=9000,
    learning_starts=1000,
    eval_every=500,
    agent=DDPGConfig(hidden_sizes=(24, 24), actor_lr=2e-3, critic_lr=2e-3),
)


def run(config: TrainConfig = CONFIG, updates=UPDATES, starts: int = STARTS) -> dict:
    """Train, and copy the agent after each of these numbers of updates.

    Returns:
        ``updates`` (k,), mean ``returns`` of noiseless episodes (k,), and the parameters of the
        networks in half precision, ``actors`` (k, n) and ``critics`` (k, n').
    """
    found: dict[str, list] = {"updates": [], "returns": [], "actors": [], "critics": []}

    def keep(report):
        done = report.step - config.learning_starts  # one update for each step after those
        if done not in updates:
            return
        agent: NumpyDDPG = copy.deepcopy(report.agent)
        for network, thetas in ((agent.actor, "actors"), (agent.critic, "critics")):
            rounded = network.theta.astype(np.float16)
            network.theta[...] = rounded
            found[thetas].append(rounded[0])
        found["updates"].append(done)
        found["returns"].append(evaluate(agent, config.env, episodes=starts).mean())

    train(config, callback=keep)
    return {name: np.array(values) for name, values in found.items()}


def write(path: Path) -> None:
    """Train, and write the stages with the settings and what they were made with."""
    made = provenance() | {"command": "python results/trained-agent/trained_agent.py"}
    header = {"format": FORMAT, "config": describe(CONFIG), "starts": STARTS, "provenance": made}
    write_tensors(path, run(), header)


def short_run() -> dict:
    """The same with 60 steps, to see whether today's code gives the same numbers."""
    config = replace(CONFIG, steps=60, learning_starts=20, eval_every=20)
    return run(config, updates=(0, 20, 40), starts=10)


if __name__ == "__main__":
    write(Path(__file__).with_name("stages.safetensors"))
