"""Many variants, the same seeds: one folder, a record per variant.

| in the folder | is |
|---|---|
| ``command.txt`` | the commands that filled it, one per line |
| ``VARIANT/`` | a finished record |
| ``VARIANT.partial/`` | one that was interrupted or diverged |
| ``summary.csv`` | the mean return of the last evaluation, per variant and seed |

A study that is started again skips what is finished and goes on with what is partial, from its
checkpoint. Only one process works in a study.
"""

import contextlib
import itertools
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dpgcourse.errors import InvalidInputError
from dpgcourse.training.checkpoint import checkpoint_files
from dpgcourse.training.config import TrainConfig, make_config
from dpgcourse.training.description import describe, same_settings
from dpgcourse.training.divergence import DivergenceError
from dpgcourse.training.durable_files import replace_file
from dpgcourse.training.loop import resume, train
from dpgcourse.training.provenance import without_surrogates
from dpgcourse.training.reading import reading
from dpgcourse.training.record import Record, read_record
from dpgcourse.training.record_writer import (
    LOCK,
    csv_text,
    lock_folder,
    remove_unfinished,
    require_folder,
    require_no_foreign_files,
    safe_filename,
    unlock_folder,
)

_FIXED = ("num_seeds", "first_seed", "agent")  # the same in all variants of a study
_MAX_NAME_LENGTH = 150  # characters of a variant's name, which becomes a folder


def study_configs(
    algorithms: Sequence[str], vary: Sequence[str] = (), **settings: Any
) -> dict[str, TrainConfig]:
    """Every algorithm with every combination of the varied settings.

    Args:
        algorithms: their names.
        vary: settings such as ``"tau=0.01,1.0"`` or ``"hidden_sizes=[64,64],[8]"``: a setting and
            the values that it takes, as JSON.
        settings: what all variants share, as for `make_config`.

    Returns:
        Name of each variant, such as ``"ddpg-tau=1.0"``, and its configuration.

    Raises:
        InvalidInputError: an unknown algorithm or setting, a value that is not allowed, the same
            variant twice; the message names it.

    >>> list(study_configs(["ddpg", "td3"], ["tau=0.01,1.0"]))
    ['ddpg-tau=0.01', 'ddpg-tau=1.0', 'td3-tau=0.01', 'td3-tau=1.0']
    """
    made: dict[str, TrainConfig] = {}
    varied = [_values(text) for text in vary]
    for algorithm, *chosen in itertools.product(algorithms, *varied):
        config = make_config(**{"algorithm": algorithm, **settings, **dict(chosen)})
        values = (f"-{name}={json.dumps(x, separators=(',', ':'))}" for name, x in chosen)
        name = safe_filename(algorithm + "".join(values))
        if len(name) > _MAX_NAME_LENGTH:
            raise InvalidInputError(
                f"variant {name[:40]}... has a name of {len(name)} characters; allowed: "
                f"{_MAX_NAME_LENGTH}; vary fewer settings at once"
            )
        if name in made:
            raise InvalidInputError(f"variant {name} is asked for twice; allowed: once")
        made[name] = config
    if not made:
        raise InvalidInputError("algorithms is empty; allowed: one or more")
    return made


def _values(text: str) -> list[tuple[str, Any]]:
    name, _, listed = text.partition("=")
    name = name.strip().replace("-", "_")
    if not listed or name in _FIXED:
        fixed = f"; {name} is the same in all variants" if name in _FIXED else ""
        raise InvalidInputError(f"vary is {text!r}; allowed: NAME=VALUE,VALUE...{fixed}")
    try:
        values = json.loads(f"[{listed}]")
    except json.JSONDecodeError:
        values = listed.split(",")  # words
    return [(name, tuple(value) if isinstance(value, list) else value) for value in values]


