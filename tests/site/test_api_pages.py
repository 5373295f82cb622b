"""The API reference: every public name has its place, and the pages read as they should."""

import ast
from collections.abc import Iterator

import pytest
from bs4 import BeautifulSoup

from tests.site.rules import NOT_PROSE, anchors, parse
from tests.site.test_browser import ROOMS, ROOT

pytestmark = pytest.mark.xdist_group("parsed")  # one worker parses every page once
PAGES = ["book/api", *ROOMS]
LARGEST = 500_000  # bytes of a page


def public_names(body: list[ast.stmt], path: str) -> Iterator[str]:
    """What a module or a class defines without a leading underscore, by dotted name."""
    for node in body:
        names = []
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names = [node.name]
        elif isinstance(node, ast.AnnAssign):
            names = [ast.unparse(node.target)]
        elif isinstance(node, ast.Assign):
            names = [
                name.id
                for target in node.targets
                for name in ast.walk(target)
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
            ]
        for name in names:
            if not name.startswith("_"):
                yield f"{path}.{name}"
                if isinstance(node, ast.ClassDef):
                    yield from public_names(node.body, f"{path}.{name}")


def package_names() -> Iterator[str]:
    """Every public name of every public module, and the names that the package itself offers."""
    for file in sorted((ROOT / "dpgcourse").rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        path = ".".join(parts).removesuffix(".__init__")
        if not file.stem.startswith("_") or file.stem == "__init__":
            yield from public_names(ast.parse(file.read_text(encoding="utf-8")).body, path)
    stub = ROOT / "dpgcourse/__init__.pyi"
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            yield from (f"dpgcourse.{alias.name}" for alias in node.names)


def missing(names: list[str], places: set[str]) -> list[str]:
    """The names without a place in the pages."""
    return [name for name in names if name not in places]


def markup_left(page: BeautifulSoup) -> Iterator[str]:
    """Signs in the prose of Markdown that was not understood."""
    article = page.select_one("article")
    for text in article.find_all(string=True) if article else ():
        signs = [sign for sign in ("|---", "``", ">>> ", "**", "{py:", "<span") if sign in text]
        if signs and not any(p.css.match(f"{NOT_PROSE}, dt.sig") for p in text.parents if p.name):
            yield f"{signs}: {text.strip()[:80]!r}"


@pytest.fixture(scope="module")
def places(html) -> set[str]:
    """Every place in the pages of the reference that a link can name."""
    return set().union(*(anchors(html / f"{page}.html") for page in PAGES))


def test_every_public_name_has_a_place(places):
    names = list(package_names())
    assert len(names) > 500
    assert missing(names, places) == []


def test_a_missing_name_is_found(places):
    tree = ast.parse("A = 1\nclass C:\n    x: int\n    def f(self): ...\n    def _g(self): ...")
    names = list(public_names(tree.body, "m"))
    assert names == ["m.A", "m.C", "m.C.x", "m.C.f"]
    assert missing(names, {"m.A", "m.C", "m.C.f"}) == ["m.C.x"]
    name = "dpgcourse.agents.ddpg.DDPG.td_target"
    assert missing([name], places) == []
    assert missing([name], places - {name}) == [name]


def test_no_private_name_has_a_place(places):
    ours = [place for place in places if place.startswith("dpgcourse.")]
    assert [place for place in ours if "._" in place] == []


@pytest.mark.parametrize("name", PAGES)
def test_page_is_quick_to_load(html, name):
    assert (html / f"{name}.html").stat().st_size < LARGEST


@pytest.mark.parametrize("name", PAGES)
def test_docstrings_are_set(html, name):
    assert list(markup_left(parse(html / f"{name}.html"))) == []


@pytest.mark.parametrize("text", ["| a |\n|---|", "a ``b`` c", ">>> 1 + 1", "{py:obj}`x`"])
def test_markup_that_was_left_is_found(text):
    assert list(markup_left(BeautifulSoup(f"<article><p>{text}</p></article>", "html.parser")))


def test_a_docstring_becomes_a_table_a_list_and_code(html):
    page = parse(html / "book/api/agents.html")
    agent = page.find(id="dpgcourse.agents.base.Agent").parent
    assert agent.select_one("table td").get_text() == "policy"
    arguments = agent.find("strong", string="Arguments").find_next("dl")
    assert arguments.dt.get_text() == "config"
    assert arguments.dd.get_text(strip=True) == "hyperparameters."
    links = [link["href"] for link in agent.select("dt a.reference")]
    assert "#dpgcourse.agents.config.AgentConfig" in links
    composite = parse(html / "book/api/theory.html").find(id="dpgcourse.theory.lqr.LQR").parent
    assert ">>> scalar = LQR(" in composite.select_one("pre").get_text()


def test_a_constant_shows_what_it_holds(html):
    quantities = parse(html / "book/api/training.html").find(
        id="dpgcourse.training.diagnostics.QUANTITIES"
    )
    rows = [
        [cell.get_text() for cell in row.select("td")] for row in quantities.parent.select("tr")
    ]
    assert ["q_std", "standard deviation of Q(s, a)"] in rows
    faults = parse(html / "book/api/agents.html").find(id="dpgcourse.agents.registry.FAULTS")
    assert "wrong-sign" in [code.get_text() for code in faults.parent.select("dd code")]
