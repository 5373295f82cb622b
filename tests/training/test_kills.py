"""A run that is killed at any moment leaves what it had finished, whole, and goes on from there.

Kills are real: a process of its own is ended without a chance to tidy up. Some end at a chosen call
of the operating system, before it, after it or in the middle of a write; the others at a random
moment.
"""

import os
import random
import re
import signal
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from dpgcourse.errors import InvalidInputError
from dpgcourse.training.checkpoint import checkpoint_files, read_checkpoint
from dpgcourse.training.config import make_config
from dpgcourse.training.loop import Run, resume, train
from dpgcourse.training.record import IncompleteRecordWarning, read_record

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork"),
    pytest.mark.filterwarnings("ignore::dpgcourse.training.evaluation.CutEpisodeWarning"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]
CONFIG = make_config(
    algorithm="numpy-ddpg",
    num_seeds=2,
    steps=60,
    learning_starts=4,
    eval_every=6,
    eval_episodes=1,
    eval_max_steps=3,
    hidden_sizes=(4,),
    batch_size=4,
)
CALLS = ("open", "write", "fsync", "replace")


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Run:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return train(CONFIG, out=tmp_path_factory.mktemp("whole") / "run")


def in_a_process(work) -> int:
    """Run a function in a copy of this process; its exit status, negative for a signal."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - as long as the process
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


class Killer:
    """Kills its process at the n-th call of what writes files."""

    def __init__(self, at: int, where: str):
        self.at, self.where, self.count = at, where, 0

    def around(self, call):
        def called(*args, **kwargs):
            self.count += 1
            if self.count != self.at:
                return call(*args, **kwargs)
            if self.where == "after":
                call(*args, **kwargs)
            os.kill(os.getpid(), signal.SIGKILL)

        return called

    def open(self, path, mode="r", *args, **kwargs):
        """A file whose writing can stop in the middle."""
        self.count += 1
        if self.count == self.at and self.where == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        file = open(path, mode, *args, **kwargs)  # noqa: SIM115
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        return HalfWriter(file, self)


class HalfWriter:
    def __init__(self, file, killer):
        self.file, self.killer = file, killer

    def write(self, content):
        self.killer.count += 1
        if self.killer.count == self.killer.at:
            if self.killer.where != "before":
                self.file.write(content[: len(content) // 2])
                self.file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.file.write(content)

    def __getattr__(self, name):
        return getattr(self.file, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()


def killed_at(folder: Path, at: int, where: str) -> bool:
    """Train in a process that is killed at a call; whether there were so many calls."""

    def work():
        from dpgcourse.training import durable_files

        killer = Killer(at, where)
        durable_files.open = killer.open  # shadows the built-in function in that module
        durable_files.os.fsync = killer.around(os.fsync)
        durable_files.os.replace = killer.around(os.replace)
        train(CONFIG, out=folder)

    status = in_a_process(work)
    assert status in (0, -signal.SIGKILL)
    return status != 0


def killed_after(folder: Path, seconds: float) -> bool:
    """Train in a process that is killed some time after its first file; whether it was."""
    pid = os.fork()
    if pid == 0:
        try:
            sys.stderr = open(os.devnull, "w")  # noqa: SIM115
            train(CONFIG, out=folder)
        finally:
            os._exit(0)
    while not (folder / "config.json").exists():
        time.sleep(0.001)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0


def look_at(folder: Path, whole: Run, tally: Counter) -> None:
    """Check what is left: evaluations from the first on, each whole, and a checkpoint to match."""
    evaluations = 0
    try:
        record = read_record(folder)
    except InvalidInputError as error:
        if not re.search("is not a folder|is missing|holds no evaluation yet", str(error)):
            raise
        tally["no evaluation"] += 1
    else:
        evaluations = len(record.steps)
        assert np.array_equal(record.steps, whole.steps[:evaluations])
        np.testing.assert_allclose(record.returns, whole.returns[:evaluations], atol=1e-4)
        assert record.agent.num_seeds == 2
        tally["evaluations"] += 1
    if files := checkpoint_files(folder):
        step = read_checkpoint(folder).step
        assert step <= whole.config.steps
        # the record is never behind the checkpoint, and at most one evaluation ahead of it
        assert 0 <= evaluations - step // CONFIG.eval_every <= 1
        tally[f"{len(files)} checkpoints"] += 1


def goes_on(folder: Path, whole: Run) -> None:
    """Finish a run that was killed, and compare it with one that was not."""
    if not checkpoint_files(folder):
        return
    run = resume(folder)
    state, expected = run.agent.state(), whole.agent.state()
    assert all(np.array_equal(state[name], expected[name]) for name in expected)
    for name in ("returns.csv", "log.csv", "policy.safetensors", "config.json"):
        assert (folder / name).read_bytes() == (whole.folder / name).read_bytes(), name


@pytest.mark.filterwarnings("ignore::dpgcourse.training.record.IncompleteRecordWarning")
@pytest.mark.parametrize("where", ["before", "middle", "after"])
@pytest.mark.parametrize("every", [13, pytest.param(1, marks=pytest.mark.long)])
def test_a_kill_at_a_boundary_of_a_write_loses_nothing(where, every, whole, tmp_path):
    assert IncompleteRecordWarning
    tally: Counter = Counter()
    for at in range(1 + random.Random(where).randrange(every), 10_000, every):
        folder = tmp_path / str(at)
        if not killed_at(folder, at, where):
            break
        look_at(folder, whole, tally)
        goes_on(folder, whole)
        tally["kills"] += 1
    print(dict(tally))
    assert tally["kills"] > 150 / every and tally["evaluations"] and tally["no evaluation"]


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::dpgcourse.training.record.IncompleteRecordWarning")
def test_a_thousand_kills_at_random_moments_lose_nothing(whole, tmp_path):
    draw, tally = random.Random(0), Counter()
    begun = (whole.folder / "config.json").stat().st_mtime
    takes = (whole.folder / "policy.safetensors").stat().st_mtime - begun  # from first to last
    while tally["kills"] < 1000:
        folder = tmp_path / str(tally["kills"])
        if not killed_after(folder, draw.uniform(0, takes)):
            continue
        look_at(folder, whole, tally)
        if tally["kills"] % 10 == 0:
            goes_on(folder, whole)
        tally["kills"] += 1
    print(dict(tally))
    assert tally["evaluations"] > 300
