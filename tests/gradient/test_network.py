import numpy as np
import pytest
import torch

from dpgcourse.gradient.derivative_checks import central_difference, relative_error
from dpgcourse.gradient.network import MLP, flatten, initial_parameters

SIZES = (3, 5, 4, 2)
TORCH = {"relu": torch.relu, "tanh": torch.tanh}


def draw(activation, lead, seed=0):
    """A network, its parameters, a batch of six inputs x, and a gradient g at the output."""
    rng = np.random.default_rng(seed)
    network = MLP(SIZES, activation)
    params = [
        (rng.normal(size=(*lead, *W.shape)), rng.normal(size=(*lead, *b.shape)))
        for W, b in network.init(rng)
    ]
    return network, params, rng.normal(size=(*lead, 6, 3)), rng.normal(size=(*lead, 6, 2))


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("lead", [(), (3,)], ids=["one", "three seeds"])
def test_backward_equals_autograd(activation, lead):
    network, params, x, g = draw(activation, lead)
    y, inputs = network.forward(params, x)
    grads, dx = network.backward(params, inputs, g)

    leaves = [[torch.tensor(part, requires_grad=True) for part in layer] for layer in params]
    x_torch = torch.tensor(x, requires_grad=True)
    h = x_torch
    for i, (W, b) in enumerate(leaves):
        h = h @ W + b[..., None, :]
        if i < len(leaves) - 1:
            h = TORCH[activation](h)
    np.testing.assert_allclose(y, h.detach(), rtol=1e-12)
    h.backward(torch.tensor(g))
    for layer, leaf in zip(grads, leaves, strict=True):
        for part, tensor in zip(layer, leaf, strict=True):
            assert relative_error(part, tensor.grad.numpy()) < 1e-10
    assert relative_error(dx, x_torch.grad.numpy()) < 1e-10


def test_backward_equals_central_differences():
    network, params, x, g = draw("tanh", ())
    grads, dx = network.backward(params, network.forward(params, x)[1], g)

    def inner_product(u, x):
        return (network.forward(network.unflatten(u), x)[0] * g).sum()

    u = flatten(params)
    assert (
        relative_error(flatten(grads), central_difference(lambda u: inner_product(u, x), u)) < 1e-6
    )
    assert relative_error(dx, central_difference(lambda x: inner_product(u, x), x)) < 1e-6


def test_every_seed_gets_what_it_gets_alone():
    network, params, x, g = draw("relu", (3,))
    grads, dx = network.backward(params, network.forward(params, x)[1], g)
    for k in range(3):
        alone = [(W[k], b[k]) for W, b in params]
        grads_k, dx_k = network.backward(alone, network.forward(alone, x[k])[1], g[k])
        np.testing.assert_allclose(dx[k], dx_k, rtol=1e-12)
        np.testing.assert_allclose(
            flatten([(W[k], b[k]) for W, b in grads]), flatten(grads_k), rtol=1e-12
        )


def test_one_relu_unit_by_hand():
    # y = 5 relu(2x + 1) + 0: at x = 1, y = 15, dy/dx = 10; at x = −1 the unit is off.
    network = MLP((1, 1, 1))
    params = [(np.array([[2.0]]), np.array([1.0])), (np.array([[5.0]]), np.array([0.0]))]
    y, inputs = network.forward(params, [[1.0], [-1.0]])
    np.testing.assert_array_equal(y, [[15.0], [0.0]])
    _, dx = network.backward(params, inputs, np.ones((2, 1)))
    np.testing.assert_array_equal(dx, [[10.0], [0.0]])


def test_flatten_and_unflatten_are_inverse():
    network = MLP(SIZES)
    u = np.arange(float(network.n))
    params = network.unflatten(u)
    assert [(W.shape, b.shape) for W, b in params] == [
        ((3, 5), (5,)),
        ((5, 4), (4,)),
        ((4, 2), (2,)),
    ]
    np.testing.assert_array_equal(flatten(params), u)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("lead", [(), (3,)], ids=["one", "three seeds"])
