"""Train one algorithm for many seeds at once, with evaluations and checkpoints on a schedule."""

import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from dpgcourse.agents.replay_buffer import ReplayBuffer
from dpgcourse.envs.make import make_vector_env
from dpgcourse.errors import InvalidInputError
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training.checkpoint import Checkpoint, read_checkpoint
from dpgcourse.training.config import TrainConfig, make_config
from dpgcourse.training.description import config_from, describe, require_stored
from dpgcourse.training.evaluation import EvaluationReport, require_whole
from dpgcourse.training.memory_estimate import require_memory
from dpgcourse.training.reading import understanding
from dpgcourse.training.record_writer import RecordWriter
from dpgcourse.training.stopping import StopRequest
from dpgcourse.training.tensorboard import TensorBoardWriter
from dpgcourse.training.training_state import TrainingState

_SATURATED_SHARE = 0.95  # share of saturated actions, and
_LARGE_OBSERVATION = (
    100.0  # root mean square of the observations, that together are worth a warning
)


class SaturationWarning(UserWarning):
    """Policies are stuck at the bounds of the action box, and observations are large."""


class ResumeWarning(UserWarning):
    """A run that was resumed differs from one that was never interrupted."""


@dataclass(frozen=True)
class Run:
    """What a training run left behind.

    Attributes:
        config: what was asked for.
        agent: the agents at the end, one per seed.
        steps: environment steps at each evaluation, (k,).
        returns: undiscounted return of every evaluation episode, (k, S, E).
        log: the quantities of `dpgcourse.training.diagnostics` at each evaluation, (k, S) each.
        folder: of the record, if one was written.
    """

    config: TrainConfig
    agent: Any
    steps: np.ndarray
    returns: np.ndarray
    log: dict[str, np.ndarray]
    folder: Path | None = None

    @property
    def final_returns(self) -> np.ndarray:
        """Mean return of each seed's last evaluation, (S,)."""
        return self.returns[-1].mean(-1)


def train(
    env: Any = "Pendulum-v1",
    algorithm: str | Callable[..., Any] = "ddpg",
    *,
    out: str | Path | None = None,
    callback: Callable[[EvaluationReport], None] | None = None,
    progress: bool = False,
    tensorboard: bool = False,
    checkpoint_every: int | None = None,
    keep_checkpoints: int = 2,
    **settings: Any,
) -> Run:
    """Train one agent per seed, all seeds at once.

    Args:
        env: a registered name, "module:Name", a class, a function or an instance; or a whole
            `TrainConfig`, and then no settings.
        algorithm: a name that ``dpgcourse list`` shows, or an agent class or factory of your own.
        out: folder for a record of the run, new or empty, since nothing is overwritten; default
            none.
        callback: called after each evaluation.
        progress: show a progress bar with the latest return, the speed and the time left.
        tensorboard: write the record's numbers for TensorBoard too; needs ``out``.
        checkpoint_every: steps between checkpoints of the record, from which `resume` goes on;
            default after every evaluation. Ctrl-C and SIGTERM write one more. They hold the replay
            buffer, and are removed when the run is finished.
        keep_checkpoints: how many are kept, >= 1.
        settings: fields of `TrainConfig` and of the algorithm's hyperparameters, such as
            ``num_seeds=3, steps=20_000, tau=0.02``.

    Raises:
        InvalidInputError: a setting, an environment or a folder that is not allowed; the run would
            not fit into memory. Nothing has been written then.
        StorageError: the record cannot be written, for example because the disk is full.
        DivergenceError: a number is NaN or infinite; the message names it, the seed, the step and
            the cause. Actions, states and rewards are checked at every step, parameters and logged
            quantities at every evaluation. The record keeps the evaluations before.
        Exception: whatever the environment or the agent raises.
    """
    if isinstance(env, TrainConfig):
        if settings or algorithm != "ddpg":
            given = ", ".join([*settings, *(["algorithm"] if algorithm != "ddpg" else [])])
            raise InvalidInputError(f"env is a TrainConfig; allowed: no further settings ({given})")
        config = env
    else:
        config = make_config(env, algorithm, **settings)
    options = _Options(callback, progress, tensorboard, checkpoint_every, keep_checkpoints)
    return _run(config, None if out is None else Path(out), options)


