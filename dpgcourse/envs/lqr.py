"""Linear-quadratic systems as a Gymnasium task of many steps with an exact solution."""

from typing import Any

import gymnasium as gym
import numpy as np

from dpgcourse.theory.lqr import LQR

# Chapter 7's cart: position and speed, 0.1 s a step; the action is a force per mass.
CART = LQR(
    A=[[1.0, 0.1], [0.0, 1.0]],
    B=[[0.005], [0.1]],
    M=np.diag([1.0, 0.1]),
    R=[[0.01]],
    gamma=0.98,
    W=0.01 * np.eye(2),
)
FORCE = 30.0  # m/s²; K* asks for more in fewer than 1 of 1,000 first states
TIME_LIMIT = 200  # steps


class LQREnv(gym.Env):
    """The system s' = A s + B a + ε with reward −(sᵀM s + aᵀR a), actions bounded.

    | quantity | shape | range, and for the default cart its unit |
    |---|---|---|
    | state | (d,), float64 | unbounded; position in m, speed in m/s |
    | action | (m,), float32 | low to high; acceleration in m/s², −30 to 30 |
    | reward | a number | at most 0, unbounded below |
    | first state | (d,) | normal with mean 0 and covariance Σ_0 |
    | noise ε | (d,) | normal with mean 0 and covariance W |

    An action outside the box is clipped to it, entry by entry; the clipped action moves the
    system and is the one that the reward charges. So the closed forms of `LQR`, which knows no
    bounds, hold where −Ks stays inside the box: choose it wide.

    An episode never terminates. It is truncated where it was made with a time limit, as
    "LQR-v0" is, after 200 steps. ``reset(options={"state": s})`` starts in the state s.

    Args:
        system: the system; its discount and Σ_0 are those of the closed forms.
        low, high: bounds of the action, numbers or (m,), finite, low < high.

    Raises:
        ValueError: bounds that are not finite or not in order; a state or an action that has the
            wrong shape or is not finite. The message names it.
        FloatingPointError: the state grew beyond what a number can hold.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 - declared so by Gymnasium
    action_space: gym.spaces.Box

    def __init__(self, system: LQR = CART, low=-FORCE, high=FORCE):
        m = system.action_dim
        low, high = self._vector("low", low, m), self._vector("high", high, m)
        if not (low < high).all():
            raise ValueError(f"low is {low} and high is {high}; allowed: low < high")
        self.system = system
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (system.state_dim,), np.float64)
        self.action_space = gym.spaces.Box(low.astype(np.float32), high.astype(np.float32))
        self._roots = [_root(C) for C in (system.Sigma0, system.W)]
        self.state = np.zeros(system.state_dim)

    @staticmethod
    def _vector(name: str, value, size: int) -> np.ndarray:
        value = np.asarray(value, dtype=np.float64)
        if value.shape not in ((), (size,)):
            raise ValueError(f"{name} has shape {value.shape}; allowed: ({size},)")
        if not np.isfinite(value).all():
            raise ValueError(f"{name} is {value}; allowed: finite numbers")
        return np.broadcast_to(value, (size,))

    def _draw(self, root: np.ndarray) -> np.ndarray:
        return root @ self.np_random.standard_normal(len(root))

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Draw the first state, or take it from ``options["state"]``."""
        super().reset(seed=seed)
        state = (options or {}).get("state")
        if state is None:
            self.state = self._draw(self._roots[0])
        else:
            self.state = self._vector("state", state, self.system.state_dim).copy()
        return self.state.copy(), {}

    def step(self, action):
        """Clip the action, charge for state and action, and move on."""
        action = self._vector("action", action, self.system.action_dim)
        a = np.clip(action, self.action_space.low, self.action_space.high)
        s, lqr = self.state, self.system
        cost = s @ lqr.M @ s + a @ lqr.R @ a
        s_next = lqr.A @ s + lqr.B @ a + self._draw(self._roots[1])
        if not (np.isfinite(s_next).all() and np.isfinite(cost)):
            raise FloatingPointError(f"state {s} is followed by {s_next}, cost {cost}")
        self.state = s_next
        return s_next.copy(), -float(cost), False, False, {}


def _root(covariance: np.ndarray) -> np.ndarray:
    """A matrix L with L Lᵀ = covariance, which may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.clip(values, 0, None))


def register() -> None:
    """Make "LQR-v0", the default cart with a limit of 200 steps, known to Gymnasium."""
    entry: Any = LQREnv
    if "LQR-v0" not in gym.registry:
        gym.register("LQR-v0", entry_point=entry, max_episode_steps=TIME_LIMIT)
