"""Chapter 4: The actor step."""

import numpy as np
import torch
from torch import nn

from dpgcourse.agents.policy_gradient import ascend, policy_gradient
from dpgcourse.equation_checks.entry import entry
from dpgcourse.equation_checks.examples import autograd, smooth_composite, torch_ell
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.gradient.chain_rule import batch_gradient
from dpgcourse.gradient.composite import LinearActor
from dpgcourse.gradient.derivative_checks import central_difference, complex_step


def _networks(composite, u, w):
    """The actor and the critic of `smooth_composite` as torch modules."""
    linear = nn.Linear(3, 2, bias=False, dtype=torch.float64)
    actor = nn.Sequential(linear, nn.Tanh())
    with torch.no_grad():
        linear.weight.copy_(torch.tensor(u.reshape(2, 3)))
    alpha, beta, phi = (
        torch.tensor(getattr(composite.critic, x)) for x in ("alpha", "beta", "phi")
    )

    def critic(s, a):
        return torch.sin(s @ alpha.T + a @ beta.T + phi) @ torch.tensor(w)

    return actor, critic


@entry("eq-step-ascent", "rule", ascend, policy_gradient)
def step_up(rng):
    """The actor steps uphill: u moves by α times the gradient."""
    composite, s, u, w = smooth_composite(rng, batch=(5,))
    actor, critic = _networks(composite, u, w)
    alpha = rng.uniform(0.5, 2)
    uphill = policy_gradient(actor, critic, torch.tensor(s))
    ascend(actor, uphill, torch.optim.SGD(actor.parameters(), lr=alpha))

    def mean_ell(u):
        return composite.ell(s, u, w).mean()

    return {
        "formula": actor[0].weight.detach().numpy().ravel(),
        "autograd": u + alpha * autograd(lambda u: torch_ell(composite, s, u, w).mean(), u),
        "complex step": u + alpha * complex_step(mean_ell, u),
    }


@entry("eq-step-loss", "identity", batch_gradient)
def loss(rng):
    """The loss is the batch mean of −Q; to descend it is to ascend the mean of Q."""
    composite, s, u, w = smooth_composite(rng, batch=(5,))
    alpha = rng.uniform(0.5, 2)
    L = -composite.ell(s, u, w).mean()
    actor, critic = _networks(composite, u, w)
    optimizer = torch.optim.SGD(actor.parameters(), lr=alpha)
    to_descend = -critic(torch.tensor(s), actor(torch.tensor(s))).mean()
    to_descend.backward()
    optimizer.step()

    def by_hand(u):
        return sum(-composite.ell(s_i, u, w) for s_i in s) / 5

    return {
        "formula": [L, *(u + alpha * batch_gradient(composite, s, u, w))],
        "autograd": [to_descend.item(), *actor[0].weight.detach().numpy().ravel()],
        "complex step": [by_hand(u), *(u - alpha * complex_step(by_hand, u))],
    }


@entry("eq-step-two-factors", "theorem", policy_gradient)
def two_factors(rng):
    """The gradient of the batch mean of Q is the mean of Jᵀg, with g at the actor's actions."""
    composite, s, u, w = smooth_composite(rng, batch=(5,))
    actor, critic = _networks(composite, u, w)
    (slope,) = policy_gradient(actor, critic, torch.tensor(s))
    factors = [composite.factors(s_i, u, w) for s_i in s]
    return {
        "formula": slope.numpy().ravel(),
        "by hand": sum(J.T @ g for g, J in factors) / 5,
        "central differences": central_difference(lambda u: composite.ell(s, u, w).mean(), u),
        "autograd": autograd(lambda u: torch_ell(composite, s, u, w).mean(), u),
    }


