"""Chapter 9: Replay, targets, exploration."""

from collections import deque
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from scipy.integrate import quad
from scipy.optimize import brentq

from dpgcourse.agents.batch import Batch
from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.noise import OrnsteinUhlenbeckNoise
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.replay_buffer import ReplayBuffer
from dpgcourse.agents.target_network import polyak_update
from dpgcourse.analysis.autocorrelation import autocorrelation, effective_sample_size
from dpgcourse.equation_checks.entry import Estimate, entry
from dpgcourse.equation_checks.examples import extrapolate
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.theory import td, td_with_target_network
from dpgcourse.theory.quadrature import gauss_hermite_nodes


def _variance(draws: np.ndarray) -> Estimate:
    """The mean square of draws (N, ...) whose expectation is 0."""
    squares = draws**2
    return Estimate(squares.mean(0), squares.std(0) / np.sqrt(len(draws)))


def _correlated(rng, rho: float, length: int, copies: int) -> np.ndarray:
    """Stationary sequences of variance 1 with correlations rho^k, (length, copies)."""
    x = rng.standard_normal((length, copies))
    for before, now in pairwise(x):
        now[:] = rho * before + np.sqrt(1 - rho**2) * now
    return x


@entry("eq-mech-autocorrelation", "definition", autocorrelation)
def correlation(rng):
    """c_k is the covariance of values k steps apart, divided by the variance."""
    x, k = rng.normal(size=9).cumsum(), 3
    mean = sum(x) / 9
    apart = sum((x[t] - mean) * (x[t + k] - mean) for t in range(9 - k)) / (9 - k)
    itself = sum((value - mean) ** 2 for value in x) / 9
    return {"formula": autocorrelation(x, k)[k], "by hand": apart / itself}


@entry("eq-mech-effective", "theorem", effective_sample_size)
def effective(rng):
    """The mean of B successive values has the variance of the mean of B_eff independent ones."""
    B, rho, v = 12, rng.uniform(0.3, 0.8), rng.uniform(1, 3)
    c = rho ** np.arange(B)
    pairs = [[v * c[abs(i - j)] for i in range(B)] for j in range(B)]
    means = np.sqrt(v) * _correlated(rng, rho, B, 20_000).mean(0)
    return {
        "formula": v / effective_sample_size(c, B),
        "by hand": sum(map(sum, pairs)) / B**2,
        "Monte Carlo": _variance(means),
    }


@entry("eq-mech-forget", "theorem")
def forget(rng):
    """Fitted to one place, the line has the curve's slope there; fitted to both, it is flat."""
    x_0, v = rng.uniform(0.5, 1.5), rng.uniform(0.1, 0.3)
    nodes, weights = gauss_hermite_nodes(1)  # exact for the fourth powers in these means
    here = x_0 + np.sqrt(v) * nodes[:, 0]
    fits, steps = [], []
    for x in (here, np.concatenate([here, -here])):
        design, p = np.stack([x**0, x], axis=1), np.resize(weights, len(x)) / (len(x) / 3)
        gram, moment = design.T * p @ design, design.T * p @ x**2
        fits.append(np.linalg.solve(gram, moment))
        w, alpha = np.zeros(2), 1 / np.trace(gram)
        for _ in range(1500):
            w = w + alpha * (moment - gram @ w)
        steps.append(w)
    return {
        "formula": [x_0**2 + v - 2 * x_0 * x_0, 2 * x_0, x_0**2 + v, 0],
        "quadrature": np.concatenate(fits),
        "simulation": np.concatenate(steps),
    }


@entry("eq-mech-uses", "theorem")
def uses(rng):
    """A full replay buffer uses each transition B times in expectation, whatever its capacity."""
    capacity, B = int(rng.integers(3, 9)), int(rng.integers(3, 6))
    seeds = 1500
    replay = ReplayBuffer(capacity, 1, 1, rng.spawn(seeds), "float64")
    counts, one = np.zeros(seeds), np.ones((seeds, 1))
    for t in range(2 * capacity):  # counts the uses of the transition that is added at t = capacity
        replay.add(t * one, one, one[:, 0], one, one[:, 0])
        drawn = replay.sample(B).s[..., 0]  # (seeds, B)
        counts += (drawn == capacity).sum(1)
    kept: deque[int] = deque(maxlen=capacity)
    expected = 0.0
    for t in range(2 * capacity):
        kept.append(t)
        expected += B * kept.count(capacity) / len(kept)
    return {
        "formula": capacity * B * (1 / capacity),
        "simulation": expected,
        "Monte Carlo": Estimate(counts.mean(), counts.std() / np.sqrt(seeds)),
    }


@entry("eq-mech-average", "identity", polyak_update)
def average(rng):
    """The target network is an exponential average of all parameters so far."""
    tau, w, start = rng.uniform(0.1, 0.9), rng.normal(size=8), rng.normal()
    source, copy = (torch.nn.Linear(1, 1, bias=False).double() for _ in range(2))
    copy.weight.data.fill_(start)
    for value in w:
        source.weight.data.fill_(value)
        polyak_update(copy, source, tau)
    fading = sum(tau * (1 - tau) ** j * w[7 - j] for j in range(8))
    return {"formula": copy.weight.item(), "closed form": fading + (1 - tau) ** 8 * start}


