"""Nonsense in every setting and on the command line: one clear error, nothing written, no hang."""

import dataclasses
import json
import random

import pytest

from dpgcourse.agents.registry import ALGORITHMS
from dpgcourse.cli import main
from dpgcourse.errors import InvalidInputError
from dpgcourse.training import loop
from dpgcourse.training.config import TrainConfig, make_config
from dpgcourse.training.description import config_from, describe

VALUES = [
    *(None, True, False, 0, 1, -1, 2, 1.5, -0.5, 0.0, 1e-300, 1e300, 10**30, -(10**30)),
    *(float("nan"), float("inf"), -float("inf"), "", "x", "1", "Pendulum-v1", "LQR-v0", "a:b"),
    *((), [], {}, (0,), (8,), [8, 4], (8.5,), (True,), ("8",), [[8]], {"a": 1}, {1: 2}),
    *(b"8", object(), lambda: 8, print, 3j, range(3), {8}),
]
SETTINGS = sorted(
    {f.name for f in dataclasses.fields(TrainConfig)}
    | {f.name for a in ALGORITHMS.values() for f in dataclasses.fields(a.config_class)}
)


@pytest.mark.parametrize("number", range(30))
def test_ten_random_configurations_are_made_or_refused_by_name(number):
    draw = random.Random(number)
    for _ in range(10):
        names = draw.sample(SETTINGS, draw.choice([1, 1, 2, 3]))
        settings = {name: draw.choice(VALUES) for name in names}
        try:
            config = make_config(**settings)
        except InvalidInputError as error:
            message = str(error)
            assert len(message.splitlines()) == 1 and "allowed: " in message
            continue
        described = json.loads(json.dumps(describe(config)))
        sizes = {"state_dim": 3, "action_low": [-2.0], "action_high": [2.0]}
        if {"env", "eval_env", "algorithm", "env_kwargs", "wrappers"} & set(names):
            continue  # not everything can be stored
        assert config_from({**described, **sizes}, "here")[0] == config


class Reached(BaseException):
    """A command line was good enough to begin with training."""


WORDS = [
    *("", "x", "1", "-1", "0", "nan", "inf", "1e999", "[8,8]", "a=b", "=", "--", "-", "\x00", "é"),
    *("Pendulum-v1", "LQR-v0", "CartPole-v1", "a:b", "tau=0.1,x", "record", "9" * 40, "{}", "*"),
]
OPTIONS = [
    *(f"--{name.replace('_', '-')}" for name in SETTINGS),
    *("--out", "--resume", "--preset", "--config", "--vary", "--algorithms", "--tensorboard"),
    *("--episodes", "--seed", "--csv", "--video", "--start", "--from-step", "--keep-checkpoints"),
    *("--checkpoint-every", "--nonsense", "--progress", "--env"),
]


@pytest.mark.parametrize("number", range(20))
def test_five_random_command_lines_are_understood_or_one_line(
    number, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)

    def reached(*arguments):
        raise Reached

    monkeypatch.setattr(loop, "TrainingState", reached)
    monkeypatch.setattr("dpgcourse.training.memory_estimate.psutil.virtual_memory", no_memory)
    draw = random.Random(number)
    for _ in range(5):
        line = [draw.choice(["train", "train", "study", "evaluate", "play", "list", "x"])]
        for _ in range(draw.randint(0, 4)):
            line.append(draw.choice(OPTIONS) if draw.random() < 0.6 else draw.choice(WORDS))
            if line[-1] in OPTIONS and draw.random() < 0.8:
                line.append(draw.choice(WORDS))
        status = 0
        try:
            main(line)
        except Reached:
            pass
        except SystemExit as stop:
            status = stop.code
        err = capsys.readouterr().err
        assert status in (0, 2), (line, err)
        if status:
            assert err.startswith("error: ") and len(err.splitlines()) == 1, (line, err)
        assert list(tmp_path.iterdir()) == [], line


def no_memory():
    class Memory:
        available = 2**30

    return Memory
