"""Local Sphinx extension: one style sheet and one script for all pages, and no more.

The theme and the extensions bring a dozen of each. Here they are joined, and files that
nothing names are not shipped. ``lean_styles.py`` leaves out what no page needs.
"""

import hashlib
import logging
import re
from pathlib import Path

from lean_styles import SOURCE_MAP, joined_styles, names_in
from sphinx.builders.html._assets import _CascadingStyleSheet, _JavaScript

STYLES, SCRIPTS = "_static/book.css", "_static/book.js"
# The layout of the theme loads these by itself; _ext/templates/layout.html does not.
THEME_STYLES = ("_static/styles/theme.css", "_static/styles/pydata-sphinx-theme.css")
THEME_SCRIPTS = (
    "_static/scripts/bootstrap.js",
    "_static/scripts/pydata-sphinx-theme.js",
)
PER_PAGE = "DOCUMENTATION_OPTIONS.pagename"  # for a switch of versions, which is absent
LOADED_BY_SCRIPTS = ("cards", "explorables")  # folders of _static
BLANKS = re.compile(r"\s*\n\s*")


# What the pages share


class Shared:
    """The names of the files that every page loads, and the scripts written into it."""

    def __init__(self):
        self.styles: list[_CascadingStyleSheet] = []
        self.scripts: list[_JavaScript] = []
        self.complete = False


def remember(app, pagename, templatename, context, doctree):
    """Note what is loaded before a page adds files of its own."""
    if not app.lean.styles:
        app.lean.styles = sorted(context["css_files"], key=lambda file: file.priority)
        app.lean.scripts = sorted(
            context["script_files"], key=lambda file: file.priority
        )


def body_of(script):
    """The text of a script that is written into the page, else None."""
    return script.attributes.get("body")


def share(app, pagename, templatename, context, doctree):
    """Load the joined files instead, and those that this page alone has."""
    shared = app.lean
    styles = [file for file in context["css_files"] if file not in shared.styles]
    context["css_files"] = [_CascadingStyleSheet(STYLES), *styles]
    scripts = sorted(
        dict.fromkeys(context["script_files"]), key=lambda file: file.priority
    )
    if not shared.complete:
        # The first page, which Sphinx writes before it starts other processes. All
        # pages have the same texts, but one.
        shared.scripts = [
            script
            for script in scripts
            if script in shared.scripts
            or not (body_of(script) or PER_PAGE).startswith(PER_PAGE)
        ]
        shared.complete = True
    own = [
        script
        for script in scripts
        if script not in shared.scripts
        and not (body_of(script) or "").startswith(PER_PAGE)
    ]
    context["script_files"] = [_JavaScript(SCRIPTS, defer="defer"), *own]


# The joined script


def joined_scripts(site, scripts):
    """All scripts one after the other, those of the theme at the end."""
    texts = [
        body_of(script) or (site / script.filename).read_text(encoding="utf-8")
        for script in scripts
    ]
    texts += [(site / name).read_text(encoding="utf-8") for name in THEME_SCRIPTS]
    return SOURCE_MAP.sub("", "\n;\n".join(texts))


# What is left


def remove_unnamed(site, pages):
    """Remove the files of ``_static`` that no page, style or script names."""
    static = site / "_static"
    removed = True
    while removed:  # a file may be named by one that is removed
        texts = [*pages.values()]
        for kind in ("*.css", "*.js"):
            texts += [path.read_text(encoding="utf-8") for path in site.rglob(kind)]
        named = {name for text in texts for name in re.findall(r"[\w.-]+\.\w+", text)}
        removed = [
            path
            for path in static.rglob("*")
            if path.is_file()
            and path.relative_to(static).parts[0] not in LOADED_BY_SCRIPTS
            and path.name not in named
            and not path.name.startswith("LICENSE")
        ]
        for path in removed:
            path.unlink()
    for path in sorted(static.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def finish(app, exception):
    """Write the joined files, and remove what they replace."""
    if exception is not None or app.builder.name != "html":
        return
    site, shared = Path(app.outdir), app.lean
    pages = {
        path: path.read_text(encoding="utf-8")
        for path in site.rglob("*.html")
        if not path.is_relative_to(site / "_static")
    }
    names = names_in(site, pages)
    sheets = [*THEME_STYLES, *(str(file.filename) for file in shared.styles)]
    joined = {
        STYLES: joined_styles(site, sheets, names),
        SCRIPTS: joined_scripts(site, shared.scripts),
    }
    for name in {*sheets, *THEME_SCRIPTS, *(str(s.filename) for s in shared.scripts)}:
        if name:
            (site / name).unlink(missing_ok=True)
    for name, text in joined.items():
        (site / name).write_text(text, encoding="utf-8")
        # A new text gets a new address, so that no browser shows an old one.
        version = hashlib.sha256(text.encode()).hexdigest()[:8]
        for path, html in pages.items():
            pages[path] = html.replace(f'{name}"', f'{name}?v={version}"')
    remove_unnamed(site, pages)
    for path, html in pages.items():
        path.write_text(mended(html), encoding="utf-8")


def mended(html):
    """A page without needless blanks, and with icons that are not read out.

    The theme writes the scheme "auto", which has no style, for pages without scripts.
    """
    html = html.replace(' data-theme="auto"', "", 1)
    html = html.replace('<i class="fa', '<i aria-hidden="true" class="fa')
    parts = re.split(r"(<(pre|textarea|script)\b.*?</\2>)", html, flags=re.DOTALL)
    # As split, every third part is between two of them.
    texts = (BLANKS.sub("\n", text) for text in parts[::3])
    kept = [*parts[1::3], ""]
    return "".join(text + whole for text, whole in zip(texts, kept, strict=True))


def setup(app):
    """Register with Sphinx."""
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    app.lean = Shared()
    app.connect("html-page-context", remember, priority=1)
    app.connect("html-page-context", share, priority=950)
    # After what writes pages and scripts, before the policy, which hashes them.
    app.connect("build-finished", finish, priority=800)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
