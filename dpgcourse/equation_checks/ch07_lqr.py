"""Chapter 7: LQR, the answer key."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import sympy
import torch
from scipy.linalg import block_diag

from dpgcourse.envs.lqr import LQREnv
from dpgcourse.equation_checks import lqr_examples as ex
from dpgcourse.equation_checks.entry import entry
from dpgcourse.gradient.derivative_checks import complex_step
from dpgcourse.theory.lqr import LQR, UnstableGainError
from dpgcourse.theory.td import Transitions, quadratic_features, semi_gradient_fixed_point


def _point(rng):
    """The point on a line with another discount; a gain K below the best one, and a state."""
    one, gamma = [[1.0]], rng.uniform(0.7, 0.95)
    return LQR(one, one, one, one, gamma), gamma, rng.uniform(0.1, 0.35), rng.uniform(0.5, 2)


def _rollout(gamma, K, s, a=None):
    """Return of the point from s: first the action a, then gain K; of K alone without an a."""
    a, total = -K * s if a is None else a, 0.0
    for t in range(300):
        total = total - gamma**t * (s * s + a * a)
        s = s + a
        a = -K * s
    return total


def _P(gamma, K):
    return (1 + K**2) / (1 - gamma * (1 - K) ** 2)


def _Sigma(gamma, K):
    return sum(gamma**t * (1 - K) ** (2 * t) for t in range(300))


@entry("eq-lqr-point", "definition", LQREnv.step)
def point(rng):
    """A point on a line moves by the action; position and action cost their squares."""
    one, s, K = [[1.0]], rng.normal(), rng.uniform(0.1, 1.0)
    env = LQREnv(LQR(one, one, one, one, gamma=0.9))
    env.reset(options={"state": [s]})
    a = -K * s
    s_next, r, *_ = env.step([a])
    by_hand = [s - K * s, -(s * s) - K * K * s * s, -(K * s), 0.9]
    return {"formula": [*s_next, r, a, env.system.gamma], "by hand": by_hand}


@entry("eq-lqr-point-P", "theorem", LQR.V, LQR.P)
def point_P(rng):
    """The value of the point is −Ps², and P is the sum of a geometric series."""
    system, gamma, K, s = _point(rng)
    P, series = _P(gamma, K), (1 + K**2) * _Sigma(gamma, K)
    return {
        "formula": [system.V([[K]], [s]), system.P([[K]]).item()],
        "by hand": [-P * s**2, P],
        "series": [-series * s**2, series],
        "simulation": [_rollout(gamma, K, s), -_rollout(gamma, K, 1.0)],
    }


@entry("eq-lqr-point-Sigma", "theorem", LQR.Sigma)
def point_Sigma(rng):
    """Σ is the discounted sum of the squared states of a point that starts at 1."""
    system, gamma, K, _ = _point(rng)
    s, total = 1.0, 0.0
    for t in range(300):
        total, s = total + gamma**t * s**2, s - K * s
    return {
        "formula": system.Sigma([[K]]).item(),
        "by hand": 1 / (1 - gamma * (1 - K) ** 2),
        "series": _Sigma(gamma, K),
        "simulation": total,
    }


@entry("eq-lqr-point-slope", "theorem", LQR.dJ_dK, LQR.E)
def point_slope(rng):
    """The slope of the return is −2EΣ, with E = K − γFP."""
    system, gamma, K, _ = _point(rng)
    E = K - gamma * (1 - K) * _P(gamma, K)
    k = sympy.symbols("k")
    routes: dict[str, Any] = ex.slopes(lambda K: _rollout(gamma, K, 1.0), K)
    routes["sympy"] = float(-_P(gamma, k).diff(k).subs(k, K))
    half = -1 / (2 * _Sigma(gamma, K))
    return {
        "formula": [system.dJ_dK([[K]]).item(), E, system.E([[K]]).item()],
        **{route: [slope, slope * half, slope * half] for route, slope in routes.items()},
    }


@entry("eq-lqr-point-optimum", "theorem", LQR.optimal_gain)
def point_optimum(rng):
    """The best P is the positive root of a quadratic, and K* = γP/(1 + γP)."""
    system, gamma, _, _ = _point(rng)
    K, k = system.optimal_gain().item(), sympy.symbols("k")
    P = (2 * gamma - 1 + np.sqrt((1 - 2 * gamma) ** 2 + 4 * gamma)) / (2 * gamma)
    slope = sympy.numer(sympy.together(_P(gamma, k).diff(k)))
    best = max(
        float(x) for x in sympy.Poly(slope, k).nroots()
    )  # the other root is an unstable gain
    return {
        "formula": [gamma * _P(gamma, K) ** 2 + (1 - 2 * gamma) * _P(gamma, K), K],
        "by hand": [1, gamma * P / (1 + gamma * P)],
        "sympy": [1, best],
    }


@entry("eq-lqr-point-Q", "theorem", LQR.Q, LQR.dQ_da)
def point_Q(rng):
    """The value of a first action that is free, and its slope in that action."""
    system, gamma, K, s = _point(rng)
    a, gP = rng.normal(), gamma * _P(gamma, K)
    routes = ex.slopes(lambda a: _rollout(gamma, K, s, a), a)
    return {
        "formula": [system.Q([[K]], [s], [a]), *system.dQ_da([[K]], [s], [a])],
        "by hand": [-(s**2 + a**2 + gP * (s + a) ** 2), -2 * ((1 + gP) * a + gP * s)],
        **{route: [_rollout(gamma, K, s, a), slope] for route, slope in routes.items()},
    }


@entry("eq-lqr-point-local", "theorem", LQR.E)
def point_local(rng):
    """A change of the gain for one step only changes the value by −2Es² per unit."""
    system, gamma, K, s = _point(rng)
    gP = gamma * _P(gamma, K)
    return {
        "formula": -2 * system.E([[K]]).item() * s**2,
        "by hand": -2 * ((1 + gP) * (-K * s) + gP * s) * (-s),
        **ex.slopes(lambda k: _rollout(gamma, K, s, -k * s), K),
    }


@entry("eq-lqr-recursion", "theorem", LQR.E, LQR.dJ_dK)
def recursion(rng):
    """Total derivative = local term + γ times the total derivative at the next state."""
    system, gamma, K, s = _point(rng)
    later = system.dJ_dK([[K]]).item() * ((1 - K) * s) ** 2
    return {
        "formula": -2 * system.E([[K]]).item() * s**2 + gamma * later,
        **ex.slopes(lambda K: _rollout(gamma, K, s), K),
    }


@entry("eq-lqr-unrolled", "theorem", LQR.E, LQR.Sigma)
def unrolled(rng):
    """The total derivative is the discounted sum of the local terms at all states to come."""
    system, gamma, K, s = _point(rng)
    E = K - gamma * (1 - K) * _P(gamma, K)
    return {
        "formula": (-2 * system.E([[K]]) @ system.Sigma([[K]])).item() * s**2,
        "series": sum(gamma**t * -2 * E * ((1 - K) ** t * s) ** 2 for t in range(300)),
        **ex.slopes(lambda K: _rollout(gamma, K, s), K),
    }


@entry("eq-lqr-system", "definition", LQREnv.step)
def system(rng):
    """A linear system with noise, a quadratic cost, and a linear policy."""
    lqr, K = ex.random_lqr(rng)
    env, s, seed = LQREnv(replace(lqr, W=0.3**2 * np.eye(3))), rng.normal(size=3), rng.integers(99)
    env.reset(options={"state": s})
    env.np_random = np.random.default_rng(seed)
    a = -K @ s
    s_next, r, *_ = env.step(a)
    act = [-sum(K[j, k] * s[k] for k in range(3)) for j in range(2)]
    cost = sum(lqr.M[i, j] * s[i] * s[j] for i in range(3) for j in range(3))
    cost += sum(lqr.R[i, j] * act[i] * act[j] for i in range(2) for j in range(2))
    noise = 0.3 * np.random.default_rng(seed).normal(size=3)
    moved = [sum(lqr.A[i] * s) + sum(lqr.B[i] * act) + noise[i] for i in range(3)]
    return {"formula": [*s_next, r, *a], "by hand": [*moved, -cost, *act]}


def _widest(lqr, K):
    """The largest x for which the system with xA and xB in place of A and B accepts K."""
    low, high = 0.0, 10.0
    for _ in range(60):
        x = (low + high) / 2
        try:
            replace(lqr, A=x * lqr.A, B=x * lqr.B).closed_loop(K)
            low = x
        except UnstableGainError:
            high = x
    return low


@entry("eq-lqr-region", "theorem", LQR.closed_loop)
def region(rng):
    """The sums converge if √γF has a spectral radius, the growth rate of its powers, below 1."""
    lqr, K = ex.random_lqr(rng)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # close to the stability limit, on purpose
        widest = _widest(lqr, K)
    X = lqr.gamma**0.5 * (lqr.A - lqr.B @ K)
    minors = sum(X[i, i] * X[j, j] - X[i, j] * X[j, i] for i, j in ((0, 1), (0, 2), (1, 2)))
    root = np.abs(np.roots([1, -np.trace(X), minors, -np.linalg.det(X)])).max()
    rate, power = 1.0, X
    for k in range(25):  # ‖Xⁿ‖^(1/n) with n = 2^k
        size = np.linalg.norm(power)
        rate, power = rate * size ** (1 / 2**k), (power / size) @ (power / size)
    rho = lqr.gamma**0.5 * np.abs(np.linalg.eigvals(lqr.closed_loop(K))).max()
    return {"formula": [rho, 1 / widest], "closed form": [root, root], "limit": [rate, rate]}


@entry("eq-lqr-P", "theorem", LQR.P, LQR.constant)
def value(rng):
    """The cost of a state is sᵀPs plus a constant c for all later noise."""
    lqr, K = ex.random_lqr(rng)
    F, N, _, series = ex.parts(lqr, K)
    P, by_vectors, g = lqr.P(K), ex.sum_by_eigenvectors(F.T, N, lqr.gamma), lqr.gamma
    c = g / (1 - g) * np.trace(by_vectors @ lqr.W)
    return {
        "formula": [*P.ravel(), *(N + g * F.T @ P @ F).ravel(), lqr.constant(K)],
        "series": [*np.tile(series.ravel(), 2), -ex.run(lqr, K, np.zeros((3, 3)))[0]],
        "closed form": [*np.tile(by_vectors.ravel(), 2), c],
    }


@entry("eq-lqr-Q", "theorem", LQR.Q)
def action_value(rng):
    """Minus Q is the cost of one step, plus the discounted cost of the mean next state, plus c."""
    lqr, K = ex.random_lqr(rng)
    s, a = rng.normal(size=3), rng.normal(size=2)
    P, x = ex.parts(lqr, K)[3], lqr.A @ s + lqr.B @ a
    c = lqr.gamma / (1 - lqr.gamma) * np.trace(P @ lqr.W)
    runs = ex.simulate(lqr, K, np.tile(s, (10_000, 1)), rng, first=a)
    return {
        "formula": lqr.Q(K, s, a),
        "by hand": -(s @ lqr.M @ s + a @ lqr.R @ a + lqr.gamma * x @ P @ x + c),
        "series": ex.run_Q(lqr, K, s, a),
        "Monte Carlo": ex.estimate(ex.sampled_return(lqr, runs)),
    }


@entry("eq-lqr-dQ-da", "theorem", LQR.dQ_da)
def action_gradient(rng):
    """The action gradient is linear in action and state."""
    lqr, K = ex.random_lqr(rng)
    s, a = rng.normal(size=3), rng.normal(size=2)
    P, B, g = ex.parts(lqr, K)[3], lqr.B, lqr.gamma
    return {
        "formula": lqr.dQ_da(K, s, a),
        "by hand": -2 * ((lqr.R + g * B.T @ P @ B) @ a + g * B.T @ P @ lqr.A @ s),
        **ex.slopes_of_Q(lqr, K, s, a),
    }


@entry("eq-lqr-E", "theorem", LQR.dQ_da, LQR.E)
def slope_at_the_policy(rng):
    """At the policy's action the action gradient is 2Es, linear in the state."""
    lqr, K = ex.random_lqr(rng)
    by_state = [ex.slopes_of_Q(lqr, K, s, -K @ s) for s in np.eye(3)]
    P, B = ex.parts(lqr, K)[3], lqr.B
    by_F = lqr.R @ K - lqr.gamma * B.T @ P @ (lqr.A - B @ K)
    return {
        "formula": [lqr.dQ_da(K, np.eye(3), -K.T), 2 * lqr.E(K).T],
        "by hand": [2 * ex.page_E(lqr, K).T, 2 * by_F.T],
        **{route: [[slopes[route] for slopes in by_state]] * 2 for route in by_state[0]},
    }


