import numpy as np
import pytest

from dpgcourse.gradient.chain_rule import (
    batch_gradient,
    gradient_by_jacobian,
    gradient_by_jvp,
    gradient_by_vjp,
)
from dpgcourse.gradient.composite import Composite, LinearActor, QuadraticCritic, TanhActor
from dpgcourse.gradient.derivative_checks import central_difference, complex_step, relative_error
from tests.gradient.cases import KINDS, gradient_by_autograd, gradient_by_sympy, random_case

BY_HAND = [gradient_by_jacobian, gradient_by_vjp, gradient_by_jvp]
SCALAR = Composite(LinearActor(1, 1), QuadraticCritic(1, 1))


@pytest.mark.parametrize("gradient", BY_HAND)
def test_running_example_is_a_product_of_four_and_two(gradient):
    np.testing.assert_array_equal(gradient(SCALAR, [2.0], [0.5], [1.5]), [8.0])


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_seven_routes_agree_on_500_random_composites(kind):
    for seed in range(125):  # 4 kinds × 125
        case = random_case(kind, seed)
        s, w = case.s, case.w
        exact = gradient_by_autograd(case)

        def ell(u, case=case):
            return case.composite.ell(case.s, u, case.w)

        hands = [gradient(case.composite, s, case.u, w) for gradient in BY_HAND]
        errors = [relative_error(hand, exact) for hand in hands]
        errors.append(relative_error(complex_step(ell, case.u), exact))
        assert max(errors) < 1e-10, (seed, errors)
        assert relative_error(gradient_by_sympy(case), exact) < 1e-10, seed
        assert relative_error(central_difference(ell, case.u), exact) < 1e-6, seed


@pytest.mark.parametrize("gradient", BY_HAND)
@pytest.mark.parametrize("lead", [(), (5,), (2, 5)])
def test_every_state_of_a_batch_gets_the_gradient_it_gets_alone(gradient, lead):
    rng = np.random.default_rng(0)
    composite = Composite(TanhActor(3, 2), QuadraticCritic(3, 2))
    s, u, w = rng.normal(size=(*lead, 3)), rng.normal(size=6), rng.normal(size=6)
    together = gradient(composite, s, u, w)
    assert together.shape == (*lead, 6)
    for index in np.ndindex(lead):
        np.testing.assert_allclose(together[index], gradient(composite, s[index], u, w))


def test_batch_gradient_is_the_mean_of_gradients_and_not_the_product_of_means():
    rng = np.random.default_rng(1)
    composite = Composite(TanhActor(3, 2), QuadraticCritic(3, 2))
    s, u, w = rng.normal(size=(7, 3)), rng.normal(size=6), rng.normal(size=6)
    batch = batch_gradient(composite, s, u, w)

    alone = [gradient_by_jacobian(composite, state, u, w) for state in s]
    np.testing.assert_allclose(batch, np.mean(alone, axis=0), rtol=1e-12)
    slope = central_difference(lambda u: composite.ell(s, u, w).mean(), u)
    assert relative_error(batch, slope) < 1e-6

    g, J = composite.factors(s, u, w)
    product_of_means = J.mean(0).T @ g.mean(0)
    assert relative_error(batch, product_of_means) > 0.1


@pytest.mark.parametrize("shape", [(1,), (0, 1), (2, 2, 1)])
def test_batch_gradient_refuses_what_is_not_a_batch(shape):
    with pytest.raises(ValueError, match=r"shape \(.*\); allowed: \(B, d\) with B >= 1"):
        batch_gradient(SCALAR, np.zeros(shape), [0.5], [1.5])
