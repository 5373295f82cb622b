"""Exercises of chapter 13, when it fails."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.faulty import FAULTY_AGENTS
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.envs.probe_tasks import ContextualBandit
from dpgcourse.exercises.exercise import (
    AnswersExercise,
    Asked,
    Exercise,
    FunctionExercise,
    Mistake,
)
from dpgcourse.gradient.action_box import ActionBox

# --- A constant reward under a time limit ---------------------------------------------------------

_FRACTION = "Give the share as a fraction of the right value, between 0 and 1."
_LEFT = "This share is left. How much is missing?"
_OF_WRONG = "This is a share of the wrong value. Divide by the right one, 1/(1 − γ)."
_DIFFERENCE = "This is the difference of the two values. Divide it by the right one."
_WRONG_VALUE = (
    "This is the undervalued V itself. How far is it below 1/(1 − γ), as a share of that?"
)
_ONE_TARGET = (
    "One target in T lacks its future, and every earlier value inherits that: solve for V."
)


def _share(gamma: float, right: float) -> Asked:
    value = 1 / (1 - gamma)
    short = value * (1 - right)
    return Asked(
        right,
        {
            1 - right: _LEFT,
            100 * right: _FRACTION,
            value / short - 1: _OF_WRONG,
            value - short: _DIFFERENCE,
            short: _WRONG_VALUE,
            gamma / 200: _ONE_TARGET,
            1 / 200: _ONE_TARGET,
        },
        rtol=4e-3,
    )


def _undervalued(gamma: float) -> float:
    """Missing share of a constant reward's value, by running V ← 1 + γ (1 − 1/200) V."""
    V = 0.0
    for _ in range(20_000):
        V = 1 + gamma * (1 - 1 / 200) * V
    return 1 - V * (1 - gamma)


# --- Does the actor move along its own gradient? --------------------------------------------------


def _agent(name: str, s: torch.Tensor) -> Any:
    """An agent with large random weights, whose targets are other networks than the trained."""
    m = s.shape[-1] - 2  # one or two action entries
    agent_class: Any = DDPG if name == "ddpg" else FAULTY_AGENTS[name]
    config = DDPGConfig(hidden_sizes=(6,), actor_lr=0.05)
    box = ActionBox([-2.0] * m, [2.0] * m)
    agent = agent_class(config, s.shape[-1], box, random_streams([0]), torch.float64)
    normal = torch.Generator().manual_seed(1)
    for network in agent.networks.values():
        theta = network.theta
        theta.data = torch.randn(theta.shape, generator=normal, dtype=theta.dtype)
    drawn = torch.rand((*s.shape[:-1], m), generator=normal, dtype=torch.float64)
    agent.replayed = 4 * drawn - 2  # the actions that replay-action has in hand
    return agent


def _cosine_cases(rng):
    names = ("ddpg", "wrong-sign", "replay-action", "target-critic-in-actor")
    for name in names:
        for B, d in ((5, 3), (1, 4)):
            yield name, torch.tensor(rng.normal(size=(1, B, d)).round(2))
    _stepped("ddpg", torch.zeros(1, 1, 3).double())  # torch loads its optimizers at the first step


def _slopes(agent: Any, critic: Any, s: torch.Tensor, apart: Any = 0) -> np.ndarray:
    """Central differences of the mean of a critic, `apart` from the actor's own actions.

    Each parameter of the actor moves up in one copy of it and down in another; all copies answer
    together.
    """
    theta = agent.actor.theta.detach()  # (1, n)
    step = 1e-6 * torch.eye(theta.shape[-1], dtype=theta.dtype)
    copies = copy.deepcopy(agent.actor)
    copies.theta.data = torch.cat((theta + step, theta - step))
    s = s.expand(len(copies.theta), -1, -1)
    with torch.no_grad():
        a = copies(s) + apart
        values = critic(s.flatten(0, 1)[None], a.flatten(0, 1)[None])
    ahead, behind = values.reshape(a.shape[:2]).mean(-1).chunk(2)
    return ((ahead - behind) / 2e-6).numpy()


