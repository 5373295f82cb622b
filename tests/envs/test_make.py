import copy
import functools
import sys
import threading
import traceback

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from dpgcourse.envs.lqr import LQREnv
from dpgcourse.envs.make import env_name, is_registered, make_env, make_vector_env
from dpgcourse.envs.vector_pendulum import VectorPendulum
from dpgcourse.errors import InvalidInputError
from tests import example_envs
from tests.example_envs import Counter

example_envs.register()
MODULE = "tests.example_envs"


class Sized(Counter):
    """Needs to know how many actions there are."""

    def __init__(self, size, *, gain=1.0):
        super().__init__()
        self.size, self.gain = size, gain
        self.action_space = gym.spaces.Box(-1, 1, (size,))


def make_counter(render_mode=None):
    env = Counter()
    env.render_mode = render_mode
    return env


def refused(*arguments, **options):
    """The message with which both ways to make environments refuse."""
    with pytest.raises(InvalidInputError) as one:
        make_env(*arguments, **options)
    with pytest.raises(InvalidInputError) as several:
        make_vector_env(arguments[0], 2, *arguments[1:], **options)
    assert str(one.value) == str(several.value)
    assert "\n" not in str(one.value)
    return str(one.value)


def test_other_environments_step_one_by_one_and_never_reset_by_themselves():
    envs = make_vector_env("MountainCarContinuous-v0", 2)
    assert envs.num_envs == 2
    assert envs.metadata["autoreset_mode"] == AutoresetMode.DISABLED
    assert len({id(env) for env in envs.envs}) == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Pendulum-v99", "not registered"),
        ("Pendulum-v0", "did you mean 'Pendulum-v1'"),
        ("NoSuchTask-v0", "not registered"),
        ("not a name!", "not registered"),
        ("no_space/Pendulum-v1", "not registered"),
        ("", "not registered"),
        ("CartPole-v1", r"actions Discrete(2); allowed: a Box"),
        ("Unbounded-v0", "allowed: finite bounds"),
        ("Picture-v0", r"allowed: a Box of shape (d,)"),
    ],
)
def test_environments_that_cannot_be_used_are_named(name, message):
    text = refused(name)
    assert name in text and message in text


# what an environment is made from


@pytest.mark.parametrize(
    "env",
    [
        "Counter-v0",
        f"{MODULE}:Counter",
        f"{MODULE}:Counter-v0",
        "tests.envs.test_make:make_counter",
        Counter,
        Counter(),
        make_counter,
        lambda: Counter(),
        functools.partial(make_counter, render_mode=None),
        gym.make("Counter-v0"),
    ],
    ids=lambda env: env if isinstance(env, str) else type(env).__name__,  # no addresses
)
def test_the_same_environment_from_all_that_makes_one(env):
    made = make_env(env)
    assert isinstance(made.unwrapped, Counter)
    assert made.unwrapped is not getattr(env, "unwrapped", None)
    observation, info = made.reset(seed=0)
    assert observation.tolist() == [1001.0] and info == {}
    envs = make_vector_env(env, 3)
    assert envs.reset(seed=[0, 1, 2])[0].tolist() == [[1001.0]] * 3
    assert len({id(one.unwrapped) for one in envs.envs}) == 3


def test_registered_names_keep_their_time_limit_and_classes_have_none():
    for env, limit in (("LQR-v0", 200), (LQREnv, None), ("dpgcourse.envs.lqr:LQREnv", None)):
        made = make_env(env)
        made.reset(seed=0)
        ends = [i for i in range(1, 202) if made.step(np.zeros(1))[3]]
        assert ends[:1] == ([limit] if limit else [])
    made = make_env("LQR-v0", {"max_episode_steps": 3})
    made.reset(seed=0)
    assert [made.step(np.zeros(1))[3] for _ in range(3)] == [False, False, True]


def test_an_instance_is_copied_as_it_is_now():
    env = gym.wrappers.TransformReward(gym.make("Counter-v0"), lambda r: 5 * r)
    env.unwrapped.count = 70
    made = make_env(env)
    made.reset(seed=0)
    assert made.unwrapped.count == 1071 and env.unwrapped.count == 70
    assert made.step(np.zeros(1, np.float32))[1] == 5.0


def test_what_is_no_environment_is_named():
    locked = Counter()
    locked.lock = threading.Lock()
    message = refused(locked)
    assert "Counter that cannot be copied" in message and "a function that makes it" in message
    one = Counter()
    with pytest.raises(InvalidInputError, match="the same object twice"):
        make_vector_env(lambda: one, 1)
    with pytest.raises(InvalidInputError, match="the same object twice"):
        make_vector_env(functools.cache(Counter), 2)
    assert "made a str; allowed: a gymnasium.Env" in refused(lambda: "Counter-v0")
    assert "made a gymnasium.vector.sync_vector_env.SyncVectorEnv" in refused(
        lambda: gym.make_vec("Counter-v0", 2)
    )
    for wrong in (7, None, [Counter], VectorPendulum(2)):
        assert "env is" in refused(wrong)


