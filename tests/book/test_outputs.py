"""A stored output is kept until a reader could see the difference."""

import base64
import io

import numpy as np
import pytest
from nbformat import from_dict
from nbformat.v4 import new_output
from PIL import Image

from tools.outputs import SHARE, SHARE_ROUNDING, difference, keep_stored

HEIGHT, WIDTH = 300, 400


def png(pixels: np.ndarray, level: int = 6) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png", compress_level=level)
    return base64.b64encode(file.getvalue()).decode()


def white(height=HEIGHT, width=WIDTH) -> np.ndarray:
    return np.full((height, width, 3), 255, dtype=np.uint8)


def spotted(share: float, by: int) -> str:
    pixels = white().reshape(-1, 3)
    pixels[: round(share * len(pixels))] -= np.uint8(by)
    return png(pixels.reshape(HEIGHT, WIDTH, 3))


def display(**data):
    names = {
        "png": "image/png",
        "svg": "image/svg+xml",
        "text": "text/plain",
        "md": "text/markdown",
    }
    return [new_output("display_data", data={names[k]: v for k, v in data.items()})]


def printed(text: str, name: str = "stdout"):
    return [new_output("stream", name=name, text=text)]


def test_other_bytes_of_the_same_picture_are_no_difference():
    one, other = png(white(), 0), png(white(), 9)
    assert one != other
    assert difference(display(png=one), display(png=other)) == ""


@pytest.mark.parametrize(
    ("share", "by", "rounding", "differs"),
    [
        (1.0, 16, False, False),  # every pixel, by little
        (SHARE, 17, False, False),
        (2 * SHARE, 17, False, True),
        (2 * SHARE, 17, True, False),
        (SHARE_ROUNDING, 255, True, False),
        (2 * SHARE_ROUNDING, 255, True, True),
    ],
)
def test_a_picture_differs_from_a_share_of_visible_pixels_on(share, by, rounding, differs):
    found = difference(display(png=png(white())), display(png=spotted(share, by)), rounding)
    assert bool(found) == differs
    if differs:
        assert found.startswith("its picture differs from the stored one in ")


def test_a_picture_of_another_size_differs():
    found = difference(display(png=png(white())), display(png=png(white(width=401))))
    assert found == "its picture has 401 × 300 pixels; stored are 400 × 300"


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        ("<A at 0x7f31f0e97560>", "<A at 0x7f31f0e97aaa>"),
        ("0.30000000000000004", "0.3000000000000001"),
        ("x 1.2345678901e-05", "x 1.2345678902e-05"),
    ],
)
def test_what_no_reader_sees_in_a_text_is_no_difference(stored, fresh):
    assert difference(display(text=stored), display(text=fresh)) == ""
    assert difference(printed(stored), printed(fresh)) == ""


@pytest.mark.parametrize(
    ("stored", "fresh", "message"),
    [
        ("a\nb 1.25", "a\nb 1.26", "line 2 of its text is 'b 1.26'; stored is 'b 1.25'"),
        ("0.30000000001", "0.30000001", "line 1 of its text is '0.30000001'"),
        ("a", "a\nb", "its text has 2 lines; stored are 1"),
    ],
)
def test_a_changed_text_is_named(stored, fresh, message):
    assert difference(printed(stored), printed(fresh)).startswith(message)


LEDGER = (
    "| {eq}`eq-a` | *Rule.* At 3e-4 or 0. | by\N{NO-BREAK SPACE}hand\N{NO-BREAK SPACE}0<br>"
    "central\N{NO-BREAK SPACE}differences\N{NO-BREAK SPACE}2e\N{NON-BREAKING HYPHEN}11<br>"
    "Monte\N{NO-BREAK SPACE}Carlo\N{NO-BREAK SPACE}1.4\N{NO-BREAK SPACE}s.e. |"
)


@pytest.mark.parametrize(
    ("old", "new", "differs"),
    [
        ("2e\N{NON-BREAKING HYPHEN}11", "7e\N{NON-BREAKING HYPHEN}12", False),
        ("hand\N{NO-BREAK SPACE}0", "hand\N{NO-BREAK SPACE}1e\N{NON-BREAKING HYPHEN}17", False),
        ("1.4", "0.3", False),
        ("At 3e-4", "At 4e-4", True),
        ("central", "one-sided", True),
        ("eq-a", "eq-b", True),
    ],
)
def test_only_the_errors_of_the_ledger_may_differ(old, new, differs):
    assert old in LEDGER
    found = difference(display(md=LEDGER), display(md=LEDGER.replace(old, new)))
    assert bool(found) == differs


def svg(name: str, x: str = "10.0001", label: str = "a", date: str = "2026-01-01") -> str:
    return (
        f'<svg><dc:date>{date}</dc:date><path id="{name}" d="M {x} 5"/>'
        f'<use href="#{name}"/><text clip-path="url(#{name})">{label}</text></svg>'
    )


def test_names_dates_and_last_digits_of_a_drawing_are_no_difference():
    other = svg("p9a8b", x="10.00012", date="2026-12-31")
    assert difference(display(svg=svg("p1a2b")), display(svg=other)) == ""
    for changed in (svg("p", label="b"), svg("p", x="11.0001")):
        found = difference(display(svg=svg("p")), display(svg=changed))
        assert found == "its drawing differs from the stored one"


def test_other_kinds_of_output_differ():
    found = difference(printed("a"), display(png=png(white()), text="<Figure>"))
    assert found == "it shows image/png and text/plain; stored is text on stdout"
    assert difference([], printed("a")) == "it shows text on stdout; stored is nothing"
    assert difference(printed("a"), printed("a", "stderr")) != ""


def test_the_order_of_kinds_in_one_output_does_not_matter():
    one, other = display(text="x", png=png(white())), display(png=png(white()), text="x")
    assert difference(one, other) == ""


def test_stored_bytes_are_kept_and_the_rest_is_fresh():
    stored = from_dict(printed("0.30000000000000004") + display(png=png(white(), 0), text="x"))
    fresh = from_dict(printed("0.3000000000000001") + display(png=png(white(), 9), text="x"))
    fresh[1]["metadata"] = {"needs": "this"}
    keep_stored(stored, fresh)
    assert fresh[0].text == stored[0].text
    assert fresh[1].data == stored[1].data and fresh[1].metadata == {"needs": "this"}
