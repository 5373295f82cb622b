"""A configuration as JSON knows it, and back again."""

import contextlib
import dataclasses
import json
import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from dpgcourse.agents.config import AgentConfig
from dpgcourse.agents.registry import ALGORITHMS, Algorithm, find_algorithm, qualified_name
from dpgcourse.envs.make import env_name, is_registered
from dpgcourse.errors import InvalidInputError
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.tensor_files import require_format

FORMAT = 3  # raised when the files of a record or their fields change
NOT_STORED = "not stored:"  # begins what stands for an argument that JSON does not know
ADDED: Mapping[str, Any] = {"critic_layer_norm": False, "n_step": 1}
"""Hyperparameters that a record of this format may lack -> what its agent did without them."""
# The same for settings of the run. They are stored only where they differ from this.
_ADDED_TO_RUNS: Mapping[str, Any] = {"device": "cpu"}
_SIZES = ("state_dim", "action_low", "action_high")


def describe(config: TrainConfig, agent: Any = None) -> dict[str, Any]:
    """A configuration as JSON knows it: environments, algorithms and wrappers by their names.

    Args:
        config: what is described.
        agent: if given, the sizes of its states and actions are added.
    """
    fields = {f.name: getattr(config, f.name) for f in dataclasses.fields(config)}
    eval_env = None if config.eval_env is None else env_name(config.eval_env)
    wrappers = [w if isinstance(w, str) else qualified_name(w) for w in config.wrappers]
    fields |= {
        "env": env_name(config.env),
        "eval_env": eval_env,
        "algorithm": config.algorithm_name,
        "wrappers": wrappers,
        "env_kwargs": {name: _plain(value) for name, value in config.env_kwargs.items()},
        "agent": dataclasses.asdict(config.agent) if config.agent else None,
    }
    if agent is not None:
        sizes = agent.state_dim, agent.box.low.tolist(), agent.box.high.tolist()
        fields |= dict(zip(_SIZES, sizes, strict=True))
    usual = {n for n, x in _ADDED_TO_RUNS.items() if fields[n] == x}
    return {"format": FORMAT, **{n: x for n, x in fields.items() if n not in usual}}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    try:
        return json.loads(json.dumps(value))  # tuples become lists, as they will be when read
    except (TypeError, ValueError):
        return f"{NOT_STORED} {value!r}"


