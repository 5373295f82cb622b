import copy

import pytest
import torch
from torch import nn

from dpgcourse.agents.target_network import polyak_update


def networks():
    rng = torch.Generator().manual_seed(0)
    pair = nn.Linear(3, 2).double(), nn.Linear(3, 2).double()
    for parameter in (*pair[0].parameters(), *pair[1].parameters()):
        nn.init.normal_(parameter, generator=rng)
    return pair


def test_a_hundred_steps_equal_the_closed_form():
    target, source = networks()
    start = copy.deepcopy(target)
    for _ in range(100):
        polyak_update(target, source, 0.03)
    for slow, fast, first in zip(
        target.parameters(), source.parameters(), start.parameters(), strict=True
    ):
        expected = fast + 0.97**100 * (first - fast)
        torch.testing.assert_close(slow, expected, rtol=0, atol=1e-12)


def test_tau_one_copies_and_shares_no_storage():
    target, source = networks()
    polyak_update(target, source, 1.0)
    assert torch.equal(target.weight, source.weight)
    with torch.no_grad():
        source.weight.add_(1)
    assert not torch.equal(target.weight, source.weight)


def test_the_source_is_untouched():
    target, source = networks()
    before = copy.deepcopy(source)
    polyak_update(target, source, 0.5)
    assert torch.equal(source.weight, before.weight)
    assert torch.equal(source.bias, before.bias)


@pytest.mark.parametrize("tau", [0, -0.1, 1.1, float("nan")])
def test_bad_tau(tau):
    with pytest.raises(ValueError, match="allowed: 0 < tau <= 1"):
        polyak_update(*networks(), tau)
