"""Every labeled equation of the book has an entry in the ledger, and every check in it can fail."""

import inspect
import re
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

from dpgcourse import equation_checks
from dpgcourse.equation_checks import table
from dpgcourse.equation_checks.entry import (
    KINDS,
    REGISTRY,
    ROUTES,
    Check,
    Entry,
    Estimate,
    entry,
    excess,
    standard_errors,
)
from tests.book import rules
from tools import quote_equations
from tools.chapters import module_of

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*(ROOT / "book").glob("*.ipynb"), *(ROOT / "book").glob("*.md")]
FOLDER = "dpgcourse/equation_checks"
ENTRIES = table.entries()
EQUATIONS_OF = {page.stem: dict(rules.equations(page)) for page in PAGES}
EQUATIONS = {label: latex for page in EQUATIONS_OF.values() for label, latex in page.items()}


def mismatches(equations_of, modules, module_of_entry) -> list[str]:
    """What must be done so that every labeled equation has its entry, and every entry its equation.

    Args:
        equations_of: name of every page -> the labels of its equations.
        modules: names of the modules with entries.
        module_of_entry: label of every entry -> the module that it stands in.
    """
    found, known = [], set()
    for page, labels in equations_of.items():
        module = module_of(page)
        if labels and module not in modules:
            found.append(f"create {FOLDER}/{module}.py, with an entry for each of {list(labels)}")
            continue
        for label in labels:
            known.add(label)
            home = module_of_entry.get(label)
            if home is None:
                found.append(f"add an entry for {label} to {FOLDER}/{module}.py")
            elif home != module:
                found.append(f"move the entry for {label} from {home}.py to {FOLDER}/{module}.py")
    for module in modules:
        if module not in map(module_of, equations_of):
            page = table.page_of(module)
            found.append(f"{FOLDER}/{module}.py belongs to no page: there is no book/{page}.ipynb")
    for label, home in module_of_entry.items():
        if label not in known and home in map(module_of, equations_of):
            found.append(f"{FOLDER}/{home}.py has an entry for {label}, which is no equation there")
    return found


def broken(function):
    """The same function with its numbers tripled; one that works in place triples what it left."""

    def triple(x):
        if isinstance(x, tuple | list):
            parts = [triple(part) for part in x]
            return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
        return x * 3 if isinstance(x, np.ndarray | np.number | torch.Tensor | float | int) else x

    def wrapped(*args, **kwargs):
        result = function(*args, **kwargs)
        if result is not None:
            return triple(result)
        for arg in args:
            tensors = arg.parameters() if isinstance(arg, torch.nn.Module) else [arg]
            for tensor in tensors:
                if isinstance(tensor, np.ndarray | torch.Tensor):
                    with torch.no_grad():
                        tensor *= 3
        return None

    return wrapped


def break_everywhere(monkeypatch, function):
    """Replace a function, method or property by its broken twin wherever the package holds it."""
    if isinstance(function, property):
        replacement, plain = property(broken(function.fget)), function.fget
    else:
        replacement, plain = broken(function), function
    home = sys.modules[plain.__module__]
    *classes, name = plain.__qualname__.split(".")
    for part in classes:
        home = getattr(home, part)
    assert inspect.getattr_static(home, name) in (function, plain)
    monkeypatch.setattr(home, name, replacement)
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("dpgcourse"):
            for key, value in list(vars(module).items()):
                if value is function:
                    monkeypatch.setattr(module, key, replacement)


@cache
def found(entry: Entry) -> list[Check]:
    return entry.run()


def noticed(entry: Entry) -> dict[str, bool]:
    """For each route, whether it disagrees with the formula, in the first example."""
    try:
        return {check.route: not check.passed for check in replace(entry, draws=1).run()}
    except (ValueError, AssertionError, np.linalg.LinAlgError):
        return {"error": True}


def test_every_labeled_equation_has_an_entry_and_every_entry_an_equation():
    homes = {entry.label: entry.examples.__module__.split(".")[-1] for entry in REGISTRY.values()}
    found = mismatches(EQUATIONS_OF, table.chapters(), homes)
    assert not found, "; ".join(found)


