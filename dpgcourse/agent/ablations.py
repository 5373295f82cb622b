"""Chapter 9: DDPG with one of its mechanisms exchanged.

What only needs another number is no class: no target networks is τ = 1, no exploration noise is
σ = 0, no replay is a memory of one batch.
"""

import numpy as np

from dpgcourse.agent.ddpg import DDPGAgent
from dpgcourse.agent.noise import OrnsteinUhlenbeckNoise


class DriftingNoise(DDPGAgent):
    """Explores with Ornstein-Uhlenbeck noise of the same standard deviation, σ half-ranges."""

    theta = 0.15

    def new_noise(self) -> OrnsteinUhlenbeckNoise:
        """Noise that drifts."""
        kicks = np.sqrt(2 * self.theta) * super().new_noise().scale  # leads to that deviation
        return OrnsteinUhlenbeckNoise(kicks, self.exploration, self.theta)


ABLATIONS = {"drifting-noise": DriftingNoise}
