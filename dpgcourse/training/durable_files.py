"""Write files so that a crash, a power cut or a full disk never leaves half of one."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from dpgcourse.errors import StorageError

PARTIAL = ".partial"  # ends the name of a file that is being written


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{str(path)!r} cannot be written: {error.strerror or error}; what was written before "
            "is whole"
        ) from error


def replace_file(path: Path, content: bytes) -> None:
    """Give a file new content. After a crash it holds the old content or the new one.

    Raises:
        StorageError: it cannot be written; it holds the old content.
    """
    partial = path.with_name(path.name + PARTIAL)
    with _writing(path):
        try:
            with open(partial, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # else a power cut could leave the new name without content
            os.replace(partial, path)
        except BaseException:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise
        _sync_folder(path.parent)


def append_to_file(path: Path, content: bytes) -> None:
    """Add content to the end of a file. After a crash a part of it may be there.

    Raises:
        StorageError: it cannot be written; a part of it may be there.
    """
    with _writing(path), open(path, "ab") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Let a new name in a folder survive a power cut; Windows does so by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
