"""Chapter 14: Beyond."""

import copy
from typing import Any

import numpy as np
import torch
from scipy import stats

from dpgcourse.agents.batch import Batch
from dpgcourse.agents.config import DDPGConfig, SACConfig, TD3Config
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.n_step import NStepReplayBuffer
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.sac import SAC
from dpgcourse.agents.td3 import TD3
from dpgcourse.equation_checks.entry import Estimate, entry
from dpgcourse.equation_checks.examples import autograd, extrapolate, smooth_composite, torch_ell
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.gradient.chain_rule import batch_gradient
from dpgcourse.gradient.derivative_checks import central_difference, complex_step

GRID = np.linspace(-9, 9, 20_001)
STEP = GRID[1] - GRID[0]
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
WEIGHTS = WEIGHTS / WEIGHTS.sum()  # E f(ε) ≈ Σ WEIGHTS f(NODES)
NAMES = "alpha", "beta", "phi"  # arrays of the critic of `smooth_composite`


def _mean(draws) -> Estimate:
    draws = np.asarray(draws)
    return Estimate(draws.mean(0), draws.std(0) / np.sqrt(len(draws)))


def _expected(above) -> np.ndarray:
    """Mean of a variable on GRID from its probabilities of exceeding each point, (..., x)."""
    return (above - np.heaviside(-GRID, 0.5)).sum(-1) * STEP


@entry("eq-beyond-formula", "theorem", batch_gradient)
def formula(rng):
    """The gradient of the batch mean of Q is the mean of Jᵀg, with g at the actor's actions."""
    composite, s, u, w = smooth_composite(rng, batch=(5,))
    return {
        "formula": batch_gradient(composite, s, u, w),
        "autograd": autograd(lambda u: torch_ell(composite, s, u, w).mean(), u),
        "complex step": complex_step(lambda u: composite.ell(s, u, w).mean(), u),
    }


# ---- the smaller of two critics ----


@entry("eq-beyond-max", "theorem")
def larger(rng):
    """The larger of two errors of mean zero is positive on average."""
    scale = rng.uniform(0.5, 2)
    return {
        "formula": scale / np.sqrt(np.pi),
        "quadrature": scale * _expected(1 - stats.norm.cdf(GRID) ** 2),
        "Monte Carlo": _mean(scale * rng.normal(size=(40_000, 2)).max(1)),
    }


@entry("eq-beyond-accumulate", "theorem")
def accumulate(rng):
    """A bias in every bootstrapped value adds up over all steps."""
    gamma, b, D = rng.uniform(0.8, 0.95), rng.uniform(0.5, 2), 0.0
    for _ in range(700):
        D = gamma * (D + b)
    return {
        "formula": gamma * b / (1 - gamma),
        "simulation": D,
        "series": b * (gamma ** np.arange(1, 700)).sum(),
    }


@entry("eq-beyond-min", "theorem")
def smaller(rng):
    """The smaller of two errors is negative on average; correlation brings it closer to zero."""
    scale, rho = rng.uniform(0.5, 2), rng.uniform(0.2, 0.6)
    covariance = scale**2 * np.array([[1, rho], [rho, 1]])
    spread = np.sqrt(1 - rho**2)  # of e_2 when e_1 = x is known; its mean is then ρx
    d = (1 - rho) * GRID / spread
    given = rho * GRID + spread * (d * stats.norm.sf(d) - stats.norm.pdf(d))  # E[min | e_1 = x]
    return {
        "formula": -scale * np.sqrt((1 - rho) / np.pi),
        "quadrature": scale * (stats.norm.pdf(GRID) * given).sum() * STEP,
        "Monte Carlo": _mean(
            rng.multivariate_normal([0, 0], covariance, 60_000, method="cholesky").min(1)
        ),
    }


def _ranked(n, k):
    """Mean of the k-th smallest of n standard normal numbers."""
    return _expected(stats.binom.cdf(k - 1, n, stats.norm.cdf(GRID)))


