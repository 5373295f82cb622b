"""A run that was stopped and goes on is the run that was never stopped, bit for bit."""

import dataclasses
import json
import os
import random
import signal
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.n_step import NStepReplayBuffer
from dpgcourse.agents.registry import ALGORITHMS
from dpgcourse.errors import InvalidInputError, StorageError
from dpgcourse.training import durable_files, training_state
from dpgcourse.training.checkpoint import FOLDER, checkpoint_files
from dpgcourse.training.config import TrainConfig, make_config
from dpgcourse.training.description import describe
from dpgcourse.training.loop import ResumeWarning, resume, train
from dpgcourse.training.record import read_record
from dpgcourse.training.training_state import TrainingState

pytestmark = pytest.mark.filterwarnings("ignore::dpgcourse.training.loop.SaturationWarning")
SMALL = {
    "num_seeds": 2,
    "steps": 250,  # an episode takes 200
    "learning_starts": 20,
    "eval_every": 90,  # not a divisor: the last step is evaluated out of turn
    "eval_episodes": 1,
    "batch_size": 4,
}
NETS = {"hidden_sizes": (8, 4)}


def config_of(algorithm="ddpg", **changes) -> TrainConfig:
    nets = {"policy_delay": 3, **NETS} if algorithm == "td3" else NETS
    return make_config(**{"algorithm": algorithm, **SMALL, **nets, **changes})


def stop_after(monkeypatch, step: int, number=signal.SIGINT):
    """Send this process a signal while a run takes a step."""
    advance = TrainingState.advance

    def stopping(self):
        advance(self)
        if self.step == step:
            monkeypatch.setattr(TrainingState, "advance", advance)
            signal.raise_signal(number)

    monkeypatch.setattr(TrainingState, "advance", stopping)


def stopped(config, folder, monkeypatch, step, **options):
    stop_after(monkeypatch, step)
    with pytest.raises(KeyboardInterrupt):
        train(config, out=folder, **options)


def files(folder: Path) -> dict[str, bytes]:
    """The content of a record; who made it and when is left out."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "provenance.json"}


def contents(folder: Path) -> dict[Path, bytes]:
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def assert_same(one, other):
    a, b = one.agent.state(), other.agent.state()
    assert a.keys() == b.keys()
    for name in a:
        assert np.array_equal(a[name], b[name]), name
    assert np.array_equal(one.steps, other.steps)
    assert np.array_equal(one.returns, other.returns)
    assert list(one.log) == list(other.log)
    for name in one.log:
        assert np.array_equal(one.log[name], other.log[name]), name
    assert files(one.folder) == files(other.folder)


class Wandering(gym.Env):
    """A random walk whose episodes end at random, in both ways."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float64)
    action_space = gym.spaces.Box(-1.0, 3.0, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.s = self.np_random.normal(size=2)
        return self.s.copy(), {}

    def step(self, action):
        self.s += 0.1 * action + self.np_random.normal(size=2)
        end = self.np_random.random()
        return self.s.copy(), -float(self.s @ self.s), end < 0.05, end > 0.95, {}


CASES = {
    "ddpg": {},
    "numpy": {"algorithm": "numpy-ddpg"},
    "td3": {"algorithm": "td3"},
    "LQR": {"env": "LQR-v0"},
    "LQR in numpy": {"env": "LQR-v0", "algorithm": "numpy-ddpg"},
    "episodes of any length": {"env": Wandering, "algorithm": "numpy-ddpg"},
    "noise with a memory": {"noise_type": "ornstein-uhlenbeck"},
    "normalized": {"normalize_observations": True, "algorithm": "td3"},
    "a small replay": {"buffer_size": 37, "algorithm": "numpy-ddpg"},
    "weight decay": {"critic_weight_decay": 1e-2},
    "layer norm": {"critic_layer_norm": True},
    "n steps": {"n_step": 3, "algorithm": "td3"},
    "n steps, episodes of any length": {"env": Wandering, "n_step": 5, "buffer_size": 37},
    "sac": {"algorithm": "sac"},
    "sac, normalized": {"algorithm": "sac", "normalize_observations": True, "env": Wandering},
    "gradients that stay": {"algorithm": "faulty-missing-zero-grad"},
}


@pytest.mark.parametrize("case", CASES)
def test_two_random_stops_change_nothing(case, tmp_path, monkeypatch):
    config = config_of(**CASES[case])
    whole = train(config, out=tmp_path / "whole")
    first, second = sorted(random.Random(case).sample(range(1, config.steps), 2))
    stopped(config, tmp_path / "parts", monkeypatch, first)
    assert checkpoint_files(tmp_path / "parts")[-1].name == f"step-{first:012}.safetensors"
    stop_after(monkeypatch, second)
    env = {"env": config.env} if config.env is Wandering else {}
    with pytest.raises(KeyboardInterrupt):
        resume(tmp_path / "parts", **env)
    assert_same(resume(tmp_path / "parts", **env), whole)
    assert not (tmp_path / "parts" / FOLDER).exists()


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name.startswith("faulty-")])
def test_every_faulty_agent_goes_on(algorithm, tmp_path, monkeypatch):
    config = config_of(algorithm, steps=60, eval_every=25)
    whole = train(config, out=tmp_path / "whole")
    stopped(config, tmp_path / "parts", monkeypatch, 44)
    assert_same(resume(tmp_path / "parts"), whole)


