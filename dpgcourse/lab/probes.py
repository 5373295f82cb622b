"""Chapter 12: tiny tasks whose answers are known, to show what learning curves do not show.

A probe trains an agent for a few hundred steps and returns one number per seed, to be held against
a number found with pencil and paper. The seeds are ``first``, ``first + 1`` and so on.

| probe | right answer |
|---|---|
| `constant_reward` | 1/(1 − γ) = 10 |
| `coin` | 2 |
| `aim` | 1 |
| `aim_slow_targets` | 1 |
| `noise_correlation` | 0 |
"""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import gymnasium as gym
import numpy as np
import torch

from dpgcourse.agent.bugs import BUGS
from dpgcourse.agent.config import DDPGConfig
from dpgcourse.agent.ddpg import DDPGAgent
from dpgcourse.agent.seeding import streams
from dpgcourse.gradient.chain_rule import Squash
from dpgcourse.lab.train import TrainConfig, train

SETTINGS = {"gamma": 0.9, "actor_lr": 5e-3, "critic_lr": 5e-3, "hidden": (32, 32), "sigma": 0.2}


class ConstantReward(gym.Env):
    """One state, reward 1 at every step, no end; registered with a time limit of 5 steps.

    Every value is 1 + γ + γ² + … = 1/(1 − γ), whatever the actions are.
    """

    metadata: ClassVar = {"render_modes": []}
    observation_space = gym.spaces.Box(-1.0, 1.0, (1,), np.float64)
    action_space = gym.spaces.Box(-1.0, 1.0, (1,))

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Start, in the only state."""
        super().reset(seed=seed)
        return np.zeros(1), {}

    def step(self, action):
        """Stay, and earn 1."""
        return np.zeros(1), 1.0, False, False, {}


class Coin(ConstantReward):
    """From state 0 a fair coin leads to state 1 or −1; there the reward is twice the state.

    Then the task ends. Actions do nothing. The values are 0, 2 and −2.
    """

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Start in state 0."""
        self.state = 0
        return super().reset(seed=seed)

    def step(self, action):
        """Toss, or collect."""
        if self.state:
            return np.zeros(1), 2.0 * self.state, True, False, {}
        self.state = int(self.np_random.choice((-1, 1)))
        return np.array([self.state], dtype=float), 0.0, False, False, {}


class Aim(ConstantReward):
    """One step: the state s is uniform on [−1, 1], the reward −(a − s)², the box −2 to 2.

    The best policy is a = s.
    """

    action_space = gym.spaces.Box(-2.0, 2.0, (1,))

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Draw the state."""
        super().reset(seed=seed)
        self.state = self.np_random.uniform(-1, 1, size=1)
        return self.state.copy(), {}

    def step(self, action):
        """Pay for the distance, and end."""
        a = np.clip(action, -2, 2)
        return self.state.copy(), -float(np.sum((a - self.state) ** 2)), True, False, {}


def register() -> None:
    """Make the probes known to Gymnasium."""
    for name, entry, limit in (
        ("ConstantReward-v0", ConstantReward, 5),
        ("Coin-v0", Coin, None),
        ("Aim-v0", Aim, None),
    ):
        if name not in gym.registry:
            gym.register(name, entry_point=entry, max_episode_steps=limit)


register()


def _trained(env: str, agent_class, seeds: int, steps: int, first: int, **settings) -> DDPGAgent:
    config = TrainConfig(
        env=env,
        seeds=seeds,
        first_seed=first,
        steps=steps,
        warmup=100,
        eval_every=steps,
        eval_episodes=1,
        agent=DDPGConfig(**{"tau": 0.1, **SETTINGS, **settings}),
    )
    return train(config, agent_class=agent_class).agent


@torch.no_grad()
def _value(agent: DDPGAgent, s: float) -> np.ndarray:
    """Q(s, μ(s)) of each seed, (S,)."""
    state = torch.full((len(agent.exploration), 1, 1), s)
    return agent.critic(state, agent.actor(state))[:, 0].numpy()


def constant_reward(agent_class=DDPGAgent, seeds=3, steps=700, first=0) -> np.ndarray:
    """The value that the agent gives to the only state, (S,); right is 1/(1 − γ) = 10."""
    return _value(_trained("ConstantReward-v0", agent_class, seeds, steps, first), 0.0)


def coin(agent_class=DDPGAgent, seeds=3, steps=700, first=0) -> np.ndarray:
    """Half of what separates the state that pays 2 from the one that costs 2, (S,); right is 2."""
    agent = _trained("Coin-v0", agent_class, seeds, steps, first)
    return (_value(agent, 1.0) - _value(agent, -1.0)) / 2


def aim(agent_class=DDPGAgent, seeds=3, steps=700, first=0, tau=0.1) -> np.ndarray:
    """Slope of the executed action in the state, (S,); right is 1."""
    agent = _trained("Aim-v0", agent_class, seeds, steps, first, tau=tau)
    s = np.linspace(-0.9, 0.9, 19)
    a = agent.act(np.tile(s[:, None], (seeds, 1, 1)))[..., 0]  # (S, 19)
    return a @ s / (s @ s)


def aim_slow_targets(agent_class=DDPGAgent, seeds=3, steps=700, first=0) -> np.ndarray:
    """`aim` with targets that hardly move, which no target of a last step needs; right is 1."""
    return aim(agent_class, seeds, steps, first, tau=1e-6)


def noise_correlation(agent_class=DDPGAgent, seeds=3, steps=700, first=0) -> np.ndarray:
    """Correlation of the noise on the two entries of an action, (S,); right is 0."""
    box = Squash([-1.0, -1.0], [1.0, 1.0])
    agent = agent_class(DDPGConfig(sigma=0.1), 1, box, streams(range(first, first + seeds)))
    s = np.zeros((seeds, 1))
    noise = np.stack([agent.explore(s) for _ in range(steps)])  # (steps, S, 2)
    return np.array([np.corrcoef(noise[:, row].T)[0, 1] for row in range(seeds)])


PROBES: dict[str, Callable[..., np.ndarray]] = {
    "constant_reward": constant_reward,
    "coin": coin,
    "aim": aim,
    "aim_slow_targets": aim_slow_targets,
    "noise_correlation": noise_correlation,
}
"""Every probe by name."""


def write(path: Path, seeds: int = 10, first: int = 0) -> None:
    """Probe the right agent and every bug: a row per agent and seed, a column per probe."""
    torch.set_num_threads(1)
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("agent", "seed", *PROBES))
        for name, agent_class in {"ddpg": DDPGAgent, **BUGS}.items():
            found = [probe(agent_class, seeds, first=first) for probe in PROBES.values()]
            for seed, row in enumerate(zip(*found, strict=True), start=first):
                writer.writerow((name, seed, *(round(float(value), 4) for value in row)))


def read(path: Path) -> dict[str, dict[str, np.ndarray]]:
    """What `write` wrote: agent -> probe -> one number per seed."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    agents = dict.fromkeys(row["agent"] for row in rows)
    return {
        agent: {
            probe: np.array([float(row[probe]) for row in rows if row["agent"] == agent])
            for probe in PROBES
        }
        for agent in agents
    }
