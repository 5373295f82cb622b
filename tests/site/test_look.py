"""The look of the pages: letters, headings, folds, boxes, openings, figures on a phone."""

import re
from itertools import pairwise

import pytest
from playwright.sync_api import Page

from tests.site import rules
from tests.site.test_browser import PHONE, ROOT, open_page

FONTS = ("course-serif", "course-serif-italic", "course-sans")
CHAPTERS = sorted(f"book/{path.stem}" for path in (ROOT / "book").glob("[01][0-9]_*.ipynb"))
# Pages that together have every kind of fold, box and figure.
PAGES = ["book/06_theorem", "book/04_actor_step", "book/appendix_06", "book/notation"]
KILOBYTES = 60  # of all fonts of the text


# Letters


def fonts_of(page: Page, selector: str) -> set[str]:
    """The fonts that draw an element; a font of the site has a star."""
    session = page.context.new_cdp_session(page)
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    node = session.send("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]
    used = session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    return {f"{font['familyName']}{'*' * font['isCustomFont']}" for font in used}


def test_the_letters_are_those_of_the_site(browser, site):
    open_page(browser, site, "book/03_jacobians").page.close()  # fonts are kept from here on
    page = open_page(browser, site, "book/03_jacobians").page
    assert fonts_of(page, "article h1") == {"Course Serif*"}
    assert fonts_of(page, "article p.opening-question") == {"Course Serif*"}
    assert fonts_of(page, "article .fold > summary") == {"Course Sans*"}
    assert fonts_of(page, ".bd-sidebar-primary nav a") == {"Course Sans*"}
    page.close()


def test_the_fonts_are_small_and_have_their_licenses(html):
    folder = html / "_static/fonts"
    sizes = [(folder / f"{name}.woff2").stat().st_size for name in FONTS]
    assert sum(sizes) <= KILOBYTES * 1000
    for kind in ("serif", "sans"):
        assert "SIL Open Font License" in (folder / f"LICENSE-{kind}.md").read_text("utf-8")


def shift(browser, site, display: str) -> float:
    """How far the texts of a page move when its fonts come late."""
    page = browser.new_page()
    held = []

    def as_displayed(route):
        response = route.fetch()
        css = response.text().replace("font-display:optional", f"font-display:{display}")
        css = css.replace("font-display: optional", f"font-display: {display}")
        route.fulfill(response=response, body=css)

    page.route("**/_static/fonts/*.woff2", lambda route: held.append(route))
    page.route("**/book.css*", as_displayed)
    page.goto(f"{site}/book/03_jacobians.html", wait_until="domcontentloaded")
    page.wait_for_timeout(1000)  # the page is painted without its fonts
    assert len(held) == len(FONTS)
    for route in held:
        route.continue_()
    page.wait_for_timeout(500)
    moved = page.evaluate("""() => new Promise((resolve) => {
      new PerformanceObserver((list) => resolve(list.getEntries().reduce((s, e) => s + e.value, 0)))
        .observe({ type: "layout-shift", buffered: true });
      setTimeout(() => resolve(0), 300);
    })""")
    page.close()
    return moved


def test_nothing_moves_when_the_fonts_come_late(browser, site):
    assert shift(browser, site, "optional") < 0.01
    assert shift(browser, site, "swap") > 0.01  # so that the measurement is one


HEADINGS = """() => ["h1", "h2", "h3"].map((name) => {
  const style = getComputedStyle(document.querySelector(`article ${name}`));
  return [parseFloat(style.fontSize), Number(style.fontWeight)];
})"""


@pytest.mark.parametrize(("size", "largest"), [(PHONE, 32), ({"width": 1280, "height": 900}, 42)])
def test_headings_have_clear_steps(browser, site, size, largest):
    page = open_page(browser, site, "book/06_theorem", size).page
    found = page.evaluate(HEADINGS)
    page.close()
    sizes, weights = zip(*found, strict=True)
    assert sizes[0] <= largest
    assert all(above >= 1.15 * below for above, below in pairwise(sizes))
    assert list(weights) == sorted(weights, reverse=True)


ALONE = """() => [...document.querySelectorAll("article .math")].filter((formula) => {
  const next = formula.nextSibling;
  if (formula.localName !== "span" || next?.nodeType !== 3 || !/^[.,;:!?)\\]’”]/.test(next.data))
    return false;
  const range = document.createRange();
  range.setStart(next, 0);
  range.setEnd(next, 1);
  const sign = range.getBoundingClientRect();
  const parts = formula.querySelectorAll(".base");
  const last = parts[parts.length - 1].getBoundingClientRect();
  return sign.width > 0 && last.width > 0 && sign.left < last.left;
}).length"""


def test_no_line_begins_with_the_full_stop_of_a_formula(browser, site):
    page = open_page(browser, site, "book/appendix_06", PHONE).page
    assert page.evaluate(ALONE) == 0
    page.add_style_tag(content=".joined { white-space: normal !important }")
    assert page.evaluate(ALONE) > 0
    page.close()


# Folds and boxes


@pytest.mark.parametrize("name", [*CHAPTERS, "book/appendix_06", "book/results", "book/intro"])
def test_there_is_one_kind_of_fold_and_it_says_what_it_hides(html, name):
    page = rules.parse(html / f"{name}.html")
    for fold in page.select("article details"):
        assert "fold" in fold.get("class", []), fold.summary
        label = fold.summary.get_text(" ", strip=True)
        assert label and not fold.summary.has_attr("aria-label")
        assert not fold.summary.select("a, p, svg"), label
        figure = fold.find_parent(class_="cell") and fold.find_parent(class_="cell").select_one(
            ".cell_output > figure .caption-number"
        )
        if figure:
            assert label == f"code of {figure.get_text(strip=True)}"
    assert not page.select("article .dropdown")
    assert not page.select("article [class*=sd-]")


LOOKS = """() => {
  const looks = [...document.querySelectorAll("article details > summary")]
    .filter((summary) => !summary.closest(".explorable") && summary.checkVisibility())
    .map((summary) => {
      const style = getComputedStyle(summary);
      const mark = getComputedStyle(summary, "::before");
      return [style.fontFamily, style.fontSize, style.fontWeight, style.color, style.padding,
        style.backgroundColor, style.borderWidth, mark.clipPath, mark.width].join("; ");
    });
  return [...new Set(looks)];
}"""


def test_all_folds_look_alike(browser, site):
    page = open_page(browser, site, "book/06_theorem").page
    assert len(page.evaluate(LOOKS)) == 1
    page.add_style_tag(content="article .solution > summary { color: red !important }")
    assert len(page.evaluate(LOOKS)) == 2
    page.close()


BOXES = """() => ["proof.theorem", "prediction", "exercise"].map((name) => {
  const style = getComputedStyle(document.querySelector(`article .${name}`));
  return [style.borderLeftColor, style.backgroundColor, style.borderTopWidth].join("; ");
})"""


def test_theorems_predictions_and_exercises_look_different(browser, site):
    page = open_page(browser, site, "book/06_theorem").page
    assert len(set(page.evaluate(BOXES))) == 3
    page.close()


# Openings, footer


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_opens_with_its_facts_its_picture_and_its_question(html, name):
    section = rules.parse(html / f"{name}.html").select_one("article > section")
    kinds = [
        part.name + "." + ".".join(part.get("class", []))
        for part in section.find_all(["h1", "p", "svg", "div"], recursive=False)
    ]
    assert kinds[:4] == ["h1.", "p.opening-line", "svg.emblem", "p.opening-question"]
    assert re.search(r"Part I+\. .*minutes", section.select_one(".opening-line").get_text())
    aims = section.select_one(".opening-aims")
    assert aims.select(".opening-need") and aims.select(".opening-goal li")
    assert "Reading time" not in section.get_text()


def test_each_chapter_has_a_drawing_of_its_own(html):
    pages = [rules.parse(html / f"{name}.html") for name in CHAPTERS]
    drawings = [str(page.select_one("svg.emblem")) for page in pages]
    said = {page.select_one("svg.emblem")["aria-label"] for page in pages}
    assert len(set(drawings)) == len(said) == len(CHAPTERS) == 15


TITLES = """() => {
  const plain = (element) => [...element.childNodes].filter((x) => x.nodeType === 3)
    .map((x) => x.data.trim()).join("").toLowerCase();
  const title = plain(document.querySelector("article h1"));
  return [...document.querySelectorAll("body *")].filter((element) => {
    const box = element.getBoundingClientRect();
    return plain(element) === title && element.checkVisibility()
      && box.height > 0 && box.top < innerHeight && box.bottom > 0;
  }).length;
}"""


@pytest.mark.parametrize("name", ["book/intro", "book/03_jacobians", "book/glossary"])
def test_the_title_stands_twice_at_most_on_the_first_screen(browser, site, name):
    page = open_page(browser, site, name).page
    assert 1 <= page.evaluate(TITLES) <= 2
    page.close()


def test_the_footer_says_something_in_every_element(html):
    for name in ("book/intro", "book/glossary", "book/06_theorem"):
        page = rules.parse(html / f"{name}.html")
        assert [
            x
            for x in page.select("footer, footer *")
            if not x.get_text(strip=True) and x.name not in ("br", "i")
        ] == []
        footer = page.select_one(".bd-footer-content").get_text(" ", strip=True)
        assert re.search(r"Cite as:.*version \d.*CC BY 4\.0.*MIT", footer, re.DOTALL)
        assert "By The course authors" not in page.get_text()


# Figures on a phone

FIGURES = """() => [...document.querySelectorAll("article section > .cell > .cell_output img")]
  .filter((image) => image.checkVisibility())
  .map((image) => {
    const [box, caption] = [image, image.closest("figure")?.querySelector("figcaption")]
      .map((element) => element?.getBoundingClientRect());
    return { width: box.width, left: box.left, caption: caption ? caption.left : 16 };
  })"""


@pytest.mark.parametrize("width", [390, 320])
@pytest.mark.parametrize("name", PAGES[:3])
def test_a_figure_is_as_wide_as_a_phone_and_its_caption_is_not(browser, site, name, width):
    page = open_page(browser, site, name, {"width": width, "height": 800}).page
    found = page.evaluate(FIGURES)
    assert found
    for figure in found:
        assert width - 8 <= figure["width"] <= width and figure["left"] >= 0
        assert figure["caption"] >= 12
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.add_style_tag(content="article a.enlarge { margin-inline: 0 !important }")
    assert all(figure["width"] < width - 8 for figure in page.evaluate(FIGURES))
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_nothing_scrolls_sideways_with_all_folds_open(browser, site, name):
    page = open_page(browser, site, name, {"width": 320, "height": 800}).page
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.close()
