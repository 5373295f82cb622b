import copy

import numpy as np
import pytest
import torch

from dpgcourse.agents.config import FINAL_BOUND
from dpgcourse.agents.networks import Actor, Critic, affine, layer_norm
from dpgcourse.agents.numpy_ddpg import Actor as NumpyActor
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.gradient.action_box import ActionBox


def rngs(*seeds):
    return [np.random.default_rng(seed) for seed in seeds]


def test_actions_stay_in_a_thousand_random_boxes_and_reach_their_ends():
    boxes = np.random.default_rng(0)
    for _ in range(1000):
        m = int(boxes.integers(1, 4))
        low = boxes.normal(size=m) * 10 ** boxes.uniform(-2, 2)
        box = ActionBox(low, low + boxes.uniform(0.01, 10, m))
        actor = Actor(2, box, (4,), rngs(1), dtype=torch.float64)
        s = torch.full((1, 2, 2), 1e6, dtype=torch.float64)
        a = actor(s * torch.tensor([[[1.0], [-1.0]]])).detach().numpy()
        assert (a >= box.low - 1e-12).all()
        assert (a <= box.high + 1e-12).all()
        at_low, at_high = (np.isclose(a, end, atol=1e-6) for end in (box.low, box.high))
        assert (at_low | at_high).all()  # a huge state saturates, at either end


def test_a_fresh_actor_stands_near_the_middle_of_its_box():
    box = ActionBox([-1.0, 3.0], [5.0, 3.5])
    a = Actor(3, box, (64, 64), rngs(0))(torch.randn(1, 100, 3)).detach()
    assert (a - torch.tensor(box.center)).abs().max() < 0.1


def test_initial_weights_are_bounded_by_the_fan_in_and_the_last_layer_by_the_paper():
    critic = Critic(3, 1, (64, 32), rngs(0))
    bounds = 4**-0.5, 64**-0.5, FINAL_BOUND
    for (W, b), bound in zip(critic.layers(), bounds, strict=True):
        drawn = torch.cat([W.flatten(), b.flatten()]).abs()
        assert 0.8 * bound < drawn.max() <= bound


def test_each_seed_is_its_own_network():
    together, alone = Critic(3, 1, (8,), rngs(4, 5)), Critic(3, 1, (8,), rngs(5))
    s, a = torch.randn(1, 6, 3), torch.randn(1, 6, 1)
    q = together(s.expand(2, -1, -1), a.expand(2, -1, -1))
    assert q.shape == (2, 6)
    torch.testing.assert_close(q[1], alone(s, a)[0])
    assert not torch.allclose(q[0], q[1])


def test_the_action_may_enter_a_later_layer():
    critic = Critic(3, 2, (5, 4), rngs(0, 1), torch.float64, action_layer=2)
    (W1, b1), (W2, b2), (W3, b3) = critic.layers()
    s, a = torch.randn(2, 7, 3, dtype=torch.float64), torch.randn(2, 7, 2, dtype=torch.float64)
    for row in range(2):
        h = (s[row] @ W1[row] + b1[row]).clamp(min=0)
        h = torch.cat((h, a[row]), dim=1) @ W2[row] + b2[row]
        q = h.clamp(min=0) @ W3[row] + b3[row]
        torch.testing.assert_close(critic(s, a)[row], q[:, 0])
    beside = Critic(3, 2, (5, 4), rngs(0, 1), torch.float64)
    assert [(tuple(W.shape[1:]), tuple(b.shape[1:])) for W, b in beside.layers()] == [
        ((5, 5), (1, 5)),
        ((5, 4), (1, 4)),
        ((4, 1), (1, 1)),
    ]


@pytest.mark.parametrize("change", ["in place", "by an optimizer", "in a copy", "loaded"])
def test_the_layers_are_views_of_theta_whatever_changes_it(change):
    critic = Critic(3, 1, (5,), rngs(0, 1))
    critic.layers()
    if change == "in a copy":
        critic = copy.deepcopy(critic)
    if change == "loaded":
        critic.load_state_dict({"theta": torch.full_like(critic.theta, 2.0)})
    elif change == "by an optimizer":
        critic.theta.data.fill_(3.0)
        critic.theta.grad = torch.ones_like(critic.theta)
        torch.optim.SGD(critic.parameters(), lr=1.0).step()
    else:
        critic.theta.data.fill_(2.0)
    assert all((W == 2).all() and (b == 2).all() for W, b in critic.layers())
    assert [name for name, _ in critic.named_parameters()] == ["theta"]


