"""Chapter 10: DDPG in NumPy, every derivative written out.

The same agent as `dpgcourse.agents.ddpg.DDPG`, method for method: from the same random streams
it starts with the same weights, and from the same batches it learns the same parameters, up to
rounding. `dpgcourse.agents.ddpg` lists how both differ from the paper.
"""

import copy
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import ClassVar

import numpy as np

from dpgcourse.agents.base import Agent, State, adam_state, require_shapes
from dpgcourse.agents.batch import Batch
from dpgcourse.agents.config import FINAL_BOUND, DDPGConfig
from dpgcourse.agents.optim import Adam, polyak_update
from dpgcourse.agents.random_streams import RandomStreams
from dpgcourse.errors import InvalidInputError
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.gradient.network import MLP, initial_parameters

_IN_TORCH_ALONE = {
    "critic_action_layer": 1,
    "critic_weight_decay": 0,
    "critic_layer_norm": False,
    "n_step": 1,
}  # field -> the only value here


class Network:
    """One multilayer perceptron per seed, all parameters in one array theta (S, n).

    The layers are views of theta, so arithmetic on that one array moves the whole network.

    Args:
        sizes: (inputs, hidden ..., outputs).
        streams: random streams; each seed's draws its weights.
        dtype: of the parameters.
    """

    def __init__(self, sizes: tuple[int, ...], streams: RandomStreams, dtype: np.dtype):
        self.mlp = MLP(sizes)
        shapes = list(pairwise(sizes))
        drawn = [initial_parameters(shapes, rng, FINAL_BOUND) for rng in streams.weights]
        self.theta = np.array(drawn, dtype=dtype)
        self._layers = self.mlp.unflatten(self.theta)

    @property
    def layers(self):
        """Weights and biases, views of theta: W (S, in, out) and b (S, out)."""
        if self._layers[0][1].base is not self.theta:  # a copy, or theta was put in anew
            self._layers = self.mlp.unflatten(self.theta)
        return self._layers


class Actor(Network):
    """The policy a = μ(s,u), squashed into the action box; theta is u."""

    def __init__(
        self, state_dim: int, box: ActionBox, hidden, streams: RandomStreams, dtype: np.dtype
    ):
        super().__init__((state_dim, *hidden, len(box.low)), streams, dtype)
        self.center, self.half_range = box.center.astype(dtype), box.half_range.astype(dtype)

    def mu(self, s) -> tuple[np.ndarray, tuple]:
        """Actions (..., B, m) for states (..., B, d), and the trace that `vjp` needs."""
        z, inputs = self.mlp.forward(self.layers, s)
        h = np.tanh(z)
        return self.center + self.half_range * h, (inputs, h)

    def vjp(self, trace, g) -> np.ndarray:
        """Σ_i J_iᵀ g_i, shape (..., n), for one g_i per state, (..., B, m)."""
        inputs, h = trace
        dz = g * self.half_range * (1 - h**2)  # back through the squashing
        return self.mlp.parameter_gradient(self.layers, inputs, dz)


class Critic(Network):
    """The action value Q(s,a,w); the action enters beside the state; theta is w."""

    def __init__(
        self, state_dim: int, action_dim: int, hidden, streams: RandomStreams, dtype: np.dtype
    ):
        super().__init__((state_dim + action_dim, *hidden, 1), streams, dtype)

    def Q(self, s, a) -> tuple[np.ndarray, list[np.ndarray]]:
        """Values (..., B), and the trace that `vjp` needs."""
        q, inputs = self.mlp.forward(self.layers, np.concatenate((s, a), axis=-1))
        return q[..., 0], inputs

    def vjp(self, trace, g) -> np.ndarray:
        """Σ_i g_i ∇_w Q(s_i, a_i, w), shape (..., n), for one number g_i per state, (..., B)."""
        return self.mlp.parameter_gradient(self.layers, trace, g[..., None])

    def dQ_da(self, s, a) -> np.ndarray:
        """The action gradient ∇_aQ, shape (..., B, m); w collects nothing."""
        q, inputs = self.Q(s, a)
        to_input = self.mlp.input_gradient(self.layers, inputs, np.ones_like(q)[..., None])
        return to_input[..., s.shape[-1] :]  # the columns behind the state are the action's


