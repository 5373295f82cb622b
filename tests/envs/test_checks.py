import random

import gymnasium as gym
import numpy as np
import pytest

from dpgcourse.envs.checks import (
    CheckedEnv,
    FlattenAction,
    check_env,
    check_wrappers_are_stateless,
    executed_action,
)
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


# wrappers with a memory


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


class Remembers(gym.Wrapper):
    """Rewards grow from episode to episode."""

    episodes = 0

    def reset(self, **kwargs):
        self.episodes += 1
        return super().reset(**kwargs)

    def step(self, action):
        s, r, *rest = super().step(action)
        return s, r * self.episodes, *rest


class Counts(gym.Wrapper):
    """Counts, and changes nothing."""

    steps = 0

    def step(self, action):
        self.steps += 1
        return super().step(action)


def test_a_wrapper_that_remembers_episodes_is_found_wherever_it_is():
    for env in (
        Remembers(Task()),
        field_envs.RunningScale(Task()),
        Counts(Remembers(Counts(Task()))),
        gym.wrappers.TimeLimit(Remembers(Task()), 5),
    ):
        culprit = "RunningScale" if isinstance(env, field_envs.RunningScale) else "Remembers"
        with pytest.raises(InvalidInputError, match=f"{culprit}, which remembers"):
            check_wrappers_are_stateless(env, "mine")


class RandomPush(gym.Wrapper):
    """Draws a number at every reset and keeps it, from a generator or from NumPy's global one."""

    def __init__(self, env, rng):
        super().__init__(env)
        self.rng = rng

    def reset(self, **kwargs):
        self.push = self.rng.uniform(1, 2)
        return super().reset(**kwargs)

    def step(self, action):
        s, *rest = super().step(action)
        return s * self.push, *rest


def test_others_are_left_alone():
    drifts = variant(reset=lambda self, **k: (np.random.default_rng().normal(size=2), {}))
    fails = variant(step=lambda self, action: 1 / 0)
    for env in (
        Task(),
        Counts(Task()),
        field_envs.Noise(Task()),
        RandomPush(Task(), np.random.default_rng(0)),
        RandomPush(Task(), np.random.RandomState(0)),
        RandomPush(Task(), random.Random(0)),
        RandomPush(Task(), random),
        Counts(drifts()),
        Counts(fails()),
        gym.wrappers.RecordEpisodeStatistics(Task()),
    ):
        check_wrappers_are_stateless(env, "mine")


# actions


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_executed_actions_lie_inside_the_box_in_its_own_type(kind):
    box = BOX(-0.1, 0.7, (3,), kind)
    for a in (np.linspace(-2, 2, 12).reshape(4, 3), np.float32([[0.7, -0.1, 0.3]])):
        executed = executed_action(a, box)
        assert executed.dtype == kind and executed.shape == a.shape
        assert all(box.contains(row) for row in executed)
    inside = np.array([0.25, 0.5, 0.0])
    assert np.array_equal(executed_action(inside, box), inside)


@pytest.mark.parametrize("shape", [(), (2, 3), (1, 1, 2)])
def test_actions_of_any_shape_are_vectors_outside(shape):
    seen = []
    size = int(np.prod(shape))
    low = np.arange(size, dtype=np.float64).reshape(shape)

    class Shaped(Task):
        action_space = BOX(low, low + 1, dtype=np.float64)

        def step(self, action):
            seen.append(action)
            return super().step(action)

    made = make_env(Shaped)
    assert made.action_space == BOX(low.ravel(), low.ravel() + 1, dtype=np.float64)
    made.reset(seed=0)
    made.step(low.ravel() + 0.5)
    assert seen[0].dtype == np.float64 and np.array_equal(seen[0], low + 0.5)


def test_vectors_stay_as_they_are():
    made = make_env(Task)
    assert not isinstance(made.env, FlattenAction)
    assert isinstance(make_env(variant(action_space=BOX(-1, 1, ()))).env, FlattenAction)


# what comes back


def checked(**changed):
    """An environment whose `step` returns something else in some places, checked."""

    def step(self, action):
        names = ("observation", "reward", "terminated", "truncated", "info")
        returned = dict(zip(names, Task.step(self, action), strict=True))
        return tuple({**returned, **changed}.values())

    env = CheckedEnv(variant(step=step)(), "mine")
    env.reset(seed=0)
    return env


@pytest.mark.parametrize(
    ("kind", "low"), [(np.uint8, 0), (np.int64, -5), (np.bool_, 0), (np.float16, -1)]
)
def test_observations_are_floating_point_numbers(kind, low):
    space = BOX(low, 1, (2,), kind)
    env = variant(observation_space=space, observation=lambda self: np.array([0, 1], kind))
    made = CheckedEnv(env(), "mine")
    observation, _ = made.reset(seed=0)
    assert observation.dtype == made.observation_space.dtype == np.result_type(kind, np.float32)
    assert observation.tolist() == [0.0, 1.0] and made.observation_space.contains(observation)


