"""The algorithms that can be trained, by the names that configurations and records use.

Looking up a name or its configuration imports neither torch nor an agent; only
`Algorithm.import_factory` does.
"""

import difflib
import functools
import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dpgcourse.agents.config import AgentConfig, DDPGConfig, SACConfig, TD3Config
from dpgcourse.errors import InvalidInputError

FAULTS = (
    "wrong-sign",
    "replay-action",
    "target-critic-in-actor",
    "truncated-as-done",
    "double-scaling",
    "broadcast-target",
    "missing-zero-grad",
    "shared-noise",
    "no-detach",
    "frozen-targets",
)
FIELD_FAULTS = (
    "no-actor-gradient",
    "shared-optimizer",
    "swapped-tau",
    "missing-gamma",
    "target-at-s",
)
TERMINAL_FAULTS = ("terminated-ignored",)


@dataclass(frozen=True)
class Algorithm:
    """What can be trained under one name.

    Attributes:
        name: in configurations, records and on the command line.
        factory: "module:Class", or the class or function itself. It is called with a
            configuration, the length of a state, an `ActionBox` and `RandomStreams`.
        config_class: the class of its hyperparameters.
        summary: one line.
    """

    name: str
    factory: str | Callable[..., Any]
    config_class: type[AgentConfig]
    summary: str

    def import_factory(self) -> Callable[..., Any]:
        """The factory itself, imported if it is given by name."""
        if not isinstance(self.factory, str):
            return self.factory
        module, _, name = self.factory.partition(":")
        return getattr(importlib.import_module(module), name)


def _class_name(fault: str) -> str:
    return "".join(word.capitalize() for word in fault.split("-"))


ALGORITHMS: dict[str, Algorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm("ddpg", "dpgcourse.agents.ddpg:DDPG", DDPGConfig, "DDPG in torch (chapter 11)"),
        Algorithm(
            "numpy-ddpg",
            "dpgcourse.agents.numpy_ddpg:NumpyDDPG",
            DDPGConfig,
            "the same agent in NumPy, derivatives written out (chapter 10)",
        ),
        Algorithm("td3", "dpgcourse.agents.td3:TD3", TD3Config, "TD3 in torch (chapter 14)"),
        Algorithm("sac", "dpgcourse.agents.sac:SAC", SACConfig, "SAC in torch (chapter 14)"),
        *(
            Algorithm(
                f"faulty-{fault}",
                f"dpgcourse.agents.faulty:{_class_name(fault)}",
                DDPGConfig,
                "DDPG with one silent bug (chapters 13 and 15)",
            )
            for fault in (*FAULTS, *FIELD_FAULTS, *TERMINAL_FAULTS)
        ),
    )
}
"""Every algorithm of this package, and those that `register_algorithm` has added."""


def register_algorithm(
    name: str, factory: Callable[..., Any], config_class: type[AgentConfig] | None = None
) -> None:
    """Make an agent class or factory of your own known under a name.

    Args:
        name: not taken yet.
        factory: called with a configuration, the length of a state, an `ActionBox` and
            `RandomStreams`; returns an `Agent`.
        config_class: of its hyperparameters; default the factory's ``config_class``, else
            `AgentConfig`.

    Raises:
        InvalidInputError: the name is taken by another factory.
    """
    known = ALGORITHMS.get(name)
    if known is not None and known.factory is not factory:
        raise InvalidInputError(f"name is {name!r}, which is taken; allowed: a new name")
    ALGORITHMS[name] = _own(factory, name, config_class)


def find_algorithm(algorithm: str | Callable[..., Any]) -> Algorithm:
    """The algorithm of a name, or of a class or factory.

    A name such as "my_module:MyAgent" is found if that module has been imported already: looking
    up a name runs no code.

    Raises:
        InvalidInputError: an unknown name; the message lists those that are known.
    """
    if not isinstance(algorithm, str):
        if not callable(algorithm):
            raise InvalidInputError(
                f"algorithm is {algorithm!r}; allowed: a name, a class or a function"
            )
        registered = [a for a in ALGORITHMS.values() if algorithm is a.factory]
        packaged = [a for a in ALGORITHMS.values() if a.factory == qualified_name(algorithm)]
        return (registered or packaged or [_own(algorithm, qualified_name(algorithm))])[0]
    if algorithm in ALGORITHMS:
        return ALGORITHMS[algorithm]
    module, _, qualname = algorithm.partition(":")
    found: Any = sys.modules.get(module)
    for part in qualname.split(".") if qualname else ():
        found = getattr(found, part, None)
    if qualname and callable(found):
        return _own(found, algorithm)
    close = difflib.get_close_matches(algorithm.lower(), ALGORITHMS, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise InvalidInputError(
        f"algorithm is {algorithm!r}; allowed: {', '.join(ALGORITHMS)}, or a class{hint}"
    )


def qualified_name(factory: Callable[..., Any]) -> str:
    """ "module:Class" of a class or function; of an instance, that of its class."""
    if isinstance(factory, functools.partial):
        return f"partial of {qualified_name(factory.func)}"
    named = factory if hasattr(factory, "__qualname__") else type(factory)
    return f"{named.__module__}:{named.__qualname__}"


def _own(factory, name: str, config_class: type[AgentConfig] | None = None) -> Algorithm:
    made_by = factory.func if isinstance(factory, functools.partial) else factory
    hyperparameters = getattr(made_by, "config_class", AgentConfig)
    return Algorithm(name, factory, config_class or hyperparameters, "your own")


REQUIRED_METHODS = (
    *("config", "num_seeds", "state_dim", "action_dim", "box", "streams", "noise"),
    *("act", "explore", "random_action", "observe", "terminal_flags", "update"),
    *("policy", "policy_snapshot", "q", "dq_da", "bootstrap_value"),
    *("state", "policy_state", "load_state", "compile"),
)
"""What training, evaluation, diagnostics and records use of an agent."""


def make_agent(algorithm: Algorithm, config: AgentConfig, state_dim: int, box, streams) -> Any:
    """The agents of an algorithm at the start, one per seed.

    Raises:
        InvalidInputError: what the factory returned does not keep the contract.
    """
    agent = algorithm.import_factory()(config, state_dim, box, streams)
    missing = [name for name in REQUIRED_METHODS if not hasattr(agent, name)]
    if missing:
        raise InvalidInputError(
            f"algorithm {algorithm.name} made a {type(agent).__name__} without "
            f"{', '.join(missing)}; allowed: a subclass of dpgcourse.agents.base.Agent"
        )
    return agent
