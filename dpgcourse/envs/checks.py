"""What an environment must offer, and what it must return; each miss is one sentence."""

from typing import Any

import gymnasium as gym
import numpy as np

from dpgcourse.errors import InvalidInputError


def check_env(env: gym.Env, name: str) -> None:
    """Check the spaces and the wrappers of an environment.

    Raises:
        InvalidInputError: actions that are not a bounded box of floating-point numbers,
            observations that are not a box of shape (d,), or a wrapper with running statistics.
    """
    actions, states = env.action_space, env.observation_space
    if not isinstance(actions, gym.spaces.Box):
        raise InvalidInputError(
            f"env {name!r} has actions {actions}; allowed: a Box, since a deterministic policy "
            "gradient needs continuous actions"
        )
    if not np.issubdtype(actions.dtype, np.floating):
        raise InvalidInputError(
            f"env {name!r} has actions {actions}; allowed: a Box of floats; "
            "gymnasium.wrappers.TransformAction can round them"
        )
    if not actions.is_bounded():
        raise InvalidInputError(
            f"env {name!r} has actions {actions}; allowed: finite bounds; "
            "gymnasium.wrappers.TransformAction can map a bounded Box to them"
        )
    if (actions.low >= actions.high).any():
        raise InvalidInputError(f"env {name!r} has actions {actions}; allowed: low < high")
    if not isinstance(states, gym.spaces.Box) or len(states.shape) != 1 or states.shape == (0,):
        raise InvalidInputError(
            f"env {name!r} has observations {states}; allowed: a Box of shape (d,); "
            "gymnasium.wrappers.FlattenObservation makes one"
        )
    layer: Any = env
    while isinstance(layer, gym.Wrapper):
        kind = type(layer).__name__
        if hasattr(layer, "obs_rms"):
            raise InvalidInputError(
                f"env {name!r} has the wrapper {kind}, whose statistics differ in every copy and "
                "are not stored; allowed: normalize_observations=True instead"
            )
        if hasattr(layer, "return_rms"):
            raise InvalidInputError(
                f"env {name!r} has the wrapper {kind}, whose statistics differ in every copy and "
                "are not stored; allowed: gymnasium.wrappers.TransformReward with a fixed factor"
            )
        layer = layer.env


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
    environment.
    """

    def __init__(self, env: gym.Env, name: str):
        super().__init__(env)
        self.name = name

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Start an episode."""
        try:
            observation, info = self.env.reset(seed=seed, options=options)
        except Exception as error:
            error.add_note(f"in reset of env {self.name!r}; expected: (observation, info)")
            raise
        return self._observation(observation, "reset"), info

    def step(self, action):
        """Advance one step."""
        try:
            observation, r, terminated, truncated, info = self.env.step(action)
        except Exception as error:
            error.add_note(
                f"in step of env {self.name!r}; expected: "
                "(observation, reward, terminated, truncated, info)"
            )
            raise
        if r is None or np.ndim(r) != 0:
            what = "None" if r is None else f"an array of shape {np.shape(r)}"
            raise TypeError(f"env {self.name!r} returned the reward {what}; expected: a number")
        flags = bool(np.all(terminated)), bool(np.all(truncated))
        return self._observation(observation, "step"), float(r), *flags, info

    def _observation(self, observation, method: str) -> np.ndarray:
        space = self.env.observation_space
        array = np.asarray(observation)
        if array.shape != space.shape:
            raise ValueError(
                f"env {self.name!r} returned an observation of shape {array.shape} from {method}; "
                f"expected: {space.shape}, as its observation_space says"
            )
        return array.astype(space.dtype, copy=False)
