"""Agent-steps per second: this package beside Stable-Baselines3 and a plain PyTorch loop.

Everybody trains DDPG on Pendulum-v1 with the same networks, batch and one update per step, on one
thread, in one process. The contenders take turns, round after round, so that whatever else the
machine does falls on all of them; every ratio is taken within a round. An agent-step is one
environment step of one agent with everything that belongs to it: exploration, environment,
replay and update. Steps before learning starts, evaluation and compilation are not in it.

    make bench
"""

import argparse
import logging
import statistics
import time
from collections.abc import Callable

import gymnasium as gym
import numpy as np
import torch
from stable_baselines3 import DDPG as PeerDDPG
from stable_baselines3.common.callbacks import BaseCallback

from benchmarks.plain_loop import train_plainly
from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.numpy_ddpg import NumpyDDPG
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.replay_buffer import ReplayBuffer
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training.loop import train

LEARNING_STARTS = 200
PEER = "Stable-Baselines3"


def ours(agent_class: type, seeds: int, compiled: bool = False) -> Callable[[int], float]:
    """A contender: the given agents through the package's own training loop."""

    def agent_steps_per_second(updates: int) -> float:
        times = []

        class Timed(agent_class):
            def update(self, batch):
                super().update(batch)
                times.append(time.perf_counter())

        # The first updates compile, or fill caches; they are not timed.
        steps = LEARNING_STARTS + 10 + updates
        train(
            algorithm=Timed,
            num_seeds=seeds,
            steps=steps,
            learning_starts=LEARNING_STARTS,
            eval_every=steps,
            eval_episodes=1,
            compile=compiled,
        )
        return seeds * updates / (times[-1] - times[-1 - updates])

    return agent_steps_per_second


class Stamps(BaseCallback):
    """Notes the time after every step of Stable-Baselines3."""

    def __init__(self):
        super().__init__()
        self.times = []

    def _on_step(self) -> bool:
        self.times.append(time.perf_counter())
        return True


def stable_baselines3(updates: int) -> float:
    """The peer, with the settings of `DDPGConfig` where it has them."""
    config, stamps = DDPGConfig(), Stamps()
    model = PeerDDPG(
        "MlpPolicy",
        "Pendulum-v1",
        learning_rate=config.critic_lr,
        batch_size=config.batch_size,
        gamma=config.gamma,
        tau=config.tau,
        learning_starts=LEARNING_STARTS,
        train_freq=1,
        gradient_steps=1,
        policy_kwargs={"net_arch": list(config.hidden_sizes)},
        device="cpu",
        seed=0,
    )
    model.learn(LEARNING_STARTS + 10 + updates, callback=stamps)
    return updates / (stamps.times[-1] - stamps.times[-1 - updates])


def plain_loop(updates: int) -> float:
    """A single file of eager PyTorch, one environment, one agent."""
    times = train_plainly(gym.make("Pendulum-v1"), DDPGConfig(), LEARNING_STARTS, 10 + updates)
    return updates / (times[-1] - times[-1 - updates])


def product_ms(S: int, B: int, width: int, numpy: bool = False) -> float:
    """Milliseconds of S products (B, width) @ (width, width), the best of many."""
    x, W = torch.randn(S, B, width), torch.randn(S, width, width)
    if numpy:
        x, W = x.numpy(), W.numpy()
    times = []
    for _ in range(200):
        start = time.perf_counter()
        x @ W
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


# Products of (B, width) and (width, width) in one update: forward through both targets, forward
# and twice backward for the critic, and forward, forward, backward, twice backward for the actor.
PRODUCTS = 2 + 3 + 5


def update_against_matmul(width: int, B: int) -> tuple[float, float]:
    """Milliseconds of one compiled update of one agent, and of its square matrix products."""
    config = DDPGConfig(hidden_sizes=(width, width), batch_size=B)
    rngs, rng = random_streams([0]), np.random.default_rng(0)
    agent = DDPG(config, 3, ActionBox([-2.0], [2.0]), rngs)
    agent.compile()
    replay = ReplayBuffer(1000, 3, 1, rngs.replay)
    for _ in range(1000):
        shapes = ((1, 3), (1, 1), 1, (1, 3))
        replay.add(*(rng.normal(size=shape) for shape in shapes), np.zeros(1))
    batch, updates, products = replay.sample(B), [], []
    for _ in range(300):
        start = time.perf_counter()
        agent.update(batch)
        updates.append(time.perf_counter() - start)
        if len(updates) % 100 == 0:
            products.append(PRODUCTS * product_ms(1, B, width))
    return 1e3 * statistics.median(updates[20:]), statistics.median(products)


def main() -> None:
    """Run all contenders in turns and print the ratios to the peer."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="turns of every contender")
    parser.add_argument("--updates", type=int, default=1000, help="timed updates in a turn")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    logging.getLogger("torch._logging").setLevel(logging.ERROR)

    contenders = {
        PEER: stable_baselines3,
        "plain PyTorch loop": plain_loop,
        "torch, 1 seed": ours(DDPG, 1),
        "torch, 10 seeds": ours(DDPG, 10),
        "torch, 10 seeds, compiled": ours(DDPG, 10, compiled=True),
        "NumPy, 1 seed": ours(NumpyDDPG, 1),
        "NumPy, 10 seeds": ours(NumpyDDPG, 10),
    }
    rounds = []
    for i in range(arguments.rounds):
        rounds.append({name: run(arguments.updates) for name, run in contenders.items()})
        print(f"round {i + 1} of {arguments.rounds}", flush=True)

    print(f"\n{'':28}{'steps/s':>9}{'ratio to ' + PEER:>30}{'lowest':>9}{'highest':>9}")
    for name in contenders:
        rates = [turn[name] for turn in rounds]
        ratios = [turn[name] / turn[PEER] for turn in rounds]
        print(
            f"{name:28}{statistics.median(rates):9.0f}{statistics.median(ratios):30.2f}"
            f"{min(ratios):9.2f}{max(ratios):9.2f}"
        )
    # Both use a library for matrix products that was written for some processors more than others.
    rates = {
        name: 10 * 2 * 64**3 / product_ms(10, 64, 64, numpy) / 1e6
        for name, numpy in (("torch", False), ("NumPy", True))
    }
    listed = ", ".join(f"{name} {rate:.0f} GFLOP/s" for name, rate in rates.items())
    print(f"\nten products of 64×64 matrices: {listed}")
    for width, B in ((64, 64), (256, 256)):
        update, products = update_against_matmul(width, B)
        print(
            f"\none compiled update, {width}×{width}, batch {B}: {update:.2f} ms, "
            f"{update / products:.2f} times its {PRODUCTS} square matrix products"
        )


if __name__ == "__main__":
    main()
