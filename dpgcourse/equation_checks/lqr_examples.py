"""Random linear-quadratic systems, and routes to their returns without the closed forms."""

from types import SimpleNamespace

import numpy as np
import torch
from scipy.linalg import block_diag, solve_discrete_are

from dpgcourse.equation_checks.entry import Estimate
from dpgcourse.equation_checks.examples import autograd
from dpgcourse.gradient.derivative_checks import central_difference, complex_step
from dpgcourse.theory.lqr import LQR


def random_lqr(rng: np.random.Generator) -> tuple[LQR, np.ndarray]:
    """A noisy system with three states and two actions, and a stabilizing gain.

    √γ(A − BK) has spectral radius 0.8 and γ is at most 0.9, so that 350 steps are as good as all.
    """
    gamma, B, K, F = rng.uniform(0.7, 0.9), *(rng.normal(size=x) for x in ((3, 2), (2, 3), (3, 3)))
    F *= 0.8 / (gamma**0.5 * np.abs(np.linalg.eigvals(F)).max())
    roots = [rng.normal(size=(size, size)) for size in (3, 2, 3, 3)]
    M, R, Sigma0, W = (root @ root.T / len(root) + 0.2 * np.eye(len(root)) for root in roots)
    return LQR(F + B @ K, B, M, R, gamma, Sigma0, W), K


def another_gain(rng: np.random.Generator, system: LQR, K) -> np.ndarray:
    """A stabilizing gain at some distance from K; the spectral radius is at most 0.9."""
    step = rng.normal(size=K.shape)
    while (
        system.gamma**0.5 * np.abs(np.linalg.eigvals(system.A - system.B @ (K + step))).max() > 0.9
    ):
        step = step / 2
    return K + step


def run(system, K, S, steps: int = 350):
    """Expected return of gain K where the first state has second moment S, one step at a time.

    Args:
        system: anything with the attributes A, B, M, R, W and gamma of an `LQR`.
        K, S: (m, d) and (d, d), real or complex arrays or tensors.
        steps: how many.

    Returns:
        The return, and the discounted sum of the second moments of the states, (d, d).
    """
    F, N = system.A - system.B @ K, system.M + K.T @ system.R @ K
    total, moments = 0.0, 0.0 * S
    for t in range(steps):
        total = total - system.gamma**t * (N * S).sum()
        moments = moments + system.gamma**t * S
        S = F @ S @ F.T + system.W
    return total, moments


def tensors_of(system: LQR) -> SimpleNamespace:
    """The system's matrices as tensors, for `run`."""
    tensors = {name: torch.tensor(getattr(system, name)) for name in ("A", "B", "M", "R", "W")}
    return SimpleNamespace(gamma=system.gamma, **tensors)


def power_sum(T, X, gamma, steps=350):
    """Σ_t γ^t T^t X (T^t)ᵀ, term by term."""
    total = 0.0
    for t in range(steps):
        total, X = total + gamma**t * X, T @ X @ T.T
    return total


def sum_by_eigenvectors(T, X, gamma):
    """The same sum; in the eigenvectors of T every entry is a geometric series of its own."""
    values, V = np.linalg.eig(T)
    inverse = np.linalg.inv(V)
    entries = inverse @ X @ inverse.conj().T / (1 - gamma * np.outer(values, values.conj()))
    return (V @ entries @ V.conj().T).real


def parts(system, K):
    """F, N and S_0, and P as the sum of its series."""
    F, N = system.A - system.B @ K, system.M + K.T @ system.R @ K
    S0 = system.Sigma0 + system.gamma / (1 - system.gamma) * system.W
    return F, N, S0, power_sum(F.T, N, system.gamma)


def page_E(system, K):
    """E as the page writes it, with the series for P."""
    P, B, gamma = parts(system, K)[3], system.B, system.gamma
    return (system.R + gamma * B.T @ P @ B) @ K - gamma * B.T @ P @ system.A


