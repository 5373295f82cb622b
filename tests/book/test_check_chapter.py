"""`make check CHAPTER=...`, held against chapters with one fault each."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from dpgcourse.equation_checks import table
from tests.book import rules
from tests.book.test_execute import FIGURE, change, cover
from tools.chapters import ROOT, module_of
from tools.check_chapter import broken_equations, broken_rules, check
from tools.execute_notebooks import execute

DESCRIBED = {"image": {"alt": "A line."}, "figure": {"name": "fig-a", "caption": "A line."}}
EQUATION = "$$ a = b $$ (eq-{})"
OPENING = "# A\n\n**What you need.** Nothing.\n\n**Reading time.** About a minute."


@pytest.fixture(scope="module")
def executed(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("book") / "98_good.ipynb"
    cells = [
        new_markdown_cell(OPENING, id="title"),
        new_code_cell(f"{rules.NEEDS}\nprint(1)\nprint(2)", id="print"),
        new_code_cell(FIGURE, id="figure", metadata={"mystnb": DESCRIBED}),
    ]
    nbformat.write(new_notebook(cells=cells), path)
    execute(path)
    return path


@pytest.fixture
def chapter(executed, tmp_path) -> Path:
    """A copy of a good chapter, to break."""
    return Path(shutil.copy(executed, tmp_path))


@pytest.mark.long
def test_a_good_chapter_is_good(chapter):
    assert check(chapter) == ([], [])


def test_a_stale_picture_fails_and_its_cell_is_named(chapter):
    change(chapter, "figure", cover(0.01))
    (message,), _ = check(chapter)
    assert message.startswith("other than stored: figure\n")
    assert "its picture differs from the stored one in" in message


@pytest.mark.long
def test_a_picture_of_rounding_errors_is_noted_and_fails_where_it_shows_something_else(chapter):
    change(chapter, "figure", lambda cell: cell.metadata.update(tags=["rounding"]))
    change(chapter, "figure", cover(0.01))
    problems, (note,) = check(chapter)
    assert problems == [] and note.startswith("note: cell figure: its picture differs from")
    change(chapter, "figure", cover(0.5))
    (message,), notes = check(chapter)
    assert message.startswith("other than stored: figure\n") and notes == []


@pytest.mark.long
def test_a_changed_text_fails_and_its_cell_is_named(chapter):
    change(chapter, "print", lambda cell: cell.outputs[0].update(text="1\n3\n"))
    (message,), _ = check(chapter)
    assert message.startswith("other than stored: print\n") and "1\\n3" in message


def test_a_broken_rule_is_named(chapter):
    change(chapter, "print", lambda cell: cell.update(source="print(1)\nprint(2)\n" + "\n" * 30))
    assert any("cell print has" in message for message in broken_rules(chapter))


def test_labeled_equations_without_a_module_are_named(chapter):
    change(chapter, "title", lambda cell: cell.update(source=EQUATION.format("new-one")))
    (message,) = broken_equations(chapter)
    file = "dpgcourse/equation_checks/ch98_good.py"
    assert message == f"create {file}, with an entry for each of ['eq-new-one']"


def test_equations_and_entries_that_do_not_meet_are_named(chapter):
    path = chapter.rename(chapter.with_name("01_composite.ipynb"))
    change(path, "title", lambda cell: cell.update(source=EQUATION.format("composite-new")))
    messages = list(broken_equations(path))
    file = "dpgcourse/equation_checks/ch01_composite.py"
    assert f"add an entry for eq-composite-new to {file}" in messages
    assert f"{file} has an entry for eq-composite-ell, which is no equation here" in messages


def test_a_module_that_cannot_be_read_is_one_line(chapter, monkeypatch):
    def fail(module):
        raise ValueError("eq-a: a definition names the function that computes it")

    path = chapter.rename(chapter.with_name("01_composite.ipynb"))
    monkeypatch.setattr(table, "entries", fail)
    (message,) = broken_equations(path)
    assert message.startswith("dpgcourse/equation_checks/ch01_composite.py: ValueError: eq-a")


def test_a_failing_check_of_an_equation_is_named(monkeypatch):
    def fail(module):
        raise AssertionError("not within tolerance: eq-a by hand 6e-01")

    monkeypatch.setattr(table, "rows", fail)
    (message,) = broken_equations(ROOT / "book/01_composite.ipynb")
    assert message == "equations: not within tolerance: eq-a by hand 6e-01"


@pytest.mark.parametrize(
    ("stem", "module"),
    [("11_ddpg", "ch11_ddpg"), ("intro", "ch00_intro"), ("appendix_07", "ch07_lqr")],
)
def test_the_module_of_a_chapter_is_found_by_its_name(stem, module):
    assert module_of(stem) == module
