"""Environments of the field cases: `Task` and what users make of one."""

import os
import signal

import gymnasium as gym
import numpy as np


class Task(gym.Env):
    """A state that actions push, of which everything is fixed: every episode of a policy is equal.

    So what training measured, what `evaluate` says of the loaded agent and what `play` returns must
    be one number.
    """

    observation_space = gym.spaces.Box(-10, 10, (2,), np.float32)
    action_space = gym.spaces.Box(-1, 1, (1,), np.float32)
    start = (1.0, -0.5)
    limit = 10

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps, self.s = 0, np.array(self.start)
        return self.observation(), {}

    def step(self, action):
        assert action in self.action_space, f"{action!r} is outside {self.action_space}"
        self.steps += 1
        push = np.array([0.1, -0.2]) * np.sum(action, dtype=float)
        self.s = 0.9 * self.s + push
        return self.observation(), self.reward(action), *self.flags(), {}

    def observation(self):
        return self.s.astype(np.float32)

    def reward(self, action):
        return -float(self.s @ self.s)

    def flags(self):
        return False, self.steps >= self.limit


def variant(name="Variant", base=Task, **attributes):
    """A class that differs from another in some attributes."""
    return type(name, (base,), {"__module__": __name__, **attributes})


class WholeActions(Task):
    """Case 1: the reward is the whole number that was done."""

    action_space = gym.spaces.Box(0, 3, (1,), np.int32)

    def reward(self, action):
        return float(action[0])


class Endless(Task):
    """Case 4: no time limit and no end."""

    def flags(self):
        return False, False


class Arm(Task):
    """Case 12: the number of joints must be given."""

    def __init__(self, joints, gain=1.0):
        self.joints, self.gain = joints, gain
        self.action_space = gym.spaces.Box(-1, 1, (joints,), np.float32)

    def reward(self, action):
        return self.gain * super().reward(action)


class BadJoint(Task):
    """Case 6: the user's own error."""

    def step(self, action):
        raise ValueError("bad joint")


class FourValues(Task):
    def step(self, action):
        return super().step(action)[:4]


class NotANumber(Task):
    """Case 8: one reward in the warm-up is NaN."""

    def reward(self, action):
        return float("nan") if self.steps == 5 else 1.0


class FailsOnce(Task):
    """Case 7: the first run fails at its 20th step; later ones do not."""

    total, failed = 0, False

    def step(self, action):
        FailsOnce.total += 1
        if FailsOnce.total == 20 and not FailsOnce.failed:
            FailsOnce.failed = True
            raise OSError("the cable fell out")
        return super().step(action)


class Signals(Task):
    """Case 22: at some step of the process the signal in the environment variable comes."""

    total = 0

    def step(self, action):
        Signals.total += 1
        name, _, step = os.environ.get("FIELD_SIGNAL", "").partition(":")
        if name and Signals.total == int(step):
            os.kill(os.getpid(), getattr(signal, name))
        return super().step(action)


class Pictures(Task):
    """Case 5: rendering, in one of many ways."""

    frame = np.zeros((20, 30, 3), np.uint8)
    metadata = {"render_modes": ["rgb_array"], "render_fps": 25}  # noqa: RUF012

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def render(self):
        return self.frame


class Large(Task):
    """Case 3: the state s, uniform on [-1, 1], is observed as 10,000 s; the best action is s."""

    observation_space = gym.spaces.Box(-1e4, 1e4, (1,))
    scale = 1e4

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.s = self.np_random.uniform(-1, 1, 1)
        return self.observation(), {}

    def observation(self):
        return (self.scale * self.s).astype(np.float32)

    def step(self, action):
        return self.observation(), -float((action[0] - self.s[0]) ** 2), True, False, {}


class RunningScale(gym.ObservationWrapper):
    """Case 2: a normalization by hand, with statistics of its own."""

    def __init__(self, env):
        super().__init__(env)
        self.seen, self.largest = 0, 1e-8

    def observation(self, observation):
        self.seen += 1
        self.largest = max(self.largest, float(np.abs(observation).max()) * (1 + self.seen))
        return (observation / self.largest).astype(np.float32)


class Noise(gym.ObservationWrapper):
    """Remembers nothing, though no two episodes are equal."""

    def __init__(self, env):
        super().__init__(env)
        self.rng = np.random.default_rng(0)

    def observation(self, observation):
        return (observation + self.rng.normal(size=2)).astype(np.float32)


def rounded(env):
    """Case 1's remedy: whole actions behind a box of floats."""
    box = env.action_space
    floats = gym.spaces.Box(box.low.astype(np.float32), box.high.astype(np.float32))
    return gym.wrappers.TransformAction(env, lambda a: np.rint(a).astype(box.dtype), floats)


def bounded(env):
    """Case 23's remedy: an unbounded box behind a bounded one."""
    shape = env.action_space.shape
    return gym.wrappers.TransformAction(env, lambda a: a, gym.spaces.Box(-1, 1, shape))


def time_aware(env):
    return gym.wrappers.TimeAwareObservation(gym.wrappers.TimeLimit(env, 10))


def hundredth(env):
    return gym.wrappers.TransformReward(env, lambda r: 0.01 * r)


def register():
    """Make some of them known to Gymnasium."""
    for cls in (Task, WholeActions, Endless, Arm, BadJoint, FourValues, Pictures):
        name = f"Field{cls.__name__}-v0"
        if name not in gym.registry:
            gym.register(name, entry_point=f"{__name__}:{cls.__name__}")


register()
