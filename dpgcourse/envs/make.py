"""Environments to train and evaluate in, from whatever the user has.

| given | used |
|---|---|
| ``"Pendulum-v1"`` | the task that Gymnasium has registered under this name |
| ``"my_module:MyEnv"`` | the class, function or registered name of a module, which is imported |
| ``MyEnv`` or ``lambda: MyEnv(2)`` | a class or function, called for every copy |
| ``MyEnv(2)`` | an instance, copied |

Vector environments have autoreset disabled: a step returns the state that was truly reached, and
the training loop resets what has ended. No reset state can slip into the replay buffer.
"""

import copy
import difflib
import functools
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import load_env_creator
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from dpgcourse.envs import lqr, probe_tasks
from dpgcourse.envs.checks import (
    CheckedEnv,
    FlattenAction,
    check_env,
    check_wrappers_are_stateless,
)
from dpgcourse.envs.vector_pendulum import VectorPendulum
from dpgcourse.errors import InvalidInputError

EnvSource = str | Callable[..., gym.Env] | gym.Env
Wrapper = str | Callable[[gym.Env], gym.Env]
VECTORIZED = {"Pendulum-v1": VectorPendulum}
_GYM_MAKE_ARGUMENTS = (
    "max_episode_steps",
)  # arguments of gym.make beside those of the constructor

lqr.register()
probe_tasks.register()


def make_env(
    env: EnvSource,
    env_kwargs: Mapping[str, Any] | None = None,
    wrappers: Sequence[Wrapper] = (),
    render_mode: str | None = None,
) -> gym.Env:
    """One environment that this package's agents can act in.

    Args:
        env: a registered name, "module:Name", a class or function, or an instance.
        env_kwargs: keyword arguments of its constructor; for a registered name also
            ``max_episode_steps``.
        wrappers: applied in this order: functions that take and return an environment, or their
            names, in `gymnasium.wrappers` or as "module:Name".
        render_mode: "rgb_array" or "human".

    Raises:
        InvalidInputError: no such environment; it needs other arguments; its actions or
            observations are not allowed. The message names the wrapper that helps, if one does.
        Exception: whatever the environment's own constructor raises.
    """
    name = env_name(env)
    kwargs = dict(env_kwargs or {})
    if isinstance(env, str):
        made = _from_name(env, kwargs, render_mode)
    elif isinstance(env, gym.Env):
        if kwargs:
            raise InvalidInputError(
                f"env_kwargs is {kwargs} and env an instance; allowed: arguments for a class"
            )
        made = _copy_of(env, render_mode)
    elif callable(env):
        made = _from_factory(env, name, kwargs, render_mode)
    else:
        raise InvalidInputError(
            f"env is {env!r}; allowed: a name, a class, a function or a Gymnasium environment"
        )
    with closing_after_error(made):
        return _checked(made, name, wrappers)


def _checked(made: gym.Env, name: str, wrappers: Sequence[Wrapper]) -> gym.Env:
    if isinstance(wrappers, str) or not isinstance(wrappers, Sequence):
        raise InvalidInputError(f"wrappers is {wrappers!r}; allowed: a list")
    for wrapper in wrappers:
        made = _wrapped(made, wrapper)
    check_env(made, name)
    if len(made.action_space.shape or ()) != 1:
        made = FlattenAction(made)
    return CheckedEnv(made, name)


def make_vector_env(
    env: EnvSource,
    num_envs: int,
    env_kwargs: Mapping[str, Any] | None = None,
    wrappers: Sequence[Wrapper] = (),
) -> VectorEnv:
    """That many copies of an environment, autoreset disabled; arguments and errors as `make_env`.

    >>> make_vector_env("LQR-v0", 3).observation_space.shape
    (3, 2)
    """
    if isinstance(env, str) and env in VECTORIZED and not env_kwargs and not wrappers:
        return VECTORIZED[env](num_envs)
    first: Any = make_env(env, env_kwargs, wrappers)
    check_wrappers_are_stateless(first.env, env_name(env))
    first.close()
    copies = [lambda: make_env(env, env_kwargs, wrappers)] * num_envs
    made = SyncVectorEnv(copies, autoreset_mode=AutoresetMode.DISABLED)
    if len({id(one.unwrapped) for one in (first, *made.envs)}) <= num_envs:
        raise InvalidInputError(
            f"env {env_name(env)!r} made the same object twice; allowed: a function that makes a "
            "new environment at every call"
        )
    return made


@contextmanager
def closing_after_error(*envs: gym.Env | VectorEnv) -> Iterator[None]:
    """Close environments if what follows fails: they may hold a window, a port or a process."""
    try:
        yield
    except BaseException:
        for env in envs:
            with suppress(Exception):  # what went wrong first says more
                env.close()
        raise


def env_name(env: EnvSource) -> str:
    """A name for messages and records: the registered one, or "module:Name".

    An instance may differ from what its name makes, so its name says that it is one.

    >>> env_name("Pendulum-v1"), env_name(VectorPendulum)
    ('Pendulum-v1', 'dpgcourse.envs.vector_pendulum:VectorPendulum')
    >>> env_name(gym.make("Pendulum-v1"))
    'an instance of Pendulum-v1'
    """
    if isinstance(env, str):
        return env
    if isinstance(env, gym.Env):
        inner = env.unwrapped
        made_as = inner.spec.id if inner.spec is not None else env_name(type(inner))
        return f"an instance of {made_as}"
    named: Any = env
    while isinstance(named, functools.partial):
        named = named.func
    named = named if hasattr(named, "__qualname__") else type(named)
    name = f"{named.__module__}:{named.__qualname__}"
    return f"partial of {name}" if isinstance(env, functools.partial) else name


def is_registered(name: str) -> bool:
    """Whether Gymnasium can make an environment of this name without importing a module for it."""
    return ":" not in name and name in gym.registry


def _from_name(name: str, kwargs: dict, render_mode: str | None) -> gym.Env:
    module_name, _, attribute = name.rpartition(":")
    if module_name:
        found = _in_module(module_name, attribute, f"env is {name!r}")
        if callable(found):
            return _from_factory(found, name, kwargs, render_mode)
    try:
        spec = gym.spec(attribute)
    except gym.error.Error as error:
        raise InvalidInputError(_unknown(name, error)) from None
    entry = spec.entry_point
    try:
        creator = load_env_creator(entry) if isinstance(entry, str) else entry
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
        raise InvalidInputError(f"env is {name!r}, which cannot be made here: {error}") from None


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


def _from_factory(factory, name: str, kwargs: dict, render_mode: str | None) -> gym.Env:
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


def _copy_of(env: gym.Env, render_mode: str | None) -> gym.Env:
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


def _wrapped(env: gym.Env, wrapper: Wrapper) -> gym.Env:
    """The environment in a wrapper, given as a function or by name."""
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
