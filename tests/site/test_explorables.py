"""Every explorable of the built pages: it answers, at its ends, by keyboard, and in the dark."""

import math
import re
from pathlib import Path

import pytest

from tests.site.test_browser import open_page

ROOT = Path(__file__).resolve().parents[2]
SHOWN = re.compile(r"data-explorable=\\\"(\w+)")
PLACES = [
    (f"book/{path.stem}", name)
    for path in sorted((ROOT / "book").glob("*.ipynb"))
    for name in SHOWN.findall(path.read_text(encoding="utf-8"))
]
NUMBER = r"[−-]?\d+(?:\.\d+)?"
FACTOR = rf"(?:{NUMBER}|\({NUMBER}\))"
PRODUCT = rf"{FACTOR}(?: × {FACTOR})+"
SUM = re.compile(rf"({PRODUCT}(?: [+−] {PRODUCT})*) = ({NUMBER})")
PICTURE = re.compile(r"data:image/[^\"]*")
BROKEN = re.compile(r"NaN|Infinity|undefined|\[object")


def value(text):
    return float(text.strip("()").replace("−", "-"))


def wrong_products(text):
    """The products, and sums of products, that do not give what is shown."""
    for terms, result in SUM.findall(text):
        total = sum(
            math.prod(map(value, term.split(" × "))) * (-1 if sign == "−" else 1)
            for sign, term in re.findall(rf"(?:^| ([+−]) )({PRODUCT})", terms)
        )
        digits = len(result.partition(".")[2])
        if abs(total - value(result)) > 0.5001 * 10**-digits:
            yield f"{terms} = {result}"


class Explorable:
    """An explorable on its page."""

    def __init__(self, visit, name):
        self.visit, self.page = visit, visit.page
        self.root = self.page.locator(f"#explorable-{name}")
        self.root.scroll_into_view_if_needed()
        self.root.locator("svg, canvas").first.wait_for()

    def state(self):
        return self.root.evaluate("""root => root.innerHTML
          + [...root.querySelectorAll("input, select")].map((x) => x.value).join(" ")""")

    def problems(self):
        """What is wrong with what is seen now."""
        self.page.wait_for_timeout(40)  # for two frames
        written = PICTURE.sub("", self.state())  # base64 may hold any letters
        found = [*BROKEN.findall(written), *wrong_products(self.root.inner_text())]
        needed, given = self.root.evaluate("root => [root.scrollWidth, root.clientWidth]")
        if needed > given + 1:  # one for rounding
            found.append(f"{needed} pixels wide, allowed: {given}")
        return found + self.visit.errors + self.visit.failed + self.visit.external


@pytest.fixture
def explorable(browser, site, request):
    page, name = request.param
    visit = open_page(browser, site, page)
    yield Explorable(visit, name)
    visit.page.close()


def test_a_product_that_does_not_multiply_is_noticed():
    right = "2.00 × −3.00 = −6.00, and 2.00 × 4.00 + 0.50 × (−2.00) − 2.00 × 1.50 = 4.00"
    assert list(wrong_products(right)) == []
    for wrong in ("0.06 × 2.00 = 0.13", "2.00 × 4.00 + 0.50 × (−2.00) = 9.00"):
        assert list(wrong_products(f"{right}, {wrong}")) == [wrong]


@pytest.mark.parametrize("explorable", PLACES, indirect=True, ids=str)
def test_it_answers_to_every_control_and_breaks_at_no_end(explorable):
    it, page = explorable, explorable.page
    assert not it.problems()
    for width, theme, keys in (
        (1280, "light", ("Home", "PageUp")),
        (320, "dark", ("End", "ArrowLeft")),
    ):
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        for slider in it.root.locator("input[type=range]:visible").all():
            assert slider.evaluate("x => x.labels.length || x.ariaLabel")
            seen = {it.state()}
            for key in keys:
                slider.press(key)
                assert not it.problems(), key
                seen.add(it.state())
            assert len(seen) > 1, "a slider that changes nothing"
        for select in it.root.locator("select:visible").all():
            for option in select.locator("option").all():
                select.select_option(option.get_attribute("value"))
                assert not it.problems()
        for button in it.root.locator("button:visible").all():
            if button.is_enabled():
                button.click()
                assert not it.problems()


@pytest.mark.parametrize("explorable", PLACES, indirect=True, ids=str)
def test_what_can_be_dragged_follows_the_pointer(explorable):
    it, mouse = explorable, explorable.page.mouse
    for area in it.root.locator(".grab:visible").all():
        area.scroll_into_view_if_needed()
        box = area.bounding_box()
        seen = set()
        for place in (0.3, 0.7):
            mouse.move(box["x"] + box["width"] * place, box["y"] + box["height"] * place)
            mouse.down()
            seen.add(it.state())
            mouse.move(box["x"] - 50, box["y"] - 50)  # beyond a corner
            assert not it.problems()
            seen.add(it.state())
            mouse.up()
        assert len(seen) > 1
