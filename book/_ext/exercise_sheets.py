"""Numbers exercises within their chapter, and puts the sheets of exercises beside the pages.

``dpgcourse exercises`` writes the same sheets.
"""

import re
from pathlib import Path

from dpgcourse.exercises.sheets import write_sheets

CHAPTER = re.compile(r"^book/(\d\d)_")
FOLDER = "exercises"


def number_within_chapter(app, env):
    """Number the exercises of chapter 2 as 2.1, 2.2 and so on."""
    for page, numbers in env.toc_fignumbers.items():
        if chapter := CHAPTER.match(page):
            places = numbers.get("exercise", {})
            for position, name in enumerate(places, start=1):
                places[name] = (int(chapter[1]), position)
    return []


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
    app.connect("build-finished", write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
