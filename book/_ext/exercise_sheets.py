"""Numbers exercises within their chapter, shows their checks, and links their sheets.

``dpgcourse exercises`` writes the same sheets.
"""

import re
from pathlib import Path

from docutils import nodes
from sphinx_exercise.nodes import exercise_enumerable_node

from dpgcourse.exercises import find, labels
from dpgcourse.exercises.sheets import check_cell, write_sheets

CHAPTER = re.compile(r"^book/((\d\d)_\w+)$")
HEADING = re.compile(r'<section id="exercises">\s*<h2>.*?</h2>', re.DOTALL)
FOLDER = "exercises"
LINK = """
<p>Work on them in
<a href="../{folder}/{name}.ipynb" download>the exercise sheet of this chapter</a>:
a notebook with hints and a check for each exercise.
The check names your mistake.</p>
"""


def number_within_chapter(app, env):
    """Number the exercises of chapter 2 as 2.1, 2.2 and so on."""
    for page, numbers in env.toc_fignumbers.items():
        if chapter := CHAPTER.match(page):
            places = numbers.get("exercise", {})
            for position, name in enumerate(places, start=1):
                places[name] = (int(chapter[2]), position)
    return []


def show_checks(app, doctree):
    """Show in each exercise how its answer is checked, and the names to be given."""
    known = set(labels())  # of these notebooks; a page may hold exercises of its own
    for exercise in doctree.findall(exercise_enumerable_node):
        label = exercise["label"].removeprefix("ex-")
        if label not in known:
            continue
        _, definition = find(label)
        code = check_cell(definition)
        body = next(x for x in exercise.children if isinstance(x, nodes.section))
        hints = [i for i, x in enumerate(body) if x.get("type") == "dropdown"]
        body.insert(hints[0], nodes.literal_block(code, code, language="python"))


def link_to_sheet(app, pagename, templatename, context, doctree):
    """Say below the heading of the exercises where their sheet is."""
    if chapter := CHAPTER.match(pagename):
        link = LINK.format(folder=FOLDER, name=chapter[1])
        context["body"] = HEADING.sub(
            lambda found: found[0] + link, context.get("body") or "", count=1
        )


def write(app, exception):
    """Write the sheets into the built site."""
    if exception is None and app.builder.name == "html":
        folder = Path(app.outdir) / FOLDER
        for old in folder.glob("*.ipynb"):
            old.unlink()
        write_sheets(folder)


def setup(app):
    """Register with Sphinx."""
    app.connect("doctree-read", show_checks)
    app.connect("env-get-updated", number_within_chapter, priority=900)
    app.connect("html-page-context", link_to_sheet)
    app.connect("build-finished", write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
