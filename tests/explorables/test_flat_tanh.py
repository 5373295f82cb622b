"""The numbers of ``flat_tanh`` against chapter 4's box and its three gradients."""

import numpy as np
import pytest

from dpgcourse.gradient.action_box import ActionBox
from tests.explorables.node import call, call_each

PARAMS = {"low": -2.0, "high": 4.0, "penalty": 0.1, "wrong": 5.0, "favorite": 0.0, "rate": 0.01}
BOX = ActionBox([-2.0], [4.0])
Z = np.linspace(-5, 5, 41)[:, None]  # (B, 1)
REMEDIES, CRITICS = ("none", "penalty", "inverting"), ("right", "wrong")


def slope(z, remedy, critic):
    """As chapter 4's cell computes it, (B, 1)."""
    linear = remedy == "inverting"
    a = BOX.center + BOX.half_range * z if linear else BOX.squash(z)
    g = np.full_like(a, 5.0) if critic == "wrong" else -2 * a
    if linear:
        return BOX.half_range * BOX.inverting_gradients(g, a)
    return BOX.da_dz(z) * g - (0.2 * z if remedy == "penalty" else 0)


@pytest.mark.parametrize("remedy", REMEDIES)
@pytest.mark.parametrize("critic", CRITICS)
def test_the_slope_is_that_of_the_chapter(remedy, critic):
    calls = [[float(z), remedy, critic, PARAMS] for z in Z[:, 0]]
    found = call_each("flat_tanh", "slopeAt", calls)
    np.testing.assert_allclose(found, slope(Z, remedy, critic)[:, 0], rtol=1e-10, atol=1e-12)
    steps = call_each("flat_tanh", "stepFrom", calls)
    np.testing.assert_allclose(steps, Z[:, 0] + 0.01 * np.array(found), rtol=1e-12)


@pytest.mark.parametrize(
    ("remedy", "low", "high"), [("none", 100, 300), ("penalty", 60, 90), ("inverting", 30, 50)]
)
def test_only_tanh_alone_pays_for_a_longer_time_with_the_wrong_critic(remedy, low, high):
    def way_back(pushed):
        z = np.zeros((1, 1))
        for _ in range(pushed):
            z = z + 0.01 * slope(z, remedy, "wrong")
        for count in range(2000):
            a = BOX.center + BOX.half_range * z if remedy == "inverting" else BOX.squash(z)
            if abs(a[0, 0]) < 0.1:
                return count
            z = z + 0.01 * slope(z, remedy, "right")
        raise AssertionError("the action does not come back")

    assert low < way_back(300) < high
    assert (way_back(300) > 2 * way_back(100)) == (remedy == "none")


@pytest.mark.parametrize(
    ("z", "remedy", "text"),
    [
        (3.0, "none", "g × ∂a/∂z = −7.97 × 0.0296 = −0.2359"),
        (3.0, "penalty", "g × ∂a/∂z − 2λz = −7.97 × 0.0296 − 0.20 × 3.00 = −0.8359"),
        (-3.0, "penalty", "g × ∂a/∂z − 2λz = 3.97 × 0.0296 + 0.20 × 3.00 = 0.7175"),
        (1.0, "inverting", "g × H × share = −8.00 × 3.00 × 1.00 = −24.00"),
    ],
)
def test_the_slope_in_words_holds_as_it_is_shown(z, remedy, text):
    assert call("flat_tanh", "slopeInWords", z, remedy, "right", PARAMS) == text
