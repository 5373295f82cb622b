"""The rules for a chapter, each a function that yields what is wrong with a notebook.

They close what nbval leaves open: a cell that was never run has no output to compare. (Pictures are
compared by `tools.nbval_pictures`.)
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode

from tests.book import main_road, numbers
from tools.chapters import folding
from tools.outputs import ROUNDING

MAX_LINES = 25
CELL_METADATA = {"jupyter", "mystnb", "tags"}
NOTEBOOK_METADATA = {"kernelspec", "language_info"}
TAGS = {"book-only", "check", "hide-input", ROUNDING, "nbval-ignore-output"}
CHECKED = "✓ "  # begins the line that a folded check prints
NEEDS = "# Needs the course's package, dpgcourse;"
# (chapter, cell id): why the output of this cell cannot be compared, or why it may raise
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("ledger.ipynb", "ledger-tables"): "shows rounding errors; tests/equation_checks bounds them",
}

UNSTABLE = {
    "an object's address": re.compile(r"\b0x[0-9a-f]{6,}"),
    "a time": re.compile(r"\d ?(ns|µs|ms|it/s|seconds)\b"),
    "digits that another machine rounds differently": re.compile(r"\d\.\d{12,}"),
}
MACHINE_PATH = re.compile(r"(?<![\w.~/}])/(home|root|work|farm|tmp|opt|Users)/\w|\b[A-Z]:\\Users\\")
BESIDE = re.compile(r"""["'](\.\.?/|results/|book/)[^"']*["']""")
UNCHECKED = re.compile(
    r"raises-exception|nbval-(skip|ignore-output|raises-exception)|#\s*NBVAL_|#\s*PYTEST_"
)
LABELS = re.compile(
    r"\$\$ *\((?P<equation>[^)\s]+)\)$"
    r"|^:(?:label|name): *(?P<directive>\S+)"
    r"|^\((?P<target>[^)\s]+)\)=$",
    re.MULTILINE,
)
EQUATION = re.compile(
    r"^\$\$(?P<dollars>.*?)\$\$ *(?:\((?P<label>[^)\s]+)\))?$"
    r"|^(?P<fence>[`:]{3,})\{math\} *\n(?P<directive>.*?)^(?P=fence) *$",
    re.MULTILINE | re.DOTALL,
)
EXERCISE = re.compile(r"\{exercise(?:-start)?\}[^\n]*\n(?::(?!label)[^\n]*\n)*:label: *(\S+)")
EXERCISE_BLOCK = re.compile(r"^[`:]{3,}\{exercise(?:-start)?\}", re.MULTILINE)
ASKED = re.compile(r"`(assert [^`]+)`")
CHAPTER = re.compile(r"\d\d_")
ASKED_OF_A_READER = ("What you need", "Reading time")
SOLUTION = re.compile(r"\{solution(?:-start)?\} *(\S+)")


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells that run something."""
    return [c for c in notebook.cells if c.cell_type == "code" and c.source.strip()]


def prose(notebook: NotebookNode) -> str:
    """All text cells, one after the other."""
    return "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")


def output_texts(cell: NotebookNode) -> Iterator[str]:
    """Everything that a cell printed or showed as text."""
    for output in cell.outputs:
        yield output.get("text", "")
        for kind, data in output.get("data", {}).items():
            if kind.startswith("text/"):
                yield data


def is_figure(cell: NotebookNode) -> bool:
    """Whether a cell shows a picture."""
    kinds = [kind for output in cell.outputs for kind in output.get("data", {})]
    return any(kind.startswith("image/") for kind in kinds)


def executed_in_order(name: str, notebook: NotebookNode) -> Iterator[str]:
    """Every code cell ran once, top to bottom, in a fresh kernel."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"execution counts are {counts}; run the chapter with `make execute`"


def no_errors(name: str, notebook: NotebookNode) -> Iterator[str]:
    """No cell raised, and none wrote to stderr."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"cell {cell.id} raised {output.ename}"
            if output.get("name") == "stderr":
                yield f"cell {cell.id} wrote to stderr: {output.text[:80]!r}"


