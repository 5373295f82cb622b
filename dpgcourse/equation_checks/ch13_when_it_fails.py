"""Chapter 13: When it fails."""

import math

import numpy as np
import sympy as sp
import torch

from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.envs.vector_pendulum import VectorPendulum
from dpgcourse.equation_checks.entry import Estimate, entry
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training.diagnostics import value_gap
from dpgcourse.training.evaluation import run_episodes


def _agent(rng):
    """An agent with d = 3, m = 1 and γ = 0.9, its networks far from their small initial values."""
    config = DDPGConfig(hidden_sizes=(8,), gamma=0.9)
    agent = DDPG(config, 3, ActionBox([-2.0], [2.0]), random_streams([0]), torch.float64)
    for network in (agent.actor, agent.critic):
        for p in network.parameters():
            p.data.add_(torch.tensor(rng.normal(size=p.shape)), alpha=0.5)
    return agent


@entry("eq-fails-gap", "definition", value_gap)
def gap(rng):
    """The value gap is the critic's value of the start states minus the returns that follow."""
    agent, E, T = _agent(rng), 4, 12
    envs, twin = VectorPendulum(E), VectorPendulum(E)
    seeds = rng.integers(1000, size=E).tolist()
    envs.limit = T
    envs.reset(seed=seeds)
    twin.reset(seed=seeds)
    evaluation = run_episodes(agent, envs, [0])
    s, _ = twin.reset()  # the second reset, as in the evaluation
    predicted = agent.critic(torch.tensor(s[None]).double(), torch.tensor(agent.act(s[None])))
    total = 0.0
    for t in range(T):
        s, r, *_ = twin.step(agent.act(s[None])[0].astype(np.float32))
        total += 0.9**t * r.sum() / E
    return {
        "formula": value_gap(agent, evaluation),
        "simulation": [predicted.mean().item() - total],
    }


@entry("eq-fails-tail", "estimate")
def tail(rng):
    """The rewards after step T are worth at most γ^T/(1 − γ) times the largest reward."""
    gamma, T, largest = rng.uniform(0.6, 0.9), int(rng.integers(3, 12)), rng.uniform(1, 20)
    t = np.arange(T, 2000)
    streams_of_rewards = [rng.uniform(-largest, largest, len(t)) for _ in range(20)]
    streams_of_rewards.append(np.full(len(t), -largest))
    return {
        "formula": gamma**T / (1 - gamma) * largest,
        "worst case": max(abs((gamma**t * r).sum()) for r in streams_of_rewards),
    }


@entry("eq-fails-column", "identity")
def column(rng):
    """The loss over all pairs of targets and values fits every value to the mean target."""
    targets, q = rng.normal(size=(2, 6))
    pull = np.mean((q - targets.mean()) ** 2) + np.mean((targets - targets.mean()) ** 2)
    pairs = [(a - b) ** 2 for a in targets for b in q]
    return {"formula": pull, "by hand": sum(pairs) / 36}


@entry("eq-fails-truncated", "theorem")
def truncated(rng):
    """If one step in T counts as an end, a constant reward of 1 is worth 1/(1 − γ(1 − 1/T))."""
    gamma, T = rng.uniform(0.5, 0.95), int(rng.integers(2, 9))
    V = 0.0
    for _ in range(2000):  # the mean target of T steps; the last does not bootstrap
        V = np.mean([1 + gamma * V] * (T - 1) + [1.0])
    value, discount, limit = sp.symbols("V gamma T")
    solution = sp.solve(sp.Eq(value, 1 + discount * (1 - 1 / limit) * value), value)[0]
    return {
        "formula": 1 / (1 - gamma * (1 - 1 / T)),
        "simulation": V,
        "sympy": float(solution.subs({discount: gamma, limit: T})),
    }


@entry("eq-fails-stale", "theorem")
def stale(rng):
    """Where a critic that also ascends mean Q converges, its mean error is −1/2."""
    B, n = 12, 4
    features = np.column_stack(
        [np.ones(B), rng.normal(size=(B, n))]
    )  # the first is constant: a bias
    at_policy = np.column_stack([np.ones(B), rng.normal(size=(B, n))])
    y, w = rng.normal(size=B), np.zeros(n + 1)
    step = 0.4 / np.linalg.eigvalsh(features.T @ features / B).max()
    for _ in range(20_000):
        delta = y - features @ w
        w += step * (2 * features.T @ delta / B + at_policy.mean(0))
    rest = np.linalg.solve(2 * features.T @ features, 2 * features.T @ y + at_policy.sum(0))
    return {
        "formula": -1 / 2,
        "simulation": np.mean(y - features @ w),
        "closed form": np.mean(y - features @ rest),
    }


@entry("eq-fails-residual", "theorem")
def residual(rng):
    """With the target's gradient included, the states ±1 are worth ±2/(1 + γ²) instead of ±2."""
    gamma = rng.uniform(0.5, 0.95)
    q = np.zeros(3)  # values of the states −1, 0, 1
    for _ in range(2000):  # the four transitions: 0 to ±1, and ±1 to the end
        q0, slope = q[1], np.zeros(3)
        for i, reward in ((0, -2.0), (2, 2.0)):
            first, last = gamma * q[i] - q0, reward - q[i]
            slope += 2 * first * (gamma * np.eye(3)[i] - np.eye(3)[1]) - 2 * last * np.eye(3)[i]
        q -= 0.1 * slope
    v, discount = sp.symbols("v gamma")
    loss = discount**2 * v**2 / 2 + (2 - v) ** 2 / 2
    solution = sp.solve(sp.diff(loss, v), v)[0].subs(discount, gamma)
    return {"formula": 2 / (1 + gamma**2), "simulation": q[2], "sympy": float(solution)}


@entry("eq-fails-max-two", "theorem")
def max_two(rng):
    """The larger of two independent normal errors is σ/√π on average."""
    sigma = rng.uniform(0.5, 2)
    draws = sigma * rng.normal(size=(2, 400_000)).max(0)
    x, dx = np.linspace(-12, 12, 20_001, retstep=True)
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    below = np.array([0.5 * (1 + math.erf(z / math.sqrt(2))) for z in x])
    return {
        "formula": sigma / np.sqrt(np.pi),
        "Monte Carlo": Estimate(draws.mean(), draws.std() / np.sqrt(len(draws))),
        "quadrature": sigma * (2 * x * density * below).sum() * dx,
    }
