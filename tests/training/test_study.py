import csv
import json
import os
import signal
from dataclasses import replace

import numpy as np
import pytest

from dpgcourse.errors import InvalidInputError
from dpgcourse.training import variant_run
from dpgcourse.training.description import describe
from dpgcourse.training.loop import train
from dpgcourse.training.study import run_study
from dpgcourse.training.study_folder import read_study
from dpgcourse.training.training_state import TrainingState
from dpgcourse.training.variants import study_variants

BASE = {
    "num_seeds": 2,
    "steps": 30,
    "learning_starts": 10,
    "eval_every": 15,
    "eval_episodes": 1,
    "hidden_sizes": (8,),
    "batch_size": 4,
}
BOTH = {**BASE, "algorithms": ["ddpg", "numpy-ddpg"]}
CONFIGS = {variant.name: variant.config for variant in study_variants(**BOTH)}


def run_here(folder, **settings):
    """A study in this process."""
    return run_study(folder, jobs=1, **settings)


def contents(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_a_study_holds_what_single_runs_give(tmp_path):
    assert run_here(tmp_path / "new", **BOTH, command="the command") == []
    records = read_study(tmp_path / "new")
    assert set(records) == set(CONFIGS)
    for name, config in CONFIGS.items():
        assert records[name].config == config
        np.testing.assert_allclose(records[name].returns, train(config).returns, atol=1e-4)
    assert (tmp_path / "new" / "command.txt").read_text() == "the command\n"


def rows_of(folder):
    with open(folder / "results.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_results_are_one_tidy_table(tmp_path):
    run_here(tmp_path, **BASE, envs=["LQR-v0"], vary={"tau": [0.5]}, command="first")
    run_here(tmp_path, **BOTH, vary={"hidden_sizes": [[8, 4]]}, command="second")
    records, rows = read_study(tmp_path), rows_of(tmp_path)
    assert list(rows[0]) == (
        ["variant", "env", "algorithm", "tau", "hidden_sizes", "seed", "step", "return"]
    )
    for row in rows:
        record, seed = records[row["variant"]], int(row["seed"])
        k = record.steps.tolist().index(int(row["step"]))
        assert float(row["return"]) == pytest.approx(record.returns[k, seed].mean(), abs=1e-3)
        assert row["env"] == record.config.env and row["algorithm"] == record.config.algorithm
        expected = ("", "0.5") if row["env"] == "LQR-v0" else ("[8, 4]", "")
        assert (row["hidden_sizes"], row["tau"]) == expected
    places = {(row["variant"], row["seed"], row["step"]) for row in rows}
    assert len(rows) == len(places) == 3 * 2 * 2


def test_versions_machine_and_configurations_stand_beside_the_results(tmp_path):
    run_here(tmp_path, **BASE, vary={"tau": [0.5]})
    run_here(tmp_path, **BASE, vary={"tau": [1.0]})
    held = json.loads((tmp_path / "study.json").read_text())
    assert {"numpy", "torch", "git_commit", "system", "processors"} <= set(held["provenance"])
    assert {name: v["varied"] for name, v in held["variants"].items()} == {
        "ddpg-tau=0.5": {"tau": 0.5},
        "ddpg-tau=1.0": {"tau": 1.0},
    }
    for name, record in read_study(tmp_path).items():
        assert held["variants"][name]["config"] == json.loads(json.dumps(describe(record.config)))


def test_what_is_finished_is_skipped(tmp_path, capsys):
    folder = tmp_path / "study"
    run_here(folder, **BASE, command="first")
    before = contents(folder / "ddpg")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / "figures").mkdir()
    run_here(folder, **BOTH, command="second", progress=True)
    assert contents(folder / "ddpg") == before
    assert "ddpg: finished before, skipped" in capsys.readouterr().err
    assert set(read_study(folder)) == set(CONFIGS)
    assert (folder / "command.txt").read_text() == "first\nsecond\n"


def test_a_variant_that_was_killed_between_its_end_and_its_name_is_not_trained_again(
    tmp_path, monkeypatch
):
    run_here(tmp_path / "study", **BOTH, command="the command")
    os.rename(tmp_path / "study/ddpg", tmp_path / "study/ddpg.partial")
    monkeypatch.setattr(variant_run, "train", None)
    run_here(tmp_path / "study", **BOTH, command="the command")
    assert set(read_study(tmp_path / "study")) == set(CONFIGS)


@pytest.mark.parametrize("step", [0, 5, 22])
def test_an_interrupted_study_goes_on_where_it_was(step, tmp_path, monkeypatch):
    run_here(tmp_path / "whole", **BOTH, command="the command")
    advance = TrainingState.advance

    def interrupted(self):
        if self.config.algorithm == "numpy-ddpg" and self.step == step:
            monkeypatch.setattr(TrainingState, "advance", advance)
            if step == 0:
                raise KeyboardInterrupt
            signal.raise_signal(signal.SIGINT)
        advance(self)

    monkeypatch.setattr(TrainingState, "advance", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_here(tmp_path / "parts", **BOTH, command="the command")
    partial = {"numpy-ddpg.partial"} if step else set()
    names = {path.name for path in (tmp_path / "parts").iterdir()}
    assert names == {"command.txt", "study.json", "results.csv", "ddpg"} | partial
    steps = []
    monkeypatch.setattr(TrainingState, "advance", lambda self: steps.append(advance(self)))
    run_here(tmp_path / "parts", **BOTH, command="the command")
    assert len(steps) == 30 - (step + 1 if step else 0)  # the rest alone
    whole, parts = read_study(tmp_path / "whole"), read_study(tmp_path / "parts")
    for name in CONFIGS:
        assert np.array_equal(whole[name].returns, parts[name].returns)


def test_a_partial_variant_of_other_settings_is_refused_and_kept(tmp_path, monkeypatch):
    other = replace(CONFIGS["ddpg"], eval_episodes=3)
    train(other, out=tmp_path / "ddpg.partial")
    (tmp_path / "command.txt").write_text("the command\n")
    before = contents(tmp_path)
    message = "ddpg.partial' was made otherwise: eval_episodes is 1, there 3; allowed: equal"
    with pytest.raises(InvalidInputError, match=message):
        run_here(tmp_path, **BOTH, command="another command")
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["notes.txt", "ddpg.partial/notes.txt", "ddpg.partial/a/b.txt"])
def test_what_a_study_has_not_written_is_never_removed(name, tmp_path):
    (tmp_path / "command.txt").write_text("the command\n")
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    if "/" in name:
        with pytest.raises(InvalidInputError, match="which no run has written; allowed: after mov"):
            run_here(tmp_path, **BOTH, command="the command")
    else:
        run_here(tmp_path, **BOTH, command="the command")
    assert path.read_text() == "mine"


def test_a_file_named_like_a_variant_is_refused(tmp_path):
    (tmp_path / "command.txt").write_text("the command\n")
    (tmp_path / "ddpg.partial").write_text("mine")
    with pytest.raises(InvalidInputError, match=r"ddpg.partial' is a file; allowed: after moving"):
        run_here(tmp_path, **BOTH, command="the command")


def test_only_one_process_works_in_a_study(tmp_path, monkeypatch):
    def second(config, **options):
        with pytest.raises(InvalidInputError, match="is in use: another process writes there"):
            run_here(tmp_path / "study", **BOTH, command="the command")
        return train(config, **options)

    monkeypatch.setattr(variant_run, "train", second)
    run_here(tmp_path / "study", **BOTH, command="the command")
    assert set(read_study(tmp_path / "study")) == set(CONFIGS)
    assert not list((tmp_path / "study").rglob(".lock"))


def test_other_settings_under_the_same_name_are_refused(tmp_path):
    run_here(tmp_path, **BASE, command="first")
    before = contents(tmp_path)
    other = {**BOTH, "algorithms": ["numpy-ddpg", "ddpg"], "eval_episodes": 2, "tau": 0.5}
    message = "ddpg' was made otherwise: eval_episodes is 2, there 1; tau is 0.5, there 0.01"
    with pytest.raises(InvalidInputError, match=message):
        run_here(tmp_path, **other, command="second")
    assert contents(tmp_path) == before


def test_a_folder_that_is_no_study_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InvalidInputError, match="which is no study"):
        run_here(tmp_path, **BOTH, command="the command")
    with pytest.raises(InvalidInputError, match="is no study: command.txt is missing"):
        read_study(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_variant_that_diverges_is_kept_as_partial_and_the_others_go_on(tmp_path):
    late = {**BASE, "learning_starts": 20}  # it diverges after its first evaluation
    (failure,) = run_here(tmp_path, **late, vary={"critic_lr": [1e30, 1e-3]}, retries=3)
    assert failure.startswith("ddpg-critic_lr=1e+30: the ")
    assert set(read_study(tmp_path)) == {"ddpg-critic_lr=0.001"}
    assert (tmp_path / "ddpg-critic_lr=1e+30.partial" / "config.json").exists()
    assert (tmp_path / "ddpg-critic_lr=1e+30.log").read_text().count("DivergenceError: ") == 1
