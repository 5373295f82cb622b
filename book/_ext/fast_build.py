"""Local Sphinx extension: the book is built in half of the time.

Python looks for cycles of garbage each time that it has made 700 objects. A book is
made of millions that all stay, so the search finds little and takes a third of a build.
At the end Python looks once more, and then frees them one by one.

The pages are written by as many processes as there are cores. They are read by one,
because the formulas that it renders are then known to all.
"""

import atexit
import gc
import os

OBJECTS = 200_000  # made before the next search


def write_in_parallel(app, env):
    """Let Sphinx write with all cores; it has read by now."""
    app.parallel = 1 + (os.cpu_count() or 1)  # Sphinx takes one for itself


def setup(app):
    """Register with Sphinx."""
    gc.set_threshold(OBJECTS, 20, 20)
    atexit.register(gc.freeze)
    app.connect("env-check-consistency", write_in_parallel)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
