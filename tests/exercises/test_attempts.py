"""Right answers pass; wrong ones are rejected, and their hint names the mistake."""

import importlib
import pkgutil

import pytest

from dpgcourse.exercises import check, find, labels
from dpgcourse.exercises.exercise import FunctionExercise
from tests.exercises import attempts

MODULES = [
    importlib.import_module(f"tests.exercises.attempts.{module.name}")
    for module in pkgutil.iter_modules(attempts.__path__)
]
RIGHT = [x for module in MODULES for x in module.RIGHT]
WRONG = [x for module in MODULES for x in module.WRONG]


def answered(exercise, answer):
    if isinstance(find(exercise)[1], FunctionExercise):
        return check(exercise, answer)
    return check(exercise, **answer)


@pytest.mark.parametrize("attempt", RIGHT, ids=lambda x: x.exercise)
def test_a_right_answer_passes(attempt):
    verdict = answered(attempt.exercise, attempt.answer)
    assert verdict.passed, str(verdict)


@pytest.mark.parametrize("attempt", WRONG, ids=lambda x: f"{x.exercise}: {x.mistake}")
def test_a_wrong_answer_is_rejected_with_its_own_hint(attempt):
    verdict = answered(attempt.exercise, attempt.answer)
    assert not verdict.passed
    assert attempt.hint in verdict.message


def test_every_exercise_has_two_right_functions_and_wrong_answers():
    for label in labels():
        right = sum(x.exercise == label for x in RIGHT)
        least = 2 if isinstance(find(label)[1], FunctionExercise) else 1
        assert right >= least, f"{label} has {right} right answers"
        assert sum(x.exercise == label for x in WRONG) >= 2, label


def test_nearly_all_hints_are_named():
    assert sum(bool(x.hint) for x in WRONG) >= 0.95 * len(WRONG)
