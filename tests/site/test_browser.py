"""The built pages in headless Chromium: what they load, what they say, who can read them."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from playwright.sync_api import BrowserContext, Page, Request

from tests.book.rules import toc_pages
from tests.site.rules import mathematics_is_set

PAGES = [*toc_pages(Path(__file__).resolve().parents[2]), "genindex", "search"]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 800}


@dataclass
class Visit:
    """A page that was opened, and what went wrong on the way."""

    page: Page
    external: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def open_page(browser: BrowserContext, site: str, name: str, scheme: str = "light") -> Visit:
    """Open a page in a color scheme and wait until it is quiet."""
    page = browser.new_page()
    page.emulate_media(color_scheme=scheme)
    visit = Visit(page)

    def on_request(request: Request):
        if not request.url.startswith((f"{site}/", "data:", "blob:")):
            visit.external.append(request.url)

    page.on("request", on_request)
    page.on("requestfailed", lambda request: visit.failed.append(request.url))
    page.on("response", lambda r: visit.failed.append(r.url) if r.status >= 400 else None)
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    page.on("console", lambda m: visit.errors.append(m.text) if m.type == "error" else None)
    page.set_viewport_size(DESKTOP)
    page.goto(f"{site}/{name}.html", wait_until="networkidle")
    return visit


@pytest.mark.parametrize("name", PAGES)
def test_page_opens_cleanly_and_fits_a_phone(browser, site, name):
    visit = open_page(browser, site, name)
    problems = {
        "loaded from elsewhere": visit.external,
        "failed to load": visit.failed,
        "errors in the console": visit.errors,
        "mathematics": list(mathematics_is_set(BeautifulSoup(visit.page.content(), "html.parser"))),
    }
    visit.page.set_viewport_size(PHONE)
    width = visit.page.evaluate("document.documentElement.scrollWidth")
    if width > PHONE["width"]:
        problems["does not fit a phone"] = [f"{width} pixels wide, allowed: {PHONE['width']}"]
    visit.page.close()
    assert {kind: found for kind, found in problems.items() if found} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible(browser, site, name, scheme):
    visit = open_page(browser, site, name, scheme)
    found = Axe().run(visit.page, options={"resultTypes": ["violations"]}).response["violations"]
    visit.page.close()
    assert [(rule["help"], [node["html"] for node in rule["nodes"]]) for rule in found] == []


def test_search_finds_the_chain_rule(browser, site):
    visit = open_page(browser, site, "search")
    visit.page.goto(f"{site}/search.html?q=chain+rule")
    visit.page.wait_for_selector("#search-results li a", timeout=10_000)
    assert visit.page.locator("#search-results li a").count() >= 2
    visit.page.close()
