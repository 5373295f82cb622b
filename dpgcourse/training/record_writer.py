"""Write the record of a training run; `dpgcourse.training.record` describes and reads it.

An evaluation is added to the tables first, and then the policies are replaced by a file that holds
the step. That last write makes the evaluation count. A reader leaves out what came later, so a
crash at any moment leaves a record whose tables and policies belong together.
"""

import contextlib
import csv
import io
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from dpgcourse.envs.make import env_name
from dpgcourse.errors import InvalidInputError
from dpgcourse.training import checkpoint
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.description import FORMAT, describe
from dpgcourse.training.diagnostics import QUANTITIES
from dpgcourse.training.durable_files import PARTIAL, append_to_file, replace_file
from dpgcourse.training.evaluation import EvaluationReport
from dpgcourse.training.provenance import provenance, without_surrogates
from dpgcourse.training.tensor_files import write_tensors

COLUMNS = ("seed", "step", "episode", "return")
FILES = {
    "config.json": "the configuration, and the sizes and bounds of states and actions",
    "provenance.json": "versions, git state of the working directory, machine, command and time",
    "returns.csv": "the undiscounted return of every evaluation episode",
    "log.csv": "what was measured at every evaluation; the columns are listed below",
    "policy.safetensors": "what the agents need to act, seeds in the first axis",
}
TABLES = ("log.csv", "returns.csv")
LOCK = ".lock"  # held by the process that writes
POLICY = "policy.safetensors"


class RecordWriter:
    """Writes a record; a callback of `dpgcourse.train`, and a context manager.

    Only one process can write in a folder. Other processes may read it at any time.

    Args:
        folder: created with its parents; removed again if nothing is written.
        config: what is being trained.
        resumed: whether the folder is a record that goes on.

    Raises:
        InvalidInputError: another process writes in the folder; it is a file or cannot be made; it
            is not empty and no record that goes on. Nothing is overwritten.
    """

    def __init__(self, folder: str | Path, config: TrainConfig, resumed: bool = False):
        self.folder, self.config = Path(folder), config
        if not resumed:
            _require_new(self.folder)
        require_folder(self.folder, f"out is {str(folder)!r}")
        self._made = [path for path in (self.folder, *self.folder.parents) if not path.exists()]
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = lock_folder(self.folder)
        self._started = resumed
        if not resumed:
            _require_new(self.folder)  # nobody else has written in the meantime

    def __enter__(self) -> "RecordWriter":
        return self

    def __exit__(self, *_: object) -> None:
        unlock_folder(self.folder, self._lock)
        for path in self._made:  # those that are still empty
            with contextlib.suppress(OSError):
                path.rmdir()

    def start(self, agent: Any) -> None:
        """Write what is known before the first evaluation, unless that has been done."""
        if self._started:
            return
        _write_json(self.folder / "config.json", describe(self.config, agent))
        _write_json(self.folder / "provenance.json", provenance())
        replace_file(self.folder / "README.md", readme(self.config).encode())
        self._started = True

    def __call__(self, report: EvaluationReport) -> None:
        """Add one evaluation and replace the stored policies."""
        self.start(report.agent)
        for name in TABLES:
            path = self.folder / name
            if not path.exists():
                replace_file(path, csv_text([_columns(name, report)]))
            append_to_file(path, csv_text(self._rows(name, report)))
        self._write_policy(report.agent.policy_state(), report.step)

    def _rows(self, name: str, report: EvaluationReport) -> list[tuple]:
        """What an evaluation adds to a table."""
        seeds, step = self.config.seeds, report.step
        if name == "log.csv":
            values = zip(*report.log.values(), strict=True)  # one tuple per seed
            return [
                (seed, step, *(f"{x:.6g}" for x in row))
                for seed, row in zip(seeds, values, strict=True)
            ]
        return [
            (seed, step, i, round(float(value), 4))
            for seed, episodes in zip(seeds, report.returns, strict=True)
            for i, value in enumerate(episodes)
        ]

    def _write_policy(self, state: dict[str, np.ndarray], step: int) -> None:
        write_tensors(self.folder / POLICY, state, {"format": FORMAT, "step": step})

    def go_back(
        self, start: int, reports: Sequence[EvaluationReport], policy_state: dict[str, np.ndarray]
    ) -> None:
        """Let the record hold what it held at a checkpoint, for a run that goes on from there.

        Args:
            start: step of the checkpoint; later ones are removed.
            reports: the evaluations up to there.
            policy_state: what the agents needed to act at the last of them.
        """
        if reports:
            self._write_policy(policy_state, reports[-1].step)
        else:
            (self.folder / POLICY).unlink(missing_ok=True)
        for name in TABLES:
            if reports:
                rows = [row for report in reports for row in self._rows(name, report)]
                replace_file(self.folder / name, csv_text([_columns(name, reports[-1]), *rows]))
            else:
                (self.folder / name).unlink(missing_ok=True)
        checkpoint.remove_checkpoints(self.folder, after=start)
        resumed = self.folder / "provenance.json"
        with contextlib.suppress(OSError, ValueError, AttributeError):
            found = json.loads(resumed.read_text(encoding="utf-8"))
            found.setdefault("resumed", []).append(provenance())
            _write_json(resumed, found)

    def checkpoint(self, agent: Any, content: checkpoint.Checkpoint, keep: int) -> None:
        """Write a checkpoint into the record."""
        self.start(agent)
        checkpoint.write_checkpoint(self.folder, content, keep)

    def finish(self) -> None:
        """Remove the checkpoints: the run needs them no more."""
        checkpoint.remove_checkpoints(self.folder)


