import dataclasses

import numpy as np
import pytest

from dpgcourse.agents.ddpg import DDPGConfig
from dpgcourse.training.loop import TrainConfig, train
from dpgcourse.training.record import RecordWriter, read_record
from dpgcourse.training.study import read_study, run_study, variants

BASE = TrainConfig(
    seeds=2,
    steps=30,
    warmup=10,
    eval_every=15,
    eval_episodes=1,
    agent=DDPGConfig(hidden=(8,), batch_size=4),
)
CONFIGS = variants(BASE, ["ddpg", "by_hand"])


def contents(folder):
    return {str(p): (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.rglob("*.*")}


def test_every_method_meets_every_combination_of_settings():
    made = variants(BASE, ["ddpg", "td3"], ["tau=0.5,1", "capacity=4,8", "hidden=[8],[8,4]"])
    assert len(made) == 16
    config = made["td3-tau=0.5-capacity=8-hidden=[8,4]"]
    agent = dataclasses.replace(BASE.agent, tau=0.5, hidden=(8, 4))
    assert config == dataclasses.replace(BASE, method="td3", capacity=8, agent=agent)
    assert list(variants(BASE, ["ddpg"], ["env=LQR-v0"])) == ['ddpg-env="LQR-v0"']


@pytest.mark.parametrize(
    ("methods", "vary", "message"),
    [
        (["ppo"], [], "method is 'ppo'; allowed: ddpg"),
        ([], [], "methods is empty"),
        (["ddpg", "ddpg"], [], "variant ddpg is asked for twice"),
        (["ddpg"], ["tau=0.5,0.5"], "variant ddpg-tau=0.5 is asked for twice"),
        (["ddpg"], ["seeds=1,2"], "vary is 'seeds=1,2'; allowed: NAME=VALUES"),
        (["ddpg"], ["tau"], "vary is 'tau'; allowed: NAME=VALUES"),
        (["ddpg"], ["tau=a"], "tau is 'a'; allowed: values like 0.01"),
        (["ddpg"], ["hidden=8"], "hidden is 8; allowed: values like"),
        (["ddpg"], ["batch_size=4.5"], "batch_size is 4.5; allowed: values like 4"),
        (["ddpg"], ["tau=2"], "tau is 2; allowed: 0 < tau <= 1"),
    ],
)
def test_what_cannot_be_varied_is_named(methods, vary, message):
    with pytest.raises(ValueError, match=message):
        variants(BASE, methods, vary)


def test_a_study_holds_what_single_runs_give(tmp_path):
    assert run_study(tmp_path / "new", CONFIGS, "the command") == []
    records = read_study(tmp_path / "new")
    assert set(records) == set(CONFIGS)
    for name, config in CONFIGS.items():
        assert records[name].config == config
        np.testing.assert_allclose(records[name].returns, train(config).returns, atol=1e-4)
    assert (tmp_path / "new" / "command.txt").read_text() == "the command\n"


def test_what_is_finished_is_skipped_and_what_is_not_begun_anew(tmp_path, capsys):
    folder = tmp_path / "study"
    run_study(folder, variants(BASE, ["ddpg"]), "first")
    before = contents(folder / "ddpg")

    writer = RecordWriter(folder / "by_hand.partial", CONFIGS["by_hand"])
    train(CONFIGS["by_hand"], writer, on_log=writer.log)  # as if interrupted at its end
    assert set(read_study(folder)) == {"ddpg"}
    run_study(folder, CONFIGS, "second", progress=True)
    assert contents(folder / "ddpg") == before
    assert "[1/2] ddpg: finished before, skipped" in capsys.readouterr().err
    assert read_record(folder / "by_hand").steps.tolist() == [15, 30]  # not four evaluations
    assert not (folder / "by_hand.partial").exists()
    assert (folder / "command.txt").read_text() == "first\nsecond\n"


def test_an_interrupted_study_goes_on_where_it_was(tmp_path, monkeypatch):
    from dpgcourse.lab import study

    def interrupted(config, *args, **kwargs):
        if config.method == "by_hand":
            raise KeyboardInterrupt
        return train(config, *args, **kwargs)

    monkeypatch.setattr(study, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_study(tmp_path, CONFIGS, "the command")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"command.txt", "ddpg", "by_hand.partial"}
    monkeypatch.undo()
    run_study(tmp_path, CONFIGS, "the command")
    assert set(read_study(tmp_path)) == set(CONFIGS)


def test_other_settings_under_the_same_name_are_refused(tmp_path):
    run_study(tmp_path, variants(BASE, ["ddpg"]), "first")
    before = contents(tmp_path)
    other = dataclasses.replace(BASE, eval_episodes=2)
    with pytest.raises(ValueError, match="ddpg' was made otherwise: eval_episodes is 2, there 1"):
        run_study(tmp_path, variants(other, ["by_hand", "ddpg"]), "second")
    assert contents(tmp_path) == before


def test_a_folder_that_is_no_study_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="which is no study"):
        run_study(tmp_path, CONFIGS, "the command")
    with pytest.raises(ValueError, match="is no study: command.txt is missing"):
        read_study(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_variant_that_diverges_is_kept_as_partial_and_the_others_go_on(tmp_path):
    configs = variants(BASE, ["ddpg"], ["critic_lr=1e30,1e-3"])
    (failure,) = run_study(tmp_path, configs, "the command")
    assert failure.startswith("ddpg-critic_lr=1e+30: the ")
    assert set(read_study(tmp_path)) == {"ddpg-critic_lr=0.001"}
    assert (tmp_path / "ddpg-critic_lr=1e+30.partial" / "config.json").exists()
