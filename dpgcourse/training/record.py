"""A training run on disk: a folder that a reader can open without this package.

| file | holds |
|---|---|
| ``config.json`` | the configuration, and the sizes and bounds of states and actions |
| ``provenance.json`` | versions, git state, machine, command and time |
| ``returns.csv`` | one row per seed, evaluation and episode: seed, step, episode, return |
| ``log.csv`` | one row per seed and evaluation: seed, step, then the names of `QUANTITIES` |
| ``policy.safetensors`` | the agents' `policy_state` after the latest evaluation, seeds first |
| ``README.md`` | what each file and each column is |

The command line adds ``learning_curve.png``, and ``tensorboard=True`` a folder ``tensorboard``.

A run that stops before its first evaluation leaves no folder. A run that stops later keeps all
evaluations so far. Opening a record from someone else runs none of their code: weights are stored
without pickle, and reading imports no module and makes no environment.
"""

import csv
import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors

from dpgcourse.agents.base import Agent
from dpgcourse.agents.normalization import NormalizedObservations
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.registry import Algorithm, find_algorithm, make_agent
from dpgcourse.errors import InvalidInputError
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.record_writer import FORMAT


@dataclasses.dataclass(frozen=True)
class Record:
    """A record read back.

    Attributes:
        folder: where it was read.
        config: what was trained; its algorithm is known to this process.
        steps: environment steps at each evaluation, (k,).
        returns: undiscounted return of every evaluation episode, (k, S, E).
        log: name of a logged quantity -> its values, (k, S); empty in a record without a log.
        policy_state: the stored arrays, seeds in the first axis.
        state_dim: length of a state.
        box: bounds of the actions.
    """

    folder: Path
    config: TrainConfig
    steps: np.ndarray
    returns: np.ndarray
    log: dict[str, np.ndarray]
    policy_state: dict[str, np.ndarray]
    state_dim: int
    box: ActionBox

    @cached_property
    def agent(self) -> Agent:
        """The agents, one per seed, with the stored policies; their critics are untrained.

        Raises:
            InvalidInputError: the stored policies are those of another agent.
        """
        return self.agent_of(self.config.seeds)

    def agent_of(self, seeds: list[int]) -> Agent:
        """The agents of some seeds of the record.

        Raises:
            InvalidInputError: a seed that was not trained, or policies of another agent.
        """
        trained = self.config.seeds
        for seed in seeds:
            if seed not in trained:
                raise InvalidInputError(
                    f"seed is {seed}; allowed: {trained[0]} to {trained[-1]}, those trained"
                )
        algorithm, streams = find_algorithm(self.config.algorithm), random_streams(seeds)
        assert self.config.agent is not None
        agent = make_agent(algorithm, self.config.agent, self.state_dim, self.box, streams)
        if self.config.normalize_observations:
            agent = NormalizedObservations(agent)
        rows = [trained.index(seed) for seed in seeds]
        with _reading(self.folder / "policy.safetensors"):
            for name, value in self.policy_state.items():
                if len(value) != len(trained):
                    raise InvalidInputError(
                        f"{name} has {len(value)} rows; allowed: {len(trained)}, one per seed"
                    )
            agent.load_state({name: value[rows] for name, value in self.policy_state.items()})
        return agent

    @property
    def best_seed(self) -> int:
        """The seed with the highest mean return at the last evaluation."""
        return self.config.seeds[int(self.returns[-1].mean(-1).argmax())]


def load(
    folder: str | Path,
    seed: int | None = None,
    algorithm: str | Callable[..., Any] | None = None,
) -> Agent:
    """The trained agents of a record, ready to act.

    A record holds what acting needs. A loaded critic is untrained, so training cannot go on.

    Args:
        folder: that `dpgcourse.train` wrote.
        seed: one of the trained seeds; default all of them, side by side.
        algorithm: your own agent class, if the record was made with one that this process does
            not know.

    Raises:
        InvalidInputError: the folder is not a record, a file in it cannot be read, no such seed,
            or an algorithm that is not known here.
    """
    record = read_record(folder, algorithm)
    return record.agent if seed is None else record.agent_of([seed])


