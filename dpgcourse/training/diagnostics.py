"""What is logged at every evaluation: enough to tell a failing run from a healthy one, and why.

All of it is measured through the agent's contract with the formulas of chapter 11, whatever the
algorithm's own steps do, so that the numbers of a run with a bug say what the bug has done. The
measurement uses no random numbers and changes nothing in the agent: a run is the same with and
without it.

Most quantities use 256 transitions at equal distances in the replay buffer.
``action_noise_correlation`` uses the latest 256. ``terminal_fraction`` uses all, because equal
distances could miss ends that come regularly. The states s_0 are those that the evaluation began
in. The measured return stops at the time limit, but Q counts later rewards too. So even an exact Q
shows a ``value_gap`` of about γ^T Q(s_T, μ(s_T)) after T steps.
"""

import contextlib

import numpy as np

from dpgcourse.agents.base import flat_parameters
from dpgcourse.agents.replay_buffer import ReplayBuffer
from dpgcourse.training.evaluation import Evaluation

QUANTITIES = {
    "q_mean": "mean of Q(s, a)",
    "q_std": "standard deviation of Q(s, a)",
    "td_error_mean": "mean of the TD error y - Q(s, a), y from the target networks",
    "td_error_rms": "root mean square of the TD error",
    "action_gradient_norm": "mean length of dQ/da at a = mu(s), in value per half-range",
    "saturation": "share of the entries of the executed policy beyond 0.99 of the half-range",
    "terminal_fraction": "share of the stored transitions that count as ends of the task",
    "execution_error": "mean distance of the executed policy from mu(s), in half-ranges",
    "actor_change": "distance of the actor's parameters from the previous evaluation's",
    "critic_change": "distance of the critic's parameters from the previous evaluation's",
    "policy_improvement": "mean of Q(s, mu(s)) - Q(s, mu_before(s)), mu_before one evaluation ago",
    "target_lag": "distance of the target critic's parameters from the critic's",
    "action_noise_correlation": "mean size of the correlation of two entries of a - mu(s)",
    "value_gap": "mean of Q(s_0, mu(s_0)) minus the discounted return from s_0",
    "value_gap_rms": "root mean square of the same difference, where errors do not cancel",
}
"""Every logged quantity. Those with Q or a TD error are left out for an agent without a critic.

Values, TD errors and gaps have the unit of the return. Changes and distances of parameters are
Euclidean.
"""

_BATCH_SIZE = 256  # transitions
_SATURATION_LEVEL = 0.99  # of the half-range


class Diagnostics:
    """Measures one agent again and again; each call also remembers it for the next.

    Attributes:
        state_before: the agent's `state` when it was measured last, or at the start.
    """

    def __init__(self, agent):
        self.agent = agent
        self.remember()

    def remember(self) -> None:
        """Let the agent as it is now be what the next call compares with."""
        self.state_before = self.agent.state()
        self.policy_before = self.agent.policy_snapshot()

    def __call__(self, replay: ReplayBuffer, evaluation: Evaluation) -> dict[str, np.ndarray]:
        """The quantities of `QUANTITIES`, each (S,)."""
        agent, box = self.agent, self.agent.box
        number = min(_BATCH_SIZE, replay.size)
        b = replay.transitions_at(np.linspace(0, replay.size - 1, number).astype(int))
        latest = replay.transitions_at(np.arange(replay.size - number, replay.size))
        a, executed = agent.policy(b.s), agent.act(b.s)
        saturated = np.abs(executed - box.center) > _SATURATION_LEVEL * box.half_range
        log = {
            "saturation": saturated.mean((-2, -1)),
            "terminal_fraction": replay.terminated_fraction(),
            "execution_error": _length((executed - a) / box.half_range).mean(-1),
            "action_noise_correlation": entry_correlation(latest.a - agent.policy(latest.s)),
            **self._of_parameters(),
        }
        with contextlib.suppress(NotImplementedError):  # an agent without a critic
            log |= self._of_critic(b, a, evaluation)
        self.remember()
        return {name: log[name] for name in QUANTITIES if name in log}

    def _of_parameters(self) -> dict[str, np.ndarray]:
        state, log = self.agent.state(), {}
        now = {name: flat_parameters(state, name) for name in ("actor", "critic", "critic_target")}
        for name in ("actor", "critic"):
            if (before := flat_parameters(self.state_before, name)) is not None:
                log[f"{name}_change"] = _length(now[name] - before)
        if now["critic_target"] is not None:
            log["target_lag"] = _length(now["critic"] - now["critic_target"])
        return log

    def _of_critic(self, b, a: np.ndarray, evaluation: Evaluation) -> dict[str, np.ndarray]:
        agent = self.agent
        q = agent.q(b.s, b.a)
        y = b.r + agent.config.gamma * (1 - b.terminated) * agent.bootstrap_value(b.s_next)
        improvement = agent.q(b.s, a) - agent.q(b.s, self.policy_before(b.s))
        g = agent.dq_da(b.s, a) * agent.box.half_range
        gaps = value_gaps(agent, evaluation)
        return {
            "q_mean": q.mean(-1),
            "q_std": q.std(-1),
            "td_error_mean": (y - q).mean(-1),
            "td_error_rms": np.sqrt(((y - q) ** 2).mean(-1)),
            "action_gradient_norm": _length(g).mean(-1),
            "policy_improvement": improvement.mean(-1),
            "value_gap": gaps.mean(-1),
            "value_gap_rms": np.sqrt((gaps**2).mean(-1)),
        }


def value_gap(agent, evaluation: Evaluation) -> np.ndarray:
    """Mean over the evaluation's episodes of Q(s_0, μ(s_0)) minus the discounted return, (S,)."""
    return value_gaps(agent, evaluation).mean(-1)


def value_gaps(agent, evaluation: Evaluation) -> np.ndarray:
    """Q(s_0, μ(s_0)) minus the discounted return, for each episode of an evaluation, (S, E).

    It has the unit of the return. If positive, the critic promises more than the policy earns.
    """
    predicted = agent.q(evaluation.start_states, agent.policy(evaluation.start_states))
    return predicted - evaluation.discounted


def entry_correlation(x: np.ndarray) -> np.ndarray:
    """Mean size of the correlations between entries of the last axis: (S, B, m) to (S,).

    It is 0 for a single entry and for a single row.
    """
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
