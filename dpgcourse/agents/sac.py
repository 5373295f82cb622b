"""Chapter 14: SAC with a learned temperature, four changes to DDPG.

| change | where it enters | here |
|---|---|---|
| the policy draws its action | actor, exploration | `GaussianActor`, `SAC.explore` |
| entropy is worth α per nat | target, actor's gradient | `SAC.td_target`, `SAC.actor_gradient` |
| the smaller of two critics | target, actor's gradient | `SAC.target_q`, `SAC.actor_gradient` |
| α holds the entropy at a target | a third step | `SAC.temperature_step` |

An action is drawn by reparameterization: a = c + k ⊙ tanh(z), z = mean(s) + exp(log_std(s)) ⊙ ξ
with ξ ~ N(0, I). For fixed ξ the policy is deterministic, so the actor's gradient has the two
factors of DDPG, and a term for the entropy. `act` and `policy` take ξ = 0, as evaluations do.

Every log density is that of h = tanh(z), the action scaled to [−1, 1]^m, in nats. So neither α nor
the target entropy depends on the units that an environment counts its actions in. The density of a
itself is lower by Σ log k.

The values that this critic learns count α times the entropies of all later steps. The quantities
`value_gap` and `td_error_mean` of a log compare them with rewards alone, and so are not near 0.

Differs from the paper: ReLU layers of 64 and 64 (paper 256 and 256), learning rates 1e-3 (3e-4),
γ = 0.98 (0.99), τ = 0.01 (0.005), batches of 64 (256), and log α is what Adam moves. Haarnoja et
al. (2018b) is arXiv:1812.05905.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import log, pi
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from dpgcourse.agents.base import Agent
from dpgcourse.agents.batch import Batch
from dpgcourse.agents.config import DDPGConfig, SACConfig
from dpgcourse.agents.ddpg import DDPG, array, num_affine_parameters, num_critic_parameters
from dpgcourse.agents.networks import Actor, affine, apply_relu_layers
from dpgcourse.agents.policy_gradient import descend
from dpgcourse.agents.random_streams import RandomStreams
from dpgcourse.agents.target_network import polyak_update
from dpgcourse.agents.td3 import TwinCritic
from dpgcourse.gradient.action_box import ActionBox

LOG_STD_RANGE = (-20.0, 2.0)  # the authors' code, github.com/rail-berkeley/softlearning


class GaussianActor(Actor):
    """A normal distribution of z for each state, squashed into the action box; its mean is `Actor`.

    Arguments as for `Actor`. The last layer gives m means, then m logarithms of the standard
    deviation, which start near 0.
    """

    outputs_per_action: ClassVar[int] = 2

    def distribution(self, s: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log standard deviation of z, (S, B, m) each, for states (S, B, d)."""
        *hidden, last = self.layers()
        mean, log_std = affine(apply_relu_layers(s, hidden), *last).chunk(2, dim=-1)
        return mean, log_std.clamp(*LOG_STD_RANGE)

    def forward(self, s: Tensor) -> Tensor:
        """The action of the mean, (S, B, m), for states (S, B, d)."""
        return self.squash(self.distribution(s)[0])

    def squash(self, z: Tensor) -> Tensor:
        """c + k ⊙ tanh(z): (..., m) to actions inside the box."""
        return self.center + self.half_range * torch.tanh(z)

    def sample(self, s: Tensor, xi: Tensor) -> tuple[Tensor, Tensor]:
        """Actions for given noise, and the log density of h = tanh(z) there.

        Args:
            s: states, (S, B, d).
            xi: standard normal noise, (S, B, m).

        Returns:
            Actions (S, B, m), and log densities (S, B) in nats; both pass gradients to theta.

        Source: Haarnoja et al. (2018b), Appendix C.
        """
        mean, log_std = self.distribution(s)
        z = mean + log_std.exp() * xi
        log_normal = -0.5 * xi**2 - log_std - 0.5 * log(2 * pi)  # of z
        log_slope = 2 * (log(2) - z - nn.functional.softplus(-2 * z))  # log(1 − tanh² z), any z
        return self.squash(z), (log_normal - log_slope).sum(-1)


class Temperature(nn.Module):
    """α > 0 of each seed, stored as its logarithm.

    Args:
        initial: α at the start.
        seeds: S.
        dtype: of the parameter.
    """

    def __init__(self, initial: float, seeds: int, dtype: torch.dtype):
        super().__init__()
        self.log_alpha = nn.Parameter(torch.full((seeds, 1), log(initial), dtype=dtype))

    def forward(self) -> Tensor:
        """α, (S, 1)."""
        return self.log_alpha.exp()


