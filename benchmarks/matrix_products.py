"""How fast the libraries of torch and of NumPy multiply matrices, and what an update needs."""

import statistics
import time

import numpy as np
import torch

from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.replay_buffer import ReplayBuffer
from dpgcourse.gradient.action_box import ActionBox

# Products of (B, width) and (width, width) in one update: forward through both targets, forward
# and twice backward for the critic, and forward, forward, backward, twice backward for the actor.
PRODUCTS = 2 + 3 + 5


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


def print_matrix_products() -> None:
    """Print the rates of both libraries, and compiled updates in units of their products."""
    for S, width in ((10, 64), (1, 256)):
        flops = S * 2 * width**3
        listed = ", ".join(
            f"{name} {flops / product_ms(S, width, width, numpy) / 1e6:.0f} GFLOP/s"
            for name, numpy in (("torch", False), ("NumPy", True))
        )
        print(f"\n{S} products of {width}×{width} matrices: {listed}")
    for width, B in ((64, 64), (256, 256)):
        update, products = update_against_matmul(width, B)
        print(
            f"\none compiled update, {width}×{width}, batch {B}: {update:.2f} ms, "
            f"{update / products:.2f} times its {PRODUCTS} square matrix products"
        )
