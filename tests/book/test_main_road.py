"""The main road of a chapter: what counts, and what is too much."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.book import main_road, rules

TEXT = """# One

Two words, $a = b$, `code`, {eq}`eq-x` and [a link](one.ipynb).

| a | table |
|---|---|

$$ x = y $$ (eq-x)
"""
EXERCISES = """```{exercise}
:label: ex-one
Not counted here.
```

```{solution-start} ex-one
```
"""


def page(*cells, name="01_one.ipynb"):
    return name, new_notebook(cells=[new_markdown_cell(TEXT), *cells])


def code(source, shown=True, tags=()):
    outputs = [new_output("stream", text="4")] if shown else []
    return new_code_cell(source, outputs=outputs, metadata={"tags": list(tags)})


def broken(name, notebook):
    return list(rules.main_road_is_short(name, notebook))


def test_words_are_those_of_sentences():
    _, notebook = page()
    assert main_road.load(notebook)["words"] == 6  # One. Two words, and a link.


def test_solutions_and_folded_cells_are_beside_the_road():
    cells = (
        code("assert True\nprint('✓')", tags=["check", "hide-input"]),
        new_markdown_cell(EXERCISES),
        code("assert True", shown=False),
        new_markdown_cell("Not counted.\n\n```{solution-end}\n```"),
        code("x = 1\nprint(x)"),
    )
    found = main_road.load(page(*cells)[1])
    assert found["visible code cells"] == 1 and found["visible lines of code"] == 2
    assert found["visible lines that assert"] == 0


@pytest.mark.parametrize("source", ["assert 2 == 2", "x = 2\nfor y in (x,):\n    assert y == 2"])
def test_a_visible_cell_that_only_asserts_is_seen(source):
    assert broken(*page(code("assert 2 == 2\nprint(4)"))) == []
    (found,) = broken(*page(code(source, shown=False)))
    assert found == "1 visible cells that only assert; at most 0: fold, move or cut"


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        ([new_markdown_cell("word " * 2601)], "words"),
        ([code("print(4)") for _ in range(19)], "visible code cells"),
        ([code("print(4)\n" * 171)], "visible lines of code"),
        ([code("assert True\n" * 9 + "print(4)")], "visible lines that assert"),
    ],
)
def test_too_much_is_named(cells, what):
    (found,) = broken(*page(*cells))
    assert f" {what}; at most {main_road.MOST[what]}" in found


def test_appendices_may_be_long_and_fold_their_checks():
    name, notebook = page(*(code("print(4)") for _ in range(19)), name="appendix_01.ipynb")
    assert broken(name, notebook) == []
    notebook.cells.append(code("assert True", shown=False))
    assert broken(name, notebook)