@pytest.mark.parametrize(
    ("page", "labels", "modules", "homes", "message"),
    [
        (
            "14_name",
            ["eq-a", "eq-b"],
            ["ch14_name"],
            {"eq-b": "ch14_name"},
            "add an entry for eq-a to dpgcourse/equation_checks/ch14_name.py",
        ),
        (
            "14_name",
            ["eq-a"],
            [],
            {},
            "create dpgcourse/equation_checks/ch14_name.py, with an entry for each of ['eq-a']",
        ),
        (
            "14_name",
            [],
            ["ch14_other"],
            {"eq-c": "ch14_other"},
            "dpgcourse/equation_checks/ch14_other.py belongs to no page: "
            "there is no book/14_other.ipynb",
        ),
        (
            "14_name",
            ["eq-a"],
            ["ch14_name", "ch00_intro"],
            {"eq-a": "ch00_intro"},
            "move the entry for eq-a from ch00_intro.py to dpgcourse/equation_checks/ch14_name.py",
        ),
        (
            "14_name",
            [],
            ["ch14_name"],
            {"eq-a": "ch14_name"},
            "dpgcourse/equation_checks/ch14_name.py has an entry for eq-a, "
            "which is no equation there",
        ),
        ("14_name", ["eq-a"], ["ch14_name"], {"eq-a": "ch14_name"}, None),
        ("14_name", [], [], {}, None),
    ],
)
def test_what_is_missing_is_said(page, labels, modules, homes, message):
    equations_of = {"intro": [], page: labels}
    assert mismatches(equations_of, modules, homes) == ([message] if message else [])


def test_a_module_and_its_page_have_the_same_name():
    for page in ("intro", "03_jacobians", "14_name"):
        assert table.page_of(module_of(page)) == page


NEW_CHAPTER = '''"""Chapter 14: A new one.

More about it.
"""

from dpgcourse.equation_checks.entry import entry


@entry("eq-new", "identity")
def new(rng):
    """One is one."""
    return {"formula": 1.0, "by hand": 1.0}
'''


def test_a_new_module_is_found_without_a_list(tmp_path, monkeypatch):
    (tmp_path / "ch98_new.py").write_text(NEW_CHAPTER, encoding="utf-8")
    (tmp_path / "helpers.py").write_text("raise RuntimeError", encoding="utf-8")
    before = table.chapters()
    monkeypatch.setattr(equation_checks, "__path__", [*equation_checks.__path__, str(tmp_path)])
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    monkeypatch.delattr(equation_checks, "ch98_new", raising=False)
    known = dict(REGISTRY)
    try:
        assert table.chapters() == [*before, "ch98_new"]
        assert [entry.label for entry in table.entries("ch98_new")] == ["eq-new"]
        assert [entry.label for entry in table.entries()] == [*(e.label for e in ENTRIES), "eq-new"]
        assert table.title("ch98_new") == "Chapter 14: A new one"
        assert "| {eq}`eq-new` | *Identity.* One is one. |" in table.rows("ch98_new")
    finally:
        REGISTRY.clear()
        REGISTRY.update(known)
        vars(equation_checks).pop("ch98_new", None)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.label)
def test_every_check_passes(entry):
    assert [check for check in found(entry) if not check.passed] == []


FUNCTIONS = [(entry, function) for entry in ENTRIES for function in entry.functions]


@pytest.mark.parametrize(
    ("entry", "function"), FUNCTIONS, ids=[f"{e.label}-{table.name_of(f)}" for e, f in FUNCTIONS]
)
def test_every_route_notices_a_broken_function(entry, function, monkeypatch):
    break_everywhere(monkeypatch, function)
    assert [route for route, seen in noticed(entry).items() if not seen] == []


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.label)
def test_every_route_notices_a_wrong_formula(entry):
    def wrong(rng):
        values = entry.examples(rng)
        return {**values, "formula": 3 * np.asarray(values["formula"])}

    claim = noticed(replace(entry, examples=wrong))
    assert [route for route, seen in claim.items() if not seen] == []


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.label)
def test_an_entry_says_its_claim_in_a_line(entry):
    assert re.fullmatch(r"[^\n]{10,110}\.", entry.says)


# What may stand on the left of a definition: a letter with marks, indices and arguments.
ARGUMENTS = r"(?:\\?big[lr]?)?\((?:[^()]|\([^()]*\))*\)"
LETTER = r"(?:\\(?:mathcal|bar|tilde|hat)\s*\{?\\?\w+\}?|\\[a-zA-Z]+|[a-zA-Z])"
SYMBOL = re.compile(
    rf"{LETTER}(?:'|_\{{[^}}]*\}}|_(?:\\\w+|\w)|\^\{{[^}}]*\}}|\^\\?\w+)*(?:{ARGUMENTS})?"
)
NOT_A_SYMBOL = re.compile(r"\\(?:frac|partial|nabla|sum|int|mathbb|operatorname|lVert|lim)\b")