def same_settings(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """How two descriptions differ, sizes aside; an empty list if they do not.

    >>> small, large = (describe(TrainConfig(num_seeds=n)) for n in (1, 2))
    >>> same_settings(small, large)
    ['num_seeds is 1, there 2']
    """
    here, there = (_flat(described) for described in (one, other))
    names = [name for name in sorted({*here, *there}) if name not in _SIZES]
    return [
        f"{name} is {here.get(name)!r}, there {there.get(name)!r}"
        for name in names
        if here.get(name) != there.get(name)
    ]


def _flat(described: Mapping[str, Any]) -> dict[str, Any]:
    agent = {**ADDED, **(described.get("agent") or {})}
    plain = json.loads(json.dumps({**_ADDED_TO_RUNS, **described, "agent": None}, default=str))
    return {**plain, **{f"{name}": _plain(value) for name, value in agent.items()}}


def config_from(
    described: Any, source: str, algorithm: str | Callable[..., Any] | None = None
) -> tuple[TrainConfig, int, ActionBox]:
    """The configuration of a description, the length of a state and the bounds of the actions.

    No module is imported and no environment is made.

    Args:
        described: what JSON held.
        source: what holds it, for messages.
        algorithm: the agent class, if this process does not know the name of the algorithm.

    Raises:
        InvalidInputError: another format, missing or unknown fields, values that are not allowed,
            or an algorithm that is not known here.
    """
    if not isinstance(described, Mapping):
        raise InvalidInputError(f"it holds a {type(described).__name__}; allowed: an object")
    require_format(described.get("format"), FORMAT)
    fields = {n: x for n, x in {**_ADDED_TO_RUNS, **described}.items() if n != "format"}
    run_fields = {f.name for f in dataclasses.fields(TrainConfig)}
    _require_names("it", fields, {*run_fields, *_SIZES})
    named = _algorithm_of(source, str(fields.pop("algorithm")), algorithm)
    agent_fields = fields.pop("agent")
    if not isinstance(agent_fields, Mapping):
        raise InvalidInputError(f"agent is {agent_fields!r}; allowed: an object")
    agent_names = {f.name for f in dataclasses.fields(named.config_class)}
    added = {name: value for name, value in ADDED.items() if name in agent_names}
    agent_fields = {**added, **agent_fields}
    _require_names("agent", agent_fields, agent_names)
    state_dim, low, high = (fields.pop(name) for name in _SIZES)
    _require_sizes(state_dim, low, high)
    agent = named.config_class(**agent_fields)
    for name in ("env", *(["eval_env"] if fields["eval_env"] is not None else [])):
        if not isinstance(fields[name], str):
            raise InvalidInputError(f"{name} is {fields[name]!r}; allowed: a name")
    config = TrainConfig(**fields, algorithm=algorithm or named.name, agent=agent)
    if not all(isinstance(wrapper, str) for wrapper in config.wrappers):
        raise InvalidInputError(f"wrappers is {config.wrappers!r}; allowed: names")
    return config, state_dim, ActionBox(low, high)


def require_stored(config: TrainConfig, given: Collection[str] = ()) -> None:
    """Check that the environment of a stored configuration can be made, and imports no module.

    Args:
        config: from `config_from`.
        given: names of the settings that the user gives once more. With "env", modules that the
            configuration names may be imported.

    Raises:
        InvalidInputError: a setting has to be given.
    """
    for name in ("env", "eval_env"):
        value = getattr(config, name)
        if value is None or name in given or is_registered(value):
            continue
        nameless = " " in value or "<" in value  # an instance, a lambda
        if nameless or "env" not in given:
            again = name if nameless else f"{name} = {value!r}, which imports its module"
            raise InvalidInputError(
                f"the run's {name} {value!r} is not registered here; allowed: to give {again}"
            )
    for argument, value in config.env_kwargs.items():
        if str(value).startswith(NOT_STORED) and "env_kwargs" not in given:
            raise InvalidInputError(
                f"the run's environment was made with {argument} = "
                f"{' '.join(value.split())[:100]}; allowed: in Python, with that argument in "
                "env_kwargs"
            )
    for wrapper in config.wrappers:
        nameless = "<" in wrapper or " " in wrapper
        if ":" in wrapper and "wrappers" not in given and (nameless or "env" not in given):
            raise InvalidInputError(
                f"the run's environment has the wrapper {wrapper!r}; allowed: "
                + ("to give wrappers" if nameless else "to give env, which lets it be imported")
            )


def _require_names(what: str, found: Mapping[str, Any], expected: set[str]) -> None:
    missing, unknown = sorted(expected - {*found}), sorted({*found} - expected)
    if missing:
        raise InvalidInputError(f"{what} has no {missing[0]}")
    if unknown:
        raise InvalidInputError(
            f"{what} has {unknown[0]!r}; allowed: {', '.join(sorted(expected))}"
        )


def _require_sizes(state_dim: Any, low: Any, high: Any) -> None:
    if not isinstance(state_dim, int) or isinstance(state_dim, bool) or state_dim < 1:
        raise InvalidInputError(f"state_dim is {state_dim!r}; allowed: a whole number, 1 or more")
    for name, bound in (("action_low", low), ("action_high", high)):
        numbers = isinstance(bound, list) and bound and all(
            isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x)
            for x in bound
        )  # fmt: skip
        if not numbers:
            raise InvalidInputError(f"{name} is {bound!r}; allowed: a list of finite numbers")


def _is_agent_class(factory: Any) -> bool:
    """Whether this is a class of agents, and not any class or function of any module."""
    config_class: Any = getattr(factory, "config_class", None)
    return (
        isinstance(factory, type)
        and isinstance(config_class, type)
        and issubclass(config_class, AgentConfig)
    )


def _algorithm_of(source: str, name: str, given: str | Callable[..., Any] | None) -> Algorithm:
    """The algorithm that a description names, or the one given for it."""
    if given is None:
        with contextlib.suppress(InvalidInputError):
            known = find_algorithm(name)
            # a file from elsewhere must not choose which function of this process is called
            if name in ALGORITHMS or _is_agent_class(known.factory):
                return known
        raise InvalidInputError(
            f"{source} was trained with {name!r}, which is not known here; allowed: the same call "
            "with algorithm=... and that class"
        )
    found = find_algorithm(given)
    if found.name.rpartition(":")[2] != name.rpartition(":")[2]:
        raise InvalidInputError(
            f"algorithm is {found.name!r}, and {source} was trained with {name!r}; "
            "allowed: that class"
        )
    return found
