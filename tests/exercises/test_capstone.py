"""The capstone's checker: a right agent passes, and each classic fault is named."""

import copy
import re
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from torch import nn

from dpgcourse.errors import InvalidInputError
from dpgcourse.exercises.capstone import check_agent


def tensors(*arrays):
    return [torch.as_tensor(np.asarray(x), dtype=torch.float32) for x in arrays]


class Right:
    """DDPG for one agent, as a reader might write it."""

    gamma, tau, sigma = 0.98, 0.01, 0.2

    def __init__(self, state_dim, low, high, seed):
        torch.manual_seed(seed)
        self.rng, m = np.random.default_rng(seed), len(low)
        self.low, self.high = tensors(low, high)
        self.actor = self.network(state_dim, m, nn.Tanh())
        self.critic = self.network(state_dim + m, 1, nn.Identity())
        self.slow_actor, self.slow_critic = copy.deepcopy((self.actor, self.critic))
        self.actor_steps = torch.optim.Adam(self.actor.parameters(), 1e-3)
        self.critic_steps = torch.optim.Adam(self.critic.parameters(), 1e-3)

    @staticmethod
    def network(inputs, outputs, last):
        hidden = [nn.Linear(inputs, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU()]
        return nn.Sequential(*hidden, nn.Linear(64, outputs), last)

    def mu(self, actor, s):
        return (self.low + self.high) / 2 + (self.high - self.low) / 2 * actor(s)

    def q(self, critic, s, a):
        return critic(torch.cat([s, a], -1)).squeeze(-1)

    def act(self, s):
        with torch.no_grad():
            return self.mu(self.actor, *tensors(s)).numpy()

    def draw(self, m):
        return self.rng.normal(size=m)

    def explore(self, s):
        low, high = self.low.numpy(), self.high.numpy()
        a = self.act(s)
        return np.clip(a + self.sigma * (high - low) / 2 * self.draw(len(a)), low, high)

    def value(self, s, a):
        with torch.no_grad():
            return self.q(self.critic, *tensors(s, a)).numpy()

    def target(self, r, s_next, terminated):
        r, s_next, terminated = tensors(r, s_next, terminated)
        with torch.no_grad():
            q = self.q(self.slow_critic, s_next, self.mu(self.slow_actor, s_next))
            return (r + self.gamma * (1 - terminated) * q).numpy()

    def critic_loss(self, s, a, y):
        return ((self.q(self.critic, s, a) - y) ** 2).mean()

    def actor_loss(self, s, a):
        return -self.q(self.critic, s, self.mu(self.actor, s)).mean()

    def update(self, s, a, r, s_next, terminated):
        s, a, y = tensors(s, a, self.target(r, s_next, terminated))
        self.critic_steps.zero_grad()
        self.critic_loss(s, a, y).backward()
        self.critic_steps.step()
        self.actor_steps.zero_grad()
        self.actor_loss(s, a).backward()
        self.actor_steps.step()
        self.follow()

    def follow(self):
        pairs = (self.slow_actor, self.actor), (self.slow_critic, self.critic)
        with torch.no_grad():
            for slow, fast in pairs:
                for p, q in zip(slow.parameters(), fast.parameters(), strict=True):
                    p.lerp_(q, self.tau)


class NoSquash(Right):
    def mu(self, actor, s):
        return actor[:-1](s)


class NoScale(Right):
    def mu(self, actor, s):
        return actor(s)


class NoisyAct(Right):
    def act(self, s):
        a = super().act(s) + 0.01 * self.rng.normal()
        return np.clip(a, self.low.numpy(), self.high.numpy())


class NoClip(Right):
    sigma = 3.0

    def explore(self, s):
        return self.act(s) + self.sigma * self.rng.normal(size=len(self.low))


class NoNoise(Right):
    sigma = 0.0


class OneNoise(Right):
    def draw(self, m):
        return np.full(m, self.rng.normal())


class ColumnValue(Right):
    def value(self, s, a):
        return super().value(s, a)[:, None]


class NoEnd(Right):
    def target(self, r, s_next, terminated):
        return super().target(r, s_next, 0 * terminated)


class Swapped(Right):
    def target(self, r, s_next, terminated):
        return super().target(r, s_next, 1 - terminated)


class NoDiscount(Right):
    gamma = 1.0


class NoBootstrap(Right):
    gamma = 0.0


class OtherCopies(Right):
    def __init__(self, *args):
        super().__init__(*args)
        for layer in self.slow_critic[::2]:
            layer.reset_parameters()


class FastCopies(Right):
    tau = 1.0


class FrozenCopies(Right):
    tau = 0.0


class Broadcast(Right):
    def critic_loss(self, s, a, y):
        return ((self.q(self.critic, s, a)[:, None] - y) ** 2).mean()


class FrozenCritic(Right):
    def critic_loss(self, s, a, y):
        return 0 * super().critic_loss(s, a, y)


class WrongSign(Right):
    def actor_loss(self, s, a):
        return -super().actor_loss(s, a)


class Detached(Right):
    def actor_loss(self, s, a):
        return 0 * self.mu(self.actor, s).sum()


class ReplayedAction(Right):
    def actor_loss(self, s, a):
        a = a.clone().requires_grad_()
        (g,) = torch.autograd.grad(self.q(self.critic, s, a).sum(), a)
        return -(g * self.mu(self.actor, s)).mean()


class Incomplete:
    def act(self, s):
        return s


FAULTS = {
    NoSquash: "outside the bounds",
    NoisyAct: "must be without noise",
    NoClip: "clip after the noise",
    NoNoise: "explore has no noise",
    OneNoise: "the same noise",
    ColumnValue: "value returns the shape (16, 1); (16,) is asked for",
    NoEnd: "not its reward",
    Swapped: "not its reward",
    NoDiscount: "lacks the discount",
    NoBootstrap: "no value of the next state",
    OtherCopies: "do the slow copies begin as copies",
    FastCopies: "follow Q at once",
    FrozenCopies: "never move",
    Broadcast: "the same number everywhere",
    FrozenCritic: "update does not change Q",
    WrongSign: "it descends Q, or",
    Detached: "does not move",
    ReplayedAction: "at another action than its own",
    NoScale: "outside the bounds",
    Incomplete: "has no method explore, value, target, update",
}


SLOW = (Broadcast, FrozenCritic, Detached, ReplayedAction)  # found after many updates


@pytest.mark.parametrize(
    "agent_class",
    [pytest.param(x, marks=[pytest.mark.long] if x in SLOW else []) for x in FAULTS],
    ids=lambda x: x.__name__,
)
def test_a_fault_is_named(agent_class):
    verdict = check_agent(agent_class, steps=0)
    assert not verdict
    assert FAULTS[agent_class] in verdict.message, str(verdict)


def test_the_class_to_begin_with_is_told_what_is_missing():
    page = (Path(__file__).resolve().parents[2] / "book/capstone.md").read_text(encoding="utf-8")
    begin = re.search(r"```python\n(class MyAgent:.*?)```", page, re.DOTALL)
    namespace = {}
    exec(begin[1], namespace)
    assert "act returns the shape ()" in check_agent(namespace["MyAgent"]).message


def test_the_page_shows_what_the_checker_says():
    page = (Path(__file__).resolve().parents[2] / "book/capstone.md").read_text(encoding="utf-8")
    assert f"```text\n{check_agent(NoDiscount, steps=0)}\n```" in page


def test_a_right_agent_passes_every_piece():
    verdict = check_agent(Right, steps=0)
    assert verdict, str(verdict)
    assert [name for name, _ in verdict.details] == [
        "act",
        "explore",
        "target",
        "slow copies",
        "learning",
    ]


@pytest.mark.long
def test_a_right_agent_learns_the_pendulum():
    verdict = check_agent(Right)
    assert verdict, str(verdict)
    assert verdict.details[-1][0] == "training"


class Line(gym.Env):
    """A point on a line: the nearer to 0, the better. Two actions, of which one counts."""

    observation_space = gym.spaces.Box(-10, 10, (1,))
    action_space = gym.spaces.Box(-1, 1, (2,))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x, self.t = self.np_random.uniform(-1, 1), 0
        return np.array([self.x], np.float32), {}

    def step(self, action):
        self.x = float(np.clip(self.x + 0.2 * action[0], -10, 10))
        self.t += 1
        return np.array([self.x], np.float32), -abs(self.x), False, self.t == 20, {}


@pytest.mark.long
def test_it_trains_in_any_environment_with_a_box_of_actions():
    assert check_agent(Right, Line, steps=1500)


@pytest.mark.parametrize("terminates", [False, True])
def test_a_time_limit_is_no_end_and_an_end_is(terminates):
    seen = set()

    class Ends(Line):
        def step(self, action):
            s, r, _, over, info = super().step(action)
            return s, r, over and terminates, over, info

    class Notes(Right):
        def update(self, s, a, r, s_next, terminated):
            if s.shape[1] == 1:  # of `Ends`; the pieces have longer states
                seen.update(terminated.tolist())
            super().update(s, a, r, s_next, terminated)

    check_agent(Notes, Ends, steps=520)
    assert seen == ({0.0, 1.0} if terminates else {0.0})


def test_an_agent_that_has_not_learned_is_told_so():
    verdict = check_agent(Right, Line, steps=1)
    assert "9 are asked for" in verdict.message
    assert len(verdict.details) == 5


@pytest.mark.long
def test_a_training_has_a_limit_of_time():
    assert "takes longer than 0 seconds" in check_agent(Right, Line, seconds=0).message


def test_an_environment_without_a_box_of_actions_is_refused():
    with pytest.raises(InvalidInputError, match="CartPole"):
        check_agent(Right, "CartPole-v1")


def test_an_exception_in_the_agent_keeps_its_traceback():
    class Broken(Right):
        def update(self, *batch):
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        check_agent(Broken)
