"""Who takes part in the benchmarks: each is a function of a number of updates.

Everybody trains DDPG with the same networks, batch and one update per step. An agent-step is one
environment step of one agent with everything that belongs to it: exploration, environment, replay
and update. Steps before learning starts, evaluation and compilation are not in it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym

from benchmarks.plain_loop import train_plainly
from dpgcourse.agents.config import DDPGConfig
from dpgcourse.training.loop import train

Contender = Callable[[int], float]
"""From a number of updates to agent-steps per second."""

_WARM_UP = 20  # updates that compile, or fill caches, and are not timed


@dataclass(frozen=True)
class Task:
    """What everybody trains on.

    Attributes:
        env: its registered name.
        width: of both hidden layers.
        batch_size: of an update.
        learning_starts: random steps before.
    """

    env: str = "Pendulum-v1"
    width: int = 64
    batch_size: int = 64
    learning_starts: int = 200

    @property
    def config(self) -> DDPGConfig:
        """The hyperparameters."""
        return DDPGConfig(hidden_sizes=(self.width, self.width), batch_size=self.batch_size)


PENDULUM = Task()
HALF_CHEETAH = Task("HalfCheetah-v5", 256, 256, 300)


def ours(agent_class: type, seeds: int, compiled: bool = False, task: Task = PENDULUM) -> Contender:
    """The given agents through the package's own training loop."""

    def agent_steps_per_second(updates: int) -> float:
        times = []

        class Timed(agent_class):
            def observe(self, s):  # the first call of every step
                super().observe(s)
                times.append(time.perf_counter())

        steps = task.learning_starts + _WARM_UP + updates
        train(
            env=task.env,
            algorithm=Timed,
            num_seeds=seeds,
            steps=steps,
            learning_starts=task.learning_starts,
            eval_every=steps,
            eval_episodes=1,
            compile=compiled,
            hidden_sizes=task.config.hidden_sizes,
            batch_size=task.batch_size,
        )
        return seeds * (updates - 1) / (times[-1] - times[-updates])

    return agent_steps_per_second


def plain_loop(task: Task = PENDULUM) -> Contender:
    """A single file of eager PyTorch, one environment, one agent."""

    def agent_steps_per_second(updates: int) -> float:
        env = gym.make(task.env)
        times = train_plainly(env, task.config, task.learning_starts, _WARM_UP + updates)
        env.close()
        return (updates - 1) / (times[-1] - times[-updates])

    return agent_steps_per_second


def stable_baselines3(library: Any) -> Contender:
    """Stable-Baselines3, or SBX, its port to JAX, with the settings of `DDPGConfig`."""
    from stable_baselines3.common.callbacks import BaseCallback

    class Stamps(BaseCallback):
        def __init__(self):
            super().__init__()
            self.times = []

        def _on_step(self) -> bool:
            self.times.append(time.perf_counter())
            return True

    def agent_steps_per_second(updates: int) -> float:
        config, stamps = PENDULUM.config, Stamps()
        model = library.DDPG(
            "MlpPolicy",
            PENDULUM.env,
            learning_rate=config.critic_lr,
            batch_size=config.batch_size,
            gamma=config.gamma,
            tau=config.tau,
            learning_starts=PENDULUM.learning_starts,
            train_freq=1,
            gradient_steps=1,
            policy_kwargs={"net_arch": list(config.hidden_sizes)},
            device="cpu",
            seed=0,
        )
        model.learn(PENDULUM.learning_starts + _WARM_UP + updates, callback=stamps)
        return (updates - 1) / (stamps.times[-1] - stamps.times[-updates])

    return agent_steps_per_second


def one_jax_program(seeds: int) -> Contender:
    """Everything in one compiled loop of JAX, the environment and the replay too."""
    from benchmarks.jax_loop import train_in_one_program

    def agent_steps_per_second(updates: int) -> float:
        _, seconds, _ = train_in_one_program(seeds, PENDULUM.learning_starts, updates)
        return seeds * updates / seconds

    return agent_steps_per_second
