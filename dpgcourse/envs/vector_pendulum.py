"""Gymnasium's Pendulum-v1 with all copies computed at once."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

MAX_SPEED, MAX_TORQUE, DT, GRAVITY = 8.0, 2.0, 0.05, 10.0  # rad/s, N m, s, m/s²


def pendulum_step(theta, speed, torque):
    """Advance pendulums of 1 kg and 1 m by 0.05 s.

    Args:
        theta: angles in rad, 0 upright, (N,).
        speed: angular velocities in rad/s, (N,).
        torque: in N m, clipped to −2 to 2, (N,).

    Returns:
        Next angles, next velocities, and the rewards −(θ² + 0.1 θ̇² + 0.001 torque²) of the states
        left, θ taken between −π and π; each (N,).
    """
    # The method, since the function np.clip takes four times as long on a few numbers.
    torque = np.asarray(torque).clip(-MAX_TORQUE, MAX_TORQUE)
    angle = (theta + np.pi) % (2 * np.pi) - np.pi
    cost = angle**2 + 0.1 * speed**2 + 0.001 * torque**2
    acceleration = 3 * GRAVITY / 2 * np.sin(theta) + 3.0 * torque
    speed = (speed + acceleration * DT).clip(-MAX_SPEED, MAX_SPEED)
    return theta + speed * DT, speed, -cost


class VectorPendulum(VectorEnv):
    """Gymnasium's Pendulum-v1, all copies computed at once; equal to it step for step.

    | quantity | shape | range |
    |---|---|---|
    | state | (num_envs, 3), float32 | cos θ, sin θ, angular velocity θ̇ in rad/s, abs(θ̇) <= 8 |
    | action | (num_envs, 1) | torque in N m, −2 to 2, clipped |
    | reward | (num_envs,), float64 | −(θ² + 0.1 θ̇² + 0.001 torque²), −16.27 to 0 |

    θ = 0 is upright. An episode is truncated after 200 steps and never terminates.

    Args:
        num_envs: number of copies.
    """

    metadata = {  # noqa: RUF012 - declared so by Gymnasium
        "autoreset_mode": AutoresetMode.DISABLED,
        "render_modes": [],
    }
    limit = 200
    start = np.array([np.pi, 1.0])  # |θ| and |θ̇| at the start are below these

    def __init__(self, num_envs: int):
        self.num_envs = num_envs
        bound = np.array([1.0, 1.0, MAX_SPEED], dtype=np.float32)
        self.single_observation_space = gym.spaces.Box(-bound, bound)
        self.single_action_space = gym.spaces.Box(-MAX_TORQUE, MAX_TORQUE, (1,))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.rngs: list[Any] = [None] * num_envs
        self.theta = np.zeros(num_envs)
        self.speed = np.zeros(num_envs)
        self.elapsed = np.zeros(num_envs, dtype=int)

    def reset(self, *, seed: int | list[int | None] | None = None, options: dict | None = None):
        """Start new episodes: in all copies, or where ``options["reset_mask"]`` is true."""
        if seed is None or isinstance(seed, int):
            seed = [None if seed is None else seed + i for i in range(self.num_envs)]
        mask = (options or {}).get("reset_mask", np.ones(self.num_envs, dtype=bool))
        for i in np.flatnonzero(mask):
            if seed[i] is not None or self.rngs[i] is None:
                self.rngs[i], _ = seeding.np_random(seed[i])
            self.theta[i], self.speed[i] = self.rngs[i].uniform(-self.start, self.start)
            self.elapsed[i] = 0
        return self._state(), {}

    def step(self, actions):
        """Advance every copy by 0.05 s."""
        torque = np.asarray(actions)[:, 0]
        self.theta, self.speed, r = pendulum_step(self.theta, self.speed, torque)
        self.elapsed += 1
        never = np.zeros(self.num_envs, dtype=bool)
        return self._state(), r, never, self.elapsed >= self.limit, {}

    def _state(self) -> np.ndarray:
        state = np.empty((self.num_envs, 3), dtype=np.float32)
        state[:, 0], state[:, 1], state[:, 2] = np.cos(self.theta), np.sin(self.theta), self.speed
        return state


# Mean returns that a learning curve is read against; chapter 11 computes both of them again.
REFERENCE_RETURNS = {"Pendulum-v1": {"random": -1226.0, "near-optimal": -138.0}}
