"""From a name, a class, a function or an instance to a Gymnasium environment, not yet checked."""

import copy
import difflib
import importlib
import inspect
from collections.abc import Callable
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import load_env_creator

from dpgcourse.errors import InvalidInputError

EnvSource = str | Callable[..., gym.Env] | gym.Env
Wrapper = str | Callable[[gym.Env], gym.Env]
# arguments of gym.make beside those of the constructor
_GYM_MAKE_ARGUMENTS = ("max_episode_steps",)


def env_from_name(name: str, kwargs: dict, render_mode: str | None) -> gym.Env:
    """The environment of a registered name or of "module:Name", whose module is imported.

    Raises:
        InvalidInputError: there is no such name, or it cannot be made with these arguments.
    """
    module_name, _, attribute = name.rpartition(":")
    if module_name:
        found = _in_module(module_name, attribute, f"env is {name!r}")
        if callable(found):
            return env_from_factory(found, name, kwargs, render_mode)
    try:
        spec = gym.spec(attribute)
    except gym.error.Error as error:
        raise InvalidInputError(_unknown(name, error)) from None
    entry = spec.entry_point
    try:
        creator = load_env_creator(entry) if isinstance(entry, str) else entry
    except gym.error.DependencyNotInstalled as error:
        raise InvalidInputError(_needs_more(name, error)) from None
    except ModuleNotFoundError as error:
        if not _is_missing(str(entry).partition(":")[0], error):
            raise
        creator = None
    if creator is None:
        raise InvalidInputError(
            f"env is {name!r}, registered with the entry point {entry!r}; allowed: one that exists"
        )
    own = {key: value for key, value in kwargs.items() if key not in _GYM_MAKE_ARGUMENTS}
    _require_arguments(creator, name, {**spec.kwargs, **own})
    options = {**kwargs, **_render_argument(creator, name, render_mode)}
    try:
        return gym.make(spec, disable_env_checker=True, **options)
    except gym.error.DependencyNotInstalled as error:
        raise InvalidInputError(_needs_more(name, error)) from None
    except ImportError as error:
        if getattr(creator, "__module__", None) != "gymnasium.envs":
            raise
        # a task that Gymnasium lists only to say where it has gone
        raise InvalidInputError(f"env is {name!r}, which cannot be made: {error}") from None


def _needs_more(name: str, error: gym.error.DependencyNotInstalled) -> str:
    """Of an environment whose simulator is not installed."""
    if "gymnasium[mujoco]" in str(error):
        install = 'pip install "dpgcourse[mujoco]"'
        return f"env is {name!r}, which needs MuJoCo; allowed: after {install}"
    return f"env is {name!r}, which cannot be made here: {error}"


def _in_module(module_name: str, attribute: str, what: str) -> Any:
    """What a module calls by a name, perhaps a dotted one; None if there is nothing."""
    if module_name.startswith(".") or not attribute:
        raise InvalidInputError(f"{what}; allowed: module:Name")
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if not _is_missing(module_name, error):
            raise  # the module exists, and lacks something itself
        raise InvalidInputError(
            f"{what}; there is no module {module_name!r} on the Python path"
        ) from None
    for part in attribute.split("."):
        found = getattr(found, part, None)
    return found


def _is_missing(module_name: str, error: ModuleNotFoundError) -> bool:
    """Whether it is this module that was not found, and not one that it imports."""
    return error.name is not None and f"{module_name}.".startswith(f"{error.name}.")


def _unknown(name: str, error: Exception) -> str:
    module_name, _, attribute = name.rpartition(":")
    if module_name:
        return (
            f"env is {name!r}; module {module_name!r} has no class or function {attribute!r} and "
            "has registered no environment of that name"
        )
    close = difflib.get_close_matches(name, gym.registry, n=1)
    hint = f"did you mean {close[0]!r}?" if close else "or module:Name for a class of your own"
    return f"env is {name!r}, which is not registered; allowed: a registered name; {hint}"


def env_from_factory(factory, name: str, kwargs: dict, render_mode: str | None) -> gym.Env:
    """What a class or function makes.

    Raises:
        InvalidInputError: it takes other arguments, or makes something else than an environment.
    """
    _require_arguments(factory, name, kwargs)
    made = factory(**{**kwargs, **_render_argument(factory, name, render_mode)})
    if not isinstance(made, gym.Env):
        raise InvalidInputError(f"env {name!r} made a {_type_name(made)}; allowed: a gymnasium.Env")
    return made


def _parameters(factory) -> inspect.Signature | None:
    try:
        return inspect.signature(factory)
    except (TypeError, ValueError):  # built in: it says itself what it needs
        return None


def _require_arguments(factory, name: str, kwargs: dict) -> None:
    if (signature := _parameters(factory)) is None:
        return
    try:
        signature.bind(**kwargs)
    except TypeError as error:
        raise InvalidInputError(
            f"env {name!r} with env_kwargs {kwargs}: {error}; allowed: "
            f"{', '.join(signature.parameters) or 'no arguments'}"
        ) from None


def _render_argument(factory, name: str, render_mode: str | None) -> dict[str, str]:
    if render_mode is None:
        return {}
    if (signature := _parameters(factory)) is not None:
        found = signature.parameters
        if "render_mode" not in found and all(p.kind != p.VAR_KEYWORD for p in found.values()):
            raise InvalidInputError(
                f"env {name!r} takes no argument render_mode; allowed: one that does, to be "
                f"rendered as {render_mode!r}"
            )
    return {"render_mode": render_mode}


def copy_of_env(env: gym.Env, render_mode: str | None) -> gym.Env:
    """A deep copy of an instance.

    Raises:
        InvalidInputError: it cannot be copied, or is rendered in another way.
    """
    if render_mode and env.render_mode != render_mode:
        raise InvalidInputError(
            f"env is an instance with render_mode {env.render_mode!r}; allowed: {render_mode!r}"
        )
    try:
        return copy.deepcopy(env)
    except Exception as error:
        raise InvalidInputError(
            f"env is an instance of {type(env.unwrapped).__name__} that cannot be copied "
            f"({error}); allowed: a function that makes it"
        ) from error


def wrapped_env(env: gym.Env, wrapper: Wrapper) -> gym.Env:
    """The environment in a wrapper, given as a function or by name.

    Raises:
        InvalidInputError: there is no such wrapper, or it needs more than the environment.
    """
    found: Any = wrapper
    if isinstance(wrapper, str):
        module_name, _, name = wrapper.rpartition(":")
        module_name = module_name or "gymnasium.wrappers"
        found = _in_module(module_name, name, f"wrapper is {wrapper!r}")
    if not callable(found):
        raise InvalidInputError(
            f"wrapper is {wrapper!r}; allowed: a function, a name in gymnasium.wrappers, or "
            "module:Name"
        )
    try:
        inspect.signature(found).bind(env)
    except ValueError:  # built in
        pass
    except TypeError as error:
        raise InvalidInputError(
            f"wrapper is {wrapper!r}: {error}; allowed: one that takes the environment alone, "
            "such as a function of your own, in Python or as module:Name"
        ) from None
    made = found(env)
    if not isinstance(made, gym.Env):
        raise InvalidInputError(
            f"wrapper {wrapper!r} made a {_type_name(made)}; allowed: a gymnasium.Env"
        )
    return made


def _type_name(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__name__}".removeprefix("builtins.")
