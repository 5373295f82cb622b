"""A pytest plugin that completes nbval, which leaves pictures out: it compares them.

python -m pytest --nbval -p tools.nbval_pictures book/11_ddpg.ipynb
"""

import pytest
from nbval.plugin import IPyNbCell

from tools.outputs import is_rounding, picture_difference


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """After nbval's comparison of texts, compare the pictures."""
    result = yield
    if isinstance(item, IPyNbCell) and item.options["check"]:
        rounding = is_rounding(item.cell)
        for old, new in zip(
            _pictures(item.cell.outputs), _pictures(item.test_outputs), strict=False
        ):
            if found := picture_difference(old, new, rounding):
                item.raise_cell_error(
                    f"{item.cell.id}: {found}; if it is right, run `make execute`"
                )
    return result


def _pictures(outputs) -> list[str]:
    return [o.data["image/png"] for o in outputs if "image/png" in o.get("data", {})]
