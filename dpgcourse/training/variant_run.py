"""One variant of a study, trained in whichever process an engine has for it."""

import contextlib
import os
import sys
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cloudpickle  # type: ignore[import-untyped]
import gymnasium as gym
from filelock import FileLock, Timeout

from dpgcourse.agents.registry import ALGORITHMS, find_algorithm
from dpgcourse.envs.make import is_registered
from dpgcourse.errors import InvalidInputError, StorageError
from dpgcourse.training.checkpoint import checkpoint_files
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.divergence import DivergenceError
from dpgcourse.training.evaluation import EvaluationReport
from dpgcourse.training.loop import resume, train
from dpgcourse.training.record import read_record
from dpgcourse.training.record_writer import LOCK, remove_unfinished

_OWN_ERRORS = (DivergenceError, InvalidInputError, StorageError)
_WAIT = 60  # seconds until a process that was told to stop has saved its checkpoint


class RunFailedError(Exception):
    """A run raised something, or its process ended; another attempt may go well."""


@dataclass(frozen=True)
class Task:
    """A variant, with what another process needs to train it.

    Attributes:
        config: what is trained.
        partial: folder of the record, absolute: all workers must see it under this name.
    """

    config: TrainConfig
    partial: Path

    def pickled(self) -> bytes:
        """The task and what this process alone knows: registered names, command, folder."""
        names = [self.config.env, self.config.eval_env]
        known = {
            "algorithm": find_algorithm(self.config.algorithm),
            "specs": [gym.spec(n) for n in names if isinstance(n, str) and is_registered(n)],
            "argv": sys.argv,
            "folder": os.getcwd(),
        }
        return cloudpickle.dumps((self, known))


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        error: None if it is finished. `RunFailedError` stands for whatever the environment or the
            agent raised, which another process may not know.
        log: the error with its traceback.
        warnings: category and text of each.
    """

    error: Exception | None = None
    log: str = ""
    warnings: list[tuple[type[Warning], str]] = field(default_factory=list)


def run_pickled(task: bytes) -> Outcome:
    """Train a task of another process; every engine's workers call this."""
    found, known = cloudpickle.loads(task)
    sys.argv = known["argv"]  # the command that the record names
    with contextlib.suppress(OSError):
        os.chdir(known["folder"])
    ALGORITHMS.setdefault(known["algorithm"].name, known["algorithm"])
    for spec in known["specs"]:
        gym.registry.setdefault(spec.id, spec)
    return run_task(found)


def run_task(task: Task, callback: Callable[[EvaluationReport], None] | None = None) -> Outcome:
    """Train a variant, from its last checkpoint if there is one.

    Args:
        task: what to train.
        callback: called after each evaluation.
    """
    error: Exception | None = None
    log = ""
    with warnings.catch_warnings(record=True) as caught:
        try:
            _train_or_resume(task, callback)
        except _OWN_ERRORS as own:
            error, log = own, traceback.format_exc()
        except Exception as foreign:
            said = "".join(traceback.format_exception_only(foreign))
            error = RunFailedError(" ".join(said.split()))  # on one line
            log = traceback.format_exc()
    return Outcome(error, log, [(_category(w.category), str(w.message)) for w in caught])


def _category(category: type[Warning]) -> type[Warning]:
    """A category that every process knows."""
    known = category.__module__.partition(".")[0] in ("builtins", "dpgcourse")
    return category if known else UserWarning


def _train_or_resume(task: Task, callback: Callable[[EvaluationReport], None] | None) -> None:
    config, partial = task.config, task.partial
    _wait_for_others(partial)
    own_class = None if isinstance(config.algorithm, str) else config.algorithm
    with contextlib.suppress(InvalidInputError):
        if read_record(partial, own_class).steps[-1] == config.steps:
            return  # it was stopped after its last evaluation
    if checkpoint_files(partial):
        resume(
            partial,
            env=config.env,
            algorithm=config.algorithm,
            env_kwargs=config.env_kwargs,
            wrappers=config.wrappers,
            eval_env=config.eval_env,
            callback=callback,
        )
        return
    remove_unfinished(partial)
    train(config, out=partial, callback=callback)


def _wait_for_others(partial: Path) -> None:
    """Give the worker of a study that was killed the time to save and end."""
    if (partial / LOCK).exists():
        with contextlib.suppress(Timeout, OSError), FileLock(partial / LOCK, timeout=_WAIT):
            pass