def test_theta_lies_as_in_numpy():
    box, seeds = ActionBox([-1.0, 0.0], [1.0, 5.0]), random_streams([3, 4])
    torchs = Actor(3, box, (5, 4), seeds.weights, torch.float64)
    ours = NumpyActor(3, box, (5, 4), random_streams([3, 4]), np.dtype("float64"))
    np.testing.assert_array_equal(torchs.theta.detach(), ours.theta)
    for (W, b), (V, c) in zip(torchs.layers(), ours.layers, strict=True):
        np.testing.assert_array_equal(W.detach(), V)
        np.testing.assert_array_equal(b.detach()[:, 0], c)


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("seeds", [1, 3])
def test_an_affine_layer_is_the_product_and_the_sum_for_any_number_of_seeds(seeds, outputs):
    draw = torch.Generator().manual_seed(0)
    shapes = (seeds, 6, 4), (seeds, 4, outputs), (seeds, 1, outputs)
    x, W, b = (
        torch.randn(shape, generator=draw, dtype=torch.float64, requires_grad=True)
        for shape in shapes
    )
    y = affine(x, W, b)
    for k in range(seeds):
        torch.testing.assert_close(y[k], x[k] @ W[k] + b[k])
    assert torch.autograd.gradcheck(affine, (x, W, b))


# Layer normalization


def normalized_critic(*seeds, hidden=(5, 4), action_layer=1):
    """A critic away from its start, so that no gain is 1 and no bias 0."""
    critic = Critic(3, 2, hidden, rngs(*seeds), torch.float64, action_layer, layer_norm=True)
    draw = torch.Generator().manual_seed(7)
    noise = torch.randn(critic.theta.shape, generator=draw, dtype=torch.float64)
    critic.theta.data += 0.3 * noise
    return critic


def inputs(S=2, B=7):
    draw = torch.Generator().manual_seed(8)
    return (torch.randn(S, B, k, generator=draw, dtype=torch.float64) for k in (3, 2))


@pytest.mark.parametrize("action_layer", [1, 2])
def test_a_normalized_critic_is_the_one_built_of_torchs_layers(action_layer):
    critic, (s, a) = normalized_critic(0, 1, action_layer=action_layer), inputs()
    *hidden, (W3, b3) = critic.layers()
    for row in range(2):
        x = s[row]
        for number, (W, b, gain, bias) in enumerate(hidden, start=1):
            norm = torch.nn.LayerNorm(W.shape[-1], dtype=torch.float64)
            norm.weight.data, norm.bias.data = gain[row, 0].detach(), bias[row, 0].detach()
            x = torch.cat((x, a[row]), dim=1) if number == action_layer else x
            x = norm(x @ W[row] + b[row]).clamp(min=0)
        expected = (x @ W3[row] + b3[row])[:, 0]
        torch.testing.assert_close(critic(s, a)[row], expected, rtol=0, atol=1e-12)


def test_normalization_starts_with_gain_1_and_bias_0_and_draws_nothing():
    plain, ours = (Critic(3, 2, (5, 4), rngs(0, 1), layer_norm=norm) for norm in (False, True))
    n = plain.theta.shape[1]
    assert torch.equal(ours.theta[:, :n], plain.theta) and ours.theta.shape[1] == n + 2 * (5 + 4)
    for _, _, gain, bias in ours.layers()[:-1]:
        assert (gain == 1).all() and (bias == 0).all()
    assert [name for name, _ in ours.named_parameters()] == ["theta"]
    assert [len(layer) for layer in ours.layers()] == [4, 4, 2]


def test_the_gradients_of_a_normalized_critic_equal_differences():
    critic, (s, a) = normalized_critic(0, 1), inputs(B=3)

    def q(theta, s, a):
        return torch.func.functional_call(critic, {"theta": theta}, (s, a))

    theta = critic.theta.detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(q, (theta, s.requires_grad_(), a.requires_grad_()))


def test_layer_norm_has_the_mean_and_deviation_of_its_gain_and_bias():
    draw = torch.Generator().manual_seed(0)
    z = 50 + 9 * torch.randn(2, 6, 400, generator=draw, dtype=torch.float64)
    gain, bias = torch.full((2, 1, 400), 3.0), torch.full((2, 1, 400), -1.0)
    x = layer_norm(z, gain.double(), bias.double())
    torch.testing.assert_close(x.mean(-1), torch.full((2, 6), -1.0).double())
    torch.testing.assert_close(x.std(-1, correction=0), torch.full((2, 6), 3.0).double())


def test_a_seed_is_normalized_by_itself():
    together, alone = normalized_critic(4, 5), Critic(3, 2, (5, 4), rngs(5), torch.float64, 1, True)
    alone.theta.data.copy_(together.theta[1:])
    s, a = inputs()
    torch.testing.assert_close(together(s, a)[1:], alone(s[1:], a[1:]), rtol=0, atol=1e-14)
