"""The command line, as a user meets it; in this process where no signal and no start-up counts."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from dpgcourse import results_path
from dpgcourse.cli import main
from dpgcourse.cli.options import field_docs
from dpgcourse.training.config import TrainConfig

QUICK = [
    "--num-seeds=2",
    "--steps=40",
    "--learning-starts=20",
    "--eval-every=20",
    "--eval-episodes=1",
    "--no-progress",
]
FILES = {
    "README.md",
    "config.json",
    "provenance.json",
    "returns.csv",
    "log.csv",
    "policy.safetensors",
    "learning_curve.png",
}


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a command in an empty folder: exit status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        try:
            main(arguments)
            status = 0
        except SystemExit as stop:
            status = stop.code
        out, err = capsys.readouterr()
        return status, out, err

    return run


def process(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "dpgcourse", *arguments], cwd=cwd, capture_output=True, text=True
    )


def test_train_evaluate_play_in_processes_of_their_own(tmp_path):
    quick = [option for option in QUICK if option != "--no-progress"]
    trained = process("train", "--env", "Pendulum-v1", *quick, "--out", "record", cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    assert "last evaluation: mean -" in trained.stdout and "tau = 0.01" in trained.stdout
    assert "100%" in trained.stderr and "return -" in trained.stderr  # the progress bar
    assert {path.name for path in (tmp_path / "record").iterdir()} == FILES
    evaluated = process("evaluate", "record", "record", "--episodes=2", cwd=tmp_path)
    assert evaluated.returncode == 0, evaluated.stderr
    head, first, second = evaluated.stdout.splitlines()
    assert head.startswith("record") and first == second and "too few seeds" in first
    played = process("play", "record", "--seed", "1", cwd=tmp_path)
    assert played.returncode == 0, played.stderr
    assert "seed 1: return of the episode: -" in played.stdout
    assert (tmp_path / "record" / "play-1.gif").stat().st_size > 1000


def test_the_default_folder_names_what_was_trained(run, tmp_path):
    status, out, _ = run("train", *QUICK, "--algorithm", "numpy-ddpg", "--env", "LQR-v0")
    assert status == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name == "LQR-v0-numpy-ddpg-2seeds-40steps" and str(folder.name) in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "command is ''; allowed: train, study, evaluate, play, list"),
        ("trian", "command is 'trian'; allowed: train, study, evaluate, play, list; did you mean"),
        ("study --out new --algorithms ddpg ppo", "algorithm is 'ppo'; allowed: ddpg, numpy-ddpg"),
        ("study --out new --algorithm td3", "unknown option --algorithm; did you mean --algo"),
        ("study --out new --vary taus=1", "setting is 'taus' (did you mean tau?)"),
        ("study --out new --vary tau=2.0", "tau is 2.0; allowed: 0 < tau <= 1"),
        ("study --out full", "which is no study; allowed: a new folder"),
        ("study", "the following arguments are required: --out"),
        ("train --num-seeds 1000000 --steps 1000000", "GiB, which is available; lower num_seeds"),
        ("train --nonsense 3", "unknown option --nonsense"),
        ("train --sedes 3", "unknown option --sedes; did you mean"),
        ("train --policy-delay 3", "unknown option --policy-delay"),
        ("train --num-seeds many", "num_seeds is 'many'; allowed: a whole number"),
        ("train --num-seeds", "num_seeds expected one argument"),
        ("train --num-seeds 0", "num_seeds is 0; allowed: 1 or more"),
        ("train --gamma 1.5", "gamma is 1.5; allowed: 0 <= gamma < 1"),
        ("train --noise-type pink", "noise_type is 'pink'; allowed: gaussian or"),
        ("train --preset best", "preset is 'best'; allowed: lillicrap2016"),
        ("train --config none.json", "config is 'none.json', which cannot be read"),
        ("train --env CartPole-v1", "Discrete(2); allowed: a Box"),
        ("train --env Pendulum-v99", "Pendulum-v99"),
        ("train --env-kwargs g", "env_kwargs is 'g'; allowed: NAME=VALUE"),
        ("train --env-kwargs h=2", "with env_kwargs {'h': 2}: got an unexpected keyword"),
        ("train --out full", "which exists; allowed: a new folder"),
        ("play nowhere", "'nowhere' is not a folder"),
        ("play full", "config.json is missing"),
        ("play", "required: record"),
        ("play full --seed x", "config.json is missing"),
        ("evaluate full --episodes 2", "config.json is missing"),
        ("list nothing", "unknown option nothing"),
    ],
)
def test_a_users_mistake_is_one_line_and_writes_nothing(arguments, message, run, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    status, out, err = run(*arguments.split())
    (line,) = err.splitlines()
    assert out == "" or arguments.startswith("train")  # which prints the settings first
    assert status == 2 and line.startswith("error: ") and message in line
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["notes.txt"]


def test_nothing_is_evaluated_if_one_record_cannot_be_read(run):
    status, out, err = run("evaluate", str(results_path("ddpg-pendulum")), "nowhere")
    assert status == 2 and out == "" and "'nowhere' is not a folder" in err


@pytest.mark.parametrize("arguments", [["trian"], ["train", "--num-seeds", "0"], ["play", "none"]])
def test_a_users_mistake_in_a_process_of_its_own(arguments, tmp_path):
    done = process(*arguments, cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == "" and len(done.stderr.splitlines()) == 1


def test_published_settings_run_and_may_be_changed(run, tmp_path):
    short = ["--num-seeds=1", "--steps=70", "--eval-every=70", "--eval-episodes=1", "--out=record"]
    status, _, err = run("train", "--preset", "lillicrap2016", *short, "--gamma=0.9")
    assert status == 0, err
    config = json.loads((tmp_path / "record" / "config.json").read_text())
    assert config["algorithm"] == "ddpg" and config["steps"] == 70
    agent = config["agent"]
    assert agent["noise_type"] == "ornstein-uhlenbeck" and agent["hidden_sizes"] == [400, 300]
    assert agent["gamma"] == 0.9 and agent["tau"] == 0.001


def test_the_configuration_of_a_record_and_a_toml_file_are_settings(run, tmp_path):
    assert run("train", *QUICK, "--algorithm", "td3", "--policy-delay=3", "--out=first")[0] == 0
    again = ["train", "--config", "first/config.json", "--out=second", "--noise_clip", "0.25"]
    assert run(*again)[0] == 0
    first, second = (
        json.loads((tmp_path / name / "config.json").read_text()) for name in ("first", "second")
    )
    assert second["agent"] == first["agent"] | {"noise_clip": 0.25}
    assert {**first, "agent": None} == {**second, "agent": None}
    (tmp_path / "run.toml").write_text("steps = 30\nnum_seeds = 1\n[agent]\ntau = 0.5\n")
    assert run("train", "--config=run.toml", "--eval-episodes=1", "--out=third")[0] == 0
    third = json.loads((tmp_path / "third" / "config.json").read_text())
    assert (third["steps"], third["num_seeds"], third["agent"]["tau"]) == (30, 1, 0.5)


def test_a_study_is_finished_by_the_command_that_began_it(run, tmp_path):
    again = ["study", "--out=new", "--algorithms", "ddpg", "td3", "--vary", "tau=0.5,1.0", *QUICK]
    status, out, err = run(*again[:-1])
    assert status == 0, err
    assert "study: new, 4 of 4 variants finished" in out
    runs = {"ddpg-tau=0.5", "ddpg-tau=1.0", "td3-tau=0.5", "td3-tau=1.0"}
    written = {path.name for path in (tmp_path / "new").iterdir()}
    assert written == {"command.txt", "summary.csv", "learning_curves.png"} | runs
    text = (tmp_path / "new" / "command.txt").read_text()
    assert text == f"dpgcourse {' '.join(again[:-1])}\n"
    _, _, err = run(*again[:-1])
    assert err.count("finished before, skipped") == 4
    assert (tmp_path / "new" / "command.txt").read_text() == text


def test_a_diverging_run_is_one_line_and_keeps_its_record(run, tmp_path):
    wild = ["--critic-lr=1e30", "--batch-size=4", "--eval-every=10", "--out=record"]
    status, _, err = run("train", *QUICK, *wild)
    assert status == 1
    (line,) = err.splitlines()
    assert line.startswith("error: the ") and "which is not a finite number" in line
    assert len((tmp_path / "record" / "returns.csv").read_text().splitlines()) == 1 + 2 * 2


def test_a_record_of_an_unregistered_environment_is_played_only_with_its_name(run, tmp_path):
    (tmp_path / "my_tasks.py").write_text(
        "from dpgcourse.envs.lqr import LQREnv\n"
        "from gymnasium.wrappers import TimeLimit\n"
        "def make(limit=5):\n    return TimeLimit(LQREnv(), limit)\n"
    )
    given = ["--env", "my_tasks:make", "--env-kwargs", "limit=7"]
    status, out, err = run("train", *QUICK, *given, "--out=record")
    assert status == 0, err
    assert json.loads((tmp_path / "record/config.json").read_text())["env_kwargs"] == {"limit": 7}
    status, _, err = run("play", "record")
    assert status == 2 and "'my_tasks:make' is not registered here; allowed: --env" in err
    status, out, err = run("play", "record", "--env", "my_tasks:make")
    assert status == 0 and "return of the episode: -" in out
    assert "no video: env 'my_tasks:make' cannot be rendered" in err


def test_lists_and_help(run):
    status, out, _ = run("list")
    assert status == 0
    for name in ("numpy-ddpg", "faulty-no-detach", "lillicrap2016", "LQR-v0", "td_error_rms"):
        assert f"  {name} " in out
    assert run("--version")[1].startswith("dpgcourse 0.")
    assert "commands:" in run("--help")[1]
    status, out, _ = run("train", "--algorithm", "td3", "--help")
    assert status == 0 and "--policy-delay" in out and "hyperparameters of td3" in out
    text = " ".join(out.split())
    for words in field_docs(TrainConfig).values():
        assert words.replace("`", "")[:25] in text or words.startswith("Hyperparameters")


def test_help_loads_neither_torch_nor_gymnasium(tmp_path):
    code = (
        "import sys; from dpgcourse.cli import main\n"
        "for words in (['--help'], ['train', '--help']):\n"
        "    try: main(words)\n"
        "    except SystemExit: pass\n"
        "heavy = 'torch', 'gymnasium', 'scipy', 'matplotlib'\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
@pytest.mark.parametrize("evaluations", [0, 4])
def test_ctrl_c_keeps_what_was_evaluated(evaluations, tmp_path):
    every = "--eval-every=20" if evaluations else "--eval-every=2000000"
    options = [*QUICK, "--steps", "2000000", every, "--out", "record"]
    process_ = subprocess.Popen(
        [sys.executable, "-u", "-m", "dpgcourse", "train", *options],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a shell without job control ignores the signal in what it starts in the background
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    table = tmp_path / "record" / "returns.csv"
    deadline = time.monotonic() + 120
    while evaluations and not (table.exists() and len(table.read_text().splitlines()) > 4):
        assert process_.poll() is None, process_.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    while not evaluations and "critic_weight_decay" not in process_.stdout.readline():
        assert process_.poll() is None, process_.stderr.read()
    time.sleep(0 if evaluations else 3)  # the configuration is printed before training begins
    process_.send_signal(signal.SIGINT)
    out, err = process_.communicate(timeout=60)
    assert process_.returncode == 130
    assert "Traceback" not in err
    if evaluations:
        assert "interrupted; the record holds every evaluation so far" in err
        assert "record: record" in out
        assert process("play", "record", cwd=tmp_path).returncode == 0
    else:
        assert "interrupted; nothing was written" in err
        assert not (tmp_path / "record").exists()
