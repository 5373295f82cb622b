"""Plant faults in a copy of the course, one at a time, and see which check catches each.

python -m tools.plant_faults package      faults in the package, two at a time
python -m tools.plant_faults book         faults in the chapters and in the published records

The faults stand in ``tests/planted_faults/``; what was found goes to ``results/planted-faults/``.
A fault meets the checks in order, the nearest first, and stops at the first one that fails:

| faults | checks, in order |
|---|---|
| package | the tests of the same folder, all other tests of the package |
| book | the checks that run nothing, the chapter itself |

Before anything is planted, the checks run on an unchanged copy: they must pass there.
"""

import argparse
import csv
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).resolve().parents[1]
FAULTS = ROOT / "tests" / "planted_faults"
FOUND = ROOT / "results" / "planted-faults"
NOTHING = "nothing"
COLUMNS = ("kind", "file", "what", "at first", "caught by")
QUIET = ("-x", "-q", "--no-header", "--color=no")
NBVAL = ("--nbval", "--nbval-cell-timeout=300", "-p", "tools.nbval_pictures")
READING = (  # the fast ones first
    "tests/book/test_hygiene.py",
    "tests/equation_checks/test_equation_checks.py"
    "::test_every_equation_of_a_page_is_the_one_that_was_held_against_its_check",
    "tests/results",
    "tests/equation_checks",
)
OTHERS = ("tests/site", "tests/book", "tests/test_planted_faults.py")  # not of the package
PACKAGE = ("tests", "dpgcourse", *(f"--ignore={path}" for path in OTHERS))
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+::.+?)(?: - .*)?$", re.MULTILINE)
PICTURE = "image/png"


def _tests_of(path: Path) -> list[str]:
    """Test files of the same folder that name this module: its own, then by how often they do."""
    named = {
        test.relative_to(ROOT).as_posix(): test.read_text(encoding="utf-8").count(path.stem)
        for test in (ROOT / "tests" / path.parts[1]).glob("test_*.py")
    }
    own = f"test_{path.stem}.py"
    return sorted((t for t in named if named[t]), key=lambda t: (Path(t).name != own, -named[t]))


class StaleFaultError(Exception):
    """The course has changed, and the fault does not fit it any more."""

    def __init__(self, fault: dict[str, Any]):
        super().__init__(f"{fault['file']} no longer holds what is replaced: {fault['what']}")


def read_faults(where: str) -> list[dict[str, Any]]:
    """The faults of the "package" or of the "book"."""
    return json.loads((FAULTS / f"{where}.json").read_text(encoding="utf-8"))


