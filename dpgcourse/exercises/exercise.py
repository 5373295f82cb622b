"""Exercises that check an answer: a function of the reader, or numbers and choices.

A checker never runs the book's solution. It compares the answer with another route to the same
values, and then with what classic mistakes would give.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dpgcourse.exercises.calling import SECONDS, Outcome, call
from dpgcourse.exercises.verdict import Verdict, shown

Cases = Callable[[np.random.Generator], Sequence[tuple]]


@dataclass(frozen=True)
class Mistake:
    """A classic mistake.

    Attributes:
        hint: one sentence that names the mistake.
        gives: what an answer with this mistake returns, called as the answer is.
    """

    hint: str
    gives: Callable[..., Any]


@dataclass(frozen=True)
class FunctionExercise:
    """An exercise that asks for a function.

    Attributes:
        label: as in the book, without "ex-".
        name: of the function.
        parameters: of the function, in order; of `use` if there is one.
        cases: draws the arguments of several calls.
        right: the right value, by another route than the book's solution.
        checked: what a pass has verified.
        mistakes: those that are recognized, the likeliest first.
        use: calls the answer with the arguments of a case and returns the value to be compared.
        prepare: loads what an answer loads at its first call, before its time is measured.
        rtol: relative error that is allowed; 1e-4 for answers in single precision.
        atol: absolute error that is allowed.
        called: how the text calls it, if it is not called with the parameters, as a class is.
    """

    label: str
    name: str
    parameters: tuple[str, ...]
    cases: Cases
    right: Callable[..., Any]
    checked: str
    mistakes: Sequence[Mistake] = ()
    use: Callable[..., Any] = lambda answer, *case: answer(*case)
    prepare: Callable[[], None] = lambda: None
    rtol: float = 1e-6
    atol: float = 1e-8
    called: str = ""

    @property
    def call_text(self) -> str:
        """The function as it is called in the text, such as ``slope(s, u)``."""
        return self.called or f"{self.name}({', '.join(self.parameters)})"

    def judge(self, title: str, answer: Any) -> Verdict:
        """Judge a function."""
        if not callable(answer):
            text = f"This exercise asks for {self.call_text}. Pass {self.name} without parentheses."
            return Verdict(title, False, text, (("received", shown(answer)),))

        self.prepare()

        def evaluate(case: tuple, seconds: float) -> Outcome:
            return call(lambda *c: self.use(answer, *c), *case, seconds=seconds)

        return self.judge_values(title, evaluate)

    def judge_values(self, title: str, evaluate: Callable[[tuple, float], Outcome]) -> Verdict:
        """Judge what a function returns, wherever it is called.

        Args:
            title: number and name of the exercise.
            evaluate: calls the function with the arguments of a case, for so many seconds.
        """
        cases = list(self.cases(np.random.default_rng(0)))
        received: list[np.ndarray] = []
        end = time.monotonic() + SECONDS
        for case in cases:
            outcome = evaluate(case, max(end - time.monotonic(), 0.1))
            problem, value = outcome.problem, outcome.value
            if not problem:
                problem, value = as_array(value)
            if problem:
                return Verdict(title, False, problem, self._inputs(case))
            received.append(value)
        expected = [as_array(self.right(*case))[1] for case in cases]
        wrong = [i for i in range(len(cases)) if not self._close(received[i], expected[i])]
        if not wrong:
            return Verdict(title, True, f"Checked: {self.checked}.")
        first = wrong[0]
        pairs = [*self._inputs(cases[first]), ("expected", shown(expected[first]))]
        pairs.append(("received", shown(received[first])))
        hint = self._recognized(cases, received) or _general_hint(received, expected)
        return Verdict(title, False, hint or "The value is wrong for this input.", tuple(pairs))

    def _inputs(self, case: tuple) -> tuple[tuple[str, str], ...]:
        return tuple((n, shown(v)) for n, v in zip(self.parameters, case, strict=False))

    def _close(self, one: np.ndarray, other: np.ndarray) -> bool:
        if one.shape != other.shape:
            return False
        rtol = max(self.rtol, 1e-4) if one.dtype.itemsize < 8 else self.rtol
        return np.allclose(one, other, rtol=rtol, atol=max(self.atol, rtol * 1e-2))

    def _recognized(self, cases: list[tuple], received: list[np.ndarray]) -> str:
        """The hint of the first mistake that gives the values received, for every input."""
        for mistake in self.mistakes:
            for case, value in zip(cases, received, strict=True):
                problem, given = as_array(mistake.gives(*case))
                if problem or not self._close(value, given):
                    break
            else:
                return mistake.hint
        return ""


@dataclass(frozen=True)
class Asked:
    """A number or a choice that an exercise asks for.

    Attributes:
        right: the right number, or the right one of the choices.
        wrong: wrong values, and what each of them says about the mistake.
        rtol: relative error that is allowed for a number.
    """

    right: float | str
    wrong: Mapping[float | str, str] = field(default_factory=dict)
    rtol: float = 1e-3

    @property
    def choices(self) -> list[str]:
        """What may be chosen, in alphabetical order; empty for a number."""
        if not isinstance(self.right, str):
            return []
        return sorted({self.right, *(str(x) for x in self.wrong)})

    def problem(self, name: str, value: Any) -> str:
        """What is wrong with a value, as a sentence; empty if nothing is."""
        if value is None or value is ...:
            return f"{name} has no value yet."
        if self.choices:
            if not isinstance(value, str) or value not in self.choices:
                return f"{name} is {shown(value)}; allowed: {', '.join(map(repr, self.choices))}."
            return "" if value == self.right else self.wrong[value]
        trouble, number = as_array(value)
        if trouble or number.size != 1:
            return f"{name} is {shown(value)}; a single number is asked for."
        number = number.reshape(()).astype(float)
        right = float(self.right)
        if np.isclose(number, right, rtol=self.rtol, atol=1e-9):
            return ""
        for wrong, hint in self.wrong.items():
            if np.isclose(number, float(wrong), rtol=self.rtol, atol=1e-9):
                return hint
        if right and np.isclose(number, -right, rtol=self.rtol):
            return f"{name} has the right size and the wrong sign."
        return f"{name} is not {shown(float(number))}."


@dataclass(frozen=True)
class AnswersExercise:
    """An exercise that asks for numbers or choices, each with a name.

    Attributes:
        label: as in the book, without "ex-".
        asked: name -> what is asked for.
        checked: what a pass has verified.
    """

    label: str
    asked: Mapping[str, Asked]
    checked: str

    @property
    def call_text(self) -> str:
        """The names, as they are passed to `check`."""
        return ", ".join(f"{name}=" for name in self.asked)

    def judge(self, title: str, **answers: Any) -> Verdict:
        """Judge numbers and choices, given by name."""
        unknown = set(answers) - set(self.asked)
        missing = [name for name in self.asked if name not in answers]
        if unknown or missing:
            text = f"This exercise asks for {', '.join(self.asked)}."
            return Verdict(title, False, text, (("received", ", ".join(answers) or "nothing"),))
        problems = {name: x.problem(name, answers[name]) for name, x in self.asked.items()}
        if not any(problems.values()):
            return Verdict(title, True, f"Checked: {self.checked}.")
        wrong = [name for name, text in problems.items() if text]
        given = [name for name in wrong if answers[name] is not None and answers[name] is not ...]
        pairs = tuple((name, shown(answers[name])) for name in given)
        return Verdict(title, False, " ".join(text for text in problems.values() if text), pairs)


Exercise = FunctionExercise | AnswersExercise


def as_array(value: Any) -> tuple[str, np.ndarray]:
    """A problem, empty if there is none, and the value as an array of finite numbers."""
    nothing = np.empty(0)
    if value is None:
        return "Your function returns None. Does it end with a return statement?", nothing
    if value is ...:
        return "Your function still holds the three dots.", nothing
    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu().numpy()
        elif isinstance(value, (tuple, list)):
            value = [x.detach().cpu().numpy() if hasattr(x, "detach") else x for x in value]
        array = np.asarray(value)
    except Exception:  # a ragged list, or the reader's own class
        return "Your function returns values of different shapes, or no numbers.", nothing
    if array.dtype.kind not in "biuf":
        return f"Your function returns {shown(value)}; numbers are asked for.", nothing
    if not np.isfinite(array.astype(float)).all():
        return "Your function returns a number that is not finite.", nothing
    return "", array if array.dtype.kind == "f" else array.astype(float)


def _general_hint(received: list[np.ndarray], expected: list[np.ndarray]) -> str:
    """Mistakes that look the same in every exercise."""
    pairs = list(zip(received, expected, strict=True))
    if any(x.shape != y.shape for x, y in pairs):
        if all(x.shape == y.T.shape and np.allclose(x, y.T) for x, y in pairs):
            return "The values are right, and the table is transposed."
        if all(x.size == y.size and np.allclose(x.ravel(), y.ravel()) for x, y in pairs):
            shapes = next((x.shape, y.shape) for x, y in pairs if x.shape != y.shape)
            return f"The values are right, and the shape is {shapes[0]} in place of {shapes[1]}."
        shapes = next((x.shape, y.shape) for x, y in pairs if x.shape != y.shape)
        return f"Your function returns the shape {shapes[0]}; {shapes[1]} is asked for."
    one, other = (np.concatenate([x.ravel() for x in side]) for side in (received, expected))
    if other.any() and np.allclose(one, -other, rtol=1e-5):
        return "The size is right, and the sign is wrong everywhere."
    if one.any() and other.any():
        factor = one @ other / (other @ other)
        if np.allclose(one, factor * other, rtol=1e-5, atol=1e-9):
            return f"Every value is {factor:.4g} times what it should be."
    if all(x.ndim == 1 and np.allclose(x, y[::-1]) for x, y in pairs):
        return "The values are right, and in the reverse order."
    if all(x.ndim == 2 and x.shape[0] == x.shape[1] and np.allclose(x, y.T) for x, y in pairs):
        return "The values are right, and the table is transposed."
    if len(pairs) > 1 and all(np.array_equal(x, received[0]) for x in received[1:]):
        return "Your function returns the same for every input."
    return _wrong_entries(received, expected)


def _wrong_entries(received: list[np.ndarray], expected: list[np.ndarray]) -> str:
    """Which entries of a vector are wrong, if others are right for every input."""
    if received[0].ndim != 1 or len({x.shape for x in received}) != 1:
        return ""
    right = np.isclose(received, expected, rtol=1e-5, atol=1e-8).all(0)
    if not right.any():
        return ""
    places = ", ".join(str(i) for i in np.flatnonzero(~right))
    return f"Wrong in entry {places} (counted from 0); the others are right."
