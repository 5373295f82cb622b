"""What makes the pages light: it takes away no sign of a formula, and no rule that is needed."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import sphinxcontrib.katex as katex
from bs4 import BeautifulSoup
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "book/_ext"))
import course_html  # noqa: E402
import lean_formulas  # noqa: E402
import lean_pages  # noqa: E402
import lean_styles  # noqa: E402

FORMULAS = [
    "x",
    "s_t",
    r"\nabla_u \ell(u) = J^\top g",
    r"\rho_u^\top = p_0^\top + \gamma\,\rho_u^\top P_u",
    r"\frac{1}{1 - \gamma}\sum_{t \ge 0} \gamma^t \Pr(s_t = s)",
    r"\begin{aligned} a &= \mu(s, u) \\ &= \tanh\bigl(\tfrac{1}{2} u s\bigr) \end{aligned}",
    r"\left\| \sqrt{x^2 + y_{i_j}} \right\| \quad\text{so } \hat{Q} \in \mathbb{R}^n",
]


@pytest.fixture(scope="module")
def render():
    """KaTeX as the book calls it, without what makes its formulas light."""
    katex.NODEJS_BINARY = str(course_html.NODE)
    katex.KaTeXServer.start_server_process = course_html._start_katex
    return katex.render_latex


def signs(html: str, part: str) -> str:
    """What is read in a part of a formula."""
    tree = BeautifulSoup(html, "html.parser")
    for source in tree.select("annotation"):
        source.decompose()
    return re.sub(r"[\s​]", "", tree.select_one(part).get_text())


@pytest.mark.parametrize("latex", FORMULAS)
@pytest.mark.parametrize("display", [False, True])
def test_a_lean_formula_has_the_same_signs_and_fewer_elements(render, latex, display):
    heavy = render(latex, {"displayMode": display})
    light = lean_formulas.lean(heavy)
    for part in (".katex-html", ".katex-mathml"):
        assert signs(light, part) == signs(heavy, part) != ""
    elements = [len(BeautifulSoup(html, "html.parser").find_all()) for html in (light, heavy)]
    assert elements[0] <= 0.75 * elements[1]


def test_spaces_become_margins_of_the_same_width(render):
    light = lean_formulas.lean(render("a = b"))
    assert "mspace" not in light
    margins = [float(m) for m in re.findall(r"margin-(?:left|right):(\.\d+)em", light)]
    assert margins == pytest.approx([0.2778, 0.2778])  # KaTeX's thick space, 5/18 em


def test_an_index_stands_as_low_as_katex_sets_it(render):
    (lowered,) = re.findall(r"vertical-align:(-?\.\d+)em", lean_formulas.lean(render("s_t")))
    # KaTeX lowers it by 0.15 em of the letter, whose index has 0.7 of its size.
    assert float(lowered) == pytest.approx(-0.15 / 0.7, abs=1e-4)


STYLES = """
.shown, .absent { color: red }
.absent { color: blue }
.shown .absent { color: blue }
.shown:not(.absent) { margin: 0 }
@media (max-width: 700px) { .absent { top: 0 } .shown { content: "}" } }
@media print { .absent { top: 0 } }
#here > p { top: 0 }
"""


def test_only_rules_that_can_match_stay():
    kept = lean_styles.pruned(STYLES, {"shown", "here"})
    assert re.sub(r"\s", "", kept) == (
        ".shown{color:red}.shown:not(.absent){margin:0}"
        '@media(max-width:700px){.shown{content:"}"}}#here>p{top:0}'
    )


def test_fonts_that_no_rule_names_are_left_out():
    faces = "@font-face{font-family:One;src:url(1)}@font-face{font-family:Two;src:url(2)}"
    kept = lean_styles.without_unused_fonts(faces + "p{font-family:Two}")
    assert "url(2)" in kept and "url(1)" not in kept


def test_a_drawing_gets_a_palette_and_a_photograph_does_not():
    drawing = Image.new("RGB", (100, 100), "white")
    drawing.paste((213, 94, 0), (20, 20, 60, 60))
    assert lean_pages.with_palette(drawing).mode == "P"
    noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    assert lean_pages.with_palette(Image.fromarray(noise)).mode == "RGB"


def test_a_palette_leaves_the_ground_of_a_drawing_white():
    shades = Image.linear_gradient("L").convert("RGB")  # few of its colors are near white
    drawing = Image.new("RGB", (400, 400), "white")
    drawing.paste(shades.point(lambda x: 205 + x // 6), (60, 60))
    reduced = lean_pages.with_palette(drawing).convert("RGB")
    assert min(reduced.getpixel((0, 0))) >= 254


def test_tokens_with_the_color_of_the_block_are_plain():
    rule = 'html[data-theme="{}"] .highlight{} {{ {}color: {} }}'
    styles = "\n".join(
        rule.format(theme, kind, before, color)
        for theme, block in (("light", "#080808"), ("dark", "#F8F8F2"))
        for kind, before, color in (
            ("", "background: #fff; ", block),
            (" .n", "", block),
            (" .k", "", "#6730C5"),
            (" .err", "background-color: #f00; ", block),
        )
    )
    assert lean_pages.plain_tokens(styles) == {"n"}
