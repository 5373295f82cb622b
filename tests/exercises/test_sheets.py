"""Exercise sheets: made from the chapters, without solutions, and their checks work."""

import json
import re

import nbformat
import pytest

import dpgcourse.exercises
from dpgcourse.errors import InvalidInputError
from dpgcourse.exercises import CHAPTERS, find, labels, module_of, sheets
from dpgcourse.exercises.exercise import FunctionExercise

NAMES = [module.removeprefix("ch") for module in CHAPTERS.values()]
DIRECTIVE = re.compile(r"^(?:`{3,}|:{3,})\{|^:::|\{[a-z:]+\}`|^:\w+:", re.MULTILINE)


def chapter(name):
    return json.loads((sheets.book_folder() / f"{name}.ipynb").read_text(encoding="utf-8"))


def in_book(name):
    return list(sheets.read_exercises(chapter(name)))


def source(cell):
    return "".join(cell["source"])


def run(notebook, monkeypatch):
    """Execute the code of a sheet in one namespace; the verdicts of its checks."""
    verdicts = []

    def recorded(*args, **kwargs):
        verdicts.append(real(*args, **kwargs))
        return verdicts[-1]

    real = dpgcourse.exercises.check
    monkeypatch.setattr("dpgcourse.exercises.check", recorded)
    namespace = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec(compile(source(cell), "sheet", "exec"), namespace)
    return verdicts


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_of_a_chapter_has_a_checker_and_the_other_way_round(name):
    checked = [label for label in labels() if module_of(label) == f"ch{name}"]
    assert [x.label for x in in_book(name)] == checked


@pytest.mark.parametrize("name", NAMES)
def test_a_chapter_has_three_to_five_exercises_of_several_kinds(name):
    found = in_book(name)
    assert 3 <= len(found) <= 5
    kinds = {x.text.split(".")[0].strip("* ") for x in found}
    assert kinds <= {"Compute", "Implement", "Explain"}
    assert len(kinds) >= 2


@pytest.mark.parametrize("label", list(labels()))
def test_an_exercise_has_hints_and_a_place_to_begin(label):
    exercise = next(x for x in in_book(module_of(label).removeprefix("ch")) if x.label == label)
    assert 1 <= len(exercise.hints) <= 3
    assert [title for title, _ in exercise.hints] == [
        f"Hint {i + 1}" for i in range(len(exercise.hints))
    ]
    assert bool(exercise.start) == isinstance(find(label)[1], FunctionExercise)
    checks = [code for _, code in exercise.solution if f'"{label}"' in code]
    assert len(checks) == 1
    assert checks[0].lstrip().startswith("check(") or "\ncheck(" in checks[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_teachers_sheet_runs_and_every_solution_passes(name, monkeypatch):
    verdicts = run(sheets.sheet(chapter(name), solutions=True), monkeypatch)
    exercises = in_book(name)
    passed = {x.exercise for x in verdicts if x.passed}
    assert passed == {f"Exercise {find(x.label)[0]} ({x.label})" for x in exercises}


@pytest.mark.parametrize("name", NAMES)
def test_the_checks_of_an_empty_sheet_say_not_yet(name, monkeypatch):
    verdicts = run(sheets.sheet(chapter(name)), monkeypatch)
    assert len(verdicts) == len(in_book(name))
    assert not any(verdicts)


@pytest.mark.parametrize("name", NAMES)
def test_a_students_sheet_holds_no_solution_and_no_directive(name):
    notebook = sheets.sheet(chapter(name))
    nbformat.validate(nbformat.from_dict(notebook))
    text = "\n".join(map(source, notebook["cells"]))
    for exercise in in_book(name):
        answers = [code for _, code in exercise.solution if not code.startswith("check(")]
        assert answers
        assert not any(code in text for code in answers)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            assert not DIRECTIVE.search(source(cell)), source(cell)


def test_sheets_are_written_once(tmp_path):
    written = sheets.write_sheets(tmp_path / "new" / "folder")
    assert len(written) == len(NAMES)
    assert all(json.loads(x.read_text(encoding="utf-8"))["nbformat"] == 4 for x in written)


def test_a_sheet_that_exists_is_kept_and_nothing_is_written(tmp_path):
    kept = tmp_path / "02_chain_rule.ipynb"
    kept.write_text("my answers")
    with pytest.raises(InvalidInputError, match="02_chain_rule.ipynb' exists; allowed: a folder"):
        sheets.write_sheets(tmp_path)
    assert [x.name for x in tmp_path.iterdir()] == [kept.name]
    assert kept.read_text() == "my answers"


def test_text_of_the_book_becomes_plain_markdown():
    text = (
        "See {eq}`eq-intro-chain`, {ref}`ex-chain-bent` and [chapter 4](04_actor_step.ipynb#x).\n\n"
    )
    text += ":::{note} Mind\nthis\n:::\n\n$$\nx\n$$ (eq-b)\n"
    plain = " ".join(sheets.plain(text).split())
    assert plain == ("See equation (3) of the book, exercise 2.1 and chapter 4. this $$ x $$")
