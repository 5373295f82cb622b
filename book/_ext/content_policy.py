"""Local Sphinx extension: the Content-Security-Policy of every page.

It stands in a ``<meta>`` tag of the page. So it holds on any server, and for a page
that is opened from a folder. A script may come from the site itself. One that stands
in a page is allowed by its hash, which is computed when all pages are done. Nothing
else may run: no script from elsewhere, no ``eval``, no handler in an attribute.

Styles may stand in a page, because KaTeX places each glyph with a ``style`` attribute.
"""

import base64
import hashlib
import re
from pathlib import Path

SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.DOTALL)
# The theme's two buttons. a11y.js gives them their actions.
HANDLER = re.compile(r'<button onclick="(?:toggleFullScreen|window\.print)\(\)"')
START = '<meta charset="utf-8" />'
TAG = '<meta http-equiv="Content-Security-Policy"'
# Pagefind is WebAssembly, and only this page runs it.
WITH_WEBASSEMBLY = {"search.html"}


def source_of(script):
    """The source expression that allows a script of this text."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def policy(html, with_webassembly=False):
    """The policy of a page, given its HTML."""
    scripts = {
        text for attributes, text in SCRIPT.findall(html) if "src=" not in attributes
    }
    sources = ["'self'", *sorted(map(source_of, scripts))]
    if with_webassembly:
        sources.append("'wasm-unsafe-eval'")
    rules = {
        "default-src": "'self'",
        "script-src": " ".join(sources),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


def write_policies(app, exception):
    """Write the policy into every page."""
    if exception is not None or app.builder.name != "html":
        return
    site = Path(app.outdir)
    for path in site.rglob("*.html"):
        name = path.relative_to(site).as_posix()
        html = path.read_text(encoding="utf-8")
        if name.startswith("_static/") or TAG in html:
            continue
        html = HANDLER.sub('<button type="button"', html)
        if START not in html:
            raise ValueError(f"{name} does not begin with {START}")
        tag = f'{TAG} content="{policy(html, name in WITH_WEBASSEMBLY)}" />'
        html = html.replace(START, f"{START}\n{tag}", 1)
        path.write_text(html, encoding="utf-8")


def setup(app):
    """Register with Sphinx."""
    # After every extension that still changes a page.
    app.connect("build-finished", write_policies, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
