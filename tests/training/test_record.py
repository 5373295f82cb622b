import csv
import dataclasses
import json
import os
import pickle
import re
import sys

import numpy as np
import pytest

from dpgcourse.agents.ddpg import DDPG, DDPGConfig
from dpgcourse.agents.registry import ALGORITHMS
from dpgcourse.errors import InvalidInputError
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.description import ADDED, same_settings
from dpgcourse.training.diagnostics import QUANTITIES
from dpgcourse.training.loop import train
from dpgcourse.training.record import (
    IncompleteRecordWarning,
    load,
    read_record,
    read_table,
)
from dpgcourse.training.record_writer import FILES, RecordWriter, safe_filename
from dpgcourse.training.tensor_files import write_tensors

CONFIG = TrainConfig(
    num_seeds=2,
    first_seed=3,
    steps=40,
    learning_starts=20,
    eval_every=20,
    eval_episodes=3,
    agent=DDPGConfig(hidden_sizes=(8, 4), batch_size=4),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "new" / "record"
    return folder, train(CONFIG, out=folder)


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
    s = np.random.default_rng(0).normal(size=(2, 5, 3))
    assert np.array_equal(record.agent.act(s), result.agent.act(s))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_is_stored_and_acts_as_it_did(algorithm, tmp_path):
    config_class = ALGORITHMS[algorithm].config_class
    agent = config_class(hidden_sizes=(8, 4), batch_size=4)
    config = dataclasses.replace(CONFIG, algorithm=algorithm, agent=agent)
    result = train(config, out=tmp_path / "new")
    record = read_record(tmp_path / "new")
    assert record.config == config
    assert type(record.agent) is ALGORITHMS[algorithm].import_factory()
    s = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    assert np.array_equal(record.agent.act(s), result.agent.act(s))


def test_a_record_from_before_a_hyperparameter_is_what_it_was(record):
    """Hyperparameters that were added later stand where they change nothing."""
    made = read_record(record)
    stored = json.loads((record / "config.json").read_text())
    older = {name: x for name, x in stored["agent"].items() if name not in ADDED}
    assert len(older) == len(stored["agent"]) - 2
    change(record, agent=older)
    found = read_record(record)
    assert found.config == made.config == CONFIG
    assert same_settings({**stored, "agent": older}, stored) == []
    s = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    assert np.array_equal(found.agent.act(s), made.agent.act(s))
    change(record, agent={name: x for name, x in older.items() if name != "tau"})
    with pytest.raises(InvalidInputError, match="agent has no tau"):
        read_record(record)


def test_in_numpy_and_in_torch_a_record_holds_the_same_policy(record):
    s = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    in_torch = read_record(record).agent.act(s)
    config = json.loads((record / "config.json").read_text())
    (record / "config.json").write_text(json.dumps(config | {"algorithm": "numpy-ddpg"}))
    np.testing.assert_allclose(read_record(record).agent.act(s), in_torch, rtol=1e-5, atol=1e-6)


def change(record, **fields):
    path = record / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


@pytest.mark.parametrize(("found", "when"), [(4, "a newer"), (2, "an older")])
def test_a_record_of_another_format_is_refused(found, when, record):
    change(record, format=found)
    message = f"config.json' cannot be read: its format is {found}; allowed: 3; it was written by "
    with pytest.raises(InvalidInputError, match=message + when):
        read_record(record)


def test_a_record_explains_its_files_and_columns(run):
    text = (run[0] / "README.md").read_text(encoding="utf-8")
    names = [*FILES, *QUANTITIES]
    assert [name for name in names if f"`{name}`" not in text] == []
    made = json.loads((run[0] / "provenance.json").read_text())
    assert made["numpy"] == np.__version__ and made["python"] and "git_commit" in made


def test_a_run_that_fails_early_leaves_nothing(tmp_path):
    class Fails(DDPG):
        def update(self, batch):
            raise RuntimeError("broken")

    config = dataclasses.replace(CONFIG, algorithm=Fails)
    with pytest.raises(RuntimeError, match="broken"):
        train(dataclasses.replace(config, eval_every=40), out=tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


class Opposite(DDPG):
    """Acts against its policy."""

    def act(self, observation):
        return -super().act(observation)


def test_an_agent_of_ones_own_is_read_back_as_itself(tmp_path, monkeypatch):
    result = train(dataclasses.replace(CONFIG, algorithm=Opposite), out=tmp_path / "new")
    s = np.random.default_rng(0).normal(size=(2, 5, 3))
    found = read_record(tmp_path / "new")
    assert found.config.algorithm == f"{__name__}:Opposite"
    assert type(found.agent) is Opposite
    assert np.array_equal(found.agent.act(s), result.agent.act(s))

    own = Opposite
    monkeypatch.setattr(sys.modules[__name__], "Opposite", None)  # as in another process
    with pytest.raises(InvalidInputError, match="trained with '.*:Opposite', which is not known"):
        load(tmp_path / "new")
    assert type(load(tmp_path / "new", algorithm=own)) is own
    with pytest.raises(InvalidInputError, match="algorithm is 'ddpg', and .* with '.*:Opposite'"):
        load(tmp_path / "new", algorithm="ddpg")


def test_opening_a_record_imports_no_module_and_makes_no_environment(record, monkeypatch):
    (record / "hostile.py").write_text("raise SystemExit('executed')")
    monkeypatch.syspath_prepend(str(record))
    change(record, env="hostile:Pendulum-v1", wrappers=["hostile:W"], eval_env="hostile:X")
    assert read_record(record).agent.num_seeds == 2
    change(record, algorithm="hostile:Agent")
    with pytest.raises(InvalidInputError, match="trained with 'hostile:Agent', which is not known"):
        load(record)
    assert "hostile" not in sys.modules


def test_one_seed_of_a_record_acts_as_it_does_beside_the_others(run):
    folder, result = run
    s = np.random.default_rng(0).normal(size=(5, 3))
    one = load(folder, seed=4)
    np.testing.assert_allclose(one.act(s), result.agent.act(s)[1], rtol=1e-6)
    assert one.act(s[0]).shape == (1,)
    with pytest.raises(InvalidInputError, match="seed is 5; allowed: 3 to 4, those trained"):
        load(folder, seed=5)


def test_a_table_is_read_whatever_the_order_of_its_rows(tmp_path, run):
    steps, table = read_table(run[0] / "log.csv")
    assert steps.tolist() == [20, 40]
    np.testing.assert_allclose(table["q_mean"], run[1].log["q_mean"], rtol=1e-5)
    head, *rows = (run[0] / "log.csv").read_text().splitlines()
    shuffled = tmp_path / "shuffled.csv"
    shuffled.write_text("\n".join([head, *rows[::-1]]))
    assert np.array_equal(read_table(shuffled)[1]["q_mean"], table["q_mean"])
    shuffled.write_text("\n".join([head, *rows[1:]]))
    with pytest.raises(InvalidInputError, match="not one row for each of its seeds and steps"):
        read_table(shuffled)


@pytest.mark.parametrize("name", ["con:env/x", 'a"b', "bücher", "a b"])
def test_portable_names_are_allowed_everywhere(name):
    assert re.fullmatch(r"[A-Za-z0-9._=,+-]+", safe_filename(name))


def test_the_log_is_tidy(run):
    with open(run[0] / "log.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][:4] == ["seed", "step", "q_mean", "q_std"]
    assert [row[:2] for row in rows[1:]] == [["3", "20"], ["4", "20"], ["3", "40"], ["4", "40"]]


@pytest.mark.parametrize("name", ["log.csv", "returns.csv"])
@pytest.mark.parametrize("cut", [1, 7, 30])
def test_a_part_of_an_evaluation_is_left_out(record, name, cut):
    whole = read_record(record)
    table = (record / name).read_bytes()
    more = b"\r\n".join(table.splitlines()[-2:]).replace(b",40,", b",60,")
    (record / name).write_bytes(table + more[:cut])  # torn while it was being written
    with pytest.warns(IncompleteRecordWarning, match=f"{name}' holds a part of an unfinished"):
        found = read_record(record)
    assert np.array_equal(found.returns, whole.returns)
    assert np.array_equal(found.log["q_mean"], whole.log["q_mean"])


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("returns.csv", b"3,20,0,", b"5,20,0,", "its seeds, steps or episodes are not"),
        ("returns.csv", b"3,20,1,", b"3,20,0,", "its seeds, steps or episodes are not"),
        ("returns.csv", b"3,20,0,-", b"3,20,0,nan", "could not convert|not finite"),
        ("returns.csv", b"3,20,0,-", b"3,20,0,-inf,", "not finite|other columns|inhomogeneous"),
        ("returns.csv", b"episode,return", b"episode,score", "its columns are"),
        ("log.csv", b"4,40,", b"4.5,40,", "its seeds, steps or episodes are not"),
    ],
)
def test_a_number_that_cannot_be_right_is_refused(name, old, new, message, record):
    table = (record / name).read_bytes()
    assert old in table
    (record / name).write_bytes(table.replace(old, new, 1))
    with pytest.raises(InvalidInputError, match=f"{name}' cannot be read: .*({message})"):
        read_record(record)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 1}, "it has 'seed'; allowed: "),
        ({"agent": {}}, "agent has no actor_lr"),
        ({"agent": None}, "agent is None; allowed: an object"),
        ({"first_seed": 1.5}, "first_seed is 1.5; allowed: 0 or more"),
        ({"state_dim": True}, "state_dim is True; allowed: a whole number"),
        ({"action_low": [float("nan")]}, r"action_low is \[nan\]; allowed: a list of finite"),
        ({"action_low": [3.0]}, "bounds are"),
        ({"env": 7}, "env is 7; allowed: a name"),
        ({"wrappers": [1]}, "wrappers is"),
        ({"num_seeds": 10**12}, "policy.safetensors' cannot be read: actor"),
        ({"eval_episodes": 10**12}, "returns.csv' cannot be read: it is too short"),
        ({"eval_every": 7}, "step 40, where nothing is evaluated|seeds, steps or episodes"),
    ],
)
def test_a_setting_that_cannot_be_right_is_refused(changes, message, record):
    change(record, **changes)
    with pytest.raises(InvalidInputError, match=message):
        read_record(record)


