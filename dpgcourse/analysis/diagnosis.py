"""Chapter 13: name the bug of a run from its log and its sanity checks, not from its code.

Every rule compares one quantity with a limit. The first rule that fires names the bug. Five more
rules catch what has no name: they say that something is wrong, and not what. If no rule fires, no
bug was found, which does not prove that there is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

LAST_EVALUATIONS = 3  # evaluations that a logged quantity is averaged over
HEALTHY = "ddpg"
UNNAMED = "unnamed"  # what a rule says that knows no bug


@dataclass(frozen=True)
class Rule:
    """A symptom and the bug that it points to.

    Attributes:
        bug: what is named, as in `dpgcourse.agents.faulty.FAULTY_AGENTS`.
        quantity: a key of `evidence`.
        limit: from the equations of chapter 13; four limits were adjusted on the runs in
            ``results/bugs``.
        symptom: what the quantity shows beyond the limit.
        below: whether the rule fires below the limit; else it fires above.
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
    Rule("double-scaling", "execution_error", 0.01, "what is executed is not μ(s)"),
    Rule("truncated-as-done", "terminal_fraction", 0.001, "ends are stored where nothing ends"),
    Rule(
        "broadcast-target", "explained", 2.0, "the values vary hardly more than their errors", True
    ),
    Rule("frozen-targets", "lag", 1.0, "the target network is farther away than the critic moves"),
    Rule(
        "missing-zero-grad", "constant_reward_value", 12.5, "reward 1 is worth more than 1/(1 − γ)"
    ),
    Rule(
        "no-detach",
        "random_sign_value",
        1.5,
        "the values of the states 1 and −1 are too close",
        True,
    ),
    Rule("wrong-sign", "uphill", 0.4, "the actor descends its own critic", True),
    Rule("replay-action", "slope_error", 0.3, "the policy of a one-step task has a wrong slope"),
    Rule(
        "target-critic-in-actor",
        "slope_error_slow_targets",
        0.3,
        "its slope is wrong with slow targets",
    ),
    Rule("shared-noise", "noise_correlation", 0.5, "two entries share their noise"),
)
"""In the order in which they are asked."""

STILL_ACTOR = Rule(UNNAMED, "actor_change", 1e-6, "the actor does not move", True)
"""Asked before `RULES`: an actor that does not move climbs nothing, and descends nothing either."""

CATCH_ALL = (
    STILL_ACTOR,
    Rule(UNNAMED, "saturation", 0.98, "the actor asks for a bound in nearly every state"),
    Rule(UNNAMED, "gap_size", 45.0, "the critic is far from the truth"),
    Rule(UNNAMED, "lag", 0.01, "the target networks are the trained ones", True),
    Rule(UNNAMED, "explained", 10.0, "the errors are large beside the spread of the values", True),
)
"""Asked after `RULES`, but for the first.

The limit of the gap is in points of return, and belongs to the pendulum. A critic that drifts
steadily lags by 1/(1000 τ), which is 0.1 for τ = 0.01 and 1,000 updates between evaluations. The
last two rules were written after a look at ``results/bugs-field``, and before the fresh seeds.
"""


def evidence(
    log: Mapping[str, np.ndarray], checks: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """One number per seed for every quantity that the rules ask about, (S,) each.

    Args:
        log: quantities of `dpgcourse.training.diagnostics`, (k, S) each; the last three count.
        checks: answers of `dpgcourse.analysis.sanity_checks`, (S,) each.
    """
    last = {name: np.asarray(values)[-LAST_EVALUATIONS:].mean(0) for name, values in log.items()}
    derived = {
        "uphill": (np.asarray(log["policy_improvement"]) > 0).mean(0),
        "explained": last["q_std"] / last["td_error_rms"],
        "lag": last["target_lag"] / last["critic_change"],
        "gap_size": np.abs(last["value_gap"]),
        "slope_error": np.abs(checks["bandit_slope"] - 1),
        "slope_error_slow_targets": np.abs(checks["bandit_slope_slow_targets"] - 1),
    }
    return {**last, **checks, **derived}


def first_rules(evidence: Mapping[str, np.ndarray]) -> list[Rule | None]:
    """The first rule that fires for each seed; None if none does."""
    rules = (STILL_ACTOR, *RULES, *CATCH_ALL)
    fired = np.array([rule.fires(evidence) for rule in rules])  # (rules, S)
    return [rules[column.argmax()] if column.any() else None for column in fired.T]


def diagnose(evidence: Mapping[str, np.ndarray]) -> list[str]:
    """The bug of each seed by the first rule that fires; "ddpg", the right agent, if none does.

    A seed that only a rule of `CATCH_ALL` speaks for is "unnamed".
    """
    return [rule.bug if rule else HEALTHY for rule in first_rules(evidence)]
