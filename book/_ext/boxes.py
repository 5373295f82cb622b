"""Local Sphinx extension: one kind of fold, labeled by what it hides.

Folded code says which code it is: that of a figure, of an explorable, of a check. A
solution folds as everything else does, with the element that needs no script.
"""

import re

CELL = re.compile(r'(?=<div class="cell )')
CODE = re.compile(
    r'<details class="admonition hide above-input">\s*'
    r'<summary aria-label="Toggle hidden content">\s*'
    r'<p class="collapsed admonition-title">.*?</summary>',
    re.DOTALL,
)
FIGURE = re.compile(
    r'<div class="cell_output docutils container">\s*<figure.*?'
    r'class="caption-number">([^<]*?)\s*</span>',
    re.DOTALL,
)
SETUP = re.compile(r">(?:import|from)</span>")
CARD = re.compile(
    r'<details class="sd-sphinx-override[^"]*">\s*<summary[^>]*>\s*'
    r'<span class="sd-summary-text">(?P<title>.*?)</span>'
    r'<span class="sd-summary-state-marker.*?</summary>'
    r'<div class="sd-summary-content[^"]*">',
    re.DOTALL,
)
BOX = re.compile(
    r'<div class="(?P<classes>[^"]*\bdropdown admonition)"(?P<rest>[^>]*)>\s*'
    r'<p class="admonition-title">(?P<title>.*?)</p>',
    re.DOTALL,
)
LINK = re.compile(r"</?a\b[^>]*>")
DIV = re.compile(r"<(/?)div\b")


def label(cell):
    """What the folded code of a cell does, given the HTML of the cell."""
    code, _, output = cell.partition("</details>")
    if "tag_check" in cell.partition(">")[0]:
        return "code of this check"
    if figure := FIGURE.match(output.lstrip()):
        return f"code of {figure[1]}"
    if 'class="explorable"' in output:
        return "code of this explorable"
    return "code: imports" if len(SETUP.findall(code)) > 1 else "code"


def name_code(body):
    """Say in each fold of code which code it is."""
    cells = CELL.split(body)
    for place, cell in enumerate(cells):
        if CODE.search(cell):
            fold = f'<details class="fold hide">\n<summary>{label(cell)}</summary>'
            cells[place] = CODE.sub(lambda _, new=fold: new, cell, count=1)
    return "".join(cells)


def plain_cards(body):
    """Make cards that fold, and folds without a class, folds like the others."""
    fold = r'<details class="fold"><summary>\g<title></summary><div>'
    body = CARD.sub(fold, body).replace(' class="sd-card-text"', "")
    return body.replace("<details><summary>", '<details class="fold"><summary>')


def end_of(html, start):
    """Where the ``div`` that is opened at a place is closed."""
    depth = 0
    for tag in DIV.finditer(html, start):
        depth += -1 if tag[1] else 1
        if depth == 0:
            return tag.start()
    raise ValueError("a div is not closed")


def fold_boxes(body):
    """Make each box that is to be folded an element that folds."""
    while found := BOX.search(body):
        end = end_of(body, found.start())
        kind = found["classes"].replace("dropdown admonition", "fold").strip()
        title = LINK.sub("", found["title"]).strip()
        body = (
            f'{body[: found.start()]}<details class="{kind}"{found["rest"]}>'
            f"<summary>{title}</summary>{body[found.end() : end]}</details>"
            f"{body[end + len('</div>') :]}"
        )
    return body


def unify(app, pagename, templatename, context, doctree):
    """Mend the folds of a page."""
    if context.get("body"):
        context["body"] = fold_boxes(plain_cards(name_code(context["body"])))


def setup(app):
    """Register with Sphinx."""
    app.connect("html-page-context", unify, priority=600)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
