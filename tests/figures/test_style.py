import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb, to_rgba

from dpgcourse.figures import style


def test_an_arrow_runs_from_its_tail_to_its_head():
    fig, ax = plt.subplots()
    ax.set(xlim=(0, 4), ylim=(0, 4))
    assert style.arrow((1, 1), (2, 3), style.ACTOR, ax, linestyle="--") is ax
    fig.canvas.draw()
    patch = ax.texts[0].arrow_patch
    assert patch.get_linestyle() == "--"
    assert patch.get_edgecolor() == to_rgba(style.ACTOR)
    shaft, tip = patch.get_transform().transform_path(patch.get_path()).vertices, (2, 3)
    for point in ((1, 1), tip):
        gap = np.linalg.norm(shaft - ax.transData.transform(point), axis=1).min()
        assert gap < 5  # pixels of several hundred
    plt.close(fig)


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
