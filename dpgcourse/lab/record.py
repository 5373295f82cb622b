"""A training run on disk: a folder that a reader can open without this package.

| file | holds |
|---|---|
| ``config.json`` | the configuration, as asked for |
| ``returns.csv`` | one row per seed, evaluation and episode: seed, step, episode, return |
| ``log.csv`` | one row per seed and evaluation: seed, step, then what `diagnostics` measured |
| ``actor.safetensors`` | the actors of all seeds after the latest evaluation, theta (S, n) |
| ``learning_curve.png`` | every seed, their mean and its 95% interval |

All but the picture are brought up to date at every evaluation, so an interrupted run keeps what it
had. Weights are stored without pickle: opening a record runs no code.
"""

import csv
import dataclasses
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load, save

from dpgcourse.agent.by_hand import DDPGByHand
from dpgcourse.agent.ddpg import DDPGAgent, DDPGConfig
from dpgcourse.agent.seeding import streams
from dpgcourse.gradient.chain_rule import Squash
from dpgcourse.lab.env import make_env
from dpgcourse.lab.methods import METHODS
from dpgcourse.lab.train import TrainConfig

COLUMNS = ("seed", "step", "episode", "return")


class RecordWriter:
    """Writes a record; pass it to `train` as ``on_evaluation``, and its `log` as ``on_log``.

    Args:
        folder: created, with its parents.
        config: what is being trained.

    Raises:
        ValueError: the folder exists and is not empty, or is a file. Nothing is overwritten.
    """

    def __init__(self, folder: Path, config: TrainConfig):
        self.folder, self.config = Path(folder), config
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise ValueError(f"out is {str(folder)!r}, which exists; allowed: a new folder")
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(dataclasses.asdict(config), indent=2)
        (self.folder / "config.json").write_text(text + "\n")
        with open(self.folder / "returns.csv", "w", newline="") as file:
            csv.writer(file).writerow(COLUMNS)

    def log(self, step: int, quantities: dict[str, np.ndarray]) -> None:
        """Append what was logged at one evaluation, (S,) each."""
        path = self.folder / "log.csv"
        new = not path.exists()
        with open(path, "a", newline="") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(("seed", "step", *quantities))
            for i, seed in enumerate(self.config.seed_list):
                values = (f"{values[i]:.6g}" for values in quantities.values())
                writer.writerow((seed, step, *values))

    def __call__(self, step: int, returns: np.ndarray, agent) -> None:
        """Append one evaluation (S, E) and replace the stored actors."""
        with open(self.folder / "returns.csv", "a", newline="") as file:
            writer = csv.writer(file)
            for seed, episodes in zip(self.config.seed_list, returns, strict=True):
                writer.writerows(
                    (seed, step, i, round(float(value), 4)) for i, value in enumerate(episodes)
                )
        state = agent.actor.state_dict().items()
        arrays = {name: np.ascontiguousarray(value) for name, value in state}
        partial = self.folder / "actor.safetensors.partial"
        partial.write_bytes(save(arrays))
        os.replace(partial, self.folder / "actor.safetensors")  # whole or not at all


@dataclasses.dataclass(frozen=True)
class Record:
    """A record read back.

    Attributes:
        config: what was trained.
        steps: environment steps at each evaluation, (k,).
        returns: return of every evaluation episode, (k, S, E).
        log: name of a logged quantity -> its values, (k, S); empty in a record without a log.
        agent: the agents, one per seed, with the stored actors; their critics are untrained.
    """

    config: TrainConfig
    steps: np.ndarray
    returns: np.ndarray
    log: dict[str, np.ndarray]
    agent: DDPGAgent | DDPGByHand

    @property
    def actor(self):
        """The stored policies, one per seed."""
        return self.agent.actor


def read_record(folder: Path) -> Record:
    """Read a record.

    Raises:
        ValueError: the folder is not a record, or a file in it cannot be read; the message names
            the file.
    """
    folder = Path(folder)
    with _reading(folder / "config.json") as path:
        fields = json.loads(path.read_text())
        agent = fields.pop("agent")
        agent["hidden"] = tuple(agent["hidden"])
        config = TrainConfig(**fields, agent=DDPGConfig(**agent))
    with _reading(folder / "returns.csv") as path, open(path, newline="") as file:
        rows = list(csv.DictReader(file))
        shape = (-1, config.seeds, config.eval_episodes)
        steps = np.array([int(row["step"]) for row in rows]).reshape(shape)[:, 0, 0]
        returns = np.array([float(row["return"]) for row in rows]).reshape(shape)
        if not rows:
            raise ValueError("it holds no evaluation")
    log = {}
    if (folder / "log.csv").exists():
        with _reading(folder / "log.csv") as path, open(path, newline="") as file:
            places = [(step, seed) for step in steps for seed in config.seed_list]
            rows = list(csv.DictReader(file))[: len(places)]  # interrupted, it may be ahead
            if [(int(row["step"]), int(row["seed"])) for row in rows] != places:
                raise ValueError("its seeds and steps are not those of returns.csv")
            names = [name for name in rows[0] if name not in ("seed", "step")]
            shape = (len(steps), config.seeds)
            log = {n: np.array([float(row[n]) for row in rows]).reshape(shape) for n in names}
    with _reading(folder / "actor.safetensors") as path:
        agent = _untrained(config)
        arrays = load(path.read_bytes())
        agent.actor.load_state_dict({k: torch.from_numpy(v) for k, v in arrays.items()})
    return Record(config, steps, returns, log, agent)


@contextmanager
def _reading(path: Path) -> Iterator[Path]:
    """Turn whatever a damaged file causes into one error that names the file."""
    try:
        yield path
    except FileNotFoundError:
        raise ValueError(
            f"{str(path.parent)!r} is not a record with an evaluation: {path.name} is missing"
        ) from None
    except (
        AttributeError,
        IndexError,
        KeyError,
        OSError,
        RuntimeError,
        SafetensorError,
        TypeError,
        ValueError,
    ) as error:
        raise ValueError(f"{str(path)!r} cannot be read: {error}") from None


def _untrained(config: TrainConfig) -> DDPGAgent | DDPGByHand:
    env = make_env(config.env)
    squash = Squash(env.action_space.low, env.action_space.high)
    (state_dim,) = env.observation_space.shape
    env.close()
    rngs = streams(config.seed_list)
    return METHODS[config.method](config.agent, state_dim, squash, rngs)