@entry("eq-lqr-Sigma", "theorem", LQR.Sigma)
def moments(rng):
    """The second moments of all states are those of a system without noise that starts from S₀."""
    lqr, K = ex.random_lqr(rng)
    F, _, S0, _ = ex.parts(lqr, K)
    Sigma, g = lqr.Sigma(K), lqr.gamma
    by_time, by_vectors = ex.run(lqr, K, lqr.Sigma0)[1], ex.sum_by_eigenvectors(F, S0, g)
    arriving = lqr.Sigma0 + sum(g**t * lqr.W for t in range(1, 350))
    return {
        "formula": [Sigma, S0 + g * F @ Sigma @ F.T, S0],
        "series": [by_time, by_time, arriving],
        "closed form": [by_vectors, by_vectors, by_vectors - g * F @ by_vectors @ F.T],
    }


@entry("eq-lqr-J", "theorem", LQR.J)
def expected_return(rng):
    """The return is −tr(PS₀)."""
    lqr, K = ex.random_lqr(rng)
    F, N, S0, P = ex.parts(lqr, K)
    start = rng.normal(size=(10_000, 3)) @ np.linalg.cholesky(lqr.Sigma0).T
    return {
        "formula": lqr.J(K),
        "by hand": -np.trace(P @ S0),
        "series": ex.run_return(lqr, K),
        "closed form": -np.trace(N @ ex.sum_by_eigenvectors(F, S0, lqr.gamma)),
        "Monte Carlo": ex.estimate(ex.sampled_return(lqr, ex.simulate(lqr, K, start, rng))),
    }


