"""The systems that the tests of `theory` share."""

import numpy as np

from dpgcourse.theory.lqr import LQR

SCALAR = LQR([[1]], [[1]], [[1]], [[1]], gamma=0.9)
_CART = ([[1, 0.1], [0, 1]], [[0.005], [0.1]], np.diag([1, 0.1]), [[0.01]], 0.98)
CART_STILL = LQR(*_CART)
CART = LQR(*_CART, W=0.01 * np.eye(2))


def _covariance(rng, size):
    root = rng.normal(size=(size, size))
    return root @ root.T / size + 0.1 * np.eye(size)


def random_system(rng: np.random.Generator) -> tuple[LQR, np.ndarray]:
    """A system of up to 6 states and 3 actions, and a gain: √γ(A−BK) has radius 0.3 to 0.95."""
    d, m, gamma = rng.integers(1, 7), rng.integers(1, 4), rng.uniform(0.5, 0.98)
    B, K, F = rng.normal(size=(d, m)), rng.normal(size=(m, d)), rng.normal(size=(d, d))
    F *= rng.uniform(0.3, 0.95) / (gamma**0.5 * np.abs(np.linalg.eigvals(F)).max())
    M, Sigma0, W = (_covariance(rng, d) for _ in range(3))
    return LQR(F + B @ K, B, M, _covariance(rng, m), gamma, Sigma0, W), K


def rollout_costs(system, K, s, first, copies, rng, action_root=None) -> np.ndarray:
    """Discounted costs of simulated rollouts from s, (copies,); ``first`` replaces action 0."""
    s = np.tile(np.asarray(s, dtype=float), (copies, 1))
    root, total, weight = np.linalg.cholesky(system.W), np.zeros(copies), 1.0
    for t in range(int(np.ceil(np.log(1e-7) / np.log(system.gamma)))):
        a = -s @ K.T if t or first is None else np.tile(first, (copies, 1))
        if action_root is not None:
            a = a + rng.normal(size=a.shape) @ action_root.T
        cost = np.einsum("ni,ij,nj->n", s, system.M, s) + np.einsum("ni,ij,nj->n", a, system.R, a)
        total, weight = total + weight * cost, weight * system.gamma
        s = s @ system.A.T + a @ system.B.T + rng.normal(size=s.shape) @ root.T
    return total
