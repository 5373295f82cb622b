"""The linear agent is chapter 11's, and what is measured of it agrees with the closed forms."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dpgcourse.agents.random_streams import random_streams
from dpgcourse.envs.lqr import CART
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.theory.lqr import UnstableGainError
from dpgcourse.training.record import read_table
from results.lqr import linear_actor
from results.lqr.linear_actor import CONFIG, LinearDDPG, angle, measure

SHORT = replace(CONFIG, num_seeds=2, steps=600, eval_every=300)


def agent_with(gains):
    box = ActionBox([-30.0], [30.0])
    agent = LinearDDPG(CONFIG.agent, 2, box, random_streams(range(len(gains))), torch.float64)
    agent.actor.K.data = torch.tensor(gains, dtype=torch.float64)
    return agent


class ExactCritic(torch.nn.Module):
    """Q of a gain, as a function of tensors."""

    def __init__(self, K):
        super().__init__()
        self.P = torch.tensor(CART.P(K))

    def forward(self, s, a):
        A, B, M, R = (torch.tensor(x) for x in (CART.A, CART.B, CART.M, CART.R))
        x = s @ A.T + a @ B.T
        quadratic = [((y @ form) * y).sum(-1) for y, form in ((s, M), (a, R), (x, self.P))]
        return -(quadratic[0] + quadratic[1] + CART.gamma * quadratic[2])


def test_exact_critic_and_the_policys_own_states_leave_no_angle():
    K = [[2.0, 1.5]]
    agent = agent_with([K])
    agent.critic = ExactCritic(K)
    root = np.linalg.cholesky(CART.Sigma(K))  # two states with the moments of all visits
    agent.states.append(torch.tensor(root.T[None].copy()))
    measured = measure(agent)
    assert measured["angle"][0] < 1e-4 and measured["memory_angle"][0] < 1e-4
    assert np.isclose(measured["gap"][0], CART.J(CART.optimal_gain()) - CART.J(K))


def test_a_critic_upside_down_turns_the_gradient_around_and_spares_the_memory():
    K = [[2.0, 1.5]]
    agent, exact = agent_with([K]), ExactCritic(K)
    agent.critic = lambda s, a: -exact(s, a)
    agent.states.append(torch.tensor(np.linalg.cholesky(CART.Sigma(K)).T[None].copy()))
    measured = measure(agent)
    assert measured["angle"][0] > 179.9 and measured["memory_angle"][0] < 1e-4


def test_an_unstable_gain_is_refused():
    agent = agent_with([[[1.0, 1.0]], [[-5.0, 0.0]]])
    agent.states.append(torch.ones(2, 3, 2, dtype=torch.float64))
    with pytest.raises(UnstableGainError):
        measure(agent)


def test_angles_by_hand():
    x, y = np.array([[[1.0, 0.0]], [[1.0, 0.0]]]), np.array([[[0.0, 2.0]], [[-3.0, 3.0]]])
    assert np.allclose(angle(x, y), [90, 135])


def test_written_and_read_again(tmp_path):
    torch.set_num_threads(1)
    steps, columns = linear_actor.run(SHORT)
    assert steps.tolist() == [600]  # at 300 nothing had been learned yet
    linear_actor.write(tmp_path, SHORT)
    steps_read, columns_read = read_table(tmp_path / "linear-actor.csv")
    assert steps_read.tolist() == [600] and columns_read.keys() == columns.keys()
    for name, values in columns.items():
        assert values.shape == (1, 2) and np.allclose(columns_read[name], values, rtol=1e-6)


def test_warm_up_stays_near_zero():
    agent = agent_with([[[1.0, 1.0]]] * 200)
    assert 2 < agent.random_action().std() < 4  # 3 m/s², and not the 17 of the whole box
