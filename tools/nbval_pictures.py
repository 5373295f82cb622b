"""A pytest plugin that completes nbval, which leaves pictures out: it compares them.

python -m pytest --nbval -p tools.nbval_pictures book/11_ddpg.ipynb
"""

import pytest
from nbval.plugin import IPyNbCell

from tools.outputs import REMEDY, is_rounding, picture_difference

NOTE = "note: "  # begins the lines about pictures that differ as rounding may make them differ
_notes: list[str] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """After nbval's comparison of texts, compare the pictures."""
    result = yield
    if isinstance(item, IPyNbCell) and item.options["check"]:
        rounding = is_rounding(item.cell)
        pairs = zip(_pictures(item.cell.outputs), _pictures(item.test_outputs), strict=False)
        for old, new in pairs:
            found = picture_difference(old, new)
            if found and picture_difference(old, new, rounding):
                item.raise_cell_error(
                    f"{item.cell.id}: {found}; if it is right, run `make execute`"
                )
            if found:
                _notes.append(f"{NOTE}cell {item.cell.id}: {found}, {REMEDY}")
    return result


def pytest_terminal_summary(terminalreporter):
    """List the pictures that differ no more than on another machine."""
    for note in _notes:
        terminalreporter.write_line(note)


def _pictures(outputs) -> list[str]:
    return [o.data["image/png"] for o in outputs if "image/png" in o.get("data", {})]