def _uphill(agent: Any, s: torch.Tensor) -> np.ndarray:
    """The right direction."""
    return _slopes(agent, agent.critic, s)


def _goes(name: str, s: torch.Tensor) -> np.ndarray:
    """The direction that the actor takes."""
    agent = _agent(name, s)
    if name == "replay-action":  # moves as the actor does, but begins at the replay's actions
        with torch.no_grad():
            return _slopes(agent, agent.critic, s, agent.replayed - agent.actor(s))
    if name == "target-critic-in-actor":
        return _slopes(agent, agent.critic_target, s)
    return -_uphill(agent, s) if name == "wrong-sign" else _uphill(agent, s)


def _angle(one: np.ndarray, other: np.ndarray) -> float:
    """The cosine of the angle between two vectors."""
    return float(one @ other / np.sqrt((one @ one) * (other @ other)))


def _made_of(new: Callable[[np.ndarray, np.ndarray], float]):
    """A number made of two vectors: where the actor goes, and where it should."""
    return lambda name, s: new(_goes(name, s), _uphill(_agent(name, s), s))


def _stepped(name: str, s: torch.Tensor) -> Any:
    agent = _agent(name, s)
    agent.actor_step(s)
    return agent


def _after_the_step(name, s):
    return _angle(_goes(name, s), _uphill(_stepped(name, s), s))


def _by_the_move(name, s):
    before, after = _agent(name, s), _stepped(name, s)
    move = (after.actor.theta - before.actor.theta)[0].detach().numpy()
    return _angle(move, _uphill(before, s))


def _by_the_target(name, s):
    agent = _agent(name, s)
    return _angle(_goes(name, s), _slopes(agent, agent.critic_target, s))


# --- A probe that tells two mistakes apart --------------------------------------------------------

_START = float(ContextualBandit().reset(seed=3)[0][0])  # the state that `_one_step` begins in


def _one_step(answer: Any, action: np.ndarray) -> tuple[float, bool, bool] | None:
    env = answer()
    env.reset(seed=3)
    outcome = env.step(action)
    if outcome is None:
        return None
    _, reward, terminated, truncated, _ = outcome
    if np.ndim(reward):
        raise TypeError("the reward is an array; it must be a single number")
    return float(reward), bool(terminated), bool(truncated)


def _rewarded(reward: Callable[[float], float]):
    return lambda action: (reward(float(action[0])), True, False)


# --- Which mistake do the logged numbers show? ----------------------------------------------------

_SIGN = "the actor descends Q"
_SHAPES = "targets of shape (B, 1) minus values of shape (B,)"
_FROZEN = "the target networks never move"
_NO_ALARM = "no alarm"

