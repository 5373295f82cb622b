"""DDPG in the style of single-file implementations: eager PyTorch, one agent, no abstractions."""

import copy
import time

import gymnasium as gym
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from dpgcourse.agents.config import DDPGConfig


def mlp(inputs: int, hidden: tuple[int, ...], outputs: int) -> nn.Sequential:
    """Affine layers with ReLU between them."""
    layers, width = [], inputs
    for units in hidden:
        layers += [nn.Linear(width, units), nn.ReLU()]
        width = units
    return nn.Sequential(*layers, nn.Linear(width, outputs))


def train_plainly(
    env: gym.Env, config: DDPGConfig, learning_starts: int, updates: int
) -> list[float]:
    """Train one agent; the time after each update, in seconds."""
    (d,), (m,) = env.observation_space.shape, env.action_space.shape
    scale = torch.tensor(env.action_space.high)
    actor = nn.Sequential(mlp(d, config.hidden_sizes, m), nn.Tanh())
    critic = mlp(d + m, config.hidden_sizes, 1)
    actor_target, critic_target = copy.deepcopy(actor), copy.deepcopy(critic)
    actor_optimizer = torch.optim.Adam(actor.parameters(), lr=config.actor_lr)
    critic_optimizer = torch.optim.Adam(critic.parameters(), lr=config.critic_lr)
    rng = np.random.default_rng(0)

    size = learning_starts + updates
    states, next_states = np.zeros((2, size, d), dtype=np.float32)
    actions = np.zeros((size, m), dtype=np.float32)
    rewards, terminals = np.zeros((2, size, 1), dtype=np.float32)
    times = []
    s, _ = env.reset(seed=0)
    for t in range(size):
        if t < learning_starts:
            a = env.action_space.sample()
        else:
            with torch.no_grad():
                a = (actor(torch.as_tensor(s, dtype=torch.float32)) * scale).numpy()
            a = a + rng.normal(scale=config.sigma * scale.numpy(), size=m)
            a = np.clip(a, env.action_space.low, env.action_space.high).astype(np.float32)
        s_next, r, terminated, truncated, _ = env.step(a)
        states[t], actions[t], rewards[t] = s, a, r
        next_states[t], terminals[t] = s_next, terminated
        s = env.reset()[0] if terminated or truncated else s_next
        if t < learning_starts:
            continue

        index = rng.integers(t + 1, size=config.batch_size)
        batch = [
            torch.as_tensor(x[index]) for x in (states, actions, rewards, next_states, terminals)
        ]
        s_b, a_b, r_b, s_next_b, terminated_b = batch
        with torch.no_grad():
            a_next = actor_target(s_next_b) * scale
            q_next = critic_target(torch.cat([s_next_b, a_next], 1))
            y = r_b + config.gamma * (1 - terminated_b) * q_next
        critic_loss = F.mse_loss(critic(torch.cat([s_b, a_b], 1)), y)
        critic_optimizer.zero_grad()
        critic_loss.backward()
        critic_optimizer.step()

        actor_loss = -critic(torch.cat([s_b, actor(s_b) * scale], 1)).mean()
        actor_optimizer.zero_grad()
        actor_loss.backward()
        actor_optimizer.step()

        with torch.no_grad():
            for target, source in ((actor_target, actor), (critic_target, critic)):
                for slow, fast in zip(target.parameters(), source.parameters(), strict=True):
                    slow.copy_(config.tau * fast + (1 - config.tau) * slow)
        times.append(time.perf_counter())
    return times
