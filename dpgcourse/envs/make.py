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
import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import load_env_creator
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from dpgcourse.envs import lqr, probe_tasks
from dpgcourse.envs.checks import CheckedEnv, FlattenAction, check_env
from dpgcourse.envs.vector_pendulum import VectorPendulum
from dpgcourse.errors import InvalidInputError

EnvSource = str | Callable[..., gym.Env] | gym.Env
Wrapper = str | Callable[[gym.Env], gym.Env]
VECTORIZED = {"Pendulum-v1": VectorPendulum}

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
        env_kwargs: keyword arguments of its constructor.
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
    for wrapper in wrappers:
        made = _wrapper(wrapper)(made)
    check_env(made, name)
    if len(made.action_space.shape) != 1:
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
    make_env(env, env_kwargs, wrappers).close()
    copies = [lambda: make_env(env, env_kwargs, wrappers)] * num_envs
    return SyncVectorEnv(copies, autoreset_mode=AutoresetMode.DISABLED)


def env_name(env: EnvSource) -> str:
    """A name for messages and records: the registered one, or "module:Name".

    >>> env_name("Pendulum-v1"), env_name(VectorPendulum)
    ('Pendulum-v1', 'dpgcourse.envs.vector_pendulum:VectorPendulum')
    """
    if isinstance(env, str):
        return env
    if isinstance(env, gym.Env) and env.spec is not None:
        return env.spec.id
    named: Any = env if hasattr(env, "__qualname__") else type(env)
    return f"{named.__module__}:{named.__qualname__}"


def is_registered(name: str) -> bool:
    """Whether Gymnasium can make an environment of this name without importing a module for it."""
    return ":" not in name and name in gym.registry


def _from_name(name: str, kwargs: dict, render_mode: str | None) -> gym.Env:
    module_name, _, attribute = name.rpartition(":")
    if module_name:
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name is None or not module_name.startswith(error.name):
                raise  # the module exists, and lacks something itself
            raise InvalidInputError(
                f"env is {name!r}; there is no module {module_name!r} on the Python path"
            ) from None
        if callable(found := getattr(module, attribute, None)):
            return _from_factory(found, name, kwargs, render_mode)
    try:
        spec = gym.spec(attribute)
        entry = spec.entry_point
        creator = load_env_creator(entry) if isinstance(entry, str) else entry
    except (gym.error.Error, ImportError, AttributeError) as error:
        raise InvalidInputError(f"env is {name!r}, which cannot be made: {error}") from None
    if creator is not None:
        _require_arguments(creator, name, {**spec.kwargs, **kwargs})
    options = {**kwargs, **({"render_mode": render_mode} if render_mode else {})}
    try:
        return gym.make(spec, **options)
    except (gym.error.Error, ImportError) as error:
        raise InvalidInputError(f"env is {name!r}, which cannot be made: {error}") from None


def _from_factory(factory, name: str, kwargs: dict, render_mode: str | None) -> gym.Env:
    _require_arguments(factory, name, kwargs)
    if render_mode and "render_mode" in inspect.signature(factory).parameters:
        kwargs = {**kwargs, "render_mode": render_mode}
    made = factory(**kwargs)
    if not isinstance(made, gym.Env):
        raise InvalidInputError(
            f"env {name} made a {type(made).__name__}; allowed: a gymnasium.Env"
        )
    return made


def _require_arguments(factory, name: str, kwargs: dict) -> None:
    try:
        signature = inspect.signature(factory)
    except (TypeError, ValueError):  # built in: it says itself what it needs
        return
    try:
        signature.bind(**kwargs)
    except TypeError as error:
        raise InvalidInputError(
            f"env {name!r} with env_kwargs {kwargs}: {error}; allowed: {name}{signature}"
        ) from None


def _copy_of(env: gym.Env, render_mode: str | None) -> gym.Env:
    try:
        if env.spec is not None:
            options = {"render_mode": render_mode} if render_mode else {}
            return gym.make(env.spec, **options)
        return copy.deepcopy(env)
    except Exception as error:
        raise InvalidInputError(
            f"env is an instance of {type(env.unwrapped).__name__} that cannot be copied "
            f"({error}); allowed: a function that makes it"
        ) from error


def _wrapper(wrapper: Wrapper) -> Callable[[gym.Env], gym.Env]:
    if not isinstance(wrapper, str):
        return wrapper
    module_name, _, name = wrapper.rpartition(":")
    try:
        found = getattr(importlib.import_module(module_name or "gymnasium.wrappers"), name, None)
    except ModuleNotFoundError:
        found = None
    if not callable(found):
        raise InvalidInputError(
            f"wrapper is {wrapper!r}; allowed: a name in gymnasium.wrappers, or module:Name"
        )
    return found
