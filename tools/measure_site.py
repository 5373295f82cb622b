"""Measure the weight of the built book, as a reader on a slow line and on a phone meets it.

python -m tools.measure_site                             every chapter, in _build/html
python -m tools.measure_site 6 appendix_06               these chapters

Needs Chromium, on the path or named by the variable CHROMIUM.
"""

import argparse
import gzip
import os
import shutil
import statistics
import threading
from dataclasses import dataclass
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import BrowserContext, ViewportSize, sync_playwright

from dpgcourse.figures.style import STYLE
from tests.site.conftest import FLAGS
from tools.chapters import ROOT, find

SLOW_LINE = {  # 1.6 Mb/s down, 0.75 Mb/s up, 150 ms
    "offline": False,
    "downloadThroughput": 1.6e6 / 8,
    "uploadThroughput": 0.75e6 / 8,
    "latency": 150,
}
DESKTOP = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)
PACKED = (".css", ".html", ".js", ".json", ".svg")  # what servers send compressed
SMALLEST_TEXT = 9  # pixels on a phone
TIMES = """() => [
  performance.getEntriesByName("first-contentful-paint")[0].startTime,
  performance.getEntriesByType("navigation")[0].loadEventEnd,
]"""
# Widths of the figures: as shown, and of the file.
FIGURES = """() => [...document.querySelectorAll("article .cell_output img")]
  .filter((image) => image.checkVisibility() && image.naturalWidth)
  .map((image) => [image.getBoundingClientRect().width, image.naturalWidth])"""
SIDEWAYS = """() => [...document.querySelectorAll("article pre")]
  .filter((pre) => pre.checkVisibility() && pre.scrollWidth > pre.clientWidth + 1).length"""
SHOW_ALL = """() => {
  document.querySelectorAll("article details").forEach((box) => { box.open = true; });
  const images = [...document.querySelectorAll("article img")];
  for (const image of images) image.loading = "eager";
  return Promise.all(images.map((image) => image.decode()));
}"""


@dataclass
class Weight:
    """What one page costs."""

    kilobytes: float  # received until the page is loaded, compressed
    requests: int  # until the page is loaded
    whole: float  # kilobytes after every picture was seen
    nodes: int  # elements of the page
    paint: float  # seconds on the slow line until something is seen
    load: float  # seconds on the slow line
    screens: float  # height on a phone, folded boxes closed
    sideways: int  # blocks of code that scroll sideways on a phone, folded boxes open
    texts: list[float]  # size in pixels of the ordinary text of each figure on a phone


class PackingHandler(SimpleHTTPRequestHandler):
    """Serves files as hosts of static pages do: compressed, over connections that stay open."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        """Say nothing."""

    def do_GET(self):
        """Send a file whole."""
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        packed = path.suffix in PACKED
        body = compressed(path) if packed else path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(len(body)))
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)


@cache
def compressed(path: Path) -> bytes:
    """A file as it travels."""
    return gzip.compress(path.read_bytes(), 6)


def bytes_of(site: Path) -> dict[str, int]:
    """Bytes of the files of a built site, by the ending of their names."""
    sizes: dict[str, int] = {}
    for file in site.rglob("*"):
        if file.is_file():
            sizes[file.suffix] = sizes.get(file.suffix, 0) + file.stat().st_size
    return sizes


def weigh(browser: BrowserContext, address: str) -> Weight:
    """Open a page in a slow line's time, then look at it on a phone."""
    page = browser.new_page()
    page.set_viewport_size(DESKTOP)
    session = browser.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.send("Network.emulateNetworkConditions", SLOW_LINE)
    received: list[float] = []
    session.on("Network.loadingFinished", lambda e: received.append(e["encodedDataLength"]))
    page.goto(address, wait_until="load")
    page.wait_for_timeout(200)
    requests, kilobytes = len(received), sum(received) / 1000
    paint, load = page.evaluate(TIMES)
    nodes = page.evaluate("document.querySelectorAll('*').length")
    session.send("Network.emulateNetworkConditions", SLOW_LINE | {"downloadThroughput": -1})
    page.set_viewport_size(PHONE)
    screens = page.evaluate("document.documentElement.scrollHeight") / PHONE["height"]
    page.evaluate(SHOW_ALL)
    texts = [size(*widths) for widths in page.evaluate(FIGURES)]
    sideways = page.evaluate(SIDEWAYS)
    page.close()
    return Weight(
        kilobytes,
        requests,
        sum(received) / 1000,
        nodes,
        paint / 1000,
        load / 1000,
        screens,
        sideways,
        texts,
    )


def size(shown: float, stored: float) -> float:
    """Pixels of a figure's ordinary text, from the width shown and that of the file."""
    return STYLE["font.size"] / 72 * STYLE["figure.dpi"] * shown / stored


def report(site: Path, names: list[str]) -> None:
    """Print the weight of the site, of each page and of all pages together."""
    sizes = bytes_of(site)
    for kind, number in sorted(sizes.items(), key=lambda item: -item[1])[:8]:
        print(f"{number / 2**20:6.2f} MiB {kind}")
    print(f"{sum(sizes.values()) / 2**20:6.2f} MiB in all\n")
    print("page                       kB requests  whole  nodes paint  load screens code text px")
    weights = []
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(PackingHandler, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with sync_playwright() as playwright:
            chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            context = browser.new_context()
            for name in names:
                address = f"http://127.0.0.1:{server.server_port}/book/{name}.html"
                weights.append(w := weigh(context, address))
                print(
                    f"{name:22} {w.kilobytes:6.0f} {w.requests:8} {w.whole:6.0f} {w.nodes:6} "
                    f"{w.paint:5.1f} {w.load:5.1f} {w.screens:7.1f} {w.sideways:4} "
                    f"{min(w.texts, default=0):7.1f}",
                    flush=True,
                )
            browser.close()
        server.shutdown()
    texts = [text for w in weights for text in w.texts]
    print(f"\n{sum(w.sideways for w in weights)} blocks of code scroll sideways on a phone")
    if texts:
        small = sum(text < SMALLEST_TEXT for text in texts)
        print(
            f"figures on a phone: text of {statistics.median(texts):.1f} px (median), "
            f"{min(texts):.1f} px (smallest); below {SMALLEST_TEXT} px in {small} of {len(texts)}"
        )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pages", nargs="*", metavar="chapter", help="default all")
    parser.add_argument("--site", type=Path, default=ROOT / "_build/html")
    given = parser.parse_args()
    report(given.site, [path.stem for path in find(given.pages)])


if __name__ == "__main__":
    main()
