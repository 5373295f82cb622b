"""The rules name every bug of the shipped runs, seed by seed, and leave the healthy ones alone."""

from pathlib import Path

import numpy as np
import pytest

from dpgcourse.agents.faulty import FAULTY_AGENTS
from dpgcourse.analysis import diagnosis, sanity_checks
from dpgcourse.training.record import read_record

RESULTS = Path(__file__).resolve().parents[2] / "results"
NAMES = ["ddpg", *FAULTY_AGENTS]


def evidence_in(folder, healthy):
    checks = sanity_checks.read(folder / "sanity_checks.csv")
    records = {name: healthy if name == "ddpg" else folder / name for name in NAMES}
    return {
        name: diagnosis.evidence(read_record(path).log, checks[name])
        for name, path in records.items()
    }


@pytest.fixture(scope="module")
def evidence():
    return evidence_in(RESULTS / "bugs", RESULTS / "ddpg-pendulum")


@pytest.fixture(scope="module")
def fresh():
    return evidence_in(RESULTS / "bugs-fresh-seeds", RESULTS / "bugs-fresh-seeds" / "ddpg")


@pytest.mark.parametrize("name", NAMES)
def test_every_seed_is_named(name, evidence):
    assert diagnosis.diagnose(evidence[name]) == [name] * 10


@pytest.mark.parametrize("name", NAMES)
def test_every_seed_that_the_rules_had_not_seen_is_named(name, fresh):
    found = diagnosis.diagnose(fresh[name])
    assert found.count(name) >= (9 if name == "target-critic-in-actor" else 10)


@pytest.mark.parametrize(
    ("quantity", "value"),
    [
        ("actor_change", 0.0),
        ("saturation", 1.0),
        ("gap_size", 300.0),
        ("lag", 0.0),
        ("explained", 5.0),
    ],
)
def test_what_has_no_name_is_caught(quantity, value, evidence, fresh):
    for healthy in (evidence["ddpg"], fresh["ddpg"]):
        ill = {**healthy, quantity: np.full(10, value)}
        assert diagnosis.diagnose(ill) == ["unnamed"] * 10
        for rule in diagnosis.CATCH_ALL:
            assert not rule.fires(healthy).any()


def test_an_actor_that_does_not_move_is_not_said_to_descend(evidence):
    still = {
        **evidence["ddpg"],
        "actor_change": np.zeros(10),
        "uphill": np.zeros(10),  # no improvement is above 0
    }
    assert diagnosis.diagnose(still) == ["unnamed"] * 10


@pytest.mark.parametrize("rule", diagnosis.RULES, ids=lambda rule: rule.bug)
def test_a_limit_lies_well_between_the_sick_and_the_healthy(rule, evidence):
    sick, well = (evidence[name][rule.quantity] for name in (rule.bug, diagnosis.HEALTHY))
    nearest_sick = sick.max() if rule.below else sick.min()
    nearest_well = well.min() if rule.below else well.max()
    assert (nearest_sick < rule.limit) == rule.below
    for near in (nearest_sick, nearest_well):
        large, small = max(abs(near), rule.limit), min(abs(near), rule.limit)
        assert large > 1.2 * small


def test_there_is_one_rule_for_each_bug():
    assert sorted(rule.bug for rule in diagnosis.RULES) == sorted(FAULTY_AGENTS)


def test_the_first_rule_that_fires_names_each_seed():
    rules = (*diagnosis.RULES, *diagnosis.CATCH_ALL)
    calm = {rule.quantity: rule.limit + (1 if rule.below else -1) for rule in rules}
    calm |= {"lag": 0.1, "explained": 20.0}  # two rules each
    values = {quantity: np.full(3, value) for quantity, value in calm.items()}
    assert diagnosis.diagnose(values) == ["ddpg"] * 3
    for rule, seed in ((rules[4], 1), (rules[2], 2), (rules[7], 2)):
        values[rule.quantity][seed] = rule.limit + (-1 if rule.below else 1)
    assert diagnosis.diagnose(values) == ["ddpg", rules[4].bug, rules[2].bug]
    assert diagnosis.first_rules(values) == [None, rules[4], rules[2]]


def test_evidence_is_taken_from_the_last_three_evaluations():
    names = (
        "q_std",
        "td_error_rms",
        "target_lag",
        "critic_change",
        "policy_improvement",
        "terminal_fraction",
        "value_gap",
    )
    log = {name: np.array([[9.0], [9.0], [1.0], [2.0], [3.0]]) for name in names}
    log["td_error_rms"] = log["td_error_rms"] * 4
    log["policy_improvement"][0] = -1
    log["value_gap"] *= -1  # a critic that is too low is as wrong as one that is too high
    found = diagnosis.evidence(
        log, {"bandit_slope": np.array([1.5]), "bandit_slope_slow_targets": np.array([0.9])}
    )
    assert found["terminal_fraction"] == 2
    assert found["explained"] == 0.25
    assert found["lag"] == 1 and found["gap_size"] == 2
    assert found["uphill"] == 0.8
    assert found["slope_error"] == 0.5
    assert np.isclose(found["slope_error_slow_targets"], 0.1)