@entry("eq-lqr-difference", "identity", LQR.E, LQR.Sigma)
def difference(rng):
    """The returns of two gains differ by a linear and a quadratic term, exactly."""
    lqr, K = ex.random_lqr(rng)
    Delta = ex.another_gain(rng, lqr, K) - K
    G, Sigma = lqr.R + lqr.gamma * lqr.B.T @ lqr.P(K) @ lqr.B, lqr.Sigma(K + Delta)
    linear = -2 * np.trace(Delta.T @ lqr.E(K) @ Sigma)

    def by_eigenvectors(K):
        F, N, S0, _ = ex.parts(lqr, K)
        return -np.trace(ex.sum_by_eigenvectors(F.T, N, lqr.gamma) @ S0)

    return {
        "formula": linear - np.trace(Delta.T @ G @ Delta @ Sigma),
        "series": ex.run_return(lqr, K + Delta) - ex.run_return(lqr, K),
        "closed form": by_eigenvectors(K + Delta) - by_eigenvectors(K),
    }


@entry("eq-lqr-gradient", "theorem", LQR.dJ_dK)
def gradient(rng):
    """The gradient of the return is −2EΣ."""
    lqr, K = ex.random_lqr(rng)
    by_hand = -2 * ex.page_E(lqr, K) @ ex.run(lqr, K, lqr.Sigma0)[1]
    return {"formula": lqr.dJ_dK(K), "by hand": by_hand, **ex.slopes_of_return(lqr, K)}


