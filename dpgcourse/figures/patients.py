"""Chapter 13: recorded runs as patients of the explorable ``diagnosis``.

Each patient is one seed of a record, with what was logged at its evaluations, the answers of its
probes, and the evidence that `dpgcourse.analysis.diagnosis` judges. Nothing is trained here.
"""

from pathlib import Path

import numpy as np

from dpgcourse.agents.faulty import FAULTY_AGENTS
from dpgcourse.analysis import diagnosis, sanity_checks
from dpgcourse.training.record import Record, read_record

PATIENTS = (
    ("broadcast-target", 201),
    ("truncated-as-done", 205),
    ("wrong-sign", 203),
    ("missing-zero-grad", 202),
    ("ddpg", 202),
    ("replay-action", 204),
    ("double-scaling", 200),
    ("frozen-targets", 205),
)
"""Mistake and seed. In the second, fourth and last but one the return alone looks well."""

LOGGED = (
    "value_gap",
    "saturation",
    "action_gradient_norm",
    "execution_error",
    "terminal_fraction",
)


def game(healthy: Record, folder: Path) -> dict:
    """What the explorable needs, as JSON can hold it.

    Args:
        healthy: the record that patients are compared with.
        folder: holds a record for each of `PATIENTS`, and ``sanity_checks.csv``.

    Returns:
        The steps of the evaluations; for each logged instrument the lowest and highest values of
        the healthy seeds; the patients; the rules; and what each mistake is. Instruments have the
        names that the rules use.
    """
    answers = sanity_checks.read(folder / "sanity_checks.csv")
    bands = {name: [x.min(1), x.max(1)] for name, x in _curves(healthy).items()}
    return {
        "steps": healthy.steps.tolist(),
        "bands": {name: [_short(x) for x in band] for name, band in bands.items()},
        "patients": [_patient(folder, *patient, answers) for patient in PATIENTS],
        "rules": [
            {"bug": x.bug, "quantity": x.quantity, "limit": x.limit, "below": x.below}
            | {"symptom": x.symptom}
            for x in diagnosis.RULES
        ],
        "mistakes": {name: agent.__doc__ for name, agent in FAULTY_AGENTS.items()},
    }


def _curves(record: Record) -> dict[str, np.ndarray]:
    """One value per evaluation and seed for each instrument, (k, S)."""
    log = record.log
    with np.errstate(divide="ignore", invalid="ignore"):  # before the first update nothing moves
        quotients = {
            "explained": log["q_std"] / log["td_error_rms"],
            "lag": log["target_lag"] / log["critic_change"],
        }
    logged = {x: log[x] for x in LOGGED} | {"uphill": log["policy_improvement"]}
    return {"return": record.returns.mean(-1), **logged, **quotients}


def _patient(folder: Path, bug: str, seed: int, answers) -> dict:
    record = read_record(folder / bug)
    i = record.config.seeds.index(seed)
    evidence = diagnosis.evidence(record.log, answers[bug])
    evidence["return"] = record.returns[-diagnosis.LAST_EVALUATIONS :].mean((0, 2))
    asked = {x.quantity for x in diagnosis.RULES}
    asked |= {"return", *LOGGED}
    return {
        "bug": bug,
        "seed": seed,
        "curves": {name: _short(x[:, i]) for name, x in _curves(record).items()},
        "evidence": {name: _short(evidence[name][i]) for name in sorted(asked)},
    }


def _short(x):
    """Numbers with three digits that count; None where there is none."""
    if np.ndim(x):
        return [_short(entry) for entry in x]
    return float(f"{x:.3g}") if np.isfinite(x) else None
