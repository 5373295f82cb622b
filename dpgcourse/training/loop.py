"""Train one algorithm for many seeds at once, with noiseless evaluations on a schedule."""

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from dpgcourse.agents.base import flat_parameters
from dpgcourse.agents.normalization import NormalizedObservations
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.registry import find_algorithm, make_agent
from dpgcourse.agents.replay_buffer import ReplayBuffer
from dpgcourse.envs.checked_env import executed_action
from dpgcourse.envs.make import closing_after_error, make_vector_env
from dpgcourse.errors import InvalidInputError
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training.config import TrainConfig, make_config
from dpgcourse.training.diagnostics import Diagnostics
from dpgcourse.training.divergence import (
    FROM_ENVIRONMENT,
    FROM_INITIAL_POLICY,
    FROM_UPDATES,
    require_finite,
)
from dpgcourse.training.evaluation import (
    EvaluationReport,
    require_same_spaces,
    reset_where,
    run_episodes,
)
from dpgcourse.training.memory_estimate import require_memory
from dpgcourse.training.record_writer import RecordWriter
from dpgcourse.training.tensorboard import TensorBoardWriter

_SATURATED_SHARE = 0.95  # share of saturated actions, and
_LARGE_OBSERVATION = (
    100.0  # root mean square of the observations, that together are worth a warning
)


class SaturationWarning(UserWarning):
    """Policies are stuck at the bounds of the action box, and observations are large."""


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
        settings: fields of `TrainConfig` and of the algorithm's hyperparameters, such as
            ``num_seeds=3, steps=20_000, tau=0.02``.

    Raises:
        InvalidInputError: a setting, an environment or a folder that is not allowed; the run would
            not fit into memory. Nothing has been written then.
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
    state_dim, box = check_config(config)
    callbacks = [callback] if callback else []
    folder = None if out is None else Path(out)
    if tensorboard:
        if folder is None:
            raise InvalidInputError("tensorboard is True and out is None; allowed: with a folder")
        callbacks.insert(0, TensorBoardWriter(folder / "tensorboard", config))
    if folder is not None:
        callbacks.insert(0, RecordWriter(folder, config))
    with np.errstate(over="ignore", invalid="ignore"), one_thread():  # an error says more
        return _train(config, state_dim, box, callbacks, progress, folder)


def check_config(config: TrainConfig) -> tuple[int, ActionBox]:
    """Make the environments of a run once and estimate its memory.

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
    require_memory(config, state_dim, len(box.low))
    return state_dim, box


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread: these networks are too small to gain from a second one."""
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 1
    if torch:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if torch:
            torch.set_num_threads(threads)


def _train(config, state_dim, box, callbacks, progress, folder) -> Run:
    S, E = config.num_seeds, config.eval_episodes
    streams = random_streams(config.seeds)
    agent = make_agent(find_algorithm(config.algorithm), config.agent, state_dim, box, streams)
    if config.normalize_observations:
        agent = NormalizedObservations(agent)
    if config.compile:
        agent.compile()
    kwargs, wrappers = config.env_kwargs, config.wrappers
    envs: Any = make_vector_env(config.env, S, kwargs, wrappers)
    eval_env = config.env if config.eval_env is None else config.eval_env
    with closing_after_error(envs):
        eval_envs: Any = make_vector_env(eval_env, S * E, kwargs, wrappers)
    with closing_after_error(envs, eval_envs):
        steps, returns, log = _run_steps(
            config, agent, streams, envs, eval_envs, callbacks, progress
        )
    envs.close()
    eval_envs.close()
    return Run(config, agent, steps, returns, log, folder)


def _run_steps(config, agent, streams, envs, eval_envs, callbacks, progress):
    """Train and evaluate; the steps, the returns and the log of all evaluations."""
    seeds, E = config.seeds, config.eval_episodes
    space = envs.single_action_space
    require_same_spaces(agent, eval_envs.single_observation_space, eval_envs.single_action_space)
    capacity = min(config.buffer_size or config.steps, config.steps)
    replay = ReplayBuffer(capacity, agent.state_dim, agent.action_dim, streams.replay)

    s, _ = envs.reset(seed=streams.environment)
    require_finite("first state", s, seeds, 0, FROM_ENVIRONMENT)
    eval_envs.reset(seed=[seed + i for seed in streams.evaluation for i in range(E)])
    measure, reports = Diagnostics(agent), []
    bar = tqdm(range(1, config.steps + 1), unit="step", disable=not progress)
    for t in bar:
        learning = t > config.learning_starts
        agent.observe(s)
        a = agent.explore(s) if learning else agent.random_action()
        require_finite("action", a, seeds, t, FROM_UPDATES if learning else FROM_INITIAL_POLICY)
        a = executed_action(a, space)  # what is executed is what is stored
        s_next, r, terminated, truncated, _ = envs.step(a)
        require_finite("state", s_next, seeds, t, FROM_ENVIRONMENT)
        require_finite("reward", r, seeds, t, FROM_ENVIRONMENT)
        replay.add(s, a, r, s_next, agent.terminal_flags(terminated, truncated))
        ended = terminated | truncated
        s = reset_where(envs, ended, s_next)
        require_finite("first state", s, seeds, t, FROM_ENVIRONMENT)
        agent.noise.reset(ended)
        if learning:
            start = time.perf_counter()
            agent.update(replay.sample(config.agent.batch_size))
            if progress and config.compile and t == config.learning_starts + 1:
                tqdm.write(f"compiled in {time.perf_counter() - start:.0f} s", file=sys.stderr)
        if t % config.eval_every == 0 or t == config.steps:
            reports.append(_evaluated(agent, eval_envs, replay, measure, config, t))
            bar.set_postfix_str(f"return {reports[-1].returns.mean():.1f}")
            for callback in callbacks:
                callback(reports[-1])
    log = {name: np.stack([report.log[name] for report in reports]) for name in reports[0].log}
    if not config.normalize_observations:
        _warn_if_saturated(log, replay)
    steps = np.array([report.step for report in reports])
    return steps, np.stack([report.returns for report in reports]), log


def _evaluated(agent, envs, replay, measure, config: TrainConfig, step: int) -> EvaluationReport:
    """Evaluate and measure the agents after a step; nothing that is not finite gets through."""
    state = agent.state()
    for network in ("actor", "critic"):
        if (parameters := flat_parameters(state, network)) is not None:
            require_finite(network, parameters, config.seeds, step, FROM_UPDATES)
    evaluation = run_episodes(agent, envs, config.seeds, step, config.eval_max_steps)
    log = measure(replay, evaluation)
    for name, values in log.items():
        require_finite(name, values, config.seeds, step, FROM_UPDATES)
    return EvaluationReport(step, evaluation.returns, log, agent)


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
            stacklevel=5,
        )
