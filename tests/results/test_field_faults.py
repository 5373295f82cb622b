"""Every mistake from the field is planted as it says, and the tables hold what was found."""

import csv
import importlib
from pathlib import Path

import numpy as np
import pytest

from dpgcourse.agents.faulty import FIELD_FAULTS
from dpgcourse.analysis import diagnosis
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training import loop
from dpgcourse.training.config import TrainConfig

field_faults = importlib.import_module("results.bugs-field.field_faults")
RESULTS = Path(__file__).resolve().parents[2] / "results"
CONFIG = TrainConfig(num_seeds=2, steps=230, learning_starts=220, eval_episodes=1)
PLANTED = [fault for fault in field_faults.FAULTS if fault not in FIELD_FAULTS]


def stored(fault=None):
    """The transitions that training stores, with a mistake or without."""
    box = ActionBox([-2.0], [2.0])

    def train(state_class):
        with state_class(CONFIG, 3, box) as state:
            while state.step < CONFIG.steps:
                state.advance()
            return state.replay.transitions_at(np.arange(CONFIG.steps))

    if fault is None:
        return train(loop.TrainingState)
    with field_faults.planted(fault):
        return train(loop.TrainingState)


@pytest.fixture(scope="module")
def right():
    return stored()


def test_without_a_mistake_states_follow_each_other(right):
    assert np.array_equal(right.s[:, 1:200], right.s_next[:, :199])
    assert not np.array_equal(right.s[:, 200], right.s_next[:, 199])  # after the time limit
    assert np.abs(right.a).max() > 1.5


def test_an_aliased_state_is_the_next_one(right):
    wrong = stored("aliased-state")
    assert np.array_equal(wrong.s, wrong.s_next)
    before = slice(None), slice(0, 220)  # before learning began, all else is the same
    for name in ("a", "r", "s_next", "terminated"):
        assert np.array_equal(getattr(wrong, name)[before], getattr(right, name)[before])


def test_a_normalized_action_is_half_a_torque(right):
    wrong = stored("normalized-action")
    assert np.allclose(2 * wrong.a[:, :220], right.a[:, :220])
    assert np.array_equal(wrong.s_next[:, :220], right.s_next[:, :220])


def test_after_a_reset_the_next_state_is_the_first_of_the_next_episode(right):
    wrong = stored("state-after-reset")
    assert np.array_equal(wrong.s_next[:, 199], right.s[:, 200])
    others = np.delete(np.arange(220), 199)
    assert np.array_equal(wrong.s_next[:, others], right.s_next[:, others])
    assert np.array_equal(wrong.s[:, :220], right.s[:, :220])


def test_a_large_observation_is_the_speed_times_a_hundred(right):
    wrong = stored("large-observation")
    assert np.allclose(wrong.s[:, :220], right.s[:, :220] * [1, 1, 100])
    assert np.array_equal(wrong.r[:, :220], right.r[:, :220])


def test_a_large_reward_is_a_hundred_times_as_large(right):
    wrong = stored("large-reward")
    assert np.allclose(wrong.r[:, :220], 100 * right.r[:, :220])
    assert np.array_equal(wrong.s[:, :220], right.s[:, :220])


@pytest.mark.parametrize("fault", PLANTED)
def test_what_was_planted_is_gone_afterwards(fault, right):
    with field_faults.planted(fault):
        pass
    for a, b in zip(stored(), right, strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize(("folder", "first"), [("bugs-field", 0), ("bugs-field-fresh-seeds", 200)])
def test_a_table_holds_ten_seeds_of_every_mistake_and_all_that_the_rules_ask(folder, first):
    with open(RESULTS / folder / "evidence.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = [(row["fault"], int(row["seed"])) for row in rows]
    assert found == [(f, s) for f in field_faults.FAULTS for s in range(first, first + 10)]
    asked = {rule.quantity for rule in (*diagnosis.RULES, *diagnosis.CATCH_ALL)}
    assert asked <= set(rows[0])
    assert all(np.isfinite(float(row[name])) for row in rows for name in row if name != "fault")
