"""Noiseless episodes that measure a policy and leave its training alone."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Box, Space
from gymnasium.vector import VectorEnv

from dpgcourse.envs.checked_env import executed_action
from dpgcourse.envs.make import VECTORIZED, closing_after_error, make_vector_env
from dpgcourse.envs.sources import EnvSource, Wrapper
from dpgcourse.errors import InvalidInputError
from dpgcourse.training.divergence import FROM_ENVIRONMENT, FROM_UPDATES, require_finite

TRAINING_STARTS = 22_000
"""Seed of the first start state of every evaluation during training.

All seeds, evaluations and agents begin in the same states, so that no difference between two
numbers is one of luck in the starts. `evaluate` counts from 0. Ten starts can be easy or hard: on
the pendulum the near-optimal policy's mean return on ten of them has a standard deviation of 24.
These were chosen by that policy: on its first 10, 20, 50 and 100 starts it returns what it returns
on thousands, to within 6.
"""

_MAX_ENVS = 100  # environments at once in `evaluate`, which bounds its memory
_MAX_VECTORIZED_ENVS = 20_000  # copies that are computed together


class CutEpisodeWarning(UserWarning):
    """Episodes of an evaluation had no end, and were cut."""


class Evaluation(NamedTuple):
    """One evaluation of every seed, E episodes each.

    Attributes:
        returns: undiscounted returns, (S, E).
        discounted: discounted returns, (S, E).
        start_states: the states that the episodes began in, (S, E, d).
    """

    returns: np.ndarray
    discounted: np.ndarray
    start_states: np.ndarray


@dataclass(frozen=True)
class EvaluationReport:
    """What a callback of `dpgcourse.train` is told after each evaluation.

    Attributes:
        step: environment steps so far, per seed.
        returns: undiscounted return of every episode, (S, E).
        log: the quantities of `dpgcourse.training.diagnostics`, (S,) each.
        agent: the agents, one per seed; do not change them.
    """

    step: int
    returns: np.ndarray
    log: dict[str, np.ndarray]
    agent: Any


def evaluate(
    agent,
    env: EnvSource,
    episodes: int = 100,
    seed: int = 0,
    *,
    env_kwargs: Mapping[str, Any] | None = None,
    wrappers: Sequence[Wrapper] = (),
    max_steps: int = 10_000,
) -> np.ndarray:
    """Returns of noiseless episodes, from the same start states for every agent and every seed.

    Args:
        agent: S agents, one per seed; see `dpgcourse.load`.
        env: as for `dpgcourse.envs.make.make_env`.
        episodes: number E of episodes, >= 1.
        seed: of the first episode; episode i starts as the environment does with seed + i.
        env_kwargs: arguments of the environment's constructor.
        wrappers: of the environment.
        max_steps: an episode is cut after so many steps, >= 1.

    Returns:
        Undiscounted returns, (S, E), or (E,) of a single agent.

    Raises:
        InvalidInputError: a number out of its range, or an environment that is not allowed or has
            other states or actions than the agent.
        DivergenceError: an action, a state or a reward is not finite.
    """
    require_whole("episodes", episodes, 1)
    require_whole("seed", seed, 0)
    require_whole("max_steps", max_steps, 1)
    S = agent.num_seeds
    together = isinstance(env, str) and env in VECTORIZED and not env_kwargs and not wrappers
    E = min(episodes, max(1, (_MAX_VECTORIZED_ENVS if together else _MAX_ENVS) // S))
    parts = []
    for first in range(0, episodes, E):
        n = min(E, episodes - first)
        envs = make_vector_env(env, S * n, env_kwargs, wrappers)
        starts = [seed + first + i for i in range(n)] * S
        with closing_after_error(envs):
            require_same_spaces(agent, envs.single_observation_space, envs.single_action_space)
            evaluation = run_episodes(agent, envs, range(S), max_steps=max_steps, starts=starts)
        parts.append(evaluation.returns)
        envs.close()
    returns = np.concatenate(parts, axis=1)
    return returns if S > 1 else returns[0]


def require_whole(name: str, value: Any, low: int) -> None:
    """Check that a setting is a whole number and at least low.

    Raises:
        InvalidInputError: it is not.
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < low:
        raise InvalidInputError(f"{name} is {value!r}; allowed: a whole number, {low} or more")


def require_same_spaces(agent, observation_space: Space, action_space: Space) -> None:
    """Check that an agent fits an environment.

    Raises:
        InvalidInputError: the environment has states of another size, or other actions.
    """
    assert isinstance(action_space, Box)
    fits = (agent.state_dim,), (agent.action_dim,)
    found = observation_space.shape, action_space.shape
    if found != fits:
        raise InvalidInputError(
            f"env has observations {found[0]} and actions {found[1]}; allowed: {fits[0]} and "
            f"{fits[1]}, those that the agent was trained with"
        )
    low, high = action_space.low, action_space.high
    if not (np.allclose(agent.box.low, low) and np.allclose(agent.box.high, high)):
        raise InvalidInputError(
            f"env has actions from {low} to {high}; allowed: {agent.box.low} to {agent.box.high}, "
            "those that the agent was trained with"
        )


def run_episodes(
    agent,
    envs: VectorEnv,
    seeds: Sequence[int],
    step: int = 0,
    max_steps: int = 10_000,
    starts: Sequence[int] | None = None,
) -> Evaluation:
    """Run one noiseless episode in every copy of an environment.

    Args:
        agent: of S seeds.
        envs: S·E copies, the first E of them for the first seed.
        seeds: the S seeds, for messages.
        step: of the training, for messages.
        max_steps: an episode is cut after so many steps, with a warning.
        starts: seeds of the start states, (S·E,); default the next ones of each copy.

    Raises:
        DivergenceError: an action, a state or a reward is not finite.
    """
    S = len(seeds)
    first: Any = None if starts is None else list(starts)  # the base class knows one seed only
    s, _ = envs.reset(seed=first)
    require_finite("first state of an evaluation", s, seeds, step, FROM_ENVIRONMENT)
    start = s.reshape(S, -1, s.shape[-1]).copy()
    running = np.ones(envs.num_envs, dtype=bool)
    total, discounted = np.zeros(envs.num_envs), np.zeros(envs.num_envs)
    discount = 1.0
    for _ in range(max_steps):
        a = agent.act(s.reshape(start.shape)).reshape(envs.num_envs, -1)
        require_finite("action in an evaluation", a, seeds, step, FROM_UPDATES)
        s, r, terminated, truncated, _ = envs.step(executed_action(a, envs.single_action_space))
        require_finite("state in an evaluation", s, seeds, step, FROM_ENVIRONMENT)
        require_finite("reward in an evaluation", r, seeds, step, FROM_ENVIRONMENT)
        total += np.where(running, r, 0.0)
        discounted += discount * np.where(running, r, 0.0)
        discount *= agent.config.gamma
        ended = terminated | truncated
        running &= ~ended
        if ended.any():  # copies that are done run on, unrecorded
            s, _ = envs.reset(options={"reset_mask": ended})
        require_finite("first state of an evaluation", s, seeds, step, FROM_ENVIRONMENT)
        if not running.any():
            break
    else:
        warnings.warn(
            f"{running.sum()} of {len(running)} evaluation episodes were cut after {max_steps} "
            "steps; give the environment a time limit, or set eval_max_steps",
            CutEpisodeWarning,
            stacklevel=2,
        )
    return Evaluation(total.reshape(S, -1), discounted.reshape(S, -1), start)
