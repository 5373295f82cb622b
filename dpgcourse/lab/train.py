"""Train one method for many seeds at once, with noiseless evaluations on a schedule."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from tqdm import tqdm

from dpgcourse.agent.by_hand import DDPGByHand
from dpgcourse.agent.ddpg import DDPGAgent, DDPGConfig
from dpgcourse.agent.replay import Replay
from dpgcourse.agent.seeding import streams
from dpgcourse.gradient.chain_rule import Squash
from dpgcourse.lab.diagnostics import Diagnostics
from dpgcourse.lab.env import make_envs
from dpgcourse.lab.evaluation import evaluate, reset_where
from dpgcourse.lab.finite import require_finite, require_finite_parameters
from dpgcourse.lab.memory import require_memory
from dpgcourse.lab.methods import METHODS


@dataclass(frozen=True)
class TrainConfig:
    """What to train, for how long, and how to measure it.

    Raises:
        ValueError: a value out of its range; the message names it and what is allowed.
    """

    env: str = "Pendulum-v1"
    """Gymnasium environment with a finite box of actions."""
    method: str = "ddpg"
    """Which agent, by its name in `dpgcourse.lab.methods`."""
    seeds: int = 10
    """Number of seeds, trained at once, >= 1."""
    first_seed: int = 0
    """The seeds are first_seed, first_seed + 1, ..., >= 0."""
    steps: int = 12_000
    """Environment steps per seed, warm-up included, >= 1."""
    warmup: int = 1_000
    """Steps of uniformly random actions before the first update, 1 <= warmup <= steps."""
    eval_every: int = 1_000
    """Steps between evaluations, 1 <= eval_every <= steps; steps must be a multiple of it."""
    eval_episodes: int = 10
    """Noiseless episodes per evaluation and seed, >= 1."""
    capacity: int | None = None
    """Transitions that the replay keeps per seed, the latest ones, >= 1; None keeps all."""
    compile: bool = False
    """Compile the update: up to a minute at its start, less time from then on; needs a C++
    compiler and an agent in PyTorch."""
    agent: DDPGConfig = field(default_factory=DDPGConfig)
    """Hyperparameters of the agent."""

    def __post_init__(self):
        for name, ok, allowed in (
            ("seeds", self.seeds >= 1, "1 or more"),
            ("first_seed", self.first_seed >= 0, "0 or more"),
            ("steps", self.steps >= 1, "1 or more"),
            ("warmup", 1 <= self.warmup <= self.steps, f"1 to steps = {self.steps}"),
            ("eval_every", 1 <= self.eval_every <= self.steps, f"1 to steps = {self.steps}"),
            ("eval_episodes", self.eval_episodes >= 1, "1 or more"),
            ("capacity", self.capacity is None or self.capacity >= 1, "1 or more, or None"),
        ):
            if not ok:
                raise ValueError(f"{name} is {getattr(self, name)}; allowed: {allowed}")
        if self.method not in METHODS:
            raise ValueError(f"method is {self.method!r}; allowed: {', '.join(METHODS)}")
        if self.compile and not hasattr(METHODS[self.method], "compile"):
            raise ValueError(f"compile is True; allowed: False for method {self.method!r}")
        if self.steps % self.eval_every:
            raise ValueError(
                f"steps is {self.steps}; allowed: a multiple of eval_every = {self.eval_every}, "
                "so that the last evaluation measures the final policy"
            )

    @property
    def seed_list(self) -> list[int]:
        """The seeds, in the order of every seeds axis."""
        return list(range(self.first_seed, self.first_seed + self.seeds))


@dataclass(frozen=True)
class Result:
    """What a training run left behind.

    Attributes:
        config: what was asked for.
        agent: the agents at the end, one per seed.
        steps: environment steps at each evaluation, (k,).
        returns: undiscounted return of every evaluation episode, (k, S, E).
        log: the quantities of `dpgcourse.lab.diagnostics` at each evaluation, (k, S) each.
    """

    config: TrainConfig
    agent: DDPGAgent | DDPGByHand
    steps: np.ndarray
    returns: np.ndarray
    log: dict[str, np.ndarray]

    @property
    def final(self) -> np.ndarray:
        """Mean return of each seed's last evaluation, (S,)."""
        return self.returns[-1].mean(-1)


