"""What pages say about themselves, in a small book that is published at an address."""

import base64
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "book/_ext"))

from page_metadata import SETTING, base_address, beginning  # noqa: E402

BASE = "https://example.org/course/"
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
FRONT = """# Hello

**The question.** Two slopes of two different functions are multiplied in every update. But why?

![a dot](dot.png)
"""


def paragraph(*parts) -> nodes.paragraph:
    return nodes.paragraph("", "", *(nodes.Text(x) if isinstance(x, str) else x for x in parts))


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (["Two slopes. One product."], "Two slopes. One product."),
        ([nodes.strong("", "The question."), " Where is it?"], "Where is it?"),
        (["The critic ", nodes.math("", "Q(s,a)"), " rates it."], "The critic Q(s,a) rates it."),
        (["Take ", nodes.math("", r"\nabla Q"), ". But it is flat."], "It is flat."),
        (["First. Then ", nodes.math("", r"\mu"), ". Last."], "First."),
        (["This is the rule:"], ""),
        (["word " * 60 + "."], ("word " * 31).strip() + "…"),
        (["a" * 90 + ". " + "b" * 90 + "."], "a" * 90 + "."),
    ],
)
def test_a_description_is_plain_and_short(parts, said):
    assert beginning(paragraph(*parts)) == said


@pytest.mark.parametrize(
    ("setting", "address"),
    [
        ("", ""),
        (" ", ""),
        ("https://example.org", "https://example.org/"),
        ("https://example.org/course?x#y", BASE),
    ],
)
def test_the_address_ends_with_a_slash(setting, address):
    assert base_address(setting) == address


@pytest.mark.parametrize("setting", ["example.org", "/course", "ftp://example.org", "https://"])
def test_what_is_no_address_is_an_error(setting):
    with pytest.raises(ConfigError, match="Write it in full"):
        base_address(setting)


@pytest.fixture(scope="module")
def html(tmp_path_factory) -> Path:
    """The built small book."""
    folder = tmp_path_factory.mktemp("published")
    for name in ("_ext", "_static"):
        shutil.copytree(ROOT / "book" / name, folder / "book" / name)
    for name in ("_config.yml", "CITATION.cff", "book/references.bib"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "_toc.yml").write_text("format: jb-book\nroot: book/intro\n")
    (folder / "book/intro.md").write_text(FRONT)
    (folder / "book/dot.png").write_bytes(base64.b64decode(DOT))
    program = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"
    built = subprocess.run(
        [sys.executable, "-c", program, "build", ".", "-W", "-n"],
        cwd=folder,
        env={**os.environ, SETTING: BASE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr[-2000:]
    return folder / "_build/html"


def page(html: Path, name: str) -> BeautifulSoup:
    return BeautifulSoup((html / name).read_bytes(), "html.parser")


def test_a_published_page_names_its_address_and_a_picture(html):
    front = page(html, "book/intro.html")
    said = {x.get("property"): x["content"] for x in front.select("meta[property]")}
    assert front.select_one("link[rel=canonical]")["href"] == f"{BASE}book/intro.html"
    assert said["og:url"] == f"{BASE}book/intro.html"
    assert said["og:title"] == "Hello"
    picture = html / said["og:image"].removeprefix(BASE)
    assert said["og:image"].startswith(BASE) and picture.is_file()


def test_the_list_of_addresses_has_every_page(html):
    places = ElementTree.parse(html / "sitemap.xml").iter(
        "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"
    )
    assert [place.text for place in places] == [f"{BASE}book/intro.html"]


def test_the_page_for_a_lost_address_begins_its_links_at_the_root_of_the_book(html):
    links = page(html, "404.html").select("[href], [src], [action]")
    urls = [tag.get("href") or tag.get("src") or tag.get("action") for tag in links]
    inside = [url for url in urls if not url.startswith(("https://", "#"))]
    assert len(inside) > 10 and all(url.startswith("/course/") for url in inside)
    assert page(html, "404.html").html["data-content_root"] == "/course/"


def test_the_root_leads_to_the_front_page_and_says_so(html):
    root = page(html, "index.html")
    assert root.html["lang"] == "en"
    assert root.select_one("link[rel=canonical]")["href"] == f"{BASE}book/intro.html"
    assert root.select_one("meta[http-equiv=refresh]")["content"] == "0; url=book/intro.html"
    assert root.select_one("main a")["href"] == "book/intro.html"


def test_the_footer_says_how_to_cite(html):
    footer = page(html, "book/intro.html").select_one(".colophon").get_text()
    assert "Cite as" in footer and "CC BY 4.0" in footer and "MIT" in footer
