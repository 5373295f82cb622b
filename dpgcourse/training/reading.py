"""Read files that may be damaged or foreign."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from dpgcourse.errors import InvalidInputError


@contextmanager
def reading(path: Path) -> Iterator[Path]:
    """Turn whatever a damaged or foreign file causes into one error that names the file.

    Raises:
        InvalidInputError: the file is missing, is no regular file, or cannot be understood.
    """
    with understanding(path):
        if path.exists() and not path.is_file():
            raise InvalidInputError("it is not a regular file")  # a pipe would block
        yield path


@contextmanager
def understanding(path: Path) -> Iterator[None]:
    """Turn whatever the content of a file causes into one error that names the file.

    Raises:
        InvalidInputError: the file is missing, or its content is not what was expected.
    """
    try:
        yield
    except FileNotFoundError:
        raise InvalidInputError(
            f"{str(path.parent)!r} is not a record with an evaluation: {path.name} is missing"
        ) from None
    except MemoryError:
        raise InvalidInputError(
            f"{str(path)!r} cannot be read: it does not fit into memory"
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
        what = f"it has no {error}" if isinstance(error, KeyError) else error
        raise InvalidInputError(f"{str(path)!r} cannot be read: {what}") from None
