"""Train every environment with every algorithm and every combination of settings, for all seeds.

A study comes from options or from a file, which holds the same names::

    out = "runs/targets"
    envs = ["Pendulum-v1", "LQR-v0"]
    algorithms = ["ddpg", "td3"]
    num_seeds = 5
    steps = 20_000

    [vary]
    tau = [0.01, 1.0]

| name | is |
|---|---|
| ``out`` | the folder, see `dpgcourse.training.study_folder` |
| ``envs``, ``algorithms`` | lists |
| ``vary`` | setting -> the values that it takes; all combinations are trained |
| ``preset`` | published settings to begin with |
| ``engine``, ``jobs``, ``address``, ``retries``, ``progress`` | as in `run_study` |
| any other | a setting that all variants share, as for `dpgcourse.training.config.make_config` |

One run is one variant with all its seeds side by side. Every engine trains it by the same function
on one core, so results do not depend on the engine: they are equal, bit for bit, on machines with
the same kind of processor. Seeds of one variant are not spread over workers, because torch rounds a
seed's numbers differently if other seeds run beside it.
"""

import warnings
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any

from dpgcourse.agents.config import is_integer
from dpgcourse.errors import InvalidInputError, StorageError
from dpgcourse.training import ray_engine
from dpgcourse.training.engines import ENGINES, Engine, InProcess, LocalProcesses, usable_cores
from dpgcourse.training.loop import check_config
from dpgcourse.training.memory_estimate import estimate_memory, require_memory_together
from dpgcourse.training.study_folder import StudyFolder
from dpgcourse.training.study_progress import StudyProgress
from dpgcourse.training.variant_run import Outcome, RunFailedError, Task
from dpgcourse.training.variants import Variant, study_variants

_POLL = 0.5  # seconds between two looks at how far the runs are


def run_study(
    out: str | Path,
    *,
    envs: Sequence[Any] | None = None,
    algorithms: Sequence[Any] | None = None,
    vary: Mapping[str, Sequence[Any]] | None = None,
    preset: str | None = None,
    engine: str = "local",
    jobs: int | None = None,
    address: str | None = None,
    retries: int = 1,
    progress: bool = False,
    command: str = "dpgcourse.study",
    **settings: Any,
) -> list[str]:
    """Train every variant that is not finished.

    The content of a study file can be given as it is: ``run_study(**tomllib.load(file))``.

    Args:
        out: folder, new or begun by an earlier call. All workers must see it.
        envs: environments, as for `train`; default the setting ``env`` alone.
        algorithms: names, or agent classes; default that of the preset, else ddpg.
        vary: setting -> the values that it takes.
        preset: published settings to begin with.
        engine: "local" or "ray".
        jobs: most runs at a time; default one for each core. One job of the local engine runs in
            this process.
        address: of a Ray cluster; default a Ray of its own on this machine.
        retries: how often a run that failed goes on from its last checkpoint. A run that diverged
            does not, since it would diverge again.
        progress: show a progress bar and a line for each event.
        command: stored in the folder.
        settings: what all variants share, as for `make_config`.

    Returns:
        One line for each run that failed; its record up to there stays, as partial.

    Raises:
        InvalidInputError: a setting or an environment that is not allowed; the folder holds
            something that is not a study, or a variant of the same name and another configuration;
            Ray is not there. Nothing has been written then.
        StorageError: the disk is full. What had been finished stays.
    """
    _require(engine, jobs, address, retries, progress)
    variants = study_variants(envs, algorithms, vary, preset, **settings)
    with StudyFolder(out) as folder:
        todo = [variant for variant in variants if not folder.is_finished(variant)]
        for variant in todo:
            folder.require_own(variant)
        _require_possible(todo, jobs or usable_cores(), here=address is None)
        shown = StudyProgress(folder, variants, progress)
        for variant in variants:
            if variant not in todo:
                shown.say(f"{variant.name}: finished before, skipped")
        if not todo:
            folder.note(variants, command)
            folder.write_results(variants)
            return []
        with _engine(engine, jobs, address, len(todo), shown) as chosen, shown:
            folder.note(variants, command)
            try:
                return _train(todo, chosen, retries, folder, shown)
            finally:
                folder.write_results(variants)


def _require(engine: Any, jobs: Any, address: Any, retries: Any, progress: Any) -> None:
    for name, value, ok, allowed in (
        ("engine", engine, engine in ENGINES, " or ".join(ENGINES)),
        ("jobs", jobs, jobs is None or is_integer(jobs, 1), "a whole number, 1 or more"),
        ("address", address, address is None or isinstance(address, str), "host:port"),
        ("retries", retries, is_integer(retries, 0), "a whole number, 0 or more"),
        ("progress", progress, isinstance(progress, bool), "true or false"),
    ):
        if not ok:
            raise InvalidInputError(f"{name} is {value!r}; allowed: {allowed}")
    if address is not None and engine != "ray":
        raise InvalidInputError(f"address is {address!r}; allowed: with engine ray")


def _require_possible(variants: Sequence[Variant], jobs: int, here: bool) -> None:
    """Check the environments of all runs and, if they run here, their memory."""
    needed = []
    for variant in variants:
        state_dim, box = check_config(variant.config, True, here)
        needed.append(estimate_memory(variant.config, state_dim, len(box.low), True))
    if here:
        require_memory_together(needed, min(jobs, max(1, len(needed))))


def _engine(
    name: str, jobs: int | None, address: str | None, runs: int, shown: StudyProgress
) -> Engine:
    if name == "ray":
        return ray_engine.Ray(jobs, address)
    slots = min(jobs or usable_cores(), runs)
    if slots == 1:
        return InProcess(lambda report: shown.refresh())
    return LocalProcesses(slots)


def _train(
    variants: Sequence[Variant],
    engine: Engine,
    retries: int,
    folder: StudyFolder,
    shown: StudyProgress,
) -> list[str]:
    """Train variants, as many at a time as the engine has slots; one line for each that failed."""
    waiting = deque(variants)
    running: dict[Future[Outcome], Variant] = {}
    attempts = {variant.name: 0 for variant in variants}
    failures: list[str] = []
    while waiting or running:
        while waiting and len(running) < engine.slots:
            variant = waiting.popleft()
            attempts[variant.name] += 1
            running[engine.submit(Task(variant.config, folder.partial(variant.name)))] = variant
        done, _ = wait(running, timeout=_POLL, return_when=FIRST_COMPLETED)
        for future in done:
            variant = running.pop(future)
            name, outcome = variant.name, _outcome(future)
            for category, text in outcome.warnings:
                warnings.warn(f"{name}: {text}", category, stacklevel=3)
            if outcome.error is None:
                folder.finish(name)
                shown.say(f"{name}: finished")
                continue
            if isinstance(outcome.error, StorageError):
                raise outcome.error
            log = folder.log(name, outcome.log or str(outcome.error))
            said = f"{name}: {outcome.error}; log: {log}"
            if isinstance(outcome.error, RunFailedError) and attempts[name] <= retries:
                shown.say(f"{said}; it goes on from its last checkpoint")
                waiting.append(variant)
            else:
                shown.say(f"{said}; not tried again")
                failures.append(said)
        shown.refresh()
    return failures


def _outcome(future: Future[Outcome]) -> Outcome:
    try:
        return future.result()
    except RunFailedError as lost:
        return Outcome(lost)
