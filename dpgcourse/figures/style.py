"""The look of every figure: colors, style, and marks that more than one chapter uses.

One color per role throughout the course: Q and the critic are blue, the action and the actor
orange, the composite ℓ and returns green, and whatever is wrong is purple. The palette is that of
Okabe and Ito, chosen to survive color blindness. Helpers take ``ax=None``, never compute
results, never set a backend, and return the axes.
"""

from typing import Any

import matplotlib.pyplot as plt

CRITIC = "#0072B2"
ACTOR = "#D55E00"
COMPOSITE = "#009E73"
WRONG = "#AA4499"
REFERENCE = "#6B6B6B"

STYLE: dict[Any, Any] = {
    # At most 5.8 inches wide: on a phone, 390 pixels wide, 10 points are still 9 pixels.
    "figure.figsize": (5.8, 3.0),
    "figure.dpi": 192,  # two pixels per CSS pixel
    "savefig.pad_inches": 0.05,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E6E6E6",
    "axes.axisbelow": True,
    "axes.titlesize": 11,
    "axes.labelsize": 10,
    "axes.prop_cycle": plt.cycler(color=[CRITIC, ACTOR, COMPOSITE, WRONG, REFERENCE]),
    "lines.linewidth": 2.0,
    "legend.frameon": False,
    "font.size": 10,
}


def use_course_style() -> None:
    """Apply the course's style to every figure drawn from now on."""
    plt.rcParams.update(STYLE)


def label_right(ax, text: str, y: float, color: str = "black") -> None:
    """Write a label beside the axes, on their right, at the height y of the data."""
    ax.annotate(
        text,
        (1, y),
        xycoords=("axes fraction", "data"),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        color=color,
    )


def arrow(tail, head, color: str, ax=None, **look):
    """Draw an arrow that begins at the point tail and whose tip touches head.

    Args:
        tail, head: points (x, y) in the units of the axes. They do not widen the limits.
        color: of the shaft and the tip.
        ax: axes to draw on; default the current ones.
        look: anything else that matplotlib's ``FancyArrowPatch`` knows, such as ``linestyle``.

    Returns:
        The axes.
    """
    ax = plt.gca() if ax is None else ax
    shape = {"arrowstyle": "-|>", "linewidth": 2, "shrinkA": 0, "shrinkB": 0, "color": color}
    ax.annotate("", head, tail, arrowprops=shape | look)
    return ax