def outputs_are_stable(name: str, notebook: NotebookNode) -> Iterator[str]:
    """Nothing is printed that changes from run to run or from machine to machine."""
    for cell in code_cells(notebook):
        for text in output_texts(cell):
            for kind, pattern in UNSTABLE.items():
                if match := pattern.search(text):
                    yield f"cell {cell.id} prints {kind}: {match.group()!r}"


def no_machine_paths(name: str, notebook: NotebookNode) -> Iterator[str]:
    """Neither sources nor outputs name a folder of the machine that ran them."""
    for cell in notebook.cells:
        texts = [cell.source, *(output_texts(cell) if cell.cell_type == "code" else [])]
        for text in texts:
            if match := MACHINE_PATH.search(text):
                yield f"cell {cell.id} holds a path of this machine: {match.group()!r}"


def figures_are_described(name: str, notebook: NotebookNode) -> Iterator[str]:
    """Every picture has alt text, a name to refer to and a caption."""
    for cell in code_cells(notebook):
        if is_figure(cell):
            described = cell.metadata.get("mystnb", {})
            alt = described.get("image", {}).get("alt")
            figure = described.get("figure", {})
            parts = {"alt text": alt, "name": figure.get("name"), "caption": figure.get("caption")}
            for part in (part for part, value in parts.items() if not value):
                yield f"cell {cell.id} shows a picture without {part}"
            if not str(figure.get("name", "fig-")).startswith("fig-"):
                yield f"cell {cell.id}: figure names begin with fig-, not {figure.name!r}"


def named_figures_exist(name: str, notebook: NotebookNode) -> Iterator[str]:
    """A cell that promises a figure shows one, and nothing else."""
    for cell in code_cells(notebook):
        if not cell.metadata.get("mystnb", {}).get("figure"):
            continue
        if not is_figure(cell):
            yield f"cell {cell.id} names a figure and shows no picture"
        shown = [output for output in cell.outputs if "data" in output]
        if len(shown) > 1:  # the page would give the name to each of them
            yield f"cell {cell.id} names a figure and shows {len(shown)} things"


def cells_are_short(name: str, notebook: NotebookNode) -> Iterator[str]:
    """No code cell is longer than a reader takes in at once."""
    for cell in code_cells(notebook):
        if (lines := len(cell.source.splitlines())) > MAX_LINES:
            yield f"cell {cell.id} has {lines} lines; at most {MAX_LINES}"


def says_what_it_needs(name: str, notebook: NotebookNode) -> Iterator[str]:
    """The first code cell tells a reader of the notebook alone how to get the package."""
    cells = code_cells(notebook)
    if cells and not cells[0].source.startswith(NEEDS):
        yield f"cell {cells[0].id} does not begin with {NEEDS!r}"


def opening_says_what_it_asks(name: str, notebook: NotebookNode) -> Iterator[str]:
    """A chapter says before its first section what it needs and how long it takes."""
    opening = prose(notebook).partition("\n## ")[0]
    for what in ASKED_OF_A_READER if CHAPTER.match(name) else ():
        if not re.search(rf"^\*\*{what}[.:]\*\* \S", opening, re.MULTILINE):
            yield f"no line before the first section begins with **{what}.** and says it"


def main_road_is_short(name: str, notebook: NotebookNode) -> Iterator[str]:
    """A chapter shows no more than a reader can take; no page shows a cell that only asserts."""
    found = main_road.load(notebook)
    for what in main_road.MOST if CHAPTER.match(name) else [main_road.ONLY_ASSERTS]:
        if found[what] > main_road.MOST[what]:
            yield f"{found[what]} {what}; at most {main_road.MOST[what]}: fold, move or cut"


def runs_anywhere(name: str, notebook: NotebookNode) -> Iterator[str]:
    """No cell reads a file beside the notebook: data come with the package (`results_path`)."""
    for cell in code_cells(notebook):
        if match := BESIDE.search(cell.source):
            yield f"cell {cell.id} reads {match.group()!r}; data come from dpgcourse.results_path"


