"""Chapter 1: the actor a = μ(s,u), the critic Q(s,a,w), and the composite ℓ(u) = Q(s, μ(s,u), w).

Small actors and critics whose partial derivatives are short enough to check by hand. Parameters
u and w are flat vectors, so that "the derivative with respect to u" is a vector too. States and
actions may carry leading axes, written ``...``: one state ``(d,)`` or a batch ``(B, d)``.
"""

from dataclasses import dataclass

import numpy as np


def _last_axis(name: str, x, size: int) -> np.ndarray:
    """x as an array whose last axis has the given size, or a ValueError that says so."""
    x = np.asarray(x)
    if x.ndim == 0 or x.shape[-1] != size:
        raise ValueError(f"{name} has shape {x.shape}; allowed: (..., {size})")
    return x


def _flat(name: str, x, size: int) -> np.ndarray:
    x = np.asarray(x)
    if x.shape != (size,):
        raise ValueError(f"{name} has shape {x.shape}; allowed: ({size},)")
    return x


@dataclass(frozen=True)
class LinearActor:
    """The actor a = U s. The n = m·d parameters u are the rows of U, one after the other.

    Args:
        state_dim: d.
        action_dim: m.

    All methods raise ValueError when s or u has the wrong shape.
    """

    state_dim: int
    action_dim: int

    @property
    def n(self) -> int:
        """Number of parameters, m·d."""
        return self.action_dim * self.state_dim

    def _matrix(self, u) -> np.ndarray:
        return _flat("u", u, self.n).reshape(self.action_dim, self.state_dim)

    def mu(self, s, u) -> np.ndarray:
        """The action a = μ(s,u), shape (..., m)."""
        return _last_axis("s", s, self.state_dim) @ self._matrix(u).T

    def da_du(self, s, u) -> np.ndarray:
        """The Jacobian J = ∂a/∂u, shape (..., m, n): row i holds s in the columns of U's row i."""
        self._matrix(u)
        s = _last_axis("s", s, self.state_dim)
        J = np.eye(self.action_dim)[:, :, None] * s[..., None, None, :]  # (..., m, m, d)
        return J.reshape(*s.shape[:-1], self.action_dim, self.n)

    def vjp(self, s, u, g) -> np.ndarray:
        """The vector-Jacobian product Jᵀg, shape (..., n), without building J; g is (..., m)."""
        self._matrix(u)
        s = _last_axis("s", s, self.state_dim)
        product = _last_axis("g", g, self.action_dim)[..., :, None] * s[..., None, :]  # (..., m, d)
        return product.reshape(*product.shape[:-2], self.n)

    def jvp(self, s, u, du) -> np.ndarray:
        """The Jacobian-vector product δa = J δu, shape (..., m), without building J; du is (n,)."""
        self._matrix(u)
        return _last_axis("s", s, self.state_dim) @ self._matrix(du).T


class TanhActor(LinearActor):
    """The actor a = tanh(U s): every action lies strictly between −1 and 1.

    The chain rule inside the actor: each derivative is the linear actor's, with row i multiplied
    by the slope of the squashing, 1 − a_i².
    """

    def mu(self, s, u) -> np.ndarray:
        """The action a = μ(s,u), shape (..., m)."""
        return np.tanh(super().mu(s, u))

    def da_du(self, s, u) -> np.ndarray:
        """The Jacobian J = ∂a/∂u, shape (..., m, n)."""
        return (1 - self.mu(s, u) ** 2)[..., None] * super().da_du(s, u)

    def vjp(self, s, u, g) -> np.ndarray:
        """The vector-Jacobian product Jᵀg, shape (..., n); g is (..., m)."""
        return super().vjp(s, u, (1 - self.mu(s, u) ** 2) * _last_axis("g", g, self.action_dim))

    def jvp(self, s, u, du) -> np.ndarray:
        """The Jacobian-vector product δa = J δu, shape (..., m); du is (n,)."""
        return (1 - self.mu(s, u) ** 2) * super().jvp(s, u, du)


