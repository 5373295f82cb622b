import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb, to_rgba

from dpgcourse.figures import style


def test_an_arrow_runs_from_its_tail_to_its_head():
    fig, ax = plt.subplots()
    ax.set(xlim=(0, 4), ylim=(0, 4))
    assert style.arrow((1, 1), (2, 3), style.ACTOR, ax, linestyle="--", linewidth=1) is ax
    fig.canvas.draw()
    patch = ax.texts[0].arrow_patch
    assert patch.get_linestyle() == "--" and patch.get_linewidth() == 1
    assert ax.texts[0].xy == (2, 3) and patch.get_arrowstyle().arrow == "-|>"  # a tip at its head
    assert patch.get_edgecolor() == to_rgba(style.ACTOR)
    shaft, tip = patch.get_transform().transform_path(patch.get_path()).vertices, (2, 3)
    for point in ((1, 1), tip):
        gap = np.linalg.norm(shaft - ax.transData.transform(point), axis=1).min()
        assert gap < 5  # pixels of several hundred
    plt.close(fig)


def test_a_label_on_the_right_stands_beside_the_axes_at_its_height():
    fig, ax = plt.subplots()
    ax.set(ylim=(0, 40))
    style.label_right(ax, "a line", 10.0, style.ACTOR)
    (label,) = ax.texts
    fig.canvas.draw()
    box, frame = label.get_window_extent(), ax.get_window_extent()
    assert (box.y0 + box.y1) / 2 == pytest.approx(ax.transData.transform((0, 10.0))[1], abs=3)
    assert 0 < box.x0 - frame.x1 < 20  # pixels
    assert label.get_color() == style.ACTOR
    plt.close(fig)


def test_the_course_style_holds_for_every_figure_from_then_on():
    with plt.rc_context(style.STYLE):
        wanted = {name: plt.rcParams[name] for name in style.STYLE}
    with plt.rc_context():
        plt.rcdefaults()
        style.use_course_style()
        assert {name: plt.rcParams[name] for name in style.STYLE} == wanted


def test_importing_chooses_no_backend():
    code = (
        "import matplotlib; matplotlib.use('svg'); from dpgcourse.figures import style; "
        "style.use_course_style(); assert matplotlib.get_backend() == 'svg'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_role_colors_stand_out_from_the_page():
    def luminance(color):
        channels = np.array(to_rgb(color))
        linear = np.where(
            channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        return linear @ [0.2126, 0.7152, 0.0722]

    for color in (style.CRITIC, style.ACTOR, style.COMPOSITE, style.WRONG, style.REFERENCE):
        contrast = 1.05 / (luminance(color) + 0.05)
        assert contrast >= 3, f"{color} has contrast {contrast:.2f}; WCAG asks 3 of graphics"