def resume(
    folder: str | Path,
    *,
    step: int | None = None,
    env: Any = None,
    algorithm: str | Callable[..., Any] | None = None,
    env_kwargs: Mapping[str, Any] | None = None,
    wrappers: Sequence[Any] | None = None,
    eval_env: Any = None,
    callback: Callable[[EvaluationReport], None] | None = None,
    progress: bool = False,
    checkpoint_every: int | None = None,
    keep_checkpoints: int = 2,
) -> Run:
    """Go on with a run that was interrupted, as if nothing had happened.

    Weights, returns and logs become those of a run that was never interrupted, bit for bit. A
    warning says where an environment cannot be brought back to where it was.

    Args:
        folder: the record of the run.
        step: of the checkpoint to go on from; default the latest.
        env: the environment, once more, if it is not registered in this process or has wrappers of
            another module: a record alone must not choose which code runs.
        algorithm: the agent class, if it is not known in this process.
        env_kwargs: arguments of the environment, if the record could not store them.
        wrappers: of the environment, if the record could not store them.
        eval_env: environment of the evaluations, if the record could not store it.
        callback: as in `train`, called after the evaluations that follow.
        progress: as in `train`.
        checkpoint_every: as in `train`.
        keep_checkpoints: as in `train`.

    Raises:
        InvalidInputError: the folder holds no checkpoint, a damaged one, or one of another
            configuration; something that the record cannot name is missing.
        Exception: as `train`.
    """
    folder = Path(folder)
    checkpoint = read_checkpoint(folder, step)
    assert checkpoint.path is not None
    with understanding(checkpoint.path):
        config, _, _ = config_from(checkpoint.config, repr(str(folder)), algorithm)
    given = {"env": env, "env_kwargs": env_kwargs, "wrappers": wrappers, "eval_env": eval_env}
    given = {name: value for name, value in given.items() if value is not None}
    require_stored(config, {*given})
    config = replace(config, **given)
    options = _Options(callback, progress, None, checkpoint_every, keep_checkpoints)
    return _run(config, folder, options, checkpoint)


@dataclass(frozen=True)
class _Options:
    """What a run does beside training; None for tensorboard: as before."""

    callback: Callable[[EvaluationReport], None] | None
    progress: bool
    tensorboard: bool | None
    checkpoint_every: int | None
    keep_checkpoints: int


