"""Chapter 8: what the off-policy gradient keeps and what it drops, exactly, for linear systems.

A behavior a = −K_b s + η visits states with the discounted second moment Σ^β; the policy whose
gain K is improved is another one. The objective is J_β(K), the value of K averaged over the
behavior's discounted visits (total weight 1/(1−γ)). Its gradient is the on-policy one, started
from those visits; Silver et al. (2014), Eqs. 14–15, keep only the first step of it.

A function of u may also be differentiated where K = K(u) is tied: contract with ∂K/∂u.
"""

from typing import Any

import numpy as np
from scipy.linalg import solve_discrete_lyapunov

from dpgcourse.theory.lqr import LQR
from dpgcourse.theory.matrices import semidefinite


def behavior_moment(system: LQR, K_b, covariance) -> np.ndarray:
    """Σ^β = Σ_t γ^t E[s_t s_tᵀ] under a = −K_b s + η, Cov η = covariance; shape (d, d).

    Raises:
        ValueError: the covariance (m, m) is not symmetric positive semidefinite, or K_b (m, d)
            has another shape.
        UnstableGainError: K_b is not stabilizing.
    """
    return system.with_action_noise(covariance).Sigma(K_b)


def _visits(system: LQR, Sigma_b) -> np.ndarray:
    return semidefinite("Sigma_b", Sigma_b, system.state_dim)


def J_beta(system: LQR, K, Sigma_b) -> float:
    """Value of K over the behavior's visits, −tr(PΣ^β) − c/(1−γ); Sigma_b is (d, d)."""
    Sigma_b = _visits(system, Sigma_b)
    weight = 1 / (1 - system.gamma)
    return float(-np.trace(system.P(K) @ Sigma_b) - weight * system.constant(K))


def total_moment(system: LQR, K, Sigma_b) -> np.ndarray:
    """Discounted second moment of the states when K takes over at every visit, (d, d).

    Σ̃ = Σ^β + γ/(1−γ)² · W + γ F Σ̃ Fᵀ. Without noise W the middle term is absent.
    """
    g = system.gamma
    source = _visits(system, Sigma_b) + g / (1 - g) ** 2 * system.W
    return solve_discrete_lyapunov(g**0.5 * system.closed_loop(K), source)


def kept_gradient(system: LQR, K, Sigma_b) -> np.ndarray:
    """What Eq. 15 keeps, the local products at the behavior's visits: −2 E_K Σ^β, (m, d)."""
    return system.natural_gradient(K) @ _visits(system, Sigma_b)


def exact_gradient(system: LQR, K, Sigma_b) -> np.ndarray:
    """The gradient of J_β, −2 E_K Σ̃, (m, d)."""
    return system.natural_gradient(K) @ total_moment(system, K, Sigma_b)


def dropped_gradient(system: LQR, K, Sigma_b) -> np.ndarray:
    """What Eq. 15 drops, the local products at all later states: −2 E_K (Σ̃ − Σ^β), (m, d)."""
    later = total_moment(system, K, Sigma_b) - _visits(system, Sigma_b)
    return system.natural_gradient(K) @ later


def cosine(x, y) -> float:
    """Cosine of the angle between two arrays of the same shape, taken as vectors.

    Raises:
        ValueError: the shapes differ, or one of the two is zero.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.shape != y.shape:
        raise ValueError(f"x has shape {x.shape} and y {y.shape}; allowed: equal shapes")
    length = np.linalg.norm(x) * np.linalg.norm(y)
    if length == 0:
        raise ValueError("x or y is zero; allowed: vectors that have a direction")
    return float((x * y).sum() / length)


def find_reversal(
    rng: np.random.Generator, states: int, tries: int
) -> tuple[float, LQR, np.ndarray, np.ndarray]:
    """The random system, gain and visits with the least cosine between kept and exact gradient.

    Args:
        rng: source of the systems: ``states`` states, one action, no noise, γ = 0.95.
        states: d.
        tries: number of systems drawn.

    Returns:
        ``(cosine, system, K, Sigma_b)``. A negative cosine means that a small step along the
        kept gradient lowers J_β. For one state it is 1 always: Σ^β and Σ̃ are positive numbers.
    """
    best: tuple[float, Any, Any, Any] = (np.inf, None, None, None)
    for _ in range(tries):
        F, B = rng.normal(size=(states, states)), rng.normal(size=(states, 1))
        K, root = rng.normal(size=(1, states)), rng.normal(size=(states, states))
        F *= 0.97 / (0.95**0.5 * np.abs(np.linalg.eigvals(F)).max())
        system = LQR(F + B @ K, B, np.eye(states), np.eye(1), 0.95)
        Sigma_b = root @ root.T
        similarity = cosine(kept_gradient(system, K, Sigma_b), exact_gradient(system, K, Sigma_b))
        if similarity < best[0]:
            best = (similarity, system, K, Sigma_b)
    return best
