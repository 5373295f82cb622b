"""A training run on disk: a folder that a reader can open without this package.

| file | holds |
|---|---|
| ``config.json`` | the configuration, and the sizes and bounds of states and actions |
| ``provenance.json`` | versions, git state, machine, command and time |
| ``returns.csv`` | one row per seed, evaluation and episode: seed, step, episode, return |
| ``log.csv`` | one row per seed and evaluation: seed, step, then the logged quantities |
| ``policy.safetensors`` | what the agents need to act, after the latest evaluation |
| ``README.md`` | what each file and each column is |

The folder appears with the first evaluation, and its files are brought up to date at every
evaluation, so a run that ends before leaves nothing, and an interrupted run keeps what it had.
Weights are stored without pickle, and reading a record imports no module and makes no environment:
opening a record runs no code of its maker.
"""

import csv
import dataclasses
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from dpgcourse.agents.base import Agent
from dpgcourse.agents.normalization import NormalizedObservations
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.registry import Algorithm, find_algorithm, make_agent, qualified_name
from dpgcourse.envs.make import env_name
from dpgcourse.errors import InvalidInputError
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.diagnostics import QUANTITIES
from dpgcourse.training.evaluation import EvaluationReport
from dpgcourse.training.provenance import provenance

FORMAT = 2  # of config.json; raised when its fields change
COLUMNS = ("seed", "step", "episode", "return")
FILES = {
    "config.json": "the configuration, and the sizes and bounds of states and actions",
    "provenance.json": "versions, git state of the working directory, machine, command and time",
    "returns.csv": "the undiscounted return of every evaluation episode",
    "log.csv": "what was measured at every evaluation; the columns are listed below",
    "policy.safetensors": "what the agents need to act, seeds in the first axis",
}


class RecordWriter:
    """Writes a record; a callback of `dpgcourse.train`.

    Args:
        folder: created at the first evaluation, with its parents.
        config: what is being trained.

    Raises:
        InvalidInputError: the folder exists and is not empty, or is a file. Nothing is overwritten.
    """

    def __init__(self, folder: str | Path, config: TrainConfig):
        self.folder, self.config = Path(folder), config
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise InvalidInputError(f"out is {str(folder)!r}, which exists; allowed: a new folder")
        self.started = False

    def _start(self, report: EvaluationReport) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, content in (
            ("config.json", describe(self.config, report.agent)),
            ("provenance.json", provenance()),
        ):
            text = json.dumps(content, indent=2, ensure_ascii=False)
            (self.folder / name).write_text(text + "\n", encoding="utf-8")
        (self.folder / "README.md").write_text(readme(self.config), encoding="utf-8")
        self._append("returns.csv", [COLUMNS])
        self._append("log.csv", [("seed", "step", *report.log)])
        self.started = True

    def _append(self, name: str, rows) -> None:
        with open(self.folder / name, "a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)

    def __call__(self, report: EvaluationReport) -> None:
        """Append one evaluation and replace the stored policies."""
        if not self.started:
            self._start(report)
        seeds, step = self.config.seeds, report.step
        values = zip(*report.log.values(), strict=True)  # one tuple per seed
        self._append(
            "log.csv",
            [
                (seed, step, *(f"{x:.6g}" for x in row))
                for seed, row in zip(seeds, values, strict=True)
            ],
        )
        self._append(
            "returns.csv",
            [
                (seed, step, i, round(float(value), 4))
                for seed, episodes in zip(seeds, report.returns, strict=True)
                for i, value in enumerate(episodes)
            ],
        )
        arrays = {k: np.ascontiguousarray(v) for k, v in report.agent.policy_state().items()}
        partial = self.folder / "policy.safetensors.partial"
        partial.write_bytes(save_tensors(arrays))
        os.replace(partial, self.folder / "policy.safetensors")  # whole or not at all


def describe(config: TrainConfig, agent: Any = None) -> dict[str, Any]:
    """A configuration as JSON knows it: environments, algorithms and wrappers by their names.

    Args:
        config: what is described.
        agent: if given, the sizes of its states and actions are added.
    """
    fields = {f.name: getattr(config, f.name) for f in dataclasses.fields(config)}
    eval_env = None if config.eval_env is None else env_name(config.eval_env)
    wrappers = [w if isinstance(w, str) else qualified_name(w) for w in config.wrappers]
    fields |= {
        "env": env_name(config.env),
        "eval_env": eval_env,
        "algorithm": config.algorithm_name,
        "wrappers": wrappers,
        "env_kwargs": {name: _plain(value) for name, value in config.env_kwargs.items()},
        "agent": dataclasses.asdict(config.agent) if config.agent else None,
    }
    if agent is not None:
        fields["state_dim"] = agent.state_dim
        fields["action_low"] = agent.box.low.tolist()
        fields["action_high"] = agent.box.high.tolist()
    return {"format": FORMAT, **fields}


def _plain(value: Any) -> Any:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return repr(value)
    return value


def portable_name(text: str) -> str:
    """A file name that every system allows: letters, digits and ``. _ = , + -``.

    >>> portable_name('my_module:Env-v0'), portable_name('td3-hidden_sizes=[64,64]')
    ('my_module-Env-v0', 'td3-hidden_sizes=64,64')
    """
    return re.sub(r"[^A-Za-z0-9._=,+-]", "", re.sub(r"[:/\\\s]+", "-", text))


def readme(config: TrainConfig) -> str:
    """The page that explains a record's files and columns."""
    lines = [
        f"# {config.algorithm_name} on {env_name(config.env)}, {config.num_seeds} seeds",
        "",
        *(f"- `{name}`: {text}" for name, text in FILES.items()),
        "",
        "Columns of `log.csv`, one row per seed and evaluation:",
        "",
        *(f"- `{name}`: {text}" for name, text in QUANTITIES.items()),
        "",
    ]
    return "\n".join(lines)


@dataclasses.dataclass(frozen=True)
class Record:
    """A record read back.

    Attributes:
        folder: where it was read.
        config: what was trained; its algorithm is known to this process.
        steps: environment steps at each evaluation, (k,).
        returns: return of every evaluation episode, (k, S, E).
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
        InvalidInputError: the file cannot be read, or a seed lacks a step.
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
