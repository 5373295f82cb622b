"""``dpgcourse exercises``."""

from collections.abc import Sequence
from pathlib import Path

from dpgcourse.cli.options import CommandParser, about


def exercises(arguments: Sequence[str]) -> None:
    """Write the exercises of the book as notebooks: the question, an empty cell, hints, a check."""
    parser = CommandParser(prog="dpgcourse exercises", description=about(exercises))
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the notebooks are written")
    parser.add_argument("--solutions", action="store_true", help="a teacher's copy, with solutions")
    given = parser.parse(arguments)
    from dpgcourse.exercises.sheets import write_sheets

    for path in write_sheets(given.folder, given.solutions):
        print(path)
