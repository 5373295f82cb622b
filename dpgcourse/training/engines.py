"""Where the runs of a study are trained: in this process, in others, or on a Ray cluster.

An engine takes tasks and gives futures of their outcomes. Leaving it stops its workers: a run that
is going on saves a checkpoint first.
"""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from dpgcourse.training.evaluation import EvaluationReport
from dpgcourse.training.variant_run import Outcome, RunFailedError, Task, run_task

ENGINES = ("local", "ray")


class Engine(Protocol):
    """What a study needs of an engine, which is a context manager.

    Attributes:
        slots: how many tasks it may hold at a time.
    """

    slots: int

    def submit(self, task: Task) -> Future[Outcome]:
        """Begin a task; the future raises `RunFailedError` if its worker is lost."""
        ...

    def __enter__(self) -> "Engine": ...

    def __exit__(self, *_: Any) -> None: ...


class InProcess:
    """One task at a time, in this process.

    Args:
        callback: called after each evaluation.
    """

    slots = 1

    def __init__(self, callback: Callable[[EvaluationReport], None] | None = None):
        self.callback = callback

    def submit(self, task: Task) -> Future[Outcome]:
        """Train now; the future is done."""
        future: Future[Outcome] = Future()
        future.set_result(run_task(task, self.callback))
        return future

    def __enter__(self) -> "InProcess":
        return self

    def __exit__(self, *_: Any) -> None:
        pass


class LocalProcesses:
    """Worker processes of one thread each, on this machine.

    Args:
        slots: number of processes.
    """

    def __init__(self, slots: int):
        self.slots = slots
        self._threads = ThreadPoolExecutor(slots)  # each waits for one worker
        self._idle: list[subprocess.Popen[bytes]] = []
        self._all: list[subprocess.Popen[bytes]] = []
        self._starting, self._stopped = threading.Lock(), False

    def submit(self, task: Task) -> Future[Outcome]:
        """Give a task to an idle worker, or to a new one."""
        return self._threads.submit(self._run, task.pickled())

    def _run(self, task: bytes) -> Outcome:
        worker = self._idle_worker() or self._start()
        assert worker.stdin is not None and worker.stdout is not None
        try:
            pickle.dump(task, worker.stdin)
            worker.stdin.flush()
            outcome = pickle.load(worker.stdout)
        except (OSError, ValueError, EOFError):
            raise RunFailedError(f"its process {_ending(worker.wait())}") from None
        except Exception as error:
            worker.kill()
            raise RunFailedError(f"its process gave no outcome: {error}") from None
        self._idle.append(worker)
        return outcome

    def _idle_worker(self) -> subprocess.Popen[bytes] | None:
        while self._idle:
            if (worker := self._idle.pop()).poll() is None:
                return worker
        return None

    def _start(self) -> subprocess.Popen[bytes]:
        places = [place or os.getcwd() for place in sys.path]
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        with self._starting:
            if self._stopped:
                raise RunFailedError("the study was stopped")
            worker = subprocess.Popen(
                [sys.executable, "-P", "-m", "dpgcourse.training.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **one_thread, "PYTHONPATH": os.pathsep.join(places)},
                start_new_session=True,  # Ctrl-C is for this process alone
            )
            self._all.append(worker)
        return worker

    def __enter__(self) -> "LocalProcesses":
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        say_that_runs_stop(kind)
        with self._starting:
            self._stopped = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        try:
            for worker in self._all:  # the end of its input tells a worker to stop
                assert worker.stdin is not None
                with contextlib.suppress(OSError):
                    worker.stdin.close()
            for worker in self._all:
                worker.wait()
        except KeyboardInterrupt:  # once more: at once
            for worker in self._all:
                worker.kill()
            raise
        finally:
            self._threads.shutdown()
            for worker in self._all:
                assert worker.stdout is not None
                worker.stdout.close()


def say_that_runs_stop(kind: type[BaseException] | None) -> None:
    """Tell the user what happens after Ctrl-C."""
    if kind is not None and issubclass(kind, KeyboardInterrupt):
        print("\nstopping: the runs save checkpoints; once more stops at once", file=sys.stderr)


def _ending(status: int) -> str:
    """How a process ended, in words."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
