"""Grading: right programs pass, wrong ones get their hints, hostile ones change nothing."""

import json
import socket

import psutil
import pytest

from dpgcourse.cli import main
from dpgcourse.errors import InvalidInputError
from dpgcourse.exercises import answer_process, grading, sheets
from dpgcourse.exercises.calling import Outcome
from tests.exercises.hostile import ASKS, HOSTILE, RIGHT

ALWAYS = ("writes outside", "endless loop", "patches the checker", "reads the checkers")
LANDLOCK = ("outside", "shell", "reads the", "network", "kills its parent")


def graded(tmp_path, source, **limits):
    path = tmp_path / "answers.py"
    path.write_text(source, encoding="utf-8")
    return grading.grade(path, **limits)


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    return graded(tmp_path_factory.mktemp("right"), RIGHT)


def test_a_right_program_passes(right):
    assert right.passed, right.report()
    assert right.report()["right"] == right.report()["asked"] == 5


def kernel_has_landlock():
    try:
        import py_landlock

        return py_landlock.get_abi_version() > 0
    except Exception:  # another system, or a kernel without it
        return False


@pytest.mark.skipif(not kernel_has_landlock(), reason="this kernel has no Landlock")
def test_the_operating_system_confines_a_program(right):
    assert right.confined


@pytest.mark.parametrize(
    "name", [pytest.param(x, marks=[] if x in ALWAYS else [pytest.mark.long]) for x in HOSTILE]
)
def test_a_hostile_program_gets_a_report_and_changes_nothing(name, tmp_path, right):
    if not right.confined and any(x in name for x in LANDLOCK):
        pytest.skip("needs Landlock")
    kept, outside = tmp_path / "kept", tmp_path / "outside"
    kept.write_text("kept")
    before = set(psutil.Process().children(recursive=True))
    source, words = HOSTILE[name]
    with socket.create_server(("127.0.0.1", 0)) as server:
        source = source.replace("{outside}", str(outside)).replace("{kept}", str(kept))
        source = source.replace("{port}", str(server.getsockname()[1]))
        seconds = 4 if name == "endless loop" else 15  # a loop is stopped at any limit
        result = graded(tmp_path, source + ASKS, seconds=seconds, megabytes=700)
    report = json.loads(json.dumps(result.report()))
    said = [result.stopped, *result.errors, *(str(x) for x in result.verdicts.values())]
    assert not report["passed"]
    assert words in "\n".join(said)
    assert kept.read_text() == "kept"
    assert sorted(x.name for x in tmp_path.iterdir()) == ["answers.py", "kept"]
    left = set(psutil.Process().children(recursive=True)) - before
    assert not [x for x in left if x.is_running() and x.status() != psutil.STATUS_ZOMBIE]


def test_a_wrong_answer_gets_its_hint(tmp_path):
    wrong = RIGHT.replace("return s + 2 * u", "return s").replace('"flat critic"', '"arrived"')
    result = graded(tmp_path, wrong)
    assert "u² moves the action too" in result.verdicts["chain-bent"].message
    assert "does not say" in result.verdicts["chain-diagnose"].message
    assert result.verdicts["chain-three"].passed
    assert not result.passed


def test_a_sheet_that_was_filled_in_is_graded(tmp_path):
    (path,) = [x for x in sheets.write_sheets(tmp_path) if "02_chain" in x.name]
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if "def actor_slope" in "".join(cell["source"]):
            cell["source"] = "def actor_slope(s, u):\n    return s + 2 * u"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    verdicts = grading.grade(path).verdicts
    assert [x.passed for x in verdicts.values()] == [True, False, False, False, False]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "x", "allowed: a notebook, .ipynb, or a .py file"),
        ("a.ipynb", "{", "no readable notebook"),
        ("a.ipynb", "[]", "no readable notebook"),
        ("a.ipynb", '{"cells": [{"cell_type": "code"}]}', "no readable notebook"),
        ("a.py", "print(1)", "no check of an exercise"),
        ("a.py", 'check("chain-nothing", 1)', "no check of an exercise"),
    ],
)
def test_what_cannot_be_graded_is_refused(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InvalidInputError, match=message):
        grading.grade(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="No such file"):
        grading.grade(tmp_path / "a.py")


def test_an_answer_travels_as_numbers_and_text():
    for value in (2.5, [[1, 2], [3, 4]]):
        sent = answer_process.decode(answer_process.encode(Outcome(value)))
        assert sent.value.tolist() == value
    assert answer_process.decode(answer_process.encode(Outcome("ж"))) == Outcome("ж")
    assert (
        "no numbers" in answer_process.decode(answer_process.encode(Outcome([[1], [1, 2]]))).problem
    )
    assert answer_process.decode(answer_process.encode(Outcome(problem="ж"))).problem == "ж"


@pytest.mark.parametrize("message", [b"", b"array x", b"pickle cos\nsystem\n", b"passed" * 9])
def test_anything_else_is_no_answer(message):
    with pytest.raises((ValueError, EOFError, OSError)):
        answer_process.decode(message)


def test_the_command_prints_a_report_and_says_by_its_status(tmp_path, capsys):
    path = tmp_path / "answers.py"
    for source, status in ((RIGHT, 0), (RIGHT.replace("2 * u", "u"), 1)):
        path.write_text(source, encoding="utf-8")
        with pytest.raises(SystemExit) as stop:
            main(["grade", str(path)])
        assert stop.value.code == status
        assert json.loads(capsys.readouterr().out)["passed"] == (status == 0)
