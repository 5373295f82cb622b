"""Chapter 13: sanity checks, which find bugs that a learning curve hides.

A check trains an agent for a few hundred steps on a tiny task of `dpgcourse.envs.probe_tasks`. It
returns one number per seed. The right answer is known from a calculation by hand. The seeds are
``first``, ``first + 1`` and so on.

| check | right answer |
|---|---|
| `constant_reward_value` | 1/(1 − γ) = 10, since γ = 0.9 here |
| `random_sign_value` | 2 |
| `bandit_slope` | 1 |
| `bandit_slope_slow_targets` | 1 |
| `noise_correlation` | 0 |
"""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.faulty import FAULTY_AGENTS
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.loop import train

SETTINGS = {
    "gamma": 0.9,
    "actor_lr": 5e-3,
    "critic_lr": 5e-3,
    "hidden_sizes": (32, 32),
    "sigma": 0.2,
}


def _trained(env: str, agent_class, seeds: int, steps: int, first: int, **settings) -> DDPG:
    config = TrainConfig(
        env=env,
        algorithm=agent_class,
        num_seeds=seeds,
        first_seed=first,
        steps=steps,
        learning_starts=100,
        eval_every=steps,
        eval_episodes=1,
        agent=DDPGConfig(**{"tau": 0.1, **SETTINGS, **settings}),
    )
    return train(config).agent


def _value(agent: DDPG, s: float) -> np.ndarray:
    """Q(s, μ(s)) of each seed, (S,)."""
    state = np.full((agent.num_seeds, 1, 1), s)
    return agent.q(state, agent.policy(state))[:, 0]


def constant_reward_value(agent_class=DDPG, seeds=3, steps=700, first=0) -> np.ndarray:
    """The value that the agent gives to the only state, (S,); right is 1/(1 − γ) = 10."""
    return _value(_trained("ConstantReward-v0", agent_class, seeds, steps, first), 0.0)


def random_sign_value(agent_class=DDPG, seeds=3, steps=700, first=0) -> np.ndarray:
    """Half the difference of the values of the states 1 and −1, (S,); right is 2."""
    agent = _trained("RandomSign-v0", agent_class, seeds, steps, first)
    return (_value(agent, 1.0) - _value(agent, -1.0)) / 2


def bandit_slope(agent_class=DDPG, seeds=3, steps=700, first=0, tau=0.1) -> np.ndarray:
    """Slope of the executed action in the state of the contextual bandit, (S,); right is 1."""
    agent = _trained("ContextualBandit-v0", agent_class, seeds, steps, first, tau=tau)
    s = np.linspace(-0.9, 0.9, 19)
    a = agent.act(np.tile(s[:, None], (seeds, 1, 1)))[..., 0]  # (S, 19)
    return a @ s / (s @ s)


def bandit_slope_slow_targets(agent_class=DDPG, seeds=3, steps=700, first=0) -> np.ndarray:
    """`bandit_slope` with τ = 1e-6; every step is terminal, so targets never bootstrap."""
    return bandit_slope(agent_class, seeds, steps, first, tau=1e-6)


def noise_correlation(agent_class=DDPG, seeds=3, steps=700, first=0) -> np.ndarray:
    """Correlation of the noise on the two entries of an action, (S,); right is 0."""
    box = ActionBox([-1.0, -1.0], [1.0, 1.0])
    agent = agent_class(DDPGConfig(sigma=0.1), 1, box, random_streams(range(first, first + seeds)))
    s = np.zeros((seeds, 1))
    noise = np.stack([agent.explore(s) for _ in range(steps)])  # (steps, S, 2)
    return np.array([np.corrcoef(noise[:, row].T)[0, 1] for row in range(seeds)])


SANITY_CHECKS: dict[str, Callable[..., np.ndarray]] = {
    "constant_reward_value": constant_reward_value,
    "random_sign_value": random_sign_value,
    "bandit_slope": bandit_slope,
    "bandit_slope_slow_targets": bandit_slope_slow_targets,
    "noise_correlation": noise_correlation,
}
"""Every check by name."""


def write(path: str | Path, seeds: int = 10, first: int = 0) -> None:
    """Check the right agent and every faulty one: a row per agent and seed, a column per check."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("agent", "seed", *SANITY_CHECKS))
        for name, agent_class in {"ddpg": DDPG, **FAULTY_AGENTS}.items():
            found = [check(agent_class, seeds, first=first) for check in SANITY_CHECKS.values()]
            for seed, row in enumerate(zip(*found, strict=True), start=first):
                writer.writerow((name, seed, *(round(float(value), 4) for value in row)))


def read(path: str | Path) -> dict[str, dict[str, np.ndarray]]:
    """What `write` wrote: agent -> check -> one number per seed."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    agents = dict.fromkeys(row["agent"] for row in rows)
    return {
        agent: {
            check: np.array([float(row[check]) for row in rows if row["agent"] == agent])
            for check in SANITY_CHECKS
        }
        for agent in agents
    }
