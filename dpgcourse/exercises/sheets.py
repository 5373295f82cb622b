"""Exercise sheets: notebooks made from the chapters of the book, with or without solutions.

A chapter holds each exercise as a directive, with the code to begin with and up to three hints
inside; its solution follows. A sheet is read in plain JupyterLab, so the directives become Markdown
that every notebook shows.
"""

import functools
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dpgcourse.errors import InvalidInputError
from dpgcourse.exercises import CHAPTERS, find, labels, module_of
from dpgcourse.exercises.exercise import AnswersExercise, Exercise

_DIRECTIVE = re.compile(
    r"^(?P<fence>`{3,})\{exercise\}[^\n]*\n:label: ex-(?P<label>[\w-]+)\n"
    r"(?P<body>.*?)^(?P=fence) *$",
    re.MULTILINE | re.DOTALL,
)
_START = re.compile(r"^```python\n(?P<code>.*?)^``` *$", re.MULTILINE | re.DOTALL)
_HINT = re.compile(r"^:::\{dropdown\} (?P<title>Hint[^\n]*)\n(?P<text>.*?)^::: *$",
                  re.MULTILINE | re.DOTALL)  # fmt: skip
_SOLUTION = re.compile(
    r"^(?P<fence>`{3,})\{solution-start\} ex-(?P<label>[\w-]+)\n:class: dropdown\n(?P=fence) *$",
    re.MULTILINE,
)
_SOLUTION_END = re.compile(r"^(`{3,})\{solution-end\}\n\1 *$", re.MULTILINE)
_BOOK_ONLY = "book-only"  # tag of a solution's cell that needs names of its chapter
_NUMBERED = re.compile(r"^\$\$ *\((eq-[\w-]+)\)|^:label: *(eq-[\w-]+)", re.MULTILINE)
_ROLE = re.compile(r"\{(?P<role>[a-z:]+)\}`(?P<target>[^`]+)`")


@dataclass(frozen=True)
class SheetExercise:
    """An exercise as it stands in a chapter.

    Attributes:
        label: without "ex-".
        text: the question, in Markdown.
        start: the code to begin with.
        hints: title and text of each hint.
        solution: the cells of the solution, as type and source.
    """

    label: str
    text: str
    start: str
    hints: tuple[tuple[str, str], ...]
    solution: tuple[tuple[str, str], ...]