@entry("eq-beyond-judged", "theorem", draws=1)
def judged(rng):
    """The smaller of the first critic's best of k and the second's value there, on average."""
    F, e = stats.norm.cdf(GRID), rng.normal(size=(200_000, 6))
    ks = (1, 2, 3, 5)
    return {
        "formula": [-(_ranked(k + 1, k + 1) - _ranked(k + 1, k)) / (k + 1) for k in ks],
        "quadrature": [_expected((1 - F**k) * (1 - F)) for k in ks],
        "Monte Carlo": _mean(np.stack([np.minimum(e[:, :k].max(1), e[:, 5]) for k in ks], axis=1)),
    }


# ---- noise in the target ----


@entry("eq-beyond-ripple", "theorem")
def ripple(rng):
    """Averaging over normal noise keeps the place of a ripple and reduces its height."""
    omega, sigma, a = rng.uniform(1, 2), rng.uniform(0.3, 0.6), rng.uniform(0.4, 0.7)
    return {
        "formula": np.exp(-(omega**2) * sigma**2 / 2) * np.sin(omega * a),
        "quadrature": WEIGHTS @ np.sin(omega * (a + sigma * NODES)),
        "Monte Carlo": _mean(np.sin(omega * (a + sigma * rng.normal(size=40_000)))),
    }


@entry("eq-beyond-slope-bound", "estimate")
def slope_bound(rng):
    """The average over normal noise of an error of bounded height has a bounded slope."""
    height, sigma = rng.uniform(0.1, 2), rng.uniform(0.2, 2)

    def jump(a):
        return height * (2 * stats.norm.cdf(a / sigma) - 1)

    worst = abs(central_difference(jump, 0.0))
    for _ in range(100):
        shape, shift = rng.uniform(0.1, 20) * np.sin(rng.uniform(0.1, 9) * GRID), rng.normal()
        error = height * np.tanh(shape + shift)
        density = stats.norm.pdf(GRID) * STEP  # of (x − a)/σ at a = 0; its slope in a is GRID/σ
        worst = max(worst, abs((error * density * GRID).sum() / sigma))
    return {
        "formula": np.sqrt(2 / np.pi) * height / sigma,
        "worst case": worst,
        "closed form": 2
        * height
        * stats.norm.pdf(0)
        / sigma,  # a jump at 0, which reaches the bound
    }


def _layers(net):
    """The affine layers of an agent's network, as arrays (W, b)."""
    rest, layers = net.theta.detach().numpy()[0], []
    for fan_in, fan_out in net.shapes:
        W, b, rest = np.split(rest, [fan_in * fan_out, (fan_in + 1) * fan_out])
        layers.append((W.reshape(fan_in, fan_out), b))
    return layers


def _forward(layers, x):
    for W, b in layers[:-1]:
        x = np.maximum(x @ W + b, 0)
    return x @ layers[-1][0] + layers[-1][1]


@entry(
    "eq-beyond-target",
    "definition",
    TD3.td_target,
    TD3.target_action,
    TD3.target_q,
)
def target(rng):
    """TD3's target: the smaller of two critics, at the policy's action with clipped noise."""
    low, high, B = np.array([-2.0, 0.5]), np.array([4.0, 1.5]), 12
    config = TD3Config(
        hidden_sizes=(5,), gamma=0.9, target_policy_noise=0.4
    )  # some noise is clipped
    agent = TD3(config, 3, ActionBox(low, high), random_streams([4]), torch.float64)
    for p in (*agent.actor_target.parameters(), *agent.critic_target.parameters()):
        p.data.add_(torch.tensor(rng.normal(size=p.shape)))
    s, a, s_next = rng.normal(size=(B, 3)), rng.uniform(low, high, (B, 2)), rng.normal(size=(B, 3))
    batch = Batch(s, a, rng.normal(size=B), s_next, np.arange(B) % 2.0)
    eta = 0.4 * copy.deepcopy(agent.streams.target_noise[0]).standard_normal((B, 2))
    center, half = (low + high) / 2, (high - low) / 2
    mu = center + half * np.tanh(_forward(_layers(agent.actor_target), s_next))
    a_next = np.clip(mu + half * np.clip(eta, -0.5, 0.5), low, high)
    x = np.concatenate([s_next, a_next], axis=1)
    parts = agent.critic_target, agent.critic_target.second
    q_1, q_2 = (_forward(_layers(part), x)[:, 0] for part in parts)
    on = zip(batch.r, q_1, q_2, batch.terminated, strict=True)
    return {
        "formula": agent.td_target(batch.map(lambda x: torch.tensor(x)[None]))[0].numpy(),
        "by hand": [r if end else r + 0.9 * (p if p < q else q) for r, p, q, end in on],
    }


