"""The playground in the built book: an agent learns in the page, and its controls do what they say.

Tests wait for numbers of updates, never for a time.
"""

import re

import pytest

from tests.explorables.playground import AFTER_UPDATES, largest_difference, problem
from tests.site.accessibility import violations
from tests.site.test_browser import DESKTOP, Visit, open_page

NAME = "book/playground"
FAST = "100000"  # updates a second that no machine reaches
LAST_TEN = re.compile(r"returned (−?\d+|–) in the mean")
BROKEN = re.compile(r"NaN|Infinity|undefined|\[object")
DIVERGES = "critic_lr=0.03&tau=1&gamma=0.995&mistake=wrong-sign"


class Playground:
    """The page, and what a reader does there."""

    def __init__(self, visit: Visit):
        self.visit, self.page = visit, visit.page
        self.root = self.page.locator("#playground")
        self.root.locator(".status").wait_for()
        self.root.locator("svg image").wait_for(state="attached")  # the map has been drawn

    def press(self, name: str) -> None:
        self.root.get_by_role("button", name=name, exact=True).click()

    def choose(self, label: str, value: str) -> None:
        self.root.get_by_role("combobox", name=label).select_option(value)

    @property
    def updates(self) -> int:
        return int(self.root.get_attribute("data-updates") or 0)

    @property
    def status(self) -> str:
        return self.root.locator(".status").inner_text()

    @property
    def last_ten(self) -> float:
        found = LAST_TEN.search(self.status)
        assert found
        return float("-inf") if found[1] == "–" else float(found[1].replace("−", "-"))

    def until(self, updates: int, reached=lambda: False) -> None:
        """Wait until the agent has made so many updates, or has reached something."""
        before = self.updates
        while self.updates < updates and not reached():
            for _ in range(600):
                self.page.wait_for_timeout(100)
                if self.updates > before:
                    break
            else:
                pytest.fail(f"no update after {before}: {self.root.inner_text()}")
            before = self.updates

    def wait_for(self, text: str) -> None:
        self.root.get_by_text(text).wait_for()

    def problems(self) -> list[str]:
        """What is wrong with what is seen now."""
        html = self.root.evaluate("root => root.innerHTML.replaceAll(/data:[^\"]*/g, '')")
        found = BROKEN.findall(html)
        if self.root.evaluate("root => root.scrollWidth > root.clientWidth + 1"):
            found.append("wider than its place")
        return found + self.visit.errors + self.visit.failed + self.visit.external


@pytest.fixture
def playground(browser, site, request):
    """The page with the settings of the parameter behind its address."""
    visit = open_page(browser, site, NAME)
    if settings := getattr(request, "param", ""):
        visit.page.goto(f"{site}/{NAME}.html#{settings}")
        visit.page.reload()
    yield Playground(visit)
    visit.page.close()


def test_an_agent_learns_the_pendulum(playground):
    playground.choose("updates", FAST)
    playground.press("Start")
    playground.until(10_000, lambda: playground.updates > 2000 and playground.last_ten > -250)
    playground.press("Pause")
    assert playground.last_ten > -250
    assert not playground.problems()
    assert violations(playground.page) == {"light": [], "dark": []}


@pytest.mark.parametrize("mistake", ["none", "missing-zero-grad"])
def test_a_hundred_updates_equal_those_in_python(playground, mistake):
    given, expected = problem(mistake)
    reached = playground.page.evaluate(
        f"""async (given) => {{
          const load = (path) => import(new URL(`../_static/explorables/${{path}}`, location.href));
          const run =
          {AFTER_UPDATES};
          return run(load, given);
        }}""",
        given,
    )
    assert largest_difference(reached, expected) < 1e-5


def test_a_mistake_made_while_it_learns_is_shown(playground):
    marks = playground.root.locator("svg polyline[stroke-dasharray='2 2']:not([style*=none])")
    playground.choose("updates", FAST)
    playground.press("Start")
    playground.until(400)
    assert "mistake: none" in playground.status
    assert marks.count() == 0
    playground.choose("mistake", "wrong-sign")
    assert "mistake: the actor descends Q" in playground.status
    assert marks.count() == 3  # one in each curve
    assert playground.page.url.endswith("#mistake=wrong-sign")
    playground.until(4_000)  # by then the right agent of this seed swings up
    returned = re.search(r"return: (−\d+) without noise", playground.root.inner_text())
    assert returned
    assert float(returned[1].replace("−", "-")) < -1000
    assert not playground.problems()


def test_one_update_says_what_it_did(playground):
    moved = re.compile(r"from (−?[\d.]+) to (−?[\d.]+), (up|down|not at all)\.")
    for count in (1, 2, 3):
        playground.press("One update")
        playground.wait_for(f"Update {count}: the root mean square of δ")
        text = playground.root.locator(".reading").inner_text()
        before, after, way = moved.search(text).groups()
        before, after = (float(x.replace("−", "-")) for x in (before, after))
        assert (after > before) == (way == "up") or before == after
    playground.until(3)
    assert not playground.problems()


SHARED = "seed=7&mistake=no-detach&gamma=0.9&width=32"


