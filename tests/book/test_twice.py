"""A reader may run any cell again: every cell of every chapter runs two times in a row."""

import nbformat
import pytest

from tools.chapters import find
from tools.execute_notebooks import run

pytestmark = pytest.mark.long


@pytest.mark.parametrize("path", find(), ids=lambda path: path.stem)
def test_every_cell_can_be_run_twice(path):
    run(nbformat.read(path, as_version=4), path.parent, times=2)
