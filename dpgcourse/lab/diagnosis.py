"""Chapter 12: name the bug of a run from what it logged and from its probes, never from its code.

Every rule asks one question of one quantity. The first that is answered yes names the bug; where
none is, nothing was found, which is less than a proof of health.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

LAST = 3  # evaluations that a logged quantity is averaged over
HEALTHY = "ddpg"


@dataclass(frozen=True)
class Rule:
    """A symptom and the bug it betrays.

    Attributes:
        bug: what is named, as in `dpgcourse.agent.bugs.BUGS`.
        quantity: a key of `evidence`.
        limit: a threshold, from the equations of chapter 12; three were moved after a first look.
        symptom: what is the case beyond the threshold.
        below: whether the symptom lies below the limit; else above.
    """

    bug: str
    quantity: str
    limit: float
    symptom: str
    below: bool = False

    def fires(self, evidence: Mapping[str, np.ndarray]) -> np.ndarray:
        """Whether each seed shows the symptom, (S,)."""
        value = evidence[self.quantity]
        return value < self.limit if self.below else value > self.limit


RULES = (
    Rule("double-scaling", "act_gap", 0.01, "what is executed is not μ(s)"),
    Rule("truncated-as-done", "terminal", 0.001, "ends are stored where nothing ends"),
    Rule("column-target", "explained", 2.0, "the values vary hardly more than their errors", True),
    Rule("frozen-targets", "lag", 1.0, "the target is further off than the critic moves"),
    Rule("stale-gradients", "constant_reward", 12.5, "reward 1 is worth more than 1/(1 − γ)"),
    Rule("no-detach", "coin", 1.5, "values are pulled toward what came before", True),
    Rule("wrong-sign", "uphill", 0.5, "the actor descends its own critic", True),
    Rule("replay-action", "missed", 0.3, "the actor misses a target in plain view"),
    Rule("target-critic-in-actor", "missed_slow", 0.3, "it misses where only targets are slow"),
    Rule("shared-noise", "noise_correlation", 0.5, "two entries share their noise"),
)
"""In the order in which they are asked."""


def evidence(
    log: Mapping[str, np.ndarray], probes: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """One number per seed for every quantity that the rules ask about, (S,) each.

    Args:
        log: quantities of `dpgcourse.lab.diagnostics`, (k, S) each; the last three count.
        probes: answers of `dpgcourse.lab.probes`, (S,) each.
    """
    last = {name: np.asarray(values)[-LAST:].mean(0) for name, values in log.items()}
    derived = {
        "uphill": (np.asarray(log["climb"]) > 0).mean(0),
        "explained": last["q_std"] / last["delta_rms"],
        "lag": last["target_lag"] / last["critic_moved"],
        "missed": np.abs(probes["aim"] - 1),
        "missed_slow": np.abs(probes["aim_slow_targets"] - 1),
    }
    return {**last, **probes, **derived}


def diagnose(evidence: Mapping[str, np.ndarray]) -> list[str]:
    """The bug of each seed by the first rule that fires; "ddpg" where none does."""
    fired = np.array([rule.fires(evidence) for rule in RULES])  # (rules, S)
    names = [rule.bug for rule in RULES]
    return [names[column.argmax()] if column.any() else HEALTHY for column in fired.T]
