"""Chapter 13: tiny tasks whose values or best policy are known, to find bugs with.

| task | what is known |
|---|---|
| ConstantReward-v0 | every value is 1/(1 − γ) |
| RandomSign-v0 | the values are 0, 2 and −2 |
| ContextualBandit-v0 | the best policy is a = s |
"""

from typing import Any

import gymnasium as gym
import numpy as np


class ConstantReward(gym.Env):
    """One state, reward 1 at every step, no end; registered with a time limit of 5 steps.

    Every value is 1 + γ + γ² + … = 1/(1 − γ), whatever the actions are.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 - declared so by Gymnasium
    observation_space = gym.spaces.Box(-1.0, 1.0, (1,), np.float64)
    action_space = gym.spaces.Box(-1.0, 1.0, (1,))

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Start, in the only state."""
        super().reset(seed=seed)
        return np.zeros(1), {}

    def step(self, action):
        """Stay, and earn 1."""
        return np.zeros(1), 1.0, False, False, {}


class RandomSign(ConstantReward):
    """From state 0 a fair coin leads to state 1 or −1, where the reward is twice the state.

    After that reward the task ends. Actions do nothing. The values are 0, 2 and −2.
    """

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Start in state 0."""
        self.state = 0
        return super().reset(seed=seed)

    def step(self, action):
        """Move to state 1 or −1, or collect the reward there and end."""
        if self.state:
            return np.zeros(1), 2.0 * self.state, True, False, {}
        self.state = int(self.np_random.choice((-1, 1)))
        return np.array([self.state], dtype=float), 0.0, False, False, {}


class ContextualBandit(ConstantReward):
    """One step: the state s is uniform on [−1, 1], the reward −(a − s)², the box −2 to 2.

    The best policy is a = s.
    """

    action_space = gym.spaces.Box(-2.0, 2.0, (1,))

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Draw the state."""
        super().reset(seed=seed)
        self.state = self.np_random.uniform(-1, 1, size=1)
        return self.state.copy(), {}

    def step(self, action):
        """Pay for the squared distance of action and state, and end."""
        a = np.clip(action, -2, 2)
        return self.state.copy(), -float(np.sum((a - self.state) ** 2)), True, False, {}


def register() -> None:
    """Make these tasks known to Gymnasium."""
    tasks: tuple[tuple[str, Any, int | None], ...] = (
        ("ConstantReward-v0", ConstantReward, 5),
        ("RandomSign-v0", RandomSign, None),
        ("ContextualBandit-v0", ContextualBandit, None),
    )
    for name, entry, limit in tasks:
        if name not in gym.registry:
            gym.register(name, entry_point=entry, max_episode_steps=limit)
