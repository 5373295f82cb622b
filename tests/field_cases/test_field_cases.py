"""Inputs on which users of such packages stumble, each with the right behavior.

The numbers are those of the cases. 10 and 11 are about notebooks (tests/book), 15 about a chapter.
"""

import functools
import io
import json
import os
import signal
import string
import subprocess
import sys
import traceback
import warnings
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from PIL import Image
from threadpoolctl import threadpool_limits

import dpgcourse as dpg
from dpgcourse.agents.replay_buffer import ReplayBuffer
from dpgcourse.cli import main, training_commands
from dpgcourse.theory.lqr import LQR
from dpgcourse.training.evaluation import CutEpisodeWarning
from dpgcourse.training.loop import SaturationWarning
from tests.field_cases import field_envs as envs
from tests.field_cases.field_envs import Arm, Large, Pictures, Task, variant

SIZES = {"num_seeds": 2, "steps": 24, "learning_starts": 8, "eval_every": 12, "eval_episodes": 2}
SHORT = {**SIZES, "hidden_sizes": (8,), "batch_size": 8, "algorithm": "numpy-ddpg"}
MODULE = envs.__name__

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pygame")


def options(**settings):
    """The settings of a short run as options."""
    given = {**SHORT, **settings}
    words = []
    for name, value in given.items():
        values = value if isinstance(value, tuple | list) else [value]
        words += [f"--{name.replace('_', '-')}", *map(str, values)]
    return [*words, "--no-progress"]


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Runs a command in an empty folder: its exit status, standard output and error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(training_commands, "plot_record", lambda folder: None)  # it takes long

    def run(*arguments):
        status = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = end.code
        return status, *capsys.readouterr()

    return run


def process(*arguments, cwd, **variables):
    """A command in a process of its own."""
    root = str(Path(dpg.__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-m", "dpgcourse", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": root, **variables},
        capture_output=True,
        check=False,
    )


def refused(result, *parts):
    """Whether a command ended with one line that names all the parts, and wrote nothing."""
    status, _, err = result
    assert status == 2, result
    assert err.startswith("error: ") and err.count("\n") == 1, err
    assert "Traceback" not in err and "[Errno" not in err
    for part in parts:
        assert part in err, (part, err)
    assert not Path("runs").exists()
    return True


def refuses(env, *parts, **settings):
    """Whether `train` refuses an environment, with a message of one line that names the parts."""
    with pytest.raises(dpg.InvalidInputError) as caught:
        dpg.train(env, **{**SHORT, **settings})
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message, (part, message)
    return True


def one_number(env, folder, **settings):
    """Train, and see that training, `evaluate` and `play` agree on every policy."""
    run = dpg.train(env, out=folder, **{**SHORT, **settings})
    made = {name: settings[name] for name in ("wrappers", "env_kwargs") if name in settings}
    agents = dpg.load(folder)
    assert np.isfinite(run.returns).all()
    measured = run.returns[-1]
    np.testing.assert_allclose(dpg.evaluate(agents, env, 3, **made), measured[:, [0, 0, 0]])
    for row, seed in enumerate(run.config.seeds):
        agent = dpg.load(folder, seed=seed)
        np.testing.assert_allclose(dpg.play(agent, env, **made), measured[row, 0])
    return run


# 1: whole-number actions

WHOLE = {
    "int32": gym.spaces.Box(0, 3, (1,), np.int32),
    "int64, negative": gym.spaces.Box(-5, 2, (2,), np.int64),
    "uint8": gym.spaces.Box(0, 255, (3,), np.uint8),
}


@pytest.mark.parametrize("space", WHOLE.values(), ids=WHOLE)
def test_01_whole_actions_are_refused_and_the_named_wrapper_solves_it(space, tmp_path):
    env = variant(base=envs.WholeActions, action_space=space)
    assert refuses(env, str(space), "Box of floats", "gymnasium.wrappers.TransformAction")
    one_number(env, tmp_path / "r", wrappers=[envs.rounded])


def test_01_the_command_line_takes_the_wrapper(command):
    name = f"{MODULE}:WholeActions"
    assert refused(command("train", "--env", name, *options()), name, "TransformAction")
    wrapped = ["--env", name, "--wrappers", f"{MODULE}:rounded"]
    assert command("train", *wrapped, *options(), "--out", "r")[0] == 0
    status, out, _ = command("play", "r", "--env", name)
    assert status == 0
    last = Path("r/returns.csv").read_text().split()[-4:]
    returns = [float(line.split(",")[-1]) for line in last]
    assert f"{max(returns):.1f}" in out


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_01_what_is_executed_is_what_is_stored(kind, monkeypatch):
    executed, stored = [], []

    class Watched(Task):
        action_space = gym.spaces.Box(-0.1, 0.7, (2,), kind)

        def step(self, action):
            executed.append((action.dtype, tuple(action.astype(np.float32))))
            return super().step(action)

    add = ReplayBuffer.add

    def watched(self, s, a, *rest):
        stored.extend((kind, tuple(row.astype(np.float32))) for row in a)
        add(self, s, a, *rest)

    monkeypatch.setattr(ReplayBuffer, "add", watched)
    dpg.train(Watched, **{**SHORT, "eval_every": 24}, sigma=3.0)
    assert len(stored) == 48
    assert executed[:48] == stored  # what follows is the evaluation
    assert {a for _, pair in stored for a in pair} >= {
        np.float32(kind(-0.1)),
        np.float32(kind(0.7)),
    }


# 2: statistics


STATISTICS = {
    "NormalizeObservation": gym.wrappers.NormalizeObservation,
    "NormalizeReward": gym.wrappers.NormalizeReward,
    "RunningScale": envs.RunningScale,
}


@pytest.mark.parametrize("kind", STATISTICS)
def test_02_wrappers_with_a_memory_are_noticed(kind):
    wrapper, instead = STATISTICS[kind], "normalize_observations"
    if kind == "NormalizeReward":
        instead = "gymnasium.wrappers.TransformReward with a fixed factor"
    assert refuses(lambda: wrapper(Task()), kind, instead)
    assert refuses(wrapper(Task()), kind, instead)
    assert refuses(lambda: gym.wrappers.TimeLimit(wrapper(Task()), 5), kind, instead)
    assert refuses(Task, kind, instead, wrappers=[wrapper])


def test_02_by_name_too(command):
    train = ["train", "--env", "Pendulum-v1", *options()]
    for kind in ("NormalizeObservation", "NormalizeReward"):
        assert refused(command(*train, "--wrappers", kind), kind, "allowed: ")
    assert refused(command(*train, "--wrappers", f"{MODULE}:RunningScale"), "RunningScale")


def test_02_a_study_writes_nothing_either(command):
    words = ["study", "--env", f"{MODULE}:Task", *options(), "--out", "s"]
    words[words.index("--algorithm")] = "--algorithms"
    assert refused(command(*words, "--wrappers", f"{MODULE}:RunningScale"), "RunningScale")
    assert not Path("s").exists()


def test_02_statistics_inside_an_environment_are_noticed():
    class Inside(Task):
        def __init__(self):
            self.rms = gym.wrappers.utils.RunningMeanStd(shape=(2,))

    assert refuses(Inside, "running statistics", "normalize_observations")


@pytest.mark.parametrize(
    "wrapper", [envs.Noise, envs.time_aware, "RecordEpisodeStatistics", envs.hundredth]
)
def test_02_other_wrappers_are_not_suspected(wrapper):
    assert np.isfinite(dpg.train(Task, wrappers=[wrapper], **SHORT).returns).all()


def test_02_rewards_get_a_fixed_factor(tmp_path):
    one_number(Task, tmp_path / "r", wrappers=[envs.hundredth])


