import gymnasium as gym
import numpy as np
import pytest

from dpgcourse.envs.checks import check_env
from dpgcourse.envs.make import make_env
from dpgcourse.errors import InvalidInputError
from tests.field_cases import field_envs
from tests.field_cases.field_envs import Task, variant

BOX = gym.spaces.Box


def refusal(env):
    """The message with which an environment is refused."""
    with pytest.raises(InvalidInputError) as caught:
        check_env(env, "mine")
    message = str(caught.value)
    assert message.startswith("env 'mine' ") and "\n" not in message and "allowed: " in message
    return message


# spaces

ACTIONS = {
    "discrete": (gym.spaces.Discrete(2), "continuous actions"),
    "whole numbers": (BOX(0, 3, (1,), np.int32), "gymnasium.wrappers.TransformAction"),
    "booleans": (BOX(0, 1, (1,), np.bool_), "gymnasium.wrappers.TransformAction"),
    "no bound": (BOX(-np.inf, 1, (1,)), "gymnasium.wrappers.TransformAction"),
    "a bound beyond float32": (BOX(-1, 1e39, (1,), np.float64), "finite bounds"),
    "no action": (BOX(-1, 1, (0,)), "one number or more"),
    "no action of two axes": (BOX(-1, 1, (2, 0)), "one number or more"),
    "one value": (BOX(np.array([0, 1], "f"), np.array([1, 1], "f")), "low < high"),
}


@pytest.mark.parametrize("kind", ACTIONS)
def test_actions_that_are_refused(kind):
    space, message = ACTIONS[kind]
    found = refusal(variant(action_space=space)())
    assert message in found and str(space).split("(")[0] in found


@pytest.mark.parametrize(
    "box",
    [
        BOX(-1, 1, ()),
        BOX(-1, 1, (2, 3)),
        BOX(-1, 1, (1,), np.float16),
        BOX(-6e4, 6e4, (1,), np.float16),
        BOX(-1, 1, (1,), np.float64),
        BOX(0, np.finfo(np.float32).max, (1,)),
        BOX(-1e-9, 1e-9, (1,)),
    ],
    ids=str,
)
def test_actions_that_are_allowed(box):
    check_env(variant(action_space=box)(), "mine")


def fill_in(env):
    """One of two actions has a single value; the other one remains."""
    return gym.wrappers.TransformAction(env, lambda a: np.append(a, np.float32(1)), BOX(0, 1, (1,)))


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        ("whole numbers", field_envs.rounded),
        ("booleans", field_envs.rounded),
        ("no bound", field_envs.bounded),
        ("a bound beyond float32", field_envs.bounded),
        ("one value", fill_in),
    ],
)
def test_the_wrapper_that_is_named_helps(kind, remedy):
    seen = []

    def step(self, action):
        seen.append(np.array(action))
        return Task.step(self, np.clip(action, 0, 1).astype(space.dtype))

    space = ACTIONS[kind][0]
    env = variant(action_space=space, step=step)
    made = make_env(env, wrappers=[remedy])
    made.reset(seed=0)
    for a in np.linspace(made.action_space.low, made.action_space.high, 5):
        made.step(a.astype(np.float32))
    assert all(np.shape(a) == space.shape for a in seen)
    assert all((space.low <= a).all() and (a <= space.high).all() for a in seen)


OBSERVATIONS = {
    "discrete": gym.spaces.Discrete(4),
    "several discrete": gym.spaces.MultiDiscrete([2, 3]),
    "binary": gym.spaces.MultiBinary(3),
    "dictionary": gym.spaces.Dict(a=BOX(-1, 1, (2,)), b=gym.spaces.Discrete(2)),
    "tuple": gym.spaces.Tuple([BOX(-1, 1, (2, 2)), gym.spaces.Discrete(2)]),
    "image": BOX(0, 255, (4, 5, 3), np.uint8),
    "one number": BOX(-1, 1, ()),
    "text": gym.spaces.Text(3),
}


@pytest.mark.parametrize("space", OBSERVATIONS.values(), ids=OBSERVATIONS)
def test_the_wrapper_that_flattens_observations_helps(space):
    space.seed(0)
    env = variant(observation_space=space, observation=lambda self: space.sample())
    assert "gymnasium.wrappers.FlattenObservation makes one" in refusal(env())
    made = make_env(env, wrappers=["FlattenObservation"])
    observation, _ = made.reset(seed=0)
    (d,) = made.observation_space.shape
    assert observation.shape == (d,) and observation.dtype.kind == "f"


@pytest.mark.parametrize(
    "space", [BOX(-1, 1, (0,)), BOX(-1, 1, (0, 3)), gym.spaces.Sequence(BOX(-1, 1))], ids=str
)
def test_where_flattening_does_not_help_another_wrapper_is_named(space):
    env = variant(observation_space=space)
    message = refusal(env())
    assert "FlattenObservation" not in message and "TransformObservation" in message
    made = make_env(
        env,
        wrappers=[
            lambda e: gym.wrappers.TransformObservation(
                e, lambda s: np.zeros(2, np.float32), BOX(-1, 1, (2,))
            )
        ],
    )
    assert made.reset(seed=0)[0].shape == (2,)


@pytest.mark.parametrize("attribute", ["action_space", "observation_space"])
@pytest.mark.parametrize("value", [None, 3, (2,), gym.spaces.Box])
def test_what_is_no_space_is_named(attribute, value):
    assert f"the {attribute} " in refusal(variant(**{attribute: value})())


def test_long_spaces_are_shortened():
    bounds = np.arange(500, dtype=np.float32)
    message = refusal(variant(action_space=BOX(-bounds, bounds))())
    assert "low < high" in message and len(message) < 500
    assert "..." in message


# wrappers


@pytest.mark.parametrize(
    ("wrapper", "instead"),
    [
        (gym.wrappers.NormalizeObservation, "allowed: normalize_observations=True instead"),
        (gym.wrappers.NormalizeReward, "gymnasium.wrappers.TransformReward with a fixed factor"),
    ],
)
def test_running_statistics_are_refused(wrapper, instead):
    for env in (wrapper(Task()), gym.wrappers.TimeLimit(wrapper(Task()), 3)):
        message = refusal(env)
        assert wrapper.__name__ in message and instead in message
    for env in (Task(), gym.wrappers.TransformReward(Task(), lambda r: r / 10)):
        check_env(env, "mine")


def test_numbers_that_are_no_running_statistics_are_left_alone():
    class Table:
        def mean(self):
            return 0.0

        var = count = mean

    env = Task()
    env.table, env.mean, env.var, env.count = Table(), 0.0, 1.0, 3
    env.array, env.lists = np.ones(3), [1, 2]
    check_env(env, "mine")


@pytest.mark.parametrize(
    "reset",
    [lambda self: 0, lambda self, seed=None: 0, lambda self, seed, options, more: 0],
    ids=["nothing", "seed", "more"],
)
def test_a_reset_that_takes_other_arguments_is_refused(reset):
    message = refusal(variant(reset=reset)())
    assert "Variant.reset" in message and "reset(self, *, seed=None, options=None)" in message
