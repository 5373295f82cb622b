"""The capstone: an agent that the reader has written, checked piece by piece and then trained.

The agent is a class with six methods, for one agent, with NumPy arrays at its border:

| method | does |
|---|---|
| `__init__(state_dim, low, high, seed)` | makes an agent; low and high, (m,), bound its actions |
| `act(s)` | the noiseless action (m,) in a state (d,) |
| `explore(s)` | the action (m,) that is executed in training: with noise, inside the bounds |
| `value(s, a)` | Q(s,a), (B,), for states (B, d) and actions (B, m) |
| `target(r, s_next, terminated)` | target values (B,), computed with the slow copies |
| `update(s, a, r, s_next, terminated)` | a step of the critic, the actor and the slow copies |

In a batch r and terminated are (B,), and terminated is 0 or 1. A time limit does not terminate.
"""

import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

from dpgcourse.envs.make import make_env
from dpgcourse.exercises.verdict import Verdict

METHODS = ("act", "explore", "value", "target", "update")
TITLE = "Capstone"
WARM_UP = 500
BATCH = 64


class _WrongError(Exception):
    """What is wrong with an agent, as a sentence."""


def check_agent(
    agent_class: Any,
    env: Any = "Pendulum-v1",
    steps: int = 6000,
    seed: int = 0,
    seconds: float = 120,
) -> Verdict:
    """Check the pieces of an agent, and train it.

    Args:
        agent_class: a class with the six methods above.
        env: a Gymnasium environment with a box of actions: a name, a class or a function.
        steps: environment steps of the training; 0 checks the pieces only.
        seed: of the agent and of the environment.
        seconds: that the training may take.

    Returns:
        A verdict. An exception in the agent's own code keeps its traceback.

    Raises:
        InvalidInputError: there is no such environment, or its actions are no bounded box.
    """
    done: list[tuple[str, str]] = []
    tasks = make_env(env), make_env(env)  # one to train in, one to judge in
    try:
        missing = [name for name in METHODS if not callable(getattr(agent_class, name, None))]
        if missing:
            raise _WrongError(f"The class has no method {', '.join(missing)}.")
        for name, check in PIECES.items():
            done.append((name, check(agent_class)))
        if steps:
            done.append(("training", _train(agent_class, *tasks, steps, seed, seconds)))
    except _WrongError as wrong:
        return Verdict(TITLE, False, str(wrong), tuple(done))
    return Verdict(TITLE, True, "Every piece is right.", tuple(done))


def _make(agent_class: Any, m: int = 1, d: int = 3, seed: int = 0, low=-2.0, high=2.0) -> Any:
    return agent_class(d, np.full(m, low), np.full(m, high), seed)


def _states(batch: int, d: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(batch, d))


def _require(condition: Any, text: str) -> None:
    if not condition:
        raise _WrongError(text)


def _shaped(value: Any, shape: tuple[int, ...], what: str) -> np.ndarray:
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    array = np.asarray(value)
    _require(
        array.shape == shape and array.dtype.kind in "biuf",
        f"{what} returns the shape {array.shape}; {shape} is asked for.",
    )
    _require(np.isfinite(array).all(), f"{what} returns a number that is not finite.")
    return array.astype(float)


def _acts(agent_class: Any) -> str:
    for m, low, high in ((1, -2.0, 2.0), (3, 0.0, 0.5)):
        agent = _make(agent_class, m, low=low, high=high)
        for s in 30 * _states(20):
            a = _shaped(agent.act(s), (m,), "act")
            _require(
                ((low <= a + 1e-6) & (a <= high + 1e-6)).all(),
                f"act returns {a.round(3)}, outside the bounds {low:g} to {high:g}: squash it.",
            )
            _require(
                np.array_equal(a, _shaped(agent.act(s), (m,), "act")),
                "act returns another action for the same state: it must be without noise.",
            )
    return "inside two different boxes, the same for the same state"


