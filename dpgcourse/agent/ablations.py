"""Chapter 9: DDPG with one of its mechanisms exchanged.

What only needs another number is no class: no target networks is τ = 1, no exploration noise is
σ = 0, no replay is a memory of one batch.
"""

import numpy as np
import torch

from dpgcourse.agent.config import DDPGConfig
from dpgcourse.agent.ddpg import DDPGAgent
from dpgcourse.agent.noise import OrnsteinUhlenbeckNoise
from dpgcourse.agent.seeding import Streams
from dpgcourse.gradient.chain_rule import Squash


class DriftingNoise(DDPGAgent):
    """Explores with Ornstein-Uhlenbeck noise of the same standard deviation, σ half-ranges."""

    theta = 0.15

    def __init__(
        self,
        config: DDPGConfig,
        state_dim: int,
        squash: Squash,
        streams: Streams,
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__(config, state_dim, squash, streams, dtype)
        kicks = np.sqrt(2 * self.theta) * self.noise.scale  # leads to that standard deviation
        self.noise = OrnsteinUhlenbeckNoise(kicks, streams.exploration, self.theta)


ABLATIONS = {"drifting-noise": DriftingNoise}
