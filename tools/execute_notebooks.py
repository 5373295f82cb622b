"""Run chapters top to bottom in a fresh kernel and store their outputs in a stable form.

    python tools/execute_notebooks.py               every chapter
    python tools/execute_notebooks.py 11 intro      some, by number, name or path
    python tools/execute_notebooks.py --twice 4     store nothing; run each cell two times in a row

An output is stored anew only if a reader could see the difference (`tools.outputs`). Running it
twice leaves no difference: timings are not recorded, streams are merged, and metadata that an
editor adds is dropped. A notebook whose cell fails is left as it was, and ends the run.
"""

import argparse
import copy
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # when run as a script

from tools.chapters import UnknownChapterError, find, folding
from tools.outputs import REMEDY, difference, is_rounding, keep_stored

KEPT_CELL_METADATA = {"tags", "mystnb", "jupyter"}
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


class CellError(Exception):
    """A cell failed; the message names it."""


def run(notebook: NotebookNode, folder: Path, times: int = 1) -> None:
    """Run every cell of a notebook so many times in a row, and leave its outputs in it.

    Raises:
        CellError: a cell raised, took too long, ended the kernel or, run a second time, warned.
    """
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],  # of the kernel: its warnings are not the chapter's
        resources={"metadata": {"path": str(folder)}},
    )
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            for time_ in range(1, times + 1):
                again = "" if time_ == 1 else ", run a second time,"
                try:
                    client.execute_cell(cell, index)
                except CellExecutionError as error:
                    raise CellError(
                        f"cell {cell.id}{again} raised {error.ename}: {error.evalue}"
                    ) from None
                except (CellTimeoutError, DeadKernelError) as error:
                    raise CellError(f"cell {cell.id}{again} failed: {error}") from None
                if again and (warning := _warning(cell)):
                    raise CellError(f"cell {cell.id}{again} warned: {warning}")


def _warning(cell: NotebookNode) -> str:
    texts = [o.text for o in cell.get("outputs", []) if o.get("name") == "stderr"]
    return "".join(texts).strip().splitlines()[0] if texts else ""


def execute(path: Path) -> list[str]:
    """Run one chapter in place; nothing is written when a cell fails.

    Returns:
        A line for each cell whose outputs were stored anew; one, too, for each picture that
        differs by no more than rounding on another machine, and was kept.

    Raises:
        CellError: a cell failed.
    """
    before = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(before, as_version=4)
    stored = {cell.id: copy.deepcopy(cell.get("outputs", [])) for cell in notebook.cells}
    for cell in notebook.cells:
        for key in set(cell.metadata) - KEPT_CELL_METADATA:
            del cell.metadata[key]
        cell.metadata.pop("jupyter", None)
        if fold := folding(cell):
            cell.metadata["jupyter"] = fold
    run(notebook, path.parent)
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    )
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            old = stored[cell.id]
            reason = difference(old, cell.outputs)
            if reason and difference(old, cell.outputs, is_rounding(cell)):
                found.append(f"cell {cell.id} stored anew: {reason}")
                continue
            if reason:
                found.append(f"cell {cell.id} kept: {reason}, {REMEDY}")
            keep_stored(old, cell.outputs)
    after = nbformat.writes(notebook) + "\n"
    if after != before:
        path.write_text(after, encoding="utf-8")
    return found


def main(arguments: list[str]) -> str | None:
    """Run the chapters named, or every chapter; return what went wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("chapters", nargs="*", help="number, name or path; default all")
    parser.add_argument("--twice", action="store_true",
                        help="run each cell two times in a row and store nothing")  # fmt: skip
    given = parser.parse_args(arguments)
    try:
        paths = find(given.chapters)
    except UnknownChapterError as error:
        return str(error)
    for path in paths:
        start = time.perf_counter()
        print(f"{path.stem}: ", end="", flush=True)
        try:
            if given.twice:
                run(nbformat.read(path, as_version=4), path.parent, times=2)
                found, done = [], "every cell can be run twice"
            else:
                found = execute(path)
                done = "run" if found else "run, nothing changed"
        except CellError as error:
            print("stopped")
            return f"{path}: {error}"
        print(f"{done}, {time.perf_counter() - start:.0f} s")
        for line in found:
            print(f"  {line}")
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
