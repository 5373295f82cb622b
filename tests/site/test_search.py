"""The page of search results: the right page first, each hit at its section, all by keyboard."""

from urllib.parse import urlsplit

import pytest

from tests.site import rules
from tests.site.accessibility import violations
from tests.site.test_browser import PHONE, open_page

FIRST = ".search-results a"
# What a reader looks for, and the pages that are a right first answer.
RIGHT = {
    "terminated": ["09_mechanisms", "glossary"],
    "Polyak": ["09_mechanisms", "11_ddpg", "glossary"],
    "saturation": ["04_actor_step", "appendix_04", "glossary"],
    "chain rule": ["02_chain_rule"],
    "compatible features": ["08_off_policy", "appendix_08"],
    "truncated": ["09_mechanisms", "glossary"],
    "target network": ["09_mechanisms", "glossary"],
    "importance sampling": ["08_off_policy", "appendix_08", "confusions", "glossary"],
    "polyak_update": ["api/agents", "glossary"],
}


@pytest.fixture(scope="module")
def visit(browser, site):
    visit = open_page(browser, site, "search")
    yield visit
    visit.page.close()


def look(visit, query: str) -> None:
    """Type something into the field, and wait for the answer."""
    visit.page.locator(".search-field input").fill(query)
    visit.page.get_by_role("status").filter(has_text=f"“{query}”").wait_for()


@pytest.mark.parametrize("query", RIGHT)
def test_the_first_hit_is_right_and_leads_to_a_section(visit, html, query):
    look(visit, query)
    address = urlsplit(visit.page.locator(FIRST).first.evaluate("link => link.href"))
    page = address.path.removeprefix("/book/").removesuffix(".html")
    assert page in RIGHT[query]
    assert address.fragment in rules.anchors(html / address.path.lstrip("/"))
    assert visit.errors == visit.failed == visit.external == []


def test_hits_lead_to_sections_and_excerpts_have_no_latex(visit):
    look(visit, "policy gradient")
    hits = visit.page.locator(".search-results ul > li").all()
    assert len(hits) > 10
    assert sum("#" in hit.locator("a").get_attribute("href") for hit in hits) > len(hits) / 2
    said = "\n".join(hit.inner_text() for hit in hits)
    assert "\\" not in said and "$" not in said
    assert visit.page.locator(".search-results mark").count() > 10


def test_what_is_nowhere_is_said_to_be_on_no_page(visit):
    look(visit, "zxqvzxqv")
    assert visit.page.get_by_role("status").inner_text() == "“zxqvzxqv” is on no page."
    assert visit.page.locator(FIRST).count() == 0


def test_a_search_needs_nothing_but_the_keyboard(browser, site):
    visit = open_page(browser, site, "book/references")
    page = visit.page
    page.keyboard.press("Control+K")
    page.keyboard.type("truncated")
    page.keyboard.press("Enter")
    page.wait_for_selector(FIRST)
    assert page.url.endswith("/search.html?q=truncated")
    address = page.locator(FIRST).first.evaluate("link => link.href")
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url(address)
    assert page.evaluate("document.querySelector(':target') !== null")
    # A card that was still on its way when the page was left counts as failed.
    assert visit.errors == visit.external == []
    page.close()


def test_hits_are_accessible_and_fit_a_phone(browser, site):
    visit = open_page(browser, site, "search", PHONE)
    look(visit, "target network")
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert violations(visit.page) == {"light": [], "dark": []}
    visit.page.close()


def test_the_page_says_why_it_cannot_search(browser, html):
    page = browser.new_page()
    page.goto(f"{(html / 'search.html').as_uri()}?q=critic")
    page.get_by_role("status").filter(has_text="It needs a server").wait_for()
    page.close()
    without = rules.parse(html / "search.html").select_one("article")
    assert "JavaScript" in without.select_one("noscript").get_text()
    links = [link["href"] for link in without.select("a")]
    assert {"genindex.html", "book/glossary.html"} <= set(links)


def test_no_other_page_loads_the_search(html):
    assert not (html / "searchindex.js").exists()
    assert not (html / "_static/searchtools.js").exists()
    scripts = [
        tag["src"] for tag in rules.parse(html / "book/references.html").select("script[src]")
    ]
    assert [src for src in scripts if "search" in src or "pagefind" in src] == []
