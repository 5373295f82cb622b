"""What a reader meets on a chapter's main road, and how much of it there may be.

The main road is what a page shows at first: its text outside exercises, and the code that is not
folded. Checks are folded, and cost the reader one line each.
"""

import ast
import re
from collections.abc import Iterator

from nbformat import NotebookNode

ONLY_ASSERTS = "visible cells that only assert"
MOST = {
    "words": 2600,
    "visible code cells": 18,
    "visible lines of code": 170,
    "visible lines that assert": 8,
    ONLY_ASSERTS: 0,
}
NO_WORDS = re.compile(  # formulas, code, tables, directives and their options
    r"^([`:]{3,})\{?(?:code|math)[\s\S]*?^\1"
    r"|\$\$[\s\S]*?\$\$(?: *\([\w-]+\))?|\$[^$]*\$|\{[a-z:]+\}`[^`]*`|`[^`]*`"
    r"|^ *\|.*$|^[`:]{3,}.*$|^:[\w-]+:.*$|^\([\w-]+\)=$|\]\([^)]*\)",
    re.MULTILINE,
)
EXERCISE_TEXT = re.compile(r"^(`{3,}|:{3,})\{exercise.*?^\1 *$", re.MULTILINE | re.DOTALL)
WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")


def on_the_road(notebook: NotebookNode) -> Iterator[NotebookNode]:
    """The cells outside solutions of exercises."""
    inside = False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            begins, ends = (
                cell.source.rfind("{solution-start}"),
                cell.source.rfind("{solution-end}"),
            )
            if not inside or ends >= 0:
                yield cell
            if begins >= 0 or ends >= 0:
                inside = begins > ends
        elif cell.source.strip() and not inside:
            yield cell


def load(notebook: NotebookNode) -> dict[str, int]:
    """How much of everything in `MOST` a page has."""
    cells = list(on_the_road(notebook))
    text = "\n\n".join(c.source for c in cells if c.cell_type == "markdown")
    text = NO_WORDS.sub(" ", EXERCISE_TEXT.sub(" ", text))
    code = [c for c in cells if c.cell_type == "code" and "hide-input" not in _tags(c)]
    trees = [ast.parse(cell.source) for cell in code]
    asserts = [sum(isinstance(x, ast.Assert) for x in ast.walk(tree)) for tree in trees]
    return {
        "words": len(WORD.findall(text)),
        "visible code cells": len(code),
        "visible lines of code": sum(len(cell.source.splitlines()) for cell in code),
        "visible lines that assert": sum(asserts),
        ONLY_ASSERTS: sum(
            n > 0 and not cell.outputs for n, cell in zip(asserts, code, strict=True)
        ),
    }


def _tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])