def book_folder() -> Path:
    """Where the chapters lie: inside an installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "book"
    return inside if inside.is_dir() else package.parent / "book"


def read_exercises(notebook: dict[str, Any]) -> Iterator[SheetExercise]:
    """The exercises of a chapter, in order."""
    found: dict[str, dict[str, Any]] = {}
    inside = ""  # label of the solution that the cells belong to
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            if inside and _BOOK_ONLY not in cell["metadata"].get("tags", []):
                found[inside]["solution"].append(("code", source))
            continue
        if inside:
            before, end, source = _split(_SOLUTION_END, source)
            if before.strip():
                found[inside]["solution"].append(("markdown", before.strip()))
            if not end:
                continue
            inside = ""
        for match in _DIRECTIVE.finditer(source):
            found[match["label"]] = {"body": match["body"], "solution": []}
        _, start, rest = _split(_SOLUTION, source)
        if start:
            inside = start["label"]
            if rest.strip():
                found[inside]["solution"].append(("markdown", rest.strip()))
    for label, of in found.items():
        starts = [match["code"].rstrip() for match in _START.finditer(of["body"])]
        hints = [(m["title"].strip(), m["text"].strip()) for m in _HINT.finditer(of["body"])]
        text = _HINT.sub("", _START.sub("", of["body"])).strip()
        yield SheetExercise(label, text, "\n\n".join(starts), tuple(hints), tuple(of["solution"]))


def _split(pattern: re.Pattern, text: str) -> tuple[str, re.Match | None, str]:
    """What stands before the first match, the match, and what stands behind it."""
    match = pattern.search(text)
    return (text[: match.start()], match, text[match.end() :]) if match else (text, None, "")


def write_sheets(folder: Path, solutions: bool = False) -> list[Path]:
    """Write a sheet for each chapter into a folder.

    Args:
        folder: made if it is missing.
        solutions: whether the sheets hold the solutions, for a teacher.

    Returns:
        the files that were written.

    Raises:
        InvalidInputError: a sheet exists already, or the folder cannot be made. Nothing is
            written then.
    """
    sheets = {}
    for module in dict.fromkeys(module_of(label) for label in labels()):
        name = module.removeprefix("ch")
        chapter = json.loads((book_folder() / f"{name}.ipynb").read_text(encoding="utf-8"))
        sheets[folder / f"{name}.ipynb"] = sheet(chapter, solutions)
    for path in sheets:
        if path.exists():
            raise InvalidInputError(f"{str(path)!r} exists; allowed: a folder without these files")
    if folder.is_file():
        raise InvalidInputError(f"{str(folder)!r} is a file; allowed: a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"{str(folder)!r} cannot be made: {error.strerror}"
        raise InvalidInputError(reason) from None
    for path, notebook in sheets.items():
        text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
        path.write_text(text, encoding="utf-8")
    return list(sheets)


def sheet(chapter: dict[str, Any], solutions: bool = False) -> dict[str, Any]:
    """The sheet of a chapter, as the content of a notebook."""
    title = "".join(chapter["cells"][0]["source"]).split("\n")[0].lstrip("# ")
    copy = "Teacher's copy with solutions." if solutions else "Solutions: in the book."
    cells = [
        ("markdown", f"# Exercises of chapter {title}\n\nType your answer in place of the three "
         f"dots, and run the cell. If it is a function, run the check below it too. {copy}"),
        ("code", "import numpy as np\n\nfrom dpgcourse.exercises import check"),
    ]  # fmt: skip
    for exercise in read_exercises(chapter):
        number, definition = find(exercise.label)
        hints = "".join(
            f"\n\n<details><summary>{title}</summary>\n\n{plain(text)}\n\n</details>"
            for title, text in exercise.hints
        )
        cells.append(("markdown", f"## Exercise {number}\n\n{plain(exercise.text)}{hints}"))
        if exercise.start:
            cells.append(("code", exercise.start))
        cells.append(("code", check_cell(definition)))
        if solutions and exercise.solution:
            kind, first = exercise.solution[0]
            heading = "### Solution"
            cells.append(("markdown", f"{heading}\n\n{plain(first)}" if kind == "markdown"
                          else heading))  # fmt: skip
            rest = exercise.solution[1:] if kind == "markdown" else exercise.solution
            cells += [(k, plain(text) if k == "markdown" else text) for k, text in rest]
    return {
        "cells": [_cell(i, kind, text) for i, (kind, text) in enumerate(cells)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _cell(number: int, kind: str, text: str) -> dict[str, Any]:
    cell = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": text}
    return cell if kind == "markdown" else {**cell, "execution_count": None, "outputs": []}


def check_cell(exercise: Exercise) -> str:
    """The code that checks an answer, with three dots for each value that is asked for."""
    if not isinstance(exercise, AnswersExercise):
        return f'check("{exercise.label}", {exercise.name})'
    lines = ["check(", f'    "{exercise.label}",']
    for choices, group in itertools.groupby(exercise.asked.items(), lambda x: x[1].choices):
        names = [name for name, _ in group]
        if choices:
            lines.append(f"    # {'each is ' if len(names) > 1 else ''}one of:")
            lines += [f"    #   {choice!r}" for choice in choices]
        lines += [f"    {name}=...," for name in names]
    return "\n".join([*lines, ")"])


def plain(text: str) -> str:
    """Markdown of the book as every notebook shows it: roles and directives become text."""
    text = re.sub(r"^(`{3,}|:{3,})\{[^}\n]*\}[^\n]*\n(?::[\w-]+:[^\n]*\n)*|^:{3,} *$", "", text,
                  flags=re.MULTILINE)  # fmt: skip
    text = re.sub(r"\$\$ *\([\w-]+\)", "$$", text)
    text = re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]*\)", r"\1", text)  # links into the book
    return _ROLE.sub(_role, text)


def _role(match: re.Match) -> str:
    role, target = match["role"], match["target"]
    if role.startswith("cite"):
        return f"[{target}]"
    if role == "ref" and target.startswith("ex-"):
        return f"exercise {find(target.removeprefix('ex-'))[0]}"
    if role == "eq" and target in (numbers := equation_numbers()):
        return f"equation ({numbers[target]}) of the book"
    kinds = {"numref": "the figure", "prf:ref": "the theorem", "term": ""}
    return f"{kinds.get(role, '')} {target}".strip()


@functools.cache
def equation_numbers() -> dict[str, int]:
    """The number of every labeled equation, as in the book: front page, then chapter by chapter."""
    names = ["intro", *(module.removeprefix("ch") for module in CHAPTERS.values())]
    found: list[str] = []
    for name in names:
        chapter = json.loads((book_folder() / f"{name}.ipynb").read_text(encoding="utf-8"))
        text = "\n\n".join("".join(x["source"]) for x in chapter["cells"]
                           if x["cell_type"] == "markdown")  # fmt: skip
        found += (match[1] or match[2] for match in _NUMBERED.finditer(text))
    return {label: number for number, label in enumerate(found, start=1)}
