"""Chapter 11: a near-optimal policy for Pendulum-v1 by dynamic programming, the upper anchor.

The state is two numbers, θ and θ̇, so the value function fits on a grid. Backward induction over
the 200 steps computes it without learning. The grid and the 17 torques are approximations, so the
policy is near-optimal: its return is no upper bound.
"""

from dataclasses import dataclass

import numpy as np

from dpgcourse.envs.vector_pendulum import (
    MAX_SPEED,
    MAX_TORQUE,
    VectorPendulum,
    pendulum_step,
)

TORQUES = np.linspace(-MAX_TORQUE, MAX_TORQUE, 17)


@dataclass(frozen=True)
class Grid:
    """Bilinear interpolation over θ (periodic) and θ̇ (−8 to 8)."""

    angles: int = 201
    speeds: int = 161

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Angle and speed of every grid point, each (angles·speeds,)."""
        angle = np.linspace(-np.pi, np.pi, self.angles, endpoint=False)
        speed = np.linspace(-MAX_SPEED, MAX_SPEED, self.speeds)
        angles, speeds = np.meshgrid(angle, speed, indexing="ij")
        return angles.ravel(), speeds.ravel()

    def corners(self, theta, speed) -> tuple[np.ndarray, np.ndarray]:
        """Indices and weights of the four grid points around each state, both (4, N)."""
        i = (np.asarray(theta) / (2 * np.pi) + 0.5) * self.angles
        j = (np.asarray(speed) / (2 * MAX_SPEED) + 0.5) * (self.speeds - 1)
        i0, j0 = np.floor(i).astype(int), np.clip(np.floor(j).astype(int), 0, self.speeds - 2)
        x, y = i - i0, j - j0
        row, above = i0 % self.angles * self.speeds, (i0 + 1) % self.angles * self.speeds
        index = np.stack([row + j0, row + j0 + 1, above + j0, above + j0 + 1])
        return index, np.stack([(1 - x) * (1 - y), (1 - x) * y, x * (1 - y), x * y])


def near_optimal_returns(episodes: int, seed: int, grid: Grid | None = None) -> np.ndarray:
    """Returns of the greedy policy over default starts, (episodes,), undiscounted.

    Args:
        episodes: number of starts.
        seed: of the first start; the others follow it.
        grid: of the value function; default 201 angles by 161 speeds.
    """
    grid = grid or Grid()
    limit = VectorPendulum.limit
    theta, speed = grid.points()
    moves = [pendulum_step(theta, speed, torque) for torque in TORQUES]
    ahead = [grid.corners(angle, velocity) for angle, velocity, _ in moves]
    V = np.zeros((limit + 1, len(theta)))  # V[k]: best return of the last k steps
    for k in range(1, limit + 1):
        V[k] = np.max(
            [
                r + (V[k - 1][index] * weight).sum(0)
                for (_, _, r), (index, weight) in zip(moves, ahead, strict=True)
            ],
            axis=0,
        )

    env = VectorPendulum(episodes)
    env.reset(seed=seed)
    total = np.zeros(episodes)
    for k in range(limit - 1, -1, -1):
        values = []
        for torque in TORQUES:
            angle, velocity, r = pendulum_step(env.theta, env.speed, torque)
            index, weight = grid.corners(angle, velocity)
            values.append(r + (V[k][index] * weight).sum(0))
        _, r, _, _, _ = env.step(TORQUES[np.argmax(values, axis=0)][:, None])
        total += r
    return total
