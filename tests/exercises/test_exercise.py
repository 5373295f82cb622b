"""How answers are judged, whatever the exercise."""

import numpy as np
import pytest

from dpgcourse.errors import InvalidInputError
from dpgcourse.exercises import check, find, labels
from dpgcourse.exercises.exercise import AnswersExercise, Asked, FunctionExercise, Mistake
from dpgcourse.exercises.verdict import Verdict, shown

TABLE = FunctionExercise(
    label="test-table",
    name="outer",
    parameters=("x", "y"),
    cases=lambda rng: [(rng.normal(size=m), rng.normal(size=m)) for m in (2, 3, 1)],
    right=lambda x, y: x[:, None] * y,
    checked="three pairs",
    mistakes=(Mistake("The entries are added, not multiplied.", lambda x, y: x[:, None] + y),),
)
NUMBERS = AnswersExercise(
    label="test-numbers",
    asked={"value": Asked(2.5, {5: "Halve it."}), "word": Asked("yes", {"no": "It does."})},
    checked="both",
)


class Silent:
    def __repr__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x, y: x[:, None] + y, "added, not multiplied"),
        (lambda x, y: -np.outer(x, y), "sign is wrong everywhere"),
        (lambda x, y: np.outer(x, y) / 2, "0.5 times what it should be"),
        (lambda x, y: np.outer(y, x), "transposed"),
        (lambda x, y: np.outer(x, y).ravel(), "the shape is (4,) in place of (2, 2)"),
        (lambda x, y: x @ y, "returns the shape (); (2, 2) is asked for"),
        (lambda x, y: np.ones((len(x), len(x))), "wrong for this input"),
        (lambda x, y: None, "returns None"),
        (lambda x, y: ..., "three dots"),
        (lambda x, y: "a table", "numbers are asked for"),
        (lambda x, y: [[1.0], [1.0, 2.0]], "different shapes, or no numbers"),
        (lambda x, y: np.outer(x, y) * np.nan, "not finite"),
        (lambda x, y: np.outer(x, y) + 1j, "numbers are asked for"),
        (lambda x, y: Silent(), "numbers are asked for"),
        (lambda x: x, "raised TypeError"),
        (np.outer(np.ones(2), np.ones(2)), "Pass outer without parentheses"),
    ],
)
def test_a_wrong_function_is_told_what_is_wrong(answer, words):
    verdict = TABLE.judge("Exercise 0", answer)
    assert not verdict
    assert words in verdict.message


@pytest.mark.parametrize(
    "answer",
    [
        np.outer,
        lambda x, y: [[a * b for b in y] for a in x],
        lambda x, y: np.outer(x, y).astype(np.float32),
        lambda x, y: np.outer(x, y) + 1e-12,
    ],
)
def test_right_functions_pass(answer):
    verdict = TABLE.judge("Exercise 0", answer)
    assert verdict.passed
    assert str(verdict) == "Exercise 0: right.\nChecked: three pairs."


def test_a_rejected_function_is_shown_an_input():
    details = dict(TABLE.judge("Exercise 0", lambda x, y: -np.outer(x, y)).details)
    assert list(details) == ["x", "y", "expected", "received"]


def test_a_constant_function_is_told_so():
    one = FunctionExercise(
        "test-one", "f", ("x",), lambda rng: [(1.0,), (2.0,)], lambda x: x, "two numbers"
    )
    assert "the same for every input" in one.judge("", lambda x: 5.0).message


def test_wrong_entries_are_named():
    line = FunctionExercise(
        "test-line", "f", ("x",), lambda rng: [(1.0,), (2.0,)], lambda x: [x, 2 * x, 3 * x], "two"
    )
    assert "Wrong in entry 1 (counted from 0)" in line.judge("", lambda x: [x, x, 3 * x]).message
    assert "reverse order" in line.judge("", lambda x: [3 * x, 2 * x, x]).message


def test_an_endless_function_takes_no_longer_for_many_inputs(monkeypatch):
    monkeypatch.setattr("dpgcourse.exercises.exercise.SECONDS", 0.3)

    def endless(x, y):
        while True:
            pass

    assert "takes too long" in TABLE.judge("", endless).message


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"value": 5, "word": "yes"}, "Halve it."),
        ({"value": -2.5, "word": "yes"}, "value has the right size and the wrong sign."),
        ({"value": 7, "word": "yes"}, "value is not 7."),
        ({"value": 2.5, "word": "no"}, "It does."),
        ({"value": 2.5, "word": np.array(["no", "yes"])}, "allowed: 'no', 'yes'."),
        ({"value": 2.5, "word": 3}, "word is 3; allowed: 'no', 'yes'."),
        ({"value": 2.5, "word": "maybe"}, "word is 'maybe'; allowed: 'no', 'yes'."),
        ({"value": ..., "word": "yes"}, "value has no value yet."),
        ({"value": None, "word": ...}, "value has no value yet. word has no value yet."),
        ({"value": "2.5", "word": "yes"}, "a single number is asked for"),
        ({"value": [1, 2], "word": "yes"}, "a single number is asked for"),
        ({"value": 2.5}, "This exercise asks for value, word."),
        ({"value": 2.5, "word": "yes", "more": 1}, "This exercise asks for value, word."),
    ],
)
def test_wrong_values_are_told_what_is_wrong(answers, words):
    verdict = NUMBERS.judge("Exercise 0", **answers)
    assert not verdict
    assert words in verdict.message


def test_right_values_pass():
    assert NUMBERS.judge("", value=2.5, word="yes")
    assert NUMBERS.judge("", value=np.array([2.501]), word="yes")


def test_the_verdict_never_holds_the_right_number():
    assert "2.5" not in str(NUMBERS.judge("Exercise 0", value=7, word="yes"))


def test_what_is_passed_to_check_is_told():
    assert "asks for actor_slope(s, u) and nothing else" in check("chain-bent").message
    assert "asks for actor_slope(s, u)" in check("chain-bent", slope=3).message
    assert "Pass the values by name" in check("chain-wiggle", 0).message


def test_an_unknown_exercise_is_refused():
    for label in ("chain-nothing", "nothing", ""):
        with pytest.raises(InvalidInputError, match=f"exercise is '{label}'; allowed: composite-"):
            check(label, 1)


def test_labels_are_unique_and_numbered_by_chapter():
    everything = list(labels())
    assert len(set(everything)) == len(everything)
    assert find("chain-three")[0] == "2.2"


def test_a_card_shows_text_as_text():
    verdict = Verdict("Exercise 0", False, "a < b", (("x", "<script>\n2"),))
    card = verdict._repr_html_()
    assert "a &lt; b" in card
    assert "&lt;script&gt;" in card
    assert "<script>" not in card
    assert str(verdict).split("\n")[2:] == ["  x  <script>", "     2"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1 / 3, "0.333333"),
        (np.float64(2), "2"),
        (np.array(2.0), "2"),
        (True, "True"),
        ((1, [2.0, "x"]), "(1, [2, 'x'])"),
        (Silent(), "a Silent whose repr raises RuntimeError"),
    ],
)
def test_values_are_shown_short(value, text):
    assert shown(value) == text


def test_long_values_are_cut():
    assert len(shown("x" * 1000)) == 300
    assert shown(np.zeros((40, 40))).startswith("shape (40, 40)\n")
