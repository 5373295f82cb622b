"""Predictions in a page: chosen with a keyboard, answered at once, kept on the reader's machine."""

import pytest

from tests.site.test_browser import ROOT, open_page

CHAPTERS = sorted(f"book/{path.stem}" for path in (ROOT / "book").glob("[01][0-9]_*.ipynb"))
FIRST = "book/04_actor_step"


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_chapter_asks_for_a_prediction(site_text, name):
    page = site_text(name)
    assert page.count('class="prediction docutils container"') >= 1
    assert "admonition-predict" not in page


@pytest.fixture(scope="module")
def site_text():
    def read(name):
        return (ROOT / "_build/html" / f"{name}.html").read_text(encoding="utf-8")

    return read


@pytest.fixture
def visit(browser, site):
    """The first page with a fresh memory."""
    visit = open_page(browser, site, FIRST)
    visit.page.evaluate("localStorage.clear()")
    visit.page.reload()
    yield visit
    visit.page.close()


def test_a_choice_answers_and_is_kept(visit, site):
    page = visit.page
    box = page.locator(".prediction").first
    radios = box.locator("input[type=radio]")
    radios.first.focus()
    page.keyboard.press("Space")
    assert box.locator("details[open]").count() == 1
    assert box.locator("li").first.locator("details").get_attribute("open") is not None
    first = box.get_by_role("status").inner_text()
    page.keyboard.press("ArrowDown")
    assert box.locator("details[open]").count() == 1
    assert box.locator("li").nth(1).locator("details").get_attribute("open") is not None
    assert {first, box.get_by_role("status").inner_text()} <= {
        "Your prediction is right.",
        "Not this one: see why.",
    }
    page.reload()
    assert page.locator(".prediction").first.locator("input:checked").count() == 1
    page.goto(f"{site}/book/predictions.html")
    listed = page.locator("#what-you-predicted-list")
    assert " of 1." in listed.locator("p").inner_text()
    assert "You chose:" in listed.locator("li").inner_text()
    listed.locator("a").click()
    assert page.url.endswith(
        f"{FIRST}.html#{page.locator('.prediction').first.get_attribute('id')}"
    )
    page.goto(f"{site}/book/predictions.html")
    listed.get_by_role("button").click()
    assert "not chosen anything" in listed.inner_text()
    assert not visit.errors
    assert not visit.external


def test_what_is_kept_by_something_else_is_no_harm(visit):
    page = visit.page
    for kept in ('"text"', "{", "[1, 2]", '{"predict-step-first": 3}'):
        page.evaluate("x => localStorage.setItem('dpgcourse-predictions', x)", kept)
        page.reload()
        page.locator(".prediction input").first.check()
        assert page.locator(".prediction").first.locator("details[open]").count() == 1
    assert not visit.errors


def test_a_page_without_the_script_shows_choices_and_unfolds_reasons(browser, site):
    page = browser.new_page()
    page.route("**/book.js*", lambda route: route.abort())
    page.goto(f"{site}/{FIRST}.html")
    box = page.locator(".prediction").first
    assert box.locator("li").count() >= 2
    assert box.locator("input").count() == 0
    assert box.locator("details[open]").count() == 0
    box.locator("summary").first.click()
    assert box.locator("details[open]").count() == 1
    page.close()
