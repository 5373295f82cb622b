"""Pictures that a reader can move, as HTML that needs no kernel.

The same output works in the built book, in live Jupyter and under the notebook tests: plain
JavaScript, one fixed element id for each explorable, nothing loaded from anywhere.
"""

import json
from importlib.resources import files

from IPython.display import HTML


def show(name: str, **params) -> HTML:
    """Display an explorable.

    Args:
        name: of a file in ``explorables_js``; one page shows each explorable at most once.
        params: handed to its ``mount`` function.

    Raises:
        ValueError: there is no explorable of that name.
    """
    folder = files("dpgcourse.figures") / "explorables_js"
    names = sorted(entry.name.removesuffix(".js") for entry in folder.iterdir())
    if name not in names:
        raise ValueError(f"name is {name!r}; allowed: {names}")
    script = (folder / f"{name}.js").read_text(encoding="utf-8")
    element = f"explorable-{name}"
    return HTML(
        f'<div class="explorable" id="{element}"></div>\n<script type="module">\n{script}'
        f'mount(document.getElementById("{element}"), {json.dumps(params, sort_keys=True)});\n'
        "</script>"
    )
