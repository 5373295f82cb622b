"""Which code, on which machine, a run was made with."""

import datetime
import importlib.metadata
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path

_LIBRARIES = ("dpgcourse", "numpy", "torch", "gymnasium")


def provenance() -> dict[str, object]:
    """Versions, git state, machine, command and time, ready for JSON.

    The git state is that of the working directory, None outside a repository or without git.
    """
    return {
        "command": without_surrogates(shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])),
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        **{name: _version(name) for name in _LIBRARIES},
        "git_commit": _git("rev-parse", "HEAD"),
        "git_clean": _git("status", "--porcelain") == "",
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
    }


def without_surrogates(text: str) -> str:
    """A text from the command line without what stands for bytes that the system could not read."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
