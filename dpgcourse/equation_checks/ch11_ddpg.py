"""Chapter 11: DDPG."""

import numpy as np
import torch

from dpgcourse.agents.batch import Batch
from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.target_network import polyak_update
from dpgcourse.equation_checks import lqr_examples as ex
from dpgcourse.equation_checks.entry import entry
from dpgcourse.equation_checks.examples import autograd, extrapolate
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.gradient.derivative_checks import central_difference
from dpgcourse.theory.lqr import LQR

LOW, HIGH = np.array([-2.0, 0.5]), np.array([4.0, 1.5])


def _agent(rng, seeds=1, **settings):
    """An agent with d = 3, m = 2 and 4 hidden units, whose targets lag behind its networks."""
    config = DDPGConfig(hidden_sizes=(4,), **settings)
    agent = DDPG(config, 3, ActionBox(LOW, HIGH), random_streams(range(seeds)), torch.float64)
    for net in (agent.actor, agent.critic, agent.actor_target, agent.critic_target):
        for p in net.parameters():
            p.data.add_(torch.tensor(rng.normal(size=p.shape)), alpha=0.5)
    return agent


def _flat(net):
    return np.concatenate([p.detach().numpy().ravel() for p in net.parameters()])


def _values(theta, x):
    """The hidden layer of four ReLU units and the linear one behind it; theta flat, x (B, in)."""
    cut = 4 * x.shape[1]
    hidden = x @ theta[:cut].reshape(-1, 4) + theta[cut : cut + 4]
    hidden = hidden * (hidden > 0)
    outputs = (len(theta) - cut - 4) // 5
    last = theta[cut + 4 :].reshape(5, outputs)  # four rows of weights, one of biases
    return hidden @ last[:4] + last[4]


def _action(theta, s):
    return (HIGH + LOW) / 2 + (HIGH - LOW) / 2 * np.tanh(_values(theta, s))


def _batch(rng, B=6):
    """Transitions, of which every other one ends the task; arrays without the seeds axis."""
    s, a, s_next = rng.normal(size=(B, 3)), rng.uniform(LOW, HIGH, (B, 2)), rng.normal(size=(B, 3))
    return Batch(s, a, rng.normal(size=B), s_next, np.arange(B) % 2.0)


def _tensors(batch):
    return Batch(*(torch.tensor(field)[None] for field in batch))


@entry("eq-ddpg-target", "definition", DDPG.td_target)
def target(rng):
    """The target is the reward plus the discounted next value, unless the task ended."""
    agent, batch = _agent(rng, gamma=0.9), _batch(rng)
    a_next = _action(_flat(agent.actor_target), batch.s_next)
    q_next = _values(_flat(agent.critic_target), np.concatenate([batch.s_next, a_next], axis=1))
    on = zip(batch.r, q_next[:, 0], batch.terminated, strict=True)
    return {
        "formula": agent.td_target(_tensors(batch))[0].numpy(),
        "by hand": [r if end else r + 0.9 * q for r, q, end in on],
    }


@entry("eq-ddpg-critic-loss", "rule", DDPG.critic_step)
def critic_loss(rng):
    """The critic descends the mean of δ² in w alone; the targets are constants."""
    agent, batch = _agent(rng), _batch(rng)
    y, w = torch.tensor(rng.normal(size=(1, 6))), _flat(agent.critic)
    y_before, x = y[0].numpy().copy(), np.concatenate([batch.s, batch.a], axis=1)
    agent.critic_step(_tensors(batch), y)
    gradient = np.concatenate([p.grad.numpy().ravel() for p in agent.critic.parameters()])

    def loss(w):
        return sum((y_i - q) ** 2 for y_i, q in zip(y_before, _values(w, x)[:, 0], strict=True)) / 6

    def torch_loss(w):
        return ((torch.tensor(y_before) - _values(w, torch.tensor(x))[:, 0]) ** 2).mean()

    def step(g):  # gradient, parameters after the first step of Adam, and errors after it
        w_next = w - 1e-3 * g / (np.abs(g) + 1e-8)
        return np.concatenate([g, w_next, y_before - _values(w_next, x)[:, 0]])

    delta = y[0].numpy() - _values(_flat(agent.critic), x)[:, 0]
    return {
        "formula": np.concatenate([gradient, _flat(agent.critic), delta]),
        "central differences": step(central_difference(loss, w)),
        "autograd": step(autograd(torch_loss, w)),
    }


