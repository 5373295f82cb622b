"""Every check of the book, held against a book in which that one thing is broken.

A tiny book is written with the course's own configuration and built once; each test breaks a copy.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.book import rules
from tests.site import rules as site_rules

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools/execute_notebooks.py"
TOC = "format: jb-book\nroot: book/intro\nchapters:\n  - file: book/one\n  - file: book/ledger\n"
LEDGER = "# Ledger\n\n" + "It says what each equation claims. " * 4
LEDGER += "\n\n| equation | claim |\n|---|---|\n| {eq}`eq-one` | A square. |\n"
INTRO = (
    "# Intro\n\nA page of prose that says enough to count as one, with a formula $a = u s$,\n"
    "a link to [the chapter](one.ipynb) and the equation {eq}`eq-one`.\n"
)
TEXT = """# One

$$ \\ell(u) = u^2 $$ (eq-one)

**Try it:** {ref}`ex-one`, a number.

## Summary

A square, see {ref}`ex-one`.

## Exercises

```{exercise}
:label: ex-one

Compute.
```

```{solution} ex-one
Four.
```
"""
FIGURE = """import matplotlib.pyplot as plt
fig, ax = plt.subplots()
ax.plot([0, 1])
assert True"""


def good_notebook():
    described = {"image": {"alt": "A line."}, "figure": {"name": "fig-one", "caption": "A line."}}
    return new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        cells=[
            new_markdown_cell(TEXT, id="text"),
            new_code_cell(f"{rules.NEEDS}\nprint(2 * 2)", id="print"),
            new_code_cell(FIGURE, id="figure", metadata={"mystnb": described}),
        ],
    )


def run(*command, cwd: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *command], cwd=cwd, capture_output=True, text=True, check=False
    )


def build(root: Path) -> subprocess.CompletedProcess:
    main = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"
    return run("-c", main, "build", ".", "-W", "-n", "--keep-going", cwd=root)


@pytest.fixture(scope="module")
def good_book(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("books") / "good"
    for name in ("_ext", "_static"):
        shutil.copytree(ROOT / "book" / name, root / "book" / name)
    shutil.copy(ROOT / "_config.yml", root)
    shutil.copy(ROOT / "book/references.bib", root / "book")
    (root / "_toc.yml").write_text(TOC)
    (root / "book/intro.md").write_text(INTRO)
    (root / "book/ledger.md").write_text(LEDGER)
    notebook = root / "book/one.ipynb"
    nbformat.write(good_notebook(), notebook)
    assert run(TOOL, notebook, cwd=root).returncode == 0
    built = build(root)
    assert built.returncode == 0, built.stderr[-2000:]
    return root


@pytest.fixture
def book(good_book, tmp_path) -> Path:
    """A copy of the good book, to break."""
    return Path(shutil.copytree(good_book, tmp_path / "book", dirs_exist_ok=True))


@pytest.fixture
def html(book) -> Path:
    return book / "_build/html"


@pytest.fixture
def notebook(good_book):
    return nbformat.read(good_book / "book/one.ipynb", as_version=4)


def complaints(notebook) -> str:
    return "\n".join(message for rule in rules.RULES for message in rule("one.ipynb", notebook))


def edit(path: Path, old: str, new: str):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def untied(html: Path) -> list[str]:
    pages = ["book/intro", "book/one", "book/ledger"]
    return list(site_rules.equations_and_ledger_are_tied(html, pages, "book/ledger"))


def test_the_good_book_is_good(good_book, notebook):
    html = good_book / "_build/html"
    page = site_rules.parse(html / "book/one.html")
    assert complaints(notebook) == ""
    assert list(rules.toc_mismatches(good_book)) == []
    assert rules.repeated_labels((good_book / "book").glob("*.ipynb")) == []
    assert list(site_rules.pages_exist(html, rules.toc_pages(good_book))) == []
    assert untied(html) == []
    pictures = site_rules.pictures_arrived(html, "book/one", good_book / "book/one.ipynb")
    assert list(pictures) == []
    assert list(site_rules.links_lead_somewhere(html)) == []
    assert site_rules.cards(html, "book/one").keys() == {"equation-eq-one", "fig-one"}
    assert list(site_rules.places_have_cards(html, ["book/one"])) == []
    assert list(site_rules.loads_nothing_from_elsewhere(html)) == []
    assert page.select(".math .katex") and list(site_rules.mathematics_is_set(page)) == []


# Faults of a chapter: (cell, what to change, what the rules must say)


def _unexecuted(cell):
    cell.execution_count, cell.outputs = None, []


def _raised(cell):
    cell.outputs = [nbformat.v4.new_output("error", ename="KeyError", evalue="x", traceback=[])]


def _printed(text: str, name: str = "stdout"):
    def change(cell):
        cell.outputs = [nbformat.v4.new_output("stream", name=name, text=text)]

    return change


def _without(*keys: str):
    def change(cell):
        place = cell.metadata["mystnb"]
        for key in keys[:-1]:
            place = place[key]
        del place[keys[-1]]

    return change


def _metadata(**entries):
    return lambda cell: cell.metadata.update(entries)


def _source(text: str):
    return lambda cell: cell.update(source=text)


def _replaced(old: str, new: str):
    return lambda cell: cell.update(source=cell.source.replace(old, new))


FAULTS = {
    "unexecuted cell": ("print", _unexecuted, "execution counts are [None, 2]"),
    "executed out of order": ("print", lambda c: c.update(execution_count=7), "counts are [7, 2]"),
    "stored error": ("print", _raised, "raised KeyError"),
    "warning": ("print", _printed("UserWarning: x\n", "stderr"), "wrote to stderr"),
    "object address": ("print", _printed("<A at 0x7f31f0e97560>"), "an object's address"),
    "timing": ("print", _printed("took 12.5 ms"), "prints a time"),
    "last digits": ("print", _printed("0.30000000000000004"), "rounds differently"),
    "path in an output": ("print", _printed("File /" + "home/ada/x.py"), "path of this machine"),
    "path in a source": ("print", _source("open('/" + "tmp/x')"), "path of this machine"),
    "no alt text": ("figure", _without("image"), "without alt text"),
    "no caption": ("figure", _without("figure", "caption"), "without caption"),
    "no figure name": ("figure", _without("figure", "name"), "without name"),
    "foreign figure name": (
        "figure",
        lambda c: c.metadata["mystnb"]["figure"].update(name="plot"),
        "figure names begin with fig-",
    ),
    "missing figure": ("figure", lambda c: c.update(outputs=[]), "shows no picture"),
    "figure and more": ("figure", lambda c: c.outputs.append(c.outputs[-1]), "shows 2 things"),
    "trailing semicolon": ("print", _source("print(4);"), "ends with a semicolon"),
    "package not named": ("print", _source("print(4)"), "does not begin with"),
    "data beside the chapter": (
        "print",
        _source("open('../results/x.csv')"),
        "../results/x.csv'\"; data come",
    ),
    "unknown tag": ("print", _metadata(tags=["rounded"]), "has the tag 'rounded'"),
    "check that is not folded": ("print", _metadata(tags=["check"]), "and not 'hide-input'"),
    "check without a line": (
        "print",
        _metadata(tags=["check", "hide-input"], jupyter={"source_hidden": True}),
        "does not print one line that begins with ✓",
    ),
    "folded in the page alone": (
        "print",
        _metadata(tags=["hide-input"]),
        "is folded otherwise in JupyterLab",
    ),
    "long cell": ("print", _source("x = 1\n" * 26), "has 26 lines"),
    "timing metadata": ("print", _metadata(execution={}), "metadata 'execution'"),
    "ignored output": ("print", _metadata(tags=["nbval-ignore-output"]), "kept from the checks"),
    "skipped cell": ("print", _source("# NBVAL_SKIP\n1"), "kept from the checks"),
    "allowed to raise": ("print", _metadata(tags=["raises-exception"]), "kept from the checks"),
    "no solution": ("text", _replaced("{solution}", "{note}"), "ex-one has 0 solutions"),
    "solution of nothing": ("text", _replaced("{exercise}", "{note}"), "ex-one has no exercise"),
    "exercise without label": ("text", _replaced(":label: ex-one", ""), "has no label"),
    "exercise in the summary alone": (
        "text",
        _replaced("**Try it:** {ref}`ex-one`, a number.", ""),
        "points to ex-one",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_of_a_chapter_is_found(notebook, fault):
    cell_id, change, message = FAULTS[fault]
    change(next(cell for cell in notebook.cells if cell.id == cell_id))
    assert message in complaints(notebook)


# Faults of the book


def test_page_missing_from_the_toc_is_found(book):
    (book / "book/two.md").write_text("# Two")
    assert list(rules.toc_mismatches(book)) == ["book/two is not in _toc.yml"]


def test_toc_entry_without_a_page_is_found(book):
    (book / "book/one.ipynb").unlink()
    assert list(rules.toc_mismatches(book)) == ["_toc.yml lists book/one, which is no page"]


@pytest.mark.parametrize(
    "text", ["$$ x $$ (eq-one)", "```{exercise}\n:label: ex-one\n```", "(fig-one)=\n# A"]
)
def test_repeated_label_is_found(book, text):
    (book / "book/two.md").write_text(f"# Two\n\n{text}\n")
    pages = [book / "book/one.ipynb", book / "book/two.md"]
    (message,) = rules.repeated_labels(pages)
    assert message.endswith("-one is used 2 times")


# Faults that only running the chapter shows


def nbval(book: Path) -> subprocess.CompletedProcess:
    return run("-m", "pytest", "--nbval", "-p", "no:cacheprovider", "book/one.ipynb", cwd=book)


@pytest.mark.long
def test_a_stale_output_and_a_raising_cell_fail_nbval(book):
    edit(book / "book/one.ipynb", '"4\\n"', '"5\\n"')
    edit(book / "book/one.ipynb", "assert True", "assert False")
    result = nbval(book)
    assert result.returncode == 1 and "2 failed" in result.stdout


# Faults that the build reports


@pytest.mark.long
def test_broken_pages_fail_the_build(book):
    edit(book / "book/intro.md", "(one.ipynb)", "(two.ipynb)")
    edit(book / "book/intro.md", "{eq}`eq-one`", "{eq}`eq-two`")
    edit(book / "book/intro.md", "$a = u s$", "$\\frac{a}{$")
    built = build(book)
    assert built.returncode != 0
    said = built.stdout + built.stderr
    for fault in ("two.ipynb", "equation not found: eq-two", "KaTeX parse error"):
        assert fault in said, fault


# Faults of built pages


def test_missing_page_is_found(html):
    (html / "book/one.html").unlink()
    assert list(site_rules.pages_exist(html, ["book/one"])) == ["book/one.html was not built"]


def test_empty_page_is_found(html):
    (html / "book/one.html").write_text("<article></article>")
    assert list(site_rules.pages_exist(html, ["book/one"])) == ["book/one.html is empty"]


@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_bytes(b"other")])
def test_lost_picture_is_found(book, html, change):
    (picture,) = (html / "_images").glob("*.png")
    change(picture)
    (message,) = site_rules.pictures_arrived(html, "book/one", book / "book/one.ipynb")
    assert message == "book/one.html does not show the picture of cell figure"


@pytest.mark.parametrize("link", ["two.html", "one.html#nowhere", "#nowhere"])
def test_broken_link_is_found(html, link):
    edit(html / "book/intro.html", "</article>", f'<a href="{link}">x</a></article>')
    (message,) = site_rules.links_lead_somewhere(html)
    assert message.startswith(f"book/intro.html links to {link}, which")


@pytest.mark.parametrize(
    ("page", "old", "new", "message"),
    [
        ("one", 'class="ledger-mark"', "", "one.html: eq-one has no mark"),
        ("ledger", 'id="ledger-eq-one"', "", "eq-one has no row"),
        ("ledger", "#equation-eq-one", "#equation-eq-two", "ledger-eq-one leads to eq-two"),
        ("one", "#ledger-eq-one", "#ledger-eq-two", "the ledger's eq-one is no equation"),
    ],
)
def test_equation_without_its_ledger_row_is_found(html, page, old, new, message):
    edit(html / f"book/{page}.html", old, new)
    assert any(message in found for found in untied(html))


CARDS = "_static/cards/book/one.js"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (Path.unlink, "has no card"),
        (lambda path: edit(path, "fig-one", "fig-two"), "fig-one has no card"),
        (lambda path: edit(path, "A line.", "A dot."), "the card of fig-one says something else"),
    ],
)
def test_a_missing_or_wrong_card_is_found(html, change, message):
    change(html / CARDS)
    assert any(message in found for found in site_rules.places_have_cards(html, ["book/one"]))


@pytest.mark.parametrize(
    "tag",
    [
        '<script src="https://example.org/x.js"></script>',
        '<img src="//example.org/x.png">',
        '<link rel="stylesheet" href="https://example.org/x.css">',
        '<style>@import "https://example.org/x.css";</style>',
        '<p style="background: url(https://example.org/x.png)"></p>',
    ],
)
def test_load_from_elsewhere_in_a_page_is_found(html, tag):
    edit(html / "book/intro.html", "</article>", f"{tag}</article>")
    (message,) = site_rules.loads_nothing_from_elsewhere(html)
    assert message.startswith("book/intro.html loads ")


def test_load_from_elsewhere_in_a_style_sheet_is_found(html):
    with (html / "_static/book.css").open("a", encoding="utf-8") as style:
        style.write("p { background: url('https://example.org/x.png') }")
    (message,) = site_rules.loads_nothing_from_elsewhere(html)
    assert message == "_static/book.css loads https://example.org/x.png"


@pytest.mark.parametrize(
    ("fragment", "message"),
    [
        ("<p>Then $a = u s$ follows.</p>", "raw mathematics in prose"),
        (r"<p>Then \(a = u s\) follows.</p>", "raw mathematics in prose"),
        (r"<p>Then \nabla_a Q follows.</p>", "raw mathematics in prose"),
        ('<span class="math">a = u s</span>', "not rendered"),
        ('<span class="katex-error">a = {</span>', "KaTeX could not read"),
    ],
)
def test_mathematics_left_raw_is_found(fragment, message):
    page = BeautifulSoup(f"<article>{fragment}</article>", "html.parser")
    assert any(found.startswith(message) for found in site_rules.mathematics_is_set(page))