@entry("eq-beyond-power", "theorem")
def power(rng):
    """The probability that n paired seeds find a true difference significant at the 5% level."""
    n, effect = int(rng.integers(6, 15)), rng.uniform(0.6, 0.9)
    critical, shift = stats.t.ppf(0.975, n - 1), effect * np.sqrt(n)
    root = np.linspace(0, 12, 4001)  # √C, of the chi distribution
    limit = critical * root / np.sqrt(n - 1)
    beyond = stats.norm.sf(limit - shift) + stats.norm.cdf(-limit - shift)
    x = effect + rng.normal(size=(40_000, n))
    t = x.mean(1) / (x.std(1, ddof=1) / np.sqrt(n))
    law = stats.nct(n - 1, shift)
    return {
        "formula": law.sf(critical) + law.cdf(-critical),
        "quadrature": (stats.chi(n - 1).pdf(root) * beyond).sum() * (root[1] - root[0]),
        "Monte Carlo": _mean(abs(t) > critical),
    }


# ---- other critics, other policies ----


@entry("eq-beyond-d4pg", "theorem")
def distribution(rng):
    """The slope of the mean of a predicted distribution, by its probabilities or by its logits."""
    z, slant, level = np.linspace(-5, 1, 7), rng.normal(size=(7, 2)), rng.normal(size=7)
    a = rng.normal(size=2)

    def Q(a):
        weight = np.exp(slant @ a + level)
        return (weight @ z) / weight.sum()

    def torch_Q(a):
        logits = torch.tensor(slant) @ a + torch.tensor(level)
        return torch.softmax(logits, 0) @ torch.tensor(z)

    p = np.exp(slant @ a + level)
    p /= p.sum()
    dp_da = p[:, None] * (slant - p @ slant)
    slope = autograd(torch_Q, a)
    return {
        "formula": [z @ dp_da, (p * (z - Q(a))) @ slant],
        "autograd": [slope, slope],
        "complex step": [complex_step(Q, a)] * 2,
    }


class _Noisy:
    """A critic of sines in two action entries, with a Gaussian policy μ = W s, W = u."""

    def __init__(self, rng):
        self.beta, self.phase = rng.normal(size=(3, 2)), rng.uniform(-0.5, 0.5, size=3)
        self.w, self.s = rng.uniform(1, 2, size=3), rng.normal(size=2)
        self.u, self.sigma = rng.normal(size=4) / 2, rng.uniform(0.3, 0.7)
        i, j = np.meshgrid(range(40), range(40))
        self.noise = np.stack([NODES[i.ravel()], NODES[j.ravel()]], axis=1)  # (1600, 2)
        self.chance = WEIGHTS[i.ravel()] * WEIGHTS[j.ravel()]
        self.J = np.kron(np.eye(2), self.s)  # of μ, (2, 4)

    def mu(self, u):
        return self.J @ u

    def Q(self, a):
        return np.sin(a @ self.beta.T + self.phase) @ self.w

    def g(self, a):
        return (np.cos(a @ self.beta.T + self.phase) * self.w) @ self.beta

    def curvature(self, a):
        """Sum of the second derivatives over the entries of the action."""
        return -np.sin(a @ self.beta.T + self.phase) @ (self.w * (self.beta**2).sum(1))

    def actions(self, u, sigma):
        return self.mu(u) + sigma * self.noise

    def mean_Q(self, u, sigma):
        return self.chance @ self.Q(self.actions(u, sigma))

    def mean_Q_closed(self, u, sigma):
        damped = np.exp(-(sigma**2) * (self.beta**2).sum(1) / 2) * self.w
        return np.sin(self.mu(u) @ self.beta.T + self.phase) @ damped

    def mean_slope(self, sigma):
        return self.J.T @ (self.chance @ self.g(self.actions(self.u, sigma)))