@entry("eq-lqr-theorem", "theorem", LQR.dQ_da)
def deterministic_gradient(rng):
    """The gradient is the discounted sum over the steps of the mean of Jᵀg, here −gsᵀ."""
    lqr, K = ex.random_lqr(rng)
    total, S, F = np.zeros_like(K), lqr.Sigma0, lqr.A - lqr.B @ K
    for t in range(350):
        s = np.linalg.cholesky(S).T  # three states whose outer products add up to E[ssᵀ]
        total, S = total - lqr.gamma**t * lqr.dQ_da(K, s, -s @ K.T).T @ s, F @ S @ F.T + lqr.W
    start = rng.normal(size=(15_000, 3)) @ np.linalg.cholesky(lqr.Sigma0).T
    twice_E, sampled = 2 * ex.page_E(lqr, K), 0.0
    for weight, s, _ in ex.simulate(lqr, K, start, rng):
        sampled = sampled - weight * (s @ twice_E.T)[:, :, None] * s[:, None, :]
    return {
        "formula": total,
        **ex.slopes_of_return(lqr, K),
        "Monte Carlo": ex.estimate(sampled),
    }


@entry("eq-lqr-K-star", "theorem", LQR.optimal_gain)
def best_gain(rng):
    """The best gain; it depends neither on the first state nor on the noise."""
    lqr, _ = ex.random_lqr(rng)
    BP = lqr.gamma * lqr.B.T @ ex.library_P(lqr)
    return {
        "formula": lqr.optimal_gain(),
        "closed form": np.linalg.inv(lqr.R + BP @ lqr.B) @ BP @ lqr.A,
        "series": ex.planned(lqr)[1],
    }


