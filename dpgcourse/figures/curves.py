"""Learning curves over seeds."""

import matplotlib.pyplot as plt
import numpy as np

from dpgcourse.analysis.statistics import mean_interval
from dpgcourse.figures.style import COMPOSITE, REFERENCE, label_right

_MIN_INTERVAL_SEEDS = 5  # a bootstrap interval of fewer seeds means little


def learning_curve(
    steps: np.ndarray, per_seed: np.ndarray, references: dict[str, float] | None = None, ax=None
):
    """Draw every seed thinly, and the mean over seeds; from five seeds on, its 95% interval.

    Args:
        steps: environment steps at each evaluation, (k,).
        per_seed: mean return of each evaluation and seed, (k, S).
        references: horizontal lines, label -> return.
        ax: axes to draw on; default the current ones.

    Returns:
        The axes.
    """
    ax = plt.gca() if ax is None else ax
    seeds = per_seed.shape[1]
    ax.plot(steps, per_seed, color=COMPOSITE, alpha=0.35, linewidth=1)
    ax.plot(steps, per_seed.mean(1), color=COMPOSITE, label=f"mean of {seeds} seeds")
    if seeds >= _MIN_INTERVAL_SEEDS:
        low, high = mean_interval(per_seed)
        band = "95% bootstrap interval of the mean"
        ax.fill_between(steps, low, high, color=COMPOSITE, alpha=0.25, linewidth=0, label=band)
    for label, value in (references or {}).items():
        ax.axhline(value, color=REFERENCE, linestyle="--", linewidth=1)
        label_right(ax, label, value)
    ax.set(xlabel="environment steps per seed", ylabel="return of a noiseless episode")
    ax.legend(loc="lower right")
    return ax
