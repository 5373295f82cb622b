"""Chapter 10: DDPG by hand."""

from itertools import pairwise

import numpy as np
import torch

from dpgcourse.agents.batch import Batch
from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.numpy_ddpg import Actor, Critic, NumpyDDPG
from dpgcourse.agents.optim import Adam, polyak_update
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.equation_checks.entry import entry
from dpgcourse.equation_checks.examples import autograd
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.gradient.derivative_checks import central_difference
from dpgcourse.gradient.network import MLP

LOW, HIGH = np.array([-2.0, 0.5]), np.array([4.0, 1.5])
SIZES = (3, 5, 4, 2)


def _forward(theta, sizes, x):
    """The network anew, for arrays and tensors: theta flat, x (B, in)."""
    start = 0
    for k, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        end = start + fan_in * fan_out
        x = x @ theta[start:end].reshape(fan_in, fan_out) + theta[end : end + fan_out]
        x = x * (x > 0) if k < len(sizes) - 2 else x
        start = end + fan_out
    return x


def _agent(rng, d=3, hidden=(5, 4), **settings):
    """An agent of one seed, away from its start, with targets that lag behind its networks."""
    config = DDPGConfig(hidden_sizes=hidden, **settings)
    agent = NumpyDDPG(config, d, ActionBox(LOW, HIGH), random_streams([0]), "float64")
    for net in (agent.actor, agent.critic, agent.actor_target, agent.critic_target):
        net.theta += 0.5 * rng.normal(size=net.theta.shape)
    return agent


def _batch(rng, B=6, d=3):
    """Transitions with the axis of one seed, of which every other one ends the task."""
    s, s_next = rng.normal(size=(2, 1, B, d))
    ended = np.arange(B)[None] % 2.0
    return Batch(s, rng.uniform(LOW, HIGH, (1, B, 2)), rng.normal(size=(1, B)), s_next, ended)


@entry("eq-hand-forward", "definition", MLP.forward)
def forward(rng):
    """Every layer is an affine map with a ReLU behind it; the last one has no ReLU."""
    mlp, x = MLP(SIZES), rng.normal(size=(6, 3))
    params = [(rng.normal(size=W.shape), rng.normal(size=b.shape)) for W, b in mlp.init(rng)]
    output, (_, *hidden) = mlp.forward(params, x)
    by_hand = []
    for k, (W, b) in enumerate(params):
        z = [[sum(row * column) + c for column, c in zip(W.T, b, strict=True)] for row in x]
        x = np.array([[v if v > 0 or k == 2 else 0.0 for v in row] for row in z])
        by_hand.append(x.ravel())
    return {
        "formula": np.concatenate([h.ravel() for h in (*hidden, output)]),
        "by hand": np.concatenate(by_hand),
    }


@entry("eq-hand-back", "theorem", MLP.parameter_gradient, MLP.input_gradient)
def back(rng):
    """Backpropagation of a gradient at the output, to the parameters and to the input."""
    mlp, x, G = MLP(SIZES), rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
    theta = rng.normal(size=mlp.n)
    params = mlp.unflatten(theta)
    _, inputs = mlp.forward(params, x)

    def ell(point):
        weight = G if isinstance(point, np.ndarray) else torch.tensor(G)
        return (_forward(point[18:], SIZES, point[:18].reshape(6, 3)) * weight).sum()

    to_x, to_theta = (
        mlp.input_gradient(params, inputs, G),
        mlp.parameter_gradient(params, inputs, G),
    )
    point = np.concatenate([x.ravel(), theta])
    return {
        "formula": np.concatenate([to_x.ravel(), to_theta]),
        "central differences": central_difference(ell, point),
        "autograd": autograd(ell, point),
    }


@entry("eq-hand-critic-gradient", "theorem", Critic.vjp)
def critic_gradient(rng):
    """The critic's gradient is −2δ/B pulled back to w; the target y is a constant."""
    agent, batch, y = _agent(rng), _batch(rng), rng.normal(size=(1, 6))
    q, trace = agent.critic.Q(batch.s, batch.a)
    x = np.concatenate([batch.s[0], batch.a[0]], axis=1)

    def loss(w):
        x_in, target = (x, y[0]) if isinstance(w, np.ndarray) else map(torch.tensor, (x, y[0]))
        return ((target - _forward(w, (5, 5, 4, 1), x_in)[:, 0]) ** 2).mean()

    w = agent.critic.theta[0]
    return {
        "formula": agent.critic.vjp(trace, -2 * (y - q) / 6)[0],
        "central differences": central_difference(loss, w),
        "autograd": autograd(loss, w),
    }


