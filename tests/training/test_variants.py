"""What a study is made of, from options, a file or Python."""

import tomllib

import gymnasium as gym
import numpy as np
import pytest

from dpgcourse.errors import InvalidInputError
from dpgcourse.training.config import make_config
from dpgcourse.training.presets import LILLICRAP2016
from dpgcourse.training.variants import parse_vary, study_variants
from tests.example_envs import Counter

BASE = {"num_seeds": 2, "steps": 30, "hidden_sizes": (8,), "batch_size": 4}


def test_every_environment_meets_every_algorithm_and_every_combination_of_settings():
    vary = {"tau": [0.5, 1.0], "buffer_size": [4, 8], "hidden_sizes": [[8], [8, 4]]}
    made = {v.name: v for v in study_variants(["LQR-v0", Counter], ["ddpg", "td3"], vary, **BASE)}
    assert len(made) == 32
    changes = {"tau": 0.5, "buffer_size": 8, "hidden_sizes": (8, 4)}
    found = made["LQR-v0-td3-tau=0.5-buffer_size=8-hidden_sizes=8,4"]
    assert found.config == make_config("LQR-v0", "td3", **{**BASE, **changes})
    assert found.varied == changes
    assert made["tests.example_envs-Counter-ddpg-tau=1.0-buffer_size=4-hidden_sizes=8"]


def test_one_environment_is_no_part_of_the_names():
    (one,) = study_variants(env="LQR-v0")
    assert (one.name, one.config.env) == ("ddpg", "LQR-v0")
    assert [v.name for v in study_variants(vary={"env": ["LQR-v0"]})] == ["ddpg-env=LQR-v0"]
    assert study_variants(algorithm="td3")[0].name == "td3"


def test_a_preset_begins_and_may_be_varied():
    (one,) = study_variants(["LQR-v0"], preset="lillicrap2016", steps=70, eval_every=70, tau=0.5)
    assert one.config.algorithm == "ddpg" and one.config.env == "LQR-v0"
    assert (one.config.agent.tau, one.config.steps) == (0.5, 70)
    assert one.config.agent.gamma == LILLICRAP2016.agent.gamma
    (other,) = study_variants(vary={"preset": ["lillicrap2016"]}, num_seeds=3)
    assert other.name == "ddpg-preset=lillicrap2016" and other.config.agent == LILLICRAP2016.agent
    with pytest.raises(InvalidInputError, match="preset is 'best'; allowed: lillicrap2016"):
        study_variants(vary={"preset": ["best"]})


def test_a_file_holds_what_the_options_hold():
    file = tomllib.loads('envs = ["LQR-v0"]\nsteps = 30\n[vary]\nhidden_sizes = [[8], [8, 4]]')
    options = parse_vary(["hidden-sizes=[8],[8,4]"])
    assert study_variants(**file) == study_variants(["LQR-v0"], None, options, steps=30)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"algorithms": ["ppo"]}, "algorithm is 'ppo'; allowed: ddpg"),
        ({"algorithms": []}, "algorithms is empty; allowed: one or more"),
        ({"algorithms": "td3"}, "algorithms is 'td3'; allowed: a list"),
        ({"algorithms": [3]}, "algorithm is 3; allowed: a name, a class"),
        ({"envs": "LQR-v0"}, "envs is 'LQR-v0'; allowed: a list"),
        ({"envs": []}, "envs is empty; allowed: one or more"),
        ({"envs": ["LQR-v0"], "env": "LQR-v0"}, "env and envs are both given; allowed: one"),
        ({"algorithms": ["td3"], "algorithm": "td3"}, "algorithm and algorithms are both given"),
        ({"algorithms": ["ddpg", "ddpg"]}, "variant ddpg is asked for twice"),
        ({"envs": ["LQR-v0", "LQR-v0"]}, "variant LQR-v0-ddpg is asked for twice"),
        ({"algoritms": ["td3"]}, r"setting is 'algoritms' \(did you mean algorithms\?\)"),
        ({"env_s": ["LQR-v0"]}, r"setting is 'env_s' \(did you mean envs\?\)"),
        ({"retrys": 3}, r"setting is 'retrys' \(did you mean retries\?\)"),
        ({"polcy_delay": 3}, r"setting is 'polcy_delay' \(did you mean policy_delay\?\)"),
        ({"policy_delay": 3}, "setting is 'policy_delay'"),
        ({"steps": "many"}, "steps is 'many'; allowed: 1 or more"),
        ({"vary": ["tau=0.5"]}, "vary is .*; allowed: settings and lists of their values"),
        ({"vary": {"tau": 0.5}}, "vary tau is 0.5; allowed: a list"),
        ({"vary": {"tau": []}}, "vary tau is empty; allowed: one or more"),
        ({"vary": {"tau": [0.5, 0.5]}}, "variant ddpg-tau=0.5 is asked for twice"),
        ({"vary": {"num_seeds": [1, 2]}}, "num_seeds is the same in all variants"),
        ({"vary": {"algorithm": ["td3"]}}, "vary holds algorithm; allowed: a list algorithms"),
        ({"vary": {"env": ["a"]}, "envs": ["b"]}, "vary holds env; allowed: a list envs"),
        ({"vary": {"taus": [1]}}, r"setting is 'taus' \(did you mean tau\?\)"),
        ({"vary": {"policy_delay": [3]}}, "setting is 'policy_delay'"),
        ({"vary": {"tau": ["a"]}}, "tau is 'a'; allowed: 0 < tau <= 1"),
        ({"vary": {"hidden_sizes": [8]}}, "hidden_sizes is 8; allowed: one or more widths"),
        ({"vary": {"batch_size": [4.5]}}, "batch_size is 4.5; allowed: 1 or more"),
        ({"vary": {"env": ["x" * 200]}}, "has a name of 209 characters; allowed: 150"),
    ],
)
def test_what_cannot_be_a_study_is_one_line(given, message):
    with pytest.raises(InvalidInputError, match=message) as caught:
        study_variants(**{**BASE, **given})
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["tau"], "vary is 'tau'; allowed: NAME=VALUE"),
        (["tau=1", "tau=0.5"], "vary holds tau twice"),
    ],
)
def test_what_cannot_be_varied_on_the_command_line(texts, message):
    with pytest.raises(InvalidInputError, match=message):
        parse_vary(texts)


def test_what_an_instance_is_called():
    (one,) = study_variants([gym.make("Pendulum-v1")])
    assert one.name == "an-instance-of-Pendulum-v1-ddpg" and np.isscalar(one.config.steps)
