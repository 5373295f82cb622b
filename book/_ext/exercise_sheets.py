"""Numbers exercises within their chapter, and puts their sheets beside the pages.

``dpgcourse exercises`` writes the same sheets.
"""

import re
from pathlib import Path

from dpgcourse.exercises.sheets import write_sheets

CHAPTER = re.compile(r"^book/((\d\d)_\w+)$")
HEADING = re.compile(r'<section id="exercises">\s*<h2>.*?</h2>', re.DOTALL)
FOLDER = "exercises"
LINK = """
<p>Work on them in
<a href="../{folder}/{name}.ipynb" download>the exercise sheet of this chapter</a>:
a notebook with an empty cell and a check for each exercise.
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
    app.connect("env-get-updated", number_within_chapter, priority=900)
    app.connect("html-page-context", link_to_sheet)
    app.connect("build-finished", write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
