"""The cards: links to an equation, a figure, a source and a term show what they lead to."""

import re
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as NotInTime

from tests.site.accessibility import violations
from tests.site.rules import said_at
from tests.site.test_browser import open_page

KINDS = {
    "equation": "a[href*='#equation-']:not(.headerlink)",
    "figure": "a[href*='#fig-']:not(.headerlink)",
    "source": "a[href*='references.html#id']",
    "term": "a[href*='#term-']:not(.headerlink)",
}
# A page whose links of this kind lead to other pages, or to the page itself.
LINKS = [
    *(("book/confusions", kind) for kind in KINDS),
    ("book/07_lqr", "equation"),
    ("book/07_lqr", "figure"),
    ("book/ledger", "equation"),
    ("book/results", "figure"),
    ("book/glossary", "term"),
    ("genindex", "term"),
]


def link_of(page: Page, kind: str):
    """The first link of this kind."""
    link = page.locator(f"article :is({KINDS[kind]})").first
    link.scroll_into_view_if_needed()
    return link


def reach_by_keyboard(page: Page, link) -> None:
    """Bring the focus to a link as the keyboard does."""
    link.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")


def said_in_time(page: Page) -> str:
    """What the card says, empty if none appears."""
    try:
        page.wait_for_selector("#hover-card:not([hidden])", timeout=3000)
    except NotInTime:
        return ""
    return " ".join(page.locator("#hover-card").evaluate("card => card.textContent").split())


def expected(html, name: str, link) -> str:
    """The words of the place that a link leads to."""
    url = urlsplit(urljoin(f"/{name}.html", link.get_attribute("href")))
    return said_at(html / url.path.lstrip("/"), url.fragment)


@pytest.mark.parametrize(("name", "kind"), LINKS)
def test_a_link_shows_its_card_under_the_mouse(browser, site, html, name, kind):
    visit = open_page(browser, site, name)
    page = visit.page
    link = link_of(page, kind)
    link.hover()
    said = said_in_time(page)
    assert said and said == expected(html, name, link)
    box, size = page.locator("#hover-card").bounding_box(), page.viewport_size
    assert box["x"] >= 0 and box["x"] + box["width"] <= size["width"]
    for image in page.locator("#hover-card img").all():
        loaded = "image => image.decode().then(() => image.naturalWidth)"
        assert image.evaluate(loaded) > 0
    page.mouse.move(box["x"] + 5, box["y"] + 5)  # onto the card: it stays
    page.wait_for_timeout(500)
    assert page.locator("#hover-card").is_visible()
    page.mouse.move(1, 1)
    page.wait_for_selector("#hover-card", state="hidden", timeout=3000)
    assert visit.external == visit.failed == visit.errors == []
    page.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_shows_its_card_at_the_keyboards_focus(browser, site, html, kind):
    page = open_page(browser, site, "book/confusions").page
    link = link_of(page, kind)
    reach_by_keyboard(page, link)
    assert said_in_time(page) == expected(html, "book/confusions", link)
    assert link.get_attribute("aria-describedby") == "hover-card"
    page.keyboard.press("Escape")
    assert page.locator("#hover-card").is_hidden()
    assert link.get_attribute("aria-describedby") is None
    assert link.evaluate("link => link === document.activeElement")
    page.close()


@pytest.mark.parametrize(
    "kind", ["equation", *(pytest.param(kind, marks=pytest.mark.long) for kind in list(KINDS)[1:])]
)
def test_a_card_is_accessible_in_light_and_dark(browser, site, kind):
    page = open_page(browser, site, "book/confusions").page
    reach_by_keyboard(page, link_of(page, kind))
    assert said_in_time(page)
    assert violations(page) == {"light": [], "dark": []}
    page.close()


def test_a_page_opened_from_a_folder_has_cards(browser, html):
    page = browser.new_page()
    page.goto((html / "book/confusions.html").as_uri())
    link = link_of(page, "term")
    link.hover()
    assert said_in_time(page) == expected(html, "book/confusions", link)
    page.close()


@pytest.mark.parametrize("lost", ["_static/book.js", "cards/book/glossary.js"])
def test_a_card_that_is_missing_is_noticed(browser, site, lost):
    page = browser.new_page()
    page.route(re.compile(re.escape(lost)), lambda route: route.abort())
    page.goto(f"{site}/book/confusions.html", wait_until="networkidle")
    link_of(page, "term").hover()
    assert said_in_time(page) == ""
    page.close()


def test_other_links_show_no_card(browser, site):
    page = open_page(browser, site, "book/confusions").page
    page.locator("article p a.reference[href*='01_composite.html#']").first.hover()
    page.wait_for_timeout(500)
    assert page.locator("#hover-card").is_hidden()
    page.close()
