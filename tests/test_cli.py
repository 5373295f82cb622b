"""The command line, as a user meets it: in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

QUICK = ["--seeds=2", "--steps=40", "--warmup=20", "--eval-every=20", "--eval-episodes=1"]


def command(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "dpgcourse", *arguments], cwd=cwd, capture_output=True, text=True
    )


def test_train_then_play(tmp_path):
    trained = command("train", "--env", "Pendulum-v1", *QUICK, "--out", "record", cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    assert "last evaluation: mean -" in trained.stdout
    assert "100%" in trained.stderr  # the progress bar
    names = {path.name for path in (tmp_path / "record").iterdir()}
    assert names == {
        "config.json",
        "returns.csv",
        "log.csv",
        "actor.safetensors",
        "learning_curve.png",
    }
    played = command("play", "record", "--seed", "1", cwd=tmp_path)
    assert played.returncode == 0, played.stderr
    assert "return of the episode: -" in played.stdout
    assert (tmp_path / "record" / "play-1.gif").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "one of {train, train-lillicrap2016, study, play}"),
        ("study --out new --methods ddpg ppo", "method is 'ppo'; allowed: ddpg, by_hand, td3"),
        ("study --out new --vary taus=1", "vary is 'taus=1'; allowed: NAME=VALUES with one of"),
        ("study --out new --vary tau=2.0", "tau is 2.0; allowed: 0 < tau <= 1"),
        ("study --out full", "which is no study; allowed: a new folder"),
        ("train --seeds 1000000 --steps 1000000", "GiB, which is available; lower seeds"),
        ("fly", "fly"),
        ("train --nonsense 3", "--nonsense"),
        ("train --seeds many", "many"),
        ("train --seeds 0", "seeds is 0; allowed: 1 or more"),
        ("train --gamma 1.5", "gamma is 1.5; allowed: 0 <= gamma < 1"),
        ("train --env CartPole-v1", "Discrete(2); allowed: a Box of shape (m,)"),
        ("train --env Pendulum-v99", "Pendulum-v99"),
        ("train --out full", "which exists; allowed: a new folder"),
        ("play nowhere", "config.json is missing"),
        ("play", "missing"),
    ],
)
def test_a_users_mistake_is_a_short_message_and_writes_nothing(arguments, message, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    done = command(*arguments.split(), cwd=tmp_path)
    assert done.returncode == 2
    said = " ".join((done.stdout + done.stderr).replace("│", " ").split())
    assert message.lower() in said.lower()
    assert "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["notes.txt"]


def test_the_published_settings_run_and_may_be_changed(tmp_path):
    short = ["--seeds=1", "--steps=70", "--eval-every=70", "--eval-episodes=1", "--out=record"]
    done = command("train-lillicrap2016", *short, "--gamma=0.9", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    config = json.loads((tmp_path / "record" / "config.json").read_text())
    assert config["method"] == "drifting-noise"
    assert config["agent"]["gamma"] == 0.9 and config["agent"]["tau"] == 0.001
    assert config["agent"]["hidden"] == [400, 300] and config["steps"] == 70


def test_a_study_is_finished_by_the_command_that_began_it(tmp_path):
    again = ["study", "--out=new", "--methods", "ddpg", "td3", "--vary", "tau=0.5,1.0", *QUICK]
    first = command(*again, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert "study: new, 4 of 4 variants finished" in first.stdout
    names = {path.name for path in (tmp_path / "new").iterdir()}
    runs = {"ddpg-tau=0.5", "ddpg-tau=1.0", "td3-tau=0.5", "td3-tau=1.0"}
    assert names == {"command.txt"} | runs
    text = (tmp_path / "new" / "command.txt").read_text()
    assert text == f"python -m dpgcourse {' '.join(again)}\n"
    second = command(*again, cwd=tmp_path)
    assert second.stderr.count("finished before, skipped") == 4
    assert (tmp_path / "new" / "command.txt").read_text() == text


def test_a_diverging_run_is_one_line_and_keeps_its_record(tmp_path):
    wild = [*QUICK, "--critic-lr=1e30", "--no-progress", "--batch-size=4"]
    done = command("train", *wild, "--eval-every=10", "--out=record", cwd=tmp_path)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: the ") and "is no longer finite at step 2" in line
    assert len((tmp_path / "record" / "returns.csv").read_text().splitlines()) == 1 + 2 * 2


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_ctrl_c_keeps_the_record(tmp_path):
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "dpgcourse",
            "train",
            *QUICK,
            "--steps",
            "2000000",
            "--out",
            "record",
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a shell without job control ignores the signal in what it starts in the background
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    table = tmp_path / "record" / "returns.csv"
    deadline = time.monotonic() + 120
    while not (table.exists() and len(table.read_text().splitlines()) > 4):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; the record holds every evaluation so far" in err
    assert "Traceback" not in err
    assert "record: record" in out
    assert command("play", "record", cwd=tmp_path).returncode == 0
