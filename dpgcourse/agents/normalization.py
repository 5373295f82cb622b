"""Observations scaled by their running mean and standard deviation, around any agent."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dpgcourse.agents.base import Agent, State
from dpgcourse.agents.batch import Batch
from dpgcourse.errors import InvalidInputError

_MAX_DEVIATIONS = 10.0  # standard deviations
_MIN_DEVIATION = 1e-8
_STATISTICS = ("mean", "square_sum", "count")


class NormalizedObservations(Agent):
    """An agent that sees (s − mean) / deviation, clipped to ±10, of the states met so far.

    The replay buffer keeps the states as the environment gave them; they are scaled with the
    statistics of the moment when they are sampled. Training, evaluation and loaded agents share the
    statistics, one set per seed, because they are part of the agent's state.

    Args:
        agent: the agent that acts and learns on scaled states.

    Source: Welford (1962) for the running mean and variance.
    """

    def __init__(self, agent: Agent):
        self.agent = agent
        super().__init__(agent.config, agent.state_dim, agent.box, agent.streams)
        shape = self.num_seeds, self.state_dim
        self.mean, self.square_sum = np.zeros(shape), np.zeros(shape)
        self.count = np.zeros(self.num_seeds)

    def make_noise(self) -> Any:
        """The exploration noise of the agent inside."""
        return self.agent.noise

    def observe(self, s: np.ndarray) -> None:
        """Take one state per seed, (S, d), into the statistics."""
        self.count += 1
        delta = s - self.mean
        self.mean += delta / self.count[:, None]
        self.square_sum += delta * (s - self.mean)

    def normalize(self, s) -> np.ndarray:
        """States (S, B, d) as the agent inside sees them."""
        count = np.maximum(self.count, 1)[:, None, None]
        deviation = np.sqrt(self.square_sum[:, None] / count)
        scaled = (s - self.mean[:, None]) / np.where(deviation > _MIN_DEVIATION, deviation, 1.0)
        return np.clip(scaled, -_MAX_DEVIATIONS, _MAX_DEVIATIONS)

    def policy(self, s: np.ndarray) -> np.ndarray:
        """Noiseless actions (S, B, m) for states (S, B, d)."""
        return self.agent.policy(self.normalize(s))

    def act(self, observation) -> np.ndarray:
        """Noiseless actions, shapes as in `Agent.act`; executed as the agent inside executes."""
        return self._for_every_seed(observation, lambda s: self.agent.act(self.normalize(s)))

    def explore(self, s: np.ndarray) -> np.ndarray:
        """Noisy actions (S, m) for one state per seed (S, d)."""
        return self.agent.explore(self.normalize(s[:, None])[:, 0])

    def random_action(self) -> np.ndarray:
        """Random actions (S, m), as the agent inside draws them."""
        return self.agent.random_action()

    def terminal_flags(self, terminated: np.ndarray, truncated: np.ndarray) -> np.ndarray:
        """As the agent inside says."""
        return self.agent.terminal_flags(terminated, truncated)

    def update(self, batch: Batch) -> None:
        """Learn from a batch, its states scaled."""
        scaled = {"s": self.normalize(batch.s), "s_next": self.normalize(batch.s_next)}
        self.agent.update(batch._replace(**scaled))

    def q(self, s: np.ndarray, a: np.ndarray) -> np.ndarray:
        """Values Q(s,a), (S, B)."""
        return self.agent.q(self.normalize(s), a)

    def dq_da(self, s: np.ndarray, a: np.ndarray) -> np.ndarray:
        """Action gradients ∇_aQ(s,a), (S, B, m)."""
        return self.agent.dq_da(self.normalize(s), a)

    def bootstrap_value(self, s_next: np.ndarray) -> np.ndarray:
        """The value that targets give to states (S, B, d): (S, B)."""
        return self.agent.bootstrap_value(self.normalize(s_next))

    def policy_snapshot(self) -> Callable[[np.ndarray], np.ndarray]:
        """The present `policy` and statistics, as a function that later updates do not change."""
        inner, still = self.agent.policy_snapshot(), copy.copy(self)
        still.mean, still.square_sum = self.mean.copy(), self.square_sum.copy()
        still.count = self.count.copy()
        return lambda s: inner(still.normalize(s))

    def _statistics(self) -> State:
        return {f"observations.{name}": getattr(self, name).copy() for name in _STATISTICS}

    def policy_state(self) -> State:
        """What acting needs: the policy inside, and the statistics."""
        return {**self.agent.policy_state(), **self._statistics()}

    def state(self) -> State:
        """The state of the agent inside, and the statistics."""
        return {**self.agent.state(), **self._statistics()}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` or `policy_state` returned.

        Raises:
            InvalidInputError: the arrays are those of another agent, or hold no statistics.
        """
        inner = {name: x for name, x in state.items() if not name.startswith("observations.")}
        found = {name: state.get(f"observations.{name}") for name in _STATISTICS}
        for name, value in found.items():
            shape = getattr(self, name).shape
            if value is None or np.shape(value) != shape:
                given = "missing" if value is None else f"of shape {np.shape(value)}"
                raise InvalidInputError(f"observations.{name} is {given}; allowed: {shape}")
        self.agent.load_state(inner)
        for name, value in found.items():
            setattr(self, name, np.array(value, dtype=np.float64))

    def to(self, device: str) -> None:
        """Move the agent inside; the statistics stay where the environments are."""
        self.agent.to(device)

    def compile(self) -> None:
        """Compile the agent inside."""
        self.agent.compile()
