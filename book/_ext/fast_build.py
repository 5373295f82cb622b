"""Local Sphinx extension: the book is built in half of the time.

Python looks for cycles of garbage each time that it has made 700 objects. A book is
made of millions that all stay, so the search finds little and takes a third of a build.
At its exit Python would look at them all once more; frozen, they are left out.

The pages are written by as many processes as there are cores. They are read by one,
because the formulas that it renders are then known to all.
"""

import atexit
import gc
import os

OBJECTS = 200_000  # made before the next search


def note_what_is_read(app, env, docnames):
    """Note whether this build reads all pages; an earlier one may have read some."""
    app.reads_all = set(docnames) == env.found_docs


def write_in_parallel(app, env):
    """Let Sphinx write with all cores, unless a formula may still have to be rendered.

    Sphinx has read by now. Two processes cannot talk to the one server of KaTeX.
    """
    if app.reads_all:
        app.parallel = 1 + (os.cpu_count() or 1)  # Sphinx takes one for itself


def setup(app):
    """Register with Sphinx."""
    gc.set_threshold(OBJECTS, 20, 20)
    atexit.register(gc.freeze)
    app.connect("env-before-read-docs", note_what_is_read)
    app.connect("env-check-consistency", write_in_parallel)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
