"""Numbers in the text of a chapter, and whether the chapter computes them there.

A number of two or more digits in the text must stand in the code of its section or of the one
before, in what a cell there prints, or be the rounding of a number that does. A percentage must be
printed or typed as one, or be a share that is computed there; a share is no plain number. The
opening, the summary and the exercises may repeat what any section computes. Of the code of a figure
only the assertions count: coordinates of labels are no results. `UNCOMPUTED` lists the others:
facts from sources, and numbers of sections far away and of other chapters.
"""

import ast
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from nbformat import NotebookNode

UNCOMPUTED: dict[str, list[str]] = json.loads(
    Path(__file__).with_name("uncomputed_numbers.json").read_text(encoding="utf-8")
)

# What is no statement about a number: references, citations, labels, code, links, equations.
NO_TEXT = re.compile(
    r"\{(?:cite|eq|ref|numref|doc|prf:ref)[^}]*\}`[^`]*`"
    r"|^\$\$.*?\$\$[^\n]*$|^[`:]{3,}\{math\}.*?^[`:]{3,}"
    r"|`[^`\n]*`|\b(?:[Cc]hapters?|[Aa]ppendix) \d+(?: (?:to|and) \d+)?|95% |\]\([^)]*\)"
    r"|\bEqs?\. \d+|\b[Ee]xample \d+\.\d+"
    r"|^\([\w-]+\)=$|^:\w+:.*$|https?://\S+|\^\{-?\d+\}|^\*\*Reading time[.:]\*\*[^.\n]*",
    re.MULTILINE | re.DOTALL,
)
HEADING = re.compile(r"^##? ", re.MULTILINE)
REPEATS = re.compile(r"^## (?:Summary|Exercises)$", re.MULTILINE)
THOUSANDS = r"(?:\d{1,3}(?:,\d{3})+|\d+)"  # "1,1" is a point
NUMBER = re.compile(rf"(?<![\w.]){THOUSANDS}(?:\.\d+)?(?![\w])")
PERCENT = re.compile(r"(?:(?:,| to| and| or) [\d.]+)?[\s\\$]*%| percent")  # also "4 to 8%"
IN_CODE = re.compile(
    r"(?<![\w.])(\d[\d_]*(?:\.\d*)?(?:e[-+]?\d+)?|(?<![\w.])\.\d+(?:e[-+]?\d+)?)(%?)"
)
IN_OUTPUT = re.compile(rf"(?<![\w.])({THOUSANDS}(?:\.\d+)?(?:e[-+]?\d+)?)(\s?%)?")


def stated(text: str) -> Iterator[str]:
    """Every number of two or more digits in a text, as written, without powers of ten.

    A percentage ends in "%".
    """
    plain = NO_TEXT.sub(" ", text).replace("{,}", ",").replace("\\,", "")
    for match in NUMBER.finditer(plain):
        written = match.group().rstrip(",")
        digits = re.sub(r"[.,]", "", written).lstrip("0")
        if len(digits) >= 2 and digits not in ("10", "100"):
            yield written + ("%" if PERCENT.match(plain, match.end()) else "")


def sections(notebook: NotebookNode) -> list[list[NotebookNode]]:
    """The cells of a notebook, section by section; the first one is the opening."""
    found: list[list[NotebookNode]] = [[]]
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and HEADING.search(cell.source) and found[-1]:
            found.append([])
        found[-1].append(cell)
    return found


def computed(cells: Iterable[NotebookNode], texts: Iterable[str]) -> set[float]:
    """Every number in the code of some cells and in the texts that they print; 5% is 0.05."""
    found = set()
    sources = [_results(cell) for cell in cells if cell.cell_type == "code"]
    printed = [text for text in texts if "data-explorable=" not in text]  # a script, no result
    for pattern, read in ((IN_CODE, sources), (IN_OUTPUT, printed)):
        for text in read:
            for number, percent in pattern.findall(text):
                value = float(re.sub("[,_]", "", number))
                found.add(value / 100 if percent else value)
    return found


def _results(cell: NotebookNode) -> str:
    """The code of a cell; of a figure only the assertions."""
    if not cell.metadata.get("mystnb", {}).get("figure"):
        return cell.source
    lines = cell.source.splitlines()
    asserts = (node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Assert))
    return "\n".join("\n".join(lines[a.lineno - 1 : a.end_lineno]) for a in asserts)


def is_computed(written: str, numbers: set[float]) -> bool:
    """Whether a number or a percentage is one of those, perhaps rounded."""
    number = written.rstrip("%")
    scale = 100 if written.endswith("%") else 1
    value = float(number.replace(",", ""))
    decimals = len(number.partition(".")[2])
    return any(
        abs((scale * x if x == int(x) else round(scale * x, decimals)) - value) < 1e-9
        for x in numbers  # a whole number is not rounded
    )


def with_numbers(
    notebook: NotebookNode, texts_of: Callable[[NotebookNode], Iterable[str]]
) -> Iterator[tuple[str, set[float]]]:
    """The text of each section, and the numbers that may be stated there.

    Args:
        notebook: the chapter.
        texts_of: the texts that a code cell has printed.
    """
    parts = sections(notebook)
    near = [
        computed(part, (text for c in part if c.cell_type == "code" for text in texts_of(c)))
        for part in parts
    ]
    everywhere = set().union(*near)
    for i, part in enumerate(parts):
        text = "\n\n".join(cell.source for cell in part if cell.cell_type == "markdown")
        repeats = i == 0 or REPEATS.search(text)
        yield text, everywhere if repeats else set().union(*near[max(0, i - 1) : i + 1])


def uncomputed(notebook: NotebookNode, texts_of: Callable[[NotebookNode], Iterable[str]]):
    """Yield the numbers of the text that are not computed where they are stated.

    Args: as for `with_numbers`.
    """
    for text, numbers in with_numbers(notebook, texts_of):
        yield from (written for written in stated(text) if not is_computed(written, numbers))
