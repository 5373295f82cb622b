"""The rules for built pages, each a function that yields what is wrong; none needs a browser."""

import base64
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import nbformat
import numpy as np
from bs4 import BeautifulSoup, Tag
from PIL import Image, UnidentifiedImageError

NOT_PROSE = ".katex, pre, code, script, style"
RAW_MATHEMATICS = re.compile(
    r"\$[^$\n]+\$|\$\$|\\[(\[]|\\(?:begin|ell|frac|mu|nabla|partial)(?![a-zA-Z])"
)
CSS_LOAD = re.compile(r"(?:url\(\s*|@import\s+)['\"]?((?:https?:)?//[^'\")\s]+)")
LOADING_LINKS = {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "preconnect"}


@cache
def parse(path: Path) -> BeautifulSoup:
    """The page as a tree."""
    return BeautifulSoup(path.read_bytes(), "html.parser")


def pages_exist(html: Path, pages: Iterable[str]) -> Iterator[str]:
    """Every page of the table of contents was written and says something."""
    for page in pages:
        path = html / f"{page}.html"
        if not path.exists():
            yield f"{page}.html was not built"
            continue
        article = parse(path).select_one("article")
        if article is None or len(article.get_text(strip=True)) < 100:
            yield f"{page}.html is empty"


def pictures_arrived(html: Path, page: str, notebook: Path) -> Iterator[str]:
    """Every picture that a chapter stores is shown on its page.

    The site has it under the hash of its bytes. Its pixels are those that are stored, but for a
    few that a palette moves, which no reader sees.
    """
    path = html / f"{page}.html"
    shown = {}
    for image in parse(path).select("article img[src]"):
        file = path.parent / unquote(urlsplit(image["src"]).path)
        if file.is_file():
            shown[file.stem] = file.read_bytes()
    for cell in nbformat.read(notebook, as_version=4).cells:
        for output in cell.get("outputs", []):
            for kind, data in output.get("data", {}).items():
                if not kind.startswith("image/"):
                    continue
                stored = data.encode() if "svg" in kind else base64.b64decode(data)
                found = shown.get(hashlib.sha256(stored).hexdigest())
                if found is None or not look_alike(found, stored):
                    yield f"{page}.html does not show the picture of cell {cell.id}"


def look_alike(one: bytes, other: bytes) -> bool:
    """Whether two pictures differ in no more than 1 of 1,000 pixels visibly."""
    if one == other:
        return True
    try:
        pixels = [np.asarray(Image.open(io.BytesIO(x)).convert("RGB"), int) for x in (one, other)]
    except UnidentifiedImageError:
        return False
    if pixels[0].shape != pixels[1].shape:
        return False
    return bool((abs(pixels[0] - pixels[1]) > 16).any(axis=-1).mean() <= 1e-3)


PLACES_WITH_CARDS = (
    "div.math[id^=equation-], figure[id^=fig-], div.citation[id], dl.glossary > dt[id]"
)
PUT = re.compile(r"hoverCards\.put\((\"[^\"]*\"), (.*)\);\n", re.DOTALL)


@cache
def places_with_cards(path: Path) -> set[str]:
    """The places of a page that a link shows in a card."""
    return {place["id"] for place in parse(path).select(PLACES_WITH_CARDS)}


def cards(html: Path, page: str) -> dict[str, str]:
    """The cards that were written for a page: the place, and what its card says."""
    path = html / f"_static/cards/{page}.js"
    found = PUT.fullmatch(path.read_text(encoding="utf-8")) if path.exists() else None
    return json.loads(found[2]) if found and json.loads(found[1]) == page else {}


def places_have_cards(html: Path, pages: Iterable[str]) -> Iterator[str]:
    """Every equation, figure, source and term has its card, which says what stands there."""
    for page in pages:
        path = html / f"{page}.html"
        written = cards(html, page)
        for place in sorted(places_with_cards(path)):
            if place not in written:
                yield f"{page}.html: {place} has no card"
            elif said(written[place]) != said_at(path, place):
                yield f"{page}.html: the card of {place} says something else"


