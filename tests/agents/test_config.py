"""Every hyperparameter has a range, and a value outside it is named."""

from dataclasses import dataclass, fields, replace

import pytest

from dpgcourse.agents.config import (
    AgentConfig,
    DDPGConfig,
    SACConfig,
    TD3Config,
    is_integer,
    is_number,
    is_positive,
    require,
)
from dpgcourse.errors import InvalidInputError

NAN, INF = float("nan"), float("inf")
# field -> values at the ends of what is allowed, values just outside or of another kind
RANGES = {
    "gamma": ([0, 0.0, 0.999], [-0.1, 1, 1.0, NAN, INF, "0.9", None, True]),
    "batch_size": ([1, 10_000], [0, -1, 1.5, 64.0, "64", None, True]),
    "sigma": ([0, 0.0, 5.0], [-1e-9, NAN, INF, "0.1", None, True]),
    "noise_type": (["gaussian", "ornstein-uhlenbeck"], ["Gaussian", "", None, 0]),
    "ou_theta": ([1e-9, 3], [0, 0.0, -1.0, NAN, INF, "0.15", None, True]),
    "tau": ([1e-9, 1, 1.0], [0, 0.0, 1.001, -0.5, NAN, INF, None, True]),
    "actor_lr": ([1e-9, 1], [0, 0.0, -1e-3, NAN, INF, None, True]),
    "critic_lr": ([1e-9, 1], [0, 0.0, -1e-3, NAN, INF, None, True]),
    "hidden_sizes": ([(1,), (64, 64), [400, 300]], [(), [], (64, 0), (64.0,), (True,), 64, None]),
    "critic_action_layer": ([1, 2], [0, 3, 1.0, None, True]),
    "critic_weight_decay": ([0, 0.0, 1e-2], [-1e-9, NAN, INF, None, True]),
    "critic_layer_norm": ([True, False], [1, 0, None, "yes"]),
    "n_step": ([1, 5], [0, -1, 3.0, None, True]),
    "target_policy_noise": ([0, 0.0, 2.0], [-1e-9, NAN, INF, None, True]),
    "noise_clip": ([0, 0.0, 2.0], [-1e-9, NAN, INF, None, True]),
    "policy_delay": ([1, 7], [0, -1, 2.0, None, True]),
    "twin_critics": ([True, False], [1, 0, None, "yes"]),
}
OF_SAC = {
    "sigma": ([0, 0.0], [0.2, -1e-9, NAN, INF, "0.1", None, True, False]),
    "noise_type": (["gaussian"], ["ornstein-uhlenbeck", "", None, 0]),
    "n_step": ([1], [2, 0, 1.0, None, True]),
    "alpha_lr": ([1e-9, 1], [0, 0.0, -1e-3, NAN, INF, None, True]),
    "initial_alpha": ([1e-9, 10], [0, 0.0, -1.0, NAN, INF, None, True]),
    "target_entropy": ([None, -3, 0.5, 0], [NAN, INF, "auto", True]),
}
CLASSES = (AgentConfig, DDPGConfig, TD3Config, SACConfig)


def ranges_of(config_class):
    return RANGES | OF_SAC if config_class is SACConfig else RANGES


CASES = [
    (config_class, field.name, value, ok)
    for config_class in CLASSES
    for field in fields(config_class)
    for values, ok in zip(ranges_of(config_class)[field.name], (True, False), strict=True)
    for value in values
]


def test_every_field_has_a_range():
    assert {field.name for field in fields(TD3Config)} == set(RANGES)
    of_sac = {field.name for field in fields(SACConfig)}
    assert of_sac == {field.name for field in fields(DDPGConfig)} | set(OF_SAC)


@pytest.mark.parametrize(("config_class", "name", "value", "ok"), CASES)
def test_a_value_inside_its_range_is_taken_and_one_outside_is_named(config_class, name, value, ok):
    if ok:
        taken = getattr(config_class(**{name: value}), name)
        assert taken == (tuple(value) if isinstance(value, list) else value)
        return
    with pytest.raises(InvalidInputError) as error:
        config_class(**{name: value})
    shown = tuple(value) if isinstance(value, list) and value else value
    assert str(error.value).startswith(f"{name} is {shown!r}; allowed: ")


@pytest.mark.parametrize("config_class", CLASSES)
def test_a_configuration_cannot_be_changed_behind_its_checks(config_class):
    config = config_class()
    with pytest.raises(AttributeError):
        config.gamma = 2.0
    with pytest.raises(InvalidInputError, match="gamma is 2.0"):
        replace(config, gamma=2.0)
    assert hash(config) == hash(config_class())


def test_the_layer_of_the_action_depends_on_the_number_of_layers():
    assert DDPGConfig(hidden_sizes=(8, 8, 8), critic_action_layer=3).critic_action_layer == 3
    with pytest.raises(
        InvalidInputError, match="critic_action_layer is 2; allowed: 1 to 1, the number"
    ):
        DDPGConfig(hidden_sizes=(8,), critic_action_layer=2)


def test_all_values_of_td3_are_those_of_its_paper():
    """Fujimoto et al. (2018), §6.1; the widths and rates are DDPG's of this course."""
    config = TD3Config()
    assert (config.target_policy_noise, config.noise_clip, config.policy_delay) == (0.2, 0.5, 2)
    shared = {field.name for field in fields(DDPGConfig)}
    assert {name: getattr(config, name) for name in shared} == vars(DDPGConfig())


def test_sac_differs_from_ddpg_in_its_temperature_alone():
    config, shared = SACConfig(), vars(DDPGConfig())
    assert (config.alpha_lr, config.initial_alpha, config.target_entropy) == (1e-3, 1.0, None)
    assert {name: getattr(config, name) for name in shared} == {**shared, "sigma": 0.0}
    with pytest.raises(InvalidInputError, match="sigma is 0.2; allowed: 0 for SAC, which draws"):
        SACConfig(sigma=0.2)


def test_an_own_configuration_adds_fields_with_checks_of_its_own():
    @dataclass(frozen=True)
    class Own(AgentConfig):
        temperature: float = 1.0

        def __post_init__(self):
            super().__post_init__()
            require(self, [("temperature", is_positive(self.temperature), "above 0")])

    assert Own(temperature=2.0, gamma=0.5).gamma == 0.5
    with pytest.raises(InvalidInputError, match="temperature is 0; allowed: above 0"):
        Own(temperature=0)
    with pytest.raises(InvalidInputError, match="gamma is 1.5"):
        Own(gamma=1.5)


def test_require_names_the_first_value_that_is_not_allowed():
    config = AgentConfig()
    require(config, [("gamma", True, "anything")])
    with pytest.raises(InvalidInputError, match="sigma is 0.2; allowed: nothing"):
        require(config, [("gamma", True, "x"), ("sigma", False, "nothing"), ("noise", False, "y")])


def test_what_counts_as_a_number():
    assert is_integer(3, 3) and not is_integer(2, 3) and not is_integer(True, 0)
    assert not is_integer(3.0, 3) and not is_integer("3", 3)
    assert is_number(-2) and is_number(0.5, 0.5) and not is_number(0.4, 0.5)
    assert not any(is_number(x) for x in (True, NAN, INF, -INF, "1", None))
    assert is_number(-1e308) and not is_number(-INF, 0)
    assert (
        is_positive(1e-300) and not is_positive(0) and not is_positive(-1) and not is_positive(NAN)
    )


def test_an_invalid_input_is_a_value_error():
    assert issubclass(InvalidInputError, ValueError)
