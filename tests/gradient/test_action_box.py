import numpy as np
import pytest

from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.gradient.derivative_checks import central_difference


def test_squash_maps_into_the_box_and_da_dz_is_its_slope():
    rng = np.random.default_rng(2)
    for _ in range(100):
        low = rng.normal(scale=3, size=4)
        high = low + rng.uniform(0.1, 5, size=4)
        box = ActionBox(low, high)
        z = rng.normal(scale=2, size=4)
        a = box.squash(z)
        assert (low < a).all() and (a < high).all()
        np.testing.assert_allclose(
            np.diag(box.da_dz(z)), central_difference(box.squash, z), atol=1e-8
        )
        np.testing.assert_allclose(box.squash(np.full(4, 40.0)), high)
        np.testing.assert_allclose(box.squash(np.full(4, -40.0)), low)


def test_inverting_gradients_scales_by_the_room_left_in_their_direction():
    box = ActionBox([-1.0, 0.0], [3.0, 2.0])
    g = np.array([[2.0, 2.0], [-2.0, -2.0]])
    for a, factors in (
        ([1.0, 1.0], [[0.5, 0.5], [0.5, 0.5]]),  # the middle of the box
        ([3.0, 0.0], [[0.0, 1.0], [1.0, 0.0]]),  # at a bound
        ([4.0, -0.5], [[-0.25, 1.25], [1.25, -0.25]]),  # beyond it
    ):
        np.testing.assert_allclose(box.inverting_gradients(g, a), g * factors)


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        ([1.0], [1.0], r"\[1\.\] and \[1\.\]; allowed: finite, low < high"),
        ([0.0], [np.inf], "allowed: finite"),
        ([np.nan], [1.0], "allowed: finite"),
        ([0.0], [1.0, 2.0], r"low has shape \(1,\), high \(2,\); allowed: both \(m,\)"),
        (0.0, 1.0, r"allowed: both \(m,\)"),
    ],
)
def test_bounds_that_make_no_box_are_refused(low, high, message):
    with pytest.raises(ValueError, match=message):
        ActionBox(low, high)
