"""The process that runs a student's program, and then answers questions about its names.

It is started by `dpgcourse.exercises.grading` with the number of a connection, and gives up its
rights before it runs anything. What it sends holds numbers and text only, so that reading it runs
no code.
"""

import contextlib
import importlib.metadata
import io
import json
import os
import sys
import types
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from dpgcourse.exercises.calling import Outcome, call
from dpgcourse.exercises.exercise import as_array

PACKAGE = Path(__file__).resolve().parents[1]
SECRET = [PACKAGE / "exercises", PACKAGE / "book"]
SECRET += [PACKAGE.parent / "book", PACKAGE.parent / "tests"]  # in a checkout
_NOTHING = object()
LARGEST = 8_000_000  # bytes of an answer


def main(connection: Connection) -> None:
    """Confine this process, run the program, and answer until the connection is closed."""
    confined = confine(Path.cwd())
    program = json.loads(connection.recv_bytes())
    given = hide_checkers()
    namespace: dict[str, Any] = {"__name__": "__main__"}
    errors = run(program, namespace)
    connection.send_bytes(json.dumps({"confined": confined, "errors": errors}).encode())
    import cloudpickle  # type: ignore[import-untyped]  # reads functions of modules it cannot import

    with contextlib.suppress(EOFError):
        while True:
            label, name, use, case, seconds = cloudpickle.loads(connection.recv_bytes())
            answers = {**namespace, **given.get(label, {})}
            connection.send_bytes(encode(_answer(answers, name, use, case, seconds)))


def hide_checkers() -> dict[str, dict[str, Any]]:
    """Put a check that only notes its arguments in the place of the checkers.

    Returns:
        Label -> the answer that was passed last, by name; a function has the name "answer".
    """
    given: dict[str, dict[str, Any]] = {}

    def note(exercise: str, *answer: Any, **answers: Any) -> None:
        given[exercise] = answers | dict(zip(["answer"], answer, strict=False))

    hidden = types.ModuleType("dpgcourse.exercises", "Checks are made outside this process.")
    hidden.check = note  # type: ignore[attr-defined]
    sys.modules["dpgcourse.exercises"] = hidden
    return given


def run(program: list[str], namespace: dict[str, Any]) -> list[str]:
    """Execute the cells of a program; what each of them raised, as a line."""
    errors = []
    for number, source in enumerate(program, start=1):
        try:
            exec(compile(source, f"cell {number}", "exec"), namespace)
        except BaseException as error:  # also SystemExit
            text = " ".join(str(error).split())[:200]
            errors.append(f"code cell {number} raised {type(error).__name__}: {text}")
    return errors


def _answer(answers: dict, name: str, use: Any, case: tuple, seconds: float) -> Outcome:
    """Answer a question: a value, or what a function returns; without a name, prepare for it."""
    if not name:
        return Outcome(use() or 0)
    value = answers.get("answer", answers.get(name, _NOTHING)) if use else answers.get(name, ...)
    if value is _NOTHING:
        return Outcome(problem=f"The program has no {name}.")
    if use is None:
        return Outcome(value)
    if not callable(value):
        return Outcome(problem=f"{name} is no function.")
    return call(lambda *c: use(value, *c), *case, seconds=seconds)


def encode(outcome: Outcome) -> bytes:
    """An outcome as bytes: a kind, and text or an array."""
    if outcome.problem:
        return b"problem " + outcome.problem.encode()[:2000]
    if isinstance(outcome.value, str):
        return b"text " + outcome.value.encode()[:2000]
    problem, array = as_array(outcome.value)
    if not problem and array.nbytes > LARGEST:
        problem = "The answer is too large."
    if problem:
        return b"problem " + problem.encode()
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return b"array " + buffer.getvalue()


def decode(message: bytes) -> Outcome:
    """The outcome in such bytes.

    Raises:
        ValueError: the bytes hold something else.
    """
    kind, _, content = message.partition(b" ")
    if kind == b"array":
        return Outcome(np.load(io.BytesIO(content), allow_pickle=False))
    if kind not in (b"problem", b"text"):
        raise ValueError(f"unknown kind of answer {kind[:20]!r}")
    text = content.decode("utf-8", "replace")
    return Outcome(problem=text) if kind == b"problem" else Outcome(text)


def confine(folder: Path) -> bool:
    """Give up the right to write outside a folder, and to read the checkers and the book.

    Returns:
        Whether the operating system holds this process to it: Linux with Landlock, and the
        library py-landlock.
    """
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
            resource.setrlimit(limit, (LARGEST if limit == resource.RLIMIT_FSIZE else 0,) * 2)
    try:
        from py_landlock import AccessFs, Landlock

        rules = Landlock(strict=False).allow_read_write(folder).allow_execute("/")
        for place in readable():
            folders = AccessFs.READ_DIR if place.is_dir() else AccessFs(0)
            rules.add_path_rule(place, access=AccessFs.READ_FILE | folders)
        rules.add_path_rule("/dev/null", access=AccessFs.READ_FILE | AccessFs.WRITE_FILE)
        rules.apply()
    except Exception:  # no such library, kernel or system
        return False
    return True


def readable() -> list[Path]:
    """The places that a program may read: all but the checkers and the chapters."""
    places = [Path("/")]
    for secret in SECRET:
        if secret.exists():
            places = [inner for place in places for inner in _without(place, secret)]
    return places


def _without(place: Path, secret: Path) -> list[Path]:
    """A place, or what is in it beside the secret."""
    if place == secret or not secret.is_relative_to(place):
        return [] if place == secret else [place]
    inside = [x for x in place.iterdir() if not x.is_symlink()]
    return [inner for x in inside for inner in _without(x, secret)]


if __name__ == "__main__":
    importlib.metadata.version("numpy")  # read before this process is confined
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    main(Connection(int(sys.argv[1])))
