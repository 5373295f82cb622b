"""Chapter 5: TD(0) for a critic that is linear in its parameters, Q(s,a,w) = wᵀφ(s,a).

Two rules for w from the same transitions. With the error δ = r + γ(1 − terminated) wᵀφ' − wᵀφ,
the semi-gradient rule moves w along δφ, as if the target were a constant; the residual-gradient
rule moves it along δ(φ − γ(1 − terminated)φ'), the true gradient of −δ²/2. Here φ' = φ(s', a'),
and who chooses a' decides whose value is learned.

Transitions carry weights that sum to 1. Equal weights make every sum below a batch mean; the
probabilities of all possible transitions make it an exact expectation.

Sources: Sutton and Barto (2018), sections 9.4 and 11.5; Baird (1995).
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

_MAX_CONDITION = 1e12  # beyond this, w is not determined by the transitions
_DOUBTFUL_CONDITION = 1e10


class UndeterminedCriticError(ValueError):
    """The transitions leave some direction of w free."""


def _checked(name: str, value, shape: tuple[int, ...]) -> np.ndarray:
    value = np.asarray(value, dtype=np.float64)
    if value.shape != shape:
        raise ValueError(f"{name} has shape {value.shape}; allowed: {shape}")
    if not np.isfinite(value).all():
        raise ValueError(f"{name} is {value}; allowed: finite entries")
    return value


@dataclass(frozen=True, init=False)
class Transitions:
    """N transitions as a linear critic sees them, p features each.

    Args:
        phi: φ(s, a) at the executed action, (N, p).
        r: rewards, (N,).
        phi_next: φ(s', a'), (N, p); with a' = μ(s') the critic learns the value of μ.
        terminated: 1 where the task ended in s', else 0, (N,); default all 0.
        weights: probabilities, (N,), at least 0, with sum 1; default 1/N each.

    Raises:
        ValueError: the message names the argument, its value and the condition.
    """

    phi: np.ndarray
    r: np.ndarray
    phi_next: np.ndarray
    terminated: np.ndarray
    weights: np.ndarray

    def __init__(
        self,
        phi: ArrayLike,
        r: ArrayLike,
        phi_next: ArrayLike,
        terminated: ArrayLike | None = None,
        weights: ArrayLike | None = None,
    ):
        shape = np.shape(phi)
        if len(shape) != 2 or 0 in shape:
            raise ValueError(f"phi has shape {shape}; allowed: (N, p) with N >= 1 and p >= 1")
        N = shape[0]
        terminated = np.zeros(N) if terminated is None else terminated
        weights = np.full(N, 1 / N) if weights is None else weights
        checked = {
            "phi": _checked("phi", phi, shape),
            "r": _checked("r", r, (N,)),
            "phi_next": _checked("phi_next", phi_next, shape),
            "terminated": _checked("terminated", terminated, (N,)),
            "weights": _checked("weights", weights, (N,)),
        }
        if not np.isin(checked["terminated"], (0, 1)).all():
            raise ValueError(f"terminated is {checked['terminated']}; allowed: 0 and 1")
        if checked["weights"].min() < 0 or not np.isclose(checked["weights"].sum(), 1):
            raise ValueError(f"weights is {checked['weights']}; allowed: at least 0, with sum 1")
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    def next_features(self, gamma: float) -> np.ndarray:
        """γ(1 − terminated)φ', the part of the target that w multiplies, (N, p).

        Raises:
            ValueError: gamma is not in [0, 1]. (1 is for tasks that end.)
        """
        if not 0 <= gamma <= 1:
            raise ValueError(f"gamma is {gamma}; allowed: 0 <= gamma <= 1")
        return gamma * (1 - self.terminated)[:, None] * self.phi_next


def td_target(w, data: Transitions, gamma: float) -> np.ndarray:
    """Targets y = r + γ(1 − terminated) wᵀφ', (N,); w is (p,)."""
    return data.r + data.next_features(gamma) @ _checked("w", w, data.phi.shape[1:])


def td_error(w, data: Transitions, gamma: float) -> np.ndarray:
    """Errors δ = y − wᵀφ, (N,); w is (p,).

    >>> data = Transitions(phi=[[1.0]], r=[-2.0], phi_next=[[4.0]])
    >>> td_error([-1.0], data, gamma=0.5)  # y = -2 + 0.5 · (-4) = -4
    array([-3.])
    """
    return td_target(w, data, gamma) - data.phi @ np.asarray(w, dtype=np.float64)


