"""What goes into an environment and what comes back, in one form for every environment."""

import traceback
from collections.abc import Mapping
from typing import Any, NoReturn

import gymnasium as gym
import numpy as np

from dpgcourse.envs.checks import short_repr
from dpgcourse.errors import InvalidInputError

_RESET_RETURNS = "(observation, info)"
_STEP_RETURNS = "(observation, reward, terminated, truncated, info)"


def executed_action(a, space: gym.Space) -> np.ndarray:
    """Actions (..., m) as an environment gets them: inside its bounds, in the type of its space.

    Training, evaluation and videos all use this, and the replay buffer stores its result.
    """
    assert isinstance(space, gym.spaces.Box)
    return np.asarray(a).clip(space.low, space.high).astype(space.dtype)


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
                f"the observation {short_repr(observation)}{of}",
                f"numbers of shape {shape}, as its observation_space says",
            )
        return array.astype(self.kind, copy=False)

    def _reward(self, r) -> float:
        if isinstance(r, float):
            return r
        array = _numbers(r)
        if array is None or array.shape != ():
            of = "" if array is None else f" of shape {array.shape}"
            self._refuse("step", f"the reward {short_repr(r)}{of}", "a number")
        return float(array)

    def _flag(self, name: str, value) -> bool:
        if isinstance(value, bool | np.bool_):
            return bool(value)
        array = _numbers(value)
        if array is None or array.size != 1:
            of = "" if array is None else f" of shape {array.shape}"
            self._refuse("step", f"{name} = {short_repr(value)}{of}", "True or False")
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
