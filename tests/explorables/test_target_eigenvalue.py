import numpy as np
import pytest

from dpgcourse.theory import td_with_target_network as slow_td
from dpgcourse.theory.td import Transitions, semi_gradient_fixed_point
from tests.explorables.node import call

TWO = {"phi": [[1.0, 0.0], [2.0, 1.0]], "next": [[2.0, 1.0]] * 2, "r": [1.0, 1.0], "start": [0, 0]}
ONE = {"phi": [[1.0]], "next": [[2.0]], "r": [0.0], "start": [1.0]}
CRITICS = {"two": TWO, "one": ONE}
CASES = [(0.9, 0.5, 1.0), (0.9, 0.5, 0.1), (0.9, 0.9, 0.001), (0.0, 0.3, 0.2), (0.99, 0.05, 0.5)]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("critic", CRITICS.values(), ids=CRITICS)
def test_matrix_eigenvalues_and_radius_are_those_of_the_package(critic, case):
    data = Transitions(critic["phi"], critic["r"], critic["next"])
    T = slow_td.transition_matrix(data, *case)
    assert np.array(call("target_eigenvalue", "transition", critic, *case)) == pytest.approx(T)
    found = [complex(*z) for z in call("target_eigenvalue", "eigenvalues", T.tolist())]
    exact = np.linalg.eigvals(T)
    for z in exact:  # equal roots are found to half of the digits
        assert np.abs(np.array(found) - z).min() < 1e-6
    assert np.poly(found) == pytest.approx(np.poly(T), abs=1e-6)
    radius = call("target_eigenvalue", "spectralRadius", critic, *case)
    assert radius == pytest.approx(slow_td.spectral_radius(data, *case), abs=1e-7)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("critic", CRITICS.values(), ids=CRITICS)
def test_errors_are_those_of_the_updates(critic, case):
    data, phi = Transitions(critic["phi"], critic["r"], critic["next"]), np.array(critic["phi"])
    w = copy = np.array(critic["start"], dtype=float)
    right = semi_gradient_fixed_point(data, case[0])
    for found in call("target_eigenvalue", "errorsOf", critic, *case, 50):
        assert found == pytest.approx(np.abs(phi @ (w - right)).max())
        w, copy = slow_td.step(w, copy, data, *case)


def test_where_every_critic_is_a_fixed_point_the_error_is_a_number():
    errors = call("target_eigenvalue", "errorsOf", ONE, 0.5, 0.5, 1.0, 3)
    assert errors == [1, 1, 1, 1]