@entry("eq-beyond-svg", "theorem")
def svg(rng):
    """The reparameterized gradient of a random policy is DPG's, averaged over the noise."""
    x = _Noisy(rng)
    return {
        "formula": x.mean_slope(x.sigma),
        "complex step": complex_step(lambda u: x.mean_Q(u, x.sigma), x.u),
        "closed form": complex_step(lambda u: x.mean_Q_closed(u, x.sigma), x.u),
    }


@entry("eq-beyond-svg-gap", "estimate")
def svg_gap(rng):
    """The gap to the deterministic gradient begins with σ²/2 times the slope of the curvature."""
    x = _Noisy(rng)
    limit = x.J.T @ x.g(x.mu(x.u))
    return {
        "formula": x.J.T @ complex_step(x.curvature, x.mu(x.u)) / 2,
        "limit": extrapolate(lambda sigma: (x.mean_slope(sigma) - limit) / sigma**2, h=0.4),
    }


@entry("eq-beyond-svg-sigma", "theorem")
def svg_sigma(rng):
    """The slope of the mean value in σ, written with the noise or with the curvature."""
    x = _Noisy(rng)
    a = x.actions(x.u, x.sigma)
    by_noise = x.chance @ (x.noise * x.g(a)).sum(1)
    closed = complex_step(lambda sigma: x.mean_Q_closed(x.u, sigma), x.sigma)
    return {
        "formula": [by_noise, x.sigma * (x.chance @ x.curvature(a))],
        "central differences": [central_difference(lambda t: x.mean_Q(x.u, t), x.sigma)] * 2,
        "closed form": [closed, closed],
    }


@entry("eq-beyond-sac", "theorem")
def sac(rng):
    """The entropy adds its slope to the action gradient; its own derivative averages to zero."""
    x, alpha = _Noisy(rng), rng.uniform(0.2, 1)

    def soft(theta, log):
        """The objective for theta = (u, ln σ), with log π differentiated throughout."""
        u, sigma = theta[:4], np.exp(theta[4])
        a = x.actions(u, sigma)
        log_pi = -((a - x.mu(u)) ** 2).sum(1) / (2 * sigma**2) - 2 * log(sigma)
        return x.chance @ (x.Q(a) - alpha * log_pi)

    theta = np.array([*x.u, np.log(x.sigma)])
    g = x.g(x.actions(x.u, x.sigma)) + alpha * x.noise / x.sigma  # ∇_a(Q − α log π)
    J = np.concatenate([np.tile(x.J, (1600, 1, 1)), x.sigma * x.noise[:, :, None]], axis=2)
    return {
        "formula": np.einsum("k,kmn,km->n", x.chance, J, g),
        "complex step": complex_step(lambda theta: soft(theta, np.log), theta),
        "closed form": complex_step(
            lambda theta: x.mean_Q_closed(theta[:4], np.exp(theta[4])) + 2 * alpha * theta[4], theta
        ),
    }


@entry("eq-beyond-sac-noise", "theorem")
def sac_noise(rng):
    """On a quadratic peak the soft policy converges to the best action, with variance α/h."""
    alpha, h, best = rng.uniform(0.2, 1), rng.uniform(1, 3), rng.normal() + 2
    mu, sigma = 0.0, 1.0
    for _ in range(4000):
        g = -h * (mu + sigma * NODES - best) + alpha * NODES / sigma
        mu, sigma = mu + 0.02 * WEIGHTS @ g, sigma + 0.02 * WEIGHTS @ (NODES * g)
    a = best + GRID
    density = np.exp(-h / 2 * GRID**2 / alpha)  # the optimal density, up to a factor
    mean = (density * a).sum() / density.sum()
    return {
        "formula": [best, alpha / h],
        "simulation": [mu, sigma**2],
        "quadrature": [mean, (density * (a - mean) ** 2).sum() / density.sum()],
    }


