"""What an environment must offer, and what it must return; each miss is one sentence."""

import copy
import inspect
import random
import traceback
from collections.abc import Mapping
from typing import Any, NoReturn

import gymnasium as gym
import numpy as np
from gymnasium.utils.env_checker import data_equivalence

from dpgcourse.errors import InvalidInputError

_MAX_FLOAT32 = float(np.finfo(np.float32).max)  # what the networks can hold
_MAX_MESSAGE_LENGTH = 200  # characters of a space or value in a message
_RESET_RETURNS = "(observation, info)"
_STEP_RETURNS = "(observation, reward, terminated, truncated, info)"
_PROBE_STEPS = 8  # steps


def check_env(env: gym.Env, name: str) -> None:
    """Check the spaces and the wrappers of an environment.

    Raises:
        InvalidInputError: actions that are not a bounded box of floating-point numbers,
            observations that are not a box of shape (d,), or running statistics.
    """
    for kind in ("action_space", "observation_space"):
        space = getattr(env, kind, None)
        if not isinstance(space, gym.spaces.Space):
            raise InvalidInputError(
                f"env {name!r} has the {kind} {_short(space)}; allowed: one of gymnasium.spaces"
            )
    _check_actions(env, f"env {name!r} has actions {_short(env.action_space)}")
    _check_observations(env, f"env {name!r} has observations {_short(env.observation_space)}")
    for layer in _layers(env):
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
        clipped = any(isinstance(layer, gym.wrappers.ClipAction) for layer in _layers(env))
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


