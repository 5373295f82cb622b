"""Training on another device: the same steps, the same batches."""

import numpy as np
import pytest
import torch

import dpgcourse as dpg
from dpgcourse.agents.device_replay_buffer import DeviceReplayBuffer
from dpgcourse.agents.replay_buffer import ReplayBuffer
from dpgcourse.errors import InvalidInputError
from dpgcourse.training.loop import train

SETTINGS = {
    "num_seeds": 2,
    "steps": 60,
    "learning_starts": 20,
    "eval_every": 30,
    "eval_episodes": 2,
    "hidden_sizes": (8,),
    "batch_size": 16,
}
FIRST = "cpu:0"  # the CPU by another name, which takes the way of a device
ALGORITHMS = ("ddpg", "td3", "sac", "faulty-missing-zero-grad", "faulty-shared-optimizer")


def rngs():
    return [np.random.default_rng(seed) for seed in (3, 4)]


def filled(buffer, steps=12):
    draw = np.random.default_rng(0)
    for _ in range(steps):
        buffer.add(
            draw.normal(size=(2, 3)),
            draw.normal(size=(2, 1)),
            draw.normal(size=2),
            draw.normal(size=(2, 3)),
            draw.random(2) < 0.5,
        )
    return buffer


def test_a_buffer_on_a_device_draws_the_same_batches_also_when_it_is_full():
    usual = filled(ReplayBuffer(10, 3, 1, rngs()))
    there = filled(DeviceReplayBuffer(FIRST, 10, 3, 1, rngs()))
    for _ in range(3):
        for x, y in zip(usual.sample(32), there.sample(32), strict=True):
            assert isinstance(y, torch.Tensor)
            assert np.array_equal(x, y.numpy())


def test_a_buffer_on_a_device_goes_on_from_a_stored_state():
    usual = filled(ReplayBuffer(10, 3, 1, rngs()), 7)
    there = DeviceReplayBuffer(FIRST, 10, 3, 1, rngs())
    there.load_state(usual.state())
    for x, y in zip(usual.sample(32), there.sample(32), strict=True):
        assert np.array_equal(x, y.numpy())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_way_of_a_device_gives_the_same_run(algorithm):
    here = train("Pendulum-v1", algorithm, **SETTINGS)
    there = train("Pendulum-v1", algorithm, device=FIRST, **SETTINGS)
    assert np.array_equal(here.returns, there.returns)
    for name, value in here.agent.state().items():
        assert np.array_equal(value, there.agent.state()[name]), name


@pytest.mark.parametrize("other", [{"normalize_observations": True}, {"n_step": 3}])
def test_where_the_buffer_stays_at_home_the_run_is_the_same_too(other):
    here = train("Pendulum-v1", "ddpg", **SETTINGS, **other)
    there = train("Pendulum-v1", "ddpg", device=FIRST, **SETTINGS, **other)
    assert np.array_equal(here.returns, there.returns)


def test_a_record_of_a_device_can_be_loaded_and_resumed(tmp_path):
    train("Pendulum-v1", "ddpg", out=tmp_path / "run", device=FIRST, **SETTINGS)
    assert dpg.read_record(tmp_path / "run").config.device == FIRST
    assert dpg.load(tmp_path / "run").act(np.zeros(3)).shape == (2, 1)


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "meta", "", 3])
def test_a_device_that_is_not_there_is_one_clear_message(device, tmp_path):
    with pytest.raises(InvalidInputError, match=f"device is {device!r}.*; allowed: cpu"):
        train("Pendulum-v1", "ddpg", out=tmp_path / "run", device=device, **SETTINGS)
    assert not (tmp_path / "run").exists()


def test_an_agent_without_torch_stays_on_the_cpu(tmp_path):
    with pytest.raises(InvalidInputError, match="device is 'cuda'; allowed: 'cpu' for NumpyDDPG"):
        train("Pendulum-v1", "numpy-ddpg", device="cuda", **SETTINGS)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("algorithm", ["ddpg", "td3", "sac"])
def test_a_gpu_takes_the_same_steps(algorithm):
    here = train("Pendulum-v1", algorithm, **SETTINGS)
    there = train("Pendulum-v1", algorithm, device="cuda", **SETTINGS)
    for name, value in here.agent.state().items():
        assert np.allclose(value, there.agent.state()[name], rtol=1e-3, atol=1e-4), name
