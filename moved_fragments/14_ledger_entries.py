"""Proposed entries for the equations that are new in chapter 14.

They go into dpgcourse/equation_checks/ch14_beyond.py, which has `_layers`, `_forward` and all other
imports but those of the next four lines from the package.
"""

import copy

import numpy as np
import torch
from scipy import stats

from dpgcourse.agents.batch import Batch
from dpgcourse.agents.config import DDPGConfig, SACConfig
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.n_step import NStepReplayBuffer
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.sac import SAC
from dpgcourse.equation_checks.ch14_beyond import _forward, _layers
from dpgcourse.equation_checks.entry import entry
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.gradient.derivative_checks import central_difference


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
    drawn = buffer.sample(30)
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
    s, s_next, r, end = rng.normal(size=(B, 3)), rng.normal(size=(B, 3)), rng.normal(size=B), [0, 1]
    end = np.tile(np.array(end, dtype=float), B // 2)
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