def read_record(folder: str | Path, algorithm: str | Callable[..., Any] | None = None) -> Record:
    """Read a record; arguments and errors as for `load`."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InvalidInputError(f"{str(folder)!r} is not a folder; allowed: a record of a run")
    with _reading(folder / "config.json") as path:
        fields = json.loads(path.read_text(encoding="utf-8"))
        _require_format(fields)
        del fields["format"]
        stored_name = str(fields.pop("algorithm"))
    named = _algorithm_of(folder, stored_name, algorithm)
    with _reading(folder / "config.json"):
        state_dim, low, high = (fields.pop(k) for k in ("state_dim", "action_low", "action_high"))
        box = ActionBox(low, high)
        agent = named.config_class(**fields.pop("agent"))
        config = TrainConfig(**fields, algorithm=algorithm or named.name, agent=agent)
    shape = (-1, config.num_seeds, config.eval_episodes)
    with _reading(folder / "returns.csv") as path:
        rows = _read_rows(path)
        steps = np.array([int(row["step"]) for row in rows]).reshape(shape)[:, 0, 0]
        returns = np.array([float(row["return"]) for row in rows]).reshape(shape)
        if not rows:
            raise InvalidInputError("it holds no evaluation")
    log = {}
    if (folder / "log.csv").exists():
        with _reading(folder / "log.csv") as path:
            log = _read_log(_read_rows(path), steps, config.seeds)
    with _reading(folder / "policy.safetensors") as path:
        policy_state = load_tensors(path.read_bytes())
    return Record(folder, config, steps, returns, log, policy_state, state_dim, box)


def _require_format(fields: Mapping[str, Any]) -> None:
    found = fields.get("format")
    if found != FORMAT:
        newer = isinstance(found, int) and found > FORMAT
        hint = "; it was written by a newer version of this package" if newer else ""
        raise InvalidInputError(f"its format is {found!r}; allowed: {FORMAT}{hint}")


def _algorithm_of(folder: Path, name: str, given: str | Callable[..., Any] | None) -> Algorithm:
    """The algorithm that a record names, or the one given for it."""
    if given is None:
        try:
            return find_algorithm(name)
        except InvalidInputError:
            raise InvalidInputError(
                f"{str(folder)!r} was trained with {name!r}, which is not known here; allowed: "
                "dpgcourse.load(folder, algorithm=...) with that class"
            ) from None
    found = find_algorithm(given)
    if found.name.rpartition(":")[2] != name.rpartition(":")[2]:
        raise InvalidInputError(
            f"algorithm is {found.name!r}, and {str(folder)!r} was trained with {name!r}; "
            "allowed: that class"
        )
    return found


def _read_rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_table(path: str | Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Read a table with one row per seed and step, such as a record's ``log.csv``.

    Args:
        path: of a CSV file with the columns "seed", "step" and others, its rows in any order.

    Returns:
        The steps (k,), and each other column as (k, S), seeds in ascending order.

    Raises:
        InvalidInputError: the file cannot be read, or a seed has no row for a step of others.
    """
    with _reading(Path(path)) as file:
        rows = _read_rows(file)
        places = {(int(row["step"]), int(row["seed"])): row for row in rows}
        steps, seeds = (sorted({place[i] for place in places}) for i in (0, 1))
        if not rows or len(rows) != len(steps) * len(seeds):
            raise InvalidInputError("it has not one row for each of its seeds and steps")
        table = {
            name: np.array([[float(places[step, s][name]) for s in seeds] for step in steps])
            for name in rows[0]
            if name not in ("seed", "step")
        }
    return np.array(steps), table


def _read_log(rows, steps: np.ndarray, seeds: list[int]) -> dict[str, np.ndarray]:
    places = [(step, seed) for step in steps for seed in seeds]
    rows = rows[: len(places)]  # interrupted, it may be ahead
    if [(int(row["step"]), int(row["seed"])) for row in rows] != places:
        raise InvalidInputError("its seeds and steps are not those of returns.csv")
    names = [name for name in rows[0] if name not in ("seed", "step")]
    shape = (len(steps), len(seeds))
    return {n: np.array([float(row[n]) for row in rows]).reshape(shape) for n in names}


@contextmanager
def _reading(path: Path) -> Iterator[Path]:
    """Turn whatever a damaged file causes into one error that names the file."""
    try:
        yield path
    except FileNotFoundError:
        raise InvalidInputError(
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
        csv.Error,
    ) as error:
        raise InvalidInputError(f"{str(path)!r} cannot be read: {error}") from None
