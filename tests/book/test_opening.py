"""A chapter says in its opening what it needs and how long it takes."""

import nbformat
import pytest

from tests.book import rules

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
