"""A wrong number in the text, and an exercise that asks for something else than its solution."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from tests.book import rules
from tests.book.numbers import UNCOMPUTED, is_computed, stated, with_numbers

BOOK = Path(__file__).resolve().parents[2] / "book"

CODE = nbformat.v4.new_code_cell("print(f'{-149.53:.1f}')\nassert 12_000 * 0.274 > 1")
CODE.outputs = [nbformat.v4.new_output("stream", name="stdout", text="-149.5\n")]


def chapter(*texts):
    cells = [nbformat.v4.new_markdown_cell(text) for text in texts]
    return nbformat.v4.new_notebook(cells=[CODE, *cells])


@pytest.mark.parametrize(
    "text",
    [
        "It returns −149.5 after 12,000 steps.",
        "It returns about $-150$, or 27.4%, or 27%.",
        "See chapters 11 to 14, {eq}`eq-25`, `x = 77` and [this](page_99).",
        "Ten, 10, 100 and 7 say nothing.",
        "$$\nx = 8.31\n$$ (eq-x)",
    ],
)
def test_a_number_that_is_computed_may_be_stated(text):
    assert list(rules.stated_numbers_are_computed("99.ipynb", chapter(text))) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("It returns −194.5.", "194.5"),
        ("It returns −151.", "151"),
        ("After 1,200 steps", "1,200"),
        ("in 28% of them", "28%"),
        ("about $0.031$", "0.031"),
        ("in 12% of them", "12%"),  # 12,000 is no share
        ("It returns 27.", "27"),  # 0.274 is no whole number
    ],
)
def test_a_wrong_number_is_seen(text, number):
    (problem,) = rules.stated_numbers_are_computed("99.ipynb", chapter(text))
    assert problem == f"the text says {number}, which no cell near it computes"


def test_a_printed_percentage_is_a_share_and_no_plain_number():
    code = nbformat.v4.new_code_cell("print(f'{x:.0%}')")
    code.outputs = [nbformat.v4.new_output("stream", name="stdout", text="31%\n")]
    text = nbformat.v4.new_markdown_cell("It is 31%. It is 31.")
    notebook = nbformat.v4.new_notebook(cells=[code, text])
    (problem,) = rules.stated_numbers_are_computed("99.ipynb", notebook)
    assert problem == "the text says 31, which no cell near it computes"


def test_the_script_of_an_explorable_computes_nothing():
    code = nbformat.v4.new_code_cell("show()")
    shown = {"text/html": '<div data-explorable="x"></div><script>const PAD = 38;</script>'}
    code.outputs = [nbformat.v4.new_output("execute_result", data=shown)]
    text = nbformat.v4.new_markdown_cell("It is 38.")
    notebook = nbformat.v4.new_notebook(cells=[code, text])
    (problem,) = rules.stated_numbers_are_computed("99.ipynb", notebook)
    assert problem == "the text says 38, which no cell near it computes"


@pytest.mark.parametrize("letter", "ABCD")
def test_a_number_is_computed_in_its_section_or_in_the_one_before(letter):
    texts = ["# O", "## A", "## B", "## C", "## D", "## Summary\nIt is 149.5."]
    texts[" ABCD".index(letter)] += "\nIt is 149.5."
    cells = [nbformat.v4.new_markdown_cell(text) for text in texts]
    notebook = nbformat.v4.new_notebook(cells=[*cells[:3], CODE, *cells[3:]])  # computed in B
    wrong = list(rules.stated_numbers_are_computed("99.ipynb", notebook))
    assert wrong == (
        [] if letter in "BC" else ["the text says 149.5, which no cell near it computes"]
    )


def miswritten(number: str) -> Iterator[str]:
    """This number with two neighboring digits exchanged, or one digit changed."""
    digits = [i for i, x in enumerate(number) if x.isdigit()]
    for i, j in itertools.pairwise(digits):
        yield "".join({i: number[j], j: number[i]}.get(k, x) for k, x in enumerate(number))
    for i in digits:
        for step in (1, 3, 9):
            yield number[:i] + str((int(number[i]) + step) % 10) + number[i + 1 :]


def test_eight_in_nine_wrong_numbers_are_seen():
    planted = missed = 0
    for path in sorted(BOOK.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        allowed = UNCOMPUTED.get(path.name, [])
        for text, numbers in with_numbers(notebook, rules.output_texts):
            for number in stated(text):
                wrong = {x for x in miswritten(number) if x != number and list(stated(x)) == [x]}
                planted += len(wrong)
                missed += sum(x in allowed or is_computed(x, numbers) for x in wrong)
    print(f"{planted - missed} of {planted} wrong numbers are seen")
    assert missed < planted / 9


def test_the_coordinates_of_a_figure_are_no_results():
    figure = nbformat.v4.new_code_cell("ax.text(3.14, 2.72, 'e')\nassert e == 2.72")
    figure.metadata["mystnb"] = {"figure": {"name": "fig-a"}}
    text = nbformat.v4.new_markdown_cell("First 3.14, then 2.72.")
    notebook = nbformat.v4.new_notebook(cells=[text, figure])
    (problem,) = rules.stated_numbers_are_computed("99.ipynb", notebook)
    assert problem.startswith("the text says 3.14, ")


def test_numbers_are_found_as_they_are_written():
    assert list(stated("−2.50, $12{,}000$, 3\u202f%, x2y, v1.5.2 and 64")) == [
        "2.50",
        "12,000",
        "64",
    ]


def exercise(asked, solved):
    begin = "```{{exercise}}\n:label: ex-{0}\nIt should pass `assert {1}`.\n```\n\n"
    begin += "```{{solution-start}} ex-{0}\n```"
    end = "```{solution-end}\n```\n\n"
    cells = [
        nbformat.v4.new_markdown_cell(begin.format("a", asked)),
        nbformat.v4.new_code_cell(f"assert {solved}"),
        nbformat.v4.new_markdown_cell(end + begin.format("b", "True")),  # as chapters have it
        nbformat.v4.new_code_cell("assert True"),
        nbformat.v4.new_markdown_cell(end),
    ]
    return nbformat.v4.new_notebook(cells=cells)


def test_an_exercise_asks_for_what_its_solution_asserts():
    rule = rules.asked_asserts_are_in_the_solution
    assert list(rule("99.ipynb", exercise("f(2) < 5", "f( 2 )  < 5"))) == []
    (problem,) = rule("99.ipynb", exercise("f(2) < 5", "f(2) < 7"))
    assert problem == "an exercise asks for `assert f(2) < 5`, and its solution does not"
