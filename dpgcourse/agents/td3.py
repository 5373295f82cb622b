"""Chapter 14: TD3, three changes to DDPG, a line each.

| change | where it enters | here |
|---|---|---|
| the smaller of two critics | the target's value | `TD3.target_q` |
| a policy with clipped noise | the target's action | `TD3.target_action` |
| actor and targets wait | the order of steps | `TD3.update` |

The actor ascends the first critic, with the same two factors as DDPG's.

Differs from the paper: all that `dpgcourse.agents.ddpg` lists, so that both agents differ in these
changes alone.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from dpgcourse.agents.base import State
from dpgcourse.agents.batch import Batch
from dpgcourse.agents.config import DDPGConfig, TD3Config
from dpgcourse.agents.ddpg import DDPG, num_critic_parameters
from dpgcourse.agents.networks import Actor, Critic


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


class TD3(DDPG):
    """One TD3 agent per seed, updated together; arguments as for `DDPG`.

    Attributes:
        updates: how many batches it has learned from.

    Source: Fujimoto, van Hoof and Meger (2018), Algorithm 1.
    """

    config_class: ClassVar[type[DDPGConfig]] = TD3Config
    updates = 0
    actor: Actor

    def make_critic(self) -> nn.Module:
        """The initial critics, two per seed or one."""
        return (TwinCritic if self.config.twin_critics else Critic)(*self.critic_args())

    def update(self, batch: Batch) -> None:
        """One pass through the algorithm box, for a batch of arrays or tensors."""
        batch = batch.map(self.tensor)
        self.critic_step(batch, self.td_target(batch))
        self.updates += 1
        if self.updates % self.config.policy_delay == 0:
            self.actor_step(batch.s)
            self.update_targets()

    def target_action(self, s_next: Tensor) -> Tensor:
        """μ'(s') with clipped noise, inside the box, (..., B, m)."""
        return self.clip_action(super().target_action(s_next) + self.target_noise(s_next.shape[-2]))

    def target_q(self, s_next: Tensor, a_next: Tensor) -> Tensor:
        """The smaller of both target critics' values, (..., B)."""
        if isinstance(self.critic_target, TwinCritic):
            return self.critic_target.both(s_next, a_next).amin(0)
        return self.critic_target(s_next, a_next)

    def q_predictions(self, s: Tensor, a: Tensor) -> Tensor:
        """The values of both critics, which learn from the same target: (2, ..., B)."""
        return self.critic.both(s, a) if isinstance(self.critic, TwinCritic) else self.critic(s, a)

    def target_noise(self, B: int) -> Tensor:
        """Normal noise for B actions of each seed, cut off at ± noise_clip, (S, B, m)."""
        drawn = np.stack(
            [rng.standard_normal((B, self.action_dim)) for rng in self.streams.target_noise]
        )
        clip = self.config.noise_clip
        noise = np.clip(self.config.target_policy_noise * drawn, -clip, clip)
        return self.actor.half_range * self.tensor(noise)

    def clip_action(self, a: Tensor) -> Tensor:
        """Actions (..., m) moved to the nearest point of the box."""
        center, half_range = self.actor.center, self.actor.half_range
        return a.clamp(center - half_range, center + half_range)

    def state(self) -> State:
        """As DDPG's, and the number of updates, which says when the actor's next turn is."""
        return {**super().state(), "updates": np.full(self.num_seeds, self.updates)}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` or `policy_state` returned.

        Raises:
            InvalidInputError: an unknown name, or an array of another shape.
        """
        super().load_state(state)
        if "updates" in state:
            self.updates = int(np.ravel(state["updates"])[0])

    @classmethod
    def num_parameters(cls, config: Any, state_dim: int, action_dim: int) -> int:
        """Parameters of one actor and of its critics, for the estimate of a run's memory."""
        both = super().num_parameters(config, state_dim, action_dim)
        second = num_critic_parameters(config, state_dim, action_dim)
        return both + (second if config.twin_critics else 0)
