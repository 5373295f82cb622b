"""The tool that runs chapters and stores their outputs, as a user calls it."""

import base64
import io
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from PIL import Image

from tools.chapters import UnknownChapterError, find
from tools.execute_notebooks import CellError, execute, run

TOOL = Path(__file__).resolve().parents[2] / "tools/execute_notebooks.py"
FIGURE = """import matplotlib.pyplot as plt
fig, ax = plt.subplots()
ax.plot([0, 1], [0, 2])
assert True"""


def call(*arguments, tool=TOOL) -> subprocess.CompletedProcess:
    command = [sys.executable, tool, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def write(path: Path, *sources: str) -> Path:
    cells = [new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(sources)]
    nbformat.write(new_notebook(cells=[new_markdown_cell("# A", id="title"), *cells]), path)
    return path


@pytest.fixture(scope="module")
def executed(tmp_path_factory) -> Path:
    path = write(tmp_path_factory.mktemp("book") / "a.ipynb", "print(1)\nprint(2)", FIGURE)
    result = call(path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("a: run, ")
    return path


@pytest.fixture
def notebook(executed, tmp_path) -> Path:
    """A copy of an executed notebook, to change."""
    return Path(shutil.copy(executed, tmp_path / "a.ipynb"))


def change(path: Path, cell_id: str, edit) -> None:
    content = nbformat.read(path, as_version=4)
    edit(next(cell for cell in content.cells if cell.id == cell_id))
    nbformat.write(content, path)


def recompress(cell):
    """Store the same picture in other bytes."""
    old = base64.b64decode(cell.outputs[0].data["image/png"])
    file = io.BytesIO()
    Image.open(io.BytesIO(old)).save(file, "png", compress_level=1)
    assert file.getvalue() != old
    cell.outputs[0].data["image/png"] = base64.b64encode(file.getvalue()).decode()


def cover(share: float):
    """Store a picture with a black stripe over a share of it, as if the curve had moved."""

    def edit(cell):
        image = Image.open(io.BytesIO(base64.b64decode(cell.outputs[0].data["image/png"])))
        image.paste("black", (0, 0, image.width, max(1, round(share * image.height))))
        file = io.BytesIO()
        image.save(file, "png")
        cell.outputs[0].data["image/png"] = base64.b64encode(file.getvalue()).decode()

    return edit


def test_running_twice_gives_the_same_bytes(notebook):
    once = notebook.read_bytes()
    assert execute(notebook) == []
    assert notebook.read_bytes() == once

    text, figure = nbformat.read(notebook, as_version=4).cells[1:]
    assert [output.text for output in text.outputs] == ["1\n2\n"]
    assert figure.execution_count == 2
    assert [list(output.data) for output in figure.outputs] == [["image/png", "text/plain"]]


@pytest.mark.long
def test_other_bytes_of_the_same_picture_are_kept(notebook):
    change(notebook, "cell-1", recompress)
    before = notebook.read_bytes()
    assert execute(notebook) == []
    assert notebook.read_bytes() == before


def test_a_stale_picture_and_a_changed_text_are_stored_anew(notebook, executed):
    change(notebook, "cell-1", cover(0.01))
    change(notebook, "cell-0", lambda cell: cell.outputs[0].update(text="1\n3\n"))
    text, picture = execute(notebook)
    assert text == "cell cell-0 stored anew: line 2 of its text is '2'; stored is '3'"
    assert picture.startswith("cell cell-1 stored anew: its picture differs from the stored one in")
    assert notebook.read_bytes() == executed.read_bytes()


@pytest.mark.long
def test_a_picture_of_rounding_errors_is_kept_and_reported(notebook):
    change(notebook, "cell-1", lambda cell: cell.metadata.update(tags=["rounding"]))
    change(notebook, "cell-1", cover(0.01))
    before = notebook.read_bytes()
    (found,) = execute(notebook)
    assert found.startswith("cell cell-1 kept: its picture differs")
    assert notebook.read_bytes() == before

    change(notebook, "cell-1", cover(0.5))
    (found,) = execute(notebook)
    assert found.startswith("cell cell-1 stored anew: its picture differs")


@pytest.mark.long
def test_a_change_of_the_code_is_stored(notebook):
    change(notebook, "cell-0", lambda cell: cell.update(source="print(5)"))
    execute(notebook)
    assert nbformat.read(notebook, as_version=4).cells[1].outputs[0].text == "5\n"


def test_editor_metadata_and_timings_are_dropped(tmp_path):
    path = write(tmp_path / "a.ipynb", "1 + 1")
    metadata = {"editable": True, "tags": ["hide-input"], "execution": {}}
    change(path, "cell-0", lambda cell: cell.update(metadata=metadata))
    execute(path)
    notebook = nbformat.read(path, as_version=4)
    folded = {"source_hidden": True}
    assert notebook.cells[1].metadata == {"tags": ["hide-input"], "jupyter": folded}
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.language_info == {"name": "python"}


def test_a_raising_notebook_is_left_alone_and_reported_in_a_line(tmp_path):
    path = write(tmp_path / "a.ipynb", "x = 1", "x / 0")
    before = path.read_bytes()
    result = call(path)
    assert result.returncode == 1 and "Traceback" not in result.stderr
    *_, last = result.stderr.splitlines()  # after what the kernel itself may have to say
    assert last == f"{path}: cell cell-1 raised ZeroDivisionError: division by zero"
    assert path.read_bytes() == before


# Cells that are run two times in a row


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = x - 1\n1 / x", "raised ZeroDivisionError: division by zero"),
        pytest.param(
            "import warnings\nx -= 1\nif x == 0:\n    warnings.warn('used up')",
            "warned: ",
            marks=pytest.mark.long,
        ),
    ],
)
def test_a_cell_that_cannot_run_twice_is_named(tmp_path, source, message):
    path = write(tmp_path / "a.ipynb", "x = 2", source, "print(x)")
    run(nbformat.read(path, as_version=4), tmp_path)  # once, it can
    with pytest.raises(CellError) as error:
        run(nbformat.read(path, as_version=4), tmp_path, times=2)
    assert str(error.value).startswith(f"cell cell-1, run a second time, {message}")


