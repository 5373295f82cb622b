"""The rules for the weight of the built site: limits that whatever is heavy breaks."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.site.rules import parse

MIB = 2**20
SITE = 19 * MIB  # 17.5 when this was written
NODES = 15_000  # of a chapter; chapter 6 has its own limit
NODES_OF = {"book/06_theorem": 12_000, "book/appendix_06": 25_000}
FILES = 6  # style sheets, scripts and the icon; fonts and pictures come on top
KILOBYTES = 250  # of a page with its style sheets and scripts, compressed
IDLE_TOKEN = re.compile(r'<span class="(?:n|p|w)">[^<]*</span>')


def site_is_light(html: Path) -> Iterator[str]:
    """The files together are small, and none is there that only developers read."""
    sizes = {file: file.stat().st_size for file in html.rglob("*") if file.is_file()}
    if sum(sizes.values()) > SITE:
        yield f"the site has {sum(sizes.values()) / MIB:.1f} MiB, allowed: {SITE / MIB:.0f}"
    for file in sizes:
        if file.suffix in (".map", ".po", ".mo", ".ttf"):
            yield f"{file.relative_to(html)} is loaded by no page"


def page_is_light(html: Path, page: str) -> Iterator[str]:
    """A page has few elements, loads few files, and loads its pictures when they are seen."""
    path = html / f"{page}.html"
    tree = parse(path)
    nodes, allowed = len(tree.find_all(True)), NODES_OF.get(page, NODES)
    if nodes > allowed:
        yield f"{page} has {nodes} elements, allowed: {allowed}"
    links = tree.select("link[rel=stylesheet], link[rel=icon]")
    urls = [*(link["href"] for link in links), *(s["src"] for s in tree.select("script[src]"))]
    if len(urls) > FILES:
        yield f"{page} loads {len(urls)} files, allowed: {FILES}"
    files = [path, *((path.parent / unquote(urlsplit(url).path)) for url in urls)]
    weight = sum(len(gzip.compress(file.read_bytes(), 6)) for file in files) / 1000
    if weight > KILOBYTES:
        yield f"{page} has {weight:.0f} kB with its files, allowed: {KILOBYTES}"
    for script in tree.select("script[src]"):
        if not (script.has_attr("defer") or script.get("type") == "module"):
            yield f"{page} waits for {script['src']}"
    for image in tree.select("article img"):
        missing = [name for name in ("width", "height", "loading") if not image.has_attr(name)]
        if missing and image["src"].endswith(".png"):
            yield f"{page}: {image['src']} has no {', no '.join(missing)}"
    for code in tree.select("article pre"):
        if IDLE_TOKEN.search(str(code)):
            yield f"{page} has elements for tokens without a color: {code.get_text()[:40]!r}"
            break
