"""The command line, as a user meets it; in this process where no signal and no start-up counts."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import dpgcourse as dpg
from dpgcourse import StorageError, results_path
from dpgcourse.analysis.comparison import compare
from dpgcourse.cli import main
from dpgcourse.cli.options import field_docs
from dpgcourse.training import durable_files
from dpgcourse.training.checkpoint import checkpoint_files
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.final_returns import read_final_returns
from dpgcourse.training.training_state import TrainingState
from tests.training.test_resume import stop_after

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


def test_train_in_a_process_of_its_own_then_evaluate_and_play(run, tmp_path):
    quick = [option for option in QUICK if option != "--no-progress"]
    trained = process("train", "--env", "Pendulum-v1", *quick, "--out", "record", cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    assert "last evaluation: mean -" in trained.stdout and "tau = 0.01" in trained.stdout
    assert "100%" in trained.stderr and "return -" in trained.stderr  # the progress bar
    assert {path.name for path in (tmp_path / "record").iterdir()} == FILES
    status, out, err = run("evaluate", "record", "--episodes=2")
    assert status == 0, err
    head, line = out.splitlines()
    assert head.startswith("record") and "too few seeds" in line
    status, out, err = run("play", "record", "--seed", "1")
    assert status == 0, err
    assert "seed 1: return of the episode: -" in out
    first = (tmp_path / "record" / "play-1.gif").read_bytes()
    assert len(first) > 1000
    status, out, err = run("play", "record", "--seed", "1", "--start", "7")
    assert status == 0 and "play-1-2.gif" in out, err
    assert (tmp_path / "record" / "play-1.gif").read_bytes() == first
    assert (tmp_path / "record" / "play-1-2.gif").read_bytes() != first


def test_records_are_compared_with_the_first_on_common_starts(run, tmp_path):
    tiny = ["--steps=20", "--eval-every=20", "--eval-episodes=1", "--no-progress"]
    made = {
        "a": ["--num-seeds=5"],
        "b": ["--num-seeds=5", "--algorithm=td3"],
        "c": ["--num-seeds=6", "--first-seed=7"],
        "d": ["--num-seeds=2"],
    }
    for name, options in made.items():
        assert run("train", *tiny, *options, "--out", name)[0] == 0
    status, out, err = run("evaluate", *made, "--episodes=3", "--csv=scores.csv")
    assert status == 0, err
    _, a, *_, d, blank, title, columns, first, second = out.splitlines()
    assert blank == "" and title == "minus a, on the same starts" and "would show from" in columns
    assert [line.split()[:2] for line in (first, second)] == [["b", "yes"], ["c", "no"]]
    assert "too few seeds" in d and " to " in a
    scores = read_final_returns(tmp_path / "scores.csv")
    returns = dpg.evaluate(dpg.load(tmp_path / "b"), "Pendulum-v1", episodes=3)
    assert list(scores["b"].values()) == pytest.approx(returns.mean(-1), abs=1e-3)
    found = compare(scores["b"], scores["a"])
    assert f"{found.difference:.1f}" in first and f"{found.low:.1f} to" in first
    status, out, err = run("evaluate", "a", "--episodes=3", "--csv=scores.csv")
    assert status == 2 and out == "" and "scores.csv', which exists; allowed: a new file" in err
    status, out, err = run("evaluate", "a", "a")
    assert status == 2 and out == "" and "allowed: each one once" in err


def test_the_default_folder_names_what_was_trained(run, tmp_path):
    status, out, _ = run("train", *QUICK, "--algorithm", "numpy-ddpg", "--env", "LQR-v0")
    assert status == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name == "LQR-v0-numpy-ddpg-2seeds-40steps" and str(folder.name) in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "command is ''; allowed: train, study, evaluate, play, list"),
        ("trian", "play, list, exercises, grade; did you mean train?"),
        ("exercises", "the following arguments are required: DIR"),
        ("exercises full/notes.txt", "'full/notes.txt' is a file; allowed: a folder"),
        ("exercises full/notes.txt/sheets", "cannot be made"),
        ("grade", "the following arguments are required: FILE"),
        ("grade nothing.ipynb", "file is 'nothing.ipynb': No such file"),
        ("grade full", "file is 'full'; allowed: a notebook, .ipynb, or a .py file"),
        ("grade nothing.py --seconds 0", "seconds is 0.0; allowed: a number above 0"),
        ("grade nothing.py --megabytes many", "megabytes is 'many'; allowed: a number"),
        ("study --out new --algorithms ddpg ppo", "algorithm is 'ppo'; allowed: ddpg, numpy-ddpg"),
        ("study --out new --algorithm td3", "unknown option --algorithm; did you mean --algo"),
        ("study --out new --vary taus=1", "setting is 'taus' (did you mean tau?)"),
        ("study --out new --vary tau=2.0", "tau is 2.0; allowed: 0 < tau <= 1"),
        ("study --out full", "which is no study; allowed: a new folder"),
        ("study --out new --algorithms ddpg --envs Pendulum-v1 LQR-v99", "did you mean 'LQR-v0'?"),
        ("study --out new --vary num_seeds=1,2", "num_seeds is the same in all variants"),
        ("study --out new --envs LQR-v0 --env LQR-v0", "env and envs are both given"),
        ("study --out new --engine slurm", "engine is 'slurm'; allowed: local or ray"),
        ("study --out new --jobs 0", "jobs is 0; allowed: a whole number, 1 or more"),
        ("study --out new --jobs many", "jobs is 'many'; allowed: a whole number"),
        ("study --out new --address here:1", "address is 'here:1'; allowed: with engine ray"),
        ("study --out new --file none.toml", "file is 'none.toml', which cannot be read: "),
        ("study --out new --file full", "file is 'full', which cannot be read: "),
        ("study", "out is missing; allowed: --out FOLDER, or out in the study file"),
        ("train --num-seeds 1000000 --steps 1000000", "GiB, which is available; lower num_seeds"),
        ("train --nonsense 3", "unknown option --nonsense"),
        ("train --sedes 3", "unknown option --sedes; did you mean"),
        ("train --policy-delay 3", "unknown option --policy-delay"),
        ("train --num-seeds many", "num_seeds is 'many'; allowed: a whole number"),
        ("train --num-seeds", "num_seeds expected one argument"),
        ("train --num-seeds 0", "num_seeds is 0; allowed: 1 or more"),
        ("train --gamma 1.5", "gamma is 1.5; allowed: 0 <= gamma < 1"),
        ("train --n-step 0", "n_step is 0; allowed: 1 or more"),
        ("train --algorithm numpy-ddpg --n-step 3", "n_step is 3; allowed for NumpyDDPG: 1"),
        ("train --algorithm sac --sigma 0.2", "sigma is 0.2; allowed: 0 for SAC, which draws its"),
        ("train --algorithm sac --n-step 3", "n_step is 3; allowed: 1 for SAC"),
        ("train --algorithm sac --compile", "compile is True; allowed: False for SAC"),
        ("train --noise-type pink", "noise_type is 'pink'; allowed: gaussian or"),
        (
            "train --preset best",
            "preset is 'best'; allowed: lillicrap2016, fujimoto2018-ddpg, fujimoto2018-td3",
        ),
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
    assert "study: new, results in" in out
    runs = {"ddpg-tau=0.5", "ddpg-tau=1.0", "td3-tau=0.5", "td3-tau=1.0"}
    written = {path.name for path in (tmp_path / "new").iterdir()}
    assert written == {"command.txt", "study.json", "results.csv", "learning_curves.png"} | runs
    text = (tmp_path / "new" / "command.txt").read_text()
    assert text == f"dpgcourse {' '.join(again[:-1])}\n"
    _, _, err = run(*again[:-1])
    assert err.count("finished before, skipped") == 4
    assert (tmp_path / "new" / "command.txt").read_text() == text


STUDY = """
out = "new"
envs = ["LQR-v0", "Pendulum-v1"]
algorithms = ["numpy-ddpg"]
num_seeds = 2
steps = 40
eval_every = 40
eval_episodes = 1
progress = false

