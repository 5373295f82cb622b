"""Episodes that can be brought back: each begins with a seed of its own, and its actions are kept.

A simulation starts again where it was by doing again what it did: it is reset with the seed of the
episode, then takes the actions of the episode. This needs no help from the environment.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import SyncVectorEnv, VectorEnv

_SEED_LIMIT = 2**31  # seeds lie below this, which every environment takes


class Episodes:
    """The running episodes of several copies of an environment.

    Args:
        envs: N copies, autoreset disabled.
        rngs: one generator per copy, which draws the seed of each of its episodes.

    Attributes:
        seeds: what the running episodes began with, (N,).
    """

    def __init__(self, envs: VectorEnv, rngs: Sequence[np.random.Generator]):
        self.envs, self.rngs = envs, list(rngs)
        self.seeds = np.zeros(len(self.rngs), dtype=np.int64)
        self._actions: list[np.ndarray] = []  # of all copies, since the oldest episode began
        self._begun = np.zeros(len(self.rngs), dtype=np.int64)  # places in it

    def reset(self) -> np.ndarray:
        """Begin an episode in every copy; the first states, (N, d)."""
        return self.reset_where(np.ones(len(self.rngs), dtype=bool), None)

    def step(self, a: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Take actions (N, m): states (N, d), rewards, ``terminated`` and ``truncated``, (N,)."""
        self._actions.append(a)
        s, r, terminated, truncated, _ = self.envs.step(a)
        return s, r, terminated, truncated

    def reset_where(self, ended: np.ndarray, s: Any) -> np.ndarray:
        """The states to act in next: those of new episodes where ended (N,) is true, else s."""
        if not ended.any():
            return s
        seeds: Any = [
            int(rng.integers(_SEED_LIMIT)) if end else None
            for rng, end in zip(self.rngs, ended, strict=True)
        ]
        s, _ = self.envs.reset(seed=seeds, options={"reset_mask": ended})
        self.seeds[ended] = [seed for seed in seeds if seed is not None]
        self._begun[ended] = len(self._actions)
        oldest = self._begun.min()
        del self._actions[:oldest]
        self._begun -= oldest
        return s

    def state(self) -> dict[str, np.ndarray]:
        """Seeds and lengths of the running episodes, (N,), and their actions, one after another."""
        parts = [self._actions[begun:] for begun in self._begun]
        shape = self.envs.action_space.shape
        actions = [a[i] for i, part in enumerate(parts) for a in part]
        return {
            "seeds": self.seeds.copy(),
            "lengths": np.array([len(part) for part in parts]),
            "actions": np.array(actions, dtype=self.envs.action_space.dtype).reshape(
                -1, *(shape or ())[1:]
            ),
        }

    def load_state(self, state: Mapping[str, np.ndarray]) -> np.ndarray:
        """Play the episodes of a `state` again, up to where they were; the states (N, d) there.

        An environment that draws random numbers from elsewhere than its own generator arrives at
        another state. So compare the states with those that were left.

        Raises:
            Exception: whatever the environment raises.
        """
        self.seeds = np.array(state["seeds"])
        parts = np.split(state["actions"], np.cumsum(state["lengths"])[:-1])
        seeds: Any = self.seeds.tolist()
        s, _ = self.envs.reset(seed=seeds)
        if isinstance(self.envs, SyncVectorEnv):
            s = s.copy()
            for i, (env, actions) in enumerate(zip(self.envs.envs, parts, strict=True)):
                for a in actions:
                    s[i] = env.step(a.copy())[0]
        else:  # copies that are computed together began together
            for a in zip(*parts, strict=True):
                s = self.envs.step(np.stack(a))[0]
        longest = max(map(len, parts))
        self._begun = np.array([longest - len(part) for part in parts])
        width = self.envs.action_space.shape or ()
        padded = np.zeros((longest, *width), dtype=self.envs.action_space.dtype)
        for i, part in enumerate(parts):
            padded[longest - len(part) :, i] = part
        self._actions = list(padded)
        return s