@pytest.mark.parametrize("step", [1, 20, 21, 90, 199, 200, 201, 249])
def test_no_step_is_special(step, tmp_path, monkeypatch):
    config = config_of("numpy-ddpg")
    whole = train(config, out=tmp_path / "whole")
    stopped(config, tmp_path / "parts", monkeypatch, step)
    assert_same(resume(tmp_path / "parts"), whole)


def test_a_record_in_another_folder_goes_on(tmp_path, monkeypatch):
    config = config_of("numpy-ddpg")
    whole = train(config, out=tmp_path / "whole")
    stopped(config, tmp_path / "parts", monkeypatch, 220)
    os.rename(tmp_path / "parts", tmp_path / "moved")
    assert_same(resume(tmp_path / "moved"), whole)


def test_the_numbers_until_the_stop_are_those_of_a_record(tmp_path, monkeypatch):
    stopped(config_of(), tmp_path / "run", monkeypatch, 200)
    record = read_record(tmp_path / "run")
    assert record.steps.tolist() == [90, 180]
    stopped(config_of(), tmp_path / "early", monkeypatch, 5)
    message = "holds no evaluation yet; allowed: to go on with its run, .* step-000000000005"
    with pytest.raises(InvalidInputError, match=message):
        read_record(tmp_path / "early")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_whoever_waited_for_it_before(number, tmp_path, monkeypatch):
    seen = []
    before = signal.signal(number, lambda *_: seen.append(number))
    try:
        stop_after(monkeypatch, 100, number)
        run = train(config_of("numpy-ddpg"), out=tmp_path / "run")
        assert seen == [number] and run.steps.tolist() == [90]
        assert signal.getsignal(number) is not signal.SIG_DFL
    finally:
        signal.signal(number, before)
    assert checkpoint_files(tmp_path / "run")


def test_the_second_signal_acts_at_once(tmp_path, monkeypatch):
    def twice(self):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("went on")

    config = config_of("numpy-ddpg")
    monkeypatch.setattr(TrainingState, "evaluate", twice)
    with pytest.raises(KeyboardInterrupt):
        train(config, out=tmp_path / "run")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not (tmp_path / "run").exists()


def test_without_a_record_a_signal_acts_at_once(monkeypatch):
    stop_after(monkeypatch, 30)
    with pytest.raises(KeyboardInterrupt):
        train(config_of("numpy-ddpg"))


