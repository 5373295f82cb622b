"""The built pages in headless Chromium: what they load, what they say, who can read them."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Request, ViewportSize

from tests.book.rules import toc_pages
from tests.site.accessibility import violations

ROOT = Path(__file__).resolve().parents[2]
ROOMS = sorted(f"book/api/{path.stem}" for path in (ROOT / "book/api").glob("*.md"))
PAGES = [*toc_pages(ROOT), *ROOMS, "search", "404"]
# Chapters are made of the same parts, and so are the rooms of `book/api`: two of the one kind and
# none of the other are measured each time, all others in the long checks.
MADE_ALIKE = re.compile(r"book/(\d\d_|appendix_|api/)")
SAME_PARTS = [
    name
    for name in PAGES
    if MADE_ALIKE.match(name) and name not in ("book/01_composite", "book/13_when_it_fails")
]
DESKTOP = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=390, height=800)
FORMULAS_WITHOUT_GLYPHS = """() =>
  [...document.querySelectorAll(".math:not(:has(.katex-html))")].map((math) => math.textContent)
"""
EXPLORABLES_LIVE = """() =>
  [...document.querySelectorAll("[data-explorable]")].every((root) => root.childElementCount)
"""
OPEN_BOXES = """() => {
  for (const box of document.querySelectorAll("details")) box.open = true;
}"""
CUT_OUTPUTS = """() =>
  [...document.querySelectorAll("article .cell_output pre")]
    .filter((pre) => pre.scrollWidth > pre.clientWidth).map((pre) => pre.textContent)
"""


@dataclass
class Visit:
    """A page that was opened, and what went wrong on the way."""

    page: Page
    external: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def open_page(browser: BrowserContext, site: str, name: str, size=DESKTOP) -> Visit:
    """Open a page of this size and wait until it is loaded, its explorables too."""
    page = browser.new_page()
    page.emulate_media(color_scheme="light")
    visit = Visit(page)

    def on_request(request: Request):
        if not request.url.startswith((f"{site}/", "data:", "blob:")):
            visit.external.append(request.url)

    page.on("request", on_request)

    def on_failure(request: Request):
        if request.failure != "net::ERR_ABORTED":  # given up by the page itself
            visit.failed.append(request.url)

    page.on("requestfailed", on_failure)
    page.on("response", lambda r: visit.failed.append(r.url) if r.status >= 400 else None)
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    page.on("console", lambda m: visit.errors.append(m.text) if m.type == "error" else None)
    page.set_viewport_size(size)
    page.goto(f"{site}/{name}.html", wait_until="load")
    page.wait_for_function(EXPLORABLES_LIVE)
    return visit


@pytest.mark.parametrize("name", PAGES)
def test_page_opens_cleanly_fits_a_phone_and_is_accessible(browser, site, name):
    visit = open_page(browser, site, name, PHONE)
    page = visit.page
    problems = {
        "loaded from elsewhere": [*visit.external],  # without what axe loads below
        "failed to load": [*visit.failed],
        "errors in the console": [*visit.errors],
        "formulas that a script took away": page.evaluate(FORMULAS_WITHOUT_GLYPHS),
    }
    width = page.evaluate("document.documentElement.scrollWidth")
    if width > PHONE["width"]:
        problems["does not fit a phone"] = [f"{width} pixels wide, allowed: {PHONE['width']}"]
    problems["printed lines that a phone cuts"] = page.evaluate(CUT_OUTPUTS)
    page.set_viewport_size(DESKTOP)
    if name not in SAME_PARTS:
        page.wait_for_timeout(400)  # then the theme has made wide code a stop of the tab key
        problems |= violations(page)
    page.close()
    assert {kind: found for kind, found in problems.items() if found} == {}


@pytest.mark.long
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible_with_all_boxes_open(browser, site, name, size):
    page = open_page(browser, site, name, size).page
    page.evaluate(OPEN_BOXES)
    page.wait_for_timeout(400)  # then the theme has made wide code a stop of the tab key
    found = violations(page)
    page.close()
    assert {scheme: problems for scheme, problems in found.items() if problems} == {}


def test_a_printed_line_that_a_phone_cuts_is_found(browser, site):
    page = open_page(browser, site, "book/references", PHONE).page
    line = f"<div class='cell'><div class='cell_output'><pre>{'x' * 200}</pre></div></div>"
    page.locator("article").evaluate("(e, html) => e.insertAdjacentHTML('beforeend', html)", line)
    assert page.evaluate(CUT_OUTPUTS) == []
    page.add_style_tag(content=".bd-article .cell_output pre { white-space: pre !important }")
    assert page.evaluate(CUT_OUTPUTS) == ["x" * 200]
    page.close()


def test_a_formula_without_glyphs_is_found(browser, site):
    page = open_page(browser, site, "book/references").page
    assert page.evaluate(FORMULAS_WITHOUT_GLYPHS) == []
    planted = "<span class='math'>x^2</span>"
    page.locator("article").evaluate(
        "(e, html) => e.insertAdjacentHTML('beforeend', html)", planted
    )
    assert page.evaluate(FORMULAS_WITHOUT_GLYPHS) == ["x^2"]
    page.close()


PLANTS = {
    "<p style='color: #999'>faint</p>": ["light"],
    "<p style='color: #666'>faint on dark</p>": ["dark"],
    "<p>plain</p><p style='opacity: 0.4'>faint</p>": ["dark", "light"],
    "<p style='color: #111; background: #222'>on a backdrop</p>": ["dark", "light"],
    "<div style='background: #333'><p style='color: #111'>on a backdrop</p></div>": [
        "dark",
        "light",
    ],
    "<pre><span>x = </span><span style='color: #aa0'>1</span></pre>": ["light"],
    "<span class='katex'><span class='katex-html' aria-hidden='true'>"
    "<span style='color: #aa0'>x</span></span></span>": ["light"],
    "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>": ["light"],
    "<a href='#'></a>": ["light"],
    "<h5>skipped levels</h5>": ["light"],
}


@pytest.mark.parametrize("planted", PLANTS)
def test_what_is_not_accessible_is_found(browser, site, planted):
    page = open_page(browser, site, "book/references").page
    page.locator("article").evaluate(
        "(e, html) => e.insertAdjacentHTML('beforeend', html)", planted
    )
    found = violations(page)
    page.close()
    assert sorted(scheme for scheme in found if found[scheme]) == PLANTS[planted]