def no_trailing_semicolon(name: str, notebook: NotebookNode) -> Iterator[str]:
    """No cell ends in `;`: Jupyter hides that output, nbval (issue 194) still finds it."""
    for cell in code_cells(notebook):
        if cell.source.rstrip().endswith(";"):
            yield f"cell {cell.id} ends with a semicolon"


def metadata_is_ours(name: str, notebook: NotebookNode) -> Iterator[str]:
    """No timings, no traces of an editor."""
    for key in set(notebook.metadata) - NOTEBOOK_METADATA:
        yield f"the notebook has metadata {key!r}; allowed: {sorted(NOTEBOOK_METADATA)}"
    for cell in notebook.cells:
        for key in set(cell.metadata) - CELL_METADATA:
            yield f"cell {cell.id} has metadata {key!r}; allowed: {sorted(CELL_METADATA)}"
        for tag in set(cell.metadata.get("tags", [])) - TAGS:
            yield f"cell {cell.id} has the tag {tag!r}; allowed: {sorted(TAGS)}"


def folded_cells_are_folded_everywhere(name: str, notebook: NotebookNode) -> Iterator[str]:
    """What the page folds is folded in JupyterLab too, and a folded check says what it checked."""
    for cell in code_cells(notebook):
        tags = set(cell.metadata.get("tags", []))
        if "check" in tags and "hide-input" not in tags:
            yield f"cell {cell.id} has the tag 'check' and not 'hide-input'"
        if cell.metadata.get("jupyter") != folding(cell):
            yield f"cell {cell.id} is folded otherwise in JupyterLab; run `make execute`"
        said = "".join(output.get("text", "") for output in cell.outputs)
        if "check" in tags and not (said.startswith(CHECKED) and said.count("\n") == 1):
            yield f"cell {cell.id} is a check and does not print one line that begins with ✓"


def every_cell_is_checked(name: str, notebook: NotebookNode) -> Iterator[str]:
    """No cell is kept from the checks, except those that `EXCEPTIONS` gives a reason for."""
    for cell in code_cells(notebook):
        marked = UNCHECKED.search(" ".join([*cell.metadata.get("tags", []), cell.source]))
        if marked and (name, cell.id) not in EXCEPTIONS:
            yield f"cell {cell.id} is kept from the checks by {marked.group()!r}"


def exercises_have_solutions(name: str, notebook: NotebookNode) -> Iterator[str]:
    """Every exercise has a label, and every label exactly one solution."""
    text = prose(notebook)
    exercises, solutions = EXERCISE.findall(text), SOLUTION.findall(text)
    if len(exercises) != len(EXERCISE_BLOCK.findall(text)):
        yield "an exercise has no label"
    for label in exercises:
        if solutions.count(label) != 1:
            yield f"exercise {label} has {solutions.count(label)} solutions"
    for label in set(solutions) - set(exercises):
        yield f"solution {label} has no exercise"


def exercises_are_pointed_to(name: str, notebook: NotebookNode) -> Iterator[str]:
    """The text says, before the summary, where a reader can do each exercise."""
    text = prose(notebook)
    taught = EXERCISE_BLOCK.split(numbers.REPEATS.split(text)[0])[0]
    for label in EXERCISE.findall(text):
        if f"{{ref}}`{label}`" not in taught:
            yield f"nothing before the summary and the exercises points to {label}"


def stated_numbers_are_computed(name: str, notebook: NotebookNode) -> Iterator[str]:
    """Every number of the text comes from a cell, except those that `numbers.UNCOMPUTED` lists."""
    allowed = numbers.UNCOMPUTED.get(name, [])
    for number in numbers.uncomputed(notebook, output_texts):
        if number not in allowed:
            yield f"the text says {number}, which no cell near it computes"


def asked_asserts_are_in_the_solution(name: str, notebook: NotebookNode) -> Iterator[str]:
    """What an exercise asks a function to pass stands, word for word, in its solution."""
    asked: list[str] = []
    code = ""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            code += "\n" + cell.source
            continue
        if "{solution-end}" in cell.source:  # the same cell may begin the next one
            for text in asked:
                if _squeezed(text) not in _squeezed(code):
                    yield f"an exercise asks for `{text}`, and its solution does not"
            asked = []
        before, starts, _ = cell.source.rpartition("{solution-start}")
        if starts:
            exercise = before[before.rfind("{exercise") :]
            asked, code = ASKED.findall(exercise), ""


