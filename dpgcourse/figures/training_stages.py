"""A small agent at several stages of its training, packed for a page.

``results/trained-agent/trained_agent.py`` writes the file; the explorable ``trained_agent`` shows
it.
"""

import base64
from pathlib import Path
from typing import Any

import numpy as np

from dpgcourse.errors import InvalidInputError
from dpgcourse.training.reading import reading
from dpgcourse.training.tensor_files import read_tensors

FORMAT = 1  # raised when the arrays of the file or its header change
VIEWS = ("pendulum", "full")
NOTES = {
    500: "It stops the rod at the bottom, where every step costs most: an untrained agent at least "
    "lets it swing.",
    2000: "From most starts it drives the rod round and round, past the top, and speed costs too.",
}
"""Why the agent after so many updates earns less than the stage before it."""


def read_stages(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays of a file of stages, and its header.

    Returns:
        ``updates`` (k,), mean ``returns`` (k,), ``actors`` (k, n) and ``critics`` (k, n'), both
        in half precision; the settings and what they were made with.

    Raises:
        InvalidInputError: the file is missing, damaged or of another format.
    """
    with reading(path):
        return read_tensors(path, FORMAT)


def for_page(path: Path, view: str = "pendulum") -> dict[str, Any]:
    """What ``explorables.show("trained_agent", ...)`` needs, as plain JSON.

    Args:
        path: of the file.
        view: "pendulum", with the actors alone, or "full", with the critics too.

    Raises:
        InvalidInputError: another view; the file cannot be read.
    """
    if view not in VIEWS:
        raise InvalidInputError(f"view is {view!r}; allowed: {' or '.join(VIEWS)}")
    stages, header = read_stages(path)
    names = ("actors", "critics") if view == "full" else ("actors",)
    return {
        "view": view,
        "hidden": header["config"]["agent"]["hidden_sizes"],
        "updates": stages["updates"].tolist(),
        "returns": [round(x) for x in stages["returns"].tolist()],
        "notes": [NOTES.get(x, "") for x in stages["updates"].tolist()],
        "starts": header["starts"],
        **{name: [pack(theta) for theta in stages[name]] for name in names},
    }


def pack(theta: np.ndarray) -> str:
    """Parameters (n,) in half precision, lower byte first, in base 64."""
    return base64.b64encode(theta.astype("<f2").tobytes()).decode("ascii")
