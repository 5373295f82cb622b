import numpy as np
import pytest

from dpgcourse.theory.lqr import LQR, UnstableGainError
from tests.explorables.node import call

A, B = np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([[0.005], [0.1]])
W = np.array([[0.02, 0.005], [0.005, 0.01]])  # so that no entry of S0 is zero
CART = LQR(A, B, np.diag([1.0, 0.1]), np.array([[0.01]]), gamma=0.98, W=W)
SYSTEM = {name: getattr(CART, name).tolist() for name in "ABMR"}
SYSTEM |= {"gamma": CART.gamma, "S0": (np.eye(2) + 0.98 / 0.02 * W).tolist()}


@pytest.mark.parametrize("K", [(1.0, 1.0), (30.0, 17.0), (16.85, 7.62), (7.24, 4.44)])
def test_a_gain_is_judged_as_by_the_package(K):
    found, gain = call("gain_paths", "gainOf", SYSTEM, K), np.array([K])
    assert found["J"] == pytest.approx(CART.J(gain))
    assert found["gradient"] == pytest.approx(CART.dJ_dK(gain)[0], rel=1e-6)
    assert found["natural"] == pytest.approx(CART.natural_gradient(gain)[0], rel=1e-6)
    assert found["iteration"] == pytest.approx(CART.policy_iteration(gain)[0])
    radius = 0.98**0.5 * np.abs(np.linalg.eigvals(A - B @ gain)).max()
    assert found["radius"] == pytest.approx(radius)


def test_the_region_ends_where_the_package_says():
    random, stable = np.random.default_rng(0), 0
    for K in random.uniform([-4, -1.5], [44, 22], size=(12, 2)):
        found = call("gain_paths", "gainOf", SYSTEM, K.tolist())
        try:
            CART.closed_loop(K[None])
            stable += 1
            assert found["radius"] < 1 and found["J"] is not None
        except UnstableGainError:
            assert found["radius"] >= 1 and found["J"] is None  # −∞ has no place in JSON
    assert 0 < stable < 12


@pytest.mark.parametrize("way", ["gradient", "natural", "iteration"])
def test_a_path_is_that_of_the_package(way):
    path, K = call("gain_paths", "pathOfGains", SYSTEM, (30.0, 17.0), way, 0.5, 20), [30.0, 17.0]
    assert len(path) == 21
    for found in path:
        assert found == pytest.approx(K, rel=1e-6)
        gain = np.array([K])
        slope = CART.dJ_dK(gain) if way == "gradient" else CART.natural_gradient(gain)
        K = (CART.policy_iteration(gain) if way == "iteration" else gain + 0.5 * slope)[0]


def test_a_path_stops_with_the_first_gain_outside_the_region():
    path = call("gain_paths", "pathOfGains", SYSTEM, (30.0, 17.0), "gradient", 10)
    inside = [call("gain_paths", "gainOf", SYSTEM, K)["radius"] < 1 for K in path]
    assert len(path) < 101 and inside == [True] * (len(path) - 1) + [False]


def test_the_cart_moves_as_the_system_says():
    F, s = A - B @ [[7.0, 4.0]], np.array([1.0, 0.0])
    for found in call("gain_paths", "positions", SYSTEM, (7.0, 4.0), 30):
        assert found == pytest.approx(s[0])
        s = F @ s


def test_level_lines_lie_where_the_values_have_their_level():
    xs, ys = np.linspace(-2, 2, 41).tolist(), np.linspace(-1, 1, 21).tolist()
    values = [x**2 + 3 * y for y in ys for x in xs]
    found = call("gain_paths", "levelLine", values, xs, ys, 0.7)
    ends = np.reshape(found, (-1, 2))
    assert len(found) > 20
    assert ends[:, 0] ** 2 + 3 * ends[:, 1] == pytest.approx(0.7, abs=0.01)
