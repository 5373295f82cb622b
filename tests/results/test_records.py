"""Every stored record can be read, and its policies score what its table says."""

import json
from pathlib import Path

import numpy as np
import pytest

from dpgcourse.training.description import describe
from dpgcourse.training.evaluation import evaluate
from dpgcourse.training.record import read_record, read_table
from results.lqr import linear_actor

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
    assert np.isfinite(record.returns).all() and (record.returns <= 0).all()  # of Pendulum-v1
    assert agent.num_seeds == config.num_seeds == record.returns.shape[1]
    a = agent.act(np.zeros(record.state_dim))
    assert a.shape == (config.num_seeds, 1) and (np.abs(a) <= record.box.high).all()
    stored = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert stored == json.loads(json.dumps(describe(config, agent)))


@pytest.mark.parametrize("name", ["ddpg-pendulum", "numpy-ddpg-pendulum", "td3-pendulum/td3"])
def test_the_stored_policies_score_what_the_table_says(name):
    record = read_record(RESULTS / name)
    said = record.returns[-1]  # (S, E)
    found = evaluate(record.agent, record.config.env, episodes=30, seed=0)
    error = np.sqrt(said.var(ddof=1) / said.size + found.var(ddof=1) / found.size)
    assert abs(found.mean() - said.mean()) < 4 * error
    untrained = read_record(RESULTS / "mechanisms/no-exploration").returns[0]
    assert found.mean() > untrained.mean() + 500


def test_the_linear_actors_settings_are_those_of_its_code():
    stored = json.loads((RESULTS / "lqr/linear-actor.json").read_text(encoding="utf-8"))
    now = json.loads(json.dumps(describe(linear_actor.CONFIG)))
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