def semi_gradient(w, data: Transitions, gamma: float) -> np.ndarray:
    """Direction in which TD(0) moves w: the weighted mean of δφ, (p,)."""
    return data.phi.T @ (data.weights * td_error(w, data, gamma))


def residual_gradient(w, data: Transitions, gamma: float) -> np.ndarray:
    """Descent direction of the mean of δ²/2: the mean of δ(φ − γ(1 − terminated)φ'), (p,).

    With one next state for each (s, a), this is a biased estimate of the gradient of the squared
    *expected* error wherever transitions are random (the double sampling problem, Baird 1995).
    """
    return (data.phi - data.next_features(gamma)).T @ (data.weights * td_error(w, data, gamma))


def semi_gradient_matrix(data: Transitions, gamma: float) -> np.ndarray:
    """The matrix G of the mean semi-gradient b − Gw: the mean of φ(φ − γ(1 − terminated)φ')ᵀ.

    With a small enough step, w + α(b − Gw) converges from every w exactly when all eigenvalues of
    G have positive real parts; off-policy that can fail. Shape (p, p).
    """
    return data.phi.T @ (data.weights[:, None] * (data.phi - data.next_features(gamma)))


def semi_gradient_fixed_point(data: Transitions, gamma: float) -> np.ndarray:
    """The w at which the mean semi-gradient is zero, (p,).

    Raises:
        UndeterminedCriticError: no such w, or more than one.

    Warns:
        RuntimeWarning: the linear system is close to singular.
    """
    return _solve(semi_gradient_matrix(data, gamma), data.phi.T @ (data.weights * data.r))


def residual_fixed_point(data: Transitions, gamma: float) -> np.ndarray:
    """The w that minimizes the mean of δ², where the mean residual gradient is zero, (p,).

    To double-sample exactly, give each (s, a) once, with r and phi_next averaged over s'.

    Raises:
        UndeterminedCriticError: more than one such w.

    Warns:
        RuntimeWarning: the linear system is close to singular.
    """
    change = data.phi - data.next_features(gamma)
    matrix = change.T @ (data.weights[:, None] * change)
    return _solve(matrix, change.T @ (data.weights * data.r))


def _solve(matrix: np.ndarray, b: np.ndarray) -> np.ndarray:
    condition = float(np.linalg.cond(matrix))
    if not condition <= _MAX_CONDITION:
        raise UndeterminedCriticError(
            f"the {len(b)} features are not told apart by the transitions: condition number "
            f"{condition:.1e}; allowed: at most {_MAX_CONDITION:.0e}"
        )
    if condition > _DOUBTFUL_CONDITION:
        warnings.warn(
            f"condition number {condition:.1e} exceeds {_DOUBTFUL_CONDITION:.0e}: w is uncertain",
            RuntimeWarning,
            stacklevel=3,
        )
    return np.linalg.solve(matrix, b)


def quadratic_features(s, a) -> np.ndarray:
    """All products x_i x_j, i ≤ j, of x = (s, a), and the constant 1 last.

    Args:
        s: states, (..., d).
        a: actions, (..., m).

    Returns:
        Features (..., k(k + 1)/2 + 1) with k = d + m. For numbers s, a: s², sa, a², 1.
    """
    x = np.concatenate([s, a], axis=-1, dtype=np.float64)
    i, j = np.triu_indices(x.shape[-1])
    return np.concatenate([x[..., i] * x[..., j], np.ones((*x.shape[:-1], 1))], axis=-1)


def quadratic_dQ_da(w, s, a) -> np.ndarray:
    """The action gradient ∇_aQ of Q = wᵀφ with `quadratic_features`, shape (..., m)."""
    x = np.concatenate([s, a], axis=-1, dtype=np.float64)
    k = x.shape[-1]
    w = _checked("w", w, (k * (k + 1) // 2 + 1,))
    C = np.zeros((k, k))
    C[np.triu_indices(k)] = w[:-1]
    return (x @ (C + C.T))[..., np.shape(s)[-1] :]