class NumpyDDPG(Agent):
    """One DDPG agent per seed, updated together; with one seed, one agent.

    Args:
        config: hyperparameters.
        state_dim: d.
        box: bounds of the actions, (m,).
        streams: random streams, which fix the number S of seeds.
        dtype: of networks and batches, float32 or float64.

    Raises:
        InvalidInputError: another dtype; a critic_action_layer, critic_weight_decay,
            critic_layer_norm or n_step that only the agent in torch knows; on `update`, a field of
            the wrong shape.

    Source: Lillicrap et al. (2016), Algorithm 1.
    """

    config_class: ClassVar[type[DDPGConfig]] = DDPGConfig

    def __init__(
        self,
        config: DDPGConfig,
        state_dim: int,
        box: ActionBox,
        streams: RandomStreams,
        dtype="float32",
    ):
        super().__init__(config, state_dim, box, streams)
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise InvalidInputError(f"dtype is {self.dtype}; allowed: float32 or float64")
        for name, allowed in _IN_TORCH_ALONE.items():
            if (value := getattr(config, name)) != allowed:
                raise InvalidInputError(f"{name} is {value}; allowed for NumpyDDPG: {allowed}")
        self.actor = Actor(state_dim, box, config.hidden_sizes, streams, self.dtype)
        sizes = (state_dim, self.action_dim, config.hidden_sizes)
        self.critic = Critic(*sizes, streams, self.dtype)
        self.actor_target = copy.deepcopy(self.actor)
        self.critic_target = copy.deepcopy(self.critic)
        self.actor_optimizer = Adam(config.actor_lr)
        self.critic_optimizer = Adam(config.critic_lr)

    def update(self, batch: Batch) -> None:
        """One pass through the algorithm box."""
        batch = self._arrays(batch)
        y = self.td_target(batch)  # set y_i
        self.critic_step(batch, y)  # update the critic by minimizing the loss
        self.actor_step(batch.s)  # update the actor by the sampled policy gradient
        self.update_targets()  # update the target networks

    def td_target(self, batch: Batch) -> np.ndarray:
        """y = r + γ (1 − terminated) Q'(s', μ'(s')), shape (..., B)."""
        a_next, _ = self.actor_target.mu(batch.s_next)  # (..., B, m)
        q_next, _ = self.critic_target.Q(batch.s_next, a_next)  # (..., B)
        return batch.r + self.config.gamma * (1 - batch.terminated) * q_next

    def critic_step(self, batch: Batch, y: np.ndarray) -> None:
        """Descend the batch mean of δ², with δ = y − Q(s, a, w) at the actions of the replay."""
        q, trace = self.critic.Q(batch.s, batch.a)  # (..., B)
        delta = y - q
        dL_dq = -2 * delta / delta.shape[-1]  # y is a constant: no way back leads through it
        self.critic_optimizer.descend(self.critic.theta, self.critic.vjp(trace, dL_dq))

    def actor_step(self, s: np.ndarray) -> None:
        """Ascend the batch mean of Q(s, μ(s,u), w) with w a constant: (1/B) Σ_i J_iᵀ g_i."""
        a, trace = self.actor.mu(s)  # (..., B, m)
        g = self.critic.dQ_da(s, a)  # ∇_aQ at a = μ(s,u), (..., B, m)
        gradient = self.actor.vjp(trace, g / s.shape[-2])
        self.actor_optimizer.ascend(self.actor.theta, gradient)

    def update_targets(self) -> None:
        """Move both target networks toward the trained ones: θ' ← τθ + (1 − τ)θ'."""
        polyak_update(self.critic_target.theta, self.critic.theta, self.config.tau)
        polyak_update(self.actor_target.theta, self.actor.theta, self.config.tau)

    def policy(self, s) -> np.ndarray:
        """Noiseless actions (S, B, m) for states (S, B, d)."""
        return self.actor.mu(np.asarray(s, dtype=self.dtype))[0]

    def policy_snapshot(self) -> Callable[[np.ndarray], np.ndarray]:
        """The present `policy`, as a function that later updates do not change."""
        actor = copy.deepcopy(self.actor)
        return lambda s: actor.mu(np.asarray(s, dtype=self.dtype))[0]

    def q(self, s, a) -> np.ndarray:
        """Values Q(s,a,w), (S, B), of states (S, B, d) and actions (S, B, m)."""
        return self.critic.Q(np.asarray(s, self.dtype), np.asarray(a, self.dtype))[0]

    def dq_da(self, s, a) -> np.ndarray:
        """Action gradients ∇_aQ(s,a,w), (S, B, m)."""
        return self.critic.dQ_da(np.asarray(s, self.dtype), np.asarray(a, self.dtype))

    def bootstrap_value(self, s_next) -> np.ndarray:
        """Q'(s', μ'(s')) of the target networks, (S, B), for states (S, B, d)."""
        s_next = np.asarray(s_next, self.dtype)
        return self.critic_target.Q(s_next, self.actor_target.mu(s_next)[0])[0]

    def policy_state(self) -> State:
        """The parameters of the actor alone."""
        return {"actor.theta": self.actor.theta.copy()}

    def state(self) -> State:
        """Networks and optimizers, as arrays with the seeds in the first axis."""
        names = ("actor", "critic", "actor_target", "critic_target")
        state = {f"{name}.theta": getattr(self, name).theta.copy() for name in names}
        for name in ("actor", "critic"):
            optimizer = getattr(self, f"{name}_optimizer")
            shape, prefix = state[f"{name}.theta"].shape, f"{name}_optimizer.theta"
            state[f"{prefix}.step"] = np.full(self.num_seeds, optimizer.t)
            for part, value in (("exp_avg", optimizer.mean), ("exp_avg_sq", optimizer.square)):
                state[f"{prefix}.{part}"] = np.broadcast_to(value, shape).astype(self.dtype)
        return state

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` or `policy_state` returned; what is missing stays as it is.

        Raises:
            InvalidInputError: an unknown name, or an array of another shape.
        """
        require_shapes(state, self.state())
        for name in ("actor", "critic", "actor_target", "critic_target"):
            if (value := state.get(f"{name}.theta")) is not None:
                getattr(self, name).theta[...] = value
        for name in ("actor", "critic"):
            optimizer = getattr(self, f"{name}_optimizer")
            if (stored := adam_state(state, f"{name}_optimizer.theta")) is not None:
                step, exp_avg, exp_avg_sq = stored
                optimizer.t = int(step[0])
                optimizer.mean = exp_avg.astype(self.dtype)
                optimizer.square = exp_avg_sq.astype(self.dtype)

    @classmethod
    def num_parameters(cls, config: DDPGConfig, state_dim: int, action_dim: int) -> int:
        """Parameters of one actor and of its critic, for the estimate of a run's memory."""
        hidden = config.hidden_sizes
        return MLP((state_dim, *hidden, action_dim)).n + MLP((state_dim + action_dim, *hidden, 1)).n

    def _arrays(self, batch: Batch) -> Batch:
        """The batch as arrays of the agent's dtype; tensors of that dtype are read in place."""
        batch = batch.map(lambda field: np.asarray(field, dtype=self.dtype))
        S, d, m = len(self.actor.theta), self.state_dim, self.action_dim
        B = batch.s.shape[-2] if batch.s.ndim > 1 and batch.s.size else 1
        allowed = Batch((S, B, d), (S, B, m), (S, B), (S, B, d), (S, B))
        for name, field, shape in zip(Batch._fields, batch, allowed, strict=True):
            if field.shape != shape:
                raise InvalidInputError(f"{name} has shape {field.shape}; allowed: {shape}")
        return batch
