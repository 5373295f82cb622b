import numpy as np
import torch

from dpgcourse.agent.network import FINAL_BOUND, Actor, Critic
from dpgcourse.gradient.chain_rule import Squash


def rngs(*seeds):
    return [np.random.default_rng(seed) for seed in seeds]


def test_actions_stay_in_a_thousand_random_boxes_and_reach_their_ends():
    boxes = np.random.default_rng(0)
    for _ in range(1000):
        m = int(boxes.integers(1, 4))
        low = boxes.normal(size=m) * 10 ** boxes.uniform(-2, 2)
        squash = Squash(low, low + boxes.uniform(0.01, 10, m))
        actor = Actor(2, squash, (4,), rngs(1), dtype=torch.float64)
        s = torch.full((1, 2, 2), 1e6, dtype=torch.float64)
        a = actor(s * torch.tensor([[[1.0], [-1.0]]])).detach().numpy()
        assert (a >= squash.low - 1e-12).all()
        assert (a <= squash.high + 1e-12).all()
        at_low, at_high = (np.isclose(a, end, atol=1e-6) for end in (squash.low, squash.high))
        assert (at_low | at_high).all()  # a huge state saturates, at either end


def test_a_fresh_actor_stands_near_the_middle_of_its_box():
    squash = Squash([-1.0, 3.0], [5.0, 3.5])
    a = Actor(3, squash, (64, 64), rngs(0))(torch.randn(1, 100, 3)).detach()
    assert (a - torch.tensor(squash.center)).abs().max() < 0.1


def test_initial_weights_are_bounded_by_the_fan_in_and_the_last_layer_by_the_paper():
    critic = Critic(3, 1, (64, 32), rngs(0))
    first, second, last = (layer for layer in critic.layers if hasattr(layer, "W"))
    for layer, bound in ((first, 4**-0.5), (second, 64**-0.5), (last, FINAL_BOUND)):
        drawn = torch.cat([layer.W.flatten(), layer.b.flatten()]).abs()
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
    first, second, last = (layer for layer in critic.modules() if hasattr(layer, "W"))
    s, a = torch.randn(2, 7, 3, dtype=torch.float64), torch.randn(2, 7, 2, dtype=torch.float64)
    for row in range(2):
        h = (s[row] @ first.W[row] + first.b[row]).clamp(min=0)
        h = torch.cat((h, a[row]), dim=1) @ second.W[row] + second.b[row]
        q = h.clamp(min=0) @ last.W[row] + last.b[row]
        torch.testing.assert_close(critic(s, a)[row], q[:, 0])
    beside = Critic(3, 2, (5, 4), rngs(0, 1), torch.float64)
    assert [tuple(p.shape[1:]) for p in beside.parameters()][:2] == [(5, 5), (1, 5)]
