"""A chapter says in its opening what it needs and how long it takes."""

import re
from pathlib import Path

import nbformat
import pytest

from tests.book import rules

BOOK = Path(__file__).resolve().parents[2] / "book"

GOOD = "# 99. A chapter\n\n**What you need.** Nothing.\n\n**Reading time:** an hour."


def complaints(name, *texts):
    cells = [nbformat.v4.new_markdown_cell(text) for text in texts]
    return list(rules.opening_says_what_it_asks(name, nbformat.v4.new_notebook(cells=cells)))


def test_a_chapter_that_says_both_is_good():
    assert complaints("99_a.ipynb", GOOD, "## A section") == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("**What you need.** Nothing.", ""),
        ("**What you need.** Nothing.", "**What you need.**"),
        ("**Reading time:** an hour.", "It takes an hour."),
        ("**Reading time:**", "## A section\n\n**Reading time:**"),
    ],
)
def test_a_chapter_that_lacks_one_is_found(old, new):
    assert old in GOOD
    assert len(complaints("99_a.ipynb", GOOD.replace(old, new))) == 1


def test_other_pages_need_neither():
    assert complaints("appendix_99.ipynb", "# An appendix") == []


def minutes_in_openings() -> dict[str, list[int]]:
    """File of each chapter -> the minutes that its opening names, the least first."""
    found = {}
    for path in sorted(BOOK.glob("[0-9][0-9]_*.ipynb")):
        text = rules.prose(nbformat.read(path, as_version=4))
        line = re.search(r"^\*\*Reading time\.\*\* ([^.]*)\.", text, re.MULTILINE)
        found[path.name] = sorted(map(int, re.findall(r"\d+", line[1])))
    return found


def test_the_front_page_says_how_long_the_chapters_take():
    front = rules.prose(nbformat.read(BOOK / "intro.ipynb", as_version=4))
    openings = minutes_in_openings()
    table = re.findall(
        r"^\|[^|]*\| \[[^]]*\]\((\d\d_\w+\.ipynb)\) \| (\d+) \|$", front, re.MULTILINE
    )
    assert {name: int(minutes) for name, minutes in table} == {
        name: minutes[-1] for name, minutes in openings.items()
    }
    short = re.findall(r"\[\d+\]\((\d\d_\w+\.ipynb)\) \((\d+)\)", front)
    assert len(short) == 3
    assert all(int(minutes) == openings[name][0] for name, minutes in short)
