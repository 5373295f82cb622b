"""Which figures of the book show recorded data: read from the code of the chapters.

    python -m tools.recorded_figures        write results/figures.csv, which the results page shows

No cell runs. The names in a chapter's code are followed from `results_path` to the cells that draw.
A folder stands for all of its records, also where a figure draws only some of them.
"""

import ast
import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat

from tests.book import rules
from tools import results
from tools.chapters import ROOT

TABLE = ROOT / "results" / "figures.csv"
COLUMNS = ("page", "title", "figure", "data")

Flow = frozenset[tuple[str, str]]
"""What a value comes from: ("data", argument of results_path) and ("text", any other string)."""


class Follower:
    """The state of a chapter's names while its statements are read in order."""

    def __init__(self):
        self.flow: dict[str, Flow] = {}

    def of(self, node: ast.AST) -> Flow:
        """What an expression, or the body of a function, comes from."""
        own = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and _is_stored(n)}
        own |= {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
        return frozenset(self._parts(node, own))

    def _parts(self, node: ast.AST, own: set[str]) -> Iterator[tuple[str, str]]:
        if isinstance(node, ast.Name) and node.id not in own:
            yield from self.flow.get(node.id, ())
        elif isinstance(node, ast.Constant | ast.JoinedStr):
            yield from (("text", text) for text in _texts(node))
        elif isinstance(node, ast.Call) and _name(node.func) == "results_path":
            yield from (("data", text) for text in _texts(node))
        elif isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant | ast.JoinedStr):
            ends = list(_texts(node.right))  # as in folder / "log.csv"
            for kind, text in self._parts(node.left, own):
                yield from ((kind, f"{text}/{end}" if kind == "data" else text) for end in ends)
        else:
            for part in ast.iter_child_nodes(node):
                yield from self._parts(part, own)

    def read(self, statements: Iterable[ast.stmt]) -> Flow:
        """Follow some statements; what they used, assertions left out."""
        used: Flow = frozenset()
        for statement in statements:
            if isinstance(statement, ast.Assert | ast.Import | ast.ImportFrom):
                continue
            if isinstance(statement, ast.FunctionDef | ast.ClassDef):
                self.flow[statement.name] = self.of(statement)
                continue
            inner = [s for field in ("body", "orelse") for s in getattr(statement, field, ())]
            outer = [n for n in ast.iter_child_nodes(statement) if n not in inner]
            here: Flow = frozenset().union(*map(self.of, outer))
            if isinstance(statement, ast.AugAssign):  # what the name held before stays in it
                here |= self.flow.get(_name(statement.target), frozenset())
            for node in outer:
                self._store(node, here)
            used |= here | self.read(inner)
        return used

    def _store(self, node: ast.AST, flow: Flow) -> None:
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and _is_stored(part):
                self.flow[part.id] = flow
            elif isinstance(part, ast.Subscript | ast.Attribute) and _is_stored(part):
                self._add(part, flow)
            elif isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
                self._add(part.func, flow)  # as in curves.append(curve)

    def _add(self, node: ast.AST, flow: Flow) -> None:
        while isinstance(node, ast.Subscript | ast.Attribute):
            node = node.value
        if isinstance(node, ast.Name) and node.id in self.flow:
            self.flow[node.id] |= flow


def _is_stored(node: ast.AST) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Store)


def _name(node: ast.AST) -> str:
    return getattr(node, "id", getattr(node, "attr", ""))


def _texts(node: ast.AST) -> Iterator[str]:
    """The strings in some code; of one with a gap what stands before it, as f"bugs/{name}"."""
    for part in ast.walk(node):
        if isinstance(part, ast.JoinedStr):
            part = part.values[0] if part.values else part
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value.rstrip("/")


def entries(flow: Flow, known: Iterable[str], folder: Path = ROOT / "results") -> list[str]:
    """The records and tables below ``results`` that a flow names."""
    known = sorted(known)
    data = {name for kind, name in flow if kind == "data"}
    texts = {name for kind, name in flow if kind == "text"} - data
    if results.FINAL_RETURNS in data:  # its rows are named after records
        data |= {text for text in texts if any(f"{k}/".startswith(f"{text}/") for k in known)}
    found = set()
    for name in data:
        below = [k for k in known if k.startswith(f"{name}/")]
        folders = [k for k in below if not k.endswith(".csv")]
        found |= {name} if name in known or not below else set(folders or below)
    return sorted(name for name in found if (folder / name).exists())


def figures(path: Path, known: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Each figure of a chapter that shows recorded data, and what it shows."""
    follower = Follower()
    for cell in rules.code_cells(nbformat.read(path, as_version=4)):
        flow = follower.read(ast.parse(cell.source).body)
        figure = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
        if figure and any(kind == "data" for kind, _ in flow):
            yield figure, entries(flow, known)


def rows(root: Path = ROOT) -> Iterator[tuple[str, str, str, str]]:
    """The table: a row for each figure and each record or table that it shows."""
    known = results.read_manifest()
    for page in rules.toc_pages(root):
        path = root / f"{page}.ipynb"
        if path.exists():
            title = rules.page_text(path).partition("\n")[0].removeprefix("# ")
            for figure, data in figures(path, known):
                yield from ((path.stem, title, figure, name) for name in data)


def table(root: Path = ROOT) -> str:
    """The text of ``results/figures.csv``."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows(root)])
    return file.getvalue()


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
