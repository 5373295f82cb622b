import csv
import os
import signal
from dataclasses import replace

import numpy as np
import pytest

from dpgcourse.errors import InvalidInputError
from dpgcourse.training import study
from dpgcourse.training.config import make_config
from dpgcourse.training.loop import train
from dpgcourse.training.study import read_study, run_study, study_configs
from dpgcourse.training.training_state import TrainingState

BASE = {
    "num_seeds": 2,
    "steps": 30,
    "learning_starts": 10,
    "eval_every": 15,
    "eval_episodes": 1,
    "hidden_sizes": (8,),
    "batch_size": 4,
}
CONFIGS = study_configs(["ddpg", "numpy-ddpg"], **BASE)


def contents(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_every_algorithm_meets_every_combination_of_settings():
    vary = ["tau=0.5,1.0", "buffer-size=4,8", "hidden_sizes=[8],[8,4]"]
    made = study_configs(["ddpg", "td3"], vary, **BASE)
    assert len(made) == 16
    changes = {"tau": 0.5, "buffer_size": 8, "hidden_sizes": (8, 4)}
    expected = make_config(algorithm="td3", **{**BASE, **changes})
    assert made["td3-tau=0.5-buffer_size=8-hidden_sizes=8,4"] == expected
    assert list(study_configs(["ddpg"], ["env=LQR-v0"])) == ["ddpg-env=LQR-v0"]


@pytest.mark.parametrize(
    ("algorithms", "vary", "message"),
    [
        (["ppo"], [], "algorithm is 'ppo'; allowed: ddpg"),
        ([], [], "algorithms is empty"),
        (["ddpg", "ddpg"], [], "variant ddpg is asked for twice"),
        (["ddpg"], ["tau=0.5,0.5"], "variant ddpg-tau=0.5 is asked for twice"),
        (["ddpg"], ["num_seeds=1,2"], "num_seeds is the same in all variants"),
        (["ddpg"], ["tau"], "vary is 'tau'; allowed: NAME=VALUE"),
        (["ddpg"], ["taus=1"], r"setting is 'taus' \(did you mean tau\?\)"),
        (["ddpg"], ["policy_delay=3"], "setting is 'policy_delay'"),
        (["ddpg"], ["tau=a"], "tau is 'a'; allowed: 0 < tau <= 1"),
        (["ddpg"], ["hidden_sizes=8"], "hidden_sizes is 8; allowed: one or more widths"),
        (["ddpg"], ["batch_size=4.5"], "batch_size is 4.5; allowed: 1 or more"),
        (["ddpg"], ["tau=2"], "tau is 2; allowed: 0 < tau <= 1"),
        (["ddpg"], [f"env={'x' * 200}"], "has a name of 209 characters; allowed: 150"),
    ],
)
def test_what_cannot_be_varied_is_named(algorithms, vary, message):
    with pytest.raises(InvalidInputError, match=message):
        study_configs(algorithms, vary, **BASE)


def test_a_study_holds_what_single_runs_give(tmp_path):
    assert run_study(tmp_path / "new", CONFIGS, "the command") == []
    records = read_study(tmp_path / "new")
    assert set(records) == set(CONFIGS)
    for name, config in CONFIGS.items():
        assert records[name].config == config
        np.testing.assert_allclose(records[name].returns, train(config).returns, atol=1e-4)
    assert (tmp_path / "new" / "command.txt").read_text() == "the command\n"
    with open(tmp_path / "new" / "summary.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        final = records[row["variant"]].returns[-1, int(row["seed"])].mean()
        assert float(row["return"]) == pytest.approx(final, abs=1e-3) and row["step"] == "30"
    assert len(rows) == 4


def test_what_is_finished_is_skipped(tmp_path, capsys):
    folder = tmp_path / "study"
    run_study(folder, study_configs(["ddpg"], **BASE), "first")
    before = contents(folder / "ddpg")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / "figures").mkdir()
    run_study(folder, CONFIGS, "second", progress=True)
    assert contents(folder / "ddpg") == before
    assert "[1/2] ddpg: finished before, skipped" in capsys.readouterr().err
    assert set(read_study(folder)) == set(CONFIGS)
    assert (folder / "command.txt").read_text() == "first\nsecond\n"


def test_a_variant_that_was_killed_between_its_end_and_its_name_is_not_trained_again(
    tmp_path, monkeypatch
):
    run_study(tmp_path / "study", CONFIGS, "the command")
    os.rename(tmp_path / "study/ddpg", tmp_path / "study/ddpg.partial")
    monkeypatch.setattr(study, "train", None)
    run_study(tmp_path / "study", CONFIGS, "the command")
    assert set(read_study(tmp_path / "study")) == set(CONFIGS)


@pytest.mark.parametrize("step", [0, 5, 22])
def test_an_interrupted_study_goes_on_where_it_was(step, tmp_path, monkeypatch):
    run_study(tmp_path / "whole", CONFIGS, "the command")
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
        run_study(tmp_path / "parts", CONFIGS, "the command")
    partial = {"numpy-ddpg.partial"} if step else set()
    names = {path.name for path in (tmp_path / "parts").iterdir()}
    assert names == {"command.txt", "ddpg"} | partial
    steps = []
    monkeypatch.setattr(TrainingState, "advance", lambda self: steps.append(advance(self)))
    run_study(tmp_path / "parts", CONFIGS, "the command")
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
        run_study(tmp_path, CONFIGS, "another command")
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["notes.txt", "ddpg.partial/notes.txt", "ddpg.partial/a/b.txt"])
def test_what_a_study_has_not_written_is_never_removed(name, tmp_path):
    (tmp_path / "command.txt").write_text("the command\n")
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    if "/" in name:
        with pytest.raises(InvalidInputError, match="which no run has written; allowed: after mov"):
            run_study(tmp_path, CONFIGS, "the command")
    else:
        run_study(tmp_path, CONFIGS, "the command")
    assert path.read_text() == "mine"


