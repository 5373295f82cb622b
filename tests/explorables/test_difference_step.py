"""The numbers of ``difference_step`` against appendix 2's formulas, in more digits than it has."""

import re

import mpmath
import numpy as np
import pytest
import sympy as sp

from dpgcourse.gradient.derivative_checks import complex_step
from tests.explorables.node import call, call_each

PARAMS = {"s": 2.0, "u": 0.5, "w": 1.5}
METHODS = ("forward", "central", "complex")
STEPS = [10.0**k for k in np.arange(-16, 0.01, 0.25)]
EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23}


def ell(u):
    return -((np.tanh(u * 2.0) - 3.0) ** 2)


SLOPE = float(complex_step(ell, 0.5))


def many_digits(method, h):
    """The quotient with 60 digits."""
    with mpmath.workdps(60):
        h, u = mpmath.mpf(h), mpmath.mpf(0.5)

        def value(v):
            return -((mpmath.tanh(2 * v) - 3) ** 2)

        if method == "complex":
            return float((value(u + 1j * h) / h).imag)
        if method == "forward":
            return float((value(u + h) - value(u)) / h)
        return float((value(u + h) - value(u - h)) / (2 * h))


def test_the_derivatives_are_those_of_computer_algebra():
    x = sp.Symbol("x")
    formula = -((sp.tanh(2 * x) - 3) ** 2)
    expected = [float(formula.diff(x, k).subs(x, 0.5)) for k in range(4)]
    assert call("difference_step", "derivatives", PARAMS) == pytest.approx(expected, rel=1e-13)
    assert expected[1] == pytest.approx(SLOPE, rel=1e-14)


@pytest.mark.parametrize("method", METHODS)
def test_the_exact_quotient_has_fifteen_digits(method):
    found = call_each("difference_step", "exactQuotient", [[method, h, PARAMS] for h in STEPS])
    expected = [many_digits(method, h) for h in STEPS]
    np.testing.assert_allclose(found, expected, rtol=1e-15 * 3)


@pytest.mark.parametrize("method", METHODS)
def test_the_model_of_truncation_is_its_size_for_small_steps(method):
    small = [h for h in STEPS if 1e-4 < h < 1e-2]
    calls = [[method, "float64", h, PARAMS] for h in small]
    model = [part["truncation"] for part in call_each("difference_step", "modelErrors", calls)]
    exact = [abs(many_digits(method, h) / SLOPE - 1) for h in small]
    np.testing.assert_allclose(model, exact, rtol=0.02)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("precision", EPSILON)
def test_the_computed_error_stays_below_five_times_the_model(method, precision):
    calls = [[method, precision, h, PARAMS] for h in STEPS]
    computed = np.array(call_each("difference_step", "quotient", calls))
    model = call_each("difference_step", "modelErrors", calls)
    total = np.array([part["truncation"] + part["rounding"] for part in model])
    error = np.abs(computed / SLOPE - 1)
    small = np.array(STEPS) < 0.1  # Taylor's formula holds
    assert (error[small] < 5 * total[small]).all()
    if method != "complex":
        assert np.median(error[:8]) > 500 * error.min()  # a short step is worse
    assert error.min() < 50 * total.min()


@pytest.mark.parametrize("method", ["forward", "central"])
def test_float32_is_that_of_numpy(method):
    one = np.float32

    def value(v):
        return -((np.tanh(one(v * one(2))) - one(3)) ** 2)

    u, steps = one(0.5), [h for h in STEPS if 1e-5 < h < 0.5]
    found = call_each(
        "difference_step", "quotient", [[method, "float32", h, PARAMS] for h in steps]
    )
    for h, quotient in zip(map(one, steps), found, strict=True):
        left, width = (u - h, one(2) * h) if method == "central" else (u, h)
        expected = (value(u + h) - value(left)) / width
        # NumPy's tanh may differ in its last digit
        assert quotient == pytest.approx(float(expected), abs=6 * EPSILON["float32"] / float(h))
        assert one(quotient) == quotient


def test_a_lost_step_gives_zero():
    assert call("difference_step", "quotient", "central", "float32", 1e-9, PARAMS) == 0


def test_right_digits_are_counted_from_the_error():
    found = call_each("difference_step", "rightDigits", [[2e-9], [-0.3], [1.0], [0.0], [50.0]])
    assert found == [8, 0, 0, 15, 0]


@pytest.mark.parametrize("first", [0.0, 1e-17, -3.96e-9, 0.9999, 1.24])
def test_the_sum_adds_up_as_it_is_shown(first):
    for second in (0.0, -2.2e-16, 3.951e-8, -1.0):
        text = call("difference_step", "sumInWords", first, second).replace("−", "-")
        a, sign, b, total = re.fullmatch(
            r"\((-?[\d.]+) ([+-]) ([\d.]+)\)(?: × 10\S+)? = (-?[\d.]+)(?: × 10\S+)?", text
        ).groups()
        assert float(a) + float(sign + b) == pytest.approx(float(total), abs=1e-9)
