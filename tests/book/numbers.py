"""Numbers in the text of a chapter, and whether the chapter computes them.

A number of two or more digits in the text must stand in the code of the chapter, in what a cell
prints, or be the rounding of a number that does. `UNCOMPUTED` lists the others: facts from sources,
and numbers of earlier chapters.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

UNCOMPUTED: dict[str, list[str]] = json.loads(
    Path(__file__).with_name("uncomputed_numbers.json").read_text(encoding="utf-8")
)

# What is no statement about a number: references, citations, labels, code, links, equations.
NO_TEXT = re.compile(
    r"\{(?:cite|eq|ref|numref|doc|prf:ref)[^}]*\}`[^`]*`"
    r"|^\$\$.*?\$\$[^\n]*$|^[`:]{3,}\{math\}.*?^[`:]{3,}"
    r"|`[^`\n]*`|\b[Cc]hapters? \d+(?: (?:to|and) \d+)?|95% |\]\([^)]*\)|^\([\w-]+\)=$|^:\w+:.*$|https?://\S+",
    re.MULTILINE | re.DOTALL,
)
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?![\w])")
IN_CODE = re.compile(r"(?<![\w.])\d[\d_]*(?:\.\d*)?(?:e[-+]?\d+)?|(?<![\w.])\.\d+(?:e[-+]?\d+)?")
IN_OUTPUT = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")


def stated(text: str) -> Iterator[str]:
    """Every number of two or more digits in a text, as written, without powers of ten."""
    plain = NO_TEXT.sub(" ", text).replace("{,}", ",").replace("\\,", "")
    for match in NUMBER.finditer(plain):
        written = match.group().rstrip(",")
        digits = re.sub(r"[.,]", "", written).lstrip("0")
        if len(digits) >= 2 and digits.rstrip("0") != "1":
            yield written


def computed(notebook: NotebookNode, texts: Iterator[str]) -> set[float]:
    """Every number in the code of a chapter and in what its cells print."""
    found = set()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for token in IN_CODE.findall(cell.source):
                found.add(float(token.replace("_", "")))
    for text in texts:
        for token in IN_OUTPUT.findall(text):
            found.add(float(token.replace(",", "")))
    return found


def is_computed(written: str, numbers: set[float]) -> bool:
    """Whether a number is one of those, perhaps rounded, perhaps as a percentage."""
    value = float(written.replace(",", ""))
    decimals = len(written.partition(".")[2])
    exact = {value, value / 100}
    return bool(exact & numbers) or any(
        abs(round(scale * x, decimals) - value) < 1e-9
        for scale in (1, 100)
        for x in numbers
        if x != int(x)  # a whole number is not rounded
    )


def uncomputed(notebook: NotebookNode, text: str, outputs: Iterator[str]) -> list[str]:
    """The numbers of a text that the chapter does not compute."""
    numbers = computed(notebook, outputs)
    return [written for written in stated(text) if not is_computed(written, numbers)]
