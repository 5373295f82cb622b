"""The page of results lists the figures that show recorded data, as their code has it."""

import ast

import nbformat
import pytest

from tools import recorded_figures
from tools.recorded_figures import ROOT, Follower, entries

KNOWN = ("a", "b/one", "b/two", "b/table.csv", "final_returns.csv")


@pytest.fixture
def folder(tmp_path):
    """A folder with all that is known in it."""
    for name in KNOWN:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def read(folder, *cells):
    """What the last of some cells shows."""
    follower = Follower()
    flows = [follower.read(ast.parse(cell).body) for cell in cells]
    return entries(flows[-1], KNOWN, folder)


A = 'run = read_record(results_path("a"))'
B = 'folder = results_path("b")'


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        ([A, "ax.plot(run.returns)"], ["a"]),
        ([A, "x = run.returns.mean(-1)", "ax.plot(x)"], ["a"]),
        ([A, "def draw(ax):\n    ax.plot(run.returns)", "draw(ax)"], ["a"]),
        ([A, "for seed in run.returns.T:\n    curves.append(seed)", "ax.plot(1)"], []),
        ([A, "curves = []", "curves.append(run)", "ax.plot(curves)"], ["a"]),
        ([A, "run = train(config)", "ax.plot(run.returns)"], []),
        ([A, "ax.plot([run for run in others])"], []),
        ([A, "ax.plot(1)\nassert run.steps"], []),
        ([A, "other = {}", "run |= other", "ax.plot(run)"], ["a"]),
        ([B, 'ax.plot(read_table(folder / "table.csv"))'], ["b/table.csv"]),
        (
            [B, 'names = {"two": "2"}', "ax.plot([read(folder / n) for n in names])"],
            ["b/one", "b/two"],
        ),
        ([B, "ax.plot([read_record(folder / name) for name in NAMES])"], ["b/one", "b/two"]),
        (['ax.plot(read(results_path(f"b/{name}")))'], ["b/one", "b/two"]),
        (
            ['t = read(results_path("final_returns.csv"))', 'ax.plot(t["a"])'],
            ["a", "final_returns.csv"],
        ),
        (['t = {"a": 1}', 'ax.plot(t["a"])'], []),
    ],
)
def test_the_data_of_a_figure_are_followed_through_the_code(folder, cells, shown):
    assert read(folder, *cells) == shown


def test_a_figure_of_a_chapter_is_listed(tmp_path):
    cells = [nbformat.v4.new_code_cell(A.replace('"a"', '"ddpg-pendulum"'))]
    cells += [nbformat.v4.new_code_cell(f"ax.plot({x})") for x in ("run.returns", "1")]
    for cell, name in zip(cells[1:], ("fig-recorded", "fig-drawn"), strict=True):
        cell.metadata["mystnb"] = {"figure": {"name": name}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "99_a.ipynb")
    found = dict(recorded_figures.figures(tmp_path / "99_a.ipynb", ["ddpg-pendulum"]))
    assert found == {"fig-recorded": ["ddpg-pendulum"]}


def test_the_table_is_that_of_todays_chapters():
    stored = recorded_figures.TABLE.read_text(encoding="utf-8")
    assert stored == recorded_figures.table(), "run `python -m tools.recorded_figures`"


def test_every_record_that_is_read_is_listed():
    """A search by text finds no record in a chapter's figures that the table lacks."""
    listed = recorded_figures.TABLE.read_text(encoding="utf-8")
    for path in (ROOT / "book").glob("[01]*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        figures = [c for c in cells if c.metadata.get("mystnb", {}).get("figure")]
        for cell in figures:
            if "results_path(" in cell.source:
                assert f",{cell.metadata.mystnb.figure.name}," in listed, cell.id
