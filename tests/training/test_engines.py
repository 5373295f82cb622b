"""The same records from every engine, also where runs fail and workers die."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import gymnasium as gym
import psutil
import pytest

from dpgcourse.agents.numpy_ddpg import NumpyDDPG
from dpgcourse.agents.registry import ALGORITHMS, register_algorithm
from dpgcourse.errors import InvalidInputError, StorageError
from dpgcourse.training import memory_estimate, ray_engine, tensor_files
from dpgcourse.training.checkpoint import checkpoint_files
from dpgcourse.training.memory_estimate import estimate_memory
from dpgcourse.training.study import run_study
from dpgcourse.training.study_folder import read_study
from dpgcourse.training.variants import study_variants

HAS_RAY = importlib.util.find_spec("ray") is not None
needs_ray = pytest.mark.skipif(not HAS_RAY, reason="needs the extra ray")
RAY = pytest.param("ray", marks=needs_ray)
BASE = {
    "num_seeds": 2,
    "steps": 40,
    "learning_starts": 10,
    "eval_every": 10,
    "eval_episodes": 1,
    "hidden_sizes": (8,),
    "batch_size": 4,
}
NUMPY = {**BASE, "algorithms": ["numpy-ddpg"]}  # its workers start sooner, without torch
FRAGILE = {**NUMPY, "env": "tests.training.fragile_envs:make", "vary": {"tau": [0.1, 0.5]}}


@pytest.fixture
def breaks(tmp_path, monkeypatch):
    """Lets the fragile environment fail, in these ways one after the other."""
    path = tmp_path / "breaks"
    monkeypatch.setenv("BREAK", str(path))
    return lambda *ways: path.write_text("\n".join(ways))


def records(folder):
    """Every file of the finished records but for times and commands."""
    files = [p for name in read_study(folder) for p in (folder / name).rglob("*")]
    assert files
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in [*files, folder / "results.csv"]
        if path.is_file() and path.name != "provenance.json"
    }


@pytest.mark.parametrize("engine", ["local", RAY])
def test_every_engine_makes_the_same_records(engine, tmp_path):
    settings = {**BASE, "envs": ["LQR-v0", "Pendulum-v1"], "algorithms": ["ddpg", "numpy-ddpg"]}
    assert run_study(tmp_path / "here", **settings, jobs=1) == []
    assert run_study(tmp_path / "there", **settings, jobs=2, engine=engine, command="x") == []
    assert len(read_study(tmp_path / "there")) == 4
    assert records(tmp_path / "here") == records(tmp_path / "there")


@pytest.mark.parametrize("engine", ["local", RAY])
def test_what_this_process_alone_knows_reaches_the_workers(engine, tmp_path):
    class Mine(NumpyDDPG):
        pass

    gym.register("Mine-v0", entry_point=lambda: gym.make("Pendulum-v1", max_episode_steps=9))
    register_algorithm("mine", Mine, NumpyDDPG.config_class)
    try:
        mine = {**BASE, "env": "Mine-v0", "algorithms": ["mine", "numpy-ddpg"]}
        assert run_study(tmp_path, **mine, engine=engine, jobs=2, command="x") == []
        assert len(read_study(tmp_path)) == 2
    finally:
        del gym.registry["Mine-v0"], ALGORITHMS["mine"]


@pytest.mark.skipif(os.name == "nt", reason="sends SIGKILL")
@pytest.mark.parametrize("engine", ["local", RAY])
def test_the_run_of_a_worker_that_was_killed_goes_on_from_its_last_checkpoint(
    engine, tmp_path, breaks, capfd
):
    assert run_study(tmp_path / "whole", **FRAGILE, jobs=2) == []
    breaks("kill")
    assert run_study(tmp_path / "parts", **FRAGILE, jobs=2, engine=engine, progress=True) == []
    assert records(tmp_path / "parts") == records(tmp_path / "whole")
    (log,) = (tmp_path / "parts").glob("*.log")
    assert ("was ended by SIGKILL" if engine == "local" else "Ray: The worker died") in (
        log.read_text()
    )
    assert f"log: {log}; it goes on from its last checkpoint" in capfd.readouterr().err
    resumed = tmp_path / "parts" / log.stem / "provenance.json"
    assert '"resumed"' in resumed.read_text()


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_that_fails_once_is_retried(jobs, tmp_path, breaks):
    assert run_study(tmp_path / "whole", **FRAGILE, jobs=2) == []
    breaks("raise", "raise")
    assert run_study(tmp_path / "parts", **FRAGILE, jobs=jobs, retries=2) == []
    assert records(tmp_path / "parts") == records(tmp_path / "whole")
    logs = "".join(path.read_text() for path in (tmp_path / "parts").glob("*.log"))
    assert logs.count("Traceback") == 2 and "fragile_envs.py" in logs


@pytest.mark.parametrize(
    ("engine", "jobs"), [("local", 1), ("local", 2), pytest.param("ray", 2, marks=needs_ray)]
)
def test_a_run_that_fails_for_good_is_reported(engine, jobs, tmp_path, breaks):
    breaks(*["raise"] * 50)
    settings = {**FRAGILE, "vary": {"env": [FRAGILE["env"], "LQR-v0"]}}
    del settings["env"]
    (failure,) = run_study(tmp_path / "study", **settings, engine=engine, jobs=jobs, retries=2)
    assert len(failure.splitlines()) == 1
    assert "RuntimeError: the motor is on fire and so is the table raised in step of" in failure
    assert list(read_study(tmp_path / "study")) == ["numpy-ddpg-env=LQR-v0"]
    (log,) = (tmp_path / "study").glob("*.log")
    assert failure.endswith(f"; log: {log}") and log.read_text().count("Traceback") == 3
    assert checkpoint_files(log.with_suffix(".partial"))


def test_retries_are_as_many_as_asked_for(tmp_path, breaks):
    breaks("raise", "raise")
    assert run_study(tmp_path / "none", **FRAGILE, jobs=1, retries=0)
    assert len(list((tmp_path / "none").glob("*.partial"))) == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"engine": "slurm"}, "engine is 'slurm'; allowed: local or ray"),
        ({"jobs": 0}, "jobs is 0; allowed: a whole number, 1 or more"),
        ({"jobs": "2"}, "jobs is '2'; allowed: a whole number"),
        ({"retries": -1}, "retries is -1; allowed: a whole number, 0 or more"),
        ({"address": "here:1"}, "address is 'here:1'; allowed: with engine ray"),
        ({"address": 6379, "engine": "ray"}, "address is 6379; allowed: host:port"),
        ({"progress": 1}, "progress is 1; allowed: true or false"),
        ({"env": "Pendulum-v99"}, "'Pendulum-v99'"),
    ],
)
def test_what_is_not_allowed_writes_nothing(settings, message, tmp_path):
    with pytest.raises(InvalidInputError, match=message):
        run_study(tmp_path / "study", **{**BASE, **settings})
    assert not (tmp_path / "study").exists()
    with pytest.raises(InvalidInputError, match="out is 3; allowed: a folder"):
        run_study(3)


def test_runs_that_do_not_fit_beside_each_other_are_refused(tmp_path, monkeypatch):
    (one,) = study_variants(**NUMPY)
    needed = estimate_memory(one.config, 3, 1, recorded=True)
    free = SimpleNamespace(available=int(1.5 * needed))
    monkeypatch.setattr(memory_estimate.psutil, "virtual_memory", lambda: free)
    study = {**NUMPY, "vary": {"tau": [0.1, 0.5]}}
    with pytest.raises(InvalidInputError, match="jobs is 2, and so many runs need .*lower jobs"):
        run_study(tmp_path / "study", **study, jobs=2)
    assert not (tmp_path / "study").exists()
    assert run_study(tmp_path / "study", **study, jobs=1) == []


def test_without_ray_its_extra_is_named_and_nothing_is_touched(tmp_path, monkeypatch):
    run_study(tmp_path / "study", **NUMPY)
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "study").rglob("*")}
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InvalidInputError, match=r'ray.*allowed: after pip install "dpgcourse\[ray'):
        run_study(tmp_path / "study", **NUMPY, vary={"tau": [0.5]}, engine="ray")
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "study").rglob("*")} == before


@needs_ray
@pytest.mark.parametrize("address", ["127.0.0.1:9", "nonsense"])
def test_an_address_that_does_not_answer_is_one_line(address, tmp_path, monkeypatch):
    monkeypatch.setattr(ray_engine, "_ANSWER", 8.0)
    with pytest.raises(InvalidInputError, match="where no Ray cluster can be reached") as caught:
        run_study(tmp_path / "study", **NUMPY, engine="ray", address=address)
    assert len(str(caught.value).splitlines()) == 1 and not (tmp_path / "study").exists()


def test_a_full_disk_ends_the_study(tmp_path, monkeypatch):
    run_study(tmp_path, **NUMPY, vary={"tau": [0.5]})
    before = records(tmp_path)
    write = tensor_files.replace_file

    def full(path, content):
        if "tau=0.7" in str(path):
            raise StorageError(f"{path.name} cannot be written: No space left on device")
        write(path, content)

    monkeypatch.setattr(tensor_files, "replace_file", full)
    with pytest.raises(StorageError, match="No space left on device"):
        run_study(tmp_path, **NUMPY, vary={"tau": [0.5, 0.7, 0.9]}, jobs=1)
    assert records(tmp_path) == before  # and the third was not begun
    monkeypatch.undo()
    assert run_study(tmp_path, **NUMPY, vary={"tau": [0.5, 0.7, 0.9]}, jobs=1) == []


LONG = {
    **{"env": "tests.training.fragile_envs:make_announcing", "num_seeds": 1},
    **{"steps": 5_000, "eval_every": 5_000, "eval_episodes": 1},
}


def started(folder, engine):
    """A study in a process of its own, when its two runs have begun."""
    words = [f"--{name.replace('_', '-')}={value}" for name, value in LONG.items()]
    words += ["--algorithms=numpy-ddpg", "--vary=tau=0.1,0.5", "--jobs=2", f"--engine={engine}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "dpgcourse", "study", f"--out={folder}", *words],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # a shell without job control ignores the signal in what it starts in the background
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while len(list(folder.parent.glob("breaks.*"))) < 2:
        assert process.poll() is None and time.monotonic() < deadline, process.stderr.read()
        time.sleep(0.02)
    return process, psutil.Process(process.pid).children(recursive=True)


@pytest.mark.skipif(os.name == "nt", reason="sends signals")
@pytest.mark.parametrize(
    ("engine", "how"),
    [
        ("local", "SIGINT"),
        ("local", "SIGKILL"),
        pytest.param("local", "SIGTERM", marks=pytest.mark.long),
        pytest.param("ray", "SIGINT", marks=[needs_ray, pytest.mark.long]),
        pytest.param("ray", "SIGTERM", marks=[needs_ray, pytest.mark.long]),
    ],
)
def test_a_study_that_is_stopped_leaves_no_worker_and_goes_on(engine, how, tmp_path, breaks):
    folder = tmp_path / "study"
    process, workers = started(folder, engine)
    assert len(workers) >= 2
    if how == "SIGINT":
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    else:
        process.send_signal(getattr(signal, how))
    _, err = process.communicate(timeout=120)
    assert psutil.wait_procs(workers, timeout=120)[1] == []  # they end by themselves
    if how != "SIGKILL":
        assert process.returncode == {"SIGINT": 130, "SIGTERM": 143}[how]
        assert "Traceback" not in err and err.count("stopping: the runs save checkpoints") == 1
        assert "the same command goes on" in err and "stopping after this step" not in err
    partial = list(folder.glob("*.partial"))
    assert len(partial) == 2 and not list(folder.glob("*.log")), err
    assert all(checkpoint_files(path) for path in partial)  # saved when they were told to stop
    study = {**LONG, "algorithms": ["numpy-ddpg"], "vary": {"tau": [0.1, 0.5]}, "jobs": 2}
    assert run_study(folder, **study) == []
    assert run_study(tmp_path / "whole", **study) == []
    assert records(folder) == records(tmp_path / "whole")


@needs_ray
@pytest.mark.long
def test_a_study_runs_on_a_cluster_at_an_address(tmp_path):
    code = (
        "import ray, sys\n"
        "started = ray.init(address='local', num_cpus=2, include_dashboard=False)\n"
        "print(started.address_info['gcs_address'], flush=True)\n"
        "sys.stdin.read()"
    )
    command = [sys.executable, "-c", code]
    own = {**os.environ, "RAY_AUTH_MODE": "token"}  # as Ray's clusters ask for by default
    file = "algorithms = ['numpy-ddpg']\nsteps = 40\nnum_seeds = 2\n[vary]\ntau = [0.1, 0.5]\n"
    (tmp_path / "study.toml").write_text(file)
    study = [sys.executable, "-m", "dpgcourse", "study", f"--file={tmp_path / 'study.toml'}"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **pipes, text=True, env=own) as head:
        there = ["--engine=ray", f"--address={head.stdout.readline().strip()}"]
        subprocess.run([*study, f"--out={tmp_path / 'there'}", *there], env=own, check=True)
        head.stdin.close()
    subprocess.run([*study, f"--out={tmp_path / 'here'}", "--jobs=1"], check=True)
    assert records(tmp_path / "here") == records(tmp_path / "there")
