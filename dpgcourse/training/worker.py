"""A worker process of a study: ``python -m dpgcourse.training.worker``.

Pickled tasks come in on the standard input, outcomes go out on the standard output. The end of the
input stops the worker, after the step that it is in and with a checkpoint. So it also ends when
the process that started it was killed.
"""

import _thread
import contextlib
import os
import pickle
import queue
import signal
import sys
import threading
from types import FrameType

from dpgcourse.training.variant_run import run_pickled


def main() -> None:
    """Train tasks until the input ends."""
    outcomes = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what an environment prints is no outcome
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where Ctrl-C reaches it in spite of its session
    signal.signal(signal.SIGTERM, _stop)
    tasks: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=[tasks], daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        while (task := tasks.get()) is not None:
            pickle.dump(run_pickled(task), outcomes)
            outcomes.flush()


def _read(tasks: queue.SimpleQueue[bytes | None]) -> None:
    """Pass tasks on, and stop what is being trained when there will be no more."""
    with contextlib.suppress(EOFError):
        while True:
            tasks.put(pickle.load(sys.stdin.buffer))
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - the process that started this one speaks
    tasks.put(None)
    _thread.interrupt_main(signal.SIGTERM)


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
