"""What is logged at every evaluation: enough to tell a sick run from a well one, and why.

All of it is measured with the formulas of chapter 11, whatever the method's own steps do, so that
the numbers of a run with a bug say what the bug has done. Nothing is drawn and nothing is changed:
a run is the same with and without it.

| quantity | is |
|---|---|
| ``q_mean``, ``q_std`` | mean and standard deviation of Q(s, a) |
| ``delta_mean`` | mean of the TD error: what the critic is short of its own targets |
| ``delta_rms`` | root mean square of the TD error, targets from the target networks |
| ``g_norm`` | mean length of ∇_aQ at a = μ(s), in value per half-range of the action |
| ``saturation`` | share of the entries of the executed policy beyond 0.99 of the half-range |
| ``terminal`` | share of the transitions that are stored as ends of the task |
| ``act_gap`` | mean distance of the executed policy from μ(s), in half-ranges |
| ``actor_moved``, ``critic_moved`` | distance of the parameters from the previous evaluation's |
| ``climb`` | mean of Q(s, μ(s)) − Q(s, μ_then(s)): what the critic thinks the actor gained |
| ``target_lag`` | distance of the target critic's parameters from the critic's |
| ``noise_alike`` | mean size of the correlation between two entries of a − μ(s); 0 for one entry |
| ``value_gap`` | mean of Q(s_0, μ(s_0)) minus the discounted return from s_0 |

The transitions are 256 that lie evenly in the replay; for ``noise_alike`` the 256 latest, and for
``terminal`` all of them, since ends come at even distances too. The states s_0 are those that the
evaluation began in. Discounting ends with the episode, so a time limit of T steps leaves a
``value_gap`` of up to γ^T V even where Q is exact.
"""

import copy

import numpy as np
import torch

from dpgcourse.agent.batch import Batch
from dpgcourse.agent.replay import Replay
from dpgcourse.lab.evaluation import Evaluation
from dpgcourse.lab.finite import parameters

SIZE = 256  # transitions
EDGE = 0.99  # of the half-range


class Diagnostics:
    """Measures one agent again and again; each call also remembers it for the next."""

    def __init__(self, agent):
        self.agent = agent
        self._remember()

    def _remember(self) -> None:
        self.actor = copy.deepcopy(self.agent.actor)
        self.critic = parameters(self.agent.critic).copy()

    def __call__(self, replay: Replay, evaluation: Evaluation) -> dict[str, np.ndarray]:
        """The quantities of the table above, each (S,)."""
        agent, squash = self.agent, self.agent.squash
        b = replay.at(np.linspace(0, replay.size - 1, min(SIZE, replay.size)).astype(int))
        q, a = value(agent.critic, b.s, b.a), policy(agent.actor, b.s)
        delta = self._target(b) - q
        executed = agent.act(b.s)
        moved = parameters(agent.actor) - parameters(self.actor)
        w = parameters(agent.critic)
        climb = value(agent.critic, b.s, a) - value(agent.critic, b.s, policy(self.actor, b.s))
        latest = replay.at(np.arange(replay.size - min(SIZE, replay.size), replay.size))
        log = {
            "q_mean": q.mean(-1),
            "q_std": q.std(-1),
            "delta_mean": delta.mean(-1),
            "delta_rms": np.sqrt((delta**2).mean(-1)),
            "g_norm": _length(slope(agent.critic, b.s, a) * squash.half_range).mean(-1),
            "saturation": (np.abs(executed - squash.center) > EDGE * squash.half_range).mean(
                (-2, -1)
            ),
            "terminal": replay.ends(),
            "act_gap": _length((executed - a) / squash.half_range).mean(-1),
            "actor_moved": _length(moved),
            "critic_moved": _length(w - self.critic),
            "climb": climb.mean(-1),
            "target_lag": _length(w - parameters(agent.critic_target)),
            "noise_alike": alike(latest.a - policy(agent.actor, latest.s)),
            "value_gap": value_gap(agent, evaluation),
        }
        self._remember()
        return log

    def _target(self, b: Batch) -> np.ndarray:
        agent = self.agent
        a_next = policy(agent.actor_target, b.s_next)
        q_next = value(agent.critic_target, b.s_next, a_next)
        return b.r + agent.config.gamma * (1 - b.terminated) * q_next


def policy(actor, s: np.ndarray) -> np.ndarray:
    """μ(s), (S, B, m), of an actor in torch or by hand."""
    if isinstance(actor, torch.nn.Module):
        with torch.no_grad():
            return actor(torch.from_numpy(s)).numpy()
    return actor.mu(s)[0]


def value(critic, s: np.ndarray, a: np.ndarray) -> np.ndarray:
    """Q(s,a), (S, B), of a critic in torch or by hand."""
    if isinstance(critic, torch.nn.Module):
        with torch.no_grad():
            return critic(torch.from_numpy(s), torch.from_numpy(a)).numpy()
    return critic.Q(s, a)[0]


def slope(critic, s: np.ndarray, a: np.ndarray) -> np.ndarray:
    """∇_aQ(s,a), (S, B, m), of a critic in torch or by hand."""
    if isinstance(critic, torch.nn.Module):
        leaf = torch.from_numpy(a).requires_grad_()
        (g,) = torch.autograd.grad(critic(torch.from_numpy(s), leaf).sum(), leaf)
        return g.numpy()
    return critic.dQ_da(s, a)


def value_gap(agent, evaluation: Evaluation) -> np.ndarray:
    """Mean of Q(s_0, μ(s_0)) minus the discounted return from s_0, (S,)."""
    start = evaluation.start.astype(parameters(agent.actor).dtype)
    believed = value(agent.critic, start, policy(agent.actor, start))
    return (believed - evaluation.discounted).mean(-1)


def alike(x: np.ndarray) -> np.ndarray:
    """Mean size of the correlations between the last axis' entries: (S, B, m) to (S,)."""
    m = x.shape[-1]
    if m == 1 or x.shape[-2] == 1:
        return np.zeros(len(x))
    x = x - x.mean(-2, keepdims=True)
    norm = np.linalg.norm(x, axis=-2, keepdims=True)
    x = x / np.where(norm == 0, 1, norm)
    c = x.mT @ x  # (S, m, m)
    return np.abs(c[:, *np.triu_indices(m, 1)]).mean(-1)


def _length(x: np.ndarray) -> np.ndarray:
    return np.linalg.norm(x, axis=-1)