def said(fragment: str) -> str:
    """The words of some HTML."""
    return " ".join(BeautifulSoup(fragment, "html.parser").get_text().split())


def said_at(path: Path, place: str) -> str:
    """The words of a place, and of what explains it; the marks that are links are left out."""
    element = _elements(path)[place]
    parts = [element, element.find_next_sibling("dd")] if element.name == "dt" else [element]
    copies = BeautifulSoup("".join(map(str, parts)), "html.parser")
    for mark in copies.select("a.headerlink, a.ledger-mark"):
        mark.decompose()
    return " ".join(copies.get_text().split())


@cache
def _elements(path: Path) -> dict[str, Tag]:
    """The elements of a page by their id; looking for each of hundreds anew takes long."""
    return {element["id"]: element for element in reversed(parse(path).select("[id]"))}


@cache
def anchors(path: Path) -> set[str]:
    """Every place in a page that a link can name."""
    named = parse(path).select("[id], a[name]")
    return {"", *(tag.get("id") or tag.get("name") for tag in named)}


def links_lead_somewhere(html: Path) -> Iterator[str]:
    """Every link, picture, script and style within the book exists, anchors included."""
    for path in sorted(html.rglob("*.html")):
        if path.is_relative_to(html / "_static"):
            continue
        for tag in parse(path).select("[href], [src]"):
            url = tag.get("href") or tag.get("src") or ""
            if url.startswith("/") and not url.startswith("//"):  # from the root of the site
                url = urljoin(f"{html.resolve().as_uri()}/", url.lstrip("/"))
            target = urlsplit(urljoin(path.as_uri(), url))
            if target.scheme != "file":
                continue
            file = Path(unquote(target.path))
            if not file.is_file():
                yield f"{path.relative_to(html)} links to {url}, which does not exist"
            elif file.suffix == ".html" and unquote(target.fragment) not in anchors(file):
                yield f"{path.relative_to(html)} links to {url}, which has no such place"


def loads_nothing_from_elsewhere(html: Path) -> Iterator[str]:
    """No page or style sheet loads from another host. Links to follow are no loads."""
    for path in sorted(html.rglob("*.html")):
        for tag in parse(path).select("[src], link[href], [style], style"):
            urls = [tag.get("src", ""), *CSS_LOAD.findall(tag.get("style", "") + tag.get_text())]
            if tag.name == "link" and LOADING_LINKS & set(tag.get("rel", [])):
                urls.append(tag["href"])
            for url in urls:
                if re.match(r"(https?:)?//", url):
                    yield f"{path.relative_to(html)} loads {url}"
    for path in sorted(html.rglob("*.css")):
        for url in CSS_LOAD.findall(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(html)} loads {url}"


HANDLER = re.compile(r"<[a-z][^>]*?\s(on[a-z]+)\s*=", re.IGNORECASE)
POLICY = 'meta[http-equiv="Content-Security-Policy"]'
STRICT = {"object-src": "'none'", "base-uri": "'self'", "default-src": "'self'"}
HASHED = re.compile(r"'sha256-[A-Za-z0-9+/]{43}='")