def _explores(agent_class: Any) -> str:
    for m, low, high in ((1, -2.0, 2.0), (3, 0.0, 0.5)):
        agent, s = _make(agent_class, m, low=low, high=high), _states(1)[0]
        drawn = np.array([_shaped(agent.explore(s), (m,), "explore") for _ in range(400)])
        _require(
            drawn.min() >= low - 1e-6 and drawn.max() <= high + 1e-6,
            "explore leaves the bounds: clip after the noise is added.",
        )
        _require(drawn.std(0).min() > 1e-3 * (high - low), "explore has no noise.")
        mean, own = drawn.mean(0), agent.act(s)
        _require(
            np.abs(mean - own).max() < 0.25 * (high - low),
            "explore is not centered at act: add the noise to the policy's own action.",
        )
        if m > 1:
            between = np.corrcoef(drawn.T)[0, 1]
            _require(between < 0.9, "All entries of the action get the same noise: draw one each.")
    return "noisy around the policy's action, inside the bounds"


def _targets(agent_class: Any) -> str:
    agent, batch = _make(agent_class, m=2), 16
    s, r = _states(batch), np.random.default_rng(1).normal(size=batch)
    a = np.array([agent.act(x) for x in s])
    q = _shaped(agent.value(s, a), (batch,), "value")
    zeros, ones = np.zeros(batch), np.ones(batch)
    ends = _shaped(agent.target(r, s, ones), (batch,), "target")
    _require(
        np.allclose(ends, r, atol=1e-5),
        "The target of a terminated transition is not its reward: nothing follows there.",
    )
    goes_on = _shaped(agent.target(r, s, zeros), (batch,), "target") - r
    _require(np.abs(goes_on).max() > 1e-5, "The target has no value of the next state.")
    _require(
        not np.allclose(goes_on, q, rtol=1e-4, atol=1e-7),
        "The target lacks the discount γ.",
    )
    ratio = (goes_on @ q) / (q @ q)
    _require(
        np.allclose(goes_on, ratio * q, rtol=1e-3, atol=1e-6 + 1e-3 * np.abs(q).max()),
        "For a new agent the target is not r + γ Q(s', μ(s')): do the slow copies begin as "
        "copies, and is the next action the policy's own?",
    )
    _require(0 < ratio < 1, f"The target counts the next value {ratio:.3g} times; γ is below 1.")
    return f"r + {ratio:.3g} Q(s', μ(s')), and r alone at an end"


def _copies(agent_class: Any) -> str:
    agent, batch = _make(agent_class), 32
    s, rng = _states(batch), np.random.default_rng(2)
    a, zeros, ones = rng.uniform(-2, 2, size=(batch, 1)), np.zeros(batch), np.ones(batch)

    own = np.array([agent.act(x) for x in s])

    def both() -> tuple[np.ndarray, np.ndarray]:
        return np.asarray(agent.value(s, own)), np.asarray(agent.target(zeros, s, zeros))

    value, target = both()
    for _ in range(20):
        agent.update(s, a, 100 + zeros, s, ones)
    moved, followed = (np.abs(x - y).mean() for x, y in zip(both(), (value, target), strict=True))
    _require(moved > 1e-3, "update does not change Q.")
    _require(followed > 1e-9, "The slow copies never move.")
    _require(
        followed < 0.7 * moved,
        "The targets follow Q at once: let slow copies move a small part of the way.",
    )
    return f"after 20 updates the targets have gone {followed / moved:.0%} of the way of Q"