def train(
    config: TrainConfig,
    on_evaluation: Callable[[int, np.ndarray, DDPGAgent], None] | None = None,
    agent_class: type[DDPGAgent | DDPGByHand] | None = None,
    progress: bool = False,
    on_log: Callable[[int, dict[str, np.ndarray]], None] | None = None,
) -> Result:
    """Train one agent per seed.

    Args:
        config: what to train.
        on_evaluation: called after each evaluation with the step, the returns (S, E) and the
            agent.
        agent_class: trained in place of ``config.method``, for a class that has no name there.
        progress: show a progress bar.
        on_log: called before ``on_evaluation`` with the step and what is logged then, (S,) each.

    Raises:
        ValueError: the environment is not allowed (see `make_env`); the run would not fit into
            memory.
        FloatingPointError: an action, a state or a reward, or at an evaluation a parameter or a
            logged quantity, is no longer finite; the message names it, the seed and the step.
    """
    require_memory(config)
    with np.errstate(over="ignore", invalid="ignore"):  # an error follows, which says more
        return _train(config, on_evaluation, agent_class, progress, on_log)


def _train(config, on_evaluation, agent_class, progress, on_log) -> Result:
    seeds = config.seed_list
    S = config.seeds
    envs, eval_envs = (make_envs(config.env, n) for n in (S, S * config.eval_episodes))
    rngs = streams(seeds)
    space = envs.single_action_space
    squash = Squash(space.low, space.high)
    (state_dim,) = envs.single_observation_space.shape
    agent = (agent_class or METHODS[config.method])(config.agent, state_dim, squash, rngs)
    if config.compile:
        agent.compile()
    capacity = min(config.capacity or config.steps, config.steps)
    replay = Replay(capacity, state_dim, len(squash.low), rngs.replay)

    s, _ = envs.reset(seed=rngs.environment)
    eval_envs.reset(
        seed=[seed + i for seed in rngs.evaluation for i in range(config.eval_episodes)]
    )
    measure = Diagnostics(agent)
    steps, returns, logs = [], [], []
    for t in tqdm(range(1, config.steps + 1), unit="step", disable=not progress):
        a = agent.random_action() if t <= config.warmup else agent.explore(s)
        require_finite("action", a, seeds, t)
        s_next, r, terminated, truncated, _ = envs.step(a.astype(space.dtype))
        require_finite("state", s_next, seeds, t)
        require_finite("reward", r, seeds, t)
        replay.add(s, a, r, s_next, agent.no_future(terminated, truncated))
        s = reset_where(envs, terminated | truncated, s_next)
        agent.noise.reset(terminated | truncated)
        if t > config.warmup:
            start = time.perf_counter()
            agent.update(replay.sample(config.agent.batch_size))
            if progress and config.compile and t == config.warmup + 1:
                tqdm.write(f"compiled in {time.perf_counter() - start:.0f} s", file=sys.stderr)
        if t % config.eval_every == 0:
            require_finite_parameters(agent, seeds, t)
            evaluation = evaluate(agent, eval_envs, seeds, t)
            steps.append(t)
            returns.append(evaluation.returns)
            logs.append(measure(replay, evaluation))
            for name, values in logs[-1].items():
                require_finite(name, values, seeds, t)
            if on_log:
                on_log(t, logs[-1])
            if on_evaluation:
                on_evaluation(t, returns[-1], agent)
    envs.close()
    eval_envs.close()
    log = {name: np.stack([entry[name] for entry in logs]) for name in logs[0]}
    return Result(config, agent, np.array(steps), np.stack(returns), log)