@entry("eq-mech-half-life", "estimate")
def half_life(rng):
    """Half of a change is carried over after ln 2/τ − ln 2/2 updates, up to O(τ)."""
    tau = rng.uniform(0.001, 0.5)

    def updates(tau):
        return brentq(lambda k: (1 - tau) ** k - 0.5, 0, 2 / tau, xtol=1e-13, rtol=1e-14)

    return {
        "formula": [np.log(2) / -np.log(1 - tau), -np.log(2) / 2],
        "limit": [updates(tau), extrapolate(lambda h: updates(h) - np.log(2) / h)],
    }


@entry("eq-mech-variance", "theorem")
def variance(rng):
    """An exponential average of independent values has τ/(2 − τ) times their variance."""
    tau, v = rng.uniform(0.2, 0.6), rng.uniform(1, 3)
    copy = np.zeros(20_000)
    for _ in range(100):
        copy = tau * np.sqrt(v) * rng.standard_normal(20_000) + (1 - tau) * copy
    return {
        "formula": tau / (2 - tau) * v,
        "series": sum(v * tau**2 * (1 - tau) ** (2 * j) for j in range(300)),
        "Monte Carlo": _variance(copy),
    }


@entry("eq-mech-slow", "rule", td_with_target_network.step)
def target_network_step(rng):
    """w moves by the mean semi-gradient with targets from w'; then w' moves toward w by τ."""
    phi, phi_next = rng.normal(size=(2, 5, 3))
    r, end = rng.normal(size=5), np.array([0, 1, 0, 0, 1])
    w, copy = rng.normal(size=(2, 3))
    alpha, tau, gamma = 0.1, rng.uniform(0.1, 0.9), 0.8
    step = np.zeros(3)
    for i in range(5):
        y = r[i] if end[i] else r[i] + gamma * sum(phi_next[i] * copy)
        step += (y - sum(phi[i] * w)) * phi[i] / 5
    moved = w + alpha * step
    data = td.Transitions(phi, r, phi_next, end)
    return {
        "formula": np.concatenate(td_with_target_network.step(w, copy, data, gamma, alpha, tau)),
        "by hand": np.concatenate([moved, tau * moved + (1 - tau) * copy]),
    }


def _two_states() -> td.Transitions:
    phi = np.array([[1.0, 0.0], [2.0, 1.0]])
    return td.Transitions(phi, [1.0, 1.0], phi[[1, 1]])


@entry("eq-mech-two-states", "identity", td_with_target_network.td_moments, draws=1)
def two_states(rng):
    """The matrices of the two states with features (1, 0) and (2, 1)."""
    parts = td_with_target_network.td_moments(_two_states(), 0.9)
    numbers = [2.5, 1, 1, 0.5, 2.7, 1.35, 0.9, 0.45, 1.5, 0.5]
    return {"formula": np.concatenate([part.ravel() for part in parts]), "by hand": numbers}


@entry("eq-mech-fitted", "estimate", td_with_target_network.fitted_iteration_matrix)
def fitted(rng):
    """For small τ the error of w' shrinks by 1 − τ(1 − κ) an update, κ an eigenvalue of A⁻¹C."""
    gamma, (p, q) = rng.uniform(0.7, 0.95), rng.uniform(0.1, 0.4, 2)
    phi, P = rng.normal(size=(2, 2)) + 2 * np.eye(2), np.array([[1 - p, p], [q, 1 - q]])
    data = td.Transitions(phi, np.zeros(2), P @ phi)
    A, _, _ = td_with_target_network.td_moments(data, gamma)
    alpha = 1 / np.linalg.eigvalsh(A)[-1]

    def pace(tau):
        eigenvalues = np.linalg.eigvals(
            td_with_target_network.transition_matrix(data, gamma, alpha, tau)
        )
        two = sorted(eigenvalues, key=lambda value: abs(value - 1))[:2]
        return (np.sort(np.real(two)) - 1) / tau

    kappa = np.sort(
        np.linalg.eigvals(td_with_target_network.fitted_iteration_matrix(data, gamma)).real
    )
    return {
        "formula": -(1 - kappa),
        "limit": extrapolate(pace, h=1e-3),
        "closed form": -(1 - gamma * np.array([1 - p - q, 1])),  # value iteration
    }


@entry("eq-mech-slope", "theorem")
def slope(rng):
    """A slope fitted to the noisy values of B actions has the variance v/(Bσ²)."""
    B, sigma, v = 10, rng.uniform(0.3, 1.5), rng.uniform(1, 3)
    a = rng.standard_normal(B)
    a = sigma * (a - a.mean()) / a.std()
    design = np.stack([np.ones(B), a], axis=1)
    noise = np.sqrt(v) * rng.standard_normal((20_000, B))
    return {
        "formula": v / (B * sigma**2),
        "by hand": v * np.linalg.inv(design.T @ design)[1, 1],
        "Monte Carlo": _variance(np.linalg.lstsq(design, noise.T, rcond=None)[0][1]),
    }


