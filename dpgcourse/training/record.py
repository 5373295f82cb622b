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

A run that stops before its first evaluation leaves no evaluation. A run that stops later keeps all
evaluations so far, and while it is being written it has checkpoints, see
`dpgcourse.training.checkpoint`. ``policy.safetensors`` carries the step of its evaluation; rows of
later evaluations were not finished and do not count.

Opening a record from someone else runs none of their code: weights are stored without pickle,
reading imports no module and makes no environment, and only an agent class can be called.
"""

import csv
import dataclasses
import itertools
import json
import warnings
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from dpgcourse.agents.base import Agent
from dpgcourse.agents.config import is_integer
from dpgcourse.agents.normalization import NormalizedObservations
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.registry import find_algorithm, make_agent
from dpgcourse.errors import InvalidInputError
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training.checkpoint import checkpoint_files
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.description import FORMAT, config_from
from dpgcourse.training.memory_estimate import require_memory_for_agent
from dpgcourse.training.reading import reading
from dpgcourse.training.record_writer import COLUMNS, POLICY
from dpgcourse.training.tensor_files import read_tensors


class IncompleteRecordWarning(UserWarning):
    """A record holds a part of an evaluation, which is left out."""


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
        require_memory_for_agent(self.config, len(seeds), self.state_dim, len(self.box.low))
        agent = make_agent(algorithm, self.config.agent, self.state_dim, self.box, streams)
        if self.config.normalize_observations:
            agent = NormalizedObservations(agent)
        rows = [trained.index(seed) for seed in seeds]
        with reading(self.folder / POLICY):
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
    with reading(folder / "config.json") as path:
        described = json.loads(path.read_text(encoding="utf-8"))
        config, state_dim, box = config_from(described, repr(str(folder)), algorithm)
    if not (folder / POLICY).exists() and (found := checkpoint_files(folder)):
        raise InvalidInputError(
            f"{str(folder)!r} holds no evaluation yet; allowed: to go on with its run, which has "
            f"the checkpoint {found[-1].name}"
        )
    with reading(folder / POLICY) as path:
        policy_state, step = _read_policy(path, config.num_seeds)
    with reading(folder / "returns.csv") as path:
        steps = _evaluated_steps(config, step, path.stat().st_size)
        seeds, E = config.seeds, config.eval_episodes
        table = _read_rows(
            path, COLUMNS, [(s, t, e) for t in steps for s in seeds for e in range(E)]
        )
        returns = table[:, 0].reshape(len(steps), len(seeds), E)
    log = {}
    if (folder / "log.csv").exists():
        with reading(folder / "log.csv") as path:
            names = _columns(path)[2:]
            places = [(s, t) for t in steps for s in seeds]
            table = _read_rows(path, ("seed", "step", *names), places)
            by_name = table.reshape(len(steps), len(seeds), len(names))
            log = {name: by_name[..., i] for i, name in enumerate(names)}
    return Record(folder, config, np.array(steps), returns, log, policy_state, state_dim, box)


def _read_policy(path: Path, num_seeds: int) -> tuple[dict[str, np.ndarray], int]:
    """The arrays of the policies, and the step of their evaluation."""
    arrays, header = read_tensors(path, FORMAT)
    if not is_integer(header["step"], 1):
        raise InvalidInputError(f"its step is {header['step']!r}; allowed: 1 or more")
    for name, value in arrays.items():
        if value.dtype.kind not in "fiu":
            raise InvalidInputError(f"{name} has the type {value.dtype}; allowed: numbers")
        if value.shape[:1] != (num_seeds,):
            raise InvalidInputError(
                f"{name} has shape {value.shape}; allowed: ({num_seeds}, ...), one row per seed"
            )
        if not np.isfinite(value).all():
            raise InvalidInputError(f"{name} holds a number that is not finite")
    return arrays, header["step"]


def _evaluated_steps(config: TrainConfig, last: int, file_size: int) -> list[int]:
    """The steps of the evaluations up to the last one that was finished."""
    assert config.eval_every is not None
    episodes = last // config.eval_every * config.num_seeds * config.eval_episodes
    if episodes > file_size:  # before a list of so many is made
        raise InvalidInputError(f"it is too short for the {episodes} episodes up to step {last}")
    steps = list(range(config.eval_every, last + 1, config.eval_every))
    if last == config.steps and steps[-1:] != [last]:
        steps.append(last)
    if not steps or steps[-1] != last:
        raise InvalidInputError(f"{POLICY} is of step {last}, where nothing is evaluated")
    return steps


def _columns(path: Path) -> list[str]:
    with open(path, newline="", encoding="utf-8") as file:
        return next(csv.reader(file), [])


def _read_rows(path: Path, columns: Sequence[str], places: Sequence[tuple[int, ...]]) -> np.ndarray:
    """The numbers of a table, (rows, columns - those of the places).

    Args:
        path: of a CSV file.
        columns: what its first row holds; those of the places come first, in the order of a place.
        places: seed, step and perhaps episode of every row that counts, in the order of the file.
    """
    width = len(places[0])
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        if (found := next(rows, [])) != [*columns]:
            raise InvalidInputError(f"its columns are {found}; allowed: {[*columns]}")
        kept = list(itertools.islice(rows, len(places)))
        if next(rows, None) is not None:
            warnings.warn(
                f"{str(path)!r} holds a part of an unfinished evaluation, which is left out",
                IncompleteRecordWarning,
                stacklevel=3,
            )
    expected = [[str(number) for number in place] for place in places]
    if [row[:width] for row in kept] != expected:
        raise InvalidInputError("its seeds, steps or episodes are not those of the configuration")
    numbers = np.array([[float(x) for x in row[width:]] for row in kept])
    if numbers.shape != (len(places), len(columns) - width):
        raise InvalidInputError("a row has other columns than the first one")
    if not np.isfinite(numbers).all():
        raise InvalidInputError("it holds a number that is not finite")
    return numbers


def read_table(path: str | Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Read a table with one row per seed and step, such as a record's ``log.csv``.

    Args:
        path: of a CSV file with the columns "seed", "step" and others, its rows in any order.

    Returns:
        The steps (k,), and each other column as (k, S), seeds in ascending order.

    Raises:
        InvalidInputError: the file cannot be read, or a seed has no row for a step of others.
    """
    with reading(Path(path)) as file:
        with open(file, newline="", encoding="utf-8") as opened:
            rows = list(csv.DictReader(opened))
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