[vary]
hidden_sizes = [[8], [8, 4]]
"""


def test_a_study_file_holds_what_the_options_hold_and_options_override_it(run, tmp_path):
    (tmp_path / "study.toml").write_text(STUDY)
    status, _, err = run("study", "--file", "study.toml")
    assert (status, err) == (0, ""), err
    names = {f"{env}-numpy-ddpg-hidden_sizes={h}" for env in ("LQR-v0", "Pendulum-v1")
             for h in ("8", "8,4")}  # fmt: skip
    assert {path.name for path in (tmp_path / "new").iterdir() if path.is_dir()} == names
    words = ["--steps=40", "--eval-every=40", "--eval-episodes=1", "--num-seeds=2"]
    words += ["--envs", "LQR-v0", "Pendulum-v1", "--algorithms", "numpy-ddpg", "--out=options"]
    assert run("study", *words, "--vary", "hidden_sizes=[8],[8,4]", "--no-progress")[0] == 0
    assert (tmp_path / "new/results.csv").read_text() == (
        (tmp_path / "options/results.csv").read_text()
    )
    again = ["--env", "LQR-v0", "--out", "other", "--vary", "tau=0.5", "--progress"]
    status, _, err = run("study", "--file", "study.toml", *again)
    assert status == 0 and "100%" in err and "1 of 1 finished" in err
    assert (
        json.loads((tmp_path / "other/numpy-ddpg-tau=0.5/config.json").read_text())["steps"] == 40
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("algoritms = ['td3']", "setting is 'algoritms' (did you mean algorithms?)"),
        ("job = 2", "setting is 'job' (did you mean jobs?)"),
        ("jobs = '2'", "jobs is '2'; allowed: a whole number, 1 or more"),
        ("gamma = 'high'", "gamma is 'high'; allowed: 0 <= gamma < 1"),
        ("env = 3", "env is 3; allowed: a name"),
        ("engine = ['ray']", "engine is ['ray']; allowed: local or ray"),
        ("seeds = 5", "setting is 'seeds' (did you mean num_seeds?)"),
        ("steps = 41", "file is 'study.toml', which cannot be read: "),
        ("gamma =", "file is 'study.toml', which cannot be read: "),
    ],
)
def test_a_study_file_with_a_mistake_is_one_line_and_writes_nothing(line, message, run, tmp_path):
    text = STUDY.replace("envs =", "#") if line.startswith("env ") else STUDY
    (tmp_path / "study.toml").write_text(f"{line}\n{text}")
    status, out, err = run("study", "--file", "study.toml")
    (said,) = err.splitlines()
    assert (status, out) == (2, "") and said.startswith("error: ") and message in said
    assert [path.name for path in tmp_path.iterdir()] == ["study.toml"]


def test_a_study_whose_runs_fail_names_each_and_its_log(run, tmp_path):
    (tmp_path / "my_broken_tasks.py").write_text(
        "from dpgcourse.envs.lqr import LQREnv\n"
        "class Broken(LQREnv):\n"
        "    def step(self, action):\n        raise RuntimeError('on fire')\n"
    )
    envs = ["LQR-v0", "my_broken_tasks:Broken"]
    quick = ["--num-seeds=1", "--steps=20", "--eval-episodes=1", "--algorithms", "numpy-ddpg"]
    status, out, err = run("study", "--out=new", "--envs", *envs, *quick, "--no-progress")
    assert status == 1 and "study: new" in out
    line = err.splitlines()[-1]
    assert line.startswith("error: my_broken_tasks-Broken-numpy-ddpg: RuntimeError: on fire")
    log = tmp_path / "new/my_broken_tasks-Broken-numpy-ddpg.log"
    assert line.endswith(f"log: {log}") and log.read_text().count("RuntimeError: on fire") == 2
    assert (tmp_path / "new/LQR-v0-numpy-ddpg/returns.csv").exists() and "Traceback" not in err


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
    assert status == 2 and "to give env = 'my_tasks:make', which imports its module" in err
    status, out, err = run("play", "record", "--env", "my_tasks:make")
    assert status == 0 and "return of the episode: -" in out
    assert "no video: env 'my_tasks:make' cannot be rendered" in err


def test_lists_and_help(run):
    status, out, _ = run("list")
    assert status == 0
    for name in (
        "numpy-ddpg",
        "faulty-no-detach",
        "lillicrap2016",
        "fujimoto2018-td3",
        "LQR-v0",
        "td_error_rms",
    ):
        assert f"  {name} " in out
    assert run("--version")[1].startswith("dpgcourse 0.")
    assert "commands:" in run("--help")[1]
    status, out, _ = run("train", "--algorithm", "td3", "--help")
    assert status == 0 and "--policy-delay" in out and "hyperparameters of td3" in out
    for option in ("--n-step N", "--critic-layer-norm, --no-critic-layer-norm"):
        assert option in out
    _, of_sac, _ = run("train", "--algorithm", "sac", "--help")
    for option in ("--alpha-lr X", "--initial-alpha X", "--target-entropy X", "--n-step N"):
        assert option in of_sac
    text = " ".join(out.split())
    for words in field_docs(TrainConfig).values():
        assert words.replace("`", "")[:25] in text or words.startswith("Hyperparameters")


def test_a_reader_of_the_output_that_has_ended_is_no_traceback(tmp_path):
    end, output = os.pipe()
    os.close(end)
    command = [sys.executable, "-m", "dpgcourse", "list"]
    done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, cwd=tmp_path)
    os.close(output)
    assert (done.returncode, done.stderr) == (1, b"")


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


@pytest.mark.skipif(os.name == "nt", reason="sends signals")
@pytest.mark.parametrize(
    ("number", "expected"),
    [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.long)],
)
def test_a_stopped_run_says_how_it_goes_on_and_does(number, expected, run, tmp_path, monkeypatch):
    assert run("train", *QUICK, "--out", "whole")[0] == 0
    stop_after(monkeypatch, 30, number)
    status, _, err = run("train", *QUICK, "--out", "a record")
    assert status == expected and "Traceback" not in err
    *_, asked, told = err.splitlines()
    assert asked == "stopping after this step, to save a checkpoint; once more stops at once"
    assert told == "interrupted; go on with: dpgcourse train --resume 'a record'"
    assert run("play", "a record")[0] == 0
    status, _, err = run("train", *QUICK, "--out", "a record")
    assert status == 2 and "or go on with the run in it: dpgcourse train --resume" in err
    status, out, err = run("train", "--resume", "a record", "--no-progress")
    assert status == 0 and "record: a record" in out, err
    for name in ("returns.csv", "log.csv", "policy.safetensors"):
        path = tmp_path / "a record" / name
        assert path.read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_ctrl_c_before_the_first_step_leaves_nothing(run, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(TrainingState, "advance", interrupt)
    status, _, err = run("train", *QUICK, "--out", "record")
    assert status == 130 and not (tmp_path / "record").exists()
    assert err == "interrupted; nothing was written, because no step had been finished\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--resume=nowhere"], "'nowhere' has no checkpoint; allowed: the folder of a run"),
        (["--resume=nowhere", "--steps=3"], "steps is given beside resume; allowed: no settings"),
        (["--resume=nowhere", "--out=x"], "out is given beside resume"),
        (["--from-step=3"], "from_step is given without resume; allowed: --resume RECORD"),
        (["--keep-checkpoints=0"], "keep_checkpoints is 0; allowed: a whole number, 1 or more"),
        (["--checkpoint-every=0"], "checkpoint_every is 0; allowed: a whole number, 1 or more"),
    ],
)
def test_what_cannot_be_resumed_is_one_line(options, message, run, tmp_path):
    status, _, err = run("train", *options)
    (line,) = err.splitlines()
    assert status == 2 and message in line and list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line_and_is_not_hidden_by_the_drawing(run, tmp_path, monkeypatch):
    original, calls = durable_files.replace_file, []

    def full(path, content):
        calls.append(path)
        if len(calls) > 6:
            raise StorageError(f"{path.name} cannot be written: No space left on device")
        original(path, content)

    monkeypatch.setattr("dpgcourse.training.tensor_files.replace_file", full)
    monkeypatch.setattr("dpgcourse.training.record_writer.replace_file", full)
    status, _, err = run("train", *QUICK, "--out", "record")
    (line,) = err.splitlines()
    assert status == 1 and line.startswith("error: ") and "No space left on device" in line


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
@pytest.mark.long
def test_a_process_of_its_own_stops_and_goes_on(run, tmp_path):
    options = [*QUICK, "--steps", "2000000", "--out", "record"]
    process_ = subprocess.Popen(
        [sys.executable, "-u", "-m", "dpgcourse", "train", *options],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a shell without job control ignores the signal in what it starts in the background
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while not checkpoint_files(tmp_path / "record"):
        assert process_.poll() is None, process_.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process_.send_signal(signal.SIGINT)
    _, err = process_.communicate(timeout=60)
    assert process_.returncode == 130 and "Traceback" not in err
    assert "interrupted; go on with: dpgcourse train --resume record" in err
    assert run("play", "record")[0] == 0