def test_a_file_named_like_a_variant_is_refused(tmp_path):
    (tmp_path / "command.txt").write_text("the command\n")
    (tmp_path / "ddpg.partial").write_text("mine")
    with pytest.raises(InvalidInputError, match=r"ddpg.partial' is a file; allowed: after moving"):
        run_study(tmp_path, CONFIGS, "the command")


def test_only_one_process_works_in_a_study(tmp_path, monkeypatch):
    def second(config, **options):
        with pytest.raises(InvalidInputError, match="is in use: another process writes there"):
            run_study(tmp_path / "study", CONFIGS, "the command")
        return train(config, **options)

    monkeypatch.setattr(study, "train", second)
    run_study(tmp_path / "study", CONFIGS, "the command")
    assert set(read_study(tmp_path / "study")) == set(CONFIGS)
    assert not list((tmp_path / "study").rglob(".lock"))


def test_other_settings_under_the_same_name_are_refused(tmp_path):
    run_study(tmp_path, study_configs(["ddpg"], **BASE), "first")
    before = contents(tmp_path)
    other = study_configs(["numpy-ddpg", "ddpg"], **{**BASE, "eval_episodes": 2, "tau": 0.5})
    message = "ddpg' was made otherwise: eval_episodes is 2, there 1; tau is 0.5, there 0.01"
    with pytest.raises(InvalidInputError, match=message):
        run_study(tmp_path, other, "second")
    assert contents(tmp_path) == before


def test_a_folder_that_is_no_study_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InvalidInputError, match="which is no study"):
        run_study(tmp_path, CONFIGS, "the command")
    with pytest.raises(InvalidInputError, match="is no study: command.txt is missing"):
        read_study(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_variant_that_diverges_is_kept_as_partial_and_the_others_go_on(tmp_path):
    late = {**BASE, "learning_starts": 20}  # it diverges after its first evaluation
    configs = study_configs(["ddpg"], ["critic_lr=1e30,1e-3"], **late)
    (failure,) = run_study(tmp_path, configs, "the command")
    assert failure.startswith("ddpg-critic_lr=1e+30: the ")
    assert set(read_study(tmp_path)) == {"ddpg-critic_lr=0.001"}
    assert (tmp_path / "ddpg-critic_lr=1e+30.partial" / "config.json").exists()