def checks(fault: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Name and pytest arguments of the checks that a fault meets, the nearest first."""
    path = Path(fault["file"])
    if path.parts[0] == "dpgcourse":
        room = path.parts[1]
        yield (
            "nearest tests",
            [fault["file"], *_tests_of(path), f"tests/{room}", f"dpgcourse/{room}"],
        )
        yield "other tests", [*PACKAGE, f"--ignore=tests/{room}"]
    else:
        yield "reading", list(READING)
        if path.suffix == ".ipynb":
            yield "running the chapter", [*NBVAL, fault["file"]]


def controls(faults: list[dict[str, Any]], chosen: Iterable[int]) -> list[list[str]]:
    """The checks that must pass on an unchanged copy: each check that the faults meet, once."""
    files = {faults[i]["file"] for i in chosen}
    if any(file.startswith("dpgcourse/") for file in files):
        return [list(PACKAGE)]
    notebooks = sorted(file for file in files if file.endswith(".ipynb"))
    return [list(READING), *([*NBVAL, file] for file in notebooks)]


def plant(fault: dict[str, Any], root: Path) -> None:
    """Write the fault into the copy at this folder."""
    path = root / fault["file"]
    path.write_bytes(planted(fault, path))


def planted(fault: dict[str, Any], path: Path) -> bytes:
    """What the file contains with the fault in it.

    Raises:
        StaleFaultError: what the fault replaces is not there, or not once.
    """
    if "cell" not in fault:
        text = path.read_bytes().decode("utf-8")
        new = _replaced(text.replace("\r\n", "\n"), fault)
        return (new.replace("\n", "\r\n") if "\r\n" in text else new).encode("utf-8")
    notebook = nbformat.read(path, as_version=4)
    cells = {cell.id: cell for cell in notebook.cells}
    if not {fault["cell"], fault.get("picture_of", fault["cell"])} <= set(cells):
        raise StaleFaultError(fault)
    cell = cells[fault["cell"]]
    if "picture_of" in fault:
        _picture(cell)[PICTURE] = _picture(cells[fault["picture_of"]])[PICTURE]
    else:
        cell.source = _replaced(cell.source, fault)
    return (nbformat.writes(notebook) + "\n").encode("utf-8")


def _replaced(text: str, fault: dict[str, Any]) -> str:
    if text.count(fault["old"]) != 1:
        raise StaleFaultError(fault)
    return text.replace(fault["old"], fault["new"])


def _picture(cell) -> dict[str, str]:
    return next(o.data for o in cell.outputs if PICTURE in o.get("data", {}))


def first_failure(arguments: list[str], root: Path) -> str:
    """The first check that fails in this copy, or nothing."""
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", *QUIET, *arguments]
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, timeout=3600
    )
    if done.returncode == 0:
        return ""
    found = FAILED.search(done.stdout)
    return found[1].strip() if found else (done.stdout + done.stderr)[-300:]


def caught_by(fault: dict[str, Any], root: Path) -> tuple[str, str]:
    """The layer that catches a fault, and its first check that fails."""
    whole = root / fault["file"]
    kept = whole.read_bytes()
    plant(fault, root)
    try:
        for layer, arguments in checks(fault):
            if failure := first_failure(arguments, root):
                return layer, failure
        return NOTHING, ""
    finally:
        whole.write_bytes(kept)


def copy_course(root: Path) -> None:
    """A copy of what git tracks, as it is in the working tree."""
    for name in subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)  # tests ask what git tracks
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)


def read_table(where: str) -> dict[tuple[str, str], dict[str, str]]:
    """What is known of each fault, by its file and what is wrong there."""
    path = FOUND / f"{where}.csv"
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["file"], row["what"]): row for row in csv.DictReader(file)}


def write_table(where: str, rows: list[tuple[str, str, str, str]]) -> None:
    """Enter what was found, in the order of the faults; what was found at first is kept."""
    table = read_table(where)
    for kind, file, what, layer in rows:
        at_first = table.get((file, what), {}).get("at first", layer)
        found = (kind, file, what, at_first, layer)
        table[file, what] = dict(zip(COLUMNS, found, strict=True))
    keys = [(fault["file"], fault["what"]) for fault in read_faults(where)]
    FOUND.mkdir(exist_ok=True)
    with (FOUND / f"{where}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table[key] for key in keys if key in table)


def main(arguments: list[str]) -> int:
    """Plant the faults of one kind, and write a table of what caught them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("where", choices=("package", "book"))
    parser.add_argument("--only", type=int, nargs="*", help="numbers of faults, from 0")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    given = parser.parse_args(arguments)
    faults = read_faults(given.where)
    chosen = range(len(faults)) if given.only is None else given.only
    copies: queue.Queue[Path] = queue.Queue()
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(given.jobs) as pool:
        for i in range(given.jobs):
            copy_course(Path(scratch) / str(i))
            copies.put(Path(scratch) / str(i))

        def with_copy(function, *arguments):
            root = copies.get()
            try:
                return function(*arguments, root)
            finally:
                copies.put(root)

        for failure in pool.map(lambda a: with_copy(first_failure, a), controls(faults, chosen)):
            if failure:
                print(f"fails with no fault planted: {failure}", file=sys.stderr)
                return 1
        running = {i: pool.submit(with_copy, caught_by, faults[i]) for i in chosen}
        for i, future in running.items():
            layer, check = future.result()
            kind = faults[i].get("kind", Path(faults[i]["file"]).parts[1])
            write_table(given.where, [(kind, faults[i]["file"], faults[i]["what"], layer)])
            print(f"{i:3} {layer:20} {faults[i]['what']}\n    {check}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
