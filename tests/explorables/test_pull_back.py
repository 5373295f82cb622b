"""The numbers of ``pull_back`` against chapter 3's, and against any J and g."""

import numpy as np
import pytest

from dpgcourse.gradient.chain_rule import gradient_by_jacobian
from dpgcourse.gradient.composite import Composite, LinearActor, QuadraticCritic
from tests.explorables.node import call, call_each

J = np.array([[2.0, 1, 0], [0, -1, 2]])
G = np.array([4.0, -2.0])


def columns(matrix):
    return matrix.T.tolist()


def test_the_gradient_of_chapter_3_and_the_move_of_its_exercise():
    slopes = call("pull_back", "pullBack", columns(J), G.tolist())
    assert slopes == [8, 6, -4]
    assert call("pull_back", "pushForward", columns(J), slopes) == [22, -14]


def test_the_package_finds_the_same_gradient():
    composite = Composite(LinearActor(2, 2), QuadraticCritic(2, 2))
    s, u, w = np.array([2.0, -1.0]), np.arange(4) / 3, np.array([1.5, 0.5, -1.0, 2.0])
    g, jacobian = composite.factors(s, u, w)
    found = call("pull_back", "pullBack", columns(jacobian), g.tolist())
    np.testing.assert_allclose(found, gradient_by_jacobian(composite, s, u, w), rtol=1e-12)


def test_the_move_makes_at_most_a_right_angle_with_g():
    rng = np.random.default_rng(0)
    for _ in range(5):
        matrix, g = rng.normal(size=(2, 3)), rng.normal(size=2)
        move = call("pull_back", "pushForward", columns(matrix), (matrix.T @ g).tolist())
        np.testing.assert_allclose(move, matrix @ matrix.T @ g, rtol=1e-12)
        cosine = np.dot(move, g) / np.linalg.norm(move) / np.linalg.norm(g)
        angle = call("pull_back", "angleBetween", move, g.tolist())
        assert angle == pytest.approx(np.degrees(np.arccos(cosine)))
        assert angle <= 90


def test_turned_columns_have_two_decimals_and_keep_their_length():
    found = call_each("pull_back", "vectorAt", [[2**0.5, -45], [2, 90], [2, 37]])
    np.testing.assert_allclose(found[:2], [[1, -1], [0, 2]])
    assert found[2] == [1.6, 1.2]
    assert call("pull_back", "directionOf", found[2]) == 37


def test_the_inner_product_holds_as_it_is_shown():
    text = call("pull_back", "innerInWords", [1.0, -1.0], [4.0, -2.0])
    assert text == "1.00 × 4.00 + (−1.00) × (−2.00) = 6.00"
