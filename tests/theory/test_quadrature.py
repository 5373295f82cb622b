import numpy as np
import pytest

from dpgcourse.theory.quadrature import gauss_hermite_nodes


@pytest.mark.parametrize("m", [1, 2, 3])
def test_three_nodes_are_exact_to_degree_five(m):
    nodes, weights = gauss_hermite_nodes(m)
    assert nodes.shape == (3**m, m) and weights.shape == (3**m,)
    for i in range(m):
        moments = [weights @ nodes[:, i] ** n for n in range(6)]
        np.testing.assert_allclose(moments, [1, 0, 1, 0, 3, 0], atol=1e-14)
    if m > 1:
        assert weights @ (nodes[:, 0] ** 2 * nodes[:, 1] ** 4) == pytest.approx(3)
        assert weights @ (nodes[:, 0] * nodes[:, 1] ** 3) == pytest.approx(0)
    assert weights @ nodes[:, 0] ** 6 == pytest.approx(9)  # 15 under the normal distribution


def test_five_nodes_are_exact_to_degree_nine():
    nodes, weights = gauss_hermite_nodes(m=2, count=5)
    assert nodes.shape == (25, 2) and weights.shape == (25,)
    x, y = nodes.T
    moments = [weights @ f for f in (1 + 0 * x, x, x**2, x * y, x**4, x**2 * y**2, x**8)]
    np.testing.assert_allclose(moments, [1, 0, 1, 0, 3, 1, 105], atol=1e-12)


@pytest.mark.parametrize(
    ("m", "count", "allowed"),
    [
        (0, 3, "both at least 1"),
        (1, 0, "both at least 1"),
        (13, 3, "count.m at most 1000000"),
    ],
)
def test_number_of_nodes_is_limited(m, count, allowed):
    with pytest.raises(ValueError, match=f"m is {m}, count is {count}; allowed: {allowed}"):
        gauss_hermite_nodes(m, count)
