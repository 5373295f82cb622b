"""Chapter 15: A real task."""

import numpy as np
import torch

from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.normalization import NormalizedObservations
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.equation_checks.entry import entry
from dpgcourse.gradient.action_box import ActionBox

LOW, HIGH = np.array([-3.0, -1.0, 0.0]), np.array([3.0, 2.0, 0.5])


def _agent(rng) -> DDPG:
    """An agent with four state entries and three action entries."""
    streams = random_streams([int(rng.integers(1000))])
    return DDPG(DDPGConfig(hidden_sizes=(8,)), 4, ActionBox(LOW, HIGH), streams, torch.float64)


@entry("eq-real-end", "theorem")
def end(rng):
    """With a reward of 1 per step and n steps to go, the value is (1 − γⁿ)/(1 − γ)."""
    gamma, n = rng.uniform(0.5, 0.99), int(rng.integers(1, 60))
    value = 0.0
    for _ in range(n):
        value = 1 + gamma * value
    return {
        "formula": (1 - gamma**n) / (1 - gamma),
        "series": sum(gamma**k for k in range(n)),
        "by hand": value,
    }


@entry("eq-real-slopes", "theorem", ActionBox.da_dz)
def slopes(rng):
    """The gradient of Q over u adds a term for each action entry, with its own half-range."""
    agent = _agent(rng)
    actor = agent.actor
    (u,) = actor.parameters()
    s = torch.tensor(rng.normal(size=(1, 1, 4)))
    with torch.no_grad():
        u.add_(0.3 * torch.tensor(rng.normal(size=u.shape)))  # away from the small last layer
    unit = (actor(s) - actor.center) / actor.half_range
    z = torch.atanh(unit)
    a = actor(s).detach().requires_grad_()
    (g,) = torch.autograd.grad(agent.critic(s, a).sum(), a)
    factor = agent.box.da_dz(z.detach().numpy())[0, 0]
    rows = [torch.autograd.grad(z[..., j].sum(), u, retain_graph=True)[0] for j in range(3)]
    (whole,) = torch.autograd.grad(agent.critic(s, actor(s)).sum(), u)
    terms = [g[0, 0, j].item() * factor[j] * rows[j].numpy() for j in range(3)]
    return {"formula": sum(terms), "autograd": whole.numpy()}


@entry("eq-real-normalize", "definition", NormalizedObservations.normalize)
def normalize(rng):
    """A state is scaled by the mean and the standard deviation of those met before, up to ±10."""
    agent = NormalizedObservations(_agent(rng))
    met = rng.normal(1, 1, size=(30, 4)) * [0.01, 0.1, 1, 10]
    for s in met:
        agent.observe(s[None])
    new = rng.normal(1, 8, size=(6, 4)) * [0.01, 0.1, 1, 10]
    mean = met.sum(0) / 30
    deviation = np.sqrt(((met - mean) ** 2).sum(0) / 30)
    return {
        "formula": agent.normalize(new[None])[0],
        "by hand": np.maximum(np.minimum((new - mean) / deviation, 10), -10),
    }
