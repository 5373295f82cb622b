"""The contract between an agent and whatever trains, evaluates, measures or stores it.

An `Agent` object is a group of S agents, one per seed, that act and learn side by side. Every array
that enters or leaves it has the seeds in its first axis; S = 1 for a single agent.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from dpgcourse.agents.batch import Batch
from dpgcourse.agents.config import AgentConfig
from dpgcourse.agents.noise import GaussianNoise, OrnsteinUhlenbeckNoise
from dpgcourse.agents.random_streams import RandomStreams
from dpgcourse.errors import InvalidInputError
from dpgcourse.gradient.action_box import ActionBox

State = dict[str, np.ndarray]


class Agent(ABC):
    """S agents of one algorithm. Your own agent is a subclass with these methods:

    | method | does |
    |---|---|
    | `policy` | the noiseless actions μ(s) |
    | `update` | learns from one batch |
    | `state`, `load_state` | what was learned, as arrays, and the way back |
    | `q`, `dq_da` | Q(s,a) and ∇_aQ, for diagnostics; leave them out if there is no critic |

    Everything else has a default that may be replaced. The constructor takes the four arguments
    below and no others, because the training loop calls it with them. After ``learning_starts``
    steps the loop calls `update` once per environment step.

    Hyperparameters of your own are a frozen dataclass, ``class MyConfig(AgentConfig)`` with
    ``rate: float = 0.02``. Set ``config_class = MyConfig``, and ``train(..., rate=0.05)`` fills it.

    Args:
        config: hyperparameters.
        state_dim: d, the length of a state.
        box: bounds of the actions, (m,).
        streams: random generators, one per seed for each purpose; their number is S. Draw the
            initial weights of seed i from ``streams.weights[i]``.

    Attributes:
        config_class: what `config` is made of, an `AgentConfig` or a subclass with more fields.
        noise: exploration noise: ``noise()`` is the noise of one step, (S, m).
    """

    config_class: ClassVar[type[AgentConfig]] = AgentConfig

    def __init__(self, config: AgentConfig, state_dim: int, box: ActionBox, streams: RandomStreams):
        self.config: Any = config
        self.state_dim, self.box, self.streams = state_dim, box, streams
        self.noise = self.make_noise()

    @property
    def num_seeds(self) -> int:
        """S, the number of seeds."""
        return len(self.streams.exploration)

    @property
    def action_dim(self) -> int:
        """m, the length of an action."""
        return len(self.box.low)

    @abstractmethod
    def policy(self, s: np.ndarray) -> np.ndarray:
        """Noiseless actions (S, B, m) for states (S, B, d)."""

    @abstractmethod
    def update(self, batch: Batch) -> None:
        """Learn from a batch of B transitions per seed; its fields are arrays (S, B, ...)."""

    @abstractmethod
    def state(self) -> State:
        """Copies of everything learned: name -> array with the seeds in the first axis.

        Give the parameters of the policy names that begin with "actor.", those of Q "critic.".
        Arrays with other names are stored too, but the diagnostics do not measure them.
        """

    @abstractmethod
    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` or `policy_state` returned.

        Raises:
            InvalidInputError: the arrays are those of another agent; `require_shapes` finds out.
        """

    def q(self, s: np.ndarray, a: np.ndarray) -> np.ndarray:
        """Values Q(s,a), (S, B), of states (S, B, d) and actions (S, B, m).

        Raises:
            NotImplementedError: this agent has no critic.
        """
        raise NotImplementedError(f"{type(self).__name__} has no critic")

    def dq_da(self, s: np.ndarray, a: np.ndarray) -> np.ndarray:
        """Action gradients ∇_aQ(s,a), (S, B, m), at states (S, B, d) and actions (S, B, m).

        Raises:
            NotImplementedError: this agent has no critic.
        """
        raise NotImplementedError(f"{type(self).__name__} has no critic")

    def act(self, observation) -> np.ndarray:
        """Noiseless actions for one observation, a batch, or a batch per seed.

        Args:
            observation: (d,), (B, d) or (S, B, d).

        Returns:
            (m,), (B, m) or (S, B, m). With S > 1 seeds, an observation without a seeds axis is
            answered by every seed: (S, m) or (S, B, m).

        Raises:
            InvalidInputError: another shape.
        """
        return self._for_every_seed(observation, self.policy)

    def _for_every_seed(self, observation, policy: Callable[[np.ndarray], np.ndarray]):
        """What a policy for states (S, B, d) answers to any observation that `act` allows."""
        s = np.asarray(observation)
        S, d = self.num_seeds, self.state_dim
        if not 1 <= s.ndim <= 3 or s.shape[-1] != d or (s.ndim == 3 and len(s) != S):
            raise InvalidInputError(
                f"observation has shape {s.shape}; allowed: ({d},), (B, {d}) or ({S}, B, {d})"
            )
        if s.ndim == 3:
            return policy(s)
        a = policy(np.tile(s.reshape(-1, d), (S, 1, 1)))
        a = a if s.ndim == 2 else a[:, 0]
        return a if S > 1 else a[0]

    def explore(self, s: np.ndarray) -> np.ndarray:
        """Noisy actions (S, m), clipped to the box, for one state per seed (S, d)."""
        a = self.act(s[:, None])[:, 0]
        return (a + self.noise()).clip(self.box.low, self.box.high)

    def random_action(self) -> np.ndarray:
        """Actions (S, m) drawn uniformly from the box, for the steps before learning starts."""
        low, high = self.box.low, self.box.high
        return np.stack([rng.uniform(low, high) for rng in self.streams.exploration])

    def make_noise(self) -> GaussianNoise:
        """The exploration noise that the configuration names."""
        config, rngs = self.config, self.streams.exploration
        deviation = config.sigma * self.box.half_range
        if config.noise_type == "gaussian":
            return GaussianNoise(deviation, rngs)
        theta = config.ou_theta
        return OrnsteinUhlenbeckNoise(np.sqrt(2 * theta) * deviation, rngs, theta)

    def terminal_flags(self, terminated: np.ndarray, truncated: np.ndarray) -> np.ndarray:
        """What the replay buffer stores as ends of the task, (S,): terminations alone.

        Truncated episodes still bootstrap: a time limit ends the episode, not the task.

        Source: Pardo et al. (2018), §3.
        """
        return terminated

    def observe(self, s: np.ndarray) -> None:  # noqa: B027 - a default that does nothing
        """Called with every state (S, d) that training acts in; for running statistics."""

    def policy_state(self) -> State:
        """The part of `state` that acting needs; all of it unless a subclass says less."""
        return self.state()

    def policy_snapshot(self) -> Callable[[np.ndarray], np.ndarray]:
        """The present `policy`, as a function that later updates do not change."""
        return copy.deepcopy(self).policy

    def bootstrap_value(self, s_next: np.ndarray) -> np.ndarray:
        """The value that targets give to states (S, B, d): (S, B).

        Without target networks it is Q(s', μ(s')).
        """
        return self.q(s_next, self.policy(s_next))

    def to(self, device: str) -> None:
        """Move what learns to a device of torch, such as "cuda".

        Raises:
            InvalidInputError: this agent cannot be moved there.
        """
        raise InvalidInputError(f"device is {device!r}; allowed: 'cpu' for {type(self).__name__}")

    def compile(self) -> None:
        """Turn `update` into machine code.

        Raises:
            InvalidInputError: this agent cannot be compiled.
        """
        raise InvalidInputError(f"compile is True; allowed: False for {type(self).__name__}")