@entry("eq-lqr-riccati", "theorem", LQR.optimal_gain, LQR.P)
def riccati(rng):
    """P of the best gain solves the Riccati equation."""
    lqr, _ = ex.random_lqr(rng)
    K = lqr.optimal_gain()
    return {
        "formula": lqr.M + lqr.gamma * lqr.A.T @ lqr.P(K) @ (lqr.A - lqr.B @ K),
        "closed form": ex.library_P(lqr),
        "series": ex.planned(lqr)[0],
    }


@entry("eq-lqr-natural", "theorem", LQR.natural_gradient)
def natural_gradient(rng):
    """The natural gradient, which is the gradient times the inverse of Σ, is −2E."""
    lqr, K = ex.random_lqr(rng)
    inverse = np.linalg.inv(ex.run(lqr, K, lqr.Sigma0)[1])
    return {
        "formula": lqr.natural_gradient(K),
        "by hand": -2 * ex.page_E(lqr, K),
        **{route: slope @ inverse for route, slope in ex.slopes_of_return(lqr, K).items()},
    }


@entry("eq-lqr-policy-iteration", "theorem", LQR.policy_iteration)
def policy_iteration(rng):
    """The gain that maximizes the present Q in every state is K − G⁻¹E."""
    lqr, K = ex.random_lqr(rng)

    def slope(s, a):
        return complex_step(lambda a: ex.run_Q(lqr, K, s, a), a)

    by_state = np.transpose([slope(s, np.zeros(2)) for s in np.eye(3)])
    by_action = np.transpose([slope(np.zeros(3), a) for a in np.eye(2)])
    tensors, gain = ex.tensors_of(lqr), torch.tensor(K)
    hessian = torch.autograd.functional.hessian(
        lambda x: ex.run_Q(tensors, gain, x[:3], x[3:]), torch.zeros(5, dtype=torch.float64)
    ).numpy()
    return {
        "formula": lqr.policy_iteration(K),
        "complex step": np.linalg.solve(by_action, by_state),
        "autograd": np.linalg.solve(hessian[3:, 3:], hessian[3:, :3]),
    }


@entry("eq-lqr-action-noise", "theorem", LQR.J, LQR.dJ_dK, LQR.Sigma)
def action_noise(rng):
    """Noise of variance σ² in the action changes return and gradient in proportion to σ²."""
    lqr, K = ex.random_lqr(rng)
    g, BB, variance = lqr.gamma, lqr.B @ lqr.B.T, rng.uniform(0.5, 2)
    noisy = lqr.with_action_noise(variance * np.eye(2))
    noise_alone = replace(lqr, Sigma0=g / (1 - g) * BB, W=0 * BB)  # its Σ is Γ

    def run(K, variance):
        """Return and moments with the action noise added to W, and its cost in every step."""
        total, moments = ex.run(replace(lqr, W=lqr.W + variance * BB), K, lqr.Sigma0)
        return total - sum(g**t for t in range(350)) * variance * np.trace(lqr.R), moments

    F, _, S0, P = ex.parts(lqr, K)
    Gamma = g / (1 - g) * ex.power_sum(F, BB, g)
    J = -np.trace(P @ (S0 + g * variance / (1 - g) * BB)) - variance / (1 - g) * np.trace(lqr.R)
    slope = -2 * ex.page_E(lqr, K) @ (ex.power_sum(F, S0, g) + variance * Gamma)
    by_step = complex_step(lambda K: run(K, variance)[0], K)
    per_variance = run(K, 1.0)[1] - run(K, 0.0)[1]
    J_noisy = noisy.J(K) - variance / (1 - g) * np.trace(lqr.R)
    return {
        "formula": [J_noisy, *noisy.dJ_dK(K).ravel(), *noise_alone.Sigma(K).ravel()],
        "by hand": [J, *slope.ravel(), *Gamma.ravel()],
        "complex step": [run(K, variance)[0], *by_step.ravel(), *per_variance.ravel()],
    }


