import numpy as np
import pytest

from dpgcourse.gradient.derivative_checks import complex_step
from dpgcourse.theory.finite_chain import SoftmaxChain
from tests.explorables.node import call

CASES = [(0.0, 0.5, "low"), (0.37, 0.9, "high"), (-0.4, 0.6, "low"), (0.6, 0.0, "high")]


def chain_of(gamma, start="low"):
    tilt = np.array([[[0.0], [1.0]], [[0.0], [0.0]]])
    p0 = [1.0, 0.0] if start == "low" else [0.0, 1.0]
    return SoftmaxChain(np.zeros((2, 2)), tilt, [0.0, 1.0], np.zeros((2, 1)), p0, gamma)


@pytest.mark.parametrize(("u", "gamma", "start"), CASES)
def test_values_advantages_and_local_slopes_are_those_of_the_package(u, gamma, start):
    chain, policy = chain_of(gamma), np.full((2, 1), u)
    assert call("local_terms", "valuesOf", u, gamma) == pytest.approx(chain.V(policy))
    better = chain.Q(policy, np.full((2, 1), 0.2)) - chain.V(policy)
    assert call("local_terms", "advantagesOf", 0.2, u, gamma) == pytest.approx(better)
    slopes = chain.local_gradient(policy, np.ones((2, 1, 1)))[:, 0]
    assert call("local_terms", "localSlopes", u, gamma) == pytest.approx(slopes)


@pytest.mark.parametrize(("u", "gamma", "start"), CASES)
def test_all_terms_add_up_to_the_slope_of_the_return(u, gamma, start):
    chain = chain_of(gamma, start)
    exact = complex_step(lambda x: chain.J(np.full((2, 1), 1.0) * x), np.array([u])).item()
    assert call("local_terms", "slopeOfReturn", u, gamma, start) == pytest.approx(exact, abs=1e-8)
    found = call("local_terms", "localTerms", u, gamma, start, 300)
    assert sum(map(sum, (x["terms"] for x in found))) == pytest.approx(exact, abs=1e-8)
    visits = sum(x["discount"] * np.array(x["chance"]) for x in found)
    assert visits == pytest.approx(chain.rho(np.full((2, 1), u)))


@pytest.mark.parametrize("gamma", [0, 0.1, 0.5, 0.9])
def test_the_steps_that_are_shown_have_nearly_all_the_weight(gamma):
    last = call("local_terms", "lastStep", gamma)
    assert 8 <= last <= 44 and gamma ** (last + 1) < 0.01
