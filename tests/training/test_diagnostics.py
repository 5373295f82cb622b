import copy
import dataclasses

import numpy as np
import pytest
import torch

from dpgcourse.agents.base import Agent
from dpgcourse.agents.ddpg import DDPG, DDPGConfig
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.replay_buffer import ReplayBuffer
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.diagnostics import QUANTITIES, Diagnostics, entry_correlation
from dpgcourse.training.evaluation import Evaluation
from dpgcourse.training.loop import train

CONFIG = TrainConfig(
    num_seeds=2,
    steps=450,
    learning_starts=210,
    eval_every=150,
    eval_episodes=1,
    agent=DDPGConfig(hidden_sizes=(16, 16), batch_size=16),
)


def log(algorithm, **changes):
    return train(dataclasses.replace(CONFIG, algorithm=algorithm, **changes)).log


def test_the_quantities_are_what_the_table_says():
    """Every transition and seed on its own, slopes by differences, no function of the package."""
    box = ActionBox([-1.0, 0.0], [3.0, 1.0])
    agent = DDPG(DDPGConfig(hidden_sizes=(8,)), 3, box, random_streams([4, 9]), torch.float64)
    rng = np.random.default_rng(0)
    with torch.no_grad():
        for network in (agent.actor, agent.critic, agent.critic_target):
            for p in network.parameters():
                p += torch.from_numpy(rng.normal(size=p.shape))
    measure, earlier = Diagnostics(agent), copy.deepcopy(agent.actor)
    with torch.no_grad():
        for p in (*agent.actor.parameters(), *agent.critic.parameters()):
            p += 0.1 * torch.from_numpy(rng.normal(size=p.shape))
    replay = ReplayBuffer(10, 3, 2, random_streams([4, 9]).replay, "float64")
    for _ in range(14):
        s, a, r, s_next = (rng.normal(size=(2, *shape)) for shape in ((3,), (2,), (), (3,)))
        replay.add(s, a, r, s_next, rng.integers(2, size=2))
    start = rng.normal(size=(2, 5, 3))
    discounted = rng.normal(size=(2, 5))
    got = measure(replay, Evaluation(discounted, discounted, start))

    def network(net, row, x):
        for i, (W, b) in enumerate(net.layers()):
            x = np.maximum(x, 0) if i > 0 else x
            x = x @ W[row].detach().numpy() + b[row, 0].detach().numpy()
        return x

    def flat(network, row):
        return np.concatenate([p[row].detach().numpy().ravel() for p in network.parameters()])

    def mu(actor, row, s):
        return box.center + box.half_range * np.tanh(network(actor, row, s))

    def Q(critic, row, s, a):
        return network(critic, row, np.concatenate((s, a)))[0]

    stored = replay._stored
    for row in range(2):
        q, delta, g, climb, edge, gap = [], [], [], [], [], []
        for i in range(10):
            s, a, r, s_next, end = (field[row, i] for field in stored)
            q.append(Q(agent.critic, row, s, a))
            q_next = Q(agent.critic_target, row, s_next, mu(agent.actor_target, row, s_next))
            delta.append(r + 0.98 * (1 - end) * q_next - q[-1])
            best = mu(agent.actor, row, s)
            nudges = 1e-6 * np.diag(box.half_range)
            up, down = ([Q(agent.critic, row, s, best + x * n) for n in nudges] for x in (1, -1))
            g.append(np.linalg.norm((np.array(up) - down) / 2e-6))
            before = Q(agent.critic, row, s, mu(earlier, row, s))
            climb.append(Q(agent.critic, row, s, best) - before)
            edge.append(np.abs(np.tanh(network(agent.actor, row, s))) > 0.99)
        for s, value in zip(start[row], discounted[row], strict=True):
            gap.append(Q(agent.critic, row, s, mu(agent.actor, row, s)) - value)
        expected = {
            "q_mean": np.mean(q),
            "q_std": np.std(q),
            "td_error_rms": np.sqrt(np.mean(np.square(delta))),
            "action_gradient_norm": np.mean(g),
            "saturation": np.mean(edge),
            "terminal_fraction": stored.terminated[row].mean(),
            "execution_error": 0,
            "policy_improvement": np.mean(climb),
            "actor_change": np.linalg.norm(flat(agent.actor, row) - flat(earlier, row)),
            "target_lag": np.linalg.norm(flat(agent.critic, row) - flat(agent.critic_target, row)),
            "value_gap": np.mean(gap),
        }
        for name, number in expected.items():
            assert got[name][row] == pytest.approx(number, rel=1e-5, abs=1e-12), name
    again = measure(replay, Evaluation(discounted, discounted, start))
    for name in ("actor_change", "critic_change", "policy_improvement"):
        assert (got[name] != 0).all() and (again[name] == 0).all(), name


def test_in_numpy_and_in_torch_the_log_is_the_same():
    torch_log, numpy_log = log("ddpg"), log("numpy-ddpg")
    assert list(torch_log) == list(numpy_log) == list(QUANTITIES)
    for name, values in torch_log.items():
        assert values.shape == (3, 2)
        np.testing.assert_allclose(numpy_log[name], values, rtol=0.02, atol=1e-3, err_msg=name)


def test_a_well_run_and_sick_ones_differ_in_what_is_logged():
    well = log("ddpg")
    assert (well["policy_improvement"][-1] > 0).all()
    assert (log("faulty-wrong-sign")["policy_improvement"][-1] < 0).all()
    assert (well["terminal_fraction"] == 0).all()  # Pendulum never ends
    assert (log("faulty-truncated-as-done")["terminal_fraction"][-1] > 0).all()
    assert (well["execution_error"] == 0).all()
    assert (log("faulty-double-scaling")["execution_error"][-1] > 0.01).all()
    assert (log("faulty-frozen-targets")["target_lag"][-1] > 1.5 * well["target_lag"][-1]).all()
    spread = log("faulty-broadcast-target")["q_std"][-1].mean()
    assert spread < 0.5 * well["q_std"][-1].mean()


def test_entry_correlation_is_a_correlation():
    x = np.random.default_rng(0).normal(size=(2, 4000, 3))
    assert (entry_correlation(x) < 0.05).all()
    x[0, :, 1] = -2 * x[0, :, 0]
    assert entry_correlation(x)[0] == pytest.approx(1 / 3, abs=0.03)  # one pair of three
    x[1] = x[1, :, :1]
    assert entry_correlation(x)[1] == pytest.approx(1)
    assert entry_correlation(x[..., :1]).tolist() == [0, 0]
    assert entry_correlation(np.ones((1, 5, 2))).tolist() == [0]


class Constant(Agent):
    """Always asks for the middle of the box, and has no critic."""

    def policy(self, s):
        return np.zeros((*s.shape[:-1], self.action_dim))

    def update(self, batch):
        """Learn nothing."""

    def state(self):
        return {}

    def load_state(self, state):
        """Load nothing."""


def test_an_agent_without_a_critic_is_measured_without_one():
    found = train(
        "Pendulum-v1", Constant, num_seeds=2, steps=60, learning_starts=20, eval_episodes=1
    ).log
    names = ["saturation", "terminal_fraction", "execution_error", "action_noise_correlation"]
    assert list(found) == names and set(names) < set(QUANTITIES)
