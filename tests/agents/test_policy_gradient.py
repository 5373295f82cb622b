import copy

import pytest
import torch
from torch import nn
from torch.func import functional_call, jacrev

from dpgcourse.agents.policy_gradient import ascend, policy_gradient

D, M = 3, 2
EXACT = {"rtol": 1e-10, "atol": 1e-12}


class Layered(nn.Module):
    """Two linear layers with tanh between; `lead` puts axes before every parameter."""

    def __init__(self, inputs: int, outputs: int, lead: tuple[int, ...] = (), *, seed: int = 0):
        super().__init__()
        rng = torch.Generator().manual_seed(seed)
        shapes = {"W1": (inputs, 8), "b1": (1, 8), "W2": (8, outputs), "b2": (1, outputs)}
        for name, shape in shapes.items():
            value = torch.randn(*lead, *shape, generator=rng, dtype=torch.float64)
            self.register_parameter(name, nn.Parameter(value))

    def forward(self, x):
        return torch.tanh(x @ self.W1 + self.b1) @ self.W2 + self.b2


class Critic(Layered):
    def __init__(self, lead: tuple[int, ...] = (), *, seed: int = 1):
        super().__init__(D + M, 1, lead, seed=seed)

    def forward(self, s, a):
        return super().forward(torch.cat([s, a], -1)).squeeze(-1)  # (..., B)


def states(*shape):
    return torch.randn(*shape, D, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


@pytest.mark.parametrize("B", [1, 2, 7])
def test_two_factors_equal_autograd_of_the_mean_value(B):
    actor, critic, s = Layered(D, M), Critic(), states(B)
    gradient = policy_gradient(actor, critic, s)
    loss = -critic(s, actor(s)).mean()
    for slope, of_loss in zip(
        gradient, torch.autograd.grad(loss, tuple(actor.parameters())), strict=True
    ):
        torch.testing.assert_close(slope, -of_loss, **EXACT)


@pytest.mark.parametrize("B", [1, 2, 7])
def test_two_factors_equal_the_explicit_jacobian_chain(B):
    actor, critic, s = Layered(D, M), Critic(), states(B)
    u = {name: parameter.detach() for name, parameter in actor.named_parameters()}
    J = jacrev(lambda u: functional_call(actor, u, (s,)))(u)  # each (B, m, *parameter)
    g = jacrev(lambda a: critic(s, a).sum())(actor(s).detach())  # (B, m)
    for name, slope in zip(u, policy_gradient(actor, critic, s), strict=True):
        chain = torch.einsum("bm,bm...->...", g, J[name]) / B
        torch.testing.assert_close(slope, chain, **EXACT)


def test_actor_step_leaves_the_critic_alone():
    actor, critic, s = Layered(D, M), Critic(), states(7)
    before = copy.deepcopy(critic.state_dict())
    optimizer = torch.optim.Adam(actor.parameters())
    ascend(actor, policy_gradient(actor, critic, s), optimizer)
    assert all(parameter.grad is None for parameter in critic.parameters())
    assert all(torch.equal(value, before[name]) for name, value in critic.state_dict().items())


@pytest.mark.parametrize("optimizer_type", [torch.optim.SGD, torch.optim.Adam])
def test_small_step_raises_the_mean_value(optimizer_type):
    actor, critic, s = Layered(D, M), Critic(), states(7)
    before = critic(s, actor(s)).mean()
    optimizer = optimizer_type(actor.parameters(), lr=1e-4)
    ascend(actor, policy_gradient(actor, critic, s), optimizer)
    assert critic(s, actor(s)).mean() > before


def test_plain_step_moves_by_the_gradient_and_forgets_the_one_before():
    actor, critic, s = Layered(D, M), Critic(), states(7)
    optimizer = torch.optim.SGD(actor.parameters(), lr=0.5)
    for _ in range(2):
        before = [parameter.detach().clone() for parameter in actor.parameters()]
        gradient = policy_gradient(actor, critic, s)
        ascend(actor, gradient, optimizer)
        for now, old, slope in zip(actor.parameters(), before, gradient, strict=True):
            torch.testing.assert_close(now.detach(), old + 0.5 * slope, **EXACT)


def test_every_seed_gets_the_gradient_it_gets_alone():
    actor, critic, s = Layered(D, M, (4,)), Critic((4,)), states(4, 7)
    together = policy_gradient(actor, critic, s)
    for k in range(4):
        actor_k, critic_k = Layered(D, M), Critic()
        for one, many in ((actor_k, actor), (critic_k, critic)):
            one.load_state_dict({name: value[k] for name, value in many.state_dict().items()})
        for slopes, alone in zip(together, policy_gradient(actor_k, critic_k, s[k]), strict=True):
            torch.testing.assert_close(slopes[k], alone, **EXACT)


@pytest.mark.parametrize("B", [1, 2, 7])
def test_values_in_a_column_are_refused(B):
    critic = Critic()
    with pytest.raises(ValueError, match=rf"shape \({B}, 1\); allowed: \({B},\)"):
        policy_gradient(Layered(D, M), lambda s, a: critic(s, a).unsqueeze(-1), states(B))
