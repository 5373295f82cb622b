"""The folder of a study.

| in the folder | is |
|---|---|
| ``VARIANT/`` | a finished record |
| ``VARIANT.partial/`` | one that is being trained, was interrupted, or failed |
| ``VARIANT.log`` | what went wrong, each time with its traceback |
| ``results.csv`` | one row per variant, seed and evaluation: variant, env, algorithm, each varied setting, seed, step, and the mean return of the evaluation's episodes |
| ``study.json`` | the configuration and the varied settings of each variant; versions, machine and commit |
| ``command.txt`` | the commands that filled it, one per line |
"""  # noqa: E501

import contextlib
import datetime
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dpgcourse.errors import InvalidInputError
from dpgcourse.training.checkpoint import checkpoint_files
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.description import describe, same_settings
from dpgcourse.training.durable_files import append_to_file, replace_file
from dpgcourse.training.provenance import provenance, without_surrogates
from dpgcourse.training.reading import reading
from dpgcourse.training.record import Record, read_record
from dpgcourse.training.record_writer import (
    LOCK,
    csv_text,
    lock_folder,
    require_folder,
    require_no_foreign_files,
    unlock_folder,
)
from dpgcourse.training.variants import Variant

_COLUMNS = ("variant", "env", "algorithm")  # before the varied settings


class StudyFolder:
    """A study on disk; a context manager that keeps other processes from working in it.

    Args:
        path: new, empty, or a study.

    Raises:
        InvalidInputError: something else lies there, it cannot be written, or another process
            works in it.
    """

    def __init__(self, path: str | Path):
        if not isinstance(path, str | Path):
            raise InvalidInputError(f"out is {path!r}; allowed: a folder")
        self.path = Path(path).absolute()
        if os.path.lexists(path) and not (self.path / "command.txt").exists():
            strange = not self.path.is_dir() or any(p.name != LOCK for p in self.path.iterdir())
            if strange:
                raise InvalidInputError(
                    f"out is {str(path)!r}, which is no study; allowed: a new folder or a study"
                )
        require_folder(self.path, f"out is {str(path)!r}")
        self._new = not self.path.exists()
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = lock_folder(self.path)

    def __enter__(self) -> "StudyFolder":
        return self

    def __exit__(self, *_: object) -> None:
        unlock_folder(self.path, self._lock)
        if self._new and not any(self.path.iterdir()):
            self.path.rmdir()

    def finished(self, name: str) -> Path:
        """Where the record of a finished variant lies."""
        return self.path / name

    def partial(self, name: str) -> Path:
        """Where the record of a variant is made."""
        return self.path / f"{name}.partial"

    def is_finished(self, variant: Variant) -> bool:
        """Whether a variant was trained before.

        Raises:
            InvalidInputError: what lies there was made otherwise.
        """
        folder = self.finished(variant.name)
        if not folder.exists():
            return False
        record = read_record(folder, _own_class(variant.config))
        _require_same(folder, describe(record.config), variant.config)
        return True

    def require_own(self, variant: Variant) -> None:
        """Check that what is partial is a run of this variant, which may go on or go away.

        Raises:
            InvalidInputError: it is not.
        """
        partial = self.partial(variant.name)
        if not (partial / "config.json").exists():
            require_no_foreign_files(partial)
            return
        with reading(partial / "config.json") as path:
            found = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(found, dict):
                raise InvalidInputError("it holds no configuration")
        _require_same(partial, found, variant.config)
        if not checkpoint_files(partial):
            require_no_foreign_files(partial)

    def note(self, variants: Sequence[Variant], command: str) -> None:
        """Add variants to ``study.json`` and a command to ``command.txt``."""
        command = without_surrogates(command)
        log = self.path / "command.txt"
        commands = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        if command not in commands:
            replace_file(log, ("\n".join([*commands, command]) + "\n").encode())
        described = _described_variants(self.path) | {
            variant.name: {"varied": dict(variant.varied), "config": describe(variant.config)}
            for variant in variants
        }
        content = {"provenance": provenance(), "variants": described}
        text = json.dumps(content, indent=2, ensure_ascii=False, default=str)
        replace_file(self.path / "study.json", (without_surrogates(text) + "\n").encode())

    def finish(self, name: str) -> None:
        """Give the record of a variant its final name."""
        os.replace(self.partial(name), self.finished(name))

    def log(self, name: str, text: str) -> Path:
        """Add to the log of a variant.

        Returns:
            The file.
        """
        path = self.path / f"{name}.log"
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        with contextlib.suppress(OSError):  # a full disk: what went wrong is told anyway
            append_to_file(path, without_surrogates(f"{now} {text.strip()}\n").encode())
        return path

    def write_results(self, variants: Sequence[Variant]) -> None:
        """Write ``results.csv`` of all finished records.

        Args:
            variants: those of the present call, whose agent classes are at hand.
        """
        classes = {variant.name: _own_class(variant.config) for variant in variants}
        records = read_study(self.path, classes)
        if not records:
            return
        described = _described_variants(self.path)
        settings = {name: described.get(name, {}).get("varied", {}) for name in records}
        varied = list(dict.fromkeys(key for found in settings.values() for key in found))
        varied = [name for name in varied if name not in _COLUMNS]
        rows: list[tuple] = [(*_COLUMNS, *varied, "seed", "step", "return")]
        for name, record in records.items():
            config = describe(record.config)
            cells = [_cell(settings[name].get(key)) for key in varied]
            own = (name, config["env"], config["algorithm"], *cells)
            for row, seed in enumerate(record.config.seeds):
                for step, returns in zip(record.steps, record.returns.mean(-1), strict=True):
                    rows.append((*own, seed, step, round(float(returns[row]), 4)))
        replace_file(self.path / "results.csv", csv_text(rows))


def read_study(folder: str | Path, classes: dict[str, Any] | None = None) -> dict[str, Record]:
    """The finished records of a study, by variant.

    Args:
        folder: of the study.
        classes: variant -> its agent class, where this process does not know it by name.

    Raises:
        InvalidInputError: the folder is no study, or a record cannot be read.
    """
    folder = Path(folder)
    if not (folder / "command.txt").exists():
        raise InvalidInputError(f"{str(folder)!r} is no study: command.txt is missing")
    found = [path.parent for path in sorted(folder.glob("*/config.json"))]
    finished = [path for path in found if path.suffix != ".partial"]
    return {path.name: read_record(path, (classes or {}).get(path.name)) for path in finished}


def _described_variants(folder: Path) -> dict[str, Any]:
    """What ``study.json`` says of each variant; nothing if there is none."""
    if not (folder / "study.json").exists():
        return {}
    with reading(folder / "study.json") as path:
        return dict(json.loads(path.read_text(encoding="utf-8"))["variants"])


def _cell(value: Any) -> Any:
    """A value of a setting in a table: numbers and words as they are, lists as JSON."""
    return json.dumps(value) if isinstance(value, list | tuple | dict) else value


def _own_class(config: TrainConfig) -> Any:
    return None if isinstance(config.algorithm, str) else config.algorithm


def _require_same(folder: Path, found: dict[str, Any], config: TrainConfig) -> None:
    if differing := same_settings(describe(config), found):
        raise InvalidInputError(
            f"{str(folder)!r} was made otherwise: {'; '.join(differing)}; allowed: equal"
        )
