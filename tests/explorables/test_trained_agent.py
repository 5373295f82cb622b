"""The page's actor, critic and pendulum are those of Python, at every stage of the training."""

import numpy as np
import pytest

from dpgcourse import results_path
from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.numpy_ddpg import NumpyDDPG
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.envs.vector_pendulum import pendulum_step
from dpgcourse.figures.training_stages import NOTES, for_page, pack, read_stages
from dpgcourse.gradient.action_box import ActionBox
from tests.explorables.node import call

PATH = results_path("trained-agent/stages.safetensors")
STAGES, HEADER = read_stages(PATH)
BOX = ActionBox([-2.0], [2.0])
LAST = len(STAGES["updates"]) - 1


def agent_at(stage: int) -> NumpyDDPG:
    """The stored agent, in Python."""
    agent = NumpyDDPG(DDPGConfig(hidden_sizes=(24, 24)), 3, BOX, random_streams([0]))
    actor, critic = (STAGES[name][stage][None] for name in ("actors", "critics"))
    agent.load_state({"actor.theta": actor, "critic.theta": critic})
    return agent


def observed(states: np.ndarray) -> np.ndarray:
    """What an agent sees of states [θ, θ̇], (n, 2): (1, n, 3)."""
    theta, speed = states.T
    return np.stack([np.cos(theta), np.sin(theta), speed], -1)[None].astype(np.float32)


def random_states(n: int) -> np.ndarray:
    draw = np.random.default_rng(0)
    return np.stack([draw.uniform(-np.pi, np.pi, n), draw.uniform(-8, 8, n)], axis=1)


def difference(params: dict, stage: int) -> dict[str, float]:
    """The largest differences of torques, and of values and slopes relative to the largest."""
    states = random_states(200)
    torques = np.random.default_rng(1).uniform(-2, 2, 200)
    found = call("stages", "answers", params, stage, states.tolist(), torques.tolist())
    agent, s, a = agent_at(stage), observed(states), torques[None, :, None]
    q, slopes = agent.q(s, a)[0], agent.dq_da(s, a)[0, :, 0]
    return {
        "policy": np.abs(np.array(found["policy"]) - agent.policy(s)[0, :, 0]).max(),
        "values": np.abs(np.array(found["values"]) - q).max() / np.abs(q).max(),
        "slopes": np.abs(np.array(found["slopes"]) - slopes).max() / np.abs(slopes).max(),
    }


@pytest.mark.parametrize("stage", range(LAST + 1))
def test_the_pages_networks_are_those_of_python(stage):
    found = difference(for_page(PATH, "full"), stage)
    assert max(found.values()) < 1e-4


def test_a_network_that_is_read_wrongly_is_noticed():
    params = for_page(PATH, "full")
    theta = STAGES["actors"][LAST].copy()
    theta[0] *= 1.05  # one weight of 721
    params["actors"][LAST] = pack(theta)
    assert difference(params, LAST)["policy"] > 1e-3
    params = for_page(PATH, "full")
    params["critics"][LAST] = params["critics"][LAST - 1]
    assert difference(params, LAST)["values"] > 1e-2


def episodes_in_python(stage: int, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Angles that go on counting past the top, (200, n), and returns, (n,)."""
    agent, (theta, speed), total, angles = agent_at(stage), states.T, np.zeros(len(states)), []
    for _ in range(200):
        a = agent.policy(observed(np.stack([theta, speed], 1)))[0, :, 0]
        theta, speed, r = pendulum_step(theta, speed, a)
        total += r
        angles.append(theta)
    return np.unwrap(angles, axis=0), total


def returns_in_python(stage: int, states: np.ndarray) -> np.ndarray:
    return episodes_in_python(stage, states)[1]


def test_the_notes_of_the_two_worse_stages_are_true():
    states, updates = random_states(100) * [1, 1 / 8], list(STAGES["updates"])
    assert set(NOTES) == {500, 2000} <= set(updates)
    for worse in NOTES:
        stage = updates.index(worse)
        assert STAGES["returns"][stage] < STAGES["returns"][stage - 1] - 200
    hangs, turns = (episodes_in_python(updates.index(x), states)[0] for x in (500, 2000))
    assert np.cos(hangs[100:]).mean() < -0.9
    swings = episodes_in_python(0, states)[0]
    assert np.cos(swings[100:]).mean() > -0.7
    assert (np.ptp(turns, axis=0) > 4 * np.pi).mean() > 0.75


def test_the_first_agent_fails_and_the_last_one_returns_what_it_returns_in_python():
    states = random_states(20) * [1, 1 / 8]  # as an episode starts
    first, last = (
        call("stages", "returns", for_page(PATH), stage, states.tolist()) for stage in (0, LAST)
    )
    expected = returns_in_python(LAST, states)
    # a state that is rounded otherwise may, once in a while, go up on the other side
    assert np.median(np.abs(np.array(last) - expected)) < 0.1
    assert abs(np.mean(last) - expected.mean()) < 5
    assert np.mean(first) < -1000 and np.mean(last) > -250


def test_both_factors_are_those_of_python():
    agent, states = agent_at(3), random_states(20)
    answers = call("stages", "answers", for_page(PATH, "full"), 3, states.tolist(), [0.0] * 20)
    for state, found in zip(states, answers["factors"], strict=True):
        s = observed(state[None])
        a = agent.policy(s)
        assert np.isclose(found["action"], a.item(), atol=1e-4)
        assert np.isclose(found["slope"], agent.dq_da(s, a).item(), rtol=1e-3, atol=1e-3)
        up, down = (nudged_action(agent, s, h) for h in (0.01, -0.01))
        assert np.isclose(found["gain"], (up - down) / 0.02, atol=2e-3)


def nudged_action(agent: NumpyDDPG, s: np.ndarray, h: float) -> float:
    agent.actor.theta[0, -1] += h
    a = agent.policy(s).item()
    agent.actor.theta[0, -1] -= h
    return a
