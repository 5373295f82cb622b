"""The runs of a study on Ray: on this machine, or on a cluster at an address.

All machines of the cluster need this package, and must see the folder of the study under the same
path.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future
from typing import Any

from dpgcourse.errors import InvalidInputError
from dpgcourse.training.engines import say_that_runs_stop, usable_cores
from dpgcourse.training.variant_run import Outcome, RunFailedError, Task, run_pickled

_ANSWER = 30.0  # seconds in which a cluster must answer
_SAVE = 60.0  # seconds until a run that is told to stop has saved its checkpoint
_QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}


class Ray:
    """Ray's workers, one core each.

    Args:
        jobs: most runs at a time; default as many as there are cores, on a cluster no limit.
        address: of a cluster, such as "10.0.0.1:6379" or "auto"; default a Ray of its own on this
            machine, which ends with the study, or the one that this process has begun.

    Raises:
        InvalidInputError: Ray is not installed, or the address does not answer.
    """

    def __init__(self, jobs: int | None = None, address: str | None = None):
        try:
            import ray
        except ImportError:
            raise InvalidInputError(
                "engine is 'ray', which is not installed; allowed: after "
                'pip install "dpgcourse[ray]"'
            ) from None
        self._ray = ray
        self._own = not ray.is_initialized()
        cores = jobs or usable_cores()
        if self._own and address is None:
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
            self._start(address="local", num_cpus=cores, include_dashboard=False)
            self.slots = cores
        else:
            if self._own and address is not None:
                _require_answer(address)
                self._start(address=address)
            self.slots = jobs or sys.maxsize
        self._train = ray.remote(num_cpus=1, max_retries=0)(run_pickled)
        self._running: list[Any] = []

    def _start(self, **options: Any) -> None:
        """Begin, and keep what the user's process does when it is told to stop."""
        before = signal.getsignal(signal.SIGTERM)
        self._ray.init(**options, **_QUIET)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)

    def submit(self, task: Task) -> Future[Outcome]:
        """Let Ray find a worker for a task."""
        future: Future[Outcome] = Future()
        reference = self._train.remote(task.pickled())
        self._running.append(reference)

        def done(inner: Future[Outcome]) -> None:
            self._running.remove(reference)
            try:
                future.set_result(inner.result())
            except Exception as error:  # all that Ray raises of a worker that it has lost
                future.set_exception(RunFailedError(f"Ray: {str(error).splitlines()[0]}"))

        reference.future().add_done_callback(done)
        return future

    def __enter__(self) -> "Ray":
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        say_that_runs_stop(kind)
        try:
            for reference in [*self._running]:
                self._ray.cancel(reference)  # as Ctrl-C would
            if self._running:
                self._ray.wait([*self._running], num_returns=len(self._running), timeout=_SAVE)
        finally:
            if self._own:
                self._ray.shutdown()


def _require_answer(address: str) -> None:
    """Check that a cluster answers, in a process of its own: Ray ends the process if it does not.

    Raises:
        InvalidInputError: it does not.
    """
    code = f"import ray, sys; ray.init(address=sys.argv[1], **{_QUIET})"
    command = [sys.executable, "-c", code, address]
    said = f"no answer in {_ANSWER:.0f} seconds"
    with contextlib.suppress(subprocess.TimeoutExpired):
        tried = subprocess.run(command, capture_output=True, text=True, timeout=_ANSWER)
        if tried.returncode == 0:
            return
        said = (tried.stderr.strip().splitlines() or [said])[-1]
        if "InvalidAuthToken" in tried.stderr:
            said = "it asks for a token; RAY_AUTH_MODE=token sends the one in ~/.ray/auth_token"
    raise InvalidInputError(
        f"address is {address!r}, where no Ray cluster can be reached: {said}; allowed: the "
        "address of one that runs, or none"
    )
