"""Appendix 8: the bandit of Silver et al. (2014), section 5.1, with the baseline as a switch.

One state, m actions, reward r = −(a − a*)ᵀC(a − a*) with a* = 4 in every entry and eigenvalues of
C in {0.1, 1}. The policy is its mean θ. Each update draws 2m actions around θ, refits a critic to
their rewards by linear regression on a − θ and a constant, and moves θ once.

Not given in the paper, and chosen here: half of the eigenvalues are 0.1 (one less than the rest
for odd m), C is diagonal, θ starts at 0, and the step sizes. A step size that is too large shows
as costs of inf or nan.
"""

from dataclasses import dataclass

import numpy as np

ESTIMATORS = ("deterministic", "stochastic", "stochastic, baseline")
TARGET = 4.0


@dataclass(frozen=True)
class Bandit:
    """The bandit's costs.

    Args:
        m: number of action dimensions, from 2 on.

    Raises:
        ValueError: another m.

    >>> float(Bandit(10).cost(np.zeros(10)))
    88.0
    """

    m: int

    def __post_init__(self):
        if self.m < 2 or self.m != int(self.m):
            raise ValueError(f"m is {self.m}; allowed: a whole number from 2 on")

    @property
    def eigenvalues(self) -> np.ndarray:
        """Of C, (m,): m // 2 times 0.1, the rest 1."""
        return np.repeat([0.1, 1.0], [self.m // 2, self.m - self.m // 2])

    def cost(self, a) -> np.ndarray:
        """(a − a*)ᵀC(a − a*) of actions (..., m), shape (...)."""
        return ((np.asarray(a) - TARGET) ** 2) @ self.eigenvalues


def fit_critic(offsets: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least squares of r (S, N) on offsets a − θ (S, N, m) and a constant.

    Solved by the normal equations, with the offsets scaled to the size of the constant; N must
    exceed m.

    Returns:
        Slopes (S, m) and constants (S,): the regression's estimates of ∇_aQ and of V at θ.
    """
    scale = np.sqrt((offsets**2).mean())
    x = np.concatenate([offsets / scale, np.ones_like(offsets[..., :1])], axis=-1)
    transposed = np.swapaxes(x, -1, -2)
    weights = np.linalg.solve(transposed @ x, transposed @ r[..., None])[..., 0]
    return weights[:, :-1] / scale, weights[:, -1]


def actor_direction(estimator: str, offsets, slopes, constants, sigma: float) -> np.ndarray:
    """The direction in which θ moves, (S, m).

    - ``"deterministic"``: the critic's slopes themselves, Jᵀ∇_aQ with J = I.
    - ``"stochastic"``: the mean over the batch of ∇_θ log π(a) · Q^w(a), where
      ∇_θ log π(a) = (a − θ)/σ² and Q^w has its constant.
    - ``"stochastic, baseline"``: the same with the constant left out of Q^w.

    Raises:
        ValueError: another estimator.
    """
    if estimator not in ESTIMATORS:
        raise ValueError(f"estimator is {estimator!r}; allowed: {ESTIMATORS}")
    if estimator == "deterministic":
        return slopes
    q = np.einsum("snm,sm->sn", offsets, slopes)
    if estimator == "stochastic":
        q = q + constants[:, None]
    return np.einsum("snm,sn->sm", offsets, q) / (sigma**2 * offsets.shape[1])


def run_bandit(
    bandit: Bandit,
    estimator: str,
    alpha: float | np.ndarray,
    sigma: float,
    actions: int,
    runs: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Costs of the policy's mean before every update and after the last, (updates + 1, runs).

    Args:
        bandit: the task.
        estimator: one of `ESTIMATORS`.
        alpha: step size, positive; one for all runs, or one for each (runs,).
        sigma: standard deviation of the actions around θ, positive.
        actions: number of actions that each run may try; an update takes 2m of them.
        runs: independent runs, computed at once.
        rng: source of all randomness.

    Raises:
        ValueError: alpha or sigma is not positive, or the estimator is unknown.
    """
    for name, value in (("alpha", alpha), ("sigma", sigma)):
        if not np.all(np.asarray(value) > 0):
            raise ValueError(f"{name} is {value}; allowed: a positive number")
    m, theta = bandit.m, np.zeros((runs, bandit.m))
    steps = np.broadcast_to(alpha, runs)[:, None]
    costs = [bandit.cost(theta)]
    for _ in range(actions // (2 * m)):
        offsets = sigma * rng.normal(size=(runs, 2 * m, m))
        r = -bandit.cost(theta[:, None] + offsets)
        slopes, constants = fit_critic(offsets, r)
        theta = theta + steps * actor_direction(estimator, offsets, slopes, constants, sigma)
        costs.append(bandit.cost(theta))
    return np.array(costs)
