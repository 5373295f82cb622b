"""Grades a student's notebook or program, which may do anything.

The program runs in a process of its own, with limited time and memory. The checkers stay in this
process: they send inputs and receive numbers, so nothing that the program does changes a verdict.
"""

import contextlib
import importlib
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from dpgcourse.errors import InvalidInputError
from dpgcourse.exercises import find, labels, module_of
from dpgcourse.exercises.answer_process import LARGEST, decode
from dpgcourse.exercises.calling import GRACE, Outcome
from dpgcourse.exercises.exercise import FunctionExercise
from dpgcourse.exercises.verdict import Verdict

_CHECKED = re.compile(r"\bcheck\(\s*[\"']([\w-]+)[\"']")
PROCESSES = 32  # a program may have so many at a time
MEGABYTE = 2**20


@dataclass
class Grade:
    """What became of a program.

    Attributes:
        verdicts: label -> verdict, for every exercise of the chapters that the program is about.
        errors: what its cells raised.
        stopped: why it was stopped; empty if it was not.
        confined: whether the operating system refused writes outside the program's folder.
    """

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    stopped: str = ""
    confined: bool = False

    @property
    def passed(self) -> bool:
        """Whether all answers are right, and nothing else happened."""
        clean = not self.errors and not self.stopped
        return clean and bool(self.verdicts) and all(x.passed for x in self.verdicts.values())

    def report(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "passed": self.passed,
            "right": sum(x.passed for x in self.verdicts.values()),
            "asked": len(self.verdicts),
            "stopped": self.stopped,
            "errors": self.errors,
            "confined": self.confined,
            "exercises": [
                {
                    "exercise": label,
                    "number": find(label)[0],
                    "passed": verdict.passed,
                    "message": verdict.message,
                    "details": dict(verdict.details),
                }
                for label, verdict in self.verdicts.items()
            ],
        }