def statements(latex: str) -> list[str]:
    """The lines of an equation, each continued line joined to the one that it continues."""
    latex = re.sub(r"\\(?:begin|end)\{\w+\}|\\(?:qquad|quad|[,;:!])", " ", latex)
    lines: list[str] = []
    for line in re.split(rf"\\\\|,\s*(?=&? *[\\\w']+(?:{ARGUMENTS})? *&?=)", latex):
        if "=" in line or r"\leftarrow" in line or not lines:
            lines.append(line)
        else:
            lines[-1] += line
    return [line.replace("&", " ").strip(" .,\n") for line in lines]


def not_defining(latex: str) -> list[str]:
    """The lines of an equation that do more than give one symbol its meaning."""
    bad = []
    for line in statements(latex):
        left, *right = re.split(r"=(?![^{]*\})", line)
        if len(right) != 1 or NOT_A_SYMBOL.search(left) or not SYMBOL.fullmatch(left.strip()):
            bad.append(line)
    return bad


@pytest.mark.parametrize("label", [entry.label for entry in ENTRIES if entry.kind == "definition"])
def test_a_definition_only_defines(label):
    assert not_defining(EQUATIONS[label]) == []


@pytest.mark.parametrize("label", [entry.label for entry in ENTRIES if entry.kind == "rule"])
def test_a_rule_updates_something(label):
    assert re.search(r"\\leftarrow|\\text\{minimize|\\operatorname\{clip\}", EQUATIONS[label])


@pytest.mark.parametrize(
    "claim",
    [
        r"\frac{\partial \ell}{\partial u} = 4 \cdot 2",
        r"\nabla_u \ell = J^\top g",
        r"a = u\,s = 1",
        r"\ell(u) = Q(s, \mu(s,u), w) \\ \nabla \ell = J^\top g",
        r"\sum_j g_j = 0",
        r"J^\top g = 8",
        r"2 a = b",
    ],
)
def test_a_claim_is_no_definition(claim):
    assert not_defining(claim)


@pytest.mark.parametrize(
    "definition",
    [
        r"\ell(u) = Q\big(s,\; \mu(s,u),\; w\big)",
        r"\begin{aligned} s' &= s + a, & r &= -(s^2 + a^2) \end{aligned}",
        r"\mu(s,u) = u\,s, \qquad Q(s,a,w) = -(a - w\,s)^2",
        r"\bar\ell(u) = \frac1B \sum_{i=1}^{B} \ell_i",
        r"\mathcal J(u) = \sum_s p_0(s) \\ & + 1",
        r"p_\sigma(s' \mid s,a) = \mathbb E\, p(s' \mid s, a + \sigma\varepsilon)",
    ],
)
def test_a_definition_is_one(definition):
    assert not_defining(definition) == []


def test_routes_and_kinds_are_all_in_use():
    assert {entry.kind for entry in ENTRIES} == set(KINDS)
    assert {check.route for entry in ENTRIES for check in found(entry)} == set(ROUTES)


def example(values: dict, kind: str = "identity") -> Entry:
    return Entry("eq-x", kind, "A claim.", (), lambda rng: dict(values), 1)


@pytest.mark.parametrize(
    "values",
    [
        {"formula": 1.0},
        {"formula": 1.0, "by magic": 1.0},
        {"formula": 0.0, "by hand": 0.0},
        {"formula": np.nan, "by hand": 1.0},
    ],
)
def test_an_entry_without_substance_is_refused(values):
    with pytest.raises(ValueError, match="eq-x"):
        example(values).run()


def test_each_distance_can_fail():
    assert standard_errors([1.0], Estimate(np.array([1.02]), np.array([0.01]))) == pytest.approx(2)
    assert standard_errors([1.0], Estimate(np.array([1.0]), np.array([0.1]))) == np.inf
    assert standard_errors([1.0], Estimate(np.ones(2), np.ones(2) / 100)) == np.inf
    assert excess(2.0, 3.0) == 0.5
    assert excess(2.0, 1.5) == 0
    assert excess(2.0, 0.5) == np.inf
    assert excess(2.0, np.nan) == np.inf
    assert not example({"formula": 1.0, "by hand": 1.0 + 1e-11}).run()[0].passed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("eq-new", "axiom"), "'axiom'; allowed: \\['definition'"),
        (("eq-jac-chain", "identity"), "eq-jac-chain has an entry already"),
        (("eq-new", "definition"), "eq-new: a definition names the function"),
        (("eq-new", "rule"), "eq-new: a rule names the function"),
    ],
)
def test_bad_entries_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        entry(*arguments)