@entry("eq-beyond-ensemble", "theorem")
def ensemble(rng):
    """The variance of a mean of correlated errors: the common part does not average out."""
    scale, rho, N = rng.uniform(0.5, 2), rng.uniform(0.2, 0.6), 5
    covariance = scale**2 * (rho + (1 - rho) * np.eye(N))
    e = rng.multivariate_normal(np.zeros(N), covariance, 40_000, method="cholesky")
    return {
        "formula": scale**2 * (rho + (1 - rho) / N),
        "by hand": sum(covariance[i, j] for i in range(N) for j in range(N)) / N**2,
        "Monte Carlo": _mean(e.mean(1) ** 2),
    }


@entry("eq-beyond-bc", "theorem")
def behavior_cloning(rng):
    """Behavior cloning adds 2(a_data − μ) to the action gradient, before the same Jacobian."""
    composite, s, u, w = smooth_composite(rng, batch=(5,))
    lam, data = rng.uniform(0.5, 2), rng.normal(size=(5, 2))
    parts = [composite.factors(x, u, w) for x in s]
    mu = np.tanh(s @ u.reshape(2, 3).T)
    pulls = [lam * g + 2 * (a - b) for (g, _), a, b in zip(parts, data, mu, strict=True)]

    def objective(u):
        spring = ((np.tanh(s @ u.reshape(2, 3).T) - data) ** 2).sum() / 5
        return lam * composite.ell(s, u, w).mean() - spring

    def torch_objective(u):
        a = torch.tanh(torch.tensor(s) @ u.reshape(2, 3).T)
        spring = ((a - torch.tensor(data)) ** 2).sum() / 5
        return lam * torch_ell(composite, s, u, w).mean() - spring

    return {
        "formula": sum(J.T @ pull for (_, J), pull in zip(parts, pulls, strict=True)) / 5,
        "complex step": complex_step(objective, u),
        "autograd": autograd(torch_objective, u),
    }


@entry("eq-beyond-mage", "theorem")
def mage(rng):
    """The slope of the TD error in the action: reward, next value by the model, and Q itself."""
    composite, s, u, w = smooth_composite(rng)
    A, B, a, gamma = rng.normal(size=(3, 3)), rng.normal(size=(3, 2)), rng.normal(size=2), 0.9
    s_next = A @ s + B @ a
    dV_ds = complex_step(lambda s: composite.ell(s, u, w), s_next)

    def delta(a):
        ahead = composite.ell(A @ s + B @ a, u, w)
        return -(s @ s) - a @ a + gamma * ahead - composite.critic.Q(s, a, w)

    def torch_delta(a):
        arrays = A, B, s, u.reshape(2, 3), w, *(getattr(composite.critic, x) for x in NAMES)
        A_, B_, s_, U, w_, alpha, beta, phi = (torch.tensor(x) for x in arrays)
        ahead = A_ @ s_ + B_ @ a
        q_next = torch.sin(alpha @ ahead + beta @ torch.tanh(U @ ahead) + phi) @ w_
        return -(a**2).sum() + gamma * q_next - torch.sin(alpha @ s_ + beta @ a + phi) @ w_

    return {
        "formula": -2 * a + gamma * B.T @ dV_ds - composite.critic.dQ_da(s, a, w),
        "central differences": central_difference(delta, a),
        "autograd": autograd(torch_delta, a),
    }


@entry("eq-beyond-mage-unseen", "theorem")
def mage_unseen(rng):
    """A flaw without TD errors at the policy's own actions shows in the slope of the TD error."""
    K, kappa, s, gamma = rng.uniform(0.2, 0.5), rng.uniform(1, 3), rng.uniform(1, 2), 0.9
    P = (1 + K**2) / (1 - gamma * (1 - K) ** 2)

    def flawed(s, a):
        return -(s**2 + a**2) - gamma * P * (s + a) ** 2 + kappa * s * (a + K * s)

    def delta(a):
        ahead = s + a
        return -(s**2 + a**2) + gamma * flawed(ahead, -K * ahead) - flawed(s, a)

    on_policy = -K * s
    return {
        "formula": [0, -kappa * s],
        "central differences": [delta(on_policy), central_difference(delta, on_policy)],
        "complex step": [delta(on_policy), complex_step(delta, on_policy)],
    }


