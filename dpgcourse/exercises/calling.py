"""Calls a reader's function, which may raise, never end, or change its inputs."""

import copy
import ctypes
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

SECONDS = 1.5  # for all calls of one check together
GRACE = 0.2  # seconds in which a function that is stopped may end


class _TimeUpError(BaseException):
    """Raised inside a function that takes too long."""


@dataclass(frozen=True)
class Outcome:
    """What became of a call.

    Attributes:
        value: what the function returned.
        problem: what went wrong, as a sentence; empty if nothing did.
    """

    value: Any = None
    problem: str = ""


def call(function: Callable, *arguments: Any, seconds: float = SECONDS) -> Outcome:
    """Call a function that may raise, never end, or change its inputs.

    The function runs in a thread of its own, with copies of the arguments. If it takes too long,
    an exception is raised inside it. A loop inside compiled code notices that only when it returns;
    then the thread is left behind, and ends with the process.
    """
    given = copy.deepcopy(arguments)
    result: list[Outcome] = []

    def run() -> None:
        try:
            result.append(Outcome(function(*given)))
        except _TimeUpError:
            pass
        except BaseException as error:  # also SystemExit: nothing may end the reader's session
            text = f": {error}".rstrip(" .:")
            result.append(Outcome(problem=f"Your function raised {type(error).__name__}{text}."))

    thread = threading.Thread(target=run, daemon=True, name="an answer")
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        number = ctypes.c_ulong(thread.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(_TimeUpError))
        thread.join(GRACE)
    if not result:
        late = f"Your function takes too long, and was stopped after {SECONDS:g} seconds"
        return Outcome(problem=f"{late}. Is there a loop that never ends?")
    if not result[0].problem and not _same(given, arguments):
        return Outcome(problem="Your function changes its inputs. Compute with a copy instead.")
    return result[0]


def _same(one: Any, other: Any) -> bool:
    """Whether arguments are equal, as far as arrays, tensors, numbers and lists of them go."""
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, np.ndarray) or hasattr(one, "detach"):
        one, other = (x.detach().numpy() if hasattr(x, "detach") else x for x in (one, other))
        return one.shape == other.shape and np.array_equal(one, other, equal_nan=True)
    if isinstance(one, (int, float, str)):
        return one == other
    return True  # a network or a generator may be there to be changed
