"""Every stored record can be read, and its policies score what its table says."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from dpgcourse.analysis.near_optimal_pendulum import Grid, near_optimal_returns
from dpgcourse.training.description import ADDED, describe
from dpgcourse.training.evaluation import TRAINING_STARTS, evaluate
from dpgcourse.training.final_returns import read_final_returns
from dpgcourse.training.record import read_record, read_table
from results.lqr import linear_actor
from tools import results

RESULTS = Path(__file__).resolve().parents[2] / "results"
RECORDS = sorted(path.parent for path in RESULTS.rglob("config.json"))


def name_of(record: Path) -> str:
    return record.relative_to(RESULTS).as_posix()


def test_there_are_records():
    assert len(RECORDS) >= 30


@pytest.mark.parametrize("folder", RECORDS, ids=name_of)
def test_a_record_is_whole(folder):
    record = read_record(folder)
    config, agent = record.config, record.agent
    assert record.steps[-1] == config.steps and len(record.returns) == len(record.steps)
    assert np.isfinite(record.returns).all()
    assert config.env != "Pendulum-v1" or (record.returns <= 0).all()
    assert agent.num_seeds == config.num_seeds == record.returns.shape[1]
    a = agent.act(np.zeros(record.state_dim))
    assert (
        a.shape == (config.num_seeds, len(record.box.low)) and (np.abs(a) <= record.box.high).all()
    )
    stored = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    known = {name: value for name, value in ADDED.items() if hasattr(config.agent, name)}
    stored["agent"] = known | stored["agent"]
    assert stored == json.loads(json.dumps(describe(config, agent)))


LONG = ("numpy-ddpg-pendulum", "td3-pendulum/td3")


@pytest.mark.parametrize(
    "name", ["ddpg-pendulum", *(pytest.param(name, marks=pytest.mark.long) for name in LONG)]
)
def test_the_stored_policies_score_what_the_tables_say(name):
    record = read_record(RESULTS / name)
    E = record.config.eval_episodes
    found = evaluate(record.agent, record.config.env, episodes=E, seed=TRAINING_STARTS)
    np.testing.assert_allclose(found.mean(-1), record.returns[-1].mean(-1), atol=0.5)
    said = read_final_returns(RESULTS / results.FINAL_RETURNS)[name]
    found = evaluate(record.agent, record.config.env, episodes=1000).mean(-1)
    np.testing.assert_allclose(found, list(said.values()), atol=0.5)


def test_ten_common_starts_are_as_hard_as_a_thousand():
    grid = Grid(101, 81)
    ten = near_optimal_returns(100, TRAINING_STARTS, grid)
    many = near_optimal_returns(2000, 0, grid).mean()
    assert all(abs(ten[:n].mean() - many) < 8 for n in (10, 20, 50, 100))


def test_the_scores_of_one_method_differ_by_what_its_policies_differ():
    scores = read_final_returns(RESULTS / results.FINAL_RETURNS)
    for name in ("ddpg-pendulum", "td3-pendulum/td3", "bugs-fresh-seeds/ddpg"):
        assert np.std(list(scores[name].values()), ddof=1) < 6  # on private starts it was 23


def test_the_manifest_knows_every_entry_and_no_other():
    manifest = results.read_manifest()
    records = {*results.RECORDS, *results.MUJOCO}
    assert list(manifest) == sorted([*records, *results.TABLES, *results.EPISODES])
    assert {name_of(record) for record in RECORDS} == records
    size = sum(path.stat().st_size for path in RESULTS.rglob("*") if path.is_file())
    assert size < results.LIMIT


SLOW = ("bugs-field/evidence.csv", "bugs-field-fresh-seeds/evidence.csv")  # ten agents each


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.long) if name in SLOW else name
        for name in (*results.RECORDS, *results.MUJOCO, *results.TABLES)
    ],
)
def test_an_entry_is_what_was_made_and_what_todays_code_makes(name):
    if results.needs_mujoco(name):
        pytest.importorskip("mujoco", reason="the tasks of chapter 15 need MuJoCo")
    assert results.status_of(name, results.read_manifest()) == "fine"


@pytest.mark.parametrize("table", results.EPISODES)
def test_the_final_returns_are_those_that_were_made(table):
    assert results.read_manifest()[table]["files"] == results.files_of(table)


def test_without_mujoco_a_record_is_not_run_again_and_says_so(monkeypatch):
    monkeypatch.setattr(results, "has_mujoco", lambda: False)
    monkeypatch.setattr(results, "probe", lambda name: [])
    manifest = results.read_manifest()
    assert results.status_of("mujoco/hopper-td3", manifest) == results.NO_MUJOCO
    manifest["mujoco/hopper-td3"]["files"] = {}
    assert results.status_of("mujoco/hopper-td3", manifest) == "changed since it was made"


def test_an_agent_of_the_hopper_scores_what_its_table_says():
    pytest.importorskip("mujoco", reason="Hopper-v5 needs MuJoCo")
    record = read_record(RESULTS / "mujoco/hopper-td3")
    E = record.config.eval_episodes
    found = evaluate(record.agent, "Hopper-v5", episodes=E, seed=TRAINING_STARTS).mean(-1)
    np.testing.assert_allclose(found, record.returns[-1].mean(-1), rtol=0.05)


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of one record and the manifest, to be changed."""
    name = "mechanisms/no-noise"
    shutil.copytree(RESULTS / name, tmp_path / name)
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    monkeypatch.setattr(results, "probe", lambda name: results_probe[name])
    return name


