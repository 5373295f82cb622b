"""Chapter 13: TD3, three changes to DDPG, a line each.

| change | where it enters | here |
|---|---|---|
| the smaller of two critics | the target's value | `TD3Agent.next_value` |
| a policy with clipped noise | the target's action | `TD3Agent.next_action` |
| actor and targets wait | the order of steps | `TD3Agent.update` |

The actor ascends the first critic, with the same two factors as DDPG's.

Differs from the paper: all that `ddpg` lists, so that both agents differ in these changes alone.
"""

import numpy as np
import torch
from torch import Tensor

from dpgcourse.agent.batch import Batch
from dpgcourse.agent.ddpg import DDPGAgent
from dpgcourse.agent.network import Critic


class TwinCritic(Critic):
    """Two critics, alike but for their weights; called as one, it is the first of them.

    Arguments as for `Critic`. The first critic's weights are drawn first.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.second = Critic(*args, **kwargs)

    def both(self, s: Tensor, a: Tensor) -> Tensor:
        """Q_1 and Q_2, stacked in front: (2, ..., B)."""
        return torch.stack((self(s, a), self.second(s, a)))


class TD3Agent(DDPGAgent):
    """One TD3 agent per seed, updated together; arguments as for `DDPGAgent`.

    Attributes:
        target_sigma: standard deviation of the noise on the target's action, in half-ranges.
        target_clip: that noise is cut off here, in half-ranges.
        delay: critic steps per step of the actor and of the target networks.

    Source: Fujimoto, van Hoof and Meger (2018), Algorithm 1.
    """

    critic_class = TwinCritic
    target_sigma, target_clip, delay = 0.2, 0.5, 2
    updates = 0  # so far

    def update(self, batch: Batch) -> None:
        """One pass through the algorithm box."""
        self.critic_step(batch, self.td_target(batch))
        self.updates += 1
        if self.updates % self.delay == 0:
            self.actor_step(batch.s)
            self.target_step()

    def next_action(self, s_next: Tensor) -> Tensor:
        """μ'(s') with clipped noise, inside the box, (..., B, m)."""
        return self.clip(super().next_action(s_next) + self.target_noise(s_next.shape[-2]))

    def next_value(self, s_next: Tensor, a_next: Tensor) -> Tensor:
        """The smaller of both target critics' values, (..., B)."""
        return self.critic_target.both(s_next, a_next).amin(0)

    def fitted_value(self, s: Tensor, a: Tensor) -> Tensor:
        """Both critics' values, which learn from the same target, (2, ..., B)."""
        return self.critic.both(s, a)

    def target_noise(self, B: int) -> Tensor:
        """Normal noise for B actions of each seed, cut off at ± target_clip, (S, B, m)."""
        m = len(self.squash.low)
        drawn = np.stack([rng.standard_normal((B, m)) for rng in self.streams.target])
        noise = np.clip(self.target_sigma * drawn, -self.target_clip, self.target_clip)
        return self.actor.half_range * torch.as_tensor(noise, dtype=self.dtype)

    def clip(self, a: Tensor) -> Tensor:
        """Actions (..., m) moved to the nearest point of the box."""
        center, half_range = self.actor.center, self.actor.half_range
        return a.clamp(center - half_range, center + half_range)


class OneCritic(TD3Agent):
    """TD3 without its first change: the target believes the first critic."""

    def next_value(self, s_next: Tensor, a_next: Tensor) -> Tensor:
        """The first target critic's values, (..., B)."""
        return self.critic_target(s_next, a_next)


class StillTarget(TD3Agent):
    """TD3 without its second change: no noise in the target's action."""

    target_sigma = 0.0
