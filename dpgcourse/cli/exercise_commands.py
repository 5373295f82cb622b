"""``dpgcourse exercises`` and ``dpgcourse grade``."""

import json
from collections.abc import Sequence
from pathlib import Path

from dpgcourse.cli.options import CommandParser, about, number
from dpgcourse.errors import InvalidInputError


def exercises(arguments: Sequence[str]) -> None:
    """Write the exercises of the book as notebooks, each exercise with hints and a check."""
    parser = CommandParser(prog="dpgcourse exercises", description=about(exercises))
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the notebooks are written")
    parser.add_argument("--solutions", action="store_true", help="a teacher's copy, with solutions")
    given = parser.parse(arguments)
    from dpgcourse.exercises.sheets import write_sheets

    for path in write_sheets(given.folder, given.solutions):
        print(path)


def grade(arguments: Sequence[str]) -> None:
    """Run a student's notebook or program, check its answers, and print a report as JSON.

    It runs in a process and an empty folder of its own. On Linux the operating system refuses
    writes elsewhere, the network, and reading the checkers; "confined" in the report says whether
    it does. Exit status 0: all answers are right and nothing was raised or stopped; else 1.
    """
    parser = CommandParser(prog="dpgcourse grade", description=about(grade))
    parser.add_argument("file", type=Path, metavar="FILE", help="a notebook or a Python file")
    for name, default, what in (
        ("seconds", 60, "that it may run"),
        ("megabytes", 2000, "of memory"),
    ):
        text = f"{what}; default {default}"
        parser.add_argument(
            f"--{name}", type=number(float), metavar="X", default=default, help=text
        )
    given = parser.parse(arguments)
    from dpgcourse.exercises import grading

    for name in ("seconds", "megabytes"):
        if not getattr(given, name) > 0:
            raise InvalidInputError(f"{name} is {getattr(given, name)}; allowed: a number above 0")
    result = grading.grade(given.file, given.seconds, given.megabytes)
    print(json.dumps(result.report(), indent=1, ensure_ascii=False))
    raise SystemExit(0 if result.passed else 1)