def check_config(
    config: TrainConfig, recorded: bool = False, here: bool = True
) -> tuple[int, ActionBox]:
    """Make the environments of a run once and estimate its memory.

    Args:
        config: of the run.
        recorded: whether it writes a record.
        here: whether it needs the memory of this machine.

    Returns:
        The length of a state, and the bounds of the actions.

    Raises:
        InvalidInputError: an environment that is not allowed, an evaluation environment with other
            spaces, or more memory than there is.
    """

    def spaces_of(env: Any) -> tuple[Any, Any]:
        envs = make_vector_env(env, 1, config.env_kwargs, config.wrappers)
        envs.close()
        return envs.single_observation_space, envs.single_action_space

    spaces = spaces_of(config.env)
    if config.eval_env is not None:
        other = spaces_of(config.eval_env)
        same_actions = all(
            np.array_equal(getattr(other[1], bound), getattr(spaces[1], bound))
            for bound in ("low", "high")
        )
        if other[0].shape != spaces[0].shape or not same_actions:
            raise InvalidInputError(
                f"eval_env has observations {other[0]} and actions {other[1]}; allowed: "
                f"{spaces[0]} and {spaces[1]}, those of env"
            )
    (state_dim,), box = spaces[0].shape, ActionBox(spaces[1].low, spaces[1].high)
    if here:
        require_memory(config, state_dim, len(box.low), recorded)
    return state_dim, box


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch and NumPy use one thread.

    These networks are too small to gain from a second one, and the number of threads changes how
    NumPy's products are rounded: results would depend on the number of cores.
    """
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 1
    if torch:
        torch.set_num_threads(1)
    try:
        with threadpool_limits(1, user_api="blas"):
            yield
    finally:
        if torch:
            torch.set_num_threads(threads)


def _run(
    config: TrainConfig, folder: Path | None, options: _Options, start: Checkpoint | None = None
) -> Run:
    """Train from the beginning or from a checkpoint."""
    require_whole("keep_checkpoints", options.keep_checkpoints, 1)
    if options.checkpoint_every is not None:
        require_whole("checkpoint_every", options.checkpoint_every, 1)
    state_dim, box = check_config(config, folder is not None)
    with ExitStack() as stack:
        callbacks = [options.callback] if options.callback else []
        tensorboard = options.tensorboard
        if tensorboard is None:
            tensorboard = folder is not None and (folder / "tensorboard").is_dir()
        if tensorboard:
            if folder is None:
                raise InvalidInputError(
                    "tensorboard is True and out is None; allowed: with a folder"
                )
            first = None if start is None else start.step + 1
            callbacks.insert(0, TensorBoardWriter(folder / "tensorboard", config, first))
        writer = None
        if folder is not None:
            writer = stack.enter_context(RecordWriter(folder, config, start is not None))
            callbacks.insert(0, writer)
        stack.enter_context(np.errstate(over="ignore", invalid="ignore"))  # an error says more
        stack.enter_context(one_thread())
        state = stack.enter_context(TrainingState(config, state_dim, box))
        if start is not None:
            assert writer is not None
            _go_back(state, writer, start)
        _advance(state, callbacks, writer, options)
        if state.reports and not config.normalize_observations:
            _warn_if_saturated(state.log, state.replay)
        return Run(config, state.agent, state.steps, state.returns, state.log, folder)


def _go_back(state: TrainingState, writer: RecordWriter, start: Checkpoint) -> None:
    """Bring a run and its record to where a checkpoint was made."""
    assert start.path is not None
    with understanding(start.path):
        stored, made = start.config, describe(state.config, state.agent)
        for name in ("state_dim", "action_low", "action_high"):
            if made[name] != stored[name]:
                raise InvalidInputError(f"{name} is {stored[name]}, and of the environment "
                                        f"{made[name]}")  # fmt: skip
        policy_state = state.load_checkpoint(start)
    came_back = state.bring_environments_back(start)
    writer.go_back(start.step, state.reports, policy_state)
    if not came_back:
        warnings.warn(
            "the environment did not come back to the state that it was left in, since it draws "
            "random numbers from elsewhere than its own generator, or remembers earlier episodes; "
            "the run goes on with new episodes, and differs from one that was not interrupted",
            ResumeWarning,
            stacklevel=5,
        )


def _advance(state: TrainingState, callbacks, writer: RecordWriter | None, options) -> None:
    """Train and evaluate until the last step, or until a signal asks to stop."""
    config, every = state.config, options.checkpoint_every
    assert config.learning_starts is not None
    bar = tqdm(initial=state.step, total=config.steps, unit="step", disable=not options.progress)
    with bar, StopRequest(active=writer is not None) as stop:
        while state.step < config.steps:
            start = time.perf_counter()
            state.advance()
            if options.progress and config.compile and state.step == config.learning_starts + 1:
                tqdm.write(f"compiled in {time.perf_counter() - start:.0f} s", file=sys.stderr)
            due = state.step % every == 0 if every else state.evaluation_is_due
            if state.evaluation_is_due:
                report = state.evaluate()
                bar.set_postfix_str(f"return {report.returns.mean():.1f}")
                for callback in callbacks:
                    callback(report)
            bar.update()
            unfinished = state.step < config.steps
            if writer is not None and unfinished and (due or stop.signal is not None):
                writer.checkpoint(state.agent, state.checkpoint(), options.keep_checkpoints)
            if stop.signal is not None and unfinished:
                return
        if writer is not None:
            writer.finish()


def _warn_if_saturated(log: dict[str, np.ndarray], replay: ReplayBuffer) -> None:
    """Name the usual cause of policies that stay at the bounds of the action box."""
    s = replay.transitions_at(np.linspace(0, replay.size - 1, min(256, replay.size)).astype(int)).s
    size = np.sqrt(np.mean(np.square(s, dtype=np.float64)))
    stuck = (log["saturation"][-1] > _SATURATED_SHARE).sum()
    if stuck and size > _LARGE_OBSERVATION:
        warnings.warn(
            f"{stuck} of {len(s)} policies ask for a bound of the action box in more than "
            f"{_SATURATED_SHARE:.0%} of the states (saturation), where gradients vanish. "
            f"Observations are large, about {size:.1g}: try normalize_observations",
            SaturationWarning,
            stacklevel=4,
        )
