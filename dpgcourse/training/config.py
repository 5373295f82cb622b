"""What to train: every setting of a run; needs neither torch nor gymnasium."""

import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from dpgcourse.agents.config import AgentConfig, is_integer, require
from dpgcourse.agents.registry import find_algorithm
from dpgcourse.errors import InvalidInputError


@dataclass(frozen=True)
class TrainConfig:
    """What to train, for how long, and how to measure it.

    None means: choose a default from the other settings. The object then holds the chosen value.

    Raises:
        InvalidInputError: a value out of its range; the message names it and what is allowed.
    """

    env: Any = "Pendulum-v1"
    """Environment: a registered name or module:Name; in Python also a class, function or
    instance."""
    algorithm: str | Callable[..., Any] = "ddpg"
    """What to train: a name that `dpgcourse list` shows; in Python also an agent class."""
    num_seeds: int = 10
    """Number of seeds, trained at once, >= 1."""
    first_seed: int = 0
    """The seeds are first_seed, first_seed + 1, ..., >= 0."""
    steps: int = 12_000
    """Environment steps per seed, >= 1."""
    learning_starts: int | None = None
    """Steps of uniformly random actions before the first update, 1 to steps; default a tenth of
    the steps, at most 1,000."""
    eval_every: int | None = None
    """Steps between evaluations, 1 to steps; default 1,000, or the steps if that is less. The last
    step is always evaluated."""
    eval_episodes: int = 10
    """Noiseless episodes per evaluation and seed, >= 1."""
    eval_max_steps: int = 10_000
    """An episode of an evaluation is cut after so many steps, >= 1."""
    buffer_size: int | None = None
    """Transitions that the replay buffer keeps per seed, >= 1; when it is full, the oldest are
    dropped. Default: all steps."""
    normalize_observations: bool = False
    """Whether the agent sees (s - running mean) / running standard deviation, clipped to ±10. The
    statistics are stored with the agent."""
    device: str = "cpu"
    """Where the networks learn: "cpu", or another device of torch, such as "cuda". The replay
    buffer has a copy there; with normalized observations or n-step targets batches travel instead.
    Random numbers are those of the CPU, results differ from its by rounding."""
    compile: bool = False
    """Compile the update: up to a minute at its start, less time from then on; needs a C++
    compiler and an agent in torch."""
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the environment's constructor."""
    wrappers: tuple[Any, ...] = ()
    """Wrappers of the environment, first one innermost: names in gymnasium.wrappers or
    module:Name; in Python also functions."""
    eval_env: Any = None
    """Environment of the evaluations; default that of the training."""
    agent: AgentConfig | None = None
    """Hyperparameters; default those of the algorithm."""

    def __post_init__(self):
        config_class = find_algorithm(self.algorithm).config_class
        listed = isinstance(self.wrappers, list | tuple)
        settings: dict[str, Any] = {"wrappers": tuple(self.wrappers)} if listed else {}
        if self.agent is None:
            settings["agent"] = config_class()
        if is_integer(self.steps, 1):
            if self.learning_starts is None:
                settings["learning_starts"] = min(1_000, -(-self.steps // 10))
            if self.eval_every is None:
                settings["eval_every"] = min(1_000, self.steps)
        for name, value in settings.items():
            object.__setattr__(self, name, value)
        size, to_steps = self.buffer_size, f"1 to steps = {self.steps}"
        steps = self.steps if is_integer(self.steps, 1) else 0
        flags = ("normalize_observations", "compile")
        require(
            self,
            (
                ("num_seeds", is_integer(self.num_seeds, 1), "1 or more"),
                ("first_seed", is_integer(self.first_seed, 0), "0 or more"),
                ("steps", is_integer(self.steps, 1), "1 or more"),
                *(
                    (name, is_integer(value, 1) and value <= steps, to_steps)
                    for name, value in (
                        ("learning_starts", self.learning_starts),
                        ("eval_every", self.eval_every),
                    )
                ),
                ("eval_episodes", is_integer(self.eval_episodes, 1), "1 or more"),
                ("eval_max_steps", is_integer(self.eval_max_steps, 1), "1 or more"),
                ("buffer_size", size is None or is_integer(size, 1), "1 or more, or None"),
                *((name, isinstance(getattr(self, name), bool), "True or False") for name in flags),
                (
                    "env_kwargs",
                    isinstance(self.env_kwargs, Mapping)
                    and all(isinstance(name, str) for name in self.env_kwargs),
                    "names and values",
                ),
                ("device", isinstance(self.device, str), "cpu, or a name of torch such as cuda"),
                ("wrappers", listed, "a list"),
                ("agent", isinstance(self.agent, config_class), f"a {config_class.__name__}"),
            ),
        )
        if self.compile and self.algorithm == "numpy-ddpg":
            raise InvalidInputError("compile is True; allowed: False for algorithm 'numpy-ddpg'")

    @property
    def seeds(self) -> list[int]:
        """The seeds, in the order of every seeds axis."""
        return list(range(self.first_seed, self.first_seed + self.num_seeds))

    @property
    def algorithm_name(self) -> str:
        """The name of the algorithm, also if it was given as a class."""
        return find_algorithm(self.algorithm).name


def make_config(
    env: Any = "Pendulum-v1", algorithm: str | Callable[..., Any] = "ddpg", **settings: Any
) -> TrainConfig:
    """A configuration from settings of the run and of the algorithm, side by side.

    Args:
        env: as in `TrainConfig`.
        algorithm: as in `TrainConfig`.
        settings: fields of `TrainConfig` and of the algorithm's configuration class.

    Raises:
        InvalidInputError: an unknown setting, with the nearest known one, or a value out of range.

    >>> config = make_config("LQR-v0", "td3", steps=500, policy_delay=3)
    >>> config.learning_starts, config.agent.policy_delay
    (50, 3)
    """
    config_class = find_algorithm(algorithm).config_class
    of_agent = [f.name for f in fields(config_class)]
    of_run = [f.name for f in fields(TrainConfig) if f.name not in ("env", "algorithm")]
    require_known(settings, [*of_agent, *of_run])
    agent = {name: settings.pop(name) for name in list(settings) if name in of_agent}
    if agent:
        base = settings.pop("agent", None)
        if base is not None and not isinstance(base, config_class):
            raise InvalidInputError(f"agent is {base!r}; allowed: a {config_class.__name__}")
        settings["agent"] = config_class(**agent) if base is None else replace(base, **agent)
    return TrainConfig(env=env, algorithm=algorithm, **settings)


def require_known(names: Collection[str], known: Sequence[str]) -> None:
    """Check the names of settings.

    Raises:
        InvalidInputError: an unknown one; the message names the nearest that is known.
    """
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            listed = ", ".join(sorted({*known} - {"agent"}))
            raise InvalidInputError(f"setting is {name!r}{hint}; allowed: {listed}")