def policy_is_strict(html: Path, with_webassembly: Iterable[str] = ()) -> Iterator[str]:
    """Every page has a policy that lets its own scripts run and no others.

    The pages in ``with_webassembly`` may run WebAssembly.
    """
    for path in sorted(html.rglob("*.html")):
        name = path.relative_to(html).as_posix()
        if name.startswith("_static/"):
            continue
        page = parse(path)
        found = page.select(POLICY)
        if len(found) != 1:
            yield f"{name} has {len(found)} policies"
            continue
        if found[0].find_previous(["script", "link", "style"]):
            yield f"{name} loads something before its policy"
        rules = dict(rule.split(" ", 1) for rule in found[0]["content"].split("; "))
        yield from (f"{name}: {k} is not {v}" for k, v in STRICT.items() if rules.get(k) != v)
        sources = set(rules.get("script-src", "").split())
        for script in page.find_all("script", src=False):
            digest = base64.b64encode(hashlib.sha256(script.get_text().encode()).digest())
            if f"'sha256-{digest.decode()}'" not in sources:
                yield f"{name} has a script without a hash: {script.get_text()[:60]!r}"
        allowed = {"'self'"} | ({"'wasm-unsafe-eval'"} if name in with_webassembly else set())
        others = {source for source in sources - allowed if not HASHED.fullmatch(source)}
        yield from (f"{name} allows scripts from {source}" for source in sorted(others))
        text = path.read_text(encoding="utf-8")
        yield from (f"{name} has a handler {kind}" for kind in sorted(set(HANDLER.findall(text))))
        if re.search(r"=[\"']?javascript:", text):
            yield f"{name} has a link that is a script"


def says_what_it_is(html: Path) -> Iterator[str]:
    """Every page has a language, a title, a description, and the tags of a shared link.

    A page has its own address where the site has a list of addresses, and only there.
    """
    published = (html / "sitemap.xml").exists()
    for path in sorted(html.rglob("*.html")):
        name = path.relative_to(html).as_posix()
        if name.startswith("_static/"):
            continue
        if not parse(path).html.get("lang") or not parse(path).title.get_text(strip=True):
            yield f"{name} has no language or no title"
        page = parse(path).head
        for tag in ("name=description", "property='og:title'", "property='og:description'"):
            texts = [meta["content"] for meta in page.select(f"meta[{tag}]")]
            if len(texts) != 1 or not 0 < len(texts[0]) <= 160 or RAW_MATHEMATICS.search(texts[0]):
                yield f"{name}: {tag} is {texts}"
        if not page.select("meta[property='og:type']"):
            yield f"{name} does not say of what type it is"
        addresses = page.select("link[rel=canonical], meta[property='og:url']")
        lost = page.select("meta[name=robots][content=noindex]")
        if bool(addresses) != (published and not lost):
            yield f"{name} has the addresses {addresses}"


def mathematics_is_set(page: BeautifulSoup) -> Iterator[str]:
    """Every formula was rendered, and none is left in the prose as LaTeX."""
    for formula in page.select(".math"):
        if not formula.select(".katex"):
            yield f"not rendered: {formula.get_text()[:80]!r}"
    for error in page.select(".katex-error"):
        yield f"KaTeX could not read {error.get_text()[:80]!r}"
    article = page.select_one("article")
    for text in article.find_all(string=RAW_MATHEMATICS) if article else ():
        if not any(parent.css.match(NOT_PROSE) for parent in text.parents if parent.name):
            yield f"raw mathematics in prose: {text.strip()[:80]!r}"


def equations_and_ledger_are_tied(html: Path, pages: Iterable[str], ledger: str) -> Iterator[str]:
    """Every labeled equation leads to its row of the ledger, and every row to its equation."""
    marked, rows = set(), set()
    for page in pages:
        for equation in parse(html / f"{page}.html").select("div.math[id^=equation-eq-]"):
            label = equation["id"].removeprefix("equation-")
            mark = equation.select_one("a.ledger-mark")
            if mark is None:
                yield f"{page}.html: {label} has no mark that leads to the ledger"
            else:
                marked.add(urlsplit(mark["href"]).fragment.removeprefix("ledger-"))
    for row in parse(html / f"{ledger}.html").select("td [id^=ledger-]"):
        target = urlsplit(row.get("href", "")).fragment.removeprefix("equation-")
        if row["id"] != f"ledger-{target}":
            yield f"the row {row['id']} leads to {target}"
        rows.add(target)
    yield from (f"{label} has no row in the ledger" for label in sorted(marked - rows))
    yield from (f"the ledger's {label} is no equation" for label in sorted(rows - marked))
