import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from dpgcourse.envs.probe_tasks import (
    ConstantReward,
    ContextualBandit,
    RandomSign,
    register,
)


@pytest.mark.parametrize("cls", [ConstantReward, RandomSign, ContextualBandit])
def test_gymnasiums_own_checker_is_content(cls):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*We recommend you to use a symmetric")
        warnings.filterwarnings("ignore", ".*normalized space")
        check_env(cls(), skip_render_check=True)


def test_they_are_registered_once():
    before = dict(gym.registry)
    register()
    assert dict(gym.registry) == before
    assert {"ConstantReward-v0", "RandomSign-v0", "ContextualBandit-v0"} <= set(before)
    assert gym.spec("ConstantReward-v0").max_episode_steps == 5


def test_actions_beyond_the_box_are_paid_at_its_bound():
    env = ContextualBandit()
    s, _ = env.reset(seed=1)
    assert env.step(np.array([7.0]))[1] == pytest.approx(-((2 - s[0]) ** 2))


def test_the_coin_is_fair():
    env, seen = RandomSign(), []
    for i in range(400):
        env.reset(seed=3 if i == 0 else None)
        seen.append(env.step(np.zeros(1))[0][0])
    assert abs(np.mean(seen)) < 4 / 400**0.5 and set(seen) == {-1.0, 1.0}
