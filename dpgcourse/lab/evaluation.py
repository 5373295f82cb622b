"""Noiseless episodes that measure a policy and leave its training alone."""

from typing import NamedTuple

import numpy as np
from gymnasium.vector import VectorEnv

from dpgcourse.lab.finite import require_finite


class Evaluation(NamedTuple):
    """One evaluation of every seed, E episodes each.

    Attributes:
        returns: undiscounted returns, (S, E).
        discounted: discounted returns, (S, E).
        start: the states that the episodes began in, (S, E, d).
    """

    returns: np.ndarray
    discounted: np.ndarray
    start: np.ndarray


def evaluate(agent, envs: VectorEnv, seeds: list[int], step: int) -> Evaluation:
    """Run one noiseless episode in every copy of the environment.

    Args:
        agent: of S seeds.
        envs: S·E copies, the first E of them for the first seed.
        seeds: the S seeds.
        step: of the training, for messages.

    Raises:
        FloatingPointError: an action, a state or a reward is no longer finite.
    """
    S = len(seeds)
    s, _ = envs.reset()
    start = s.reshape(S, -1, s.shape[-1])
    running = np.ones(envs.num_envs, dtype=bool)
    total, discounted = np.zeros(envs.num_envs), np.zeros(envs.num_envs)
    discount = 1.0
    while running.any():
        a = agent.act(s.reshape(start.shape)).reshape(envs.num_envs, -1)
        require_finite("action in an evaluation", a, seeds, step)
        s, r, terminated, truncated, _ = envs.step(a.astype(envs.single_action_space.dtype))
        require_finite("state in an evaluation", s, seeds, step)
        require_finite("reward in an evaluation", r, seeds, step)
        total += np.where(running, r, 0.0)
        discounted += discount * np.where(running, r, 0.0)
        discount *= agent.config.gamma
        ended = terminated | truncated
        running &= ~ended
        s = reset_where(envs, ended, s)  # copies that are done run on, unrecorded
    return Evaluation(total.reshape(S, -1), discounted.reshape(S, -1), start)


def reset_where(envs: VectorEnv, ended: np.ndarray, s: np.ndarray) -> np.ndarray:
    """The states to act in next: fresh ones where an episode has ended."""
    if not ended.any():
        return s
    fresh, _ = envs.reset(options={"reset_mask": ended})
    return fresh