@entry("eq-ddpg-polyak", "rule", polyak_update)
def polyak(rng):
    """Both target networks move the share τ of the way to the networks that learn."""
    agent = _agent(rng, tau=0.3)
    pairs = [(_flat(agent.critic), _flat(agent.critic_target))]
    pairs += [(_flat(agent.actor), _flat(agent.actor_target))]
    agent.update_targets()
    return {
        "formula": np.concatenate([_flat(agent.critic_target), _flat(agent.actor_target)]),
        "by hand": [y + 0.3 * (x - y) for w, slow in pairs for x, y in zip(w, slow, strict=True)],
    }


def _half_life(tau):
    """Updates until half of a gap of 1 is left, with a fraction for the last one."""
    gap, k = 1.0, 0
    while gap * (1 - tau) > 0.5:
        gap, k = gap - tau * gap, k + 1
    return k + np.log(gap / 0.5) / np.log(gap / (gap - tau * gap))


@entry("eq-ddpg-half-life", "theorem")
def half_life(rng):
    """A gap shrinks by the factor 1 − τ at each update; for small τ it halves in ln 2 / τ."""
    tau, k, (w, w_target) = 0.05, 20, rng.normal(size=(2, 3))
    slow, fast = (torch.nn.Linear(3, 1, bias=False, dtype=torch.float64) for _ in "sf")
    slow.weight.data[:], fast.weight.data[:] = torch.tensor(w_target), torch.tensor(w)
    for _ in range(k):
        polyak_update(slow, fast, tau)
    gap = (slow.weight - fast.weight).detach().numpy()[0]
    return {
        "formula": [*((1 - tau) ** k * (w_target - w)), np.log(2)],
        "simulation": [*gap, extrapolate(lambda tau: tau * _half_life(tau), h=0.04)],
    }


@entry("eq-ddpg-noise", "rule", DDPG.explore)
def noise(rng):
    """The executed action is the policy's plus normal noise, clipped to the box."""
    agent, s = _agent(rng, seeds=20, sigma=0.6), rng.normal(size=(20, 3))
    draws = np.stack([own.standard_normal(2) for own in random_streams(range(20)).exploration])
    a = agent.act(s[:, None])[:, 0] + 0.6 * (HIGH - LOW) / 2 * draws
    assert (a < LOW).any() and (a > HIGH).any()
    return {
        "formula": agent.explore(s),
        "by hand": np.where(a < LOW, LOW, np.where(a > HIGH, HIGH, a)),
    }


@entry("eq-ddpg-lqr-gap", "theorem", LQR.optimal_gain, LQR.Sigma)
def lqr_gap(rng):
    """The gap to the best return is the squared distance of the actions, over the gain's visits."""
    lqr, K = ex.random_lqr(rng)
    P = ex.library_P(lqr)
    G = lqr.R + lqr.gamma * lqr.B.T @ P @ lqr.B
    K_best = np.linalg.solve(G, lqr.gamma * lqr.B.T @ P @ lqr.A)
    Delta = K - lqr.optimal_gain()
    start = rng.normal(size=(15_000, 3)) @ np.linalg.cholesky(lqr.Sigma0).T
    shortfall = 0.0
    for weight, s, a in ex.simulate(lqr, K, start, rng):
        apart = a + s @ K_best.T
        shortfall = shortfall + weight * np.einsum("bi,ij,bj->b", apart, G, apart)
    return {
        "formula": np.trace(Delta.T @ G @ Delta @ lqr.Sigma(K)),
        "series": ex.run_return(lqr, K_best) - ex.run_return(lqr, K),
        "Monte Carlo": ex.estimate(shortfall),
    }
