"""Attempts at the exercises of chapter 13."""

import math

import numpy as np
import torch

from dpgcourse.agents.policy_gradient import policy_gradient
from dpgcourse.envs.probe_tasks import ContextualBandit
from tests.exercises.attempts import Right, Wrong

LIMIT = {
    "share_098": 0.1968,
    "share_0999": 0.833,
    "who_should_fear_it": "agents with a discount near 1",
}
DOUBLE = {
    "executed_small": 0.8,
    "executed_large": 2,
    "does_not_matter_for": "0 and the two bounds",
    "why_not_half": "it is judged at μ(s), not at the executed action",
}
SIGN = "the actor descends Q"
SHAPES = "targets of shape (B, 1) minus values of shape (B,)"
FROZEN = "the target networks never move"
READ = {"run_A": SIGN, "run_B": SHAPES, "run_C": FROZEN, "run_D": "no alarm"}


def flat(tensors):
    return torch.cat([x.flatten() for x in tensors])


def wanted(agent, s):
    value = agent.critic(s, agent.actor(s)).mean()
    return flat(torch.autograd.grad(value, tuple(agent.actor.parameters())))


def handed(agent, s):
    agent.actor_step(s)
    return flat(p.grad for p in agent.actor.parameters())


def cosine(agent, s):
    right = wanted(agent, s)
    return torch.nn.functional.cosine_similarity(-handed(agent, s), right, dim=0)


def by_factors_in_numpy(agent, s):
    right = np.concatenate([x.ravel() for x in policy_gradient(agent.actor, agent.critic, s)])
    agent.actor_step(s)
    theirs = -np.concatenate([p.grad.numpy().ravel() for p in agent.actor.parameters()])
    unit = right / math.sqrt(sum(right**2))
    return unit @ theirs / np.linalg.norm(theirs)


def downhill(agent, s):
    right, given = wanted(agent, s), handed(agent, s)
    return given @ right / (given.norm() * right.norm())


def product(agent, s):
    right = wanted(agent, s)
    return -handed(agent, s) @ right


def bare_product(agent, s):
    right = wanted(agent, s)
    return handed(agent, s) @ right


def squared_lengths(agent, s):
    right, given = wanted(agent, s), -handed(agent, s)
    return (given * right).sum() / ((given**2).sum() * (right**2).sum())


def one_length(agent, s):
    right = wanted(agent, s)
    return -handed(agent, s) @ right / torch.linalg.norm(right)


def the_other_length(agent, s):
    right, given = wanted(agent, s), -handed(agent, s)
    return given @ right / given.norm()


def same_length_twice(agent, s):
    right = wanted(agent, s)
    return -handed(agent, s) @ right / right.norm() ** 2


def too_late(agent, s):
    given = -handed(agent, s)
    right = wanted(agent, s)
    return given @ right / (given.norm() * right.norm())


def by_difference(agent, s):
    right = wanted(agent, s)
    before = flat(agent.actor.parameters()).clone()
    agent.actor_step(s)
    move = flat(agent.actor.parameters()) - before
    return move @ right / (move.norm() * right.norm())


def slow_critic(agent, s):
    value = agent.critic_target(s, agent.actor(s)).mean()
    right = flat(torch.autograd.grad(value, tuple(agent.actor.parameters())))
    given = handed(agent, s)
    return -(given @ right) / (given.norm() * right.norm())


def with_itself(agent, s):
    given = -handed(agent, s)
    right = -flat(p.grad for p in agent.actor.parameters())
    return given @ right / (given.norm() * right.norm())


def lengths(agent, s):
    right = wanted(agent, s)
    return handed(agent, s).norm() / right.norm()


def radians(agent, s):
    return torch.arccos(cosine(agent, s).clamp(-1, 1))


class Push(ContextualBandit):
    def step(self, action):
        return self.state.copy(), float(action[0]), True, False, {}


class PushBySum(ContextualBandit):
    def step(self, action):
        s_next, _, terminated, truncated, info = super().step(action)
        return s_next, np.sum(action), terminated, truncated, info


def task(reward, terminated=True, truncated=False):
    """A class whose step pays a function of the action and of the state."""

    class Task(ContextualBandit):
        def step(self, action):
            paid = reward(action, self.state)
            return np.zeros(1), paid, terminated, truncated, {}

    return Task


def up(action, state):
    return action.item()


class Forgotten(ContextualBandit):
    pass


class NoReturn(ContextualBandit):
    def step(self, action):
        float(action[0])


RIGHT = [
    Right("fails-limit", LIMIT),
    Right("fails-limit", {**LIMIT, "share_098": 0.197, "share_0999": 1 - 1 / 5.995}),
    Right("fails-cosine", cosine),
    Right("fails-cosine", by_factors_in_numpy),
    Right("fails-push", Push),
    Right("fails-push", PushBySum),
    Right("fails-double", DOUBLE),
    Right("fails-read", READ),
]

