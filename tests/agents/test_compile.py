import copy
import shutil

import numpy as np
import pytest
import torch

from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.faulty import MissingZeroGrad
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