def _transitions(lqr, rng):
    """States and actions, each with six next states whose noise has mean 0 and covariance W."""
    s, a = np.repeat(rng.normal(size=(60, 3)), 6, 0), np.repeat(rng.normal(size=(60, 2)), 6, 0)
    root = 3**0.5 * np.linalg.cholesky(lqr.W).T
    noise = np.tile(np.concatenate([root, -root]), (60, 1))
    r = -(((s @ lqr.M) * s).sum(1) + ((a @ lqr.R) * a).sum(1))
    return s, a, r, s @ lqr.A.T + a @ lqr.B.T + noise


@entry("eq-lqr-lstd", "theorem", semi_gradient_fixed_point, quadratic_features)
def lstd(rng):
    """LSTD finds the weights of Q from transitions alone: the mean of δφ is zero."""
    lqr, K = ex.random_lqr(rng)
    s, a, r, s_next = _transitions(lqr, rng)
    now, later = quadratic_features(s, a), quadratic_features(s_next, -s_next @ K.T)
    w = semi_gradient_fixed_point(Transitions(now, r, later), lqr.gamma)

    def products(x):
        i, j = np.triu_indices(5)
        return np.append(x[:, i] * x[:, j], np.ones((len(x), 1)), axis=1)

    rewarded = products(np.append(s, a, axis=1)).T @ r
    P, AB, g = ex.parts(lqr, K)[3], np.append(lqr.A, lqr.B, axis=1), lqr.gamma
    H = block_diag(lqr.M, lqr.R) + g * AB.T @ P @ AB
    key = [*(np.diag(np.diag(H)) - 2 * H)[np.triu_indices(5)], -g / (1 - g) * np.sum(P * lqr.W)]
    points = rng.normal(size=(16, 5))
    run = np.linalg.solve(products(points), [ex.run_Q(lqr, K, x[:3], x[3:]) for x in points])
    return {
        "formula": [*w, *(now.T @ (now - g * later) @ w)],
        "closed form": [*key, *rewarded],
        "series": [*run, *rewarded],
    }


@entry("eq-lqr-buffer", "theorem", LQR.dQ_da)
def buffer(rng):
    """If the action is that of another gain, the actor's own gain enters only through P."""
    system, gamma, K, s = _point(rng)
    K_b, gP = rng.uniform(0.5, 0.9), gamma * _P(gamma, K)
    return {
        "formula": system.dQ_da([[K]], [s], [-K_b * s]).item() * -s,
        "by hand": -2 * ((1 + gP) * K_b - gP) * s**2,
        **ex.slopes(lambda k: _rollout(gamma, K, s, -k * s), K_b),
    }


@entry("eq-lqr-dominance", "estimate", LQR.E, LQR.Sigma)
def dominance(rng):
    """What a gain misses is at most tr(EᵀG⁻¹EΣ*), and equal to it after one policy iteration."""
    lqr, K = ex.random_lqr(rng)
    G = lqr.R + lqr.gamma * lqr.B.T @ lqr.P(K) @ lqr.B
    E = lqr.E(K)
    P = ex.parts(lqr, K)[3]  # the gain of policy iteration, without LQR.E
    BP = lqr.gamma * lqr.B.T @ P
    better = np.linalg.solve(lqr.R + BP @ lqr.B, BP @ lqr.A)
    rivals = [better] + [better + 0.1 * rng.normal(size=K.shape) for _ in range(20)]
    radius = [np.abs(np.linalg.eigvals(lqr.A - lqr.B @ rival)).max() for rival in rivals]
    rivals = [k for k, r in zip(rivals, radius, strict=True) if lqr.gamma**0.5 * r < 0.95]

    def by_eigenvectors(K):
        F, N, S0, _ = ex.parts(lqr, K)
        return -np.trace(ex.sum_by_eigenvectors(F.T, N, lqr.gamma) @ S0)

    bounds = [np.trace(E.T @ np.linalg.solve(G, E) @ lqr.Sigma(rival)) for rival in rivals]
    gained = [by_eigenvectors(rival) - by_eigenvectors(K) for rival in rivals]
    assert all(gain <= bound * (1 + 1e-9) for gain, bound in zip(gained, bounds, strict=True))
    return {"formula": bounds[0], "worst case": gained[0]}
