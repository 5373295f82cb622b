"""Local Sphinx extension: the search of the book, by Pagefind.

When the pages are written, Pagefind reads a plain copy of each: no code, no output, no
displayed formula, no mark. What a hit can lead to (a section, a term, a name of the
package, an exercise, a theorem) is a heading of the copy. ``page_search.js`` shows the
hits on ``search.html``. The search of Sphinx is switched off, and not shipped.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

PAGE, INDEX = "search", "genindex"
FOLDER = "pagefind"
GLOSSARY = "book/glossary"
# The chapters come before the pages that one reads later, or looks something up in.
LATER = re.compile(
    r"book/(api|appendix|checks|ledger|predictions|references|results|teaching)"
)
# Weights of words: on these pages and in tables, in a name of the package, and in a
# term of the glossary.
LESS, NAMED, MORE = 0.5, 2.0, 8.0
IGNORED = "div.math, pre, summary, script, style, .headerlink, .eqno, .ledger-mark"
KEPT = re.compile(r"pagefind\.js|pagefind-entry\.json|wasm\.en\.pagefind|.*\.pf_\w+")
OF_SPHINX = ("searchtools.js", "language_data.js")

ARTICLE = re.compile(r'<article class="bd-article">(.*)</article>', re.DOTALL)
GLYPHS, SPAN = '<span class="katex-html"', re.compile(r"<(/?)span\b[^>]*>")
FORMULA, TAG = re.compile(r"<math\b.*?</math>", re.DOTALL), re.compile(r"<[^>]*>")
TWO_LINES = re.compile(r"<m(?:frac|over|root|sqrt|sub|sup|table|under)")
SECTION = re.compile(
    r'<section id="([^"]+)">\s*((?:<span id="[^"]*"></span>\s*)*)<(h\d)>'
)
TERM = re.compile(r'<dt id="(term-[^"]+)">(.*?)</dt>', re.DOTALL)
NAME = re.compile(r'<dt class="sig[^"]*" id="dpgcourse\.([^"]+)">.*?</dt>', re.DOTALL)
BOX = re.compile(
    r'<div class="[^"]*\badmonition\b[^"]*" id="([^"]+)">\s*'
    r'<p class="admonition-title">(.*?)</p>',
    re.DOTALL,
)


def without_glyphs(html):
    """HTML without what KaTeX draws; the MathML of each formula stays."""
    parts, end = [], 0
    while (start := html.find(GLYPHS, end)) >= 0:
        parts.append(html[end:start])
        depth = 0
        for tag in SPAN.finditer(html, start):
            depth += -1 if tag[1] else 1
            if depth == 0:
                end = tag.end()
                break
    return "".join([*parts, html[end:]])


def plain_formula(formula):
    """A formula as text: an ellipsis if one line cannot hold it."""
    shown = formula[0].partition("<annotation")[0]
    if TWO_LINES.search(shown):
        return "…"
    return TAG.sub("", shown).replace("\u2061", " ")  # MathML's mark in log x


def plain_copy(page, html):
    """What Pagefind reads of a page, given its name and its HTML."""
    text = FORMULA.sub(plain_formula, without_glyphs(ARTICLE.search(html)[1]))
    text = SECTION.sub(r'<section>\2<\3 id="\1">', text)
    text = TERM.sub(rf'<h5 id="\1" data-pagefind-weight="{MORE}">\2</h5>', text)
    text = NAME.sub(
        rf'<h6 id="dpgcourse.\1" data-pagefind-weight="{NAMED}">\1</h6>', text
    )
    text = BOX.sub(r'<div><h5 id="\1">\2</h5>', text)
    text = text.replace("<table ", f'<table data-pagefind-weight="{LESS}" ')
    weight = f' data-pagefind-weight="{LESS}"' if LATER.match(page) else ""
    return f'<html lang="en"><body{weight}>{text}</body></html>'


def write_index(app, exception):
    """Let Pagefind read the pages, and remove what no page loads."""
    if exception is not None or app.builder.name != "html":
        return
    site = Path(app.outdir)
    with tempfile.TemporaryDirectory() as copies:
        for page in app.env.found_docs - {INDEX}:
            written = site / f"{page}.html"
            if written.exists():
                copy = Path(copies, f"{page}.html")
                copy.parent.mkdir(parents=True, exist_ok=True)
                html = plain_copy(page, written.read_text(encoding="utf-8"))
                copy.write_text(html, encoding="utf-8")
        for old in site.glob(f"{FOLDER}/*/*.pf_*"):
            old.unlink()
        command = [sys.executable, "-m", "pagefind", "--silent", "--site", copies]
        command += ["--output-path", str(site / FOLDER)]
        subprocess.run([*command, "--exclude-selectors", IGNORED], check=True)
    for file in (site / FOLDER).rglob("*"):
        if file.is_file() and not KEPT.fullmatch(file.name):
            file.unlink()
    for name in OF_SPHINX:
        (site / "_static" / name).unlink(missing_ok=True)


def switch_off_the_other(app):
    """Sphinx writes no index of its own."""
    app.builder.search = False


def pages(app):
    """The page of search results."""
    glossary = GLOSSARY if GLOSSARY in app.env.found_docs else None
    yield PAGE, {"title": "Search", "glossary": glossary}, f"{PAGE}.html"


def add_files(app, pagename, templatename, context, doctree):
    """What the page of search results loads."""
    if pagename == PAGE:
        app.add_css_file("page_search.css")
        app.add_js_file("page_search.js", loading_method="defer")


def setup(app):
    """Register with Sphinx."""
    templates = str(Path(__file__).parent / "templates")
    app.connect(
        "config-inited", lambda app, config: config.templates_path.append(templates)
    )
    app.connect("builder-inited", switch_off_the_other)
    app.connect("html-collect-pages", pages)
    app.connect("html-page-context", add_files)
    app.connect("build-finished", write_index)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