@pytest.mark.long
def test_twice_stores_nothing(tmp_path):
    path = write(tmp_path / "a.ipynb", "print(1)")
    before = path.read_bytes()
    result = call("--twice", path)
    assert result.returncode == 0 and "every cell can be run twice" in result.stdout
    assert path.read_bytes() == before


# Which chapter


@pytest.fixture
def book(tmp_path) -> Path:
    for name in ("01_composite", "11_ddpg", "intro"):
        write(tmp_path / f"{name}.ipynb", "1")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("11", "11_ddpg"),
        ("ddpg", "11_ddpg"),
        ("11_ddpg", "11_ddpg"),
        ("1", "01_composite"),
        ("01", "01_composite"),
        ("intro", "intro"),
    ],
)
def test_a_chapter_is_found_by_number_and_name(book, name, stem):
    assert find([name], book) == [book / f"{stem}.ipynb"]


def test_a_chapter_is_found_by_its_path_and_all_without_a_name(book):
    assert find([str(book / "intro.ipynb")], book) == [book / "intro.ipynb"]
    assert [path.stem for path in find([], book)] == ["01_composite", "11_ddpg", "intro"]


@pytest.mark.parametrize("name", ["14", "0", "dppg", "1.1", "missing.ipynb", ""])
def test_a_wrong_chapter_is_one_line_that_lists_those_there_are(book, name):
    with pytest.raises(UnknownChapterError) as error:
        find([name], book)
    assert str(error.value) == (
        f"there is no chapter {name!r}; there are: 01_composite, 11_ddpg, intro"
    )


@pytest.mark.parametrize(
    "tool",
    ["execute_notebooks.py", pytest.param("check_chapter.py", marks=pytest.mark.long)],
)
def test_both_tools_report_a_wrong_chapter_in_a_line(tool):
    result = call("99", tool=TOOL.with_name(tool))
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.startswith("there is no chapter '99'; there are: 01_composite, ")
    assert len(result.stderr.splitlines()) == 1
