"""Explorables in the built book: their scripts are files that all pages share.

In a notebook the output of an explorable holds its script, so that live Jupyter shows
it. The built page loads ``explorables/mount.js`` instead, which a strict
Content-Security-Policy allows. Each explorable is one file with all that it imports, so
that a page makes few requests.
"""

import re
import shutil
from pathlib import Path

from dpgcourse.figures.explorables import FOLDER, bundle, names

OUTPUT = re.compile(
    r'(<div class="explorable"[^>]*></div>\n)<script type="module">.*?</script>',
    re.DOTALL,
)


def share_scripts(app, pagename, templatename, context, doctree):
    """Replace the scripts of a page's explorables by the one that mounts them all."""
    address = app.builder.get_relative_uri(pagename, "index").removesuffix("index.html")
    script = (
        f'<script type="module" src="{address}_static/explorables/mount.js"></script>'
    )
    context["body"] = OUTPUT.sub(rf"\1{script}", context.get("body") or "")


def copy_scripts(app, exception):
    """Put the scripts beside the pages."""
    if exception is None and app.builder.name == "html":
        folder = Path(app.outdir) / "_static" / "explorables"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(str(FOLDER), folder)
        for name in names():
            script = f"{bundle(name)}\n\nexport {{ mount }};\n"
            (folder / f"{name}.js").write_text(script, encoding="utf-8")


def setup(app):
    """Register with Sphinx."""
    app.connect("html-page-context", share_scripts)
    app.connect("build-finished", copy_scripts)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
