"""Imports run downwards, the mathematics needs no torch, everything is explained."""

import ast
import graphlib
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "dpgcourse").rglob("*.py"))
# A module may import from its own room and from those before it.
ROOMS = [
    {"errors"},
    {"gradient"},
    {"theory"},
    {"envs"},
    {"agents"},
    {"training"},
    {"analysis"},
    {"figures"},
    {"equation_checks", "exercises"},
    {"published", "cli"},
    {"__main__"},
]


def room_of(module: str) -> int:
    """Height of ``dpgcourse.training.loop``; the package itself stands below everything."""
    parts = module.split(".")
    if parts == ["dpgcourse"]:
        return -1
    return next(i for i, names in enumerate(ROOMS) if parts[1] in names)


def imported_modules(tree: ast.AST, package: str) -> Iterator[str]:
    """Every module of ours that the source imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            relative = "." * node.level + (node.module or "")
            source = importlib.util.resolve_name(relative, package)
            names = [f"{source}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == "dpgcourse")


def upward_imports(module: str, package: str, source: str) -> list[str]:
    """The imports of a module that lie in a higher room than the module."""
    imports = imported_modules(ast.parse(source), package)
    return [name for name in imports if room_of(name) > room_of(module)]


def circles(imports: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import each other, in a circle of any length."""
    found = []
    sorter = graphlib.TopologicalSorter(imports)
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        found.append(error.args[1])
    return found


def missing_docstrings(tree: ast.AST, name: str) -> Iterator[str]:
    """Public modules, classes, functions and methods that do not say what they are."""
    if ast.get_docstring(tree) is None:
        yield name
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            if isinstance(node, ast.ClassDef):
                yield from missing_docstrings(node, f"{name}.{node.name}")
            elif ast.get_docstring(node) is None:
                yield f"{name}.{node.name}"


def names(path: Path) -> tuple[str, str]:
    """The dotted names of a module and of the package that its relative imports start from."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    package = ".".join(parts[:-1])
    return (package if parts[-1] == "__init__" else ".".join(parts)), package


@pytest.mark.parametrize("path", MODULES, ids=lambda path: names(path)[0])
def test_imports_run_downwards(path):
    assert upward_imports(*names(path), path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import dpgcourse.figures.style",
        "from dpgcourse.figures import style",
        "from dpgcourse import figures",
        "from ..figures.style import CRITIC",
        "def f():\n    import dpgcourse.agents.ddpg",
    ],
)
def test_an_upward_import_is_found(source):
    assert upward_imports("dpgcourse.gradient.composite", "dpgcourse.gradient", source)


@pytest.mark.parametrize("room", ["gradient", "theory"])
def test_the_mathematics_needs_neither_torch_nor_gymnasium(room):
    modules = [names(p)[0] for p in MODULES if p.is_relative_to(ROOT / "dpgcourse" / room)]
    assert len(modules) >= 5
    import_without_libraries(modules)


def test_the_front_door_and_the_numpy_agent_need_neither_torch_nor_gymnasium():
    import_without_libraries(["dpgcourse", "dpgcourse.agents.numpy_ddpg"])
    import_without_libraries(["dpgcourse.agents.replay_buffer", "dpgcourse.cli"])


def test_a_hidden_need_for_torch_is_found():
    with pytest.raises(subprocess.CalledProcessError):
        import_without_libraries(["dpgcourse.agents.ddpg"])


def import_without_libraries(modules: list[str]) -> None:
    """Import the modules in a fresh interpreter in which torch and gymnasium are missing."""
    code = "import sys; sys.modules.update(torch=None, gymnasium=None); import "
    code += ", ".join(modules)
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: names(path)[0])
def test_everything_public_is_explained(path):
    source = path.read_text(encoding="utf-8")
    if not source and path.name == "__init__.py":
        return  # an empty package is explained by its modules
    assert list(missing_docstrings(ast.parse(source), names(path)[0])) == []


def test_a_missing_docstring_is_found():
    source = '"""M."""\nclass C:\n    """C."""\n    def f(self): ...\ndef g(): ...\ndef _h(): ...'
    assert list(missing_docstrings(ast.parse(source), "m")) == ["m.C.f", "m.g"]