@entry("eq-hand-actor-gradient", "theorem", Critic.dQ_da, Actor.vjp)
def actor_gradient(rng):
    """The actor's gradient is ∇_aQ/B at the actor's own actions, pulled back to u."""
    agent, (s, *_) = _agent(rng), _batch(rng)
    a, trace = agent.actor.mu(s)
    g = agent.critic.dQ_da(s, a)
    w = agent.critic.theta[0]

    def value(u):
        z = _forward(u, SIZES, s[0])
        a = (HIGH + LOW) / 2 + (HIGH - LOW) / 2 * np.tanh(z)
        return _forward(w, (5, 5, 4, 1), np.concatenate([s[0], a], axis=1)).mean()

    def torch_value(u):
        low, high, s_in, w_in = map(torch.tensor, (LOW, HIGH, s[0], w))
        a = (high + low) / 2 + (high - low) / 2 * torch.tanh(_forward(u, SIZES, s_in))
        return _forward(w_in, (5, 5, 4, 1), torch.cat([s_in, a], dim=1)).mean()

    u = agent.actor.theta[0]
    return {
        "formula": agent.actor.vjp(trace, g / 6)[0],
        "central differences": central_difference(value, u),
        "autograd": autograd(torch_value, u),
    }


@entry("eq-hand-adam", "rule", Adam.descend)
def adam(rng):
    """Adam's step is the mean gradient over the root of the mean square, both bias-corrected."""
    gradients, theta = rng.normal(size=(7, 4)), np.ones(4)
    optimizer, M, S, by_hand, by_sums = Adam(0.1), [0.0] * 4, [0.0] * 4, [1.0] * 4, np.ones(4)
    for t, gradient in enumerate(gradients, start=1):
        for j in range(4):
            M[j] = 0.9 * M[j] + 0.1 * gradient[j]
            S[j] = 0.999 * S[j] + 0.001 * gradient[j] ** 2
            root = (S[j] / (1 - 0.999**t)) ** 0.5
            by_hand[j] -= 0.1 * M[j] / (1 - 0.9**t) / (root + 1e-8)
        ages = np.arange(t)[::-1]
        means = [
            np.average(gradients[:t] ** power, axis=0, weights=beta**ages)
            for power, beta in ((1, 0.9), (2, 0.999))
        ]
        by_sums -= 0.1 * means[0] / (np.sqrt(means[1]) + 1e-8)
        optimizer.descend(theta, gradient.copy())
    return {"formula": theta, "by hand": by_hand, "series": by_sums}


@entry("eq-hand-bias", "identity")
def bias(rng):
    """After t steps the weights of the gradients in M add up to 1 − β^t."""
    gradients, beta, t = rng.normal(size=(6, 4)), rng.uniform(0.5, 0.95), 6
    M, ones = np.zeros(4), 0.0
    for gradient in gradients:
        M, ones = beta * M + (1 - beta) * gradient, beta * ones + (1 - beta)
    weights = (1 - beta) * beta ** (t - np.arange(1, t + 1))
    return {
        "formula": [*(weights @ gradients), 1 - beta**t],
        "simulation": [*M, ones],
        "series": [*M, weights.sum()],
    }


@entry("eq-hand-polyak", "rule", polyak_update)
def polyak(rng):
    """Both target networks move the share τ of the way to the networks that learn."""
    agent = _agent(rng, tau=0.3)
    pairs = [(agent.critic, agent.critic_target), (agent.actor, agent.actor_target)]
    before = [(fast.theta[0].copy(), slow.theta[0].copy()) for fast, slow in pairs]
    agent.update_targets()
    return {
        "formula": np.concatenate([slow.theta[0] for _, slow in pairs]),
        "by hand": [0.3 * x + 0.7 * y for one in before for x, y in zip(*one, strict=True)],
    }


class _Counted(np.ndarray):
    """An array that counts the multiplications of matrix products, its own and its results'."""

    total = 0

    def __array_ufunc__(self, ufunc, method, *inputs, out=(), **kwargs):
        plain = [np.asarray(x) for x in inputs]
        left, right = (x.shape for x in plain[:2]) if len(plain) == 2 else ((), ())
        sums_over_the_batch = left[-2:-1] == (1,)  # by a row of ones
        column_times_row = ufunc is np.multiply and left[-1:] == (1,) and right[-2:-1] == (1,)
        if column_times_row or (ufunc is np.matmul and not sums_over_the_batch):
            _Counted.total += plain[0].size * right[-1]
        if out:
            kwargs["out"] = tuple(np.asarray(x) for x in out)
        result = getattr(ufunc, method)(*plain, **kwargs)
        return out[0] if out else np.asarray(result).view(_Counted)


@entry("eq-hand-count", "identity")
def count(rng):
    """The multiplications in the matrix products of one update: five passes forward, three back."""
    d, B, *hidden = (int(x) for x in rng.integers(2, 12, size=4))
    agent, batch = _agent(rng, d=d, hidden=tuple(hidden)), _batch(rng, B=B, d=d)
    for net in (agent.actor, agent.critic, agent.actor_target, agent.critic_target):
        net._layers = [(W.view(_Counted), b) for W, b in net.layers]
    _Counted.total = 0
    agent.update(batch)
    of_actor, of_critic = (
        [fan_in * fan_out for fan_in, fan_out in pairwise(sizes)]
        for sizes in ((d, *hidden, 2), (d + 2, *hidden, 1))
    )
    first = of_actor[0] + of_critic[0]
    return {
        "formula": B * (4.0 * sum(of_actor) + 6 * sum(of_critic) - first),
        "simulation": float(_Counted.total),
    }
