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

import functools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import gymnasium as gym
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from dpgcourse.envs import lqr, probe_tasks
from dpgcourse.envs.checked_env import CheckedEnv, FlattenAction
from dpgcourse.envs.checks import check_env
from dpgcourse.envs.sources import (
    EnvSource,
    Wrapper,
    copy_of_env,
    env_from_factory,
    env_from_name,
    wrapped_env,
)
from dpgcourse.envs.vector_pendulum import VectorPendulum
from dpgcourse.envs.wrapper_memory import check_wrappers_are_stateless
from dpgcourse.errors import InvalidInputError

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
        made = env_from_name(env, kwargs, render_mode)
    elif isinstance(env, gym.Env):
        if kwargs:
            raise InvalidInputError(
                f"env_kwargs is {kwargs} and env an instance; allowed: arguments for a class"
            )
        made = copy_of_env(env, render_mode)
    elif callable(env):
        made = env_from_factory(env, name, kwargs, render_mode)
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
        made = wrapped_env(made, wrapper)
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
        close_quietly(*envs)
        raise


def close_quietly(*envs: gym.Env | VectorEnv) -> None:
    """Close environments after an error; what went wrong first says more than what close says."""
    for env in envs:
        with suppress(Exception):
            env.close()


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