@entry("eq-step-surrogate", "theorem", batch_gradient)
def surrogate(rng):
    """Half the squared distance to a target action that is held constant has the gradient of −Q."""
    composite, s, u, w = smooth_composite(rng, batch=(5,))
    mu, a = composite.actor.mu, composite.actor.mu(s, u)
    critic = composite.critic
    g = critic.dQ_da(s, a, w)
    held = a + complex_step(lambda d: critic.Q(s, a + d, w).sum(), np.zeros_like(a))

    def distance(u):
        return ((held - mu(s, u)) ** 2 / 2).sum(-1).mean()

    def in_torch(u):
        a = torch.tanh(torch.tensor(s) @ u.reshape(2, 3).T)
        return ((a + torch.tensor(g)).detach() - a).square().sum(-1).mean() / 2

    return {
        "formula": [(g**2).sum() / 2 / 5, *-batch_gradient(composite, s, u, w)],
        "central differences": [distance(u), *central_difference(distance, u)],
        "autograd": [in_torch(torch.tensor(u)).item(), *autograd(in_torch, u)],
    }


def _box(rng):
    low = rng.uniform(-3, -1, 2)
    high = low + rng.uniform(1, 4, 2)
    return low, high, ActionBox(low, high)


@entry("eq-step-squash", "definition", ActionBox.squash, ActionBox.center, ActionBox.half_range)
def squash(rng):
    """Actions are squashed into the box: its center plus half its range times tanh z."""
    low, high, box = _box(rng)
    z = rng.normal(size=2)
    e = np.exp(2 * z)
    return {
        "formula": np.concatenate([box.squash(z), box.center, box.half_range]),
        "by hand": [
            *((low[i] + high[i]) / 2 + (high[i] - low[i]) / 2 * np.tanh(z[i]) for i in range(2)),
            *((low[i] + high[i]) / 2 for i in range(2)),
            *((high[i] - low[i]) / 2 for i in range(2)),
        ],
        "closed form": np.concatenate(
            [(low + high * e) / (1 + e), low + (high - low) / 2, high - (low + high) / 2]
        ),
    }


@entry("eq-step-squash-slope", "theorem", ActionBox.da_dz)
def squash_slope(rng):
    """Squashing adds the factor H (1 − tanh² z) to each entry of the action gradient."""
    composite, s, u, w = smooth_composite(rng)
    low, high, box = _box(rng)
    critic, linear = composite.critic, LinearActor(3, 2)
    z = linear.mu(s, u)
    g = critic.dQ_da(s, box.squash(z), w)

    def ell(u):
        return critic.Q(s, box.squash(linear.mu(s, u)), w)

    def torch_action(z):
        return torch.tensor(low) + torch.tensor(high - low) * torch.sigmoid(2 * z)

    def in_torch(u):
        a = torch_action(u.reshape(2, 3) @ torch.tensor(s))
        phase = torch.tensor(critic.alpha @ s + critic.phi) + torch.tensor(critic.beta) @ a
        return torch.sin(phase) @ torch.tensor(w)

    return {
        "formula": np.concatenate([linear.da_du(s, u).T @ (box.da_dz(z) * g), box.da_dz(z)]),
        "central differences": np.concatenate(
            [central_difference(ell, u), central_difference(lambda z: box.squash(z).sum(), z)]
        ),
        "complex step": np.concatenate(
            [complex_step(ell, u), complex_step(lambda z: box.squash(z).sum(), z)]
        ),
        "autograd": np.concatenate(
            [autograd(in_torch, u), autograd(lambda z: torch_action(z).sum(), z)]
        ),
    }


@entry("eq-step-invert", "rule", ActionBox.inverting_gradients)
def invert(rng):
    """The action gradient is scaled by the share of the box that remains in its direction."""
    low, high, box = _box(rng)
    inside, outside = rng.uniform(low, high, size=(4, 2)), high + rng.uniform(0.1, 1, (1, 2))
    a = np.concatenate([inside, outside, 2 * low - outside])
    g = rng.uniform(0.5, 2, a.shape) * np.resize([[1, -1], [-1, 1]], a.shape)
    scaled = []
    for a_i, g_i in zip(a, g, strict=True):
        for j in range(2):
            room = high[j] - a_i[j] if g_i[j] > 0 else a_i[j] - low[j]
            scaled.append(room / (high[j] - low[j]) * g_i[j])
    return {"formula": box.inverting_gradients(g, a).ravel(), "by hand": scaled}
