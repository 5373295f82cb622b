"""Chapter 11: how an agent acts while it gathers experience."""

import numpy as np

from dpgcourse.agent.noise import GaussianNoise


class Behavior:
    """Actions for the replay: random ones for the warm-up, then the policy's with noise.

    A subclass offers ``act``, the noiseless policy; ``noise``, made by `new_noise` and called for
    the noise of one step; ``config``; ``squash``, the action box; and ``exploration``, one
    generator per seed.
    """

    def new_noise(self) -> GaussianNoise:
        """What is added to executed actions."""
        return GaussianNoise(self.config.sigma * self.squash.half_range, self.exploration)

    def explore(self, s) -> np.ndarray:
        """Noisy actions (S, m), clipped to the box, for one state per seed (S, d)."""
        a = self.act(s[:, None])[:, 0]
        return (a + self.noise()).clip(self.squash.low, self.squash.high)

    def no_future(self, terminated, truncated) -> np.ndarray:
        """Where the state reached is worth nothing, (S,): where the task ended.

        A time limit stops the clock and not the task, so it takes nothing away.

        Source: Pardo et al. (2018), §3.
        """
        return terminated

    def random_action(self) -> np.ndarray:
        """Actions (S, m) drawn uniformly from the box, for the warm-up."""
        low, high = self.squash.low, self.squash.high
        return np.stack([rng.uniform(low, high) for rng in self.exploration])
