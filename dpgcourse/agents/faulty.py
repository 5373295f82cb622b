"""Chapter 13: agents that run without an error, each with one mistake.

Every class replaces one step of `dpgcourse.agents.ddpg.DDPG` and keeps the rest. Its docstring
says what is wrong. `FAULTY_AGENTS` are the ten that `dpgcourse.analysis.diagnosis` names.
`FIELD_FAULTS` are five more that users have reported, and that it does not know. `TERMINAL_FAULTS`
needs a task that can end, which the pendulum cannot (chapter 15).
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from dpgcourse.agents.base import State, adam_state
from dpgcourse.agents.batch import Batch
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.noise import GaussianNoise
from dpgcourse.agents.policy_gradient import ascend, policy_gradient
from dpgcourse.agents.target_network import polyak_update


class WrongSign(DDPG):
    """The actor descends Q: the minus that optimizers need has been forgotten."""

    def actor_step(self, s: Tensor) -> None:
        """Descend the batch mean of Q."""
        gradient = policy_gradient(self.actor, self.critic, s)
        ascend(self.actor, tuple(-slope for slope in gradient), self.actor_optimizer)


class ReplayAction(DDPG):
    """∇_aQ is taken at the action of the replay instead of at μ(s,u)."""

    def update(self, batch: Batch) -> None:
        """One pass through the algorithm box, the replay's actions in hand."""
        self.replayed = self.tensor(batch.a)
        super().update(batch)

    def actor_step(self, s: Tensor) -> None:
        """Ascend with the action gradient of the wrong place."""

        def critic(s, a):
            return self.critic(s, self.replayed + a - a.detach())  # the replay's a, a slope of 1

        ascend(self.actor, policy_gradient(self.actor, critic, s), self.actor_optimizer)


class TargetCriticInActor(DDPG):
    """The actor ascends the target critic instead of the critic, and so a critic of the past."""

    def actor_step(self, s: Tensor) -> None:
        """Ascend the target critic."""
        gradient = policy_gradient(self.actor, self.critic_target, s)
        ascend(self.actor, gradient, self.actor_optimizer)


class TruncatedAsDone(DDPG):
    """A time limit counts as an end of the task."""

    def terminal_flags(self, terminated, truncated) -> np.ndarray:
        """Both kinds of ending, mixed up."""
        return terminated | truncated


class DoubleScaling(DDPG):
    """Actions that already fit the box are stretched to it once more on their way out."""

    def act(self, observation) -> np.ndarray:
        """The policy's actions, scaled twice, then clipped."""
        a = self.box.center + self.box.half_range * super().act(observation)
        return np.clip(a, self.box.low, self.box.high)


class BroadcastTarget(DDPG):
    """[B] minus [B,1]: every value is compared with every target of the batch."""

    def critic_step(self, batch: Batch, y: Tensor) -> None:
        """Descend the mean of B² differences."""
        delta = y[..., None] - self.critic(batch.s, batch.a)[..., None, :]  # (..., B, B)
        self.critic_optimizer.zero_grad()
        (delta**2).mean((-2, -1)).sum().backward()
        self.critic_optimizer.step()


