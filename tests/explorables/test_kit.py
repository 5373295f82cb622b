import math

import pytest

from tests.explorables.node import call


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(-0.001, 2, "0.00"), (-1.5, 2, "−1.50"), (2, 0, "2"), (None, 2, "–")],
)
def test_numbers_are_shown_with_a_real_minus_and_never_as_minus_zero(value, digits, text):
    assert call("numbers", "fixed", value, digits) == text


def test_a_product_multiplies_as_it_is_shown():
    assert call("numbers", "product", [0.063, 2.0]) == "0.06 × 2.00 = 0.12"
    assert call("numbers", "product", [-4.0, 2.0]) == "−4.00 × 2.00 = −8.00"


@pytest.mark.parametrize(("low", "high"), [(-1, 7), (-18, 4), (0, 1e-6), (-0.3, 0.31), (0, 12345)])
def test_ticks_are_few_round_and_inside(low, high):
    found = call("numbers", "ticks", low, high)
    assert 3 <= len(found) <= 6
    assert all(low - 1e-12 <= x <= high + 1e-12 for x in found)
    step = found[1] - found[0]
    assert step / 10 ** math.floor(math.log10(step) + 1e-9) == pytest.approx(1) or round(
        step / 10 ** math.floor(math.log10(step) + 1e-9), 6
    ) in (2, 5)
