"""Check a chapter in one go: rules, equations, texts and pictures.

    python tools/check_chapter.py 11            some, by number, name or path
    python tools/check_chapter.py               every chapter

1. The rules of `tests.book.rules`: stable outputs, short cells, described figures and so on.
2. The checks of its labeled equations, in `dpgcourse.equation_checks`.
3. Every cell runs, prints what is stored and draws what is stored (nbval, and the pictures).
"""

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # when run as a script

from dpgcourse.equation_checks import table
from tests.book import rules
from tools.chapters import ROOT, UnknownChapterError, find, module_of
from tools.nbval_pictures import NOTE

NBVAL = ("--nbval", "--nbval-cell-timeout=300", "-p", "tools.nbval_pictures")
QUIET = ("-q", "--no-header", "--color=no", "-p", "no:warnings")
FAILED = re.compile(r"^(?:FAILED|ERROR) .*::Cell (\d+)", re.MULTILINE)


def broken_rules(path: Path) -> Iterator[str]:
    """What is wrong with a chapter without running it."""
    notebook = nbformat.read(path, as_version=4)
    for rule in rules.RULES:
        yield from rule(path.name, notebook)
    book = path.parent
    yield from rules.repeated_labels([*book.glob("*.ipynb"), *book.glob("*.md")])
    if path.parent == ROOT / "book":
        yield from rules.toc_mismatches(ROOT)


def broken_equations(path: Path) -> Iterator[str]:
    """Labeled equations without checks, checks without an equation, and checks that fail."""
    module = module_of(path.stem)
    file = f"dpgcourse/equation_checks/{module}.py"
    pages = {path, *(p for p in path.parent.glob("*.ipynb") if module_of(p.stem) == module)}
    labels = {label for page in pages for label, _ in rules.equations(page)}  # appendices too
    if module not in table.chapters():
        if labels:
            yield f"create {file}, with an entry for each of {sorted(labels)}"
        return
    try:
        checked = {entry.label for entry in table.entries(module)}
    except Exception as error:  # whatever is wrong in the module
        yield f"{file}: {type(error).__name__}: {error}"
        return
    for label in sorted(labels - checked):
        yield f"add an entry for {label} to {file}"
    for label in sorted(checked - labels):
        yield f"{file} has an entry for {label}, which is no equation here"
    try:
        table.rows(module)
    except AssertionError as error:
        yield f"equations: {error}"


def check(path: Path) -> tuple[list[str], list[str]]:
    """Check a chapter.

    Returns:
        What is wrong, and what differs by no more than on another machine.
    """
    running = subprocess.Popen(
        [sys.executable, "-m", "pytest", *NBVAL, *QUIET, path.resolve()],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    problems = [*broken_rules(path), *broken_equations(path)]  # while the cells run
    printed, _ = running.communicate()
    if running.returncode:
        cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
        names = [cells[int(number)].id for number in FAILED.findall(printed)]
        details = printed.partition("= FAILURES =")[2] or printed
        problems.append(f"other than stored: {', '.join(names) or 'its cells'}\n{details}")
    return problems, [line for line in printed.splitlines() if line.startswith(NOTE)]


def main(arguments: list[str]) -> int | str:
    """Check the chapters named, or every chapter; return the exit status or what went wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("chapters", nargs="*", help="number, name or path; default all")
    given = parser.parse_args(arguments)
    try:
        paths = find(given.chapters)
    except UnknownChapterError as error:
        return str(error)
    failed = False
    for path in paths:
        start = time.perf_counter()
        print(f"{path.stem}: ", end="", flush=True)
        problems, notes = check(path)
        print(f"{'failed' if problems else 'good'}, {time.perf_counter() - start:.0f} s")
        for problem in problems + notes:
            print(f"  {problem}")
        failed = failed or bool(problems)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