def test_checkpoints_come_when_they_are_asked_for_and_the_latest_stay(tmp_path, monkeypatch):
    config = config_of("numpy-ddpg")
    options = {"checkpoint_every": 50, "keep_checkpoints": 3}
    stopped(config, tmp_path / "run", monkeypatch, 240, **options)
    names = [path.name for path in checkpoint_files(tmp_path / "run")]
    assert names == [f"step-{step:012}.safetensors" for step in (150, 200, 240)]
    for name, value in options.items():
        with pytest.raises(InvalidInputError, match=f"{name} is 0; allowed: a whole number, 1 or"):
            train(config, out=tmp_path / "new", **{**options, name: 0})
        assert value and not (tmp_path / "new").exists()


def test_an_earlier_checkpoint_gives_the_same_run(tmp_path, monkeypatch):
    config = config_of("numpy-ddpg")
    whole = train(config, out=tmp_path / "whole")
    stopped(config, tmp_path / "run", monkeypatch, 240, keep_checkpoints=10, checkpoint_every=45)
    message = "step is 50; allowed: 45, 90, 135, .* which have a checkpoint"
    with pytest.raises(InvalidInputError, match=message):
        resume(tmp_path / "run", step=50)
    stop_after(monkeypatch, 60)
    with pytest.raises(KeyboardInterrupt):  # before the first evaluation
        resume(tmp_path / "run", step=45)
    kept = [path.name for path in checkpoint_files(tmp_path / "run")]
    assert kept == ["step-000000000045.safetensors", "step-000000000060.safetensors"]
    with pytest.raises(InvalidInputError, match="holds no evaluation yet"):
        read_record(tmp_path / "run")
    assert_same(resume(tmp_path / "run", step=60), whole)


def test_a_record_that_went_back_holds_the_policy_of_its_last_evaluation(tmp_path, monkeypatch):
    config = config_of("numpy-ddpg")
    stopped(config, tmp_path / "run", monkeypatch, 240, keep_checkpoints=10, checkpoint_every=50)
    stop_after(monkeypatch, 110)
    with pytest.raises(KeyboardInterrupt):  # evaluated at 90, and gone back to 100
        resume(tmp_path / "run", step=100)
    stopped(config, tmp_path / "direct", monkeypatch, 110)
    for name in ("policy.safetensors", "returns.csv", "log.csv"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "direct" / name).read_bytes()