def flat_parameters(state: Mapping[str, np.ndarray], network: str) -> np.ndarray | None:
    """The parameters of a network as vectors, (S, n), or None if a state has none.

    Args:
        state: as `Agent.state` returns it.
        network: "actor" or "critic".
    """
    parts = [x.reshape(len(x), -1) for name, x in state.items() if name.startswith(f"{network}.")]
    return np.concatenate(parts, axis=1) if parts else None


def require_shapes(state: Mapping[str, np.ndarray], allowed: Mapping[str, np.ndarray]) -> None:
    """Check that a state to be loaded holds known arrays of the right shapes.

    Raises:
        InvalidInputError: a name that is not allowed, or a shape that differs.
    """
    if not state:
        raise InvalidInputError(f"state is empty; allowed: {sorted(allowed)}")
    for name, value in state.items():
        shape = tuple(np.shape(value))
        if name not in allowed:
            raise InvalidInputError(f"state has {name!r}; allowed: {sorted(allowed)}")
        if shape != allowed[name].shape:
            raise InvalidInputError(f"{name} has shape {shape}; allowed: {allowed[name].shape}")


def adam_state(state: Mapping[str, np.ndarray], prefix: str) -> tuple[np.ndarray, ...] | None:
    """What a state holds of one Adam optimizer: step, exp_avg and exp_avg_sq, or None if nothing.

    Raises:
        InvalidInputError: it holds only a part of the three.
    """
    names = [f"{prefix}.{part}" for part in ("step", "exp_avg", "exp_avg_sq")]
    missing = [name for name in names if name not in state]
    if len(missing) == len(names):
        return None
    if missing:
        raise InvalidInputError(f"state has no {missing[0]!r}; allowed: all of {', '.join(names)}")
    return tuple(np.array(state[name]) for name in names)
