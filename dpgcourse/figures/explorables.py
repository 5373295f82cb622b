"""Pictures that a reader can move, as HTML that needs no kernel.

The same output works in the built book, in live Jupyter and under the notebook tests: plain
JavaScript, one fixed element id for each explorable, nothing loaded from anywhere.
"""

import html
import json
import re
from importlib.resources import files

from IPython.display import HTML

FOLDER = files("dpgcourse.figures") / "explorables_js"

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+)\.js";\n', re.MULTILINE)
_MOUNT = re.compile(r"^export (async )?function mount\(", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)


def show(name: str, **params) -> HTML:
    """Display an explorable.

    Args:
        name: of a file in ``explorables_js``; one page shows each explorable at most once.
        params: handed to its ``mount`` function, as JSON.

    Raises:
        ValueError: there is no explorable of that name.
    """
    if name not in names():
        raise ValueError(f"name is {name!r}; allowed: {names()}")
    element, values = f"explorable-{name}", json.dumps(params, sort_keys=True)
    return HTML(
        f'<div class="explorable" id="{element}" data-explorable="{name}" '
        f'data-params="{html.escape(values)}"></div>\n'
        f'<script type="module">\n{bundle(name)}\n'
        f'for (const root of [document.getElementById("{element}")]) {{\n'
        "  mount(root, JSON.parse(root.dataset.params));\n}\n</script>"
    )


def names() -> list[str]:
    """The explorables that there are."""
    scripts = (x for x in FOLDER.iterdir() if x.name.endswith(".js"))
    return sorted(
        x.name.removesuffix(".js") for x in scripts if _MOUNT.search(x.read_text("utf-8"))
    )


def bundle(name: str) -> str:
    """The script of an explorable and all that it imports, as one module without imports."""
    found: dict[str, str] = {}

    def add(module: str) -> None:
        if module not in found:
            text = (FOLDER / f"{module}.js").read_text(encoding="utf-8")
            for imported in _IMPORT.findall(text):
                add(imported)
            found[module] = _EXPORT.sub("", _IMPORT.sub("", text)).strip()

    add(name)
    return "\n\n".join(found.values())
