"""Local Sphinx extension: what a link to an equation, figure, source or term shows.

The places of each page that such a link can name are written to a script of their own,
``_static/cards/<page>.js``. ``_static/hover_cards.js`` loads it when a link is pointed
at. A script, not JSON: a page that is opened from a folder may load nothing else.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

PLACE = re.compile(
    r'<div class="math[^"]*" id="(?P<equation>equation-[^"]+)">.*?</div>'
    r'|<figure[^>]* id="(?P<figure>fig-[^"]+)">.*?</figure>'
    r'|<div class="citation" id="(?P<source>[^"]+)".*?</div>',
    re.DOTALL,
)
TERM = re.compile(r'<dt id="(term-[^"]+)">(.*?)</dt>', re.DOTALL)
MEANING = re.compile(r"<dd>.*?</dd>", re.DOTALL)
# A card has no links, nothing that a link could name, and no roles of a page.
DROPPED = re.compile(
    r'<a class="(?:headerlink|ledger-mark)".*?</a>|</?a\b[^>]*>'
    r'|(?<=["\w]) (?:id|role)="[^"]*"',
    re.DOTALL,
)
# Pictures are found from the root of the site.
UP = re.compile(r'(?<= src=")(?:\.\./)+')


def cards(body: str) -> Iterator[tuple[str, str]]:
    """The places of a page that have a card, and its HTML."""
    for found in PLACE.finditer(body):
        yield found[found.lastgroup], found[0]
    for term in TERM.finditer(body):
        if meaning := MEANING.search(body, term.end()):
            yield term[1], f"<dl><dt>{term[2]}</dt>{meaning[0]}</dl>"


def write(app, pagename, templatename, context, doctree):
    """Write the cards of a page; a page without any gets an empty script."""
    if app.builder.format != "html":
        return
    found = {
        name: UP.sub("", DROPPED.sub("", html))
        for name, html in cards(context.get("body") or "")
    }
    path = Path(app.outdir, "_static", "cards", f"{pagename}.js")
    path.parent.mkdir(parents=True, exist_ok=True)
    page, html = (json.dumps(part, ensure_ascii=False) for part in (pagename, found))
    path.write_text(f"hoverCards.put({page}, {html});\n", encoding="utf-8")


def setup(app):
    """Register with Sphinx."""
    app.add_css_file("hover_cards.css")
    app.add_js_file("hover_cards.js")
    app.connect("html-page-context", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
