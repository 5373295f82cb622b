"""Chapter 7: the discounted linear-quadratic regulator, where every quantity has a closed form.

State and cost: s' = A s + B a + ε with ε of mean zero and covariance W, reward
r = −(sᵀM s + aᵀR a), policy a = −K s, and E[s_0 s_0ᵀ] = Σ_0. Write F = A − B K. Everything below
is finite when the spectral radius of √γ F is below 1.

Source of the closed forms: direct differentiation, in chapter 7; for γ = 1 and W = 0 see Fazel et
al. (2018), arXiv:1801.05039.
"""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import solve_discrete_lyapunov

from dpgcourse.theory.matrices import columns_last, matrix, semidefinite

_MARGIN = 1e-6  # distance of the spectral radius from 1 below which results deserve a warning


class UnstableGainError(ValueError):
    """√γ(A − BK) has spectral radius 1 or more: the sums behind the closed forms diverge."""


@dataclass(frozen=True, init=False)
class LQR:
    """A linear system, its quadratic cost and its discount; states d, actions m.

    Args:
        A: dynamics, (d, d).
        B: effect of the action, (d, m).
        M: cost of states, (d, d), symmetric positive semidefinite.
        R: cost of actions, (m, m), symmetric positive definite.
        gamma: discount, 0 < gamma < 1.
        Sigma0: second moment of the first state, (d, d), positive semidefinite; default identity.
        W: covariance of the noise, (d, d), positive semidefinite; default zero.

    Raises:
        ValueError: the message names the argument, its value and the condition.

    >>> scalar = LQR([[1.0]], [[1.0]], [[1.0]], [[1.0]], gamma=0.9)
    >>> K = [[0.3]]
    >>> float(scalar.J(K).round(6)), float(scalar.dJ_dK(K)[0, 0].round(6))
    (-1.949911, 3.321802)
    >>> float(scalar.optimal_gain()[0, 0].round(6))
    0.588403
    """

    A: np.ndarray
    B: np.ndarray
    M: np.ndarray
    R: np.ndarray
    gamma: float
    Sigma0: np.ndarray
    W: np.ndarray

    def __init__(
        self,
        A: ArrayLike,
        B: ArrayLike,
        M: ArrayLike,
        R: ArrayLike,
        gamma: float,
        Sigma0: ArrayLike | None = None,
        W: ArrayLike | None = None,
    ):
        for name, value in (("A", A), ("B", B)):
            if np.ndim(value) != 2:
                raise ValueError(f"{name} has shape {np.shape(value)}; allowed: two axes")
        d, m = np.shape(B)
        checked = {
            "A": matrix("A", A, (d, d)),
            "B": matrix("B", B, (d, m)),
            "M": semidefinite("M", M, d),
            "R": semidefinite("R", R, m, definite=True),
            "gamma": gamma,
            "Sigma0": semidefinite("Sigma0", np.eye(d) if Sigma0 is None else Sigma0, d),
            "W": semidefinite("W", np.zeros((d, d)) if W is None else W, d),
        }
        if not 0 < gamma < 1:
            raise ValueError(f"gamma is {gamma}; allowed: 0 < gamma < 1")
        for name, field in checked.items():
            object.__setattr__(self, name, field)

    @property
    def state_dim(self) -> int:
        """d."""
        return self.B.shape[0]

    @property
    def action_dim(self) -> int:
        """m."""
        return self.B.shape[1]

    def closed_loop(self, K) -> np.ndarray:
        """F = A − B K, (d, d).

        Raises:
            ValueError: K has not the shape (m, d).
            UnstableGainError: the spectral radius of √γ F is not below 1.

        Warns:
            RuntimeWarning: the spectral radius is within 1e-6 of 1.
        """
        K = matrix("K", K, (self.action_dim, self.state_dim))
        F = self.A - self.B @ K
        radius = self.gamma**0.5 * float(np.abs(np.linalg.eigvals(F)).max())
        if radius >= 1:
            raise UnstableGainError(
                f"K is {K.tolist()}, with which √γ(A − BK) has spectral radius {radius:.6g}; "
                "allowed: below 1"
            )
        if radius > 1 - _MARGIN:
            warnings.warn(
                f"K is {K.tolist()}: the spectral radius {radius:.9g} is within {_MARGIN} of 1",
                RuntimeWarning,
                stacklevel=3,
            )
        return F

    def P(self, K) -> np.ndarray:
        """Cost-to-go matrix, P = M + KᵀRK + γ FᵀPF, (d, d)."""
        F, K = self.closed_loop(K), np.asarray(K, dtype=np.float64)
        return solve_discrete_lyapunov(self.gamma**0.5 * F.T, self.M + K.T @ self.R @ K)

    def constant(self, K) -> float:
        """Cost that the noise adds to every state, c = γ/(1−γ) · tr(PW)."""
        return float(self.gamma / (1 - self.gamma) * np.trace(self.P(K) @ self.W))

    def V(self, K, s) -> np.ndarray:
        """Value −(sᵀPs + c) of states s (..., d), shape (...)."""
        s = columns_last("s", s, self.state_dim)
        return -(np.einsum("...i,ij,...j->...", s, self.P(K), s) + self.constant(K))

    def _pair(self, s, a):
        return columns_last("s", s, self.state_dim), columns_last("a", a, self.action_dim)

    def Q(self, K, s, a) -> np.ndarray:
        """Value of taking a (..., m) in s (..., d) and following K afterward, shape (...)."""
        s, a = self._pair(s, a)
        s_mean = s @ self.A.T + a @ self.B.T  # mean of the next state
        now = np.einsum("...i,ij,...j->...", s, self.M, s)
        now = now + np.einsum("...i,ij,...j->...", a, self.R, a)
        later = np.einsum("...i,ij,...j->...", s_mean, self.P(K), s_mean)
        return -(now + self.gamma * later + self.constant(K))

    def dQ_da(self, K, s, a) -> np.ndarray:
        """The action gradient ∇_aQ at (s, a), shape (..., m)."""
        s, a = self._pair(s, a)
        BP = self.gamma * self.B.T @ self.P(K)  # (m, d)
        return -2 * (a @ (self.R + BP @ self.B).T + s @ (BP @ self.A).T)

    def E(self, K) -> np.ndarray:
        """E_K = (R + γBᵀPB)K − γBᵀPA, (m, d): at a = −Ks, ∇_aQ = 2 E_K s."""
        BP = self.gamma * self.B.T @ self.P(K)
        return (self.R + BP @ self.B) @ np.asarray(K, dtype=np.float64) - BP @ self.A

    def Sigma(self, K) -> np.ndarray:
        """Discounted second moment of the states, Σ_t γ^t E[s_t s_tᵀ], (d, d)."""
        F = self.closed_loop(K)
        source = self.Sigma0 + self.gamma / (1 - self.gamma) * self.W
        return solve_discrete_lyapunov(self.gamma**0.5 * F, source)

    def J(self, K) -> np.float64:
        """Expected discounted return from the first state, −tr(PΣ_0) − c."""
        return -np.trace(self.P(K) @ self.Sigma0) - self.constant(K)

    def dJ_dK(self, K) -> np.ndarray:
        """Gradient of the return, −2 E_K Σ, (m, d)."""
        return -2 * self.E(K) @ self.Sigma(K)

    def natural_gradient(self, K) -> np.ndarray:
        """−2 E_K, (m, d): also the weights of the compatible critic (chapter 8)."""
        return -2 * self.E(K)

    def policy_iteration(self, K) -> np.ndarray:
        """The gain that is greedy for the value of K, K − (R + γBᵀPB)⁻¹E_K, (m, d).

        The cost of the new gain is no larger in any state, if M is positive definite.
        """
        curvature = self.R + self.gamma * self.B.T @ self.P(K) @ self.B
        return np.asarray(K, dtype=np.float64) - np.linalg.solve(curvature, self.E(K))

    def optimal_gain(self, limit: int = 100_000) -> np.ndarray:
        """K*, (m, d): the Riccati equation iterated from P = M, then two policy iterations.

        The noise W plays no part in it.

        Raises:
            ArithmeticError: the iteration did not settle within ``limit`` steps, as when no gain
                is stabilizing.
            UnstableGainError: it settled at a gain that is not stabilizing, as when an unstable
                state costs nothing.
        """
        P = self.M
        for _ in range(limit):
            BP = self.gamma * self.B.T @ P
            K = np.linalg.solve(self.R + BP @ self.B, BP @ self.A)
            P_next = self.M + self.gamma * self.A.T @ P @ (self.A - self.B @ K)
            change, size = np.abs(P_next - P).max(), np.abs(P_next).max()
            if not size < 1e150:
                break
            if change <= 1e-10 * max(1e-300, size):
                return self.policy_iteration(self.policy_iteration(K))
            P = (P_next + P_next.T) / 2
        raise ArithmeticError(f"the Riccati iteration did not settle within {limit} steps")

    def with_action_noise(self, covariance) -> "LQR":
        """The system that a policy N(−Ks, covariance) sees: its noise W + B·covariance·Bᵀ.

        The cost of the noise itself, tr(R·covariance)/(1 − γ), does not depend on K and is not
        in the returned system's J.
        """
        covariance = semidefinite("covariance", covariance, self.action_dim)
        return replace(self, W=self.W + self.B @ covariance @ self.B.T)
