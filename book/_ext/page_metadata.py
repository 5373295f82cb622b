"""Local Sphinx extension: what a page says about itself to search engines and readers.

Every page gets a description, the tags that a link to it is shown with, and a footer
with the licenses and the citation. The environment variable ``BOOK_URL`` is the address
where the book is published. Where it is set, pages also name their own address, and
``sitemap.xml`` lists them. Beside the pages there is ``404.html`` for a lost address,
and ``index.html``, which leads to the front page.
"""

import html
import os
import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import yaml
from docutils import nodes
from sphinx.errors import ConfigError

SETTING = "BOOK_URL"
LONGEST, SHORTEST = 160, 40  # characters of a description
FORMULA = "\ufffc"  # stands for a formula in the text of a paragraph
PLAIN_FORMULA = re.compile(r"[\w ()+,.='-]*")  # it is read as it is written
LINK_WORD = re.compile(r"(?:And|But|So) (\w)")  # to a sentence that is left out
SENTENCE_END = re.compile(r"(?<=[.?!])\s+")
PICTURE = re.compile(r'<img [^>]*src="(?:\.\./)*(_images/[^"]+\.(?:png|jpg))"')
RELATIVE = re.compile(
    r'(?<=\s)((?:href|src|action|data-content_root)=")(?:\./)?(?![\w+.-]+:|[/#])'
)
MISSING = "404"
INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="color-scheme" content="light dark" />
<meta http-equiv="refresh" content="0; url={front}" />
{tags}
<title>{title}</title>
</head>
<body>
<main>
<h1>{title}</h1>
<p><a href="{front}">Open the front page of the book</a></p>
</main>
</body>
</html>
"""


# Descriptions


def sentences(paragraph):
    """The sentences of a paragraph. What cannot be written plainly is ``FORMULA``."""
    copy = paragraph.deepcopy()
    for lead in list(copy.findall(nodes.strong)):  # "The question."
        if copy.astext().lstrip().startswith(lead.astext()):
            lead.parent.remove(lead)
    for formula in list(
        copy.findall(lambda node: isinstance(node, (nodes.math, nodes.raw)))
    ):
        text = formula.astext()
        plain = text if PLAIN_FORMULA.fullmatch(text) else FORMULA
        formula.parent.replace(formula, nodes.Text(plain))
    return SENTENCE_END.split(" ".join(copy.astext().split()))


def beginning(paragraph):
    """Its first sentences without a formula, as many as a description holds."""
    text = ""
    for sentence in sentences(paragraph):
        if FORMULA in sentence or sentence.endswith(":"):
            if text:
                break
        elif not text or len(text) + 1 + len(sentence) <= LONGEST:
            text = f"{text} {sentence}".strip()
        else:
            break
    if link := LINK_WORD.match(text):
        text = link[1].upper() + text[link.end() :]
    if len(text) > LONGEST:
        text = text[: LONGEST - 1].rsplit(" ", 1)[0].rstrip(",;:") + "…"
    return text


def description(doctree, title, book):
    """What a page is about, from the first paragraph that says it without a formula."""
    for paragraph in doctree.findall(nodes.paragraph) if doctree else ():
        if isinstance(paragraph.parent, nodes.section):
            text = beginning(paragraph)
            if len(text) >= SHORTEST:
                return text
    return f"{title}: a page of the course “{book}”."


def about_the_book(app):
    """What the book is about: its abstract, or else what its front page is about."""
    citation = app.config.html_context.get("citation", {})
    front = app.env.get_doctree(app.config.root_doc)
    book = app.config.html_title
    return citation.get("abstract") or description(front, book, book)


# Tags


def tag(name, content):
    """A tag of a page's head."""
    kind = "property" if name.startswith("og:") else "name"
    return f'<meta {kind}="{name}" content="{html.escape(content)}" />'


def tags(page, title, about, book, base, picture):
    """The tags of a page. Without the address of the book, none has an address."""
    described = {
        "description": about,
        "og:title": title,
        "og:description": about,
        "og:type": "website" if page == "index" else "article",
        "og:site_name": book,
    }
    if base:
        described["og:url"] = urljoin(base, f"{page}.html")
        if picture:
            described["og:image"] = urljoin(base, picture)
    return "\n".join(tag(name, content) for name, content in described.items())


def describe(app, pagename, templatename, context, doctree):
    """Give a page its tags."""
    config = app.config
    known = app.env.titles.get(pagename)
    title = known.astext() if known else str(context.get("title") or pagename)
    about = description(doctree, title, config.html_title)
    if pagename == config.root_doc:
        about = about_the_book(app)
    picture = PICTURE.search(context.get("body") or "")
    found = tags(
        pagename,
        title,
        about,
        config.html_title,
        config.html_baseurl,
        picture and picture[1],
    )
    if pagename in (MISSING, "search"):
        found += '\n<meta name="robots" content="noindex" />'
        context["pageurl"] = None
    context["metatags"] = f"{context.get('metatags') or ''}\n{found}\n"


# Pages beside those of the book


def more_pages(app):
    """The page for a lost address."""
    yield MISSING, {"title": "This page does not exist"}, "404.html"


def finish(app, exception):
    """Write what stands beside the pages, and mend the page for a lost address."""
    if exception is not None or app.builder.name != "html":
        return
    folder, base = Path(app.outdir), app.config.html_baseurl
    # It is shown at any depth, so its links start at the root of the site.
    root = urlsplit(base).path if base else "/"
    missing = folder / f"{MISSING}.html"
    text = missing.read_text(encoding="utf-8")
    missing.write_text(RELATIVE.sub(rf"\g<1>{root}", text), encoding="utf-8")
    write_index(app, folder, base)
    sitemap = folder / "sitemap.xml"
    sitemap.unlink(missing_ok=True)
    if base:
        places = (
            f"<url><loc>{base}{page}.html</loc></url>"
            for page in sorted(app.env.found_docs)
        )
        sitemap.write_text(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
            + "\n".join(places)
            + "\n</urlset>\n",
            encoding="utf-8",
        )


def write_index(app, folder, base):
    """Write the page at the root of the site, which leads to the front page."""
    book = app.config.html_title
    front = app.builder.get_target_uri(app.config.root_doc)
    about = about_the_book(app)
    found = tags("index", book, about, book, base, None)
    if base:
        found += f'\n<link rel="canonical" href="{base}{front}" />'
    page = INDEX.format(front=front, tags=found, title=html.escape(book))
    (folder / "index.html").write_text(page, encoding="utf-8")


# Settings


def base_address(setting):
    """The address of the published book, with a slash at its end; empty if unknown."""
    address = urlsplit(setting.strip())
    if not setting.strip():
        return ""
    if address.scheme not in ("http", "https") or not address.netloc:
        raise ConfigError(
            f"{SETTING} is {setting!r}, which is no address of a site."
            " Write it in full, as in https://example.org/course/"
        )
    return address._replace(query="", fragment="").geturl().rstrip("/") + "/"


def configure(app, config):
    """Read the address of the book, and the citation for the footer."""
    config.html_baseurl = base_address(os.environ.get(SETTING, ""))
    config.templates_path.append(str(Path(__file__).parent / "templates"))
    citation = Path(app.srcdir, "CITATION.cff")
    if citation.exists():
        config.html_extra_path.append(citation.name)
        config.html_context["citation"] = yaml.safe_load(
            citation.read_text(encoding="utf-8")
        )


def setup(app):
    """Register with Sphinx."""
    app.connect("config-inited", configure)
    # After the theme and the other extensions have made their parts of the page.
    app.connect("html-page-context", describe, priority=600)
    app.connect("html-collect-pages", more_pages)
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