def _squeezed(text: str) -> str:
    return "".join(text.split())


RULES = [
    executed_in_order,
    no_errors,
    outputs_are_stable,
    no_machine_paths,
    figures_are_described,
    named_figures_exist,
    cells_are_short,
    says_what_it_needs,
    opening_says_what_it_asks,
    main_road_is_short,
    runs_anywhere,
    no_trailing_semicolon,
    metadata_is_ours,
    folded_cells_are_folded_everywhere,
    every_cell_is_checked,
    exercises_have_solutions,
    exercises_are_pointed_to,
    stated_numbers_are_computed,
    asked_asserts_are_in_the_solution,
]


def page_text(path: Path) -> str:
    """What a page says, without its code."""
    if path.suffix == ".ipynb":
        return prose(nbformat.read(path, as_version=4))
    return path.read_text(encoding="utf-8")


def equations(path: Path) -> Iterator[tuple[str, str]]:
    """Every labeled equation of a page, as its label and its LaTeX."""
    return ((label, latex) for label, latex in displayed(path) if label)


def displayed(path: Path) -> Iterator[tuple[str | None, str]]:
    """Every displayed formula of a page, as its label, if it has one, and its LaTeX."""
    for match in EQUATION.finditer(page_text(path)):
        latex = match["dollars"]
        if latex is None:
            options, latex = re.split(r"^(?!:)", match["directive"], maxsplit=1, flags=re.MULTILINE)
            label = re.search(r"^:label: *(\S+)", options, re.MULTILINE)
            label = label and label[1]
        else:
            label = match["label"]
        yield label, latex.strip()


def exercises(path: Path) -> Iterator[tuple[str, str]]:
    """Every exercise of a page: its label, and its text with all that belongs to its solution."""
    if path.suffix != ".ipynb":
        return
    whole = "\n\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
    starts = [match.start() for match in EXERCISE.finditer(whole)]
    for start, end in pairwise([*starts, len(whole)]):
        text = whole[start:end].partition("{solution-end}")[0]
        yield EXERCISE.match(text)[1], text


def labels(path: Path) -> Iterator[str]:
    """Every name that a page gives to an equation, a figure, an exercise or a place."""
    if path.suffix == ".ipynb":
        notebook = nbformat.read(path, as_version=4)
        for cell in code_cells(notebook):
            if figure := cell.metadata.get("mystnb", {}).get("figure"):
                yield figure.get("name", "")
    for match in LABELS.finditer(page_text(path)):
        yield match[match.lastgroup]


def repeated_labels(paths: Iterable[Path]) -> list[str]:
    """Labels that stand more than once in the book."""
    counts = Counter(label for path in paths for label in labels(path))
    return [f"{label} is used {count} times" for label, count in counts.items() if count > 1]


def toc_pages(root: Path) -> list[str]:
    """The pages of the book in reading order, without suffix: `book/intro`."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter for part in toc.get("parts", []) for chapter in part["chapters"]]
    return [toc["root"], *(chapter["file"] for chapter in chapters + toc.get("chapters", []))]


def toc_mismatches(root: Path) -> Iterator[str]:
    """Pages that are not in the table of contents, and entries of it that are no page."""
    files = [*(root / "book").glob("*.ipynb"), *(root / "book").glob("*.md")]
    files += root.glob("genindex.md")  # Sphinx writes the index in its place
    written = [path.relative_to(root).with_suffix("").as_posix() for path in files]
    listed = toc_pages(root)
    yield from (f"{page} is not in _toc.yml" for page in written if page not in listed)
    yield from (
        f"_toc.yml lists {page}, which is no page" for page in listed if page not in written
    )
    yield from (f"_toc.yml lists {page} twice" for page in set(listed) if listed.count(page) > 1)