WRONG = [
    Wrong("fails-limit", "what is left", {**LIMIT, "share_098": 0.803}, "This share is left"),
    Wrong("fails-limit", "percent", {**LIMIT, "share_0999": 83.3}, "as a fraction"),
    Wrong("fails-limit", "of the wrong value", {**LIMIT, "share_098": 0.245}, "share of the wrong"),
    Wrong("fails-limit", "difference", {**LIMIT, "share_098": 9.84}, "difference of the two"),
    Wrong("fails-limit", "the value", {**LIMIT, "share_0999": 166.8}, "the undervalued V"),
    Wrong("fails-limit", "one target", {**LIMIT, "share_098": 0.0049}, "lacks its future"),
    Wrong(
        "fails-limit",
        "small discount",
        {**LIMIT, "who_should_fear_it": "agents with a small discount"},
        "little is lost",
    ),
    Wrong("fails-limit", "all", {**LIMIT, "who_should_fear_it": "all agents alike"}, "two shares"),
    Wrong("fails-cosine", "downhill", downhill, "points downhill"),
    Wrong("fails-cosine", "inner product", product, "divided by both lengths"),
    Wrong("fails-cosine", "inner product, sign", bare_product, "with the wrong sign"),
    Wrong("fails-cosine", "squared lengths", squared_lengths, "take its square root"),
    Wrong("fails-cosine", "one length", one_length, "Only one length"),
    Wrong("fails-cosine", "the other length", the_other_length, "Only one length"),
    Wrong("fails-cosine", "one length twice", same_length_twice, "Both vectors have a length"),
    Wrong("fails-cosine", "after the step", too_late, "after the step"),
    Wrong("fails-cosine", "the move of u", by_difference, "Adam changes"),
    Wrong("fails-cosine", "target critic", slow_critic, "not of the target critic"),
    Wrong("fails-cosine", "with itself", with_itself, "with itself"),
    Wrong("fails-cosine", "lengths", lengths, "equally long"),
    Wrong("fails-cosine", "absolute", lambda agent, s: abs(cosine(agent, s)), "hides the sign"),
    Wrong("fails-cosine", "angle", radians, "This is the angle"),
    Wrong("fails-cosine", "distance", lambda agent, s: 1 - cosine(agent, s), "1 minus the cosine"),
    Wrong("fails-push", "not overridden", Forgotten, "Override `step`"),
    Wrong("fails-push", "no return", NoReturn, "returns None"),
    Wrong("fails-push", "sign", task(lambda a, s: -a.item()), "wrong sign"),
    Wrong("fails-push", "truncated", task(up, False, True), "A time limit, truncated"),
    Wrong("fails-push", "endless", task(up, False, False), "never ends"),
    Wrong("fails-push", "both flags", task(up, True, True), "only one of the flags"),
    Wrong("fails-push", "square", task(lambda a, s: float(a @ a)), "The square of the action"),
    Wrong("fails-push", "peak at 0", task(lambda a, s: -float(a @ a)), "a peak inside the box"),
    Wrong("fails-push", "size", task(lambda a, s: np.linalg.norm(a)), "both bounds are best"),
    Wrong("fails-push", "peak at 2", task(lambda a, s: -((2 - a[0]) ** 2)), "the slope is 0 there"),
    Wrong("fails-push", "sign of a", task(lambda a, s: 2.0 * (a[0] > 0) - 1), "no slope to climb"),
    Wrong("fails-push", "times s", task(lambda a, s: a[0] * s[0]), "factor of this reward"),
    Wrong("fails-push", "state", task(lambda a, s: s[0]), "The action must pay"),
    Wrong("fails-push", "minus s", task(lambda a, s: float(a[0] - s[0])), "is subtracted"),
    Wrong("fails-push", "clipped", task(lambda a, s: min(max(a[0], -1), 1)), "clipped at 1"),
    Wrong("fails-push", "an array", task(lambda a, s: a), "a single number"),
    Wrong("fails-double", "not stretched", {**DOUBLE, "executed_small": 0.4}, "a second time"),
    Wrong("fails-double", "divided", {**DOUBLE, "executed_small": 0.2}, "multiplies"),
    Wrong("fails-double", "twice more", {**DOUBLE, "executed_small": 1.6}, "not two"),
    Wrong("fails-double", "not clipped", {**DOUBLE, "executed_large": 3}, "clipped"),
    Wrong("fails-double", "0", {**DOUBLE, "does_not_matter_for": "0 only"}, "is the bound"),
    Wrong(
        "fails-double",
        "blames the critic",
        {**DOUBLE, "why_not_half": "its critic learns from wrong actions"},
        "its values are right",
    ),
    Wrong("fails-read", "A healthy", {**READ, "run_A": "no alarm"}, "had become worse"),
    Wrong("fails-read", "A frozen", {**READ, "run_A": FROZEN}, "far away"),
    Wrong("fails-read", "B sign", {**READ, "run_B": SIGN}, "has become better"),
    Wrong("fails-read", "B healthy", {**READ, "run_B": "no alarm"}, "tells nothing apart"),
    Wrong("fails-read", "C healthy", {**READ, "run_C": "no alarm"}, "as far away"),
    Wrong("fails-read", "C shapes", {**READ, "run_C": SHAPES}, "small beside the spread"),
    Wrong("fails-read", "D sign", {**READ, "run_D": SIGN}, "falling q_mean is no alarm"),
]
