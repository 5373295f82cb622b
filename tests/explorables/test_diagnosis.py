import json

import numpy as np
import pytest

from dpgcourse import read_record, results_path
from dpgcourse.analysis import diagnosis, sanity_checks
from dpgcourse.figures import patients
from tests.explorables.node import call


@pytest.fixture(scope="module")
def game():
    probed = sanity_checks.read(results_path("bugs") / "sanity_checks.csv")["ddpg"]
    healthy = read_record(results_path("ddpg-pendulum"))
    return patients.game(healthy, probed, results_path("bugs-fresh-seeds"))


@pytest.fixture(scope="module")
def instruments(game):
    return {x["bug"]: call("diagnosis", "instrumentOf", x) for x in game["rules"]}


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
def test_only_the_right_guess_is_right_and_every_answer_names_what_shows_it(game, instruments, i):
    patient = game["patients"][i]
    for guess in [diagnosis.HEALTHY, *game["mistakes"]]:
        verdict = call("diagnosis", "judge", patient, guess, game["rules"])
        assert verdict["right"] == (guess == patient["bug"])
        assert instruments.get(guess, "") in verdict["why"]
        assert not any(word in verdict["why"] for word in ("NaN", "undefined", "null"))


def test_every_rule_has_an_instrument_on_the_page(game, instruments):
    assert set(instruments.values()) <= set(game["bands"]) - {"return"}
