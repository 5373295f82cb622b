import csv
import dataclasses
import json
import os
import pickle

import numpy as np
import pytest
import torch

from dpgcourse.agents.ddpg import DDPGConfig
from dpgcourse.agents.registry import METHODS
from dpgcourse.training.loop import TrainConfig, train
from dpgcourse.training.record import RecordWriter, read_record

CONFIG = TrainConfig(
    seeds=2,
    first_seed=3,
    steps=40,
    warmup=20,
    eval_every=20,
    eval_episodes=3,
    agent=DDPGConfig(hidden=(8, 4), batch_size=4),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "new" / "record"
    writer = RecordWriter(folder, CONFIG)
    return folder, train(CONFIG, writer, on_log=writer.log)


@pytest.fixture
def record(run, tmp_path):
    """A copy that a test may damage."""
    for path in run[0].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def test_what_is_read_is_what_was_trained(run):
    folder, result = run
    record = read_record(folder)
    assert record.config == CONFIG
    assert record.steps.tolist() == [20, 40]
    np.testing.assert_allclose(record.returns, result.returns, atol=1e-4)
    assert record.log.keys() == result.log.keys()
    for name, values in result.log.items():
        np.testing.assert_allclose(record.log[name], values, rtol=1e-5)
    s = torch.randn(2, 5, 3)
    assert torch.equal(record.actor(s), result.agent.actor(s))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_stored_and_acts_as_it_did(method, tmp_path):
    config = dataclasses.replace(CONFIG, method=method)
    result = train(config, RecordWriter(tmp_path / "new", config))
    record = read_record(tmp_path / "new")
    assert record.config == config
    assert type(record.agent) is METHODS[method]
    s = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    assert np.array_equal(record.agent.act(s), result.agent.act(s))


def test_by_hand_and_in_torch_a_record_holds_the_same_policy(record):
    s = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    in_torch = read_record(record).agent.act(s)
    config = json.loads((record / "config.json").read_text())
    (record / "config.json").write_text(json.dumps(config | {"method": "by_hand"}))
    np.testing.assert_allclose(read_record(record).agent.act(s), in_torch, rtol=1e-5, atol=1e-6)


def test_a_record_from_before_methods_had_names_is_one_of_ddpg(record):
    config = json.loads((record / "config.json").read_text())
    del config["method"]
    (record / "config.json").write_text(json.dumps(config))
    assert read_record(record).config == CONFIG


def test_the_log_is_tidy(run):
    with open(run[0] / "log.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][:4] == ["seed", "step", "q_mean", "q_std"]
    assert [row[:2] for row in rows[1:]] == [["3", "20"], ["4", "20"], ["3", "40"], ["4", "40"]]


def test_a_log_that_is_one_evaluation_ahead_is_read(record):
    log = record / "log.csv"
    steps = [line.replace(",40,", ",60,") for line in log.read_text().splitlines()[-2:]]
    log.write_text(log.read_text() + "\n".join(steps) + "\n")
    assert read_record(record).log["q_mean"].shape == (2, 2)


def test_a_record_without_a_log_has_an_empty_one(record):
    (record / "log.csv").unlink()
    assert read_record(record).log == {}


def test_the_table_is_tidy(run):
    with open(run[0] / "returns.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["seed", "step", "episode", "return"]
    assert len(rows) == 1 + 2 * 2 * 3
    assert {row[0] for row in rows[1:]} == {"3", "4"}


def test_an_interrupted_run_keeps_what_it_had(tmp_path):
    writer = RecordWriter(tmp_path / "record", CONFIG)

    def interrupt(step, returns, agent):
        writer(step, returns, agent)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(CONFIG, interrupt)
    record = read_record(tmp_path / "record")
    assert record.steps.tolist() == [20]
    assert record.returns.shape == (1, 2, 3)


def test_nothing_is_overwritten(record):
    before = {path.name: path.read_bytes() for path in record.iterdir()}
    with pytest.raises(ValueError, match="which exists; allowed: a new folder"):
        RecordWriter(record, CONFIG)
    with pytest.raises(ValueError, match="which exists"):
        RecordWriter(record / "config.json", CONFIG)
    assert before == {path.name: path.read_bytes() for path in record.iterdir()}


@pytest.mark.parametrize("name", ["config.json", "returns.csv", "actor.safetensors"])
def test_a_missing_file_is_named(record, name):
    (record / name).unlink()
    with pytest.raises(ValueError, match=f"not a record with an evaluation: {name} is missing"):
        read_record(record)


class Hostile:
    def __reduce__(self):
        return os.system, ("touch executed",)


@pytest.mark.parametrize("name", ["config.json", "returns.csv", "log.csv", "actor.safetensors"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff\xfe" * 50,
        b"[1, 2]",
        b'{"env": "Pendulum-v1"}',
        b"seed,step\n1,2\n",
        pickle.dumps(Hostile()),
    ],
    ids=["empty", "binary", "list", "object", "columns", "pickle"],
)
def test_a_damaged_file_is_refused_and_never_run(record, name, content, monkeypatch):
    monkeypatch.chdir(record)
    (record / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{name}.* cannot be read: "):
        read_record(record)
    assert not (record / "executed").exists()


@pytest.mark.parametrize("name", ["returns.csv", "log.csv"])
def test_a_truncated_table_is_refused(name, record):
    table = record / name
    table.write_text("\n".join(table.read_text().splitlines()[:-1]))
    with pytest.raises(ValueError, match=f"{name}.* cannot be read: "):
        read_record(record)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"agent": {"hidden": [8, 5]}}, "size mismatch"),
        ({"agent": {"hidden": [8, 5]}, "method": "by_hand"}, "allowed: theta"),
    ],
)
def test_weights_of_another_network_are_refused(change, message, record):
    config = json.loads((record / "config.json").read_text())
    (record / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(ValueError, match=f"(?s)actor.safetensors.* cannot be read: .*{message}"):
        read_record(record)