def run_return(system, K):
    """The return of gain K, one step at a time; a function of K to be differentiated."""
    return run(system, K, system.Sigma0)[0]


def torch_return(system):
    """`run_return` as a function of a tensor K."""
    tensors, Sigma0 = tensors_of(system), torch.tensor(system.Sigma0)
    return lambda K: run(tensors, K, Sigma0)[0]


def run_Q(system, K, s, a):
    """Value of a in s, then of gain K, one step at a time."""
    x = system.A @ s + system.B @ a
    later = run(system, K, x[:, None] * x + system.W)[0]
    return -(s @ system.M @ s + a @ system.R @ a) + system.gamma * later


def torch_Q(system, K, s):
    """`run_Q` as a function of a tensor a."""
    tensors, K, s = tensors_of(system), torch.tensor(K), torch.tensor(s)
    return lambda a: run_Q(tensors, K, s, a)


def simulate(system, K, s, rng, first=None):
    """States and actions (copies, ·) of noisy runs from s, until the discount is below 1e-6."""
    root = np.linalg.cholesky(system.W)
    for t in range(int(np.log(1e-6) / np.log(system.gamma))):
        a = np.tile(first, (len(s), 1)) if t == 0 and first is not None else -s @ K.T
        yield system.gamma**t, s, a
        s = s @ system.A.T + a @ system.B.T + rng.normal(size=s.shape) @ root.T


def sampled_return(system, runs):
    """The return of each copy in the runs of `simulate`, (copies,)."""
    total = 0.0
    for weight, s, a in runs:
        total = total - weight * (((s @ system.M) * s).sum(1) + ((a @ system.R) * a).sum(1))
    return total


def estimate(samples):
    """Mean of the samples over their first axis, and its standard error."""
    return Estimate(samples.mean(0), samples.std(0, ddof=1) / len(samples) ** 0.5)


def planned(system, steps=35):
    """P* and K* without gains: the least cost over all actions, chosen at once for each start.

    The unknowns are a_0, s_1, a_1, s_2, ..., scaled by γ^(t/2); the motion is a constraint.
    """
    A, B, d = system.gamma**0.5 * system.A, system.gamma**0.5 * system.B, system.state_dim
    cost = np.kron(np.eye(steps), block_diag(system.R, system.M))
    motion = np.kron(np.eye(steps), np.hstack([-B, np.eye(d)]))
    motion += np.kron(np.eye(steps, k=-1), np.hstack([0 * B, -A]))
    moved = np.zeros((len(cost) + len(motion), d))
    moved[len(cost) : len(cost) + d] = A
    saddle = np.block([[cost, motion.T], [motion, np.zeros((len(motion), len(motion)))]])
    plan = np.linalg.solve(saddle, moved)[: len(cost)]
    return system.M + plan.T @ cost @ plan, -plan[: system.action_dim]


def library_P(system):
    """P* by SciPy's solver of the Riccati equation."""
    root = system.gamma**0.5
    return solve_discrete_are(root * system.A, root * system.B, system.M, system.R)


def slopes(f, x) -> dict[str, np.ndarray]:
    """Two routes to the derivative of f, which takes complex and PyTorch numbers alike."""
    return {"complex step": complex_step(f, x), "autograd": autograd(f, x)}


def slopes_of_Q(system: LQR, K, s, a) -> dict[str, np.ndarray]:
    """Three routes to the action gradient at (s, a), by `run_Q`."""
    return {
        "central differences": central_difference(lambda a: run_Q(system, K, s, a), a),
        "complex step": complex_step(lambda a: run_Q(system, K, s, a), a),
        "autograd": autograd(torch_Q(system, K, s), a),
    }


def slopes_of_return(system: LQR, K) -> dict[str, np.ndarray]:
    """Three routes to the gradient of the return, by `run_return`."""
    return {
        "central differences": central_difference(lambda K: run_return(system, K), K),
        "complex step": complex_step(lambda K: run_return(system, K), K),
        "autograd": autograd(torch_return(system), K),
    }
