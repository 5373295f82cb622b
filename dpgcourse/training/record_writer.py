"""Write the record of a training run; `dpgcourse.training.record` describes and reads it."""

import contextlib
import csv
import dataclasses
import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as save_tensors

from dpgcourse.agents.registry import qualified_name
from dpgcourse.envs.make import env_name
from dpgcourse.errors import InvalidInputError
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.diagnostics import QUANTITIES
from dpgcourse.training.evaluation import EvaluationReport
from dpgcourse.training.provenance import provenance, without_surrogates

FORMAT = 2  # of config.json; raised when its fields change
COLUMNS = ("seed", "step", "episode", "return")
NOT_STORED = "not stored:"  # begins what stands for an argument that JSON does not know
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
        InvalidInputError: the folder exists and is not empty, is a file, or cannot be made. Nothing
            is overwritten.
    """

    def __init__(self, folder: str | Path, config: TrainConfig):
        self.folder, self.config = Path(folder), config
        if os.path.exists(folder) and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise InvalidInputError(f"out is {str(folder)!r}, which exists; allowed: a new folder")
        require_folder(self.folder, f"out is {str(folder)!r}")
        self.started = False

    def _start(self, report: EvaluationReport) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, content in (
            ("config.json", describe(self.config, report.agent)),
            ("provenance.json", provenance()),
        ):
            text = json.dumps(content, indent=2, ensure_ascii=False)
            (self.folder / name).write_text(without_surrogates(text) + "\n", encoding="utf-8")
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


def require_folder(folder: Path, setting: str, name: str = ".writable") -> None:
    """Check that a file can be written in a folder: both are made and taken away again.

    Args:
        folder: existing or not.
        setting: what names it, for the message.
        name: of a new file in it.

    Raises:
        InvalidInputError: the folder or the file cannot be made.
    """
    try:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).touch(exist_ok=False)
            (folder / name).unlink()
        finally:
            for path in missing:
                with contextlib.suppress(OSError, ValueError):
                    path.rmdir()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidInputError(
            f"{setting}, which cannot be written: {reason}; allowed: a place that can"
        ) from None


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
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return f"{NOT_STORED} {value!r}"
    return value


def safe_filename(text: str) -> str:
    """A file name that every system allows: letters, digits and ``. _ = , + -``.

    >>> safe_filename('my_module:Env-v0'), safe_filename('td3-hidden_sizes=[64,64]')
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
