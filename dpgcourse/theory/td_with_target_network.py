"""Chapter 9: TD with a linear critic whose target is computed from a slow copy.

One update moves w by the mean semi-gradient toward targets made of the copy w', then the copy
toward w:

    w ← w + α (b − A w + C w'),    w' ← τ w + (1 − τ) w'.

With φ' = φ(s', a'), A is the mean of φφᵀ, C that of γ(1 − terminated) φφ'ᵀ, b that of rφ. At τ = 1
the copy is w itself, and this is TD(0) with the matrix G = A − C of `dpgcourse.theory.td`. For τ
near 0 the regression is over before the copy moves, and this is fitted iteration, slowed down.

Source: Lillicrap et al. (2016), §3, for the slow copy; the linear analysis is that of chapter 9.
"""

import numpy as np

from dpgcourse.theory.td import Transitions


def td_moments(data: Transitions, gamma: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A (p, p), C (p, p) and b (p,) of the transitions.

    Raises:
        ValueError: gamma is not in [0, 1].

    >>> A, C, b = td_moments(Transitions(phi=[[1.0]], r=[3.0], phi_next=[[2.0]]), gamma=0.5)
    >>> A.item(), C.item(), b.item()
    (1.0, 1.0, 3.0)
    """
    weighted = data.weights[:, None] * data.phi
    return (
        weighted.T @ data.phi,
        weighted.T @ data.next_features(gamma),
        weighted.T @ data.r,
    )


def _checked(alpha: float, tau: float) -> None:
    if not 0 < alpha < np.inf:
        raise ValueError(f"alpha is {alpha}; allowed: a finite number > 0")
    if not 0 < tau <= 1:
        raise ValueError(f"tau is {tau}; allowed: 0 < tau <= 1")


def step(w, target, data: Transitions, gamma: float, alpha: float, tau: float):
    """One update of w and of its copy, both (p,); returns the new pair.

    Raises:
        ValueError: gamma not in [0, 1], alpha not above 0, or tau not in (0, 1].
    """
    _checked(alpha, tau)
    A, C, b = td_moments(data, gamma)
    w = w + alpha * (b - A @ w + C @ target)
    return w, tau * w + (1 - tau) * target


def transition_matrix(data: Transitions, gamma: float, alpha: float, tau: float) -> np.ndarray:
    """The matrix T (2p, 2p) that carries the errors (w − w*, w' − w*) over one update.

    The pair converges from every start exactly when all eigenvalues of T are inside the unit
    circle.

    Raises:
        ValueError: gamma not in [0, 1], alpha not above 0, or tau not in (0, 1].
    """
    _checked(alpha, tau)
    A, C, _ = td_moments(data, gamma)
    one = np.eye(len(A))
    fast = np.hstack([one - alpha * A, alpha * C])
    return np.vstack([fast, tau * fast + (1 - tau) * np.hstack([0 * one, one])])


def spectral_radius(data: Transitions, gamma: float, alpha: float, tau: float) -> float:
    """The factor by which the error grows per update in the long run, below 1 if it shrinks.

    >>> one_feature = Transitions(phi=[[1.0]], r=[0.0], phi_next=[[2.0]])
    >>> round(spectral_radius(one_feature, 0.9, 0.1, tau=1.0), 6)  # 1 + 0.1 · (2 · 0.9 − 1)
    1.08
    """
    return float(np.abs(np.linalg.eigvals(transition_matrix(data, gamma, alpha, tau))).max())


def fitted_iteration_matrix(data: Transitions, gamma: float) -> np.ndarray:
    """A⁻¹C (p, p): what a full regression onto the copy's targets makes of the copy's error.

    A copy that is slow enough converges exactly when all its eigenvalues have a real part below 1
    (and α is below 2 over the largest eigenvalue of A).
    """
    A, C, _ = td_moments(data, gamma)
    return np.linalg.solve(A, C)
