"""Chapter 11: DDPG, the algorithm box of Lillicrap et al. (2016) line for line.

Differs from the paper: ReLU layers of 64 and 64 (paper 400 and 300), the action enters the
critic's first layer (second), no batch normalization and no L2 penalty, Gaussian noise
(Ornstein-Uhlenbeck), τ = 0.01 (0.001), both learning rates 1e-3 (actor 1e-4, critic 1e-3),
γ = 0.98 (0.99), and a target that stops at terminal states (the paper's box has no such case).
"""

import copy
import os
import shutil

import numpy as np
import torch
from torch import Tensor, nn

from dpgcourse.agent.actor_step import ascend, descend, policy_gradient
from dpgcourse.agent.batch import Batch
from dpgcourse.agent.behavior import Behavior
from dpgcourse.agent.config import DDPGConfig
from dpgcourse.agent.network import Actor, Critic
from dpgcourse.agent.seeding import Streams
from dpgcourse.agent.target import polyak_
from dpgcourse.gradient.chain_rule import Squash


class DDPGAgent(Behavior):
    """One DDPG agent per seed, updated together; with one seed, one agent.

    What it is made of, and the small methods that a line of the box calls, are where its successors
    differ (see `td3`).

    Args:
        config: hyperparameters.
        state_dim: d.
        squash: bounds of the action box, (m,).
        streams: random streams, which fix the number S of seeds.
        dtype: of networks and batches.
    """

    critic_class = Critic

    def __init__(
        self,
        config: DDPGConfig,
        state_dim: int,
        squash: Squash,
        streams: Streams,
        dtype: torch.dtype = torch.float32,
    ):
        self.config, self.squash, self.dtype = config, squash, dtype
        self.streams, self.exploration = streams, streams.exploration
        self.actor = self.new_actor(state_dim)
        self.critic = self.critic_class(
            state_dim,
            len(squash.low),
            config.hidden,
            streams.weights,
            dtype,
            config.action_layer,
        )
        self.actor_target = copy.deepcopy(self.actor)
        self.critic_target = copy.deepcopy(self.critic)
        self.noise = self.new_noise()
        self.actor_optimizer = torch.optim.Adam(
            self.actor.parameters(), lr=config.actor_lr, fused=True
        )
        self.critic_optimizer = torch.optim.Adam(
            self.critic.parameters(),
            lr=config.critic_lr,
            weight_decay=config.critic_l2,
            fused=True,
        )

    def new_actor(self, state_dim: int) -> nn.Module:
        """The policies at the start, one per seed."""
        weights = self.streams.weights
        return Actor(state_dim, self.squash, self.config.hidden, weights, self.dtype)

    @torch.no_grad()
    def act(self, s) -> np.ndarray:
        """Noiseless actions (S, B, m) for states (S, B, d)."""
        return self.actor(torch.as_tensor(s, dtype=self.dtype)).numpy()

    def update(self, batch: Batch) -> None:
        """One pass through the algorithm box."""
        y = self.td_target(batch)  # set y_i
        self.critic_step(batch, y)  # update the critic by minimizing the loss
        self.actor_step(batch.s)  # update the actor by the sampled policy gradient
        self.target_step()  # update the target networks

    @torch.no_grad()
    def td_target(self, batch: Batch) -> Tensor:
        """y = r + γ (1 − terminated) Q'(s', μ'(s')), shape (..., B), a constant."""
        q_next = self.next_value(batch.s_next, self.next_action(batch.s_next))  # (..., B)
        return batch.r + self.config.gamma * (1 - batch.terminated) * q_next

    def next_action(self, s_next: Tensor) -> Tensor:
        """The action that the target assumes next: μ'(s'), (..., B, m)."""
        return self.actor_target(s_next)

    def next_value(self, s_next: Tensor, a_next: Tensor) -> Tensor:
        """The value that the target takes it to have: Q'(s', a'), (..., B)."""
        return self.critic_target(s_next, a_next)

    def critic_step(self, batch: Batch, y: Tensor) -> None:
        """Descend the batch mean of δ², with δ = y − Q(s, a, w) at the actions of the replay."""
        descend(self.critic, self.critic_gradient(batch, y), self.critic_optimizer)

    def critic_gradient(self, batch: Batch, y: Tensor) -> tuple[Tensor, ...]:
        """Gradient of the batch mean of δ² with respect to w, one tensor per parameter."""
        delta = y - self.fitted_value(batch.s, batch.a)  # (..., B)
        loss = (delta**2).mean(-1).sum()  # seeds do not interact: a sum keeps them apart
        return torch.autograd.grad(loss, tuple(self.critic.parameters()))

    def fitted_value(self, s: Tensor, a: Tensor) -> Tensor:
        """The values that are fitted to the target: Q(s, a, w), (..., B)."""
        return self.critic(s, a)

    def actor_step(self, s: Tensor) -> None:
        """Ascend the batch mean of Q(s, μ(s,u), w) with w held."""
        ascend(self.actor, self.actor_gradient(s), self.actor_optimizer)

    def actor_gradient(self, s: Tensor) -> tuple[Tensor, ...]:
        """The sampled policy gradient, one tensor per parameter of the actor."""
        return policy_gradient(self.actor, self.critic, s)

    def target_step(self) -> None:
        """Let both target networks follow."""
        polyak_(self.critic_target, self.critic, self.config.tau)
        polyak_(self.actor_target, self.actor, self.config.tau)

    def compile(self) -> None:
        """Turn the three computations of an update into machine code at its first call.

        That call then takes up to a minute, and all later ones less than before. The results
        agree to rounding.

        Raises:
            ValueError: there is no C++ compiler, which PyTorch needs for it.
        """
        if not any(map(shutil.which, (os.environ.get("CXX", "c++"), "g++", "clang++", "cl"))):
            raise ValueError("compile is True, and no C++ compiler was found; allowed: False here")
        torch._dynamo.config.trace_autograd_ops = True  # the gradients are part of the computation
        for name in ("td_target", "critic_gradient", "actor_gradient"):
            compiled = torch.compile(
                getattr(self, name),
                dynamic=False,
                options={"cpp_wrapper": True},  # no Python between the operations either
                isolate_recompiles=True,  # else the ninth agent of a process would run uncompiled
            )
            setattr(self, name, compiled)