def test_fractions_in_a_space_of_whole_numbers_are_not_rounded():
    space = BOX(0, 255, (2,), np.uint8)
    env = variant(observation_space=space, observation=lambda self: np.array([0.5, 300.0]))
    assert CheckedEnv(env(), "mine").reset(seed=0)[0].tolist() == [0.5, 300.0]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_floating_point_observations_keep_their_type(kind):
    env = variant(observation_space=BOX(-1, 1, (2,), kind), observation=lambda self: [0.1, 0.2])
    made = CheckedEnv(env(), "mine")
    assert made.observation_space is made.env.observation_space
    assert made.reset(seed=0)[0].dtype == kind


@pytest.mark.parametrize("r", [1, 1.0, True, np.float32(1), np.int8(1), np.array(1.0)])
def test_rewards_are_numbers(r):
    returned = checked(reward=r).step(np.zeros(1, np.float32))[1]
    assert type(returned) in (float, np.float64) and returned == 1.0


@pytest.mark.parametrize("flag", [True, 1, np.True_, np.array(True), np.array([1.0]), [True]])
def test_flags_are_booleans(flag):
    _, _, terminated, truncated, info = checked(terminated=flag).step(np.zeros(1, np.float32))
    assert terminated is True and truncated is False and info == {}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"reward": None}, "the reward None from step; expected: a number"),
        (
            {"reward": np.ones(1)},
            r"reward array\(\[1.\]\) of shape \(1,\) from step; expected: a n",
        ),
        ({"reward": "1"}, "the reward '1' from step; expected: a number"),
        ({"terminated": None}, "terminated = None from step; expected: True or False"),
        ({"truncated": [True, False]}, r"truncated = \[True, False\] of shape \(2,\) from step"),
        (
            {"observation": None},
            r"the observation None from step; expected: numbers of shape \(2,\)",
        ),
        (
            {"observation": [1, 2, 3]},
            r"observation \[1, 2, 3\] of shape \(3,\) from step; expected",
        ),
    ],
)
def test_answers_that_are_none_are_named(changed, message):
    with pytest.raises(InvalidInputError, match=f"env 'mine' returned .*{message}"):
        checked(**changed).step(np.zeros(1, np.float32))


@pytest.mark.parametrize("inside", [lambda env: env, lambda env: gym.wrappers.TimeLimit(env, 5)])
def test_answers_of_the_wrong_length_are_named(inside):
    four = variant(step=lambda self, action: Task.step(self, action)[:4])
    made = CheckedEnv(inside(four()), "mine")
    made.reset(seed=0)
    expected = r"from step; expected: \(observation, reward, terminated, truncated, info\)"
    with pytest.raises(InvalidInputError, match=expected):
        made.step(np.zeros(1, np.float32))
    bare = variant(reset=lambda self, **kwargs: np.zeros(3, np.float32))
    with pytest.raises(InvalidInputError, match=r"from reset; expected: \(observation, info\)"):
        CheckedEnv(inside(bare()), "mine").reset(seed=0)


@pytest.mark.parametrize("returned", [[0.0] * 5, (0.0,) * 3, None], ids=str)
def test_what_gymnasiums_checker_asserts_is_one_line_too(returned):
    fails = variant(step=lambda self, action: returned)
    made = CheckedEnv(gym.wrappers.PassiveEnvChecker(fails()), "mine")
    made.reset(seed=0)
    with pytest.raises(InvalidInputError, match=r"from step; expected: \(observation, reward"):
        made.step(np.zeros(1, np.float32))


@pytest.mark.parametrize("method", ["reset", "step", "render"])
@pytest.mark.parametrize("kind", [ValueError, AssertionError, KeyError, StopIteration])
def test_errors_of_the_environment_pass_with_a_note(method, kind):
    def fails(self, *arguments, **options):
        raise kind("cannot unpack the bad joint")

    broken = variant(**{method: fails})
    for env in (broken(), gym.wrappers.TimeLimit(broken(), 5)):
        made = CheckedEnv(env, "mine")
        made.env.unwrapped.steps, made.env.unwrapped.s = 0, np.zeros(2)
        if method != "reset":
            made.reset(seed=0)
        arguments = [np.zeros(1, np.float32)] if method == "step" else []
        with pytest.raises(kind, match="bad joint") as caught:
            getattr(made, method)(*arguments)
        assert type(caught.value) is kind
        assert caught.value.__notes__ == [f"raised in {method} of env 'mine'"]


@pytest.mark.parametrize(
    "reset",
    [lambda self: 0, lambda self, seed=None: 0, lambda self, seed, options, more: 0],
    ids=["nothing", "seed", "more"],
)
def test_a_reset_that_takes_other_arguments_is_refused(reset):
    message = refusal(variant(reset=reset)())
    assert "Variant.reset" in message and "reset(self, *, seed=None, options=None)" in message


def test_metadata_that_is_none_does_not_matter():
    assert CheckedEnv(variant(metadata=None)(), "mine").metadata == {}
