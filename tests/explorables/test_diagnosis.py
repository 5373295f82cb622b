import json

import numpy as np
import pytest

from dpgcourse import read_record, results_path
from dpgcourse.analysis import diagnosis
from dpgcourse.figures import patients
from tests.explorables.node import call


@pytest.fixture(scope="module")
def game():
    return patients.game(
        read_record(results_path("ddpg-pendulum")), results_path("bugs-fresh-seeds")
    )


def test_the_data_are_small_json_and_the_same_every_time(game):
    text = json.dumps(game, allow_nan=False)
    assert len(text) < 25_000
    assert [(x["bug"], x["seed"]) for x in game["patients"]] == list(patients.PATIENTS)


def test_curves_are_those_on_record(game):
    for patient in game["patients"]:
        record = read_record(results_path("bugs-fresh-seeds") / patient["bug"])
        i = record.config.seeds.index(patient["seed"])
        assert patient["curves"]["return"] == pytest.approx(
            record.returns[:, i].mean(-1), rel=0.006
        )
        for name in patients.LOGGED:
            assert patient["curves"][name] == pytest.approx(record.log[name][:, i], rel=0.006)
        spread = record.log["q_std"][1:, i] / record.log["td_error_rms"][1:, i]
        assert patient["curves"]["explained"][1:] == pytest.approx(spread, rel=0.006)


def test_bands_are_the_range_of_the_healthy_seeds(game):
    gap = read_record(results_path("ddpg-pendulum")).log["value_gap"]
    assert game["bands"]["value_gap"][0] == pytest.approx(gap.min(1), rel=0.006)
    assert game["bands"]["value_gap"][1] == pytest.approx(gap.max(1), rel=0.006)


def test_the_page_names_each_patient_as_the_package_does(game):
    for patient in game["patients"]:
        evidence = {name: np.array([x]) for name, x in patient["evidence"].items()}
        fired = [rule.bug for rule in diagnosis.RULES if rule.fires(evidence)[0]]
        telling = call("diagnosis", "tellingRule", patient, game["rules"]) if fired else None
        assert (telling["bug"] if telling else diagnosis.HEALTHY) == patient["bug"]
        assert [*fired, diagnosis.HEALTHY][0] == patient["bug"]


@pytest.mark.parametrize("i", [1, 3, 4])  # a small symptom; two symptoms; none
def test_only_the_right_guess_is_right_and_every_answer_names_what_shows_it(game, i):
    patient, quantity = game["patients"][i], {x["bug"]: x["quantity"] for x in game["rules"]}
    for guess in [diagnosis.HEALTHY, *game["mistakes"]]:
        verdict = call("diagnosis", "judge", patient, guess, game["rules"], list(quantity.values()))
        assert verdict["right"] == (guess == patient["bug"])
        assert quantity.get(guess, "") in verdict["why"]
        assert not any(word in verdict["why"] for word in ("NaN", "undefined", "null"))


def test_a_wrong_guess_gives_no_reading_of_an_instrument_that_was_not_asked_for(game):
    for patient in game["patients"]:
        for guess in [diagnosis.HEALTHY, *game["mistakes"]]:
            verdict = call("diagnosis", "judge", patient, guess, game["rules"], [])
            assert verdict["right"] or not any(x.isdigit() for x in verdict["why"])


def test_the_alarm_of_an_instrument_is_the_limit_of_its_rule(game):
    assert call("diagnosis", "alarm", "lag", game["rules"]) == "alarm above 1"
    assert call("diagnosis", "alarm", "explained", game["rules"]) == "alarm below 2"


def test_every_rule_has_an_instrument_on_the_page(game):
    logged, probes = call("diagnosis", "LOGGED"), call("diagnosis", "PROBES")
    assert set(logged) == set(game["bands"]) - {"return"}
    assert {x["quantity"] for x in game["rules"]} <= {*logged, *probes}
