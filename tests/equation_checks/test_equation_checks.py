"""Every labeled equation of the book has an entry in the ledger, and every check in it can fail."""

import inspect
import re
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

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

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*(ROOT / "book").glob("*.ipynb"), *(ROOT / "book").glob("*.md")]
ENTRIES = table.entries()
EQUATIONS = dict(equation for page in PAGES for equation in rules.equations(page))


def broken(function):
    """The same function with its numbers tripled; one that works in place triples what it left."""

    def triple(x):
        if isinstance(x, tuple | list):
            return type(x)(triple(part) for part in x)
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


def test_every_labeled_equation_has_an_entry():
    assert [label for label in EQUATIONS if label not in REGISTRY] == []


def test_every_entry_has_an_equation():
    assert [label for label in REGISTRY if label not in EQUATIONS] == []


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


def test_the_page_shows_every_chapter():
    text = (ROOT / "book/ledger.ipynb").read_text(encoding="utf-8")
    shown = re.findall(r'table\.rows\(\\"(\w+)\\"\)', text)
    assert shown == list(table.CHAPTERS)


def test_a_table_holds_every_entry_of_its_chapter():
    lines = table.rows("jacobians").splitlines()
    assert lines[0].count("|") == lines[1].count("|") == 4
    for line, row in zip(lines[2:], table.entries("jacobians"), strict=True):
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
        table.rows("jacobians")


def test_an_unknown_chapter_is_refused():
    with pytest.raises(ValueError, match="'chapter 1'; allowed: \\('intro'"):
        table.entries("chapter 1")