# names


def test_names_of_environments():
    assert env_name("Counter-v0") == "Counter-v0"
    assert env_name(f"{MODULE}:Counter") == f"{MODULE}:Counter"
    assert env_name(Counter) == f"{MODULE}:Counter"
    assert env_name(make_counter) == "tests.envs.test_make:make_counter"
    assert env_name(functools.partial(Sized, 2)) == "partial of tests.envs.test_make:Sized"
    assert env_name(Counter()) == f"an instance of {MODULE}:Counter"
    assert env_name(gym.make("Counter-v0")) == "an instance of Counter-v0"
    assert "<lambda>" in env_name(lambda: Counter())


def test_only_names_that_need_no_import_are_registered():
    assert is_registered("Pendulum-v1") and is_registered("LQR-v0")
    for name in (f"{MODULE}:Counter-v0", f"{MODULE}:Counter", "NoSuchTask-v0", ""):
        assert not is_registered(name)


def test_a_vector_pendulum_is_used_only_for_the_plain_one():
    assert isinstance(make_vector_env("Pendulum-v1", 2), VectorPendulum)
    for options in ({"env_kwargs": {"g": 9.0}}, {"wrappers": ["RecordEpisodeStatistics"]}):
        envs = make_vector_env("Pendulum-v1", 2, **options)
        assert not isinstance(envs, VectorPendulum)
        assert envs.envs[0].unwrapped.g == options.get("env_kwargs", {"g": 10.0})["g"]


# modules


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module that can be imported during the test."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def write(name, source):
        path = tmp_path / f"{name}.py"
        path.write_text(source, encoding="utf-8")
        return path

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_module_and_name(module):
    module(
        "robots",
        "import gymnasium as gym\nfrom tests.example_envs import Counter\n"
        "class Robot(Counter):\n    class Inner(Counter):\n        pass\n"
        "def make(size=1):\n    return Robot()\nnumber = 3\n"
        "if 'Robot-v7' not in gym.registry:\n"
        "    gym.register('Robot-v7', entry_point=Robot, max_episode_steps=4)\n",
    )
    for name in ("Robot", "Robot.Inner", "make", "Robot-v7"):
        assert isinstance(make_env(f"robots:{name}").unwrapped, Counter)
    for name in ("robot", "number", "Robot.Other", "Robot-v8"):
        assert f"no class or function {name!r}" in refused(f"robots:{name}")
    for env in ("robots:", ":Robot", ".robots:Robot"):
        refused(env)
    del gym.registry["Robot-v7"]


@pytest.mark.parametrize(
    "name", ["no_such", "no_such.inner", "robots2.no_such", "rob", "folder/robots2.py"]
)
def test_a_missing_module_is_one_line(name, module):
    module("robots2", "")
    assert f"no module {name!r}" in refused(f"{name}:Robot")
    assert f"no module {name!r}" in refused("Counter-v0", wrappers=[f"{name}:Wrapper"])


@pytest.mark.parametrize("line", ["import no_such_library", "import robots3.x", "1 / 0"])
def test_an_error_inside_a_module_keeps_its_traceback(line, module):
    path = module("robots3", line + "\n")
    gym.register("Robots3-v0", entry_point="robots3:Robot")
    try:
        for arguments in (
            {"env": "robots3:Robot"},
            {"env": "Robots3-v0"},
            {"env": "Counter-v0", "wrappers": ["robots3:Wrapper"]},
        ):
            with pytest.raises((ModuleNotFoundError, ZeroDivisionError)) as caught:
                make_env(**arguments)
            text = "".join(traceback.format_exception(caught.value))
            assert str(path) in text and line in text
    finally:
        del gym.registry["Robots3-v0"]


def test_entry_points_that_lead_nowhere_are_one_line():
    gym.register("Lost-v0", entry_point="no_such_module:Robot")
    try:
        assert "'no_such_module:Robot'" in refused("Lost-v0")
    finally:
        del gym.registry["Lost-v0"]


def test_a_library_that_an_environment_needs_is_named():
    def needs():
        raise gym.error.DependencyNotInstalled("no engine; run `pip install engine`")

    gym.register("Needs-v0", entry_point=needs)
    try:
        assert "pip install engine" in refused("Needs-v0")
    finally:
        del gym.registry["Needs-v0"]


@pytest.mark.parametrize("name", ["Hopper-v5", "HalfCheetah-v4", "InvertedPendulum-v5"])
def test_without_mujoco_its_extra_is_named(name, monkeypatch):
    for module in [m for m in sys.modules if m.startswith("gymnasium.envs.mujoco")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "mujoco", None)
    assert f"'{name}', which needs MuJoCo" in (said := refused(name))
    assert said.endswith('pip install "dpgcourse[mujoco]"')


def test_tasks_that_have_left_gymnasium_are_one_line():
    assert "have been moved to the gymnasium-robotics project" in refused("Hopper-v3")