class SAC(DDPG):
    """One SAC agent per seed, updated together; arguments as for `DDPG`.

    `q` and `dq_da` are those of the first critic. There is no target actor: the target draws its
    action from the policy as it is.

    Source: Haarnoja et al. (2018b), Algorithm 1.
    """

    config_class: ClassVar[type[DDPGConfig]] = SACConfig
    trained: ClassVar[tuple[str, ...]] = ("actor", "critic", "temperature")
    actor: GaussianActor
    critic: TwinCritic
    critic_target: TwinCritic

    def __init__(
        self,
        config: SACConfig,
        state_dim: int,
        box: ActionBox,
        streams: RandomStreams,
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__(config, state_dim, box, streams, dtype)
        del self.actor_target
        self.temperature = Temperature(config.initial_alpha, self.num_seeds, dtype)
        self.temperature_optimizer = torch.optim.Adam(
            self.temperature.parameters(), lr=config.alpha_lr, fused=True
        )

    def make_actor(self) -> nn.Module:
        """The initial policies, one per seed."""
        sizes, weights = self.config.hidden_sizes, self.streams.weights
        return GaussianActor(self.state_dim, self.box, sizes, weights, self.dtype)

    def make_critic(self) -> nn.Module:
        """The initial critics, two per seed."""
        return TwinCritic(*self.critic_args())

    @property
    def target_entropy(self) -> float:
        """H̄ in nats, of actions scaled to [−1, 1]^m; −m unless the configuration says otherwise."""
        chosen = self.config.target_entropy
        return float(-self.action_dim if chosen is None else chosen)

    def update(self, batch: Batch) -> None:
        """One pass through the algorithm box, for a batch of arrays or tensors."""
        batch = batch.map(self.tensor)
        self.critic_step(batch, self.td_target(batch))
        self.actor_step(batch.s)
        self.temperature_step(batch.s)
        self.update_targets()

    def sample(self, s: Tensor) -> tuple[Tensor, Tensor]:
        """Actions (S, B, m) drawn for states (S, B, d), and their log densities (S, B)."""
        return self.actor.sample(s, self._normal(self.streams.target_noise, s.shape[-2]))

    @torch.no_grad()
    def td_target(self, batch: Batch) -> Tensor:
        """y = r + γ (1 − terminated) (min_i Q'_i(s', a') − α log π(a'|s')), a' ~ π(s'), (..., B).

        Source: Haarnoja et al. (2018b), Eqs. 2 and 3.
        """
        a_next, log_prob = self.sample(batch.s_next)  # (..., B, m), (..., B)
        v_next = self.target_q(batch.s_next, a_next) - self.temperature() * log_prob
        gamma = batch.bootstrap_discount(self.config.gamma)
        return batch.r + gamma * (1 - batch.terminated) * v_next

    def target_q(self, s_next: Tensor, a_next: Tensor) -> Tensor:
        """The smaller of both target critics' values, (..., B)."""
        return self.critic_target.both(s_next, a_next).amin(0)

    def q_predictions(self, s: Tensor, a: Tensor) -> Tensor:
        """The values of both critics, which learn from the same target: (2, ..., B)."""
        return self.critic.both(s, a)

    def actor_gradient(self, s: Tensor) -> tuple[Tensor, ...]:
        """Gradient of the batch mean of min_i Q_i(s, a) − α log π(a|s), a drawn, for fixed ξ.

        The two factors of `dpgcourse.agents.policy_gradient`, (1/B) Σ_i J_iᵀ g_i, and beside the
        action a second output of the actor, log π, which is pulled back with −α.

        Source: Haarnoja et al. (2018b), Eqs. 9 and 10, of which this is the negative.
        """
        a, log_prob = self.sample(s)  # (..., B, m), (..., B)
        a_fixed = a.detach().requires_grad_()
        q = self.critic.both(s, a_fixed).amin(0)  # (..., B)
        (g,) = torch.autograd.grad(q, a_fixed, torch.ones_like(q))  # ∇_a min Q, (..., B, m)
        pull = g, -self.temperature().detach().expand_as(q)
        return torch.autograd.grad(
            (a, log_prob), tuple(self.actor.parameters()), [x / s.shape[-2] for x in pull]
        )

    def temperature_step(self, s: Tensor) -> None:
        """Descend J(α) = E[−α (log π(a|s) + H̄)]: α rises where the entropy is below its target."""
        with torch.no_grad():
            _, log_prob = self.sample(s)
        gradient = self.temperature_gradient(log_prob)
        descend(self.temperature, (gradient,), self.temperature_optimizer)

    @torch.no_grad()
    def temperature_gradient(self, log_prob: Tensor) -> Tensor:
        """Gradient of J with respect to log α, (S, 1), from log densities (S, B).

        Source: Haarnoja et al. (2018b), Eq. 18.
        """
        missing = self.target_entropy + log_prob.mean(-1, keepdim=True)  # H̄ − entropy, (S, 1)
        return -self.temperature() * missing

    def update_targets(self) -> None:
        """Move the target critics toward the trained ones: θ' ← τθ + (1 − τ)θ'."""
        polyak_update(self.critic_target, self.critic, self.config.tau)

    @torch.no_grad()
    def explore(self, s: np.ndarray) -> np.ndarray:
        """Actions (S, m) drawn from the policy, for one state per seed (S, d)."""
        xi = self._normal(self.streams.exploration, 1)
        a, _ = self.actor.sample(self.tensor(s)[:, None], xi)
        return array(a[:, 0]).clip(self.box.low, self.box.high)

    @torch.no_grad()
    def bootstrap_value(self, s_next) -> np.ndarray:
        """The target critics' smaller value of μ(s'), (S, B), without entropy, for (S, B, d)."""
        s_next = self.tensor(s_next)
        return array(self.target_q(s_next, self.actor(s_next)))

    def _normal(self, rngs: Sequence[np.random.Generator], B: int) -> Tensor:
        """Standard normal noise for B actions of each seed, (S, B, m)."""
        return self.tensor(np.stack([rng.standard_normal((B, self.action_dim)) for rng in rngs]))

    @property
    def networks(self) -> dict[str, nn.Module]:
        """All networks by the names that `state` gives them."""
        names = ("actor", "critic", "critic_target", "temperature")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def num_parameters(cls, config: Any, state_dim: int, action_dim: int) -> int:
        """Parameters of one actor and of its critics, for the estimate of a run's memory."""
        actor = list(pairwise((state_dim, *config.hidden_sizes, 2 * action_dim)))
        critics = 2 * num_critic_parameters(config, state_dim, action_dim)
        return num_affine_parameters(actor) + critics

    def compile(self) -> None:
        """Refuse: an update draws its noise in NumPy, amid what would be compiled.

        Raises:
            InvalidInputError: always.
        """
        Agent.compile(self)