@dataclass(frozen=True)
class QuadraticCritic:
    """The critic Q(s,a,w) = −‖a − W s‖²: its favorite action in state s is W s.

    The m·d parameters w are the rows of W. All methods raise ValueError on a wrong shape.

    Args:
        state_dim: d.
        action_dim: m.
    """

    state_dim: int
    action_dim: int

    def _miss(self, s, a, w) -> np.ndarray:
        favorite = LinearActor(self.state_dim, self.action_dim).mu(
            s, _flat("w", w, self.action_dim * self.state_dim)
        )
        return _last_axis("a", a, self.action_dim) - favorite  # (..., m)

    def Q(self, s, a, w) -> np.ndarray:
        """The value, shape (...)."""
        return -(self._miss(s, a, w) ** 2).sum(-1)

    def dQ_da(self, s, a, w) -> np.ndarray:
        """The action gradient ∇_aQ at (s,a), shape (..., m)."""
        return -2 * self._miss(s, a, w)


@dataclass(frozen=True)
class SineCritic:
    """The critic Q(s,a,w) = Σ_k w_k sin(α_k·s + β_k·a + φ_k): smooth, and quadratic nowhere.

    Its parameters w are the p amplitudes. All methods raise ValueError on a wrong shape.

    Args:
        alpha: state frequencies, (p, d).
        beta: action frequencies, (p, m).
        phi: phases, (p,).
    """

    alpha: np.ndarray
    beta: np.ndarray
    phi: np.ndarray

    def __post_init__(self):
        p = len(np.asarray(self.phi))
        for name in ("alpha", "beta"):
            shape = np.shape(getattr(self, name))
            if len(shape) != 2 or shape[0] != p:
                raise ValueError(f"{name} has shape {shape}; allowed: ({p}, columns)")

    def _phase(self, s, a) -> np.ndarray:
        s = _last_axis("s", s, self.alpha.shape[1])
        a = _last_axis("a", a, self.beta.shape[1])
        return s @ self.alpha.T + a @ self.beta.T + self.phi  # (..., p)

    def Q(self, s, a, w) -> np.ndarray:
        """The value, shape (...)."""
        return np.sin(self._phase(s, a)) @ _flat("w", w, len(self.phi))

    def dQ_da(self, s, a, w) -> np.ndarray:
        """The action gradient ∇_aQ at (s,a), shape (..., m)."""
        return (np.cos(self._phase(s, a)) * _flat("w", w, len(self.phi))) @ self.beta


@dataclass(frozen=True)
class Composite:
    """The function that the actor climbs: ℓ(u) = Q(s, μ(s,u), w), with s and w held still.

    Args:
        actor: has ``mu`` and ``da_du``.
        critic: has ``Q`` and ``dQ_da``.

    >>> composite = Composite(LinearActor(1, 1), QuadraticCritic(1, 1))
    >>> s, u, w = [2.0], [0.5], [1.5]      # a = 1, and the critic would like 3
    >>> float(composite.ell(s, u, w))
    -4.0
    >>> g, J = composite.factors(s, u, w)
    >>> float(g[0]), float(J[0, 0])
    (4.0, 2.0)
    """

    actor: LinearActor
    critic: QuadraticCritic | SineCritic

    def ell(self, s, u, w) -> np.ndarray:
        """ℓ(u) = Q(s, μ(s,u), w), shape (...)."""
        return self.critic.Q(s, self.actor.mu(s, u), w)

    def factors(self, s, u, w) -> tuple[np.ndarray, np.ndarray]:
        """The two factors of the chain rule, both evaluated at a = μ(s,u).

        Returns:
            g = ∇_aQ, shape (..., m), and J = ∂a/∂u, shape (..., m, n).
        """
        a = self.actor.mu(s, u)
        return self.critic.dQ_da(s, a, w), self.actor.da_du(s, u)