def test_either_half_of_the_way_back_equals_the_whole(activation, lead):
    network, params, x, g = draw(activation, lead)
    _, inputs = network.forward(params, x)
    kept = [h.copy() for h in (*inputs, g)]
    grads, dx = network.backward(params, inputs, g)
    np.testing.assert_array_equal(network.parameter_gradient(params, inputs, g), flatten(grads))
    np.testing.assert_array_equal(network.input_gradient(params, inputs, g), dx)
    for now, then in zip((*inputs, g), kept, strict=True):
        np.testing.assert_array_equal(now, then)  # nothing that came in was overwritten


def test_a_gradient_of_whole_numbers_is_pulled_back_like_any_other():
    network, params, x, g = draw("tanh", ())
    _, inputs = network.forward(params, x)
    whole = np.ones(g.shape, dtype=int)
    for pull in (network.parameter_gradient, network.input_gradient):
        np.testing.assert_array_equal(
            pull(params, inputs, whole), pull(params, inputs, whole * 1.0)
        )


def test_the_start_is_drawn_layer_by_layer_weights_before_biases():
    drawn = initial_parameters([(4, 3), (3, 2)], np.random.default_rng(5), last_bound=0.01)
    rng = np.random.default_rng(5)
    sizes = (0.5, (4, 3)), (0.5, 3), (0.01, (3, 2)), (0.01, 2)
    expected = [rng.uniform(-bound, bound, shape).ravel() for bound, shape in sizes]
    np.testing.assert_array_equal(drawn, np.concatenate(expected))


@pytest.mark.parametrize("lead", [(), (3,)], ids=["one", "three seeds"])
def test_unflattened_parameters_are_views_that_move_with_the_vector(lead):
    network = MLP(SIZES)
    u = np.random.default_rng(0).normal(size=(*lead, network.n))
    params = network.unflatten(u)
    u += 1
    np.testing.assert_array_equal(flatten(params), u)


def test_float32_stays_float32():
    network = MLP(SIZES)
    params = network.unflatten(np.ones(network.n, dtype=np.float32))
    x = np.ones((6, 3), dtype=np.float32)
    y, inputs = network.forward(params, x)
    for method in (network.parameter_gradient, network.input_gradient):
        assert method(params, inputs, y).dtype == y.dtype == np.float32


def test_the_last_layer_can_be_drawn_from_its_own_bound():
    network = MLP((4, 400, 300))
    (W, _), (W_last, b_last) = network.init(np.random.default_rng(0), last_bound=3e-3)
    assert 0.49 < np.abs(W).max() <= 0.5
    for part in (W_last, b_last):
        assert 0.95 * 3e-3 < np.abs(part).max() <= 3e-3


def test_init_draws_within_one_over_the_root_of_fan_in():
    network = MLP((100, 400, 1))
    params = network.init(np.random.default_rng(0))
    for (W, b), bound in zip(params, (0.1, 0.05), strict=True):
        assert W.dtype == np.float64
        assert 0.95 * bound < np.abs(W).max() <= bound and np.abs(b).max() <= bound
        assert abs(W.mean()) < 0.1 * bound
    again = network.init(np.random.default_rng(0))
    np.testing.assert_array_equal(flatten(params), flatten(again))


def test_wrong_arguments_are_named():
    for sizes in ((3,), (3, 0, 1)):
        with pytest.raises(ValueError, match=r"sizes is \(3.*; allowed: two or more positive"):
            MLP(sizes)
    with pytest.raises(ValueError, match=r"'gelu'; allowed: \['relu', 'tanh'\]"):
        MLP((3, 1), "gelu")
    network = MLP((3, 1))
    with pytest.raises(ValueError, match=r"u has shape \(5,\); allowed: \(\.\.\., 4\)"):
        network.unflatten(np.zeros(5))
    for x in (np.zeros(3), np.zeros((6, 2))):
        with pytest.raises(ValueError, match=r"x has shape .*; allowed: \(\.\.\., B, 3\)"):
            network.forward(network.unflatten(np.zeros(4)), x)
