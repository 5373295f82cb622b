"""Chapter 11: DDPG on LQR-v0 with the one actor whose return and gradient are known exactly.

The actor is linear, a = −Ks, with the gain K as its parameters; all else is chapter 11's agent,
critic network included. So at every moment `dpgcourse.theory.lqr` gives the true return of the
policy and the true gradient, and the agent's own gradient can be held against it.

| column | is |
|---|---|
| ``seed``, ``step`` | which agent, and when |
| ``K0``, ``K1`` | its gain |
| ``gap`` | J* − J(K), exact |
| ``angle`` | degrees between the gradient that the agent follows and the exact one |
| ``memory_angle`` | the same with the exact ∇_aQ in the critic's place: the states alone |
"""

import csv
import json
from collections import deque
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dpgcourse.agents.batch import Batch
from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.policy_gradient import policy_gradient
from dpgcourse.envs.lqr import CART, FORCE
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.description import describe
from dpgcourse.training.loop import train

KEPT = 16  # batches whose states judge the gradient


class LinearActor(nn.Module):
    """The policy a = −Ks, one gain per seed, which starts with ones: chapter 7's K = (1, 1)."""

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype):
        super().__init__()
        self.K = nn.Parameter(torch.ones(shape, dtype=dtype))  # (S, m, d)

    def forward(self, s: Tensor) -> Tensor:
        """Map states (S, B, d) to actions (S, B, m); the environment clips them."""
        return -s @ self.K.mT


class LinearDDPG(DDPG):
    """DDPG with a linear actor; its first random actions are exploration noise alone."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.states: deque[Tensor] = deque(maxlen=KEPT)  # of the latest batches

    def make_actor(self) -> LinearActor:
        """The gain (1, 1) for every seed."""
        return LinearActor((self.num_seeds, self.action_dim, self.state_dim), self.dtype)

    def random_action(self) -> np.ndarray:
        """Noise (S, m) around 0: uniform draws from the wide box would throw the cart far out."""
        return np.clip(self.noise(), self.box.low, self.box.high)

    def update(self, batch: Batch) -> None:
        """One pass through the algorithm box; the states are kept for the measurement."""
        self.states.append(self.tensor(batch.s))
        super().update(batch)


CONFIG = TrainConfig(
    env="LQR-v0",
    algorithm=LinearDDPG,
    num_seeds=10,
    steps=16_000,
    learning_starts=500,
    eval_every=500,
    eval_episodes=1,
    agent=DDPGConfig(sigma=3 / FORCE, tau=0.02, actor_lr=3e-4, critic_lr=3e-3),
)


def measure(agent: LinearDDPG) -> dict[str, np.ndarray]:
    """The columns ``K0``, ``K1``, ``gap``, ``angle`` and ``memory_angle`` of a moment, (S,) each.

    Raises:
        UnstableGainError: a gain with which no return exists.
    """
    s = torch.cat(tuple(agent.states), dim=1)  # (S, 16 B, d)
    (sampled,) = policy_gradient(agent.actor, agent.critic, s)
    gains, s = agent.actor.K.detach().numpy().astype(float), s.numpy().astype(float)
    exact = np.stack([CART.dJ_dK(K) for K in gains])
    g = np.stack([CART.dQ_da(K, x, -x @ K.T) for K, x in zip(gains, s, strict=True)])
    best = CART.J(CART.optimal_gain())
    return {
        "K0": gains[:, 0, 0],
        "K1": gains[:, 0, 1],
        "gap": np.array([best - CART.J(K) for K in gains]),
        "angle": angle(sampled.numpy(), exact),
        "memory_angle": angle(-(g.mT @ s), exact),  # Σ Jᵀg in the layout of K is −Σ g sᵀ
    }


def angle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Degrees between matrices, each (S, m, d), read as vectors: (S,)."""
    length = np.linalg.norm(x, axis=(1, 2)) * np.linalg.norm(y, axis=(1, 2))
    return np.degrees(np.arccos(np.clip((x * y).sum((1, 2)) / length, -1, 1)))


def run(config: TrainConfig = CONFIG, progress: bool = False) -> tuple[np.ndarray, dict]:
    """Train, and measure at every evaluation after the first updates.

    Returns:
        Steps (k,), and the columns (k, S) each.

    Raises:
        UnstableGainError: an agent has left the stability region at an evaluation.
    """
    steps, rows = [], []

    def look(report):
        if report.agent.states:
            steps.append(report.step)
            rows.append(measure(report.agent))

    train(config, callback=look, progress=progress)
    return np.array(steps), {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def write(folder: Path, config: TrainConfig = CONFIG, progress: bool = False) -> None:
    """Train; write ``linear-actor.csv``, a row per seed and evaluation, and the settings."""
    steps, columns = run(config, progress)
    settings = json.dumps(describe(config) | {"algorithm": "linear_actor.py:LinearDDPG"}, indent=2)
    (folder / "linear-actor.json").write_text(settings + "\n", encoding="utf-8")
    with open(folder / "linear-actor.csv", "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("seed", "step", *columns))
        for i, seed in enumerate(config.seeds):
            for k, step in enumerate(steps):
                rows.writerow((seed, step, *(f"{x[k, i]:.9g}" for x in columns.values())))


if __name__ == "__main__":
    write(Path(__file__).parent, progress=True)