def read_program(path: Path) -> list[str]:
    """The code cells of a notebook, or a Python file as one cell.

    Raises:
        InvalidInputError: there is no such file, or it is no notebook and no Python.
    """
    if path.suffix not in (".ipynb", ".py"):
        raise InvalidInputError(
            f"file is {str(path)!r}; allowed: a notebook, .ipynb, or a .py file"
        )
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".py":
            return [text]
        cells = json.loads(text)["cells"]
        return ["".join(x["source"]) for x in cells if x["cell_type"] == "code"]
    except OSError as error:
        raise InvalidInputError(f"file is {str(path)!r}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise InvalidInputError(f"file is {str(path)!r}, which is no readable notebook") from None


def exercises_of(program: Sequence[str]) -> list[str]:
    """The exercises of every chapter that a program has a check of.

    Raises:
        InvalidInputError: it has no check of an exercise of the book.
    """
    known = list(labels())
    named = {x for x in _CHECKED.findall("\n".join(program)) if x in known}
    chapters = {module_of(label) for label in named}
    if not chapters:
        raise InvalidInputError(
            'the file has no check of an exercise, such as check("chain-bent", actor_slope); '
            "allowed: a sheet that `dpgcourse exercises` wrote, with answers"
        )
    return [label for label in known if module_of(label) in chapters]


def grade(path: Path, seconds: float = 60, megabytes: float = 2000) -> Grade:
    """Run a program and check its answers.

    Args:
        path: a notebook or a Python file.
        seconds: that the program may run, answers to the checkers included.
        megabytes: of memory that it may have.

    Raises:
        InvalidInputError: the file cannot be graded.
    """
    program = read_program(path)
    asked = exercises_of(program)
    result = Grade()
    with tempfile.TemporaryDirectory() as folder, _started(Path(folder)) as (connection, process):
        guard = _Guard(process, seconds, megabytes)
        try:
            connection.send_bytes(json.dumps(program).encode())
            started = json.loads(_receive(connection, guard))
            result.errors, result.confined = started["errors"][:20], bool(started["confined"])
            for label in asked:
                result.verdicts[label] = _judge(label, connection, guard)
        except (EOFError, OSError, ValueError, KeyError, TypeError):
            guard.note("the program ended, or disturbed the connection to the checkers")
        finally:
            guard.end()
        result.stopped = guard.reason
    for label in asked:
        text = "Not checked, because the program was stopped."
        result.verdicts.setdefault(label, Verdict(_title(label), False, text))
    return result


def _title(label: str) -> str:
    return f"Exercise {find(label)[0]} ({label})"


def _judge(label: str, connection: Connection, guard: "_Guard") -> Verdict:
    import cloudpickle  # type: ignore[import-untyped]

    _, exercise = find(label)
    module = importlib.import_module(f"dpgcourse.exercises.{module_of(label)}")
    cloudpickle.register_pickle_by_value(module)

    def ask(name: str, use: Any, case: tuple, allowed: float) -> Outcome:
        connection.send_bytes(cloudpickle.dumps((label, name, use, case, allowed)))
        return decode(_receive(connection, guard))

    if isinstance(exercise, FunctionExercise):
        ask("", exercise.prepare, (), 0)
        return exercise.judge_values(
            _title(label), lambda case, left: ask(exercise.name, exercise.use, case, left + GRACE)
        )
    answers = {}
    for name in exercise.asked:
        outcome = ask(name, None, (), 1)
        answers[name] = None if outcome.problem else outcome.value
    return exercise.judge(_title(label), **answers)


def _receive(connection: Connection, guard: "_Guard") -> bytes:
    while not connection.poll(0.05):
        if guard.reason:
            raise EOFError
    return connection.recv_bytes(2 * LARGEST)


@contextlib.contextmanager
def _started(folder: Path) -> Iterator[tuple[Connection, subprocess.Popen]]:
    """The process that runs the program, in an empty folder of its own."""
    ours, theirs = multiprocessing.Pipe()
    environment = {
        **{name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ},
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLBACKEND": "agg",
        "OMP_NUM_THREADS": "1",
        **dict.fromkeys(("HOME", "TMPDIR", "TEMP", "MPLCONFIGDIR"), str(folder)),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "dpgcourse.exercises.answer_process", str(theirs.fileno())],
        cwd=folder,
        env=environment,
        pass_fds=(theirs.fileno(),),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    theirs.close()
    try:
        yield ours, process
    finally:
        ours.close()


class _Guard:
    """Watches the processes of a program, and stops them when they take too much."""

    def __init__(self, process: subprocess.Popen, seconds: float, megabytes: float):
        self.reason = ""
        self._process, self._end = process, time.monotonic() + seconds
        self._limits = (seconds, megabytes)
        self._done = threading.Event()
        self._adopt()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def note(self, reason: str) -> None:
        """Say why the program was stopped, if nothing has been said."""
        self.reason = self.reason or reason

    def end(self) -> None:
        """Stop watching, and kill what is left of the program."""
        self._done.set()
        self._thread.join()
        self._kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        _adopt_orphans(False)

    def _watch(self) -> None:
        seconds, megabytes = self._limits
        while not self._done.wait(0.05):
            family, used = self._family(), 0
            for member in family:
                with contextlib.suppress(psutil.Error):
                    used += member.memory_info().rss
            if time.monotonic() > self._end:
                self.note(f"the program took longer than {seconds:g} seconds")
            elif used > megabytes * MEGABYTE:
                self.note(f"the program used more than {megabytes:g} MB of memory")
            elif len(family) > PROCESSES:
                self.note(f"the program started more than {PROCESSES} processes")
            elif self._process.poll() is not None:
                self.note("the program ended its own process")
            if self.reason:
                self._kill()
                return

    def _family(self) -> list[psutil.Process]:
        """The process and all that it has started, also those that it has let go."""
        with contextlib.suppress(psutil.Error):
            own = psutil.Process()
            return [x for x in own.children(recursive=True) if x.pid not in self._before]
        return []

    def _adopt(self) -> None:
        """Let processes that the program lets go become children of this one, as Linux can."""
        started = {self._process.pid}
        self._before = {x.pid for x in psutil.Process().children(recursive=True)} - started
        _adopt_orphans(True)

    def _kill(self) -> None:
        for _ in range(20):  # a process may start another one meanwhile
            family = self._family()
            for member in family:
                with contextlib.suppress(psutil.Error, ChildProcessError):
                    member.kill()
                    if member.pid != self._process.pid:
                        os.waitpid(member.pid, os.WNOHANG)  # else a zombie stays
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.poll()
            if not [x for x in family if x.is_running() and x.status() != psutil.STATUS_ZOMBIE]:
                return
            time.sleep(0.02)


def _adopt_orphans(adopt: bool) -> None:
    """On Linux: whether processes that a child lets go become children of this process."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(36, int(adopt), 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
