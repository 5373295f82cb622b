import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest

from dpgcourse.agents.config import DDPGConfig, TD3Config  # noqa: F401 - named in the texts
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.loop import train
from dpgcourse.training.memory_estimate import estimate_memory, require_memory

# In a process of its own: how far the peak of the resident memory grows while a run trains up to
# its first evaluation, beyond what a tiny run takes. The replay is allocated for the whole run and
# zeroed by the kernel page by page, so it is filled here, as the whole run would fill it.
MEASURE = r"""
import dataclasses, re, sys
import torch
from dpgcourse.agents.config import DDPGConfig, TD3Config
from dpgcourse.agents.replay_buffer import ReplayBuffer
from dpgcourse.training import loop, training_state
from dpgcourse.training.record_writer import RecordWriter
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.loop import train

class Filled(ReplayBuffer):
    def __init__(self, *args):
        super().__init__(*args)
        for store in self._stored:
            store[...] = 1.0
        self.size = self.capacity  # a checkpoint holds all of it

class Enough(Exception):
    pass

class Stops(RecordWriter):
    def checkpoint(self, *args):
        super().checkpoint(*args)
        raise Enough

def peak():
    status = open("/proc/self/status").read()  # getrusage would count the parent's memory
    return 1024 * int(re.search("VmHWM:\s*(\d+) kB", status)[1])

torch.set_num_threads(1)
training_state.ReplayBuffer = Filled
train(TrainConfig(num_seeds=1, steps=20, learning_starts=10, eval_every=20, eval_episodes=1))
before = peak()
loop.RecordWriter = Stops
try:
    config = dataclasses.replace(eval(sys.argv[1]), learning_starts=10, eval_every=20)
    train(config, out=sys.argv[2])
except Enough:
    print(peak() - before, peak())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read as Linux tells it")
@pytest.mark.parametrize(
    "text",
    [
        "TrainConfig(num_seeds=100, steps=10_000)",
        *(
            pytest.param(text, marks=pytest.mark.long)
            for text in (
                "TrainConfig(num_seeds=2, steps=1_000_000, eval_episodes=2)",
                "TrainConfig(algorithm='td3', agent=TD3Config(hidden_sizes=(400, 300)))",
                "TrainConfig(env='LQR-v0', num_seeds=20)",
            )
        ),
    ],
)
def test_the_estimate_is_near_the_measured_peak(text, tmp_path):
    command = [sys.executable, "-c", MEASURE, text, str(tmp_path / "record")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    growth, peak = map(int, done.stdout.split())
    config = eval(text)
    estimate = estimate_memory(config, 2 if config.env == "LQR-v0" else 3, 1, recorded=True)
    print(f"{text}: estimate {estimate / 1e6:.0f} MB, grew {growth / 1e6:.0f}, {peak / 1e6:.0f}")
    assert growth / 1.6 - 30e6 < estimate < 1.6 * growth + 30e6
    assert peak < 4 * 2**30


def test_the_estimate_follows_what_is_asked_for():
    def estimate(**changes):
        return estimate_memory(TrainConfig(**changes), 3, 1)

    def more(**changes):
        return estimate(**changes) - estimate()

    assert more(steps=112_000) >= 10 * 100_000 * 9 * 4  # seeds, steps, numbers, bytes
    assert more(steps=112_000, buffer_size=12_000) < 1e6
    assert more(buffer_size=10**9) == 0  # no run fills more than its steps
    assert more(num_seeds=20) == estimate()
    assert more(algorithm="td3") > 0
    assert more(agent=DDPGConfig(hidden_sizes=(400, 300))) > 10 * 4 * 4 * 2 * 120_000


def test_what_will_not_fit_is_refused_with_the_figure(monkeypatch):
    memory = SimpleNamespace(available=2**30)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    require_memory(TrainConfig(), 3, 1)
    config = TrainConfig(num_seeds=100, steps=1_000_000)
    message = "num_seeds is 100 and steps is 1000000, which needs about 3.5 GiB; allowed: 1.0 GiB"
    with pytest.raises(ValueError, match=message):
        require_memory(config, 3, 1)
    with pytest.raises(ValueError, match=message):
        train(config)
    memory.available = 4 * 2**30
    require_memory(config, 3, 1)
