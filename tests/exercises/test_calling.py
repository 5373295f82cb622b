"""A reader's function may do anything: the checker survives it and says what happened."""

import contextlib
import sys
import threading
import time

import numpy as np
import pytest

from dpgcourse.exercises import calling
from dpgcourse.exercises.calling import call


def test_the_value_is_returned():
    assert call(lambda x, y: x + y, 1, np.array([2.0])).value.tolist() == [3.0]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: 1 / 0, "raised ZeroDivisionError: division by zero."),
        (lambda x: x[99], "raised IndexError: index 99 is out of bounds"),
        (lambda x, y: x, "raised TypeError"),
        (lambda x: sys.exit("bye"), "raised SystemExit: bye."),
        (lambda x: exec("raise KeyboardInterrupt"), "raised KeyboardInterrupt."),
        (lambda x: (lambda f: f(f))(lambda f: f(f)), "raised RecursionError"),
    ],
)
def test_what_a_function_raises_is_said(function, words):
    outcome = call(function, np.zeros(2))
    assert outcome.value is None
    assert words in outcome.problem


def endless():
    while True:
        pass


def stubborn():
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(0.01)


@pytest.mark.parametrize("function", [endless, stubborn, lambda: time.sleep(60)])
def test_an_endless_function_is_stopped(function):
    before = time.monotonic()
    outcome = call(function, seconds=0.2)
    assert "takes too long" in outcome.problem
    assert time.monotonic() - before < 20  # of 60, on any machine


def test_an_endless_loop_leaves_no_thread(monkeypatch):
    monkeypatch.setattr(calling, "GRACE", 20)
    before = threading.active_count()
    call(endless, seconds=0.1)
    assert threading.active_count() == before


@pytest.mark.parametrize("given", [np.ones(3), [1, 2, 3]])
def test_changed_inputs_are_noticed_and_not_changed(given):
    def changes(x):
        x[0] = 7
        return x

    assert "changes its inputs" in call(changes, given).problem
    assert given[0] == 1


def test_a_changed_tensor_is_noticed():
    torch = pytest.importorskip("torch")
    given = torch.ones(3)
    assert "changes its inputs" in call(lambda x: x.mul_(2), given).problem
    assert given.tolist() == [1, 1, 1]


def test_a_not_a_number_among_the_inputs_is_no_change():
    assert call(lambda x: 1.0, np.array([np.nan])).problem == ""
