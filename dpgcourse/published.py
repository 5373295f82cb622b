"""The records and tables behind the published figures, wherever the package is installed."""

from pathlib import Path

from dpgcourse.errors import InvalidInputError


def results_path(name: str) -> Path:
    """Where a published record, table or folder lies.

    In a wheel the data lie inside the package; in a checkout they are the folder ``results``.

    Args:
        name: path below ``results``, such as ``"ddpg-pendulum"``.

    Raises:
        InvalidInputError: there is no such record.
    """
    package = Path(__file__).resolve().parent
    root = package / "results" if (package / "results").is_dir() else package.parent / "results"
    path = root / name
    if not path.exists():
        known = sorted(p.name for p in root.iterdir()) if root.is_dir() else []
        raise InvalidInputError(f"name is {name!r}; allowed: a path below {', '.join(known)}")
    return path