def _short(value: Any) -> str:
    """A value on one line; the middle of a long one is left out."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # of the user's __repr__
        text = type(value).__name__
    if len(text) <= _MAX_MESSAGE_LENGTH:
        return text
    half = _MAX_MESSAGE_LENGTH // 2
    return f"{text[:half]}...{text[-half:]}"


def _layers(env: Any) -> list[Any]:
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


def check_wrappers_are_stateless(env: gym.Env, name: str) -> None:
    """Look for wrappers of the user's own that remember earlier episodes, such as a running mean.

    Two episodes begin with the same seed and take the same actions. If they differ outside a
    wrapper and not inside it, and are equal again once its attributes are what they were, then it
    remembers. Mere randomness does not: random generators are not put back.

    Raises:
        InvalidInputError: there is one.
    """
    layers = _layers(env)
    own = [layer for layer in layers[:-1] if not type(layer).__module__.startswith("gymnasium.")]
    if not own:
        return
    remembers = None
    try:
        for layer in reversed(layers):
            before = copy.deepcopy(_attributes(layer))
            first = _probe(layer)
            if _equal(first, _probe(layer)):
                continue
            for attribute in _attributes(layer):
                delattr(layer, attribute)
            vars(layer).update(before)
            if layer in own and _equal(first, _probe(layer)):
                remembers = layer
            break
    except Exception:  # training meets it too, and reports it
        return
    if remembers is not None:
        raise InvalidInputError(
            f"env {name!r} has the wrapper {type(remembers).__name__}, which remembers earlier "
            "episodes: with the same seed and actions it returns something else the second time. "
            "Its memory differs in every copy and is not stored; allowed: wrappers that start "
            "anew at reset; normalize_observations=True for running statistics of observations"
        )


def _equal(one: list[Any], other: list[Any]) -> bool:
    return data_equivalence(one, other, exact=True)


def _probe(env: gym.Env) -> list[Any]:
    """What an environment returns from a fixed seed on, with fixed actions."""
    space = copy.deepcopy(env.action_space)
    space.seed(0)
    seen = [copy.deepcopy(env.reset(seed=0)[0])]
    for _ in range(_PROBE_STEPS):
        returned = env.step(space.sample())
        seen.append(copy.deepcopy(returned[:4]))
        if returned[2] or returned[3]:
            break
    return seen


def _attributes(layer: Any) -> dict[str, Any]:
    """The attributes of a wrapper itself, without random generators."""
    generators = (np.random.Generator, np.random.RandomState, random.Random)
    return {
        name: value
        for name, value in vars(layer).items()
        if name != "env" and not isinstance(value, generators)
    }


def executed_action(a, space: gym.Space) -> np.ndarray:
    """Actions (..., m) as an environment gets them: inside its bounds, in the type of its space.

    Training, evaluation and videos all use this, and the replay buffer stores its result.
    """
    assert isinstance(space, gym.spaces.Box)
    return np.clip(a, space.low, space.high).astype(space.dtype)


class FlattenAction(gym.ActionWrapper):
    """Offers actions of any shape, such as () or (2, 3), as vectors (m,)."""

    def __init__(self, env: gym.Env):
        super().__init__(env)
        box = env.action_space
        assert isinstance(box, gym.spaces.Box)
        self.shape, self.kind = box.shape, box.dtype.type
        self.action_space = gym.spaces.Box(box.low.ravel(), box.high.ravel(), dtype=self.kind)

    def action(self, action: np.ndarray) -> np.ndarray:
        """The action in the shape that the environment knows."""
        return np.asarray(action, dtype=self.kind).reshape(self.shape)


class CheckedEnv(gym.Wrapper):
    """Checks what `reset` and `step` return, and says what was expected.

    An exception of the environment itself goes through as it is, with a note that names the
    environment. Observations are floating-point numbers, whatever the environment delivers, and
    ``info``, which nothing here reads, is left out.

    Raises:
        InvalidInputError: something else than was expected came back.
    """

    def __init__(self, env: gym.Env, name: str):
        super().__init__(env)
        self.name = name
        box: Any = env.observation_space
        self.kind = np.result_type(box.dtype, np.float32)
        if self.kind != box.dtype:
            low, high = (bound.astype(self.kind) for bound in (box.low, box.high))
            self.observation_space = gym.spaces.Box(low, high, dtype=self.kind.type)
        if not isinstance(env.metadata, Mapping):
            self.metadata = {}

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Start an episode."""
        observation, _ = self._call("reset", _RESET_RETURNS, seed=seed, options=options)
        return self._observation(observation, "reset"), {}

    def step(self, action):
        """Advance one step."""
        observation, r, terminated, truncated, _ = self._call("step", _STEP_RETURNS, action)
        flags = self._flag("terminated", terminated), self._flag("truncated", truncated)
        return self._observation(observation, "step"), self._reward(r), *flags, {}

    def render(self):
        """A picture, or whatever the environment makes of it."""
        return self._call("render", None)

    def _call(self, method: str, expected: str | None, *args, **kwargs) -> Any:
        try:
            returned = getattr(self.env, method)(*args, **kwargs)
        except Exception as error:
            if expected and _raised_by_gymnasiums_checks(error):
                self._refuse(method, f"something else ({error})", expected)
            error.add_note(f"raised in {method} of env {self.name!r}")
            raise
        if expected is None:
            return returned
        if not isinstance(returned, tuple) or len(returned) != expected.count(",") + 1:
            kind = type(returned).__name__
            many = f" of {len(returned)}" if isinstance(returned, tuple) else ""
            self._refuse(method, f"a {kind}{many}", expected)
        return returned

    def _refuse(self, method: str, returned: str, expected: str) -> NoReturn:
        raise InvalidInputError(
            f"env {self.name!r} returned {returned} from {method}; expected: {expected}"
        )

    def _observation(self, observation, method: str) -> np.ndarray:
        array, shape = _numbers(observation), self.env.observation_space.shape
        if array is None or array.shape != shape:
            of = "" if array is None or array.shape == () else f" of shape {array.shape}"
            self._refuse(
                method,
                f"the observation {_short(observation)}{of}",
                f"numbers of shape {shape}, as its observation_space says",
            )
        return array.astype(self.kind, copy=False)

    def _reward(self, r) -> float:
        if isinstance(r, float):
            return r
        array = _numbers(r)
        if array is None or array.shape != ():
            of = "" if array is None else f" of shape {array.shape}"
            self._refuse("step", f"the reward {_short(r)}{of}", "a number")
        return float(array)

    def _flag(self, name: str, value) -> bool:
        if isinstance(value, bool | np.bool_):
            return bool(value)
        array = _numbers(value)
        if array is None or array.size != 1:
            of = "" if array is None else f" of shape {array.shape}"
            self._refuse("step", f"{name} = {_short(value)}{of}", "True or False")
        return bool(array)


def _numbers(value: Any) -> np.ndarray | None:
    """The value as an array of real numbers, or None if it is none."""
    try:
        array = np.asarray(value)
        if array.dtype.kind == "O" and not isinstance(value, list | tuple | dict | None):
            array = np.asarray(float(value))  # such as a fraction
    except Exception:
        return None
    return array if array.dtype.kind in "biuf" else None


def _raised_by_gymnasiums_checks(error: Exception) -> bool:
    """Whether a wrapper of Gymnasium could not unpack, or asserted, what was returned."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    module = frame.f_globals.get("__name__", "")
    if module.startswith("gymnasium.utils.passive_env_checker"):
        return isinstance(error, AssertionError | gym.error.Error)
    return module.startswith("gymnasium.wrappers") and "unpack" in str(error)