EXERCISES: tuple[Exercise, ...] = (
    AnswersExercise(
        label="fails-limit",
        asked={
            "share_098": _share(0.98, _undervalued(0.98)),
            "share_0999": _share(0.999, _undervalued(0.999)),
            "who_should_fear_it": Asked(
                "agents with a discount near 1",
                {
                    "agents with a small discount": "With a small γ little value lies behind the "
                    "limit, so little is lost.",
                    "agents with small rewards": "The share does not depend on the size of the "
                    "rewards.",
                    "all agents alike": "Compare your two shares.",
                },
            ),
        },
        checked="both shares, and who should fear the mistake",
    ),
    FunctionExercise(
        label="fails-cosine",
        name="cosine",
        parameters=("agent", "s"),
        cases=_cosine_cases,
        right=_made_of(_angle),
        use=lambda answer, name, s: answer(_agent(name, s), s),
        checked="four agents, one and two action entries, the gradients by central differences",
        mistakes=(
            Mistake(
                "The optimizer descends, so it is handed a vector that points downhill. Take its "
                "negative.",
                _made_of(lambda goes, uphill: -_angle(goes, uphill)),
            ),
            Mistake(
                "This is the inner product. A cosine is divided by both lengths.",
                _made_of(lambda goes, uphill: goes @ uphill),
            ),
            Mistake(
                "This is the inner product with the wrong sign, and not divided by both lengths.",
                _made_of(lambda goes, uphill: -goes @ uphill),
            ),
            Mistake(
                "The product of the squared lengths is too much: take its square root.",
                _made_of(lambda goes, uphill: goes @ uphill / ((goes @ goes) * (uphill @ uphill))),
            ),
            Mistake(
                "Only one length divides the inner product. Divide by the other length too.",
                _made_of(lambda goes, uphill: goes @ uphill / np.sqrt(uphill @ uphill)),
            ),
            Mistake(
                "Only one length divides the inner product. Divide by the other length too.",
                _made_of(lambda goes, uphill: goes @ uphill / np.sqrt(goes @ goes)),
            ),
            Mistake(
                "You divide twice by the length of the same vector. Both vectors have a length.",
                _made_of(lambda goes, uphill: goes @ uphill / (uphill @ uphill)),
            ),
            Mistake(
                "The right gradient is taken after the step, at parameters that have moved. "
                "Take it before.",
                _after_the_step,
            ),
            Mistake(
                "This compares how far u moved. Adam changes the direction: take what it was "
                "handed.",
                _by_the_move,
            ),
            Mistake(
                "The right gradient is that of `agent.critic`, not of the target critic.",
                _by_the_target,
            ),
            Mistake(
                "You compare what the agent handed over with itself. The right gradient comes "
                "from the batch mean of Q(s, μ(s)).",
                _made_of(lambda goes, uphill: _angle(goes, goes)),
            ),
            Mistake(
                "This compares the lengths. A vector and its negative are equally long.",
                _made_of(lambda goes, uphill: np.sqrt((goes @ goes) / (uphill @ uphill))),
            ),
            Mistake(
                "The absolute value hides the sign, and the sign is what you look for.",
                _made_of(lambda goes, uphill: abs(_angle(goes, uphill))),
            ),
            Mistake(
                "This is the angle. Its cosine is asked for.",
                _made_of(lambda goes, uphill: np.arccos(np.clip(_angle(goes, uphill), -1, 1))),
            ),
            Mistake(
                "This is 1 minus the cosine. The cosine is asked for.",
                _made_of(lambda goes, uphill: 1 - _angle(goes, uphill)),
            ),
        ),
        atol=1e-6,
    ),
    FunctionExercise(
        label="fails-push",
        name="Push",
        called="the class Push",
        parameters=("action",),
        cases=lambda rng: [(np.array([a]),) for a in (-2.0, -0.4, 0.7, 1.3, 2.0)],
        right=_rewarded(lambda a: a),
        use=_one_step,
        checked="reward, terminated and truncated of five actions",
        mistakes=(
            Mistake(
                "This is still the reward of ContextualBandit. Override `step`.",
                _rewarded(lambda a: -((a - _START) ** 2)),
            ),
            Mistake(
                "The reward has the wrong sign: a larger action must earn more.",
                _rewarded(lambda a: -a),
            ),
            Mistake(
                "The step ends the task: terminated. A time limit, truncated, is something else.",
                lambda action: (action[0], False, True),
            ),
            Mistake(
                "The task never ends. Its one step must be stored as an end.",
                lambda action: (action[0], False, False),
            ),
            Mistake(
                "The task ends, and no time limit stops it: only one of the flags is true.",
                lambda action: (action[0], True, True),
            ),
            Mistake(
                "The square of the action has another slope at every action, and the same value "
                "at −a.",
                _rewarded(lambda a: a**2),
            ),
            Mistake(
                "This reward has a peak inside the box. There the two mistakes are as hard to tell "
                "apart as before.",
                _rewarded(lambda a: -(a**2)),
            ),
            Mistake(
                "The size of the action pays, so both bounds are best. The sign must count.",
                _rewarded(lambda a: abs(a)),
            ),
            Mistake(
                "The best action is right, but the slope is 0 there. The slope must be the same at "
                "every action.",
                _rewarded(lambda a: -((a - 2) ** 2)),
            ),
            Mistake(
                "Only the sign of the action pays. That reward has no slope to climb.",
                _rewarded(lambda a: float(np.sign(a))),
            ),
            Mistake(
                "The state is a factor of this reward. In half of the states a larger action then "
                "earns less.",
                _rewarded(lambda a: a * _START),
            ),
            Mistake(
                "This reward is the state. The action must pay.", lambda action: (_START, 1, 0)
            ),
            Mistake(
                "The state is subtracted. The reward is the action alone.",
                _rewarded(lambda a: a - _START),
            ),
            Mistake(
                "The action is clipped at 1. The box of this task goes from −2 to 2.",
                _rewarded(lambda a: float(np.clip(a, -1, 1))),
            ),
        ),
    ),
    AnswersExercise(
        label="fails-double",
        asked={
            "executed_small": Asked(
                0.8,
                {
                    0.4: "This is what the actor asks for. The agent stretches it a second time.",
                    0.2: "The second stretch multiplies by half the width of the box, 2.",
                    1.6: "The network's output was stretched once to reach 0.4. One more stretch "
                    "is the mistake, not two.",
                },
            ),
            "executed_large": Asked(
                2,
                {
                    3: "No action leaves the box: it is clipped.",
                    1.5: "This is what the actor asks for. The agent stretches it a second time.",
                    0.75: "The second stretch multiplies by half the width of the box, 2.",
                },
            ),
            "does_not_matter_for": Asked(
                "0 and the two bounds",
                {
                    "0 only": "Twice a bound, clipped, is the bound.",
                    "all actions beyond 1": "1.5 is beyond 1. What is executed there?",
                    "no action": "Twice 0 is 0. And what is twice a bound, clipped?",
                },
            ),
            "why_not_half": Asked(
                "it is judged at μ(s), not at the executed action",
                {
                    "its critic learns from wrong actions": "The critic learns from the executed "
                    "actions, and its values are right for them.",
                    "the bounds do not let it": "Half of an action inside the box is inside the "
                    "box.",
                    "it needs more training": "Its actor has found the best action of its critic. "
                    "More steps change nothing.",
                },
            ),
        },
        checked="both executed actions, where the mistake hides, and why training does not heal it",
    ),
    AnswersExercise(
        label="fails-read",
        asked={
            "run_A": Asked(
                _SIGN,
                {
                    _SHAPES: "The values differ from each other by 13 times their errors. With "
                    "these shapes it would be less than 2.",
                    _FROZEN: "The lag is that of run D. A target that never moves is far away.",
                    _NO_ALARM: "At five of six evaluations the critic said that the actor had "
                    "become worse.",
                },
            ),
            "run_B": Asked(
                _SHAPES,
                {
                    _SIGN: "The critic says nearly always that the actor has become better.",
                    _FROZEN: "The lag is small: the target follows.",
                    _NO_ALARM: "The values differ from each other by less than their errors. "
                    "So the critic tells nothing apart.",
                },
            ),
            "run_C": Asked(
                _FROZEN,
                {
                    _SIGN: "The critic says mostly that the actor has become better.",
                    _SHAPES: "The errors are small beside the spread of the values.",
                    _NO_ALARM: "The target critic is 32 times as far away as the critic went since "
                    "the last evaluation.",
                },
            ),
            "run_D": Asked(
                _NO_ALARM,
                {
                    _SIGN: "The critic says nearly always that the actor has become better. "
                    "A falling q_mean is no alarm.",
                    _SHAPES: "The spread of the values is 40 times the errors. "
                    "A falling q_mean is no alarm.",
                    _FROZEN: "The lag is small: the target follows. A falling q_mean is no alarm.",
                },
            ),
        },
        checked="the four runs",
    ),
)
