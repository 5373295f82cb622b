"""The look of every figure, and the drawings that more than one chapter uses.

One colour per role throughout the course: Q and the critic are blue, the action and the actor
orange, the composite ℓ and returns green, and whatever is wrong is purple. The palette is that of
Okabe and Ito, chosen to survive colour blindness. Helpers take ``ax=None``, never compute
results, never set a backend, and return the axes.
"""

import matplotlib.pyplot as plt

CRITIC = "#0072B2"
ACTOR = "#D55E00"
COMPOSITE = "#009E73"
WRONG = "#AA4499"
REFERENCE = "#6B6B6B"

STYLE = {
    "figure.figsize": (7.0, 3.0),
    "figure.dpi": 144,
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
