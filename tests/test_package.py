"""The package as a new user meets it: what it declares, what it ships, and its front door."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import hatchling.build
import pytest
from packaging.requirements import Requirement

import dpgcourse as dpg

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MODULES = sorted((ROOT / "dpgcourse").rglob("*.py"))
DISTRIBUTIONS = {"IPython": "ipython", "PIL": "pillow"}  # named otherwise than what they hold
HEAVY = ("gymnasium", "matplotlib", "numpy", "scipy", "sympy", "torch")


def requirements(lines: list[str]) -> dict[str, Requirement]:
    """Requirements by the name of the distribution."""
    return {found.name.lower(): found for found in map(Requirement, lines)}


DEPENDENCIES = requirements(PROJECT["dependencies"])
EXTRAS = requirements([line for e in PROJECT["optional-dependencies"].values() for line in e])


def imports(source: str) -> Iterator[tuple[str, bool]]:
    """The distributions that a module imports, and whether it does so as soon as it is imported."""
    tree = ast.parse(source)
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        for name in names:
            top = name.partition(".")[0]
            if top != "dpgcourse" and top not in sys.stdlib_module_names:
                yield DISTRIBUTIONS.get(top, top.replace("_", "-")), id(node) not in inside


def undeclared(source: str) -> list[str]:
    """Imports that pyproject.toml does not declare; those of extras only inside a function."""
    return [
        name
        for name, at_once in imports(source)
        if name not in DEPENDENCIES and (at_once or name not in EXTRAS)
    ]


def run(script: str, folder: Path, *options: str) -> str:
    """What a script prints, run by an interpreter of its own in a folder outside the checkout."""
    command = [sys.executable, "-W", "error", *options, "-c", script]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_import_is_declared(path):
    assert undeclared(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import tyro",
        "from pandas.core import frame",
        "import imageio_ffmpeg",
        "def f():\n    import pandas",
    ],
)
def test_an_import_that_is_not_declared_is_found(source):
    assert len(undeclared(source)) == 1


def test_every_dependency_is_imported():
    sources = [path.read_text(encoding="utf-8") for path in MODULES]
    assert set(DEPENDENCIES) == {n for s in sources for n, _ in imports(s)} & set(DEPENDENCIES)


def test_what_is_pinned_is_allowed():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = requirements([line for line in lines if line and not line.startswith("#")])
    for name, allowed in {**EXTRAS, **DEPENDENCIES}.items():
        if name in pinned:
            (pin,) = pinned[name].specifier
            assert allowed.specifier.contains(pin.version), name
    assert set(DEPENDENCIES) <= set(pinned)
    for name, pin in pinned.items():
        assert [s.operator for s in pin.specifier] == ["=="], name


def test_importing_the_package_loads_nothing_heavy(tmp_path):
    script = f"import sys, dpgcourse; print([m for m in {HEAVY} if m in sys.modules])"
    assert run(script, tmp_path).strip() == "[]"
    assert run(script.replace("dpgcourse;", "dpgcourse.envs.make;"), tmp_path).strip() != "[]"


@pytest.mark.parametrize("name", dpg.__all__)
def test_every_name_of_the_front_door_is_there_and_explained(name):
    found = getattr(dpg, name)
    assert name == "__version__" or (name in dir(dpg) and found.__doc__)


def test_the_stub_names_what_the_package_offers():
    assert set(dpg.__all__) >= {"train", "load", "evaluate", "play", "results_path", "Agent", "TD3"}
    with pytest.raises(AttributeError, match="nonsense"):
        dpg.nonsense  # noqa: B018


def readme_scripts() -> tuple[str, str]:
    """The examples in README.md: the front door, and the own environment with the own agent."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    front, environment, agent = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return front, f"import dpgcourse as dpg\n{environment}{agent}"


def test_the_front_door_script_runs(tmp_path):
    front, _ = readme_scripts()
    quick = front.replace("steps=12_000", "steps=60").replace("episodes=1000", "episodes=4")
    assert quick != front
    shapes = "print(run.final_returns.shape, agent.num_seeds, action.shape, scores.shape)"
    assert run(quick + shapes, tmp_path).strip() == "(10,) 1 (1,) (4,)"
    assert (tmp_path / "runs/pendulum/policy.safetensors").exists()


def test_an_own_environment_and_an_own_agent_of_15_lines_learn(tmp_path):
    _, script = readme_scripts()
    agent = script[script.index("class Imitator") : script.index("dpg.train(")]
    assert len([line for line in agent.splitlines() if line.strip()]) == 15
    untrained = "print(dpg.evaluate(agent, Cart, episodes=200).mean(), agent.K.item())"
    mean, gain = map(float, run(script + untrained, tmp_path).split()[-2:])
    assert 0.5 < gain < 1.5  # K = 1 is best
    assert mean > -5  # without learning, about 20 · 1.5 = 30 below 0


def test_the_example_would_fail_without_learning(tmp_path):
    _, script = readme_scripts()
    idle = script.replace("self.K -= 0.02", "0.02")
    assert idle != script
    mean = run(idle + "print(dpg.evaluate(agent, Cart, episodes=200).mean())", tmp_path)
    assert float(mean.split()[-1]) < -20


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        name = hatchling.build.build_wheel(str(folder))
    return zipfile.ZipFile(folder / name)


def test_the_wheel_holds_code_types_scripts_and_data(wheel):
    names = set(wheel.namelist())
    kept = {path.relative_to(ROOT).as_posix() for path in MODULES}
    assert kept <= names
    for name in ("__init__.pyi", "py.typed", "figures/explorables_js/two_slopes.js"):
        assert f"dpgcourse/{name}" in names
    data = [path for path in (ROOT / "results").rglob("*") if path.suffix in (".csv", ".json")]
    assert len(data) > 50
    assert {f"dpgcourse/{path.relative_to(ROOT).as_posix()}" for path in data} <= names
    assert not [name for name in names if name.endswith(".png") or name.startswith("tests")]
    (entry,) = [name for name in names if name.endswith("entry_points.txt")]
    assert b"dpgcourse = dpgcourse.cli:main" in wheel.read(entry)


def test_the_unpacked_wheel_finds_its_data(wheel, tmp_path):
    wheel.extractall(tmp_path)
    script = """
import sys; sys.path.insert(0, ".")
import dpgcourse as dpg
record = dpg.read_record(dpg.results_path("ddpg-pendulum"))
print(dpg.__file__, record.folder, record.agent.num_seeds)
"""
    code, folder, seeds = run(script, tmp_path).split()
    assert Path(code).is_relative_to(tmp_path)
    assert Path(folder).is_relative_to(tmp_path)
    assert seeds == "10"
