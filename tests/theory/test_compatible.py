import numpy as np
import pytest

from dpgcourse.gradient.derivative_checks import central_difference, relative_error
from dpgcourse.theory.compatible import compatible_Q, compatible_weights
from tests.theory.systems import random_system


def test_the_action_gradient_of_the_critic_is_J_w():
    rng = np.random.default_rng(0)
    J, w, mu, a = rng.normal(size=(3, 5)), rng.normal(size=5), rng.normal(size=3), np.zeros(3)
    numeric = central_difference(lambda a: compatible_Q(a, mu, J, w, V=7.0), a)
    assert relative_error(numeric, J @ w) < 1e-7
    assert compatible_Q(mu, mu, J, w, V=7.0) == 7.0


def test_the_weights_give_the_true_policy_gradient_and_minimize_the_residual():
    rng = np.random.default_rng(1)
    for _ in range(50):
        J, g = rng.normal(size=(20, 3, 5)), rng.normal(size=(20, 3))
        w = compatible_weights(J, g)

        def residual(w, J=J, g=g):
            return ((J @ w - g) ** 2).sum()

        assert np.abs(central_difference(residual, w)).max() < 1e-6 * residual(w)
        true = np.einsum("bij,bi->j", J, g)
        assert relative_error(np.einsum("bij,bi->j", J, J @ w), true) < 1e-10
        metric = np.einsum("bij,bik->jk", J, J)
        assert relative_error(w, np.linalg.solve(metric, true)) < 1e-10


def test_in_lqr_the_weights_are_the_natural_gradient():
    rng = np.random.default_rng(2)
    for _ in range(20):
        system, K = random_system(rng)
        s = rng.normal(size=(30, system.state_dim))
        J = -np.einsum("ij,bk->bijk", np.eye(system.action_dim), s)
        J = J.reshape(30, system.action_dim, -1)  # the parameters are the rows of K
        w = compatible_weights(J, system.dQ_da(K, s, -s @ K.T))
        assert relative_error(w.reshape(K.shape), system.natural_gradient(K)) < 1e-8


def test_shapes_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match=r"J has shape \(4, 3, 5\), g \(4, 5\); allowed"):
        compatible_weights(np.zeros((4, 3, 5)), np.zeros((4, 5)))