@pytest.mark.parametrize("algorithm", ["ddpg", "td3", "numpy-ddpg"])
def test_02_the_packages_own_normalization_is_stored(algorithm, tmp_path):
    run = one_number(Task, tmp_path / "r", algorithm=algorithm, normalize_observations=True)
    s = np.random.default_rng(0).normal(size=(2, 5, 2))
    assert np.array_equal(dpg.load(tmp_path / "r").act(s), run.agent.act(s))
    inside = run.agent.agent.act(s)
    assert not np.allclose(run.agent.act(s), inside)  # the statistics do something
    # Resume (case 22) will have to store the statistics too; it comes with the next issue.


# 3: large observations


def test_03_saturation_is_named_with_its_remedy_and_the_remedy_mends_it():
    settings = {"num_seeds": 3, "steps": 300, "learning_starts": 50, "eval_episodes": 20}
    settings |= {"gamma": 0.0, "hidden_sizes": (16,), "batch_size": 32, "algorithm": "numpy-ddpg"}
    settings |= {"actor_lr": 0.005, "critic_lr": 0.005}
    with pytest.warns(SaturationWarning, match=r"3 of 3.*saturat.*normalize_observations") as seen:
        run = dpg.train(Large, **settings)
    assert seen[0].filename == __file__  # where the user called
    assert "\n" not in str(seen[0].message)
    assert (run.log["saturation"][-1] > 0.95).all() and (run.final_returns < -0.2).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mended = dpg.train(Large, normalize_observations=True, **settings)
    assert (mended.log["saturation"][-1] < 0.5).all() and (mended.final_returns > -0.1).all()


@pytest.mark.parametrize("scale", [1e3, 1e6])
def test_03_other_scales(scale):
    env = variant(base=Large, scale=scale)
    settings = {**SHORT, "steps": 200, "learning_starts": 20, "eval_every": 200}
    with pytest.warns(SaturationWarning, match="normalize_observations"):
        dpg.train(env, **settings, gamma=0.0, actor_lr=0.01)


