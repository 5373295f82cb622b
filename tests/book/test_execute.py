import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

TOOL = Path(__file__).resolve().parents[2] / "tools/execute_notebooks.py"
FIGURE = """import matplotlib.pyplot as plt
fig, ax = plt.subplots()
ax.plot([0, 1], [0, 2])
assert True"""


def execute(*paths: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, TOOL, *paths]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def write(path: Path, *sources: str) -> Path:
    cells = [new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(sources)]
    nbformat.write(new_notebook(cells=[new_markdown_cell("# A", id="title"), *cells]), path)
    return path


def test_running_twice_gives_the_same_bytes(tmp_path):
    path = write(tmp_path / "a.ipynb", "print(1)\nprint(2)", FIGURE)
    assert execute(path).returncode == 0
    once = path.read_bytes()
    assert execute(path).returncode == 0
    assert path.read_bytes() == once

    text, figure = nbformat.read(path, as_version=4).cells[1:]
    assert [output.text for output in text.outputs] == ["1\n2\n"]
    assert figure.execution_count == 2
    assert [list(output.data) for output in figure.outputs] == [["image/png", "text/plain"]]


def test_editor_metadata_and_timings_are_dropped(tmp_path):
    path = write(tmp_path / "a.ipynb", "1 + 1")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].metadata = {"editable": True, "tags": ["hide-input"], "execution": {}}
    nbformat.write(notebook, path)
    assert execute(path).returncode == 0
    notebook = nbformat.read(path, as_version=4)
    assert notebook.cells[1].metadata == {"tags": ["hide-input"]}
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.language_info == {"name": "python"}


def test_a_raising_notebook_is_left_alone_and_reported_in_a_line(tmp_path):
    path = write(tmp_path / "a.ipynb", "x = 1", "x / 0")
    before = path.read_bytes()
    result = execute(path)
    assert result.returncode == 1
    assert path.read_bytes() == before
    *_, last = result.stderr.splitlines()  # after what the kernel itself may have to say
    assert last == f"{path}: a cell raised ZeroDivisionError: division by zero"
    assert "Traceback" not in result.stderr


def test_a_missing_notebook_is_reported_in_a_line(tmp_path):
    result = execute(tmp_path / "no.ipynb")
    assert result.returncode == 1 and len(result.stderr.splitlines()) == 1