def _columns(name: str, report: EvaluationReport) -> tuple[str, ...]:
    return ("seed", "step", *report.log) if name == "log.csv" else COLUMNS


def _require_new(folder: Path) -> None:
    if not os.path.lexists(folder) or (
        folder.is_dir() and all(path.name == LOCK for path in folder.iterdir())
    ):
        return
    hint = ""
    if folder.is_dir() and checkpoint.checkpoint_files(folder):
        hint = "; or go on with the run in it: dpgcourse train --resume, dpgcourse.resume"
    raise InvalidInputError(f"out is {str(folder)!r}, which exists; allowed: a new folder{hint}")


def lock_folder(folder: Path) -> FileLock:
    """Keep other processes of this package from writing in a folder.

    Raises:
        InvalidInputError: another one is writing.
    """
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InvalidInputError(
            f"{str(folder)!r} is in use: another process writes there; allowed: another folder, or "
            "waiting for it"
        ) from None
    return lock


def unlock_folder(folder: Path, lock: FileLock) -> None:
    """Let others write again."""
    with contextlib.suppress(OSError):
        (folder / LOCK).unlink()
    lock.release()


def require_no_foreign_files(folder: Path) -> None:
    """Check that all files of a folder are those of a run.

    Raises:
        InvalidInputError: something else lies there, or it is no folder.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InvalidInputError(f"{str(folder)!r} is a file; allowed: after moving it away")
    own = {*FILES, "README.md", "learning_curve.png", LOCK}
    own |= {name + PARTIAL for name in own}
    for path in folder.iterdir():
        if path.name != checkpoint.FOLDER and (path.name not in own or not path.is_file()):
            raise InvalidInputError(
                f"{str(folder)!r} holds {path.name!r}, which no run has written; allowed: after "
                "moving it away"
            )


def remove_unfinished(folder: Path) -> None:
    """Remove the files of a run that did not finish, and its folder.

    Raises:
        InvalidInputError: something else lies in the folder. Nothing has been removed then.
    """
    require_no_foreign_files(folder)
    checkpoint.remove_checkpoints(folder)
    if folder.exists():
        for path in [path for path in folder.iterdir() if path.is_file()]:
            path.unlink()
        folder.rmdir()


def _write_json(path: Path, content: Any) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False)
    replace_file(path, (without_surrogates(text) + "\n").encode())


def csv_text(rows: Any) -> bytes:
    """Rows as the content of a CSV file."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


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