def test_03_small_observations_and_large_rewards_are_not_blamed_on_observations():
    env = variant(base=Large, scale=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dpg.train(env, **SHORT)
        dpg.train(
            Task, wrappers=[lambda e: gym.wrappers.TransformReward(e, lambda r: 1e4 * r)], **SHORT
        )


# 4: no end

ENDLESS = {
    "no end": envs.Endless,
    "an end that no policy reaches": variant(
        flags=lambda self: (bool(np.abs(self.s).max() > 1e9), False)
    ),
    "ends for one seed only": variant(flags=lambda self: (self.np_random.random() < 0.01, False)),
}


@pytest.mark.parametrize("env", ENDLESS.values(), ids=ENDLESS)
def test_04_episodes_without_end_are_cut_with_a_warning(env, tmp_path):
    cut = r"evaluation episodes were cut after 15 steps; .*time limit.*eval_max_steps"
    with pytest.warns(CutEpisodeWarning, match=cut):
        run = dpg.train(env, out=tmp_path / "r", eval_max_steps=15, **SHORT)
    assert np.isfinite(run.returns).all()
    agent = dpg.load(tmp_path / "r", seed=0)
    with pytest.warns(CutEpisodeWarning, match="cut after 7 steps"):
        assert dpg.evaluate(agent, env, episodes=4, max_steps=7).shape == (4,)


def test_04_play_ends_too(tmp_path):
    env = variant(base=Pictures, flags=lambda self: (False, False))
    with pytest.warns(CutEpisodeWarning):
        agent = dpg.train(env, eval_max_steps=5, **{**SHORT, "num_seeds": 1}).agent
    with pytest.warns(CutEpisodeWarning, match="the episode was cut after 6 steps"):
        dpg.play(agent, env, video=tmp_path / "film.gif", max_steps=6)
    assert (tmp_path / "film.gif").exists()


def test_04_without_any_setting_there_is_a_bound():
    assert dpg.TrainConfig().eval_max_steps == 10_000
    assert dpg.TrainConfig(env="Pendulum-v1", eval_max_steps=3).eval_max_steps == 3


def test_04_the_command_line_has_the_bound_and_a_time_limit(command):
    name = f"{MODULE}:Endless"
    words = options(eval_max_steps=9)
    with pytest.warns(CutEpisodeWarning):
        assert command("train", "--env", name, *words, "--out", "r")[0] == 0
    with pytest.warns(CutEpisodeWarning, match="cut after 9 steps"):
        assert command("evaluate", "r", "--env", name, "--episodes", 2)[0] == 0
    with pytest.warns(CutEpisodeWarning, match="cut after 9 steps"):
        assert command("play", "r", "--env", name)[0] == 0
    limit = ["--env-kwargs", "max_episode_steps=6"]  # of an environment with a registered name
    assert command("train", "--env", "FieldEndless-v0", *options(), *limit, "--out", "s")[0] == 0


# 5: rendering


def played(command, env, *words):
    assert command("train", "--env", env, *options(), "--out", "r")[0] == 0
    return command("play", "r", "--env", env, *words)


@pytest.mark.parametrize("env", ["LQR-v0", "ConstantReward-v0", f"{MODULE}:Task"])
def test_05_without_a_render_mode_it_plays_without_a_film(env, command):
    status, out, err = played(command, env)
    assert status == 0 and "return of the episode" in out
    assert err.startswith("no video: ") and err.count("\n") == 1
    assert not list(Path("r").glob("*.gif"))
    assert refused(command("play", "r", "--env", env, "--video", "f.gif"), env, "render")
    assert refused(command("play", "r", "--env", env, "--show"), env, "render")
    assert not Path("f.gif").exists()


FRAMES = {
    "None": None,
    "a list": [np.zeros((20, 30, 3), np.uint8)],
    "text": "a picture",
    "gray": np.zeros((20, 30), np.uint8),
    "four channels": np.zeros((20, 30, 4), np.uint8),
    "empty": np.zeros((0, 30, 3), np.uint8),
    "objects": np.full((20, 30, 3), None),
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_05_frames_that_are_no_pictures_are_named(frame, command, monkeypatch):
    monkeypatch.setattr(Pictures, "frame", frame)
    name = "FieldPictures-v0"
    status, out, err = played(command, name)
    assert status == 0 and "return of the episode" in out
    assert err.startswith("no video: ") and "rendered" in err and err.count("\n") == 1
    assert not list(Path("r").glob("*.gif"))
    assert refused(command("play", "r", "--env", name, "--video", "f.gif"), name, "rendered")
    assert not Path("f.gif").exists()


PICTURES = {
    "floats to 1": (np.linspace(0, 1, 1800).reshape(20, 30, 3), 25),
    "floats to 255": (np.linspace(0, 255, 1800).reshape(20, 30, 3), None),
    "not numbers": (np.full((20, 30, 3), np.nan), 0),
    "booleans": (np.ones((20, 30, 3), bool), -3),
    "whole numbers": (np.full((20, 30, 3), 255, np.int64), float("nan")),
    "thin": (np.zeros((1, 900, 3), np.uint8), "fast"),
    "fast": (np.zeros((20, 30, 3), np.uint8), 10_000),
}


@pytest.mark.parametrize(("frame", "rate"), PICTURES.values(), ids=PICTURES)
def test_05_other_pictures_and_rates_are_filmed(frame, rate, command, monkeypatch):
    monkeypatch.setattr(Pictures, "frame", frame)
    monkeypatch.setattr(Pictures, "metadata", {"render_modes": ["rgb_array"], "render_fps": rate})
    status, _, err = played(command, "FieldPictures-v0")
    assert status == 0 and err == ""
    (film,) = Path("r").glob("*.gif")
    with Image.open(film) as image:
        assert image.width == 240
        brightest = np.asarray(image.convert("RGB")).max()
    assert brightest >= 250 or np.nan_to_num(frame).max() == 0
    assert command("play", "r", "--env", "FieldPictures-v0")[0] == 0  # again


def test_05_functions_and_instances_say_what_they_lack(tmp_path):
    agent = dpg.train(Pictures, **{**SHORT, "num_seeds": 1}).agent
    film = tmp_path / "film.gif"
    for env, what in ((lambda: Pictures(), "no argument render_mode"), (Pictures(), "render_mode")):
        with pytest.raises(dpg.InvalidInputError, match=what):
            dpg.play(agent, env, video=film)
    dpg.play(agent, Pictures("rgb_array"), video=film)
    dpg.play(agent, lambda **kwargs: Pictures(**kwargs), video=tmp_path / "other.gif")
    broken = variant(base=Pictures, render=lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError) as caught:
        dpg.play(agent, broken, video=tmp_path / "third.gif")
    assert "raised in render" in caught.value.__notes__[0]
    for metadata in (None, {}, {"render_modes": None}):
        plain = variant(base=Pictures, metadata=metadata)
        with pytest.raises(dpg.InvalidInputError, match="no render mode"):
            dpg.play(agent, plain, video=tmp_path / "third.gif")
        assert np.isfinite(dpg.play(agent, plain))
    assert not (tmp_path / "third.gif").exists()


def test_05_what_cannot_be_played_is_refused_at_once(command):
    assert played(command, "FieldPictures-v0")[0] == 0
    Path("file").write_text("text")
    name = ["play", "r", "--env", "FieldPictures-v0"]
    for words, part in (
        (["--start", "-1"], "start is -1"),
        (["--video", "file/f.gif"], "video is 'file/f.gif'"),
        (["--video", "a" * 300 + ".gif"], "video is"),
        (["--video", "file"], "ending in .gif or .mp4"),
        (["--seed", "7"], "seed is 7"),
        (["--seed", "first"], "a whole number or best"),
    ):
        assert refused(command(*name, *words), part)
    evaluate = ["evaluate", "r", "--env", "FieldPictures-v0"]
    for words, part in ((["--episodes", "0"], "episodes is 0"), (["--seed", "-1"], "seed is -1")):
        assert refused(command(*evaluate, *words), part)
    agent = dpg.load("r", seed=0)
    for setting in ({"max_steps": 0}, {"max_steps": 2.5}, {"episodes": "3"}, {"seed": None}):
        with pytest.raises(dpg.InvalidInputError, match=f"{next(iter(setting))} is"):
            dpg.evaluate(agent, Pictures, **setting)
    assert dpg.evaluate(agent, Pictures, episodes=np.int64(2)).shape == (2,)


# 6: errors of the environment, and answers that are none

RAISING = {
    "step": {"step": lambda self, action: int("bad joint")},
    "reset": {"reset": lambda self, **kwargs: int("bad joint")},
    "reward": {"reward": lambda self, action: {}["bad joint"]},
}


@pytest.mark.parametrize("where", RAISING)
def test_06_the_users_error_keeps_its_type_and_traceback(where, tmp_path):
    env = variant(**RAISING[where])
    with pytest.raises((ValueError, KeyError), match="bad joint") as caught:
        dpg.train(env, out=tmp_path / "r", **SHORT)
    assert type(caught.value) in (ValueError, KeyError)
    text = "".join(traceback.format_exception(caught.value))
    assert __file__ in text and "field_envs:Variant" in text
    assert not (tmp_path / "r").exists()


def test_06_constructors_too(command):
    class Refuses(Task):
        def __init__(self):
            raise ValueError("no serial port")

    with pytest.raises(ValueError, match="no serial port") as caught:
        dpg.train(Refuses, **SHORT)
    assert type(caught.value) is ValueError
    with pytest.raises(TypeError, match="only of mine"):
        dpg.train(lambda: (_ for _ in ()).throw(TypeError("only of mine")), **SHORT)
    for name in (f"{MODULE}:BadJoint", "FieldBadJoint-v0"):
        with pytest.raises(ValueError, match="bad joint") as caught:
            command("train", "--env", name, *options())
        assert not isinstance(caught.value, dpg.InvalidInputError)
        assert not Path("runs").exists()


def test_06_closing_too(tmp_path):
    def close(self):
        raise OSError("port is busy")

    with pytest.raises(OSError, match="port is busy"):
        dpg.train(variant(close=close), **SHORT)


def answer(**changed):
    """A class whose `step` returns something else in some places."""

    def step(self, action):
        names = ("observation", "reward", "terminated", "truncated", "info")
        returned = dict(zip(names, Task.step(self, action), strict=True))
        for name, value in changed.items():
            returned[name] = value
        return tuple(returned.values())

    return variant(step=step)


STEP = "expected: (observation, reward, terminated, truncated, info)"
RESET = "expected: (observation, info)"
ANSWERS = {
    "four values": (envs.FourValues, "a tuple of 4 from step", STEP),
    "three values": (variant(step=lambda self, a: (np.zeros(2), 0.0, False)), "a tuple of 3", STEP),
    "six values": (variant(step=lambda self, a: (*Task.step(self, a), 1)), "a tuple of 6", STEP),
    "a list": (variant(step=lambda self, a: list(Task.step(self, a))), "a list from step", STEP),
    "None from step": (variant(step=lambda self, a: None), "a NoneType from step", STEP),
    "no info": (variant(reset=lambda self, **k: np.zeros(2, np.float32)), "a ndarray", RESET),
    "None from reset": (variant(reset=lambda self, **k: None), "a NoneType from reset", RESET),
    "three from reset": (variant(reset=lambda self, **k: (1, 2, 3)), "a tuple of 3", RESET),
    "no seed": (variant(reset=lambda self: (np.zeros(2), {})), "Variant.reset", "seed=None"),
    "no options": (variant(reset=lambda self, seed=None: (np.zeros(2), {})), "options", "seed"),
    "reward (1,)": (answer(reward=np.ones(1)), "reward array([1.]) of shape (1,)", "a number"),
    "reward a list": (answer(reward=[1.0]), "the reward [1.0] of shape (1,)", "a number"),
    "reward None": (answer(reward=None), "the reward None", "a number"),
    "reward text": (answer(reward="1.0"), "the reward '1.0'", "a number"),
    "reward complex": (answer(reward=1j), "the reward 1j", "a number"),
    "reward a dict": (answer(reward={"r": 1.0}), "the reward {'r': 1.0}", "a number"),
    "flag of two": (answer(terminated=np.zeros(2, bool)), "terminated = ", "True or False"),
    "flag None": (answer(truncated=None), "truncated = None", "True or False"),
    "flag text": (answer(terminated="no"), "terminated = 'no'", "True or False"),
    "info before truncated": (answer(truncated={}), "truncated = {}", "True or False"),
    "observation None": (answer(observation=None), "the observation None from step", "(2,)"),
    "observation too long": (answer(observation=np.zeros(3)), "of shape (3,)", "(2,)"),
    "observation (1, 2)": (answer(observation=np.zeros((1, 2))), "of shape (1, 2)", "(2,)"),
    "observation a number": (answer(observation=0.5), "observation 0.5 from step", "(2,)"),
    "observation text": (answer(observation=["a", "b"]), "['a', 'b']", "(2,)"),
    "observation ragged": (answer(observation=[1, [2]]), "[1, [2]]", "(2,)"),
    "observation a dict": (answer(observation={"x": 1}), "{'x': 1}", "(2,)"),
    "first observation None": (variant(observation=lambda self: None), "None from reset", "(2,)"),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_06_answers_that_are_none_are_one_sentence(kind, tmp_path):
    env, *parts = ANSWERS[kind]
    assert refuses(
        env, "field_envs:Variant" if env is not envs.FourValues else "FourValues", *parts
    )
    with pytest.raises(dpg.InvalidInputError):
        dpg.train(env, out=tmp_path / "r", **SHORT)
    assert not (tmp_path / "r").exists()


def test_06_on_the_command_line_by_either_name(command):
    for name in (f"{MODULE}:FourValues", "FieldFourValues-v0"):
        assert refused(command("train", "--env", name, *options()), name, "step", STEP)


def test_06_inside_gymnasiums_wrappers():
    for kind in ("three values", "None from step", "no info", "None from reset"):
        env, *_, expected = ANSWERS[kind]
        assert refuses(lambda env=env: gym.wrappers.TimeLimit(env(), 5), expected)


# 7 and 8: what happens before the first evaluation


FAULTS = {
    "environment": (OSError, "the cable fell out"),
    "answer": (dpg.InvalidInputError, "the reward None"),
    "not a number": (dpg.DivergenceError, "the environment returned it"),
    "interrupt": (KeyboardInterrupt, None),
    "agent": (ZeroDivisionError, None),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("first_step", [1, 20, 60])  # at once, in training, in the evaluation
def test_07_after_a_failure_the_same_call_starts_again(fault, first_step, tmp_path, monkeypatch):
    steps = 0

    class Fails(Task):
        def step(self, action):
            nonlocal steps
            steps += 1
            s, r, *rest = super().step(action)
            if steps == first_step:
                if fault == "environment":
                    raise OSError("the cable fell out")
                if fault == "interrupt":
                    raise KeyboardInterrupt
                if fault == "agent":
                    monkeypatch.setattr(dpg.NumpyDDPG, "act", lambda self, s: 1 / 0)
                r = {"answer": None, "not a number": np.nan}.get(fault, r)
            return s, r, *rest

    out, (kind, message) = tmp_path / "runs" / "r", FAULTS[fault]
    settings = {**SHORT, "eval_every": 24}
    with pytest.raises(kind, match=message):
        dpg.train(Fails, out=out, **settings)
    assert not (tmp_path / "runs").exists()
    monkeypatch.undo()
    dpg.train(Fails, out=out, **settings)
    assert dpg.read_record(out).steps.tolist() == [24]


def test_07_what_a_failed_run_has_opened_is_closed(command):
    """Or the serial port would be busy when the same call starts again."""
    opened = set()

    class Port(Task):
        def __init__(self):
            opened.add(self)

        def close(self):
            opened.discard(self)

    def fails(report):
        assert opened
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        dpg.train(Port, callback=fails, **SHORT)
    assert not opened
    agent = dpg.train(Port, **{**SHORT, "num_seeds": 1}).agent
    assert not opened
    other = variant(base=Port, action_space=gym.spaces.Box(-2, 2, (1,)))
    bad = variant(base=Port, step=lambda self, action: 1 / 0)
    discrete = variant(base=Port, action_space=gym.spaces.Discrete(2))
    for env, error in (
        (other, dpg.InvalidInputError),
        (discrete, dpg.InvalidInputError),
        (bad, ZeroDivisionError),
    ):
        for use in (dpg.evaluate, dpg.play):
            with pytest.raises(error):
                use(agent, env)
            assert not opened


def test_07_on_the_command_line(command):
    train = ["train", "--env", f"{MODULE}:FailsOnce", *options()]
    with pytest.raises(OSError, match="the cable fell out"):
        command(*train)
    assert not Path("runs").exists()
    assert command(*train)[0] == 0


def wrong(**changed):
    """A class that goes wrong at its fifth step."""

    def reward(self, action):
        return changed.get("reward", 0.0) if self.steps == 5 else 0.0

    def observation(self):
        bad = self.steps == changed.get("at", 5)
        return np.array([0.0, changed["state"]]) if bad and "state" in changed else np.zeros(2)

    space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float64)
    return variant(reward=reward, observation=observation, observation_space=space)


NUMBERS = {
    "NaN reward": (wrong(reward=float("nan")), "reward of seed 0 is nan at step 5"),
    "infinite reward": (wrong(reward=-np.inf), "reward of seed 0 is -inf at step 5"),
    "huge reward": (wrong(reward=1e300), r"reward of seed 0 is 1e\+300 at step 5"),
    "NaN state": (wrong(state=np.nan), "state of seed 0 is nan at step 5"),
    "huge state": (wrong(state=1e39), r"state of seed 0 is 1e\+39 at step 5"),
    "NaN first state": (wrong(state=np.nan, at=0), "first state of seed 0 is nan at step 0"),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_08_bad_numbers_of_the_environment_are_blamed_on_it(kind, tmp_path):
    env, message = NUMBERS[kind]
    for algorithm in ("ddpg", "numpy-ddpg"):
        with pytest.raises(dpg.DivergenceError, match=f"{message}.*the environment returned it"):
            dpg.train(env, out=tmp_path / "r", **{**SHORT, "algorithm": algorithm})
    assert not (tmp_path / "r").exists()


def test_08_a_first_state_after_a_reset_too():
    def reset(self, *, seed=None, options=None):
        self.resets = getattr(self, "resets", 0) + 1
        observation, info = Task.reset(self, seed=seed)
        return observation * (np.nan if self.resets == 2 else 1.0), info

    with pytest.raises(dpg.DivergenceError, match="first state.*at step 10.*the environment"):
        dpg.train(variant(reset=reset), **{**SHORT, "learning_starts": 24, "eval_every": 24})
    train, settings = variant(), {**SHORT, "eval_env": variant(reset=reset)}
    with pytest.raises(dpg.DivergenceError, match="evaluation.*the environment returned it"):
        dpg.train(train, **settings)


def test_08_bad_actions_and_updates_are_blamed_on_themselves():
    class BadPolicy(dpg.DDPG):
        def random_action(self):
            return super().random_action() * np.nan

    class BadUpdate(dpg.DDPG):
        def update(self, batch):
            state = self.state()
            self.load_state({**state, "actor.theta": state["actor.theta"] * np.nan})

    with pytest.raises(dpg.DivergenceError, match="action of seed 0.*step 1.*initial policy"):
        dpg.train(Task, **{**SHORT, "algorithm": BadPolicy})
    with pytest.raises(dpg.DivergenceError, match="action of seed 0.*step 10.*the updates diverge"):
        dpg.train(Task, **{**SHORT, "algorithm": BadUpdate})


def test_08_exit_status_1_and_one_line(command):
    status, _, err = command("train", "--env", f"{MODULE}:NotANumber", *options())
    assert status == 1 and err.count("\n") == 1
    assert "the reward of seed 0 is nan at step 5" in err and "the environment returned it" in err


# 9: one observation


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("algorithm", ["ddpg", "td3", "numpy-ddpg"])
def test_09_one_observation_gives_one_action(algorithm, normalize, tmp_path):
    env = variant(action_space=gym.spaces.Box(-1, 1, (3,)))
    settings = {**SHORT, "algorithm": algorithm, "normalize_observations": normalize}
    dpg.train(env, out=tmp_path / "r", **settings)
    agents, agent = dpg.load(tmp_path / "r"), dpg.load(tmp_path / "r", seed=1)
    s = np.random.default_rng(0).normal(size=(5, 2))
    assert agent.act(s[0]).shape == agent.act(list(s[0])).shape == (3,)
    assert agent.act(s).shape == (5, 3) and agents.act(s).shape == (2, 5, 3)
    np.testing.assert_allclose(agent.act(s[0]), agent.act(s)[0], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(agents.act(s[0])[1], agent.act(s[0]), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(agents.act(s)[1], agent.act(s), rtol=1e-5, atol=1e-7)
    for bad in (np.zeros(3), np.zeros((5, 1)), np.zeros((3, 4, 2)), np.float64(1.0), np.zeros(0)):
        with pytest.raises(dpg.InvalidInputError, match="observation has shape"):
            agent.act(bad)


# 12: constructors with arguments


def test_12_arguments_reach_the_constructor(tmp_path):
    one_number(Arm, tmp_path / "class", env_kwargs={"joints": 2, "gain": 3.0})
    one_number("FieldArm-v0", tmp_path / "name", env_kwargs={"joints": 2})
    one_number(lambda: Arm(2), tmp_path / "function")
    one_number(functools.partial(Arm, 2), tmp_path / "partial", env_kwargs={"gain": 2.0})
    plain = dpg.train(Arm, env_kwargs={"joints": 2}, **SHORT)
    tripled = dpg.train(Arm, env_kwargs={"joints": 2, "gain": 3.0}, **SHORT)
    np.testing.assert_allclose(tripled.returns[0] / plain.returns[0], 3.0, rtol=0.1)


def test_12_missing_and_unknown_arguments_are_named(command):
    for env in (f"{MODULE}:Arm", "FieldArm-v0"):
        train = ["train", "--env", env, *options()]
        assert refused(command(*train), env, "'joints'", "allowed: joints, gain")
        unknown = ["--env-kwargs", "joints=2", "gian=3"]
        assert refused(command(*train, *unknown), env, "'gian'", "allowed: joints, gain")
        assert refused(command(*train, "--env-kwargs", "joints"), "NAME=VALUE")
        given = ["--env-kwargs", "joints=2", "gain=0.5"]
        assert command(*train, *given, "--out", f"r-{len(env)}")[0] == 0
        status, out, _ = command("play", f"r-{len(env)}", "--env", env)
        assert status == 0 and "return of the episode" in out
    stored = json.loads(Path(f"r-{len(env)}", "config.json").read_text())
    assert stored["env_kwargs"] == {"joints": 2, "gain": 0.5}


def test_12_arguments_that_cannot_be_stored_are_not_made_up(command):
    system = LQR([[0.5]], [[1.0]], [[1.0]], [[1.0]], 0.9)
    dpg.train("LQR-v0", out="r", env_kwargs={"system": system, "low": np.float32(-2)}, **SHORT)
    assert dpg.read_record("r").config.env_kwargs["low"] == -2.0
    for words in (["play", "r"], ["evaluate", "r"]):
        assert refused(command(*words), "system = not stored: ", "in Python")
    assert np.isfinite(
        dpg.play(dpg.load("r", seed=0), "LQR-v0", env_kwargs={"system": system, "low": -2})
    )


def test_12_in_python_too():
    assert refuses(Arm, "missing a required argument: 'joints'", "joints, gain")
    assert refuses(Task, "'size'", "allowed: no arguments", env_kwargs={"size": 2})
    assert refuses(lambda size: Task(), "'size'")
    assert refuses(Arm(2), "env_kwargs", "instance", env_kwargs={"joints": 2})
    assert refuses(Task, "env_kwargs is 5", env_kwargs=5)
    own = variant(__init__=lambda self, **kwargs: int("bad joint"))
    with pytest.raises(ValueError, match="bad joint") as caught:
        dpg.train(own, env_kwargs={"anything": 1}, **SHORT)
    assert type(caught.value) is ValueError


# 13: environments of the user's own module

SOURCE = """
import gymnasium as gym
from tests.field_cases.field_envs import Task

class Robot(Task):
    class Small(Task):
        pass

def make():
    return Robot()

size = 3
gym.register("{name}/Robot-v0", entry_point=Robot)
"""


def test_13_module_and_name_work_from_the_modules_folder(command):
    Path("my_robots.py").write_text(SOURCE.format(name="my_robots"))
    for i, name in enumerate(("Robot", "Robot.Small", "make", "my_robots/Robot-v0")):
        env = f"my_robots:{name}"
        assert command("train", "--env", env, *options())[0] == 0
        (folder,) = Path("runs").iterdir()
        assert set(folder.name) <= set(string.ascii_letters + string.digits + "._=,+-")
        assert folder.name.startswith(
            f"my_robots-{name.replace('/', '-')}-numpy-ddpg-2seeds-24steps"
        )
        folder.rename(f"r{i}")
        assert command("play", f"r{i}", "--env", env)[0] == 0
        assert refused_to_import(command("play", f"r{i}"), env)
        Path("runs").rmdir()


def refused_to_import(result, env):
    status, _, err = result
    return status == 2 and f"--env {env}" in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ("no_such_module:Env", "no module 'no_such_module'"),
        ("no_such.module:Env-v0", "no module 'no_such.module'"),
        ("half_robots:Nobody", "no class or function 'Nobody'"),
        ("half_robots:size", "no class or function 'size'"),
        ("half_robots:Nobody-v0", "no class or function 'Nobody-v0'"),
        ("half_robots:", "module:Name"),
        (".half_robots:Robot", "module:Name"),
        ("half_robots.py:Robot", "no module 'half_robots.py'"),
        ("folder/half_robots.py:Robot", "no module 'folder/half_robots.py'"),
        ("os:getcwd", "made a str"),
        ("Pendulum", "did you mean 'Pendulum-v1'"),
        ("Pendulum-v0", "'Pendulum-v1'"),
        ("Robot-v0", "not registered"),
        ("ä:ö", "no module 'ä'"),
        ("", "not registered"),
    ],
)
def test_13_names_that_lead_nowhere_are_one_line(env, message, command):
    Path("half_robots.py").write_text(SOURCE.format(name="half_robots"))
    assert refused(command("train", "--env", env, *options()), message)


def test_13_an_error_inside_the_module_keeps_its_traceback(command):
    Path("broken_robots.py").write_text("import no_such_library\n")
    with pytest.raises(ModuleNotFoundError, match="no_such_library") as caught:
        command("train", "--env", "broken_robots:Robot", *options())
    assert "broken_robots.py" in "".join(traceback.format_exception(caught.value))
    Path("worse_robots.py").write_text("1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        command("train", "--env", "worse_robots:Robot", *options())
    with pytest.raises(ZeroDivisionError):
        command("train", "--env", "LQR-v0", "--wrappers", "worse_robots:Robot", *options())
    gym.register("Worse-v0", entry_point="worse_robots:Robot")
    gym.register("Lost-v0", entry_point="lost_robots:Robot")
    try:
        with pytest.raises(ZeroDivisionError):
            command("train", "--env", "Worse-v0", *options())
        assert refused(command("train", "--env", "Lost-v0", *options()), "lost_robots")
    finally:
        del gym.registry["Worse-v0"], gym.registry["Lost-v0"]


def test_13_letters_and_systems(command):
    Path("Umgebung_ä.py").write_text(SOURCE.format(name="Umgebung"), encoding="utf-8")
    assert command("train", "--env", "Umgebung_ä:Robot", *options())[0] == 0
    (folder,) = Path("runs").iterdir()
    assert folder.name == "Umgebung_-Robot-numpy-ddpg-2seeds-24steps"
    stored = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert stored["env"] == "Umgebung_ä:Robot"


# 14: names outside the console's code page


STUDY = ["--num-seeds", "1", "--steps", "12", "--eval-episodes", "1", "--no-progress"]
STUDY += ["--algorithms", "numpy-ddpg", "--env", "LQR-v0", "--out", "Prüfung 试验"]


def test_14_a_study_in_a_folder_whose_name_the_system_cannot_read(tmp_path):
    ascii_only = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
    large = ["--env", f"{MODULE}:Large", "--steps", "200", "--learning-starts", "20"]
    done = process("study", *STUDY, *large, "--actor-lr", "0.01", cwd=tmp_path, **ascii_only)
    err = done.stderr.decode(errors="replace")
    assert done.returncode == 0, err
    folder = tmp_path / "Prüfung 试验"
    assert "Prüfung 试验" in (folder / "command.txt").read_text(encoding="utf-8")
    stored = json.loads((folder / "numpy-ddpg" / "provenance.json").read_text(encoding="utf-8"))
    assert "Prüfung 试验" in stored["command"]
    assert dpg.read_record(folder / "numpy-ddpg").steps.tolist() == [200]
    # Case 3 on the command line: warnings of this package take one line.
    assert err.startswith("warning: ") and err.count("\n") == 1
    assert "saturation" in err and "normalize_observations" in err


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437"])
def test_14_a_study_in_a_folder_whose_name_the_console_cannot_print(encoding, command, monkeypatch):
    console = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr(training_commands, "plot_study", lambda folder: None)
    monkeypatch.setattr(sys, "stdout", console)
    assert command("study", *STUDY)[0] == 0
    console.flush()
    assert b"study: Pr" in console.buffer.getvalue()
    assert "Prüfung 试验" in Path("Prüfung 试验/command.txt").read_text(encoding="utf-8")


RESERVED = ('a:b"c<d>e|f?g*h', "con", "name. ", "-x", "日本", "a\nb", "%s{}", "~")


def test_14_records_in_folders_with_any_name(command):
    for name in RESERVED:
        out = Path(name)
        words = ["--env", f"{MODULE}:Task", *options()]
        status, _, err = command("train", *words, f"--out={out}")
        assert status == 0, (name, err)
        assert dpg.load(out, seed=0).act(np.zeros(2)).shape == (1,)
        assert command("evaluate", f"./{out}", "--env", f"{MODULE}:Task", "--episodes", 2)[0] == 0


def test_14_folders_that_cannot_be_made_are_refused_at_once(command):
    Path("file").write_text("text")
    train = ["train", "--env", f"{MODULE}:Task", *options()]
    for out in ("file", "file/r", "file/runs/r", "a" * 300, "x/" + "ü" * 200):
        assert refused(command(*train, "--out", out), "out is")
    study = ["study", "--env", f"{MODULE}:Task", *options()]
    study[study.index("--algorithm")] = "--algorithms"
    for out in ("file", "file/r", "a" * 300):
        assert refused(command(*study, "--out", out), "out is")
    assert [path.name for path in Path().iterdir()] == ["file"]
    assert command(*train, "--out", "r")[0] == 0
    kept = sorted(path.name for path in Path("r").iterdir())
    assert refused(command(*train, "--out", "r"), "out is 'r', which exists")
    assert sorted(path.name for path in Path("r").iterdir()) == kept


# 16: another environment for evaluations


def test_16_evaluations_have_an_environment_of_their_own(command, monkeypatch):
    double = variant("Double", reward=lambda self, action: 2.0)
    run = dpg.train(Task, eval_env=double, **SHORT)
    assert (run.returns == 20).all()
    monkeypatch.setattr(envs, "Double", double, raising=False)
    train = ["train", "--env", f"{MODULE}:Task", "--eval-env", f"{MODULE}:Double", *options()]
    status, out, _ = command(*train, "--out", "r")
    assert status == 0 and "mean 20.0" in out
    assert dpg.read_record("r").config.eval_env == f"{MODULE}:Double"


def test_16_it_must_fit(command):
    other = variant(action_space=gym.spaces.Box(-1, 1, (2,)))
    assert refuses(Task, "eval_env", "(2,)", "(1,)", eval_env=other)
    wider = variant(action_space=gym.spaces.Box(-2, 2, (1,)))
    assert refuses(Task, "eval_env", "-2.0", "-1.0", eval_env=wider)
    bounds = variant(observation_space=gym.spaces.Box(-1, 1, (2,)))  # no one reads them
    dpg.train(Task, eval_env=bounds, **SHORT)
    train = ["train", "--env", f"{MODULE}:Task", *options()]
    assert refused(command(*train, "--eval-env", "Pendulum-v1"), "eval_env", "(3,)")
    assert refused(command(*train, "--eval-env", "Nothing-v0"), "Nothing-v0")


# 17: classes, functions and instances


def test_17_whatever_makes_an_environment_is_used(tmp_path):
    class Maker:
        def __call__(self):
            return Task()

    same = []
    for i, env in enumerate((Task, Task(), lambda: Task(), functools.partial(Task), Maker())):
        same.append(one_number(env, tmp_path / str(i)).returns)
    assert all(np.array_equal(returns, same[0]) for returns in same)


def test_17_an_instance_is_copied_as_it_is(tmp_path, command):
    env = gym.make("Pendulum-v1")
    env.unwrapped.max_torque = 0.0  # so that nothing can be done
    env.unwrapped.g = 0.0
    run = dpg.train(env, out="r", **SHORT)
    agent = run.agent
    changed, plain = (dpg.evaluate(agent, e, 2) for e in (env, "Pendulum-v1"))
    assert np.abs(changed - plain).min() > 1
    assert refused(command("play", "r"), "an instance of Pendulum-v1", "--env NAME")
    assert command("evaluate", "r", "--env", "Pendulum-v1", "--episodes", 1)[0] == 0


def test_17_what_cannot_be_used_is_named():
    holds_lock = Task()
    holds_lock.lock = __import__("threading").Lock()
    assert refuses(holds_lock, "cannot be copied", "a function that makes it")
    one = Task()
    assert refuses(lambda: one, "the same object twice", "new environment at every call")
    assert refuses(lambda: "Pendulum-v1", "made a str", "gymnasium.Env")
    assert refuses(lambda: None, "made a NoneType")
    assert refuses(5, "env is 5")
    assert refuses(None, "env is None")
    assert refuses(gym.make_vec("Pendulum-v1", 2), "env is")
    assert refuses(lambda: gym.make_vec("Pendulum-v1", 2), "SyncVectorEnv", "gymnasium.Env")
    assert refuses(Task, "made a NoneType", wrappers=[lambda env: None])
    assert refuses(Task, "wrapper is 5", wrappers=[5])
    assert refuses(Task, "'RescaleAction'", "'min_action'", wrappers=["RescaleAction"])
    assert refuses(Task, "'NoSuchWrapper'", wrappers=["NoSuchWrapper"])
    assert refuses(Task, "wrappers is", wrappers="FlattenObservation")
    assert refuses(Task, "wrappers is", wrappers=envs.hundredth)


def test_17_a_wrapped_instance_is_not_taken_for_the_bare_one(tmp_path, command):
    env = gym.wrappers.RescaleAction(gym.make("Pendulum-v1"), np.float32(-1), np.float32(1))
    dpg.train(env, out="r", **SHORT)
    message = r"actions from \[-2.\] to \[2.\].*\[-1.\] to \[1.\]"
    with pytest.raises(dpg.InvalidInputError, match=message):
        dpg.evaluate(dpg.load("r"), "Pendulum-v1", 2)
    with pytest.raises(dpg.InvalidInputError, match=message):
        dpg.play(dpg.load("r", seed=0), "Pendulum-v1")
    assert refused(command("evaluate", "r", "--env", "Pendulum-v1"), "trained with")


# 18: agents of the user's own


class Opposite(dpg.DDPG):
    """Does the opposite."""

    def policy(self, s):
        return -super().policy(s)


def make_opposite(*arguments):
    return Opposite(*arguments)


make_opposite.config_class = dpg.DDPGConfig


@pytest.mark.parametrize("algorithm", [Opposite, make_opposite, functools.partial(Opposite)])
def test_18_an_own_agent_is_recorded_as_itself(algorithm, tmp_path):
    run = dpg.train(Task, out=tmp_path / "r", **{**SHORT, "algorithm": algorithm})
    stored = json.loads((tmp_path / "r" / "config.json").read_text())["algorithm"]
    assert stored not in ("ddpg", "td3") and "pposite" in stored
    s = np.ones((2, 3, 2))
    assert np.abs(run.agent.act(s)).max() > 0
    loaded = dpg.load(tmp_path / "r", algorithm=algorithm)
    assert type(loaded) is Opposite
    assert np.array_equal(loaded.act(s), run.agent.act(s))
    np.testing.assert_allclose(dpg.evaluate(loaded, Task, 2), run.returns[-1])
    for other in ("ddpg", dpg.DDPG, dpg.TD3, "numpy-ddpg"):
        with pytest.raises(dpg.InvalidInputError, match="pposite"):
            dpg.load(tmp_path / "r", algorithm=other)


def test_18_unknown_here_it_is_refused(command, monkeypatch):
    dpg.train("LQR-v0", out="r", **{**SHORT, "algorithm": Opposite})
    assert type(dpg.load("r")) is Opposite  # its module is loaded
    config = Path("r/config.json")
    config.write_text(config.read_text().replace(__name__, "elsewhere"))
    for words in (["play", "r"], ["evaluate", "r"]):
        assert refused(command(*words), "elsewhere:Opposite", "not known here")


# 19 and 20: settings alone, and one callback


@pytest.mark.parametrize("steps", [1, 2, 9, 500])
def test_19_steps_alone_are_enough(steps, command):
    config = dpg.TrainConfig(steps=steps)
    assert 1 <= config.learning_starts <= steps and 1 <= config.eval_every <= steps
    sizes = {"num_seeds": 1, "eval_episodes": 1, "algorithm": "numpy-ddpg"}
    run = dpg.train(Task, steps=steps, **sizes)
    assert run.steps.tolist() == [steps]
    train = ["train", "--env", f"{MODULE}:Task", "--no-progress", "--num-seeds", "1"]
    assert command(*train, "--steps", min(steps, 9), "--out", "r")[0] == 0


@pytest.mark.parametrize("name", ["learning_starts", "eval_every"])
def test_19_what_contradicts_the_steps_is_named(name, command):
    words = ["--steps", "50", f"--{name.replace('_', '-')}", "51"]
    assert refused(command("train", *words), f"{name} is 51; allowed: 1 to steps = 50")


def test_20_one_callback_and_the_record_is_whole(tmp_path):
    reports = []
    run = dpg.train(Task, out=tmp_path / "r", callback=reports.append, **SHORT)
    record = dpg.read_record(tmp_path / "r")
    assert [report.step for report in reports] == record.steps.tolist() == [12, 24]
    assert np.allclose([report.returns for report in reports], record.returns, atol=1e-4)
    assert set(record.log) == set(run.log) == set(reports[0].log) and len(record.log) >= 10
    for name in ("on_evaluation", "on_log", "callbacks"):
        with pytest.raises(dpg.InvalidInputError, match=f"setting is '{name}'"):
            dpg.train(Task, **{name: reports.append}, **SHORT)


# 21: threads


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("algorithm", ["ddpg", "numpy-ddpg", Opposite])
def test_21_training_uses_one_thread_and_gives_the_others_back(algorithm, two_threads):
    seen = []

    def note(report):
        seen.append(torch.get_num_threads())

    dpg.train(Task, callback=note, **{**SHORT, "algorithm": algorithm})
    assert seen == [1, 1] and torch.get_num_threads() == 2


def test_21_the_number_of_threads_does_not_change_what_numpy_computes():
    settings = {"hidden_sizes": (256, 256), "batch_size": 256, "learning_starts": 8}
    states = []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            run = dpg.train(Task, **{**SHORT, **settings})
        states.append(run.agent.state())
    assert all(np.array_equal(states[0][name], states[1][name]) for name in states[0])


def test_21_after_an_error_too(two_threads):
    for env in (envs.BadJoint, envs.FourValues, envs.NotANumber):
        with pytest.raises((ValueError, dpg.DivergenceError)):
            dpg.train(env, **SHORT)
        assert torch.get_num_threads() == 2
    with pytest.raises(ZeroDivisionError):
        dpg.train(Task, callback=lambda report: 1 / 0, **SHORT)
    assert torch.get_num_threads() == 2


# 22: interrupted. To come with resuming (next issue): the same command goes on where the run
# stopped; until then it is refused if an evaluation has been written, and the record is readable.


@pytest.fixture
def control_c():
    """Control-C interrupts, even where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_22_control_c_before_the_first_evaluation_leaves_a_checkpoint(
    command, monkeypatch, control_c
):
    monkeypatch.setattr(envs.Signals, "total", 0)
    train = ["train", "--env", f"{MODULE}:Signals", *options(), "--out", "r"]
    monkeypatch.setenv("FIELD_SIGNAL", "SIGINT:10")
    status, _, err = command(*train)
    assert status == 130 and "go on with: dpgcourse train --resume r" in err
    with pytest.raises(dpg.InvalidInputError, match="holds no evaluation yet"):
        dpg.read_record("r")
    monkeypatch.setenv("FIELD_SIGNAL", "")
    status, _, err = command("train", "--resume", "r")
    assert status == 2 and "to give env" in err  # the record names a module
    assert command("train", "--resume", "r", "--env", f"{MODULE}:Signals", "--no-progress")[0] == 0
    assert dpg.read_record("r").steps[-1] == 24


def test_22_control_c_after_it_leaves_a_readable_record(command, monkeypatch, control_c):
    monkeypatch.setattr(envs.Signals, "total", 0)
    train = ["train", "--env", f"{MODULE}:Signals", *options(), "--out", "r"]
    monkeypatch.setenv("FIELD_SIGNAL", "SIGINT:80")  # 24 of training, 40 of evaluation, 16 more
    status, _, err = command(*train)
    assert status == 130 and "go on with: dpgcourse train --resume r" in err
    assert dpg.read_record("r").steps.tolist() == [12]
    assert dpg.load("r", seed=1).act(np.zeros(2)).shape == (1,)


@pytest.mark.parametrize(
    ("sent", "steps"),
    [pytest.param("SIGKILL:10", None, marks=pytest.mark.long), ("SIGTERM:80", [12])],
)
def test_22_killed(sent, steps, tmp_path):
    words = ["--env", f"{MODULE}:Signals", *options(), "--out", "r"]
    done = process("train", *words, cwd=tmp_path, FIELD_SIGNAL=sent)
    assert done.returncode == (-signal.SIGKILL if steps is None else 128 + signal.SIGTERM)
    if steps is None:
        assert [path.name for path in (tmp_path / "r").iterdir()] == [".lock"]
        assert process("train", *words, cwd=tmp_path, FIELD_SIGNAL="").returncode == 0
    else:
        assert dpg.read_record(tmp_path / "r").steps.tolist() == steps


# 23: spaces


OUTSIDE = {
    "unbounded": gym.spaces.Box(-np.inf, np.inf, (2,)),
    "half-bounded": gym.spaces.Box(0.0, np.inf, (1,)),
    "one of two": gym.spaces.Box(np.array([-1, -np.inf], "f"), np.array([1, 1], "f")),
    "beyond float32": gym.spaces.Box(-1e300, 1e300, (1,), np.float64),
}


@pytest.mark.parametrize("space", OUTSIDE.values(), ids=OUTSIDE)
def test_23_unbounded_actions_and_the_wrapper_that_helps(space, tmp_path):
    env = variant(action_space=space, step=lambda self, a: Task.step(self, np.clip(a, 0, 1)))
    assert refuses(env, "finite bounds", "gymnasium.wrappers.TransformAction")
    one_number(env, tmp_path / "r", wrappers=[envs.bounded])


def test_23_the_wrapper_that_takes_the_bounds_away_is_named(tmp_path):
    assert refuses(Task, "finite bounds", "ClipAction", wrappers=["ClipAction"])
    assert refuses(lambda: gym.wrappers.ClipAction(Task()), "ClipAction")


NOT_BOXES = {
    "Discrete": gym.spaces.Discrete(3),
    "MultiDiscrete": gym.spaces.MultiDiscrete([2, 3]),
    "MultiBinary": gym.spaces.MultiBinary(3),
    "Dict": gym.spaces.Dict(a=gym.spaces.Box(-1, 1)),
    "Tuple": gym.spaces.Tuple([gym.spaces.Box(-1, 1)]),
}


@pytest.mark.parametrize("kind", NOT_BOXES)
def test_23_other_actions_are_refused(kind):
    assert refuses(variant(action_space=NOT_BOXES[kind]), f"has actions {kind}(", "allowed: a Box")


@pytest.mark.parametrize("shape", [(), (2, 3), (1, 1), (1,)], ids=str)
def test_23_actions_of_any_shape_work(shape, tmp_path):
    seen = set()

    class Shaped(Task):
        action_space = gym.spaces.Box(-1, 1, shape)

        def step(self, action):
            seen.add(np.shape(action))
            return super().step(action)

    run = one_number(Shaped, tmp_path / "r")
    assert seen == {shape} and run.agent.action_dim == np.prod(shape, dtype=int)


OBSERVED = {
    "Discrete": gym.spaces.Discrete(5),
    "MultiDiscrete": gym.spaces.MultiDiscrete([2, 3]),
    "MultiBinary": gym.spaces.MultiBinary(3),
    "Dict": gym.spaces.Dict(
        eye=gym.spaces.Box(0, 255, (4, 4, 3), np.uint8), arm=Task.observation_space
    ),
    "Tuple": gym.spaces.Tuple([gym.spaces.Discrete(2), gym.spaces.Box(-1, 1, (2, 2))]),
    "Box of (4, 4, 3)": gym.spaces.Box(0, 255, (4, 4, 3), np.uint8),
    "Box of ()": gym.spaces.Box(-1, 1, ()),
    "Text": gym.spaces.Text(4),
}


@pytest.mark.filterwarnings("ignore::dpgcourse.training.loop.SaturationWarning")
@pytest.mark.parametrize("kind", OBSERVED)
def test_23_other_observations_and_the_wrapper_that_helps(kind, tmp_path):
    def first(self):
        return self.fixed

    space = OBSERVED[kind]
    space.seed(0)
    fixed = space.sample()
    env = variant(observation_space=space, observation=first, fixed=fixed)
    assert refuses(
        env, "has observations", "Box of shape (d,)", "gymnasium.wrappers.FlattenObservation"
    )
    one_number(env, tmp_path / "r", wrappers=["FlattenObservation"])


@pytest.mark.filterwarnings("ignore::dpgcourse.training.loop.SaturationWarning")
def test_23_the_command_line_takes_the_wrapper(command, monkeypatch):
    space = OBSERVED["Dict"]
    env = variant(observation_space=space, observation=lambda self: space.sample())
    monkeypatch.setattr(envs, "Observed", env, raising=False)
    name = f"{MODULE}:Observed"
    assert refused(command("train", "--env", name, *options()), name, "FlattenObservation")
    words = [*options(), "--wrappers", "FlattenObservation", "--out", "s"]
    assert command("train", "--env", name, *words)[0] == 0
    assert command("play", "s", "--env", name)[0] == 0


SPACES = {
    "no action space": ("action_space", None, "action_space None"),
    "a number": ("action_space", 3, "action_space 3"),
    "no observation space": ("observation_space", None, "observation_space None"),
    "a class": ("observation_space", gym.spaces.Box, "observation_space <class"),
    "no action": ("action_space", gym.spaces.Box(-1, 1, (0,)), "one number or more"),
    "no observation": ("observation_space", gym.spaces.Box(-1, 1, (0,)), "d >= 1"),
    "one value": ("action_space", gym.spaces.Box(1, 1, (2,)), "low < high"),
    "lists": ("observation_space", gym.spaces.Sequence(gym.spaces.Box(-1, 1)), "TransformObserv"),
    "long": (
        "action_space",
        gym.spaces.Box(-np.arange(99, dtype="f"), np.arange(99, dtype="f")),
        "low < high",
    ),
}


@pytest.mark.parametrize("kind", SPACES)
def test_23_spaces_that_are_none_are_named(kind):
    attribute, space, message = SPACES[kind]
    assert refuses(variant(**{attribute: space}), "field_envs:Variant", message)


def test_23_a_class_that_has_set_no_space():
    class Bare(gym.Env):
        pass

    assert refuses(Bare, "action_space", "gymnasium.spaces")


# 24: what is allowed stays allowed


def aliased():
    """A class that returns its own state, and changes it later."""

    def step(self, action):
        self.steps += 1
        self.s *= 0.9
        return self.s, 1.0, False, self.steps >= 10, {}

    space = gym.spaces.Box(-10, 10, (2,), np.float64)
    return variant(step=step, observation=lambda self: self.s, observation_space=space)


def observed(kind, low, high):
    space = gym.spaces.Box(low, high, (2,), kind)
    return variant(
        observation_space=space, observation=lambda self: np.abs(10 * self.s).astype(kind)
    )


FINE = {
    "float16 actions": variant(action_space=gym.spaces.Box(-0.1, 0.1, (2,), np.float16)),
    "float64 actions": variant(action_space=gym.spaces.Box(-0.1, 0.1, (2,), np.float64)),
    "narrow actions": variant(action_space=gym.spaces.Box(100, 100.001, (2,), np.float64)),
    "uint8 observations": observed(np.uint8, 0, 255),
    "float64 observations": observed(np.float64, -np.inf, np.inf),
    "float16 observations": observed(np.float16, -100, 100),
    "bool observations": observed(bool, 0, 1),
    "list observations": variant(observation=lambda self: [float(x) for x in self.s]),
    "tuple observations": variant(observation=lambda self: tuple(self.s)),
    "tensor observations": variant(observation=lambda self: torch.tensor(self.s)),
    "observations outside their space": variant(observation=lambda self: 100 * self.s),
    "int rewards": variant(reward=lambda self, a: 1),
    "float32 rewards": variant(reward=lambda self, a: np.float32(0.1)),
    "bool rewards": variant(reward=lambda self, a: True),
    "array rewards": variant(reward=lambda self, a: np.array(0.5)),
    "tensor rewards": variant(reward=lambda self, a: torch.tensor(0.5)),
    "array flags": variant(flags=lambda self: (np.array([False]), np.array(self.steps >= 10))),
    "NumPy flags": variant(flags=lambda self: (np.bool_(self.steps > 3), np.bool_(False))),
    "number flags": variant(flags=lambda self: (0, int(self.steps >= 10))),
    "both flags": variant(flags=lambda self: (self.steps >= 10, self.steps >= 10)),
    "no info": answer(info=None),
    "changing info": variant(
        step=lambda self, a: (*Task.step(self, a)[:4], {"x": [0, "a", np.zeros(3)][self.steps % 3]})
    ),
    "aliased observations": aliased(),
    "end at the first step": variant(flags=lambda self: (True, False)),
    "cut at the first step": variant(flags=lambda self: (False, True)),
    "negative survival": variant(
        reward=lambda self, a: -1.0, flags=lambda self: (bool(abs(self.s[0]) < 0.6), self.steps > 9)
    ),
    "large rewards": variant(reward=lambda self, a: -1e4 * float(self.s @ self.s)),
    "positional reset": variant(
        reset=lambda self, seed=None, options=None: Task.reset(self, seed=seed)
    ),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", FINE)
def test_24_what_is_allowed_stays_allowed(kind, tmp_path):
    one_number(FINE[kind], tmp_path / "r")


def test_24_episodes_of_any_length_count_up_to_their_end(tmp_path):
    class Lengths(Task):
        def reset(self, *, seed=None, options=None):
            observation, info = super().reset(seed=seed)
            self.length = int(self.np_random.integers(1, 15))
            return observation, info

        def reward(self, action):
            return 1.0

        def flags(self):
            return self.steps >= self.length, False

    dpg.train(Lengths, out=tmp_path / "r", **{**SHORT, "num_seeds": 1})
    agent = dpg.load(tmp_path / "r", seed=0)
    returns = dpg.evaluate(agent, Lengths, 6, seed=3)
    lengths = [int(np.random.default_rng(3 + i).integers(1, 15)) for i in range(6)]
    assert returns.tolist() == lengths and len(set(lengths)) > 2
    assert [dpg.play(agent, Lengths, start=3 + i) for i in range(6)] == lengths
