"""Chapter 6: finitely many states, continuous actions, and the return and its gradient exactly.

A policy is a table of actions a (S, m), row s being μ(s,u), with its Jacobian ∂a/∂u (S, m, n). It
turns a chain into a matrix of transition probabilities P (S, S) and a vector of rewards r (S,);
values and visits are then solutions of linear equations with I − γP.

Actions may be complex, so that the complex step can check every function here.

Source: chapter 6; for general state spaces Silver et al. (2014), Theorem 1.
"""

import warnings
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

_MARGIN = 1e-6  # distance of γ, the spectral radius of γP, from 1 below which results are doubtful


def _array(name: str, value, shape: tuple[int, ...]) -> np.ndarray:
    """Value as float64 or complex; a shape entry −1 stands for any size, leading axes are free."""
    value = np.asarray(value)
    value = value if value.dtype.kind == "c" else value.astype(np.float64)
    tail = value.shape[value.ndim - len(shape) :] if value.ndim >= len(shape) else None
    if tail is None or any(want not in (-1, got) for want, got in zip(shape, tail, strict=True)):
        allowed = ", ".join("any" if size == -1 else str(size) for size in shape)
        raise ValueError(f"{name} has shape {value.shape}; allowed: (..., {allowed})")
    if not np.isfinite(value).all():
        raise ValueError(f"{name} is {value.tolist()}; allowed: finite entries")
    return value


def _check_start_and_discount(p0: np.ndarray, gamma: float) -> None:
    if (p0 < 0).any() or abs(p0.sum() - 1) > 1e-12:
        raise ValueError(f"p0 is {p0.tolist()}; allowed: nonnegative entries that sum to 1")
    if not 0 <= gamma < 1:
        raise ValueError(f"gamma is {gamma}; allowed: 0 <= gamma < 1")
    if gamma > 1 - _MARGIN:
        warnings.warn(
            f"gamma is {gamma}: the spectral radius of γP is within {_MARGIN} of 1",
            RuntimeWarning,
            stacklevel=3,
        )


class FiniteChain(ABC):
    """S states and actions in R^m; subclasses say how actions move the chain and what it pays.

    Methods take a table of actions a (S, m), one row per state. Every one raises ValueError on a
    wrong shape or an entry that is not finite.

    Attributes:
        p0: distribution of the first state, (S,).
        gamma: discount.
    """

    p0: np.ndarray
    gamma: float

    @abstractmethod
    def P(self, a) -> np.ndarray:
        """Transition probabilities p(s'|s, a_s), shape (..., S, S), for actions (..., S, m)."""

    @abstractmethod
    def dP_da(self, a) -> np.ndarray:
        """Their derivatives to the action of their own row, shape (..., S, S, m)."""

    @abstractmethod
    def r(self, a) -> np.ndarray:
        """Rewards r(s, a_s), shape (..., S)."""

    @abstractmethod
    def dr_da(self, a) -> np.ndarray:
        """Their derivatives to the action of their own row, shape (..., S, m)."""

    def _resolvent(self, a) -> np.ndarray:
        a = _array("a", a, (len(self.p0), -1))
        if a.ndim != 2:
            raise ValueError(f"a has shape {a.shape}; a policy has one row per state: (S, m)")
        return np.eye(len(self.p0)) - self.gamma * self.P(a)

    def V(self, a) -> np.ndarray:
        """Values of the policy, the solution of V = r + γPV, shape (S,)."""
        return np.linalg.solve(self._resolvent(a), self.r(a))

    def Q(self, a, tried) -> np.ndarray:
        """Values (..., S) of one tried action per state (..., S, m), with the policy a after it."""
        return self.r(tried) + self.gamma * self.P(tried) @ self.V(a)

    def dQ_da(self, a, tried=None) -> np.ndarray:
        """∇_aQ of the policy a at the tried actions, by default at its own; shape (..., S, m)."""
        tried = a if tried is None else tried
        future = np.einsum("...ijm,j->...im", self.dP_da(tried), self.V(a))
        return self.dr_da(tried) + self.gamma * future

    def rho(self, a) -> np.ndarray:
        """Discounted visits Σ_t γ^t P(s_t = s), shape (S,); they sum to 1/(1−γ)."""
        return np.linalg.solve(self._resolvent(a).T, self.p0)

    def J(self, a):
        """Expected discounted return from p0, a number."""
        return self.p0 @ self.V(a)

    def local_gradient(self, a, da_du) -> np.ndarray:
        """J_sᵀ∇_aQ for every state, the present action moved, the later policy held; (S, n)."""
        g = self.dQ_da(a)
        da_du = _array("da_du", da_du, (*g.shape, -1))
        return np.einsum("sm,smn->sn", g, da_du)

    def dV_du(self, a, da_du) -> np.ndarray:
        """Total derivative of every state's value, (I − γP)⁻¹ times the local one; (S, n)."""
        return np.linalg.solve(self._resolvent(a), self.local_gradient(a, da_du))

    def dJ_du(self, a, da_du) -> np.ndarray:
        """Gradient of the return by the theorem, Σ_s ρ(s) J_sᵀ∇_aQ(s, a_s); shape (n,)."""
        return self.rho(a) @ self.local_gradient(a, da_du)


