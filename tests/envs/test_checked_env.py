import gymnasium as gym
import numpy as np
import pytest

from dpgcourse.envs.checked_env import CheckedEnv, FlattenAction, executed_action
from dpgcourse.envs.make import make_env
from dpgcourse.errors import InvalidInputError
from tests.field_cases.field_envs import Task, variant

BOX = gym.spaces.Box

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


def test_metadata_that_is_none_does_not_matter():
    assert CheckedEnv(variant(metadata=None)(), "mine").metadata == {}
