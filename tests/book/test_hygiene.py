"""Every chapter keeps every rule of `tests.book.rules`."""

from pathlib import Path

import nbformat
import pytest

from tests.book import rules

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))


def test_there_are_chapters():
    assert CHAPTERS


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter(path, rule):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert list(rule(path.name, notebook)) == []


def test_labels_are_unique_in_the_book():
    pages = [*CHAPTERS, *(ROOT / "book").glob("*.md")]
    assert rules.repeated_labels(pages) == []


def test_table_of_contents_lists_every_page_once():
    assert list(rules.toc_mismatches(ROOT)) == []


def test_exceptions_are_still_needed():
    cells = {
        (path.name, cell.id)
        for path in CHAPTERS
        for cell in rules.code_cells(nbformat.read(path, as_version=4))
    }
    assert set(rules.EXCEPTIONS) <= cells
