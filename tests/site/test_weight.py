"""The pages are light, and a heavy thing that comes back is found."""

import random
import re

import pytest

from tests.site.test_browser import DESKTOP, open_page
from tests.site.test_pages import PAGES
from tests.site.weight import page_is_light, site_is_light

pytestmark = pytest.mark.xdist_group("parsed")  # one worker parses every page once
REQUESTS = 20
HEAVIEST = "book/11_ddpg"  # most pictures and explorables
PAGE = """<html><head><link rel="stylesheet" href="a.css"><script defer src="a.js"></script></head>
<body><article>{}</article></body></html>"""
FAULTS = {
    "elements, allowed": "<i></i>" * 15_000,
    "files, allowed": "<script defer src='a.js'></script>" * 6,
    "kB with its files": "<script defer src='b.js'></script>",
    "waits for a.js": "<script src='a.js'></script>",
    "has no width, no height, no loading": "<img src='a.png'>",
    "has no loading": "<img src='a.png' width='1' height='1'>",
    "tokens without a color": "<pre><span class='n'>x</span></pre>",
}


def test_the_site_is_light(html):
    assert list(site_is_light(html)) == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_light(html, page):
    assert list(page_is_light(html, page)) == []


@pytest.fixture
def planted(tmp_path):
    """A folder with a page of this text, and its files."""

    def plant(text):
        (tmp_path / "page.html").write_text(PAGE.format(text.replace("'", '"')))
        for name in ("a.css", "a.js"):
            (tmp_path / name).write_text("")
        (tmp_path / "b.js").write_bytes(random.Random(0).randbytes(300_000))  # not compressible
        return tmp_path

    return plant


def test_a_light_page_passes(planted):
    assert list(page_is_light(planted("<p>x</p>"), "page")) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_heavy_page_is_found(planted, fault):
    found = list(page_is_light(planted(FAULTS[fault]), "page"))
    assert any(fault in message for message in found), found


@pytest.mark.parametrize("name", ["a.map", "a.ttf", "locales/a.mo"])
def test_a_file_that_no_page_loads_is_found(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("")
    assert list(site_is_light(tmp_path)) == [f"{name} is loaded by no page"]


def test_a_chapter_needs_few_requests(browser, site):
    requests = []
    page = browser.new_page()
    page.set_viewport_size(DESKTOP)
    page.on("request", lambda request: requests.append(request.url))
    page.goto(f"{site}/{HEAVIEST}.html", wait_until="load")
    page.close()
    assert len(requests) <= REQUESTS


def test_the_scheme_is_known_before_anything_is_painted(browser, site):
    page = browser.new_page()
    page.emulate_media(color_scheme="dark")
    page.route(re.compile(r"book\.js"), lambda route: route.abort())
    page.goto(f"{site}/{HEAVIEST}.html")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.close()


def test_a_picture_opens_at_full_size(browser, site):
    page = open_page(browser, site, HEAVIEST).page
    link = page.locator("article a.enlarge").first
    address = link.get_attribute("href")
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{address.split('/')[-1]}")
    page.close()
