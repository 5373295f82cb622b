"""Chapter 11: DDPG, the algorithm box of Lillicrap et al. (2016) line for line.

Differs from the paper: ReLU layers of 64 and 64 (paper 400 and 300), the action enters the
critic's first layer (second), no batch normalization and no L2 penalty, Gaussian noise
(Ornstein-Uhlenbeck), τ = 0.01 (0.001), both learning rates 1e-3 (actor 1e-4, critic 1e-3),
γ = 0.98 (0.99), and a target that stops at terminal states (the paper's box has no such case).
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from dpgcourse.agents._compilation import (
    TraceableAdam,
    compiled,
    is_plain_adam,
    require_compiler,
)
from dpgcourse.agents.base import Agent, State, adam_state, require_shapes
from dpgcourse.agents.batch import Batch
from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.networks import Actor, Critic, critic_shapes
from dpgcourse.agents.policy_gradient import ascend, descend, policy_gradient
from dpgcourse.agents.random_streams import RandomStreams
from dpgcourse.agents.target_network import polyak_update
from dpgcourse.errors import InvalidInputError
from dpgcourse.gradient.action_box import ActionBox


class DDPG(Agent):
    """One DDPG agent per seed, updated together; with one seed, one agent.

    The small methods that a line of the algorithm box calls are where subclasses differ (see
    `dpgcourse.agents.td3`). They take and return tensors; the methods of the contract
    (`dpgcourse.agents.base.Agent`) take and return arrays.

    Args:
        config: hyperparameters.
        state_dim: d.
        box: bounds of the actions, (m,).
        streams: random streams, which fix the number S of seeds.
        dtype: of networks and batches.
    """

    config_class: ClassVar[type[DDPGConfig]] = DDPGConfig
    trained: ClassVar[tuple[str, ...]] = ("actor", "critic")  # each has an optimizer

    def __init__(
        self,
        config: DDPGConfig,
        state_dim: int,
        box: ActionBox,
        streams: RandomStreams,
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__(config, state_dim, box, streams)
        self.dtype, self.device = dtype, torch.device("cpu")
        self.actor = self.make_actor()
        self.critic = self.make_critic()
        self.actor_target = copy.deepcopy(self.actor)
        self.critic_target = copy.deepcopy(self.critic)
        self.actor_optimizer = torch.optim.Adam(
            self.actor.parameters(), lr=config.actor_lr, fused=True
        )
        self.critic_optimizer = torch.optim.Adam(
            self.critic.parameters(),
            lr=config.critic_lr,
            weight_decay=config.critic_weight_decay,
            fused=True,
        )

    def make_actor(self) -> nn.Module:
        """The initial policies, one per seed."""
        sizes, weights = self.config.hidden_sizes, self.streams.weights
        return Actor(self.state_dim, self.box, sizes, weights, self.dtype)

    def make_critic(self) -> nn.Module:
        """The initial critics, one per seed."""
        return Critic(*self.critic_args())

    def critic_args(self) -> tuple:
        """The arguments of `dpgcourse.agents.networks.Critic` that the configuration asks for."""
        config, m = self.config, self.action_dim
        weights = self.streams.weights
        return (
            self.state_dim,
            m,
            config.hidden_sizes,
            weights,
            self.dtype,
            config.critic_action_layer,
            config.critic_layer_norm,
        )

    def update(self, batch: Batch) -> None:
        """One pass through the algorithm box, for a batch of arrays or tensors."""
        batch = batch.map(self.tensor)
        y = self.td_target(batch)  # set y_i
        self.critic_step(batch, y)  # update the critic by minimizing the loss
        self.actor_step(batch.s)  # update the actor by the sampled policy gradient
        self.update_targets()  # update the target networks

    def tensor(self, x) -> Tensor:
        """x as a tensor of this agent's dtype and device; what is one already is not copied."""
        return torch.as_tensor(x, dtype=self.dtype, device=self.device)

    def to(self, device: str) -> None:
        """Move the networks to a device, before the first update.

        Raises:
            InvalidInputError: torch has no such device here.
        """
        try:
            torch.zeros(1, device=device).cpu()  # "meta" holds no numbers
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            said = str(error).strip().partition("\n")[0]
            raise InvalidInputError(
                f"device is {device!r}, which torch cannot use: {said}; allowed: "
                f"{', '.join(devices())}"
            ) from None
        self.device = torch.device(device)
        for network in self.networks.values():
            network.to(self.device)

    @torch.no_grad()
    def td_target(self, batch: Batch) -> Tensor:
        """y = r + γ (1 − terminated) Q'(s', μ'(s')), shape (..., B), a constant.

        With ``n_step`` above 1, r, s' and γ are those of `dpgcourse.agents.n_step`.
        """
        q_next = self.target_q(batch.s_next, self.target_action(batch.s_next))  # (..., B)
        gamma = batch.bootstrap_discount(self.config.gamma)
        return batch.r + gamma * (1 - batch.terminated) * q_next

    def target_action(self, s_next: Tensor) -> Tensor:
        """The next action inside the target: μ'(s'), (..., B, m)."""
        return self.actor_target(s_next)

    def target_q(self, s_next: Tensor, a_next: Tensor) -> Tensor:
        """The next value inside the target: Q'(s', a'), (..., B)."""
        return self.critic_target(s_next, a_next)

    def critic_step(self, batch: Batch, y: Tensor) -> None:
        """Descend the batch mean of δ², with δ = y − Q(s, a, w) at the actions of the replay."""
        descend(self.critic, self.critic_gradient(batch, y), self.critic_optimizer)

    def critic_gradient(self, batch: Batch, y: Tensor) -> tuple[Tensor, ...]:
        """Gradient of the batch mean of δ² with respect to w, one tensor per parameter."""
        delta = y - self.q_predictions(batch.s, batch.a)  # (..., B)
        loss = (delta**2).mean(-1).sum()  # seeds do not interact: a sum keeps them apart
        return torch.autograd.grad(loss, tuple(self.critic.parameters()))

    def q_predictions(self, s: Tensor, a: Tensor) -> Tensor:
        """The values that the critic's loss compares with the target: Q(s, a, w), (..., B)."""
        return self.critic(s, a)

    def actor_step(self, s: Tensor) -> None:
        """Ascend the batch mean of Q(s, μ(s,u), w); w is a constant here."""
        ascend(self.actor, self.actor_gradient(s), self.actor_optimizer)

    def actor_gradient(self, s: Tensor) -> tuple[Tensor, ...]:
        """The sampled policy gradient, one tensor per parameter of the actor."""
        return policy_gradient(self.actor, self.critic, s)

    def update_targets(self) -> None:
        """Move both target networks toward the trained ones: θ' ← τθ + (1 − τ)θ'."""
        polyak_update(self.critic_target, self.critic, self.config.tau)
        polyak_update(self.actor_target, self.actor, self.config.tau)

    @torch.no_grad()
    def policy(self, s) -> np.ndarray:
        """Noiseless actions (S, B, m) for states (S, B, d)."""
        return array(self.actor(self.tensor(s)))

    def policy_snapshot(self) -> Callable[[np.ndarray], np.ndarray]:
        """The present `policy`, as a function that later updates do not change."""
        actor = copy.deepcopy(self.actor)

        @torch.no_grad()
        def policy(s):
            return array(actor(self.tensor(s)))

        return policy

    @torch.no_grad()
    def q(self, s, a) -> np.ndarray:
        """Values Q(s,a,w), (S, B), of states (S, B, d) and actions (S, B, m)."""
        return array(self.critic(self.tensor(s), self.tensor(a)))

    def dq_da(self, s, a) -> np.ndarray:
        """Action gradients ∇_aQ(s,a,w), (S, B, m)."""
        a = self.tensor(a).detach().requires_grad_()
        (g,) = torch.autograd.grad(self.critic(self.tensor(s), a).sum(), a)
        return array(g)

    @torch.no_grad()
    def bootstrap_value(self, s_next) -> np.ndarray:
        """Q'(s', μ'(s')) of the target networks, (S, B), for states (S, B, d)."""
        s_next = self.tensor(s_next)
        return array(self.critic_target(s_next, self.actor_target(s_next)))

    @property
    def networks(self) -> dict[str, nn.Module]:
        """All networks by the names that `state` gives them."""
        names = ("actor", "critic", "actor_target", "critic_target")
        return {name: getattr(self, name) for name in names}

    def policy_state(self) -> State:
        """The parameters of the actor alone."""
        return {name: x for name, x in self.state().items() if name.startswith("actor.")}

    def state(self) -> State:
        """Networks and optimizers, as arrays with the seeds in the first axis.

        "actor.theta" and the like hold parameters; "actor_optimizer.theta.exp_avg" and the like
        what Adam remembers, "….step" how many steps it has taken.
        """
        state = {
            f"{name}.{key}": array(x.detach()).copy()
            for name, network in self.networks.items()
            for key, x in network.named_parameters()
        }
        for name in self.trained:
            memory = getattr(self, f"{name}_optimizer").state
            for key, x in getattr(self, name).named_parameters():
                prefix, known = f"{name}_optimizer.{key}", memory.get(x, {})
                step = np.float32(float(known.get("step", 0.0)))
                state[f"{prefix}.step"] = np.full(self.num_seeds, step)
                for part in ("exp_avg", "exp_avg_sq"):
                    state[f"{prefix}.{part}"] = array(known.get(part, torch.zeros_like(x))).copy()
        return state

    @torch.no_grad()
    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` or `policy_state` returned; what is missing stays as it is.

        Raises:
            InvalidInputError: an unknown name, or an array of another shape.
        """
        require_shapes(state, self.state())
        for name, network in self.networks.items():
            for key, x in network.named_parameters():
                if (value := state.get(f"{name}.{key}")) is not None:
                    x.copy_(self.tensor(np.array(value)))
        for name in self.trained:
            optimizer = getattr(self, f"{name}_optimizer")
            for key, x in getattr(self, name).named_parameters():
                if (stored := adam_state(state, f"{name}_optimizer.{key}")) is not None:
                    step, exp_avg, exp_avg_sq = stored
                    optimizer.state[x] = {
                        "step": torch.tensor(float(step[0]), device=self.device),
                        "exp_avg": self.tensor(exp_avg),
                        "exp_avg_sq": self.tensor(exp_avg_sq),
                    }

    @classmethod
    def num_parameters(cls, config: DDPGConfig, state_dim: int, action_dim: int) -> int:
        """Parameters of one actor and of its critic, for the estimate of a run's memory."""
        actor = list(pairwise((state_dim, *config.hidden_sizes, action_dim)))
        return num_affine_parameters(actor) + num_critic_parameters(config, state_dim, action_dim)

    def compile(self) -> None:
        """Turn an update into machine code at its first call.

        That call then takes up to a minute, and all later ones less than before. The operations
        are the same, and are rounded in another order. In float64 the weights agree to 1e-9 after
        200 updates of a small agent. In float32 training amplifies the last bits until weights and
        returns differ visibly. A compiled training repeats itself bit for bit; it is not the eager
        training bit for bit.

        Raises:
            InvalidInputError: there is no C++ compiler, which PyTorch needs for it.
        """
        require_compiler()
        parts, optimizers = self._compilable_parts(), []
        if "critic_gradient" not in parts:  # the steps of the optimizers are compiled too
            for name in (f"{name}_optimizer" for name in self.trained):
                optimizers.append(TraceableAdam(getattr(self, name)))
                setattr(self, name, optimizers[-1])
        for part in parts:
            setattr(self, part, compiled(getattr(self, part), optimizers))

    def _compilable_parts(self) -> tuple[str, ...]:
        """The methods to compile: the whole update, unless a subclass moves parameters otherwise.

        What a subclass does with optimizers and gradients is its own; then only the computations
        are compiled, which change nothing.
        """

        def unchanged(*names: str) -> bool:
            return all(getattr(type(self), name) is getattr(DDPG, name) for name in names)

        optimizers = [getattr(self, f"{name}_optimizer") for name in self.trained]
        if not unchanged("critic_step", "actor_step") or not all(map(is_plain_adam, optimizers)):
            return "td_target", "critic_gradient", "actor_gradient"
        if unchanged("update", "update_targets"):
            return ("update",)
        return "td_target", "critic_step", "actor_step"


def array(x: Tensor) -> np.ndarray:
    """A tensor of any device as an array; on the CPU they share their memory."""
    return x.cpu().numpy()


def devices() -> list[str]:
    """The devices that torch can use here."""
    return ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]


def num_critic_parameters(config: DDPGConfig, state_dim: int, action_dim: int) -> int:
    """Parameters of one critic."""
    hidden = config.hidden_sizes
    shapes = critic_shapes(state_dim, action_dim, hidden, config.critic_action_layer)
    norms = 2 * sum(hidden) if config.critic_layer_norm else 0
    return num_affine_parameters(shapes) + norms


def num_affine_parameters(shapes: Sequence[tuple[int, int]]) -> int:
    """Weights and biases of affine layers of these (inputs, outputs)."""
    return sum((i + 1) * o for i, o in shapes)
