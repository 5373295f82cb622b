"""Run notebooks top to bottom in a fresh kernel and store their outputs in a stable form.

usage: python tools/execute_notebooks.py [NOTEBOOK ...]      (default: every book/*.ipynb)

Running it twice leaves no difference: timings are not recorded, streams are merged, and metadata
that an editor adds is dropped.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

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


if __name__ == "__main__":
    paths = [Path(p) for p in sys.argv[1:]] or sorted(Path("book").glob("*.ipynb"))
    for path in paths:
        print(f"executing {path}", flush=True)
        execute(path)
