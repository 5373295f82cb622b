"""The built pages, read without a browser."""

from pathlib import Path

import pytest

from dpgcourse.exercises import CHAPTERS as CHECKERS
from dpgcourse.exercises import find, labels, module_of
from dpgcourse.exercises.sheets import check_cell
from tests.book.rules import toc_pages
from tests.site import rules

pytestmark = pytest.mark.xdist_group("parsed")  # one worker parses every page once
ROOT = Path(__file__).resolve().parents[2]
PAGES = toc_pages(ROOT)
CHAPTERS = [page for page in PAGES if (ROOT / f"{page}.ipynb").exists()]


def test_every_page_of_the_toc_was_built(html):
    assert list(rules.pages_exist(html, PAGES)) == []


@pytest.mark.parametrize("page", CHAPTERS)
def test_every_stored_picture_is_on_its_page(html, page):
    assert list(rules.pictures_arrived(html, page, ROOT / f"{page}.ipynb")) == []


def test_no_link_is_broken(html):
    assert list(rules.links_lead_somewhere(html)) == []


def test_nothing_is_loaded_from_elsewhere(html):
    assert list(rules.loads_nothing_from_elsewhere(html)) == []


@pytest.mark.parametrize("page", PAGES)
def test_mathematics_is_set_without_a_script(html, page):
    assert list(rules.mathematics_is_set(rules.parse(html / f"{page}.html"))) == []


def test_the_policy_of_every_page_is_strict(html):
    assert list(rules.policy_is_strict(html, with_webassembly=["search.html"])) == []


def test_every_page_says_what_it_is(html):
    assert list(rules.says_what_it_is(html)) == []


def test_every_source_has_a_link(html):
    sources = rules.parse(html / "book/references.html").select("div.citation")
    without = [x.get_text()[:60] for x in sources if not x.select("a.reference.external")]
    assert len(sources) > 40 and without == []


def test_equations_and_ledger_lead_to_each_other(html):
    assert list(rules.equations_and_ledger_are_tied(html, PAGES, "book/ledger")) == []


def test_every_place_that_links_show_has_a_card(html):
    assert list(rules.places_have_cards(html, PAGES)) == []


@pytest.mark.parametrize("module", CHECKERS.values())
def test_an_exercise_shows_how_it_is_checked_before_its_hints(html, module):
    page = rules.parse(html / f"book/{module.removeprefix('ch')}.html")
    for label in labels():
        if module_of(label) == module:
            blocks = page.select(f"#ex-{label} pre")
            assert check_cell(find(label)[1]) in [block.get_text().strip() for block in blocks]
            assert blocks[-1].find_next("details") in page.select(f"#ex-{label} details")
