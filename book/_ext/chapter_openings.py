"""Local Sphinx extension: how the page of a chapter begins.

A chapter's notebook opens with paragraphs that are led by "The question.", "What you
need.", "What you will be able to do.", "Reading time." and "Code home.". Here they get
their places on the page: below the title one line with the part, the minutes and the
chapters to know, then the chapter's emblem, the question, and what you need beside what
you will learn.
"""

import re

from docutils import nodes
from emblems import DRAWINGS, emblem
from sphinx import addnodes

CHAPTER = re.compile(r"book/(\d\d)_\w+")
QUESTION, NEED, GOAL = "The question.", "What you need.", "What you will be able to do."
TIME, CODE = "Reading time.", "Code home."
LEADS = (QUESTION, NEED, GOAL, TIME, CODE)
NUMBER = re.compile(r"(?:^|/)(\d\d)_\w+\.html")


def lead_of(node):
    """The lead of a paragraph, such as "The question."; None if it has none."""
    if isinstance(node, nodes.paragraph):
        first = next((child for child in node.children if child.astext()), None)
        if isinstance(first, nodes.strong) and first.astext() in LEADS:
            return first.astext()
    return None


def one_lead_each(paragraph):
    """The parts of a paragraph that has several leads: a paragraph for each."""
    parts = [nodes.paragraph()]
    for child in (child for child in paragraph.children if child.astext()):
        is_lead = isinstance(child, nodes.strong) and child.astext() in LEADS
        if is_lead and parts[-1].children:
            parts.append(nodes.paragraph())
        parts[-1] += child
    return parts


def by_lead(section):
    """Take what belongs to each lead out of a section: the lead, and its nodes."""
    found, last = {}, None
    for node in list(section.children[1:]):
        if isinstance(node, nodes.section) or not isinstance(
            node, (nodes.paragraph, nodes.bullet_list)
        ):
            break
        if lead_of(node):
            section.remove(node)
            for part in one_lead_each(node):
                last = lead_of(part)
                found[last] = [part]
        elif last == QUESTION:
            last = None  # what comes after the question stays where it is
        elif last:
            section.remove(node)
            found[last].append(node)
    return found


def chapters_in(parts):
    """The links to chapters in some nodes, such as "1–4, 6"."""
    words = []
    for link in (link for part in parts for link in part.findall(nodes.reference)):
        number = NUMBER.search(link.get("refuri", ""))
        if number is None or "#" in link["refuri"]:
            continue
        before = link.parent.children[link.parent.index(link) - 1].astext()
        if words:
            words.append(nodes.Text("–" if before == " to " else ", "))
        name = str(int(number[1]))
        words.append(nodes.reference("", name, internal=True, refuri=link["refuri"]))
    return words


def summary_line(part, found):
    """The line below the title: the part, the minutes, the chapters to know."""
    paragraph = nodes.paragraph(classes=["opening-line"])
    pieces = [[nodes.Text(part)]] if part else []
    if TIME in found:
        said = found[TIME][0].astext().removeprefix(TIME).strip().rstrip(".")
        pieces.append([nodes.Text(said[:1].lower() + said[1:])])
    if links := chapters_in(found.get(NEED, [])[:1]):
        word = "after chapter " if len(links) == 1 else "after chapters "
        pieces.append([nodes.Text(word), *links])
    for piece in pieces:
        paragraph += nodes.inline("", "", *piece, classes=["opening-fact"])
    return paragraph


def box(name, parts):
    """Some nodes in a box of the opening."""
    return nodes.container("", *parts, classes=[name])


def part_of(app, page):
    """The caption of the part that a page belongs to; empty if none."""
    front = app.env.get_doctree(app.config.root_doc)
    for toctree in front.findall(addnodes.toctree):
        if page in toctree["includefiles"]:
            return toctree.get("caption") or ""
    return ""


def arrange(app, doctree, page):
    """Arrange the opening of a chapter, and draw its emblem and that of the book."""
    chapter = CHAPTER.fullmatch(page)
    name = chapter[1] if chapter else "intro" if page == app.config.root_doc else None
    sections = doctree.children[0] if doctree.children else None
    if app.builder.name != "html" or name not in DRAWINGS or sections is None:
        return
    found = by_lead(sections) if chapter else {}
    opening = [nodes.raw("", emblem(name), format="html")]
    if chapter:
        opening.insert(0, summary_line(part_of(app, page), found))
    for question in found.get(QUESTION, []):
        question["classes"].append("opening-question")
        opening.append(question)
    sections[1:1] = opening
    asides = [
        box(name, found[lead])
        for lead, name in ((NEED, "opening-need"), (GOAL, "opening-goal"))
        if lead in found
    ]
    if asides:
        place = sections.index(opening[-1]) + 1
        while lead_of(sections[place]) is None and isinstance(
            sections[place], nodes.paragraph
        ):
            place += 1
        both = box("opening-aims", asides)
        both += found.get(CODE, [])
        sections.insert(place, both)


def setup(app):
    """Register with Sphinx."""
    app.add_css_file("openings.css")
    app.connect("doctree-resolved", arrange)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
