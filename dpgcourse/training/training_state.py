"""One training run in progress: everything that changes from step to step."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dpgcourse.agents.base import flat_parameters
from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.n_step import NStepReplayBuffer
from dpgcourse.agents.normalization import NormalizedObservations
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.registry import find_algorithm, make_agent
from dpgcourse.agents.replay_buffer import ReplayBuffer
from dpgcourse.envs.checked_env import executed_action
from dpgcourse.envs.episodes import Episodes
from dpgcourse.envs.make import close_quietly, closing_after_error, make_vector_env
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training.checkpoint import Checkpoint
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.description import describe
from dpgcourse.training.diagnostics import QUANTITIES, Diagnostics
from dpgcourse.training.divergence import (
    FROM_ENVIRONMENT,
    FROM_INITIAL_POLICY,
    FROM_UPDATES,
    require_finite,
)
from dpgcourse.training.evaluation import (
    TRAINING_STARTS,
    EvaluationReport,
    require_same_spaces,
    run_episodes,
)


class TrainingState:
    """Agents, environments, replay buffer and measurements of one run; a context manager.

    Args:
        config: what to train.
        state_dim: d.
        box: bounds of the actions, (m,).

    Attributes:
        step: environment steps taken, per seed.
        agent: S agents.
        s: the states that the agents act in next, (S, d).
        reports: the evaluations so far.

    Raises:
        InvalidInputError: what the settings name cannot be made.
        DivergenceError: a first state is not finite.
    """

    def __init__(self, config: TrainConfig, state_dim: int, box: ActionBox):
        assert config.agent is not None
        self.config = config
        self.streams = random_streams(config.seeds)
        agent = make_agent(
            find_algorithm(config.algorithm), config.agent, state_dim, box, self.streams
        )
        self.agent = NormalizedObservations(agent) if config.normalize_observations else agent
        if config.device != "cpu":
            self.agent.to(config.device)
        if config.compile:
            self.agent.compile()
        S, E = config.num_seeds, config.eval_episodes
        kwargs, wrappers = config.env_kwargs, config.wrappers
        self.envs: Any = make_vector_env(config.env, S, kwargs, wrappers)
        eval_env = config.env if config.eval_env is None else config.eval_env
        with closing_after_error(self.envs):
            self.eval_envs: Any = make_vector_env(eval_env, S * E, kwargs, wrappers)
        with closing_after_error(self.envs, self.eval_envs):
            spaces = self.eval_envs.single_observation_space, self.eval_envs.single_action_space
            require_same_spaces(self.agent, *spaces)
            self.replay = self._empty_replay()
            self.episodes = Episodes(self.envs, self.streams.environment)
            self.measure = Diagnostics(self.agent)
            self.reports: list[EvaluationReport] = []
            self.step = 0
            self.s = self._checked_start(self.episodes.reset())

    def __enter__(self) -> "TrainingState":
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        if kind is None:
            self.envs.close()
            self.eval_envs.close()
        else:
            close_quietly(self.envs, self.eval_envs)

    def _empty_replay(self) -> ReplayBuffer:
        config, agent = self.config, self.agent
        capacity = min(config.buffer_size or config.steps, config.steps)
        sizes = capacity, agent.state_dim, agent.action_dim, self.streams.replay
        if isinstance(config.agent, DDPGConfig) and config.agent.n_step > 1:
            return NStepReplayBuffer(config.agent.n_step, config.agent.gamma, *sizes)
        if config.device == "cpu" or config.normalize_observations:
            return ReplayBuffer(*sizes)
        from dpgcourse.agents.device_replay_buffer import DeviceReplayBuffer  # needs torch

        return DeviceReplayBuffer(config.device, *sizes)

    def _checked_start(self, s: np.ndarray) -> np.ndarray:
        require_finite("first state", s, self.config.seeds, self.step, FROM_ENVIRONMENT)
        return s

    def advance(self) -> None:
        """One environment step of every seed and, once learning has started, one update.

        Raises:
            DivergenceError: an action, a state or a reward is not finite.
        """
        self.step += 1
        config, agent, s, t = self.config, self.agent, self.s, self.step
        seeds, learning = config.seeds, self.learning
        agent.observe(s)
        a = agent.explore(s) if learning else agent.random_action()
        require_finite("action", a, seeds, t, FROM_UPDATES if learning else FROM_INITIAL_POLICY)
        a = executed_action(a, self.envs.single_action_space)  # what is executed is what is stored
        s_next, r, terminated, truncated = self.episodes.step(a)
        require_finite("state", s_next, seeds, t, FROM_ENVIRONMENT)
        require_finite("reward", r, seeds, t, FROM_ENVIRONMENT)
        self.replay.add(s, a, r, s_next, agent.terminal_flags(terminated, truncated))
        ended = terminated | truncated
        self.replay.mark_ends(ended)
        self.s = self._checked_start(self.episodes.reset_where(ended, s_next))
        agent.noise.reset(ended)
        if learning:
            agent.update(self.replay.sample(agent.config.batch_size))

    @property
    def learning(self) -> bool:
        """Whether the latest step came after ``learning_starts``."""
        assert self.config.learning_starts is not None
        return self.step > self.config.learning_starts

    @property
    def evaluation_is_due(self) -> bool:
        """Whether the agents are evaluated after the latest step."""
        assert self.config.eval_every is not None
        return self.step % self.config.eval_every == 0 or self.step == self.config.steps

    def evaluate(self) -> EvaluationReport:
        """Evaluate and measure the agents; nothing that is not finite gets through.

        Raises:
            DivergenceError: a parameter, a return or a measured quantity is not finite.
        """
        agent, config, step = self.agent, self.config, self.step
        state = agent.state()
        for network in ("actor", "critic"):
            if (parameters := flat_parameters(state, network)) is not None:
                require_finite(network, parameters, config.seeds, step, FROM_UPDATES)
        starts = [TRAINING_STARTS + i for i in range(config.eval_episodes)] * config.num_seeds
        evaluation = run_episodes(
            agent, self.eval_envs, config.seeds, step, config.eval_max_steps, starts
        )
        log = self.measure(self.replay, evaluation)
        for name, values in log.items():
            require_finite(name, values, config.seeds, step, FROM_UPDATES)
        self.reports.append(EvaluationReport(step, evaluation.returns, log, agent))
        return self.reports[-1]

    @property
    def steps(self) -> np.ndarray:
        """Environment steps at each evaluation, (k,)."""
        return np.array([report.step for report in self.reports], dtype=np.int64)

    @property
    def returns(self) -> np.ndarray:
        """Undiscounted returns of all evaluations, (k, S, E)."""
        shape = -1, self.config.num_seeds, self.config.eval_episodes
        return np.array([report.returns for report in self.reports]).reshape(shape)

    @property
    def log(self) -> dict[str, np.ndarray]:
        """The measured quantities, (k, S) each."""
        names = self.reports[0].log if self.reports else ()
        return {name: np.stack([report.log[name] for report in self.reports]) for name in names}

    def checkpoint(self) -> Checkpoint:
        """Everything that a later process needs to go on from here, bit for bit."""
        parts: dict[str, Mapping[str, np.ndarray]] = {
            "agent": self.agent.state(),
            "measured": self.measure.state_before,
            "noise": self.agent.noise.state(),
            "replay": self.replay.state(),
            "episodes": self.episodes.state(),
            "log": self.log,
            "run": {"s": self.s, "steps": self.steps, "returns": self.returns},
        }
        arrays = {
            f"{part}/{name}": np.asarray(value)
            for part, values in parts.items()
            for name, value in values.items()
        }
        numbers = {"streams": self.streams.state()}
        return Checkpoint(self.step, describe(self.config, self.agent), arrays, numbers)

    def load_checkpoint(self, checkpoint: Checkpoint) -> dict[str, np.ndarray]:
        """Go to where a run of the same configuration was, but for its environments.

        Returns:
            The agent's `policy_state` at its latest evaluation.

        Raises:
            InvalidInputError: the checkpoint belongs to another agent.
            KeyError, TypeError, ValueError: it lacks something, or has other sizes.
        """
        parts = _parts(checkpoint)
        self.agent.load_state(parts["measured"])
        self.measure.remember()
        evaluated = self.agent.policy_state()
        self.agent.load_state(parts["agent"])
        self.agent.noise.load_state(parts.get("noise", {}))
        self.replay.load_state(parts["replay"])
        self.step = checkpoint.step
        run, log = parts["run"], parts.get("log", {})
        self.reports = [
            EvaluationReport(
                int(step), returns, {n: log[n][k] for n in QUANTITIES if n in log}, self.agent
            )
            for k, (step, returns) in enumerate(zip(run["steps"], run["returns"], strict=True))
        ]
        self.streams.load_state(checkpoint.numbers["streams"])
        return evaluated

    def bring_environments_back(self, checkpoint: Checkpoint) -> bool:
        """Play the running episodes of a checkpoint again.

        Returns:
            Whether every environment came back to the state that it was left in. If not, every
            environment begins a new episode.

        Raises:
            Exception: whatever the environment raises.
        """
        parts = _parts(checkpoint)
        s = self.episodes.load_state(parts["episodes"])
        came_back = np.array_equal(s, parts["run"]["s"], equal_nan=True)
        if not came_back:  # what comes next in the replay does not follow from what is there
            self.replay.mark_ends(np.ones(self.config.num_seeds, dtype=bool))
        self.s = self._checked_start(s if came_back else self.episodes.reset())
        return came_back


def _parts(checkpoint: Checkpoint) -> dict[str, dict[str, np.ndarray]]:
    """The arrays of a checkpoint, by what they belong to."""
    parts: dict[str, dict[str, np.ndarray]] = {}
    for name, value in checkpoint.arrays.items():
        part, _, rest = name.partition("/")
        parts.setdefault(part, {})[rest] = value
    return parts
