"""The numbers of ``ripple`` against the package's regulator and chapter 5's climb."""

import numpy as np
import pytest

from dpgcourse.theory.lqr import LQR
from tests.explorables.node import call, call_each

ONE = [[1.0]]
REGULATOR, K = LQR(A=ONE, B=ONE, M=ONE, R=ONE, gamma=0.9, W=[[0.1]]), np.array([[0.3]])
AT_0, AT_1 = (REGULATOR.dQ_da(K, [1.0], [a])[0] for a in (0.0, 1.0))
TOP = AT_0 / (AT_0 - AT_1)
TASK = {"top": TOP, "best": float(REGULATOR.Q(K, [1.0], [TOP])), "bend": AT_1 - AT_0}
RIPPLE = {"delta": 0.05, "omega": 100}
ACTIONS = np.linspace(-2, 1, 31).tolist()


def test_value_and_slope_are_those_of_the_regulator():
    values = call_each("ripple", "trueValue", [[a, TASK] for a in ACTIONS])
    slopes = call_each("ripple", "trueSlope", [[a, TASK] for a in ACTIONS])
    np.testing.assert_allclose(values, [REGULATOR.Q(K, [1.0], [a]) for a in ACTIONS], rtol=1e-12)
    expected = [REGULATOR.dQ_da(K, [1.0], [a])[0] for a in ACTIONS]
    np.testing.assert_allclose(slopes, expected, rtol=1e-12, atol=1e-12)


def test_the_learned_slope_is_the_slope_of_the_learned_value():
    def each(name, shift=0.0):
        return np.array(call_each("ripple", name, [[a + shift, RIPPLE, TASK] for a in ACTIONS]))

    numeric = (each("learnedValue", 1e-6) - each("learnedValue", -1e-6)) / 2e-6
    np.testing.assert_allclose(each("learnedSlope"), numeric, atol=1e-6)
    values = call_each("ripple", "trueValue", [[a, TASK] for a in ACTIONS])
    assert np.abs(each("learnedValue") - values).max() <= 0.05


def test_the_climb_ends_where_that_of_the_chapter_does():
    a = 0.8
    for _ in range(5000):
        a += 0.001 * (AT_0 + (AT_1 - AT_0) * a + 5 * np.cos(100 * a))
    found = call("ripple", "endOfClimb", 0.8, RIPPLE, TASK)
    assert found == pytest.approx(a, abs=1e-6)
    left, right = call("ripple", "outweighed", RIPPLE, TASK)
    assert left < TOP < found < right < found + 2 * np.pi / 100


@pytest.mark.parametrize("start", [-2.0, -0.637, 0.0, 1.0])
@pytest.mark.parametrize("ripple", [(0.0, 100), (0.2, 0), (0.2, 200), (0.05, 30)])
def test_every_climb_rests_on_a_top_of_the_critic_without_passing_one(start, ripple):
    delta, omega = ripple
    end = call("ripple", "endOfClimb", start, {"delta": delta, "omega": omega}, TASK)

    def slope(a):
        return AT_0 + (AT_1 - AT_0) * a + delta * omega * np.cos(omega * a)

    assert abs(slope(end)) < 1e-3
    between = np.linspace(start, end, 2000)[1:-100]
    assert (np.sign(slope(between)) == np.sign(end - start)).all() or abs(end - start) < 1e-3


def test_half_the_error_at_twice_the_frequency_strands_it_as_early():
    ends = [
        call("ripple", "endOfClimb", 0.8, {"delta": 0.05 / k, "omega": 100 * k}, TASK)
        for k in (1, 2)
    ]
    assert ends[1] == pytest.approx(ends[0], abs=0.05)
