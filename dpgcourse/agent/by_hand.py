"""Chapter 10: DDPG in NumPy, every derivative written out.

The same agent as `dpgcourse.agent.ddpg.DDPGAgent`, method for method: from the same random streams
it starts with the same weights, and from the same batches it learns the same parameters, up to
rounding. `ddpg` lists how both differ from the paper.
"""

import copy
from itertools import pairwise

import numpy as np

from dpgcourse.agent.batch import Batch
from dpgcourse.agent.behavior import Behavior
from dpgcourse.agent.config import FINAL_BOUND, DDPGConfig
from dpgcourse.agent.seeding import Streams
from dpgcourse.gradient.chain_rule import Squash
from dpgcourse.gradient.network import MLP, draw


class Network:
    """One multilayer perceptron per seed, all parameters in one array theta (S, n).

    The layers are views of theta, so arithmetic on that one array moves the whole network.

    Args:
        sizes: (inputs, hidden ..., outputs).
        streams: random streams; each seed's draws its weights.
        dtype: of the parameters.
    """

    def __init__(self, sizes: tuple[int, ...], streams: Streams, dtype: np.dtype):
        self.mlp = MLP(sizes)
        shapes = list(pairwise(sizes))
        drawn = [draw(shapes, rng, FINAL_BOUND) for rng in streams.weights]
        self.theta = np.array(drawn, dtype=dtype)
        self._layers = self.mlp.unflatten(self.theta)

    @property
    def layers(self):
        """Weights and biases, views of theta: W (S, in, out) and b (S, out)."""
        if self._layers[0][1].base is not self.theta:  # a copy, or theta was put in anew
            self._layers = self.mlp.unflatten(self.theta)
        return self._layers

    def parameters(self) -> list[np.ndarray]:
        """All parameters, as networks in torch list them."""
        return [self.theta]

    def state_dict(self) -> dict[str, np.ndarray]:
        """What a record stores, as networks in torch name it."""
        return {"theta": self.theta}

    def load_state_dict(self, state) -> None:
        """Take over stored parameters.

        Raises:
            ValueError: they are those of another network.
        """
        shapes = {name: tuple(value.shape) for name, value in state.items()}
        if shapes != {"theta": self.theta.shape}:
            raise ValueError(f"state has {shapes}; allowed: theta {self.theta.shape}")
        self.theta[...] = state["theta"]


class Actor(Network):
    """The policy a = μ(s,u), squashed into the action box; theta is u."""

    def __init__(self, state_dim: int, squash: Squash, hidden, streams: Streams, dtype: np.dtype):
        super().__init__((state_dim, *hidden, len(squash.low)), streams, dtype)
        self.center, self.half_range = squash.center.astype(dtype), squash.half_range.astype(dtype)

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

    def __init__(self, state_dim: int, action_dim: int, hidden, streams: Streams, dtype: np.dtype):
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


