"""``make pdf``: the built web pages as one document, printed by Chromium.

The pages are put one behind the other, so that every link between them stays a link. LaTeX is not
used: it would set the formulas, boxes and tables a second time, in another way than the pages do.
"""

import functools
import re
import shutil
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit

import yaml
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import ViewportSize, sync_playwright
from pypdf import PdfReader, PdfWriter

# They live in the browser alone, or are looked up there.
LEFT_OUT = re.compile(r"book/(predictions|playground|api(/.*)?)|genindex")
NOT_PRINTED = "script, .headerlink, button, .explorable, .cell details.hide, #playground, form"
WITH_ID = ("id", "for", "aria-labelledby", "aria-describedby")
COVER = """<header id="cover"><h1>{title}</h1>
<p>From the chain rule to a full DDPG agent</p>
<p>Made from the web pages of the book, version {version}. The pages answer when touched, and
their notebooks run; this document does neither.</p>
<nav><h2>Contents</h2>{contents}</nav></header>"""

PAPER = ViewportSize(width=672, height=960)  # A4 without its margins, see print.css
TOO_WIDE = """() =>
  [...document.querySelectorAll("pre, table, img, .katex-html, p, li, figcaption")]
    .filter((x) => x.getBoundingClientRect().right > innerWidth + 2)
    .map((x) => x.closest("body > *").id + ": " + x.tagName + " " + x.textContent.slice(0, 60))
"""


def contents_of(root: Path) -> list[tuple[str, list[str]]]:
    """The parts of the book and their pages, in reading order."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    parts = [("", [toc["root"]])]
    for part in toc["parts"]:
        pages = []
        for chapter in part["chapters"]:
            pages += [
                chapter["file"],
                *(section["file"] for section in chapter.get("sections", [])),
            ]
        parts.append((part["caption"], [page for page in pages if not LEFT_OUT.fullmatch(page)]))
    return parts


def name_of(page: str, fragment: str = "") -> str:
    """The id of a place in the document: no two pages share one."""
    return f"{page.replace('/', '-')}--{fragment}" if fragment else page.replace("/", "-")


def article(html: Path, page: str, pages: set[str]) -> Tag:
    """The text of a page, with ids and links that hold in the document."""
    tree = BeautifulSoup((html / f"{page}.html").read_bytes(), "html.parser")
    body = tree.select_one("article.bd-article")
    assert body is not None, f"{page} has no article"
    for part in body.select(NOT_PRINTED):
        part.decompose()
    for fold in body.select("details"):
        fold["open"] = ""
    for part in body.select(", ".join(f"[{name}]" for name in WITH_ID)):
        for name in WITH_ID:
            if part.get(name):
                part[name] = " ".join(name_of(page, x) for x in str(part[name]).split())
    here = f"/{page}.html"
    for link in body.select("a[href]"):
        if place := target(str(link["href"]), here, pages):
            link["href"] = place
        else:
            link.unwrap()
    for picture in body.select("img[src]"):
        picture["src"] = urljoin(here, str(picture["src"]))
        picture["loading"] = "eager"
    section = tree.new_tag("section", id=name_of(page))
    section["class"] = "bd-article"
    section.extend(list(body.children))
    return section


def target(href: str, here: str, pages: set[str]) -> str:
    """Where a link of a page leads in the document; empty if it leads to what is left out."""
    if urlsplit(href).scheme:
        return href
    path, fragment = urldefrag(urljoin(here, href))
    page = path.strip("/").removesuffix(".html")
    return f"#{name_of(page, fragment)}" if page in pages else ""


def title_of(section: Tag) -> str:
    """The title of a page."""
    heading = section.find("h1")
    assert heading is not None
    return heading.get_text().strip()


def document(html: Path, title: str, version: str, parts: list, articles: dict[str, Tag]) -> str:
    """All pages as one HTML document, with the styles of the front page."""
    first = BeautifulSoup((html / "book/intro.html").read_bytes(), "html.parser")
    styles = "".join(
        f'<link rel="stylesheet" href="{urljoin("/book/intro.html", str(x["href"]))}">'
        for x in first.select("link[rel=stylesheet]")
    )
    contents = ""
    for caption, pages in parts:
        items = (f'<li><a href="#{name_of(x)}">{title_of(articles[x])}</a></li>' for x in pages)
        contents += f"<h3>{caption}</h3>" * bool(caption) + f"<ul>{''.join(items)}</ul>"
    cover = COVER.format(title=title, version=version, contents=contents)
    return (
        f'<!doctype html><html lang="en" data-theme="light" data-mode="light"><head>'
        f'<meta charset="utf-8"><title>{title}</title>{styles}</head>'
        f'<body class="one-document">{cover}{"".join(map(str, articles.values()))}</body></html>'
    )


def print_pdf(html: Path, text: str, path: Path, chromium: str) -> list[str]:
    """Print a document that lies beside the built pages.

    Returns:
        What does not fit the paper's width, as the section and the beginning of the text.
    """
    address = html / "one-document.html"
    address.write_text(text, encoding="utf-8")
    handler = functools.partial(_Quiet, directory=str(html))
    try:
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_playwright() as play:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport=PAPER)
            page.set_default_timeout(0)
            page.emulate_media(media="print")
            page.goto(f"http://127.0.0.1:{server.server_port}/{address.name}")
            page.evaluate("document.fonts.ready")
            wide = page.evaluate(TOO_WIDE)
            page.pdf(path=path, prefer_css_page_size=True, tagged=True)
            browser.close()
            server.shutdown()
    finally:
        address.unlink()
    return wide


def add_outline(path: Path, parts: list[tuple[str, list[str]]], titles: dict[str, str]) -> None:
    """Give the file an outline: the parts of the book, and their pages."""
    places = PdfReader(path).named_destinations
    writer = PdfWriter(clone_from=path)
    for caption, pages in parts:
        parent = None
        for page in pages:
            number = writer.get_destination_page_number(places[f"/{name_of(page)}"])
            if caption and parent is None:
                parent = writer.add_outline_item(title=caption, page_number=number)
            writer.add_outline_item(title=titles[page], page_number=number, parent=parent)
    writer.compress_identical_objects()
    writer.write(path)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def make(html: Path, root: Path, version: str, path: Path, chromium: str) -> list[str]:
    """Print the built book; what does not fit the paper's width is returned."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    parts = contents_of(root)
    names = [page for _, pages in parts for page in pages]
    articles = {page: article(html, page, set(names)) for page in names}
    text = document(html, config["title"], version, parts, articles)
    wide = print_pdf(html, text, path, chromium)
    add_outline(path, parts, {page: title_of(x) for page, x in articles.items()})
    return wide


def main(root: Path) -> None:
    """Print the built book into ``_build/pdf``."""
    from dpgcourse import __version__

    html, chromium = root / "_build/html", shutil.which("chromium") or shutil.which("google-chrome")
    if not (html / "index.html").exists():
        sys.exit("error: the book is not built; run `make book` first")
    if chromium is None:
        sys.exit("error: no chromium on the path; it prints the pages")
    path = root / "_build/pdf/deterministic-policy-gradients.pdf"
    path.parent.mkdir(parents=True, exist_ok=True)
    wide = make(html, root, __version__, path, chromium)
    print(f"The book is in {path}")
    if wide:
        sys.exit("error: cut at the right:\n" + "\n".join(wide))


if __name__ == "__main__":
    main(Path.cwd())
