"""An environment that breaks on request; the environment variable BREAK says how, and a file how
often it still does."""

import os
import signal
from pathlib import Path

import gymnasium as gym
from gymnasium.envs.classic_control import PendulumEnv


class Fragile(PendulumEnv):
    """A pendulum that fails at its 13th step, as often as the file has lines."""

    steps = 0

    def step(self, action):
        self.steps += 1
        if self.steps == 1:
            print("it swings", flush=True)  # which must not disturb what a worker reports
        if self.steps == 13 and (path := Path(os.environ["BREAK"])).exists():
            how, *rest = path.read_text().splitlines()
            if rest:
                path.write_text("\n".join(rest))
            else:
                path.unlink()
            if how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise RuntimeError("the motor is on fire\nand so is the table")
        return super().step(action)


def make():
    """With episodes of 7 steps."""
    return gym.wrappers.TimeLimit(Fragile(), 7)


class Announcing(PendulumEnv):
    """A pendulum that makes a file at its 20th step, one in each process."""

    steps = 0

    def step(self, action):
        self.steps += 1
        if self.steps == 20:
            Path(f"{os.environ['BREAK']}.{os.getpid()}").touch()
        return super().step(action)


def make_announcing():
    """With episodes of 50 steps."""
    return gym.wrappers.TimeLimit(Announcing(), 50)