def test_the_page_shows_every_chapter_and_names_none():
    cells = nbformat.read(ROOT / "book/ledger.ipynb", as_version=4).cells
    assert not [chapter for chapter in table.chapters() if any(chapter in c.source for c in cells)]
    (tables,) = (cell for cell in cells if cell.id == "ledger-tables")
    texts = [output.data["text/markdown"] for output in tables.outputs]
    shown = [re.findall(r"^\| \{eq\}`(.*?)` \|", text, re.MULTILINE) for text in texts]
    run_it = "run: python tools/execute_notebooks.py book/ledger.ipynb"
    assert len(texts) == len(table.chapters()), run_it
    for chapter, text, labels in zip(table.chapters(), texts, shown, strict=True):
        title = f"**[{table.title(chapter)}]({table.page_of(chapter)}.ipynb)**"
        assert text.startswith(f"{title}\n\n| equation "), run_it
        assert labels == [entry.label for entry in table.entries(chapter)], run_it
        for row in table.entries(chapter):
            assert row.says.replace("|", "\\|") in text, run_it
            assert all(f"`{table.name_of(function)}`" in text for function in row.functions), run_it


def test_a_table_holds_every_entry_of_its_chapter():
    lines = table.rows("ch03_jacobians").splitlines()
    assert lines[0].count("|") == lines[1].count("|") == 4
    for line, row in zip(lines[2:], table.entries("ch03_jacobians"), strict=True):
        assert line.startswith(f"| {{eq}}`{row.label}` | *{row.kind.capitalize()}.* {row.says}")
        for function in row.functions:
            assert f"`{table.name_of(function)}`" in line
        for check in row.run():
            assert check.route.replace(" ", "\N{NO-BREAK SPACE}") in line


def test_a_table_with_a_failing_check_is_not_shown(monkeypatch):
    monkeypatch.setattr(
        table, "entries", lambda chapter: [example({"formula": 1.0, "by hand": 2.0})]
    )
    with pytest.raises(AssertionError, match="eq-x by\\shand\\s5e.01"):
        table.rows("ch03_jacobians")


@pytest.mark.parametrize("chapter", ["chapter 1", "jacobians", "entry"])
def test_an_unknown_chapter_is_refused(chapter):
    with pytest.raises(ValueError, match=f"'{chapter}'; allowed: \\['ch00_intro'"):
        table.entries(chapter)


def test_every_equation_of_a_page_is_the_one_that_was_held_against_its_check():
    quoted, now = quote_equations.read_quoted(), quote_equations.on_pages()
    assert set(quoted) == set(now) and set(EQUATIONS) <= set(now)
    for label, latex in now.items():
        assert latex == quoted[label], (
            f"{label} is {latex!r} on its page, and was {quoted[label]!r} when it was checked. "
            f"Compare it with its check, then: python -m tools.quote_equations {label}"
        )


def test_an_exercise_that_asks_for_something_else_is_seen(tmp_path):
    page = ROOT / "book/02_chain_rule.ipynb"
    notebook = nbformat.read(page, as_version=4)
    before = dict(rules.exercises(page))
    for cell in notebook.cells:
        cell.source = cell.source.replace("four-point difference", "two-point difference")
    nbformat.write(notebook, tmp_path / page.name)
    after = dict(rules.exercises(tmp_path / page.name))
    assert [label for label in before if before[label] != after[label]] == ["ex-chain-fourth"]


@pytest.mark.parametrize("label", ["eq-ddpg-target", "07_lqr"])
def test_a_flipped_sign_in_an_equation_is_seen(monkeypatch, label):
    now = quote_equations.on_pages()
    said = now[label]
    flipped = said.replace("+", "-", 1) if isinstance(said, str) else [said[0], "-1", *said[2:]]
    assert flipped != said
    monkeypatch.setattr(quote_equations, "on_pages", lambda: now | {label: flipped})
    with pytest.raises(AssertionError, match=f"{label} is .* and was .* when it was checked"):
        test_every_equation_of_a_page_is_the_one_that_was_held_against_its_check()