def damaged(path: Path, kind: str) -> None:
    content = bytearray(path.read_bytes())
    if kind == "half":
        del content[len(content) // 2 :]
    elif kind == "one bit":
        content[-3] ^= 1
    elif kind == "text":
        content = bytearray(b"hello")
    elif kind == "renamed":
        path.rename(path.with_name(f"step-{999:012}.safetensors"))
        return
    path.write_bytes(content)


@pytest.mark.parametrize("kind", ["half", "one bit", "text", "renamed"])
def test_a_damaged_checkpoint_is_refused_and_an_earlier_one_is_offered(kind, tmp_path, monkeypatch):
    config = config_of("numpy-ddpg")
    whole = train(config, out=tmp_path / "whole")
    stopped(config, tmp_path / "run", monkeypatch, 200)
    damaged(checkpoint_files(tmp_path / "run")[-1], kind)
    before = contents(tmp_path)
    message = "cannot be read: .*; the earlier checkpoint of step 180 is whole"
    with pytest.raises(InvalidInputError, match=message):
        resume(tmp_path / "run")
    assert contents(tmp_path) == before
    assert_same(resume(tmp_path / "run", step=180), whole)


def test_a_newer_checkpoint_is_refused(tmp_path, monkeypatch):
    stopped(config_of("numpy-ddpg"), tmp_path / "run", monkeypatch, 100)
    monkeypatch.setattr("dpgcourse.training.checkpoint.FORMAT", 0)
    with pytest.raises(InvalidInputError, match="its format is 1; allowed: 0; .* a newer version"):
        resume(tmp_path / "run")


def test_where_nothing_was_interrupted_there_is_nothing_to_resume(tmp_path):
    train(config_of("numpy-ddpg", steps=60, eval_every=60), out=tmp_path / "run")
    for folder in (tmp_path / "run", tmp_path / "nowhere"):
        with pytest.raises(InvalidInputError, match="has no checkpoint; allowed: the folder of a"):
            resume(folder)
    assert not (tmp_path / "nowhere").exists()


TOLD = "dpgcourse.training.training_state.describe"  # what a checkpoint says of its run


class OwnAgent(DDPG):
    """An agent of the user's own."""


class Drifting(gym.Env):
    """Draws its random numbers from a generator that no seed reaches."""

    observation_space = gym.spaces.Box(-10, 10, (1,))
    action_space = gym.spaces.Box(-1, 1, (1,))
    rng = np.random.default_rng(0)

    def reset(self, *, seed=None, options=None):
        return self.rng.normal(size=1).astype("float32"), {}

    def step(self, action):
        return self.rng.normal(size=1).astype("float32"), 0.0, False, self.rng.random() < 0.1, {}


def test_what_a_record_cannot_hold_is_given_once_more(tmp_path, monkeypatch):
    config = config_of(OwnAgent, env=gym.make("Pendulum-v1"), steps=60, eval_every=30)
    whole = train(config, out=tmp_path / "whole")
    stopped(config, tmp_path / "run", monkeypatch, 44)
    with pytest.raises(InvalidInputError, match="env 'an instance of Pendulum-v1' is not regist"):
        resume(tmp_path / "run")
    monkeypatch.setattr(sys.modules[__name__], "OwnAgent", None)  # as in another process
    with pytest.raises(InvalidInputError, match="which is not known here"):
        resume(tmp_path / "run", env="Pendulum-v1")
    agent = type(whole.agent)
    assert_same(resume(tmp_path / "run", env=gym.make("Pendulum-v1"), algorithm=agent), whole)


def test_an_environment_that_cannot_come_back_is_said(tmp_path, monkeypatch):
    config = config_of("numpy-ddpg", env=Drifting, steps=120, eval_every=60)
    stopped(config, tmp_path / "run", monkeypatch, 100)
    with pytest.warns(ResumeWarning, match="did not come back to the state that it was left in"):
        run = resume(tmp_path / "run", env=Drifting)
    assert run.steps.tolist() == [60, 120] and read_record(tmp_path / "run").steps[-1] == 120


def test_no_n_step_target_crosses_the_place_where_an_environment_was_lost(tmp_path, monkeypatch):
    kept = []

    class Kept(NStepReplayBuffer):
        def __init__(self, *args):
            super().__init__(*args)
            kept.append(self)

    monkeypatch.setattr(training_state, "NStepReplayBuffer", Kept)
    monkeypatch.setattr(Drifting, "rng", np.random.default_rng(1))
    config = config_of(env=Drifting, steps=120, eval_every=60, n_step=3)
    stopped(config, tmp_path / "run", monkeypatch, 100)
    before = kept[0].state()["ended"]
    with pytest.warns(ResumeWarning, match="did not come back"):
        resume(tmp_path / "run", env=Drifting)
    after = kept[1].state()["ended"][:, :100]
    assert not before[:, 99].all() and after[:, 99].all()
    assert np.array_equal(before[:, :99], after[:, :99])


def test_another_environment_is_refused_and_nothing_is_lost(tmp_path, monkeypatch):
    config = config_of("numpy-ddpg")
    whole = train(config, out=tmp_path / "whole")
    stopped(config, tmp_path / "run", monkeypatch, 200)
    before = contents(tmp_path)
    with pytest.raises(InvalidInputError, match="state_dim is 3, and of the environment 2"):
        resume(tmp_path / "run", env="LQR-v0")
    assert contents(tmp_path) == before
    assert_same(resume(tmp_path / "run"), whole)


def test_a_record_from_elsewhere_runs_no_code_when_it_goes_on(tmp_path, monkeypatch):
    (tmp_path / "hostile.py").write_text("raise SystemExit('executed')")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, value in (
        ("env", "hostile:X"),
        ("wrappers", ["hostile:W"]),
        ("eval_env", "hostile:Y"),
        ("algorithm", "hostile:Agent"),
        ("algorithm", "os:system"),
    ):
        folder = tmp_path / f"{name}{value}".replace(":", "")
        with monkeypatch.context() as patch:
            lies = {name: value}
            patch.setattr(TOLD, lambda *a, lies=lies: describe(*a) | lies)
            stopped(config_of("numpy-ddpg"), folder, patch, 50)
        with pytest.raises(InvalidInputError, match="not registered|not known here|to give env"):
            resume(folder)
    assert "hostile" not in sys.modules


def test_two_processes_cannot_write_in_one_folder(tmp_path, monkeypatch):
    config = config_of("numpy-ddpg", steps=60, eval_every=30)
    refused = []

    def second(report):
        for call in (lambda: train(config, out=tmp_path / "run"), lambda: resume(tmp_path / "run")):
            with pytest.raises(InvalidInputError) as error:
                call()
            refused.append(str(error.value))

    train(config, out=tmp_path / "run", callback=second)
    assert "which exists" in refused[0] and "has no checkpoint" in refused[1]
    assert "is in use: another process writes there" in refused[3]
    assert read_record(tmp_path / "run").steps.tolist() == [30, 60]
    assert not (tmp_path / "run" / ".lock").exists()


@pytest.mark.parametrize("fails_at", range(12))
def test_a_full_disk_is_named_and_what_was_finished_stays(fails_at, tmp_path, monkeypatch):
    config = config_of("numpy-ddpg", steps=60, eval_every=20)
    whole = train(config, out=tmp_path / "whole")
    calls = []
    fsync = os.fsync

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > 8 + fails_at:  # after the first files
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(durable_files.os, "fsync", full)
    with pytest.raises(StorageError, match="cannot be written: No space left on device; what was"):
        train(config, out=tmp_path / "run")
    monkeypatch.undo()
    assert not list((tmp_path / "run").rglob("*.partial"))
    if checkpoint_files(tmp_path / "run"):
        assert_same(resume(tmp_path / "run"), whole)


def test_the_stop_checkpoint_of_a_full_disk_names_the_disk(tmp_path, monkeypatch):
    stop_after(monkeypatch, 50)
    original = durable_files.replace_file

    def full(path, content):
        if path.parent.name == FOLDER:
            raise StorageError("no space")
        original(path, content)

    monkeypatch.setattr("dpgcourse.training.tensor_files.replace_file", full)
    with pytest.raises(StorageError, match="no space"):
        train(config_of("numpy-ddpg"), out=tmp_path / "run")


def test_provenance_tells_of_every_process(tmp_path, monkeypatch):
    stopped(config_of("numpy-ddpg"), tmp_path / "run", monkeypatch, 100)
    resume(tmp_path / "run")
    made = json.loads((tmp_path / "run" / "provenance.json").read_text(encoding="utf-8"))
    assert len(made["resumed"]) == 1 and made["resumed"][0]["numpy"] == np.__version__
    assert dataclasses.asdict(read_record(tmp_path / "run").config)["steps"] == 250


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")  # of the compiler's own modules
@pytest.mark.parametrize("env", ["Pendulum-v1", "LQR-v0"])
def test_a_compiled_run_goes_on_bit_for_bit(env, tmp_path, monkeypatch):
    config = config_of("ddpg", env=env, compile=True)
    whole = train(config, out=tmp_path / "whole")
    for step in random.Random(env).sample(range(1, config.steps), 3):
        stopped(config, tmp_path / f"{step}", monkeypatch, step)
        assert_same(resume(tmp_path / f"{step}"), whole)