@pytest.mark.parametrize("playground", [SHARED], indirect=True)
def test_an_address_holds_the_settings(playground):
    root = playground.root
    assert "mistake: gradient flows through the target" in playground.status
    assert root.get_by_role("combobox", name="mistake").input_value() == "no-detach"
    assert root.get_by_label("seed (starts again)").input_value() == "7"
    root.locator("summary").click()
    gamma = root.get_by_role("slider", name="discount γ")
    assert gamma.get_attribute("aria-valuetext") == "0.9"
    gamma.press("ArrowRight")
    assert "gamma=0.95" in playground.page.url
    playground.page.evaluate("location.hash = 'five-things-to-try'")  # a place in the page
    assert root.get_by_label("seed (starts again)").input_value() == "7"
    playground.page.evaluate("location.hash = 'seed=3'")
    playground.page.wait_for_timeout(100)  # for the event
    assert root.get_by_label("seed (starts again)").input_value() == "3"
    assert gamma.get_attribute("aria-valuetext") == "0.98"
    assert not playground.problems()


@pytest.mark.parametrize("playground", [DIVERGES], indirect=True)
def test_an_agent_that_diverges_stops_and_says_so(playground):
    playground.choose("updates", FAST)
    playground.press("Start")
    playground.wait_for("The agent has diverged after")
    start = playground.root.get_by_role("button", name="Start", exact=True)
    assert start.is_disabled()
    assert not playground.problems()
    playground.press("Start again")
    assert start.is_enabled()
    playground.press("One update")
    playground.wait_for("Update 1:")


def test_it_holds_at_the_ends_of_every_control_on_a_phone_in_the_dark(playground):
    page, root = playground.page, playground.root
    playground.press("Start")
    root.locator("summary").click()
    for width, theme in ((320, "dark"), (390, "light")):
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for slider in root.locator("input[type=range]").all():
            for key in ("Home", "End", "PageUp", "ArrowLeft"):
                slider.press(key)
            page.wait_for_timeout(150)  # for a drawing of the map
            assert not playground.problems()
        for select in root.locator("select").all():
            for option in select.locator("option").all():
                select.select_option(option.get_attribute("value"))
        for button in root.get_by_role("button").all():
            if button.is_enabled():
                button.click()
        page.wait_for_timeout(150)
        assert not playground.problems()


def test_mouse_and_touch_move_the_place_and_the_rod(playground):
    page = playground.page
    places = [
        playground.root.get_by_role("slider", name=label) for label in ("angle θ", "torque a")
    ]
    rod, area = playground.root.locator("svg .grab").all()
    touch = page.context.new_cdp_session(page)

    def tap(x, y):
        at = [{"x": x, "y": y}]
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": at})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    for act, across, up in ((page.mouse.click, 0.25, 0.3), (tap, 0.75, 0.6)):
        area.scroll_into_view_if_needed()
        box = area.bounding_box()
        act(box["x"] + across * box["width"], box["y"] + up * box["height"])
        page.wait_for_timeout(150)
        theta, a = (float(place.input_value()) for place in places)
        assert theta == pytest.approx((2 * across - 1) * 3.1416, abs=0.05)
        assert a == pytest.approx((1 - 2 * up) * 2.5, abs=0.05)
    rod.evaluate("(area) => area.scrollIntoView({block: 'center'})")
    box = rod.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.1)
    page.mouse.down()
    # The rod follows the pointer, no faster than the pendulum can turn.
    playground.root.locator('.rod svg[aria-label^="the pendulum, up"]').wait_for()
    picture = playground.root.locator(".rod svg")
    page.mouse.up()
    playground.press("Let it hang")
    page.wait_for_timeout(150)
    assert picture.get_attribute("aria-label").startswith("the pendulum, down")
    assert not playground.problems()


def test_the_keyboard_starts_and_pauses(playground):
    start = playground.root.get_by_role("button", name="Start", exact=True)
    start.focus()
    playground.page.keyboard.press("Space")
    playground.until(50)
    playground.page.keyboard.press("Space")
    start.wait_for()
    playground.page.wait_for_timeout(300)  # for the last report and its drawing
    before = playground.updates
    playground.page.wait_for_timeout(300)
    assert playground.updates == before


def test_nothing_moves_by_itself_where_little_motion_is_asked_for(browser, site):
    page = browser.new_page()
    page.set_viewport_size(DESKTOP)
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{site}/{NAME}.html")
    rod = page.locator("#playground .rod svg polyline").first
    rod.wait_for(state="attached")
    page.wait_for_timeout(600)
    before = rod.get_attribute("points")
    page.wait_for_timeout(600)
    assert rod.get_attribute("points") == before
    page.get_by_role("button", name="Push left").click()
    page.wait_for_timeout(600)
    assert rod.get_attribute("points") != before
    page.close()


def test_without_the_script_and_in_print_a_picture_stands_there(browser, site):
    page = browser.new_page()
    picture = page.locator("figure img[src*=playground]")
    page.goto(f"{site}/{NAME}.html")
    page.locator("#playground svg").first.wait_for()
    assert not picture.is_visible()
    page.emulate_media(media="print")
    assert picture.is_visible()
    assert not page.locator("#playground").is_visible()
    page.emulate_media(media="screen")
    page.route("**/playground/*.js*", lambda route: route.abort())
    page.reload()
    assert picture.is_visible()
    page.close()
