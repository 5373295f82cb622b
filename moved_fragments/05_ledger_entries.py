"""Proposed entries for the equations that are new in appendix B (from chapter 5).

They go into the equation_checks module of appendix B, beside eq-critic-residual-fixed,
eq-critic-double, eq-critic-expand and eq-critic-signal, which move there from ch05_critic.py.
"""

import numpy as np

from dpgcourse.equation_checks.entry import entry
from dpgcourse.theory import td
from dpgcourse.theory.lqr import LQR
from dpgcourse.theory.quadrature import gauss_hermite_nodes

GAMMA = 0.9


def _chain(rng, N=5, p=2):
    """A chain of N pairs with p features, rewards and off-policy weights, and its transitions."""
    P, Phi = rng.dirichlet(np.ones(N), size=N), rng.normal(size=(N, p))
    r, d = rng.normal(size=N), rng.dirichlet(np.full(N, 3.0))
    i, j = np.indices((N, N)).reshape(2, -1)
    data = td.Transitions(Phi[i], r[i], Phi[j], weights=(d[:, None] * P)[i, j])
    return P, Phi, r, d, data


@entry("eq-critic-projected", "theorem", td.semi_gradient_fixed_point)
def projected(rng):
    """TD(0) rests where the critic is the best fit to its own mean targets."""
    P, Phi, r, d, data = _chain(rng)
    root = np.sqrt(d)[:, None]
    fit = Phi @ np.linalg.lstsq(root * Phi, root * np.eye(len(d)), rcond=None)[0]  # Π
    return {
        "formula": Phi @ td.semi_gradient_fixed_point(data, GAMMA),
        "closed form": np.linalg.solve(np.eye(len(d)) - GAMMA * fit @ P, fit @ r),
    }


@entry("eq-critic-projection-bound", "estimate")
def projection_bound(rng):
    """On-policy the fixed point is at most 1/√(1 − γ²) times as far from Q^μ as the best critic."""
    gamma, swap = rng.uniform(0.3, 0.95), np.array([[0.0, 1.0], [1.0, 0.0]])
    turn = np.arccos(gamma) / 2 + np.pi / 4  # the worst feature for two pairs that alternate
    ratios = []
    for angle in (turn, *rng.uniform(0, np.pi, size=50)):
        feature, r = np.array([np.cos(angle), np.sin(angle)]), rng.normal(size=2)
        w = feature @ r / (feature @ (feature - gamma * swap @ feature))
        Q = np.linalg.solve(np.eye(2) - gamma * swap, r)
        best = feature * (feature @ Q)
        ratios.append(np.linalg.norm(w * feature - Q) / np.linalg.norm(best - Q))
    return {"formula": 1 / np.sqrt(1 - gamma**2), "worst case": max(ratios)}


@entry("eq-critic-line", "theorem", td.semi_gradient_fixed_point)
def line(rng):
    """A line fitted to −(a − 1)² on actions from N(m, σ²) has the slope 2(1 − m)."""
    m, sigma = rng.uniform(-1, 2), rng.uniform(0.1, 1)
    z, p = gauss_hermite_nodes(1)
    a = m + sigma * z[:, 0]
    phi = np.stack([np.ones_like(a), a], axis=1)
    data = td.Transitions(phi, -((a - 1) ** 2), phi, weights=p)
    return {
        "formula": td.semi_gradient_fixed_point(data, 0.0)[1],
        "closed form": 2 * (1 - m),
        "quadrature": p @ ((a - m) * -((a - 1) ** 2)) / sigma**2,
        "complex step": (p @ -((m + 1e-30j + sigma * z[:, 0] - 1) ** 2)).imag / 1e-30,
    }


@entry("eq-critic-nstep-bias", "theorem")
def n_step_bias(rng):
    """An n-step target is off by γⁿ times the critic's mean error n steps later."""
    K, n, (s0, a0) = rng.uniform(0.2, 0.6), 3, rng.normal(size=2)
    one = [[1.0]]
    task, gain = LQR(A=one, B=one, M=one, R=one, gamma=GAMMA, W=[[0.1]]), np.array([[K]])
    z, p = gauss_hermite_nodes(n)
    s, a, y = np.full(len(p), s0), np.full(len(p), a0), 0.0
    for k in range(n):
        y = y - GAMMA**k * (s**2 + a**2)
        s = s + a + 0.1**0.5 * z[:, k]
        a = -K * s
    wrong = 1 + s**2  # the critic's error
    y = y + GAMMA**n * (task.Q(gain, s[:, None], a[:, None]) + wrong)
    mean, variance = s0 + a0, 0.1
    for _ in range(n - 1):
        mean, variance = (1 - K) * mean, (1 - K) ** 2 * variance + 0.1
    return {
        "formula": GAMMA**n * (1 + mean**2 + variance),
        "quadrature": p @ y - task.Q(gain, [s0], [a0]),
    }
