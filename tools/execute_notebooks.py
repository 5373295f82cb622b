"""Run notebooks top to bottom in a fresh kernel and store their outputs in a stable form.

usage: python tools/execute_notebooks.py [NOTEBOOK ...]      (default: every book/*.ipynb)

Running it twice leaves no difference: timings are not recorded, streams are merged, and metadata
that an editor adds is dropped. A notebook whose cell fails is left as it was, and ends the run.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

KEPT_CELL_METADATA = {"tags", "mystnb"}
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def execute(path: Path) -> None:
    """Run one notebook in place; nothing is written when a cell fails."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        for key in set(cell.metadata) - KEPT_CELL_METADATA:
            del cell.metadata[key]
    NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    )
    nbformat.write(notebook, path)


def main(arguments: list[str]) -> str | None:
    """Execute the notebooks named, or every chapter; return what went wrong."""
    paths = [Path(p) for p in arguments] or sorted(Path("book").glob("*.ipynb"))
    if not paths:
        return "no notebook found; run this from the root of the course"
    for path in paths:
        print(f"executing {path}", flush=True)
        try:
            execute(path)
        except CellExecutionError as error:
            return f"{path}: a cell raised {error.ename}: {error.evalue}"
        except (CellTimeoutError, DeadKernelError, FileNotFoundError) as error:
            return f"{path}: {error}"
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
