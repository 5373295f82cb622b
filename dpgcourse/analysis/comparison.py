"""Whether two agents differ, judged by one standard everywhere in the book.

Both are evaluated on the same start states. Where they were trained with the same seeds, each seed
is compared with itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dpgcourse.analysis.statistics import (
    detectable_difference,
    difference_interval,
    mean_interval,
    paired_difference_interval,
)


@dataclass(frozen=True)
class Comparison:
    """The difference of two means over seeds.

    Attributes:
        difference: mean(a) - mean(b).
        low, high: ends of its 95% interval.
        paired: whether each seed was compared with itself.
        seeds_above: in how many of the seeds a is above b; None if they are not paired.
        detectable: the difference that would show with a probability of 80%.
    """

    difference: float
    low: float
    high: float
    paired: bool
    seeds_above: int | None
    detectable: float

    @property
    def shows(self) -> bool:
        """Whether the interval leaves out 0."""
        return not self.low <= 0 <= self.high


def compare(a: Mapping[int, float], b: Mapping[int, float]) -> Comparison:
    """Compare two groups of trained agents.

    Args:
        a, b: seed -> score. Equal seeds are paired, other seeds are not.

    Raises:
        ValueError: fewer than two seeds.

    >>> compare({0: 5.0, 1: 106.0, 2: 57.0}, {0: 3.0, 1: 105.0, 2: 54.0}).shows
    True
    """
    paired = set(a) == set(b)
    x = np.array([a[seed] for seed in sorted(a)])
    y = np.array([b[seed] for seed in sorted(b)])
    interval = paired_difference_interval if paired else difference_interval
    low, high = interval(x, y)
    return Comparison(
        difference=float(x.mean() - y.mean()),
        low=float(low),
        high=float(high),
        paired=paired,
        seeds_above=int((x > y).sum()) if paired else None,
        detectable=detectable_difference(x, y, paired),
    )


def table(scores: Mapping[str, Mapping[int, float]], min_seeds: int = 5) -> list[str]:
    """Lines for a terminal: the mean of each record with its interval, and the differences.

    Args:
        scores: name -> seed -> score; the others are compared with the first.
        min_seeds: a record with fewer seeds gets no interval.
    """
    width = max(20, *(len(name) for name in scores))
    lines = [
        f"{'record':{width}} {'seeds':>5} {'mean':>9} {'95% interval':>20} {'lowest':>9} "
        f"{'highest':>9}"
    ]
    for name, by_seed in scores.items():
        values = np.array(list(by_seed.values()))
        band = "too few seeds"
        if len(values) >= min_seeds:
            band = "{:.1f} to {:.1f}".format(*mean_interval(values))
        lines.append(
            f"{name:{width}} {len(values):5} {values.mean():9.1f} {band:>20} "
            f"{values.min():9.1f} {values.max():9.1f}"
        )
    first, *others = scores
    enough = [name for name in others if min(len(scores[first]), len(scores[name])) >= min_seeds]
    if not enough:
        return lines
    lines += ["", f"minus {first}, on the same starts"]
    lines.append(
        f"{'record':{width}} {'paired':>6} {'difference':>10} {'95% interval':>20} "
        f"{'would show from':>16}"
    )
    for name in enough:
        found = compare(scores[name], scores[first])
        band = f"{found.low:.1f} to {found.high:.1f}"
        lines.append(
            f"{name:{width}} {'yes' if found.paired else 'no':>6} {found.difference:10.1f} "
            f"{band:>20} {found.detectable:16.1f}"
        )
    return lines
