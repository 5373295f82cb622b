import copy
import shutil

import numpy as np
import pytest
import torch

from dpgcourse.agents import ddpg
from dpgcourse.agents._compilation import TraceableAdam, is_plain_adam
from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.faulty import MissingZeroGrad, TruncatedAsDone
from dpgcourse.agents.n_step import NStepReplayBuffer
from dpgcourse.agents.numpy_ddpg import NumpyDDPG
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.replay_buffer import ReplayBuffer
from dpgcourse.agents.td3 import TD3
from dpgcourse.errors import InvalidInputError
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training.config import TrainConfig


class BackwardInActorStep(DDPG):
    """An actor step of a reader's own."""

    def actor_step(self, s):
        self.actor_optimizer.zero_grad()
        (-self.critic(s, self.actor(s)).mean(-1).sum()).backward()
        self.actor_optimizer.step()


class CountingUpdates(DDPG):
    """An update with a number that changes."""

    updates = 0

    def update(self, batch):
        self.updates += 1
        super().update(batch)
        if self.updates % 3 == 0:
            self.update_targets()


class OtherOptimizer(DDPG):
    """Plain gradient descent instead of Adam for the actor."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.actor_optimizer = torch.optim.SGD(self.actor.parameters(), lr=1e-3)


def agent_and_replay(seeds: int, n_step: int = 1, agent_class=DDPG, **settings):
    rngs, rng = random_streams(range(seeds)), np.random.default_rng(0)
    box = ActionBox([-2.0], [2.0])
    config = agent_class.config_class(hidden_sizes=(16, 16), n_step=n_step, **settings)
    agent = agent_class(config, 3, box, rngs, torch.float64)
    sizes = 100, 3, 1, rngs.replay, "float64"
    replay = ReplayBuffer(*sizes) if n_step == 1 else NStepReplayBuffer(n_step, 0.98, *sizes)
    for _ in range(100):
        shapes = ((seeds, 3), (seeds, 1), seeds, (seeds, 3))
        replay.add(*(rng.normal(size=shape) for shape in shapes), rng.integers(2, size=seeds))
    return agent, replay


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")  # of the compiler's own modules
@pytest.mark.parametrize(
    ("seeds", "settings"),
    [
        (1, {}),
        (3, {"critic_weight_decay": 0.01}),
        (2, {"n_step": 3, "critic_layer_norm": True}),
        *((2, {"agent_class": agent_class}) for agent_class in (
            TD3, MissingZeroGrad, BackwardInActorStep, CountingUpdates, OtherOptimizer
        )),
    ],
)  # fmt: skip
def test_a_compiled_update_is_the_update(seeds, settings):
    plain, replay = agent_and_replay(seeds, **settings)
    compiled = copy.deepcopy(plain)
    for step in range(220):
        if step == 20:  # Adam goes on from what it remembers
            compiled.compile()
        batch = replay.sample(32)
        plain.update(batch)
        compiled.update(batch)
    ours, theirs = plain.state(), compiled.state()
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        np.testing.assert_allclose(value, theirs[name], rtol=1e-9, atol=1e-9, err_msg=name)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")  # of the compiler's own modules
def test_every_agent_of_a_process_is_compiled_for_itself():
    """PyTorch compiles one function eight times at most, and then quietly stops."""
    before = torch._dynamo.config.trace_autograd_ops
    with torch._dynamo.config.patch(recompile_limit=1, fail_on_recompile_limit_hit=True):
        for seeds in (1, 2):
            agent, replay = agent_and_replay(seeds)
            agent.compile()
            agent.update(replay.sample(32))
            with torch._dynamo.config.patch(error_on_recompile=True):
                agent.update(replay.sample(32))
            assert torch._dynamo.config.trace_autograd_ops == before, "it stays set"


def test_without_a_compiler_it_says_so(monkeypatch):
    agent, _ = agent_and_replay(1)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ValueError, match="compile is True, and no C\\+\\+ compiler"):
        agent.compile()


def test_an_agent_without_torch_is_not_compiled():
    with pytest.raises(InvalidInputError, match="compile is True; allowed: False for algorithm 'n"):
        TrainConfig(algorithm="numpy-ddpg", compile=True)
    agent = NumpyDDPG(DDPGConfig(), 3, ActionBox([-2.0], [2.0]), random_streams([0]))
    with pytest.raises(InvalidInputError, match="compile is True; allowed: False for NumpyDDPG"):
        agent.compile()


def test_the_traceable_adam_is_torchs():
    rng = np.random.default_rng(0)
    theirs = [torch.nn.Parameter(torch.tensor(rng.normal(size=(2, n)))) for n in (5, 3)]
    ours = copy.deepcopy(theirs)
    settings = {"lr": 1e-2, "weight_decay": 0.1, "betas": (0.8, 0.95), "eps": 1e-4}
    adams = [torch.optim.Adam(parameters, **settings) for parameters in (theirs, ours)]
    for step in range(20):
        if step == 5:  # goes on from what torch's remembers
            adams[1] = TraceableAdam(adams[1])
        for a, b in zip(theirs, ours, strict=True):
            a.grad = torch.tensor(rng.normal(size=a.shape))
            b.grad = a.grad.clone()
        if step == 12:  # a schedule
            for adam in adams:
                adam.param_groups[0]["lr"] = 3e-3
        if step >= 5:
            adams[1].prepare()
        for adam in adams:
            adam.step()
    for a, b in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(a.detach(), b.detach(), rtol=1e-12)
        for name, value in adams[0].state[a].items():
            np.testing.assert_allclose(value, adams[1].state[b][name], rtol=1e-12)


def test_one_group_of_parameters_can_be_taken_over():
    x, y = (torch.nn.Parameter(torch.zeros(2)) for _ in range(2))
    assert is_plain_adam(torch.optim.Adam([x, y]))
    assert not is_plain_adam(torch.optim.Adam([{"params": [x]}, {"params": [y], "lr": 1.0}]))
    assert not is_plain_adam(torch.optim.Adam([x], amsgrad=True))
    assert not is_plain_adam(torch.optim.AdamW([x]))


COMPUTATIONS = "td_target", "critic_gradient", "actor_gradient"  # they change nothing


@pytest.mark.parametrize(
    ("agent_class", "parts"),
    [
        (DDPG, ("update",)),
        (TruncatedAsDone, ("update",)),
        (TD3, ("td_target", "critic_step", "actor_step")),
        (CountingUpdates, ("td_target", "critic_step", "actor_step")),
        (BackwardInActorStep, COMPUTATIONS),
        (OtherOptimizer, COMPUTATIONS),
    ],
)
def test_as_much_is_compiled_as_a_subclass_leaves_alone(agent_class, parts, monkeypatch):
    agent, _ = agent_and_replay(1, agent_class=agent_class)
    names = []
    monkeypatch.setattr(ddpg, "compiled", lambda method, _: names.append(method.__name__) or method)
    agent.compile()
    assert tuple(names) == parts
    assert isinstance(agent.actor_optimizer, TraceableAdam) == (parts != COMPUTATIONS)
