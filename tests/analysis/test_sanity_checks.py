"""Each check tells the right agent from the bug it is made for, by the number it predicts."""

import numpy as np
import pytest
import torch

from dpgcourse.agents.faulty import FAULTY_AGENTS
from dpgcourse.analysis import sanity_checks
from dpgcourse.analysis.sanity_checks import SANITY_CHECKS
from dpgcourse.envs.make import make_env

SIZE = {"seeds": 2, "steps": 700}
RIGHT = {
    "constant_reward_value": (10, 0.3),
    "random_sign_value": (2, 0.2),
    "bandit_slope": (1, 0.2),
}
RIGHT |= {"bandit_slope_slow_targets": (1, 0.2), "noise_correlation": (0, 0.16)}  # 4 s.e. are 0.15


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", SANITY_CHECKS)
def test_the_right_agent_passes(name):
    answer, tolerance = RIGHT[name]
    assert np.abs(SANITY_CHECKS[name](**SIZE) - answer).max() < tolerance


@pytest.mark.parametrize(
    ("name", "bug", "low", "high"),
    [
        ("constant_reward_value", "truncated-as-done", 3.2, 4.0),  # 1/(1 − γ·4/5) = 3.57
        ("constant_reward_value", "missing-zero-grad", 14.5, 30.0),  # 1.5/(1 − γ) = 15 at the least
        ("constant_reward_value", "frozen-targets", 0.9, 1.1),  # γ times what a fresh network says
        (
            "random_sign_value",
            "no-detach",
            0.5,
            1.2,
        ),  # 2/(1 + γ²) = 1.1 for a table, less for a net
        ("random_sign_value", "broadcast-target", -0.1, 0.1),  # the mean of all targets
        ("bandit_slope", "double-scaling", 1.8, 2.3),
        ("noise_correlation", "shared-noise", 0.999, 1.001),
    ],
)
def test_a_bug_is_off_by_what_pencil_and_paper_say(name, bug, low, high):
    found = SANITY_CHECKS[name](FAULTY_AGENTS[bug], **SIZE)
    assert ((low < found) & (found < high)).all()


@pytest.mark.parametrize(
    ("name", "bug"),
    [
        ("bandit_slope", "wrong-sign"),
        ("bandit_slope", "replay-action"),
        ("bandit_slope_slow_targets", "target-critic-in-actor"),
    ],
)
def test_an_actor_that_is_misled_misses_the_slope(name, bug):
    assert (np.abs(SANITY_CHECKS[name](FAULTY_AGENTS[bug], **SIZE) - 1) > 0.5).all()


def test_the_tasks_are_what_they_say():
    env = make_env("ConstantReward-v0")
    env.reset(seed=0)
    steps = [env.step([0.3]) for _ in range(5)]
    assert [(r, terminated) for _, r, terminated, _, _ in steps] == [(1.0, False)] * 5
    assert [truncated for *_, truncated, _ in steps] == [False] * 4 + [True]
    env = make_env("RandomSign-v0")
    seen = set()
    for k in range(50):
        env.reset(seed=k)
        s, r, terminated, _, _ = env.step([0.0])
        assert r == 0
        assert not terminated
        _, r, terminated, _, _ = env.step([0.0])
        assert r == 2 * s[0]
        assert terminated
        seen.add(s[0])
    assert seen == {-1.0, 1.0}
    env = make_env("ContextualBandit-v0")
    s, _ = env.reset(seed=0)
    _, r, terminated, _, _ = env.step([1.5])
    assert terminated
    assert np.isclose(r, -((1.5 - s[0]) ** 2))


def test_what_is_written_is_read(tmp_path, monkeypatch):
    def check(agent_class, seeds, first=0):
        return np.arange(first, first + seeds) + len(agent_class.__name__)

    monkeypatch.setattr(sanity_checks, "SANITY_CHECKS", {"one": check, "two": check})
    sanity_checks.write(tmp_path / "p.csv", seeds=3, first=5)
    back = sanity_checks.read(tmp_path / "p.csv")
    assert list(back) == ["ddpg", *FAULTY_AGENTS]
    for agent, agent_class in FAULTY_AGENTS.items():
        for name in ("one", "two"):
            assert np.array_equal(back[agent][name], check(agent_class, 3, first=5))
