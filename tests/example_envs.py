"""Small environments that make a fault visible."""

import gymnasium as gym
import numpy as np


class Counter(gym.Env):
    """Every observation is a number never seen before; episodes end at random, in both ways."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (1,), np.float64)
    action_space = gym.spaces.Box(-1.0, 3.0, (1,), np.float32)
    ends: tuple[str, ...] = ("terminated", "truncated")

    def __init__(self):
        self.count = 0

    def _next(self):
        self.count += 1
        return np.array([float(self.count)])

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.count += 1000  # a reset is told from a step by its distance
        return self._next(), {}

    def step(self, action):
        assert self.action_space.contains(action), f"{action!r} is outside the box"
        end = self.np_random.choice(["", "", "", *self.ends])
        return self._next(), 1.0, end == "terminated", end == "truncated", {}


class Unbounded(Counter):
    action_space = gym.spaces.Box(-np.inf, np.inf, (1,), np.float32)


class Picture(Counter):
    observation_space = gym.spaces.Box(0, 255, (4, 4, 3), np.uint8)


class Raises(Counter):
    def step(self, action):
        raise RuntimeError("the motor is on fire")


class BadState(Counter):
    """Reaches a state that float32 cannot hold at its 45th step."""

    steps, ends = 0, ("truncated",)

    def step(self, action):
        self.steps += 1
        s, r, *rest = super().step(action)
        return (s * 1e300 if self.steps == 45 else s), r, *rest


class BadReward(BadState):
    def step(self, action):
        s, r, *rest = super().step(action)
        return np.minimum(s, 1e6), (np.nan if self.steps == 45 else r), *rest


def register():
    """Make them known to Gymnasium; registering twice is harmless."""
    for cls in (Counter, Unbounded, Picture, Raises, BadState, BadReward):
        name = f"{cls.__name__}-v0"
        if name not in gym.registry:
            gym.register(name, entry_point=cls, disable_env_checker=True)
