"""Local Sphinx extension: formulas with fewer elements that look as KaTeX set them.

KaTeX writes an element for each space, each strut and each bracket. Half of a page was
that. Here spaces become margins, and struts become pseudo-elements, which
``_static/lean_formulas.css`` draws. A lone index or power becomes one raised element.
Whatever has no look of its own leaves its content behind. The MathML beside it is read
out and never drawn. What says only how it looks is left out, and so is its LaTeX.
"""

import re
from functools import cache

import sphinxcontrib.katex as katex
from docutils import nodes
from elements import Element, parse
from sphinx.util import logging

# Classes for which KaTeX has no style of their own.
PLAIN = {
    *("mord", "mop", "mbin", "mrel", "mopen", "mclose", "mpunct", "minner"),
    *("mtight", "text"),
}
SIZE = re.compile(r"(reset-|)size(\d+)")
SIZES = (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.44, 1.728, 2.074, 2.488)
NULL_DELIMITER = 0.12  # em, its width in KaTeX's style
SCRIPT = 0.7  # font size of an index in lean_formulas.css
# Attributes of MathML that say only how a formula is drawn.
DRAWN = {
    *("stretchy", "fence", "separator", "lspace", "rspace", "minsize", "maxsize"),
    *("columnalign", "columnspacing", "rowspacing", "scriptlevel", "displaystyle"),
}


def em(number):
    """A length, as KaTeX writes it."""
    text = f"{number:.4f}".rstrip("0").rstrip(".").replace("0.", ".", 1)
    return f"{text}em" if text not in ("-", "") else "0"


def short(length_in_em):
    """A length of KaTeX without the zero before its point."""
    return re.sub(r"^(-?)0\.", r"\1.", length_in_em)


def length(text):
    """The number of a length in em."""
    return float(text.removesuffix("em") or 0)


def font_size(element):
    """The size of its font, relative to its parent's."""
    if element.has("script"):
        return SCRIPT
    found = {
        m[1]: SIZES[int(m[2]) - 1] for m in map(SIZE.fullmatch, element.classes) if m
    }
    return found[""] / found["reset-"] if len(found) == 2 else 1


def add_margin(element, side, space):
    """Widen a margin by a space in em of the parent's font."""
    old = length(element.style.get(f"margin-{side}", "0em"))
    element.style[f"margin-{side}"] = em(old + space / font_size(element))


def is_plain(node):
    """Whether an element has no look of its own."""
    return (
        isinstance(node, Element)
        and node.tag == "span"
        and not node.style
        and not node.others
        and PLAIN.issuperset(node.classes)
    )


def space_of(node):
    """The width in em of an element that is nothing but a space, else None."""
    if not isinstance(node, Element) or node.children or node.tag != "span":
        return None
    if node.classes == ["mspace"] and list(node.style) == ["margin-right"]:
        return length(node.style["margin-right"])
    if "nulldelimiter" in node.classes and not node.style and font_size(node) == 1:
        return NULL_DELIMITER
    return None


# What is made lighter, one kind at a time


def strut_to_style(element):
    """A strut at the start becomes heights, which a pseudo-element has."""
    first = element.children[0] if element.children else None
    if isinstance(first, Element) and first.classes in (["strut"], ["pstrut"]):
        element.children.pop(0)
        element.style["--h"] = short(first.style["height"])
        if "vertical-align" in first.style:
            element.style["--d"] = short(first.style["vertical-align"])


def lone_script(element):
    """An index or power alone, built from eleven elements, as one that is raised."""
    table = element.only_child() if element.classes == ["msupsub"] else None
    row = table.children[0] if table else None
    cell = row.children[0].only_child() if row else None
    script = cell.only_child() if cell else None
    if script is None or not script.has("sizing") or holds(script, "vlist-t"):
        return element
    size = font_size(script)
    lowered = length(cell.style["top"]) + length(cell.style["--h"])
    script.style["vertical-align"] = em(-lowered / size)
    for side in ("left", "right"):
        margin = length(cell.style.get(f"margin-{side}", "0em"))
        if margin:
            add_margin(script, side, margin)
    kept = [c for c in script.classes if c != "sizing" and not SIZE.fullmatch(c)]
    if size != SCRIPT:
        script.style["font-size"] = em(size)
    script.classes = ["script", *kept]
    return script


def one_letter(element):
    """A letter alone needs one element for its place, its size and its font."""
    inner = element.only_child()
    if not inner or inner.tag != "span" or inner.style:
        return
    texts_only = all(isinstance(child, str) for child in inner.children)
    if texts_only and (element.has("sizing") or element.has("base")):
        element.classes += inner.classes
        element.children = inner.children