results_probe = {name: entry["probe"] for name, entry in results.read_manifest().items()}


def test_rows_of_a_record_that_were_shifted_are_noticed(copied):
    manifest = json.loads((RESULTS / results.MANIFEST).read_text(encoding="utf-8"))
    assert results.status_of(copied, manifest) == "fine"
    path = results.RESULTS / copied / "returns.csv"
    lines = path.read_text().splitlines()
    seed, step, episode, value = lines[5].split(",")
    lines[5] = f"{seed},{step},{episode},{float(value) - 200}"
    path.write_text("\n".join(lines))
    assert results.status_of(copied, manifest) == "changed since it was made"


def test_code_that_gives_other_numbers_is_noticed(copied, monkeypatch):
    manifest = json.loads((RESULTS / results.MANIFEST).read_text(encoding="utf-8"))
    other = [x * 1.002 for x in results_probe[copied]]
    monkeypatch.setattr(results, "probe", lambda name: other)
    assert results.status_of(copied, manifest).startswith("outdated")
    manifest[copied]["command"] += " --tau 0.02"
    assert results.status_of(copied, manifest) == "made by another command"
    shutil.rmtree(results.RESULTS / copied)
    assert results.status_of(copied, manifest) == "missing"


@pytest.mark.parametrize(
    ("target", "change"),
    [
        ("dpgcourse.agents.ddpg.polyak_update", lambda *arguments: None),
        ("dpgcourse.training.training_state.TRAINING_STARTS", 1),
        ("dpgcourse.agents.noise.GaussianNoise.__call__", lambda self: np.zeros((1, 1))),
    ],
)
def test_a_changed_package_is_noticed(target, change, monkeypatch):
    manifest = results.read_manifest()
    monkeypatch.setattr(target, change)
    assert results.status_of("ddpg-pendulum", manifest).startswith("outdated")


def test_the_linear_actors_settings_are_those_of_its_code():
    stored = json.loads((RESULTS / "lqr/linear-actor.json").read_text(encoding="utf-8"))
    now = json.loads(json.dumps(describe(linear_actor.CONFIG)))
    stored["agent"] = ADDED | stored["agent"]
    assert stored == {**now, "algorithm": "linear_actor.py:LinearDDPG"}
    steps, columns = read_table(RESULTS / "lqr/linear-actor.csv")
    assert steps[-1] == linear_actor.CONFIG.steps
    assert {values.shape for values in columns.values()} == {(len(steps), 10)}
    assert (columns["gap"] > 0).all() and set(columns) == {
        "K0",
        "K1",
        "gap",
        "angle",
        "memory_angle",
    }
