import random

import gymnasium as gym
import numpy as np
import pytest

from dpgcourse.envs.wrapper_memory import check_wrappers_are_stateless
from dpgcourse.errors import InvalidInputError
from tests.field_cases import field_envs
from tests.field_cases.field_envs import Task, variant


class Remembers(gym.Wrapper):
    """Rewards grow from episode to episode."""

    episodes = 0

    def reset(self, **kwargs):
        self.episodes += 1
        return super().reset(**kwargs)

    def step(self, action):
        s, r, *rest = super().step(action)
        return s, r * self.episodes, *rest


class Counts(gym.Wrapper):
    """Counts, and changes nothing."""

    steps = 0

    def step(self, action):
        self.steps += 1
        return super().step(action)


def test_a_wrapper_that_remembers_episodes_is_found_wherever_it_is():
    for env in (
        Remembers(Task()),
        field_envs.RunningScale(Task()),
        Counts(Remembers(Counts(Task()))),
        gym.wrappers.TimeLimit(Remembers(Task()), 5),
    ):
        culprit = "RunningScale" if isinstance(env, field_envs.RunningScale) else "Remembers"
        with pytest.raises(InvalidInputError, match=f"{culprit}, which remembers"):
            check_wrappers_are_stateless(env, "mine")


class RandomPush(gym.Wrapper):
    """Draws a number at every reset and keeps it, from a generator or from NumPy's global one."""

    def __init__(self, env, rng):
        super().__init__(env)
        self.rng = rng

    def reset(self, **kwargs):
        self.push = self.rng.uniform(1, 2)
        return super().reset(**kwargs)

    def step(self, action):
        s, *rest = super().step(action)
        return s * self.push, *rest


def test_others_are_left_alone():
    drifts = variant(reset=lambda self, **k: (np.random.default_rng().normal(size=2), {}))
    fails = variant(step=lambda self, action: 1 / 0)
    for env in (
        Task(),
        Counts(Task()),
        field_envs.Noise(Task()),
        RandomPush(Task(), np.random.default_rng(0)),
        RandomPush(Task(), np.random.RandomState(0)),
        RandomPush(Task(), random.Random(0)),
        RandomPush(Task(), random),
        Counts(drifts()),
        Counts(fails()),
        gym.wrappers.RecordEpisodeStatistics(Task()),
    ):
        check_wrappers_are_stateless(env, "mine")