def without_idle_classes(element):
    """The classes that no style is made for."""
    element.classes = [name for name in element.classes if name not in PLAIN]
    for child in element.children:
        if isinstance(child, Element):
            without_idle_classes(child)


def holds(element, name):
    """Whether something with a class stands in an element."""
    return any(
        child.has(name) or holds(child, name)
        for child in element.children
        if isinstance(child, Element)
    )


def without_plain_wrappers(children):
    """What has no look of its own leaves its children behind."""
    kept = []
    for child in children:
        wraps = is_plain(child) and all(isinstance(x, Element) for x in child.children)
        kept += child.children if wraps else [child]
    return kept


def without_spaces(children):
    """Spaces become margins of a neighbor, one that stays anyway if there is one."""
    kept = list(children)
    for node in children:
        space = space_of(node)
        if space is None:
            continue
        place = next(i for i, other in enumerate(kept) if other is node)
        before = kept[place - 1] if place else None
        after = kept[place + 1] if place + 1 < len(kept) else None
        able = [
            (side, other)
            for side, other in (("right", before), ("left", after))
            if isinstance(other, Element) and takes_margins(other)
        ]
        if able:
            stay = [pair for pair in able if not is_plain(pair[1])]
            side, other = (stay or able)[0]
            add_margin(other, side, space)
            kept.pop(place)
    return kept


def takes_margins(element):
    """Whether a margin moves what follows, and nothing else."""
    return element.tag == "span" and not {"vlist-t2", "newline"} & set(element.classes)


def without_plain_leaves(children):
    """A text without a look of its own needs no element."""
    kept = []
    for child in children:
        leaf = is_plain(child) and all(isinstance(x, str) for x in child.children)
        kept += child.children if leaf else [child]
    return kept


def lighten(element, in_row=False):
    """Make an element of KaTeX's HTML lighter.

    The children of a row of a ``vlist`` stay elements: KaTeX's style makes them blocks.
    """
    strut_to_style(element)
    rows = element.has("vlist")
    for child in element.children:
        if isinstance(child, Element):
            lighten(child, in_row=rows)
    if element.tag == "svg" or rows:
        return
    children = element.children
    if not in_row:
        children = without_plain_wrappers(children)
    for child in children:
        if isinstance(child, Element):
            one_letter(child)
    children = [lone_script(x) if isinstance(x, Element) else x for x in children]
    children = without_spaces(children)
    element.children = children if in_row else without_plain_leaves(children)


def lighten_mathml(element):
    """Leave out what is only drawn; a row of one is no row."""
    kept = []
    for child in element.children:
        if isinstance(child, Element):
            if child.tag == "semantics":
                child = child.children[0]
            lighten_mathml(child)
            child.others = {k: v for k, v in child.others.items() if k not in DRAWN}
            if child.tag == "mstyle" and not child.others:
                child.tag = "mrow"
            only = child.only_child()
            child = only if child.tag == "mrow" and only and not child.others else child
        kept.append(child)
    element.children = kept
    only = element.only_child()
    if element.tag == "math" and only and only.tag == "mrow" and not only.others:
        element.children = only.children


def lean(html):
    """A formula as KaTeX wrote it, made lighter."""
    root = parse(html)
    _visit(root)
    return "".join(map(str, root.children))


def _visit(element):
    for child in element.children:
        if isinstance(child, Element):
            if child.has("katex-html"):
                lighten(child)
                without_idle_classes(child)
            elif child.has("katex-mathml"):
                lighten_mathml(child)
            else:
                _visit(child)


logger = logging.getLogger(__name__)
_rendered = katex.render_latex


def render_all(app, doctree):
    """Render the formulas of a page when it is read, so that all writers know them.

    The processes that write pages cannot share the one server of KaTeX.
    """
    for kind, options in ((nodes.math, {}), (nodes.math_block, {"displayMode": True})):
        for formula in list(doctree.findall(kind)):
            try:
                katex.render_latex(formula.astext(), options)
            except katex.KaTeXError as error:  # a warning names the place
                logger.warning(str(error), location=formula)
                formula.replace_self(nodes.literal(text=formula.astext()))


def setup(app):
    """Register with Sphinx."""
    render = cache(lambda latex, **options: lean(_rendered(latex, options)))
    katex.render_latex = lambda latex, options=None: render(latex, **(options or {}))
    app.add_css_file("lean_formulas.css")
    app.connect("doctree-read", render_all)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