@entry("eq-mech-ou", "rule", OrnsteinUhlenbeckNoise.__call__)
def ou_step(rng):
    """Ornstein-Uhlenbeck noise decays by e^(−θ) and gains normal noise of the exact variance."""
    theta, sigma, seed = rng.uniform(0.05, 0.5), rng.uniform(0.2, 2, 2), int(rng.integers(999))
    noise = OrnsteinUhlenbeckNoise(sigma, [np.random.default_rng(seed)], theta)
    first, second = np.random.default_rng(seed).standard_normal((2, 2))
    scale = sigma * ((1 - 2.718281828459045 ** (-2 * theta)) / (2 * theta)) ** 0.5
    return {
        "formula": [noise()[0], noise()[0]],
        "by hand": [scale * first, 2.718281828459045**-theta * scale * first + scale * second],
    }


@entry("eq-mech-ou-law", "theorem")
def ou_law(rng):
    """After many steps the variance is σ²/2θ, and the correlation k steps apart e^(−θk)."""
    theta, sigma = rng.uniform(0.1, 0.5), rng.uniform(0.2, 2)
    lags = np.array([0, 1, 4])
    variance = sigma**2 * (1 - np.exp(-2 * theta)) / (2 * theta)
    series = [sum(variance * np.exp(-theta * (2 * j + k)) for j in range(300)) for k in lags]
    integrals = [
        quad(lambda s, k=k: sigma**2 * np.exp(-theta * (2 * s + k)), 0, 200, epsabs=1e-13)[0]
        for k in lags
    ]
    noise = OrnsteinUhlenbeckNoise(np.full(20_000, sigma), rng.spawn(1), theta)
    path = np.stack([noise()[0] for _ in range(100)])
    products = np.stack([path[-1 - k] * path[-1] for k in lags], axis=1)
    return {
        "formula": sigma**2 / (2 * theta) * np.exp(-theta * lags),
        "series": series,
        "quadrature": integrals,  # of the noise of all the past, in continuous time
        "Monte Carlo": Estimate(products.mean(0), products.std(0) / np.sqrt(len(products))),
    }


@entry("eq-mech-push", "estimate")
def ou_sum(rng):
    """Sums of OU noise have (1 + e^(−θ))/(1 − e^(−θ)) times the variance of independent sums."""
    theta = rng.uniform(0.15, 0.6)
    rho = np.exp(-theta)

    def ratio(h):
        n = round(1 / h)
        return n / effective_sample_size(rho ** np.arange(n), n)

    return {
        "formula": (1 + rho) / (1 - rho),
        "limit": extrapolate(ratio, h=0.01, levels=5),
        "closed form": 1 / np.tanh(theta / 2),
    }


@entry("eq-mech-end", "identity", DDPG.td_target)
def end(rng):
    """The target is r after a termination, else r plus γ times the value of s'."""
    agent: Any = DDPG(
        DDPGConfig(hidden_sizes=(3,)), 1, ActionBox([-1], [1]), random_streams([0]), torch.float64
    )
    agent.actor_target = lambda s: 2 * s
    agent.critic_target = lambda s, a: (3 - s - a)[..., 0]
    r, s_next = rng.normal(size=4), rng.normal(size=(4, 1))
    ended = np.array([0, 1, 0, 1.0])
    batch = Batch(s_next, s_next, r, s_next, ended).map(lambda x: torch.tensor(x)[None])
    ahead = [0 if e else 3 - s - 2 * s for e, s in zip(ended, s_next[:, 0], strict=True)]
    return {
        "formula": agent.td_target(batch)[0].numpy(),
        "by hand": [one + 0.98 * later for one, later in zip(r, ahead, strict=True)],
    }


@entry("eq-mech-constant", "theorem")
def constant(rng):
    """A reward of 1 at every step is worth 1/(1 − γ)."""
    gamma, V = rng.uniform(0.5, 0.98), 0.0
    for _ in range(3000):
        V = 1 + gamma * V
    return {
        "formula": 1 / (1 - gamma),
        "series": sum(gamma**t for t in range(3000)),
        "simulation": V,
    }


@entry("eq-mech-done", "theorem")
def done(rng):
    """If truncation counts as termination, the constant reward is worth 1/(1 − γ(1 − 1/T))."""
    gamma, T = rng.uniform(0.5, 0.98), int(rng.integers(5, 40))
    ones, last = np.ones((T, 1)), np.arange(T) == T - 1
    V = 0.0
    for _ in range(3000):
        V = np.mean([1.0 if end else 1 + gamma * V for end in last])
    return {
        "formula": 1 / (1 - gamma * (1 - 1 / T)),
        "closed form": td.semi_gradient_fixed_point(
            td.Transitions(ones, ones[:, 0], ones, last.astype(float)), gamma
        ).item(),
        "series": sum((gamma * (1 - 1 / T)) ** t for t in range(3000)),
        "simulation": V,
    }