def _learns(agent_class: Any) -> str:
    """A task of one step, reward -(a - s₀)²: the critic must fit it, the actor must climb it."""
    agent, rng = _make(agent_class, d=2), np.random.default_rng(3)
    s = rng.uniform(-1, 1, size=(1024, 2))
    a = rng.uniform(-2, 2, size=(1024, 1))
    r = -((a[:, 0] - s[:, 0]) ** 2)
    ends, before = np.ones(BATCH), _slope(agent)
    for _ in range(600):
        i = rng.integers(1024, size=BATCH)
        agent.update(s[i], a[i], r[i], s[i], ends)
    q = _shaped(agent.value(s, a), (1024,), "value")
    _require(
        q.std() > 0.3 * r.std(),
        "Q tends to the same number everywhere. Do values (B,) meet targets (B, 1) in the loss?",
    )
    fit = np.corrcoef(q, r)[0, 1]
    _require(
        fit > 0.8, f"Q does not fit a task of one step: correlation {fit:.2f} with the reward."
    )
    _require(
        abs(_slope(agent) - before) > 1e-3,
        "The actor does not move. Does the gradient reach it through the action?",
    )
    chosen = np.array([agent.act(x)[0] for x in s])
    earned = -((chosen - s[:, 0]) ** 2)
    _require(
        earned.mean() > r.mean(),
        "The actor goes to actions that are worse than random ones: it descends Q, or takes "
        "the slope of Q at another action than its own.",
    )
    miss = np.abs(chosen - s[:, 0]).mean()
    _require(
        miss < 0.35,
        f"The actor misses the best action of a task of one step by {miss:.2f} on average. Is "
        "the slope of Q taken at the policy's own action, and summed in the right way?",
    )
    return f"a task of one step: misses the best action by {miss:.2f}"


def _slope(agent: Any) -> float:
    left, right = (float(agent.act(np.array([x, 0.0]))[0]) for x in (-1.0, 1.0))
    return right - left


PIECES: dict[str, Callable[[Any], str]] = {
    "act": _acts,
    "explore": _explores,
    "target": _targets,
    "slow copies": _copies,
    "learning": _learns,
}


def _train(
    agent_class: Any, task: gym.Env, judge: gym.Env, steps: int, seed: int, seconds: float
) -> str:
    """Train with a replay of everything; compare with random actions on common starts."""
    box, observations = task.action_space, task.observation_space
    assert isinstance(box, gym.spaces.Box)  # make_env has refused other spaces
    assert isinstance(observations, gym.spaces.Box)
    rng, end = np.random.default_rng(seed), time.monotonic() + seconds
    agent = agent_class(observations.shape[0], box.low, box.high, seed)
    memory: list[tuple] = []
    s, _ = task.reset(seed=seed)
    for step in range(steps):
        a = rng.uniform(box.low, box.high) if step < WARM_UP else agent.explore(s)
        a = np.asarray(a, dtype=box.dtype)
        s_next, r, terminated, truncated, _ = task.step(a)
        memory.append((s, a, r, s_next, float(terminated)))  # a time limit is no end
        s = task.reset()[0] if terminated or truncated else s_next
        if step >= WARM_UP:
            drawn = [memory[i] for i in rng.integers(len(memory), size=BATCH)]
            agent.update(*(np.array(x) for x in zip(*drawn, strict=True)))
        _require(time.monotonic() < end, f"The training takes longer than {seconds:g} seconds.")
    own = _returns(judge, agent.act)
    chance = _returns(judge, lambda s: rng.uniform(box.low, box.high).astype(box.dtype))
    text = f"{own.mean():.0f} on ten starts, random actions {chance.mean():.0f}"
    better = (own > chance).sum()
    _require(
        better >= 9,
        f"After {steps:,} steps the agent is better than random actions on {better} of ten "
        f"starts; 9 are asked for: {text}.",
    )
    return text


def _returns(env: gym.Env, act: Callable, episodes: int = 10) -> np.ndarray:
    returns = np.zeros(episodes)
    for i in range(episodes):
        s, _ = env.reset(seed=1000 + i)
        over = False
        while not over:
            s, r, terminated, truncated, _ = env.step(np.asarray(act(s), env.action_space.dtype))
            returns[i] += float(r)
            over = terminated or truncated
    return returns
