"""Arrays and JSON in one safetensors file: no pickle, so reading one runs no code."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from dpgcourse.errors import InvalidInputError
from dpgcourse.training.durable_files import replace_file

_KEY = "dpgcourse"  # one key alone: safetensors writes several in any order


def write_tensors(path: Path, arrays: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> None:
    """Replace a file, whole or not at all; equal content gives equal bytes.

    Args:
        path: of the file.
        arrays: name -> array.
        header: plain JSON, with the number "format".

    Raises:
        StorageError: it cannot be written.
    """
    made = {name: np.ascontiguousarray(x) for name, x in arrays.items()}
    replace_file(path, save(made, {_KEY: json.dumps(header)}))


def read_tensors(path: Path, known_format: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays and the header of a file; call it inside `dpgcourse.training.reading.reading`.

    Raises:
        InvalidInputError: it was not written by this package, or by another version of it.
        Exception: whatever a damaged file causes.
    """
    with safe_open(path, "numpy") as file:
        metadata = file.metadata() or {}
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if _KEY not in metadata:
        raise InvalidInputError("it was not written by this package")
    header = json.loads(metadata[_KEY])
    require_format(header.get("format"), known_format)
    return arrays, header


def require_format(found: Any, known: int) -> None:
    """Check the number that tells one layout of files from the next.

    Raises:
        InvalidInputError: it is another one.
    """
    if isinstance(found, bool) or found != known:
        hint = ""
        if isinstance(found, int):
            hint = f"; it was written by {'a newer' if found > known else 'an older'} version"
        raise InvalidInputError(f"its format is {found!r}; allowed: {known}{hint}")