class _KeepsGradients(DDPG):
    """DDPG whose critic's gradients outlive an update, so that they belong to its state."""

    def state(self) -> State:
        """As DDPG's, and the gradients that nobody clears."""
        left = {
            f"critic_gradient.{key}": np.zeros(x.shape, np.float32) if x.grad is None else
            x.grad.numpy().copy()
            for key, x in self.critic.named_parameters()
        }  # fmt: skip
        return {**super().state(), **left}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` or `policy_state` returned; what is missing stays as it is."""
        super().load_state(state)
        for key, x in self.critic.named_parameters():
            if (left := state.get(f"critic_gradient.{key}")) is not None:
                x.grad = self.tensor(np.array(left))


class MissingZeroGrad(_KeepsGradients):
    """The actor's backward pass fills the critic's gradients, and nobody clears them."""

    def critic_step(self, batch: Batch, y: Tensor) -> None:
        """Descend δ², plus what the actor step left behind."""
        delta = y - self.critic(batch.s, batch.a)  # (..., B)
        (delta**2).mean(-1).sum().backward()
        self.critic_optimizer.step()

    def actor_step(self, s: Tensor) -> None:
        """Ascend Q by a backward pass through the critic's parameters as well."""
        self.critic_optimizer.zero_grad()  # too early: the backward pass below fills them again
        self.actor_optimizer.zero_grad()
        (-self.critic(s, self.actor(s)).mean(-1).sum()).backward()
        self.actor_optimizer.step()


class SharedGaussianNoise(GaussianNoise):
    """Normal noise that is the same for every entry of the action."""

    def __call__(self) -> np.ndarray:
        """The noise of one step, (S, m)."""
        return self.scale * np.array([[rng.standard_normal()] for rng in self.rngs])


class SharedNoise(DDPG):
    """One draw of noise per step, shared by all entries of the action."""

    def make_noise(self) -> SharedGaussianNoise:
        """Noise that is the same for all entries."""
        return SharedGaussianNoise(super().make_noise().scale, self.streams.exploration)


class NoDetach(DDPG):
    """The target comes from the critic itself, and its gradient flows into w as well."""

    def td_target(self, batch: Batch) -> Tensor:
        """y = r + γ (1 − terminated) Q(s', μ(s')), shape (..., B), no constant."""
        q_next = self.critic(batch.s_next, self.actor(batch.s_next))  # (..., B)
        gamma = batch.bootstrap_discount(self.config.gamma)
        return batch.r + gamma * (1 - batch.terminated) * q_next


class FrozenTargets(DDPG):
    """The targets are never updated."""

    def update_targets(self) -> None:
        """Do nothing."""


FAULTY_AGENTS: dict[str, type[DDPG]] = {
    "wrong-sign": WrongSign,
    "replay-action": ReplayAction,
    "target-critic-in-actor": TargetCriticInActor,
    "truncated-as-done": TruncatedAsDone,
    "double-scaling": DoubleScaling,
    "broadcast-target": BroadcastTarget,
    "missing-zero-grad": MissingZeroGrad,
    "shared-noise": SharedNoise,
    "no-detach": NoDetach,
    "frozen-targets": FrozenTargets,
}
"""Every faulty agent by the name of its bug."""


class NoActorGradient(DDPG):
    """The action is detached on its way into the critic, so no gradient reaches the actor."""

    def actor_step(self, s: Tensor) -> None:
        """Step with an optimizer that is handed no gradient."""
        self.actor_optimizer.zero_grad()
        (-self.critic(s, self.actor(s).detach()).mean(-1).sum()).backward()
        self.actor_optimizer.step()


class _OneOptimizerForBoth(DDPG):
    """DDPG whose actor's optimizer owns the critic's parameters too, and remembers them."""

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.actor_optimizer.add_param_group({"params": list(self.critic.parameters())})

    def state(self) -> State:
        """As DDPG's, and what the actor's optimizer remembers of the critic."""
        state = super().state()
        for key, x in self.critic.named_parameters():
            known = self.actor_optimizer.state.get(x, {})
            prefix = f"actor_optimizer.critic.{key}"
            state[f"{prefix}.step"] = np.full(self.num_seeds, np.float32(known.get("step", 0.0)))
            for part in ("exp_avg", "exp_avg_sq"):
                state[f"{prefix}.{part}"] = known.get(part, torch.zeros_like(x)).numpy().copy()
        return state

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` or `policy_state` returned; what is missing stays as it is."""
        super().load_state(state)
        for key, x in self.critic.named_parameters():
            if (stored := adam_state(state, f"actor_optimizer.critic.{key}")) is not None:
                step, *averages = stored
                self.actor_optimizer.state[x] = {"step": torch.tensor(float(step[0]))} | dict(
                    zip(("exp_avg", "exp_avg_sq"), map(self.tensor, averages), strict=True)
                )


class SharedOptimizer(_OneOptimizerForBoth):
    """The actor's optimizer was given the parameters of the critic as well."""

    def actor_step(self, s: Tensor) -> None:
        """Move both networks so that Q(s, μ(s)) rises."""
        self.actor_optimizer.zero_grad()
        (-self.critic(s, self.actor(s)).mean(-1).sum()).backward()
        self.actor_optimizer.step()


class SwappedTau(DDPG):
    """The weights τ and 1 − τ have changed places: the targets are almost the trained networks."""

    def update_targets(self) -> None:
        """Move both target networks nearly all the way."""
        polyak_update(self.critic_target, self.critic, 1 - self.config.tau)
        polyak_update(self.actor_target, self.actor, 1 - self.config.tau)


class MissingGamma(DDPG):
    """The target lacks the discount."""

    @torch.no_grad()
    def td_target(self, batch: Batch) -> Tensor:
        """y = r + (1 − terminated) Q'(s', μ'(s')), shape (..., B)."""
        q_next = self.target_q(batch.s_next, self.target_action(batch.s_next))  # (..., B)
        return batch.r + (1 - batch.terminated) * q_next


class TargetAtS(DDPG):
    """The target looks at the state that was left instead of the state that was reached."""

    def td_target(self, batch: Batch) -> Tensor:
        """y = r + γ (1 − terminated) Q'(s, μ'(s)), shape (..., B), a constant."""
        return super().td_target(batch._replace(s_next=batch.s))


FIELD_FAULTS: dict[str, type[DDPG]] = {
    "no-actor-gradient": NoActorGradient,
    "shared-optimizer": SharedOptimizer,
    "swapped-tau": SwappedTau,
    "missing-gamma": MissingGamma,
    "target-at-s": TargetAtS,
}
"""Mistakes that users have reported, by name; no rule of the diagnosis was written for them."""


class TerminatedIgnored(DDPG):
    """The target looks beyond the end of the task, as if rewards went on after it."""

    def terminal_flags(self, terminated, truncated) -> np.ndarray:
        """No end at all."""
        return np.zeros_like(terminated)


TERMINAL_FAULTS: dict[str, type[DDPG]] = {"terminated-ignored": TerminatedIgnored}
"""The mistake that no task without an end can show."""