class Adam:
    """Gradient steps, each coordinate divided by the recent size of its gradient.

    Args:
        lr: learning rate.
        beta1: memory of the mean of gradients.
        beta2: memory of the mean of squared gradients.
        eps: added to the divisor.

    Source: Kingma and Ba (2015), Algorithm 1; the defaults are theirs and `torch.optim.Adam`'s.
    """

    def __init__(self, lr: float, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.t, self.mean, self.square = 0, 0.0, 0.0

    def descend(self, theta: np.ndarray, gradient: np.ndarray) -> None:
        """Move theta downhill, in place."""
        self.t += 1
        self.mean += (1 - self.beta1) * (gradient - self.mean)
        self.square += (1 - self.beta2) * (gradient**2 - self.square)
        # Both averages started at 0. Dividing them by 1 − β^t makes up for it; done to the numbers
        # beside them instead, that takes no pass over the arrays.
        unbias = (1 - self.beta2**self.t) ** 0.5
        lr = self.lr * unbias / (1 - self.beta1**self.t)
        theta -= lr * self.mean / (np.sqrt(self.square) + self.eps * unbias)

    def ascend(self, theta: np.ndarray, gradient: np.ndarray) -> None:
        """Move theta uphill, in place."""
        self.descend(theta, -gradient)


def follow(slow: np.ndarray, fast: np.ndarray, tau: float) -> None:
    """Move slow parameters the share τ of the way to the fast ones, in place."""
    slow += tau * (fast - slow)


class DDPGByHand(Behavior):
    """One DDPG agent per seed, updated together; with one seed, one agent.

    Args:
        config: hyperparameters.
        state_dim: d.
        squash: bounds of the action box, (m,).
        streams: random streams, which fix the number S of seeds.
        dtype: of networks and batches, float32 or float64.

    Raises:
        ValueError: another dtype; a state_dim below 1; an action_layer or a critic_l2 that only the
            agent in torch knows; on `update`, a field of the wrong shape.

    Source: Lillicrap et al. (2016), Algorithm 1.
    """

    def __init__(
        self, config: DDPGConfig, state_dim: int, squash: Squash, streams: Streams, dtype="float32"
    ):
        self.config, self.squash, self.dtype = config, squash, np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype is {self.dtype}; allowed: float32 or float64")
        for name, allowed in (("action_layer", 1), ("critic_l2", 0)):
            if getattr(config, name) != allowed:
                raise ValueError(f"{name} is {getattr(config, name)}; allowed by hand: {allowed}")
        self.state_dim, self.action_dim = state_dim, len(squash.low)
        self.exploration = streams.exploration
        self.actor = Actor(state_dim, squash, config.hidden, streams, self.dtype)
        self.critic = Critic(state_dim, self.action_dim, config.hidden, streams, self.dtype)
        self.actor_target = copy.deepcopy(self.actor)
        self.critic_target = copy.deepcopy(self.critic)
        self.noise = self.new_noise()
        self.actor_optimizer = Adam(config.actor_lr)
        self.critic_optimizer = Adam(config.critic_lr)

    def act(self, s) -> np.ndarray:
        """Noiseless actions (S, B, m) for states (S, B, d)."""
        return self.actor.mu(np.asarray(s, dtype=self.dtype))[0]

    def update(self, batch: Batch) -> None:
        """One pass through the algorithm box."""
        batch = self._arrays(batch)
        y = self.td_target(batch)  # set y_i
        self.critic_step(batch, y)  # update the critic by minimizing the loss
        self.actor_step(batch.s)  # update the actor by the sampled policy gradient
        self.target_step()  # update the target networks

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
        """Ascend the batch mean of Q(s, μ(s,u), w) with w held: (1/B) Σ_i J_iᵀ g_i."""
        a, trace = self.actor.mu(s)  # (..., B, m)
        g = self.critic.dQ_da(s, a)  # ∇_aQ at a = μ(s,u), (..., B, m)
        gradient = self.actor.vjp(trace, g / s.shape[-2])
        self.actor_optimizer.ascend(self.actor.theta, gradient)

    def target_step(self) -> None:
        """Let both target networks follow: θ' ← τθ + (1 − τ)θ'."""
        follow(self.critic_target.theta, self.critic.theta, self.config.tau)
        follow(self.actor_target.theta, self.actor.theta, self.config.tau)

    def _arrays(self, batch: Batch) -> Batch:
        """The batch as arrays of the agent's dtype; tensors of that dtype are read in place."""
        batch = batch.map(lambda field: np.asarray(field, dtype=self.dtype))
        S, d, m = len(self.actor.theta), self.state_dim, self.action_dim
        B = batch.s.shape[-2] if batch.s.ndim > 1 and batch.s.size else 1
        allowed = Batch((S, B, d), (S, B, m), (S, B), (S, B, d), (S, B))
        for name, field, shape in zip(Batch._fields, batch, allowed, strict=True):
            if field.shape != shape:
                raise ValueError(f"{name} has shape {field.shape}; allowed: {shape}")
        return batch