def test_a_setting_that_is_missing_is_named(record):
    path = record / "config.json"
    stored = json.loads(path.read_text())
    del stored["eval_every"]
    path.write_text(json.dumps(stored))
    with pytest.raises(InvalidInputError, match="config.json' cannot be read: it has no eval_ev"):
        read_record(record)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.full((2, 10), np.nan), "holds a number that is not finite"),
        (np.ones((2, 10), dtype=bool), "has the type bool; allowed: numbers"),
        (np.ones((3, 10)), r"has shape \(3, 10\); allowed: \(2, ...\), one row per seed"),
    ],
)
def test_weights_that_cannot_be_right_are_refused(value, message, record):
    write_tensors(record / "policy.safetensors", {"actor.x": value}, {"format": 3, "step": 40})
    with pytest.raises(InvalidInputError, match=f"policy.safetensors' cannot be read: .*{message}"):
        read_record(record)


def test_networks_that_do_not_fit_into_memory_are_refused(record):
    config = json.loads((record / "config.json").read_text())
    config["agent"]["hidden_sizes"] = [10**6, 10**6]
    (record / "config.json").write_text(json.dumps(config))
    with pytest.raises(InvalidInputError, match="2 agents of 20000.* parameters each need about"):
        read_record(record).agent  # noqa: B018


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("name", ["config.json", "returns.csv", "policy.safetensors"])
def test_a_pipe_in_the_place_of_a_file_does_not_block(name, record):
    (record / name).unlink()
    os.mkfifo(record / name)
    with pytest.raises(InvalidInputError, match=f"{name}' cannot be read: it is not a regular"):
        read_record(record)


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
    def interrupt(report):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(CONFIG, out=tmp_path / "record", callback=interrupt)
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


