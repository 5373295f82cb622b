"""Draw the picture that stands for the playground in print and without script.

Run it after ``make book``, and build the book again: ``python -m tools.playground_picture``.
It lets seed 0 learn in Chromium and photographs the page.
"""

import io
import shutil
import threading
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tools.serve import Handler

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "book/images/playground.png"
UPDATES = 6_000
COLORS = 192
HIDDEN = ".task, .controls, details, .reading { display: none !important }"


class _QuietHandler(Handler):
    def log_message(self, *arguments):
        """Say nothing."""


def photograph(page: Page, address: str) -> bytes:
    """The charts after the training, with the rod that has swung up."""
    page.goto(f"{address}/book/playground.html")
    place = page.locator("#playground")
    place.get_by_label("updates").select_option("100000")
    place.get_by_role("button", name="Start", exact=True).click()
    while int(place.get_attribute("data-updates") or 0) < UPDATES:
        page.wait_for_timeout(50)
    place.get_by_role("button", name="Pause").click()
    place.get_by_role("button", name="Let it hang").click()
    page.wait_for_timeout(6_000)  # of the 10 seconds until it hangs again
    page.add_style_tag(content=HIDDEN)
    return place.screenshot()


def main() -> None:
    """Serve the built book, take the picture, and store it with few colors."""
    handler = partial(_QuietHandler, directory=str(ROOT / "_build/html"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_playwright() as p:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        chromium = p.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = chromium.new_page(viewport={"width": 1000, "height": 1200}, device_scale_factor=1.5)
        shot = photograph(page, f"http://127.0.0.1:{server.server_port}")
        chromium.close()
        server.shutdown()
    PICTURE.parent.mkdir(exist_ok=True)
    Image.open(io.BytesIO(shot)).convert("RGB").quantize(COLORS, Image.Quantize.MAXCOVERAGE).save(
        PICTURE, optimize=True
    )
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