def run_study(
    folder: str | Path, configs: dict[str, TrainConfig], command: str, progress: bool = False
) -> list[str]:
    """Train every variant that is not finished.

    Args:
        folder: of the study, new or begun by an earlier call.
        configs: name and configuration of each variant, from `study_configs`.
        command: stored in the folder.
        progress: say what is done, with a progress bar for each variant.

    Returns:
        One line for each variant that diverged; its record up to there stays, as partial.

    Raises:
        InvalidInputError: the folder holds something that is not a study, or a variant of the same
            name and another configuration; another process works in it. Nothing has been written
            then.
    """
    folder = Path(folder)
    command = without_surrogates(command)
    log = folder / "command.txt"
    _require_study(folder)
    require_folder(folder, f"out is {str(folder)!r}")
    new = not os.path.exists(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lock = lock_folder(folder)
    try:
        todo = {n: c for n, c in configs.items() if not _is_finished(folder / n, c)}
        for name, config in todo.items():
            _require_own(folder / f"{name}.partial", config)
        commands = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        if command not in commands:
            replace_file(log, ("\n".join([*commands, command]) + "\n").encode())
        failures = []
        for i, (name, config) in enumerate(configs.items(), 1):
            if progress:
                state = "training" if name in todo else "finished before, skipped"
                print(f"[{i}/{len(configs)}] {name}: {state}", file=sys.stderr)
            if name not in todo:
                continue
            try:
                _train_or_resume(config, folder / f"{name}.partial", progress)
            except DivergenceError as error:
                failures.append(f"{name}: {error}")
            else:
                os.replace(folder / f"{name}.partial", folder / name)
        write_summary(folder)
    finally:
        unlock_folder(folder, lock)
        if new and not any(folder.iterdir()):
            folder.rmdir()
    return failures


def _require_study(folder: Path) -> None:
    """Check that a folder is a study, is empty, or does not exist."""
    if not os.path.lexists(folder) or (folder / "command.txt").exists():
        return
    if not folder.is_dir() or any(path.name != LOCK for path in folder.iterdir()):
        raise InvalidInputError(
            f"out is {str(folder)!r}, which is no study; allowed: a new folder or a study"
        )


def _train_or_resume(config: TrainConfig, partial: Path, progress: bool) -> None:
    with contextlib.suppress(InvalidInputError):
        if read_record(partial).steps[-1] == config.steps:
            return  # it was stopped after its last evaluation
    if checkpoint_files(partial):
        resume(
            partial,
            env=config.env,
            algorithm=config.algorithm,
            env_kwargs=config.env_kwargs,
            wrappers=config.wrappers,
            eval_env=config.eval_env,
            progress=progress,
        )
        return
    remove_unfinished(partial)
    train(config, out=partial, progress=progress)


def _is_finished(folder: Path, config: TrainConfig) -> bool:
    if not folder.exists():
        return False
    _require_same(folder, describe(read_record(folder).config), config)
    return True


def _require_own(partial: Path, config: TrainConfig) -> None:
    """Check that what is partial is a run of this configuration, which may go on or go away."""
    if not (partial / "config.json").exists():
        require_no_foreign_files(partial)
        return
    with reading(partial / "config.json") as path:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise InvalidInputError("it holds no configuration")
    _require_same(partial, found, config)
    if not checkpoint_files(partial):
        require_no_foreign_files(partial)


def _require_same(folder: Path, found: dict[str, Any], config: TrainConfig) -> None:
    if differing := same_settings(describe(config), found):
        raise InvalidInputError(
            f"{str(folder)!r} was made otherwise: {'; '.join(differing)}; allowed: equal"
        )


def read_study(folder: str | Path) -> dict[str, Record]:
    """The finished records of a study, by variant.

    Raises:
        InvalidInputError: the folder is no study, or a record cannot be read.
    """
    folder = Path(folder)
    if not (folder / "command.txt").exists():
        raise InvalidInputError(f"{str(folder)!r} is no study: command.txt is missing")
    finished = [path.parent for path in sorted(folder.glob("*/config.json"))]
    return {path.name: read_record(path) for path in finished if path.suffix != ".partial"}


def write_summary(folder: Path) -> None:
    """Write ``summary.csv``: variant, seed and mean return of the last evaluation."""
    records = read_study(folder)
    if not records:
        return
    rows: list[tuple] = [("variant", "seed", "step", "return")]
    for name, record in records.items():
        last = record.returns[-1].mean(-1)
        rows += [
            (name, seed, record.steps[-1], round(float(value), 4))
            for seed, value in zip(record.config.seeds, last, strict=True)
        ]
    replace_file(folder / "summary.csv", csv_text(rows))