@pytest.mark.parametrize("name", ["config.json", "returns.csv", "policy.safetensors"])
def test_a_missing_file_is_named(record, name):
    (record / name).unlink()
    with pytest.raises(ValueError, match=f"not a record with an evaluation: {name} is missing"):
        read_record(record)


class Hostile:
    def __reduce__(self):
        return os.system, ("touch executed",)


@pytest.mark.parametrize("name", ["config.json", "returns.csv", "log.csv", "policy.safetensors"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff\xfe" * 50,
        b"[1, 2]",
        b'{"env": "Pendulum-v1"}',
        b"[" * 100_000,
        b"x" * 200_000,
        b"seed,step\n1,2\n",
        pickle.dumps(Hostile()),
    ],
    ids=["empty", "binary", "list", "object", "deep", "long", "columns", "pickle"],
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
        ({"agent": {"hidden_sizes": [8, 5]}}, "actor.theta has shape"),
        ({"agent": {"hidden_sizes": [8, 5]}, "algorithm": "numpy-ddpg"}, "actor.theta has shape"),
    ],
)
def test_weights_of_another_network_are_refused(change, message, record):
    config = json.loads((record / "config.json").read_text())
    config["agent"] |= change.pop("agent")
    (record / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(ValueError, match=f"policy.safetensors.* cannot be read: .*{message}"):
        read_record(record).agent  # noqa: B018


def test_the_best_seed_is_a_seed_and_not_a_row(run):
    record = read_record(run[0])
    finals = dict(zip((3, 4), record.returns[-1].mean(-1), strict=True))
    assert record.best_seed == max(finals, key=lambda seed: finals[seed])
