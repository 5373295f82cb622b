"""Everything that a training run needs to go on as if it had never stopped, in one file.

A SHA-256 sum over all of it stands inside. A file is complete or does not exist, see
`dpgcourse.training.durable_files`.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dpgcourse.errors import InvalidInputError
from dpgcourse.training.durable_files import PARTIAL
from dpgcourse.training.reading import reading
from dpgcourse.training.tensor_files import read_tensors, write_tensors

FOLDER = "checkpoints"  # inside a record
FORMAT = 1  # of a checkpoint; raised when its content changes
_NAME = re.compile(r"step-(\d{12,})\.safetensors")


@dataclass(frozen=True)
class Checkpoint:
    """A run at one of its steps.

    Attributes:
        step: environment steps taken, per seed.
        config: the configuration, as `dpgcourse.training.description.describe` gives it.
        arrays: name -> array: parameters, replay, returns and so on.
        numbers: what is no array, such as the state of random generators; plain JSON.
        path: where it was read.
    """

    step: int
    config: dict[str, Any]
    arrays: dict[str, np.ndarray]
    numbers: dict[str, Any]
    path: Path | None = None


def write_checkpoint(folder: Path, checkpoint: Checkpoint, keep: int) -> Path:
    """Write a checkpoint of a record, then remove its older ones.

    Args:
        folder: of the record.
        checkpoint: what to write.
        keep: how many of the latest are kept, >= 1.

    Returns:
        The file.

    Raises:
        StorageError: it cannot be written; earlier ones stay.
    """
    path = folder / FOLDER / f"step-{checkpoint.step:012}.safetensors"
    path.parent.mkdir(exist_ok=True)
    content = {"step": checkpoint.step, "config": checkpoint.config, "numbers": checkpoint.numbers}
    digest = _digest(content, checkpoint.arrays)
    header = {"format": FORMAT, "sha256": digest, "content": content}
    write_tensors(path, checkpoint.arrays, header)
    for old in checkpoint_files(folder)[:-keep]:
        old.unlink()
    return path


def checkpoint_files(folder: Path) -> list[Path]:
    """The checkpoints of a record, the latest one last; other files in the folder do not count."""
    files = [path for path in (folder / FOLDER).glob("step-*") if _NAME.fullmatch(path.name)]
    return sorted(files, key=_step)


def _step(path: Path) -> int:
    found = _NAME.fullmatch(path.name)
    assert found is not None
    return int(found.group(1))


def remove_checkpoints(folder: Path, after: int = -1) -> None:
    """Remove the checkpoints of a record after a step, half-written ones, and nothing else."""
    half = (folder / FOLDER).glob(f"step-*.safetensors{PARTIAL}")
    for path in (*(p for p in checkpoint_files(folder) if _step(p) > after), *half):
        path.unlink()
    if (folder / FOLDER).is_dir() and not any((folder / FOLDER).iterdir()):
        (folder / FOLDER).rmdir()


def read_checkpoint(folder: Path, step: int | None = None) -> Checkpoint:
    """Read a checkpoint of a record.

    Args:
        folder: of the record.
        step: of the checkpoint; default the latest.

    Raises:
        InvalidInputError: there is none, or it is damaged, foreign or of a newer version. The
            message names an earlier one that is whole, if there is one.
    """
    files = checkpoint_files(folder)
    if not files:
        raise InvalidInputError(
            f"{str(folder)!r} has no checkpoint; allowed: the folder of a run that was interrupted"
        )
    steps = [_step(path) for path in files]
    if step is None:
        step = steps[-1]
    if step not in steps:
        listed = ", ".join(map(str, steps))
        raise InvalidInputError(f"step is {step}; allowed: {listed}, which have a checkpoint")
    try:
        return _read(files[steps.index(step)])
    except InvalidInputError as error:
        for path in reversed(files[: steps.index(step)]):
            try:
                earlier = _read(path)
            except InvalidInputError:
                continue
            raise InvalidInputError(
                f"{error}; the earlier checkpoint of step {earlier.step} is whole: go on from it "
                f"with step {earlier.step}"
            ) from None
        raise


def _read(path: Path) -> Checkpoint:
    with reading(path):
        arrays, header = read_tensors(path, FORMAT)
        content = header["content"]
        if _digest(content, arrays) != header["sha256"]:
            raise InvalidInputError("its content does not match its checksum")
        if content["step"] != _step(path):
            raise InvalidInputError(f"it holds step {content['step']}")
        return Checkpoint(content["step"], content["config"], arrays, content["numbers"], path)


def _digest(content: Any, arrays: Mapping[str, np.ndarray]) -> str:
    total = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    for name in sorted(arrays):
        x = arrays[name]
        total.update(f"{name} {x.dtype} {x.shape}".encode())
        total.update(np.ascontiguousarray(x).data)
    return total.hexdigest()