@dataclass(frozen=True, init=False)
class SoftmaxChain(FiniteChain):
    """p(j|s,a) = softmax_j(logits_sj + tilt_sj·a) and r(s,a) = base_s − ½‖a − favorite_s‖².

    Args:
        logits: (S, S).
        tilt: how the action in s favors the next state j, (S, S, m).
        base: (S,).
        favorite: the action that pays best at once, (S, m).
        p0: distribution of the first state, (S,).
        gamma: discount, 0 <= gamma < 1.

    Raises:
        ValueError: the message names the argument, its value and the condition.

    Warns:
        RuntimeWarning: gamma is within 1e-6 of 1.

    Two states; in the first, a logistic function of the action leads to the second, which pays 1:

    >>> tilt = np.array([[[0.0], [1.0]], [[0.0], [0.0]]])
    >>> zero = np.zeros((2, 1))
    >>> chain = SoftmaxChain(np.zeros((2, 2)), tilt, [0.0, 1.0], zero, [1.0, 0.0], gamma=0.5)
    >>> chain.V(zero).tolist(), chain.rho(zero).tolist(), chain.dQ_da(zero).tolist()
    ([0.5, 1.5], [1.5, 0.5], [[0.125], [0.0]])
    >>> chain.dJ_du(zero, np.ones((2, 1, 1))).tolist()
    [0.1875]
    """

    logits: np.ndarray
    tilt: np.ndarray
    base: np.ndarray
    favorite: np.ndarray
    p0: np.ndarray
    gamma: float

    def __init__(
        self,
        logits: ArrayLike,
        tilt: ArrayLike,
        base: ArrayLike,
        favorite: ArrayLike,
        p0: ArrayLike,
        gamma: float,
    ):
        S = np.size(p0)
        if np.ndim(favorite) != 2:
            raise ValueError(f"favorite has shape {np.shape(favorite)}; allowed: (S, m)")
        m = np.shape(favorite)[1]
        for name, given, shape in (
            ("logits", logits, (S, S)),
            ("tilt", tilt, (S, S, m)),
            ("base", base, (S,)),
            ("favorite", favorite, (S, m)),
            ("p0", p0, (S,)),
        ):
            value = _array(name, given, shape)
            if value.shape != shape:
                raise ValueError(f"{name} has shape {value.shape}; allowed: {shape}")
            object.__setattr__(self, name, value)
        object.__setattr__(self, "gamma", gamma)
        _check_start_and_discount(self.p0, gamma)

    def P(self, a) -> np.ndarray:
        """Transition probabilities p(s'|s, a_s), shape (..., S, S), for actions (..., S, m)."""
        a = _array("a", a, self.favorite.shape)
        z = self.logits + np.einsum("ijm,...im->...ij", self.tilt, a)
        e = np.exp(z - z.real.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    def dP_da(self, a) -> np.ndarray:
        """p(j|s,a) (tilt_sj − Σ_k p(k|s,a) tilt_sk), shape (..., S, S, m)."""
        P = self.P(a)
        mean = np.einsum("...ij,ijm->...im", P, self.tilt)
        return P[..., None] * (self.tilt - mean[..., :, None, :])

    def r(self, a) -> np.ndarray:
        """Rewards r(s, a_s), shape (..., S)."""
        a = _array("a", a, self.favorite.shape)
        return self.base - ((a - self.favorite) ** 2).sum(-1) / 2

    def dr_da(self, a) -> np.ndarray:
        """favorite_s − a_s, shape (..., S, m)."""
        return self.favorite - _array("a", a, self.favorite.shape)
