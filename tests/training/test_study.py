import csv

import numpy as np
import pytest

from dpgcourse.errors import InvalidInputError
from dpgcourse.training import study
from dpgcourse.training.config import make_config
from dpgcourse.training.loop import train
from dpgcourse.training.record import read_record
from dpgcourse.training.study import read_study, run_study, study_configs

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
    return {str(p): (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.rglob("*.*")}


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


def test_what_is_finished_is_skipped_and_what_is_not_begun_anew(tmp_path, capsys):
    folder = tmp_path / "study"
    run_study(folder, study_configs(["ddpg"], **BASE), "first")
    before = contents(folder / "ddpg")

    train(CONFIGS["numpy-ddpg"], out=folder / "numpy-ddpg.partial")  # interrupted at its end
    (folder / ".ipynb_checkpoints").mkdir()
    assert set(read_study(folder)) == {"ddpg"}
    run_study(folder, CONFIGS, "second", progress=True)
    assert contents(folder / "ddpg") == before
    assert "[1/2] ddpg: finished before, skipped" in capsys.readouterr().err
    assert read_record(folder / "numpy-ddpg").steps.tolist() == [15, 30]  # not four evaluations
    assert not (folder / "numpy-ddpg.partial").exists()
    assert (folder / "command.txt").read_text() == "first\nsecond\n"


@pytest.mark.parametrize("evaluations", [0, 1])
def test_an_interrupted_study_goes_on_where_it_was(evaluations, tmp_path, monkeypatch):
    def interrupted(config, **options):
        def interrupt(report):
            raise KeyboardInterrupt

        if config.algorithm == "numpy-ddpg" and not evaluations:
            raise KeyboardInterrupt
        callback = interrupt if config.algorithm == "numpy-ddpg" else None
        return train(config, callback=callback, **options)

    monkeypatch.setattr(study, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_study(tmp_path, CONFIGS, "the command")
    partial = {"numpy-ddpg.partial"} if evaluations else set()
    assert {path.name for path in tmp_path.iterdir()} == {"command.txt", "ddpg"} | partial
    monkeypatch.undo()
    run_study(tmp_path, CONFIGS, "the command")
    assert set(read_study(tmp_path)) == set(CONFIGS)


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
