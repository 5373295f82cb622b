"""Checkers of the book's exercises, which say which mistake was made.

    from dpgcourse.exercises import check

    check("chain-bent", actor_slope)             # a function
    check("composite-negative", a=-2, Q=-2.25)   # numbers or choices, by name

A checker runs a function on several inputs, says what it verified, or names the mistake and shows
an input with what was expected and received. It does not know the book's solution.
"""

import importlib
from collections.abc import Iterator
from typing import Any

from dpgcourse.errors import InvalidInputError
from dpgcourse.exercises.exercise import Exercise, FunctionExercise
from dpgcourse.exercises.verdict import Verdict

__all__ = ["Verdict", "check", "find", "labels"]

# First word of a label -> module. A module holds the exercises of a chapter, in the book's order.
CHAPTERS = {
    "composite": "ch01_composite",
    "chain": "ch02_chain_rule",
    "jac": "ch03_jacobians",
    "step": "ch04_actor_step",
    "critic": "ch05_critic",
    "theorem": "ch06_theorem",
    "lqr": "ch07_lqr",
    "offpolicy": "ch08_off_policy",
    "mech": "ch09_mechanisms",
    "hand": "ch10_by_hand",
    "ddpg": "ch11_ddpg",
    "compare": "ch12_comparing_agents",
    "fails": "ch13_when_it_fails",
    "beyond": "ch14_beyond",
    "real": "ch15_real_task",
}


def check(exercise: str, *answer: Any, **answers: Any) -> Verdict:
    """Check an answer to an exercise.

    Args:
        exercise: label of the exercise, such as ``"chain-bent"``.
        answer: the function that the exercise asks for, or
        answers: the numbers or choices that it asks for, by name.

    Returns:
        A verdict: true if the answer is right. Jupyter shows it as a card.

    Raises:
        InvalidInputError: there is no such exercise.
    """
    number, found = find(exercise)
    title = f"Exercise {number} ({exercise})"
    if isinstance(found, FunctionExercise):
        if len(answer) != 1 or answers:
            text = f"This exercise asks for {found.call_text} and nothing else."
            return Verdict(title, False, text)
        return found.judge(title, answer[0])
    if answer:
        text = f"Pass the values by name: {found.call_text}"
        return Verdict(title, False, text)
    return found.judge(title, **answers)


def find(label: str) -> tuple[str, Exercise]:
    """Number and definition of an exercise, such as ``"2.1"``.

    Raises:
        InvalidInputError: there is no such exercise.
    """
    for number, exercise in _of_module(module_of(label)):
        if exercise.label == label:
            return number, exercise
    raise _unknown(label)


def module_of(label: str) -> str:
    """The module that an exercise with this label stands in, such as ``"ch02_chain_rule"``.

    Raises:
        InvalidInputError: no chapter has labels with this first word.
    """
    module = CHAPTERS.get(label.partition("-")[0])
    if module is None:
        raise _unknown(label)
    return module


def _unknown(label: str) -> InvalidInputError:
    return InvalidInputError(f"exercise is {label!r}; allowed: {', '.join(labels())}")


def labels() -> Iterator[str]:
    """The labels of all exercises, chapter by chapter."""
    for module in CHAPTERS.values():
        yield from (exercise.label for _, exercise in _of_module(module))


def _of_module(module: str) -> Iterator[tuple[str, Exercise]]:
    """Number and definition of each exercise of a chapter."""
    chapter = int(module[2:4])
    exercises = importlib.import_module(f"dpgcourse.exercises.{module}").EXERCISES
    for position, exercise in enumerate(exercises, start=1):
        yield f"{chapter}.{position}", exercise
