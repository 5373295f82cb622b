"""Local Sphinx extension: what belongs together stays on one line.

A browser may break a line after a formula, so that the full stop that follows begins
the next line. Here both lie in an element without line breaks, but for those that the
formula itself allows.
"""

import re

FORMULA, SPAN = '<span class="math">', re.compile(r"<(/?)span\b")
CLOSING = tuple(".,;:!?)]’”")
PART = '<span class="base"'
PROOF = re.compile(r'(<div class="proof admonition"[^>]*>\s*<p>)Proof\.')


def end_of_formula(html, start):
    """Where an inline formula ends that begins at a place."""
    depth = 0
    for tag in SPAN.finditer(html, start):
        depth += -1 if tag[1] else 1
        if depth == 0:
            return tag.end() + 1
    raise ValueError("a formula is not closed")


def joined(body):
    """HTML in which no line begins with what ends the sentence of a formula."""
    parts, last = [], 0
    while (start := body.find(FORMULA, last)) >= 0:
        end = end_of_formula(body, start)
        parts.append(body[last:start])
        last = end
        if body.startswith(CLOSING, end):
            last += 1
            before, part, others = body[start:end].partition(PART)
            formula = f"{before}{part}{others.replace(PART, f'<wbr />{PART}')}"
            parts.append(f'<span class="joined">{formula}{body[end]}</span>')
        else:
            parts.append(body[start:end])
    return "".join([*parts, body[last:]])


def set_page(app, pagename, templatename, context, doctree):
    """Set the text of a page."""
    if context.get("body"):
        body = PROOF.sub(r"\1<strong>Proof.</strong>", context["body"])
        context["body"] = joined(body)


def setup(app):
    """Register with Sphinx."""
    # Before the cards are made, which show the same text.
    app.connect("html-page-context", set_page, priority=400)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
