import copy

import numpy as np
import pytest
import torch

from dpgcourse.agents.config import FINAL_BOUND
from dpgcourse.agents.networks import Actor, Critic, affine
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