@entry("eq-beyond-n-step", "definition", NStepReplayBuffer.sample, DDPG.td_target)
def n_step(rng):
    """An n-step target adds up n discounted rewards, and the target critic's value behind them."""
    n, gamma, steps, box = 3, 0.8, 9, ActionBox(np.array([-2.0]), np.array([4.0]))
    config = DDPGConfig(hidden_sizes=(5,), gamma=gamma, n_step=n)
    agent = DDPG(config, 2, box, random_streams([4]), torch.float64)
    for p in (*agent.actor_target.parameters(), *agent.critic_target.parameters()):
        p.data.add_(torch.tensor(rng.normal(size=p.shape)))
    s, a, r = rng.normal(size=(steps + 1, 2)), rng.normal(size=(steps, 1)), rng.normal(size=steps)
    buffer = NStepReplayBuffer(n, gamma, steps, 2, 1, [rng], "float64")
    for t in range(steps):
        buffer.add(s[t, None], a[t, None], r[t, None], s[t + 1, None], np.zeros(1))
        buffer.mark_ends(np.zeros(1, dtype=bool))
    drawn: Any = buffer.sample(30)
    at = (drawn.s[0][:, None] == s).all(-1).argmax(1)  # t of each drawn transition
    full = at + n <= steps  # the latest ones look ahead less
    mu = 1 + 3 * np.tanh(_forward(_layers(agent.actor_target), s))
    value = _forward(_layers(agent.critic_target), np.concatenate([s, mu], axis=1))[:, 0]
    rewards = [r[t] + gamma * r[t + 1] + gamma**2 * r[t + 2] for t in at[full]]
    return {
        "formula": agent.td_target(drawn.map(torch.tensor))[0].numpy()[full],
        "by hand": np.array(rewards) + gamma**3 * value[at[full] + 3],
    }


def _soft_agent(rng):
    config = SACConfig(hidden_sizes=(5,), gamma=0.9, initial_alpha=0.3)
    box = ActionBox(np.array([-2.0, 0.5]), np.array([4.0, 1.5]))
    agent = SAC(config, 3, box, random_streams([4]), torch.float64)
    for p in (*agent.actor.parameters(), *agent.critic_target.parameters()):
        p.data.add_(torch.tensor(rng.normal(size=p.shape)))
    return agent


@entry("eq-beyond-sac-target", "definition", SAC.td_target, SAC.target_q, SAC.sample)
def sac_target(rng):
    """SAC's target: the smaller of two critics at a drawn action, and the entropy's reward."""
    agent, B = _soft_agent(rng), 12
    s, s_next, r = rng.normal(size=(B, 3)), rng.normal(size=(B, 3)), rng.normal(size=B)
    end = np.tile([0.0, 1.0], B // 2)
    batch = Batch(s, rng.normal(size=(B, 2)), r, s_next, end)
    xi = copy.deepcopy(agent.streams.target_noise[0]).standard_normal((B, 2))
    mean, log_std = np.split(_forward(_layers(agent.actor), s_next), 2, axis=1)
    log_std = np.clip(log_std, -20, 2)
    z = mean + np.exp(log_std) * xi
    log_pi = stats.norm.logpdf(z, mean, np.exp(log_std)) - np.log(1 / np.cosh(z) ** 2)
    a_next = np.array([1.0, 1.0]) + np.array([3.0, 0.5]) * np.tanh(z)
    x = np.concatenate([s_next, a_next], axis=1)
    parts = agent.critic_target, agent.critic_target.second
    q = np.minimum(*(_forward(_layers(part), x)[:, 0] for part in parts))
    return {
        "formula": agent.td_target(batch.map(lambda x: torch.tensor(x)[None]))[0].numpy(),
        "by hand": r + 0.9 * (1 - end) * (q - 0.3 * log_pi.sum(1)),
    }


@entry("eq-beyond-temperature", "theorem", SAC.temperature_gradient)
def temperature(rng):
    """The temperature falls where the entropy is above its target, and rises where it is below."""
    agent, log_pi = _soft_agent(rng), rng.normal(size=40)
    target = agent.target_entropy

    def objective(log_alpha):
        return (-np.exp(log_alpha) * (log_pi + target)).mean()

    return {
        "formula": agent.temperature_gradient(torch.tensor(log_pi)[None])[0, 0].item(),
        "central differences": central_difference(objective, np.log(0.3)),
    }