# arguments


def test_arguments_of_the_constructor():
    for env in (Sized, "tests.envs.test_make:Sized"):
        made = make_env(env, {"size": 3, "gain": 2.0})
        assert made.unwrapped.size == 3 and made.unwrapped.gain == 2.0
        assert make_vector_env(env, 2, {"size": 3}).single_action_space.shape == (3,)
    assert make_env(functools.partial(Sized, 3), {"gain": 4.0}).unwrapped.gain == 4.0
    assert make_env("Pendulum-v1", {"g": 9.81}).unwrapped.g == 9.81


@pytest.mark.parametrize(
    ("env", "kwargs", "parts"),
    [
        (Sized, {}, ("missing a required argument: 'size'", "allowed: size, gain")),
        (Sized, {"size": 2, "gian": 1}, ("'gian'", "allowed: size, gain")),
        ("Pendulum-v1", {"gravity": 9.81}, ("'gravity'", "allowed: render_mode, g")),
        (make_counter, {"size": 2}, ("'size'", "allowed: render_mode")),
        (lambda: Counter(), {"size": 2}, ("'size'", "allowed: no arguments")),
        (Counter(), {"size": 2}, ("an instance", "arguments for a class")),
    ],
)
def test_missing_and_unknown_arguments_are_named(env, kwargs, parts):
    message = refused(env, kwargs)
    for part in parts:
        assert part in message


def test_an_error_of_the_constructor_is_the_users():
    class Fails(Counter):
        def __init__(self):
            raise TypeError("no serial port")

    with pytest.raises(TypeError, match="no serial port") as caught:
        make_env(Fails)
    assert "in __init__" in "".join(traceback.format_exception(caught.value))


# rendering


def test_the_render_mode_reaches_the_constructor():
    for env in ("Pendulum-v1", make_counter, lambda **kwargs: make_counter(**kwargs)):
        assert make_env(env, render_mode="rgb_array").unwrapped.render_mode == "rgb_array"
        assert make_env(env).unwrapped.render_mode is None
    assert make_env(make_counter, {"render_mode": "human"}).unwrapped.render_mode == "human"
    for env in (Counter, "Counter-v0", lambda: Counter()):
        with pytest.raises(InvalidInputError, match="takes no argument render_mode"):
            make_env(env, render_mode="rgb_array")
    with pytest.raises(InvalidInputError, match="instance with render_mode None"):
        make_env(Counter(), render_mode="rgb_array")
    assert make_env(make_counter("rgb_array"), render_mode="rgb_array").render_mode == "rgb_array"


# wrappers


def halved(env):
    return gym.wrappers.TransformReward(env, lambda r: r / 2)


@pytest.mark.parametrize("wrapper", [halved, "tests.envs.test_make:halved"])
def test_wrappers_are_applied_in_their_order(wrapper):
    made = make_env("Counter-v0", wrappers=[wrapper, lambda env: _plus_one(env)])
    made.reset(seed=0)
    assert made.step(np.zeros(1, np.float32))[1] == 1.5
    envs = make_vector_env("Counter-v0", 2, wrappers=(wrapper,))
    envs.reset(seed=[0, 1])
    assert envs.step(np.zeros((2, 1), np.float32))[1].tolist() == [0.5, 0.5]


def _plus_one(env):
    return gym.wrappers.TransformReward(env, lambda r: r + 1)


def test_gymnasiums_wrappers_by_name():
    made = make_env("Picture-v0", wrappers=["FlattenObservation"])
    assert made.observation_space.shape == (48,)


@pytest.mark.parametrize(
    ("wrapper", "parts"),
    [
        ("NoSuchWrapper", ("'NoSuchWrapper'", "gymnasium.wrappers", "module:Name")),
        ("tests.envs.test_make:nothing", ("nothing'", "module:Name")),
        ("RescaleAction", ("'RescaleAction'", "missing a required argument: 'min_action'")),
        (lambda: None, ("too many positional arguments", "takes the environment alone")),
        (lambda env: None, ("made a NoneType", "gymnasium.Env")),
        (3, ("wrapper is 3", "a function")),
    ],
)
def test_wrappers_that_are_none_are_named(wrapper, parts):
    message = refused("Counter-v0", wrappers=[wrapper])
    for part in parts:
        assert part in message


@pytest.mark.parametrize("wrappers", ["FlattenObservation", halved, {"FlattenObservation"}])
def test_wrappers_are_a_list(wrappers):
    assert "wrappers is" in refused("Counter-v0", wrappers=wrappers)


def test_making_environments_changes_nothing_that_was_given():
    kwargs, wrappers = {"size": 2}, [halved]
    before = copy.copy(kwargs), copy.copy(wrappers)
    make_env(Sized, kwargs, wrappers)
    make_vector_env(make_counter, 1, {"render_mode": None}, wrappers)
    assert (kwargs, wrappers) == before
