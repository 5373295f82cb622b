"""What an environment must offer; each miss is one sentence."""

import inspect
from typing import Any

import gymnasium as gym
import numpy as np

from dpgcourse.errors import InvalidInputError

_MAX_FLOAT32 = float(np.finfo(np.float32).max)  # what the networks can hold
_MAX_MESSAGE_LENGTH = 200  # characters of a space or value in a message


def check_env(env: gym.Env, name: str) -> None:
    """Check the spaces and the wrappers of an environment.

    Raises:
        InvalidInputError: actions that are not a bounded box of floating-point numbers,
            observations that are not a box of shape (d,), or a wrapper that keeps statistics over
            episodes, such as NormalizeObservation.
    """
    for kind in ("action_space", "observation_space"):
        space = getattr(env, kind, None)
        if not isinstance(space, gym.spaces.Space):
            raise InvalidInputError(
                f"env {name!r} has the {kind} {short_repr(space)}; allowed: one of gymnasium.spaces"
            )
    _check_actions(env, f"env {name!r} has actions {short_repr(env.action_space)}")
    _check_observations(env, f"env {name!r} has observations {short_repr(env.observation_space)}")
    for layer in env_layers(env):
        kind = type(layer).__name__
        try:
            inspect.signature(layer.reset).bind(seed=None, options=None)
        except TypeError as error:
            raise InvalidInputError(
                f"env {name!r} cannot be reset with a seed and options ({kind}.reset {error}); "
                "allowed: reset(self, *, seed=None, options=None)"
            ) from None
        if not _holds_running_statistics(layer):
            continue
        instead = "normalize_observations=True instead"
        if hasattr(layer, "return_rms"):
            instead = "gymnasium.wrappers.TransformReward with a fixed factor"
        raise InvalidInputError(
            f"env {name!r} has the running statistics of {kind}, which differ in every copy and "
            f"are not stored; allowed: {instead}"
        )


def _check_actions(env: gym.Env, found: str) -> None:
    actions: Any = env.action_space
    if not isinstance(actions, gym.spaces.Box):
        raise InvalidInputError(
            f"{found}; allowed: a Box, since a deterministic policy gradient needs continuous "
            "actions"
        )
    if not np.issubdtype(actions.dtype, np.floating):
        raise InvalidInputError(
            f"{found}; allowed: a Box of floats; gymnasium.wrappers.TransformAction with such a "
            "Box and a function that rounds makes one"
        )
    if actions.shape and 0 in actions.shape:
        raise InvalidInputError(f"{found}; allowed: one number or more")
    bounds = np.abs([actions.low, actions.high], dtype=np.float64)
    if not (bounds <= _MAX_FLOAT32).all():
        clipped = any(isinstance(layer, gym.wrappers.ClipAction) for layer in env_layers(env))
        raise InvalidInputError(
            f"{found}; allowed: finite bounds; "
            + (
                "without the wrapper ClipAction, which takes them away; agents stay inside them"
                if clipped
                else "gymnasium.wrappers.TransformAction with a bounded Box sets them"
            )
        )
    if (actions.low >= actions.high).any():
        raise InvalidInputError(
            f"{found}; allowed: low < high; gymnasium.wrappers.TransformAction can fill in an "
            "entry that has one value"
        )


def _check_observations(env: gym.Env, found: str) -> None:
    states = env.observation_space
    if isinstance(states, gym.spaces.Box) and len(states.shape) == 1 and states.shape != (0,):
        return
    remedy = "gymnasium.wrappers.TransformObservation can make one"
    if states.is_np_flattenable and gym.spaces.flatdim(states) > 0:
        remedy = "gymnasium.wrappers.FlattenObservation makes one"
    raise InvalidInputError(f"{found}; allowed: a Box of shape (d,), d >= 1; {remedy}")


def short_repr(value: Any) -> str:
    """A value on one line; the middle of a long one is left out."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # of the user's __repr__
        text = type(value).__name__
    if len(text) <= _MAX_MESSAGE_LENGTH:
        return text
    half = _MAX_MESSAGE_LENGTH // 2
    return f"{text[:half]}...{text[-half:]}"


def env_layers(env: Any) -> list[Any]:
    """The wrappers of an environment, the outermost first, and the environment itself."""
    layers = [env]
    while isinstance(layers[-1], gym.Wrapper):
        layers.append(layers[-1].env)
    return layers


def _holds_running_statistics(layer: Any) -> bool:
    """Whether a layer has an attribute like Gymnasium's RunningMeanStd."""
    parts = ("mean", "var", "count")
    attributes = getattr(layer, "__dict__", {})
    return any(
        all(hasattr(value, part) and not callable(getattr(value, part)) for part in parts)
        for value in attributes.values()
    )
