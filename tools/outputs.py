"""Whether a fresh output of a cell still shows what the stored one shows.

Bytes differ more often than what a reader sees: a newer library compresses a picture otherwise,
another machine rounds the last digit otherwise. A stored output is kept until a reader could see
the difference.
"""

import base64
import io
import re
from collections.abc import Sequence

import numpy as np
from nbformat import NotebookNode
from PIL import Image

LEVELS = 16  # of 255; a pixel that differs by no more looks the same
SHARE = 1e-4  # of the pixels may differ by more: less than one character of a label
# Tag of a cell whose picture shows rounding errors, or training, which amplifies them. On another
# machine such a picture differs in more pixels, and still shows the same: with other instructions
# of the processor, in up to 1 of 7 (the curves of chapter 11).
ROUNDING = "rounding"
SHARE_ROUNDING = 0.2
REMEDY = "no more than on another machine; to store it anew, clear the cell's output first"

ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}")
LONG_NUMBER = re.compile(r"\d+\.\d{9,}(?:e[-+]?\d+)?")
# What the ledger shows beside a route: a rounding error, or a distance in standard errors.
ERROR = re.compile(
    "(?<=\N{NO-BREAK SPACE})"
    "(?:0|\\d(?:\\.\\d+)?e\N{NON-BREAKING HYPHEN}?\\d+|\\d+\\.\\d\N{NO-BREAK SPACE}s\\.e\\.)"
    "(?=<br>| \\|)"
)
SVG_DATE = re.compile(r"<dc:date>[^<]*</dc:date>")
SVG_NAME = re.compile(r'\b(?:id="|href="#|url\(#)([\w.-]+)')


def is_rounding(cell: NotebookNode) -> bool:
    """Whether a cell's picture may differ as much as rounding makes it on another machine."""
    return ROUNDING in cell.metadata.get("tags", [])


def difference(
    stored: Sequence[NotebookNode], fresh: Sequence[NotebookNode], rounding: bool = False
) -> str:
    """What a reader would see change between two lists of outputs; empty if nothing.

    Args:
        stored: outputs of a cell.
        fresh: those of the same cell, run again.
        rounding: whether pictures may differ as `is_rounding` cells do.
    """
    before, after = ([_contents(output) for output in outputs] for outputs in (stored, fresh))
    kinds = [[" and ".join(sorted(kind)) for kind in contents] for contents in (before, after)]
    if kinds[0] != kinds[1]:
        shown = [", ".join(names) or "nothing" for names in kinds]
        return f"it shows {shown[1]}; stored is {shown[0]}"
    for old, new in zip(before, after, strict=True):
        for kind in new:
            if found := _difference(kind, old[kind], new[kind], rounding):
                return found
    return ""


def keep_stored(stored: Sequence[NotebookNode], fresh: Sequence[NotebookNode]) -> None:
    """Put the stored texts and pictures into fresh outputs that show the same."""
    for old, new in zip(stored, fresh, strict=True):
        if new.output_type == "stream":
            new.text = old.text
        for kind in new.get("data", {}):
            new.data[kind] = old.data[kind]


def _contents(output: NotebookNode) -> dict[str, object]:
    if output.output_type == "stream":
        return {f"text on {output.name}": output.text}
    if output.output_type == "error":
        return {"an error": f"{output.ename}: {output.evalue}"}
    return dict(output.data)


def _difference(kind: str, old, new, rounding: bool) -> str:
    if old == new:
        return ""
    if kind in ("image/png", "image/jpeg"):
        return picture_difference(old, new, rounding)
    if not isinstance(old, str) or not isinstance(new, str):
        return f"its {kind} differs from what is stored"
    normal = _normal_svg if "svg" in kind else _normal_text
    lines = [normal(text).split("\n") for text in (old, new)]
    if lines[0] == lines[1]:
        return ""
    if "svg" in kind:
        return "its drawing differs from the stored one"
    for number, (was, now) in enumerate(zip(*lines, strict=False), start=1):
        if was != now:
            return f"line {number} of its text is {_short(now)}; stored is {_short(was)}"
    return f"its text has {len(lines[1])} lines; stored are {len(lines[0])}"


def _short(text: str, width: int = 90) -> str:
    return repr(text if len(text) <= width else text[:width] + "…")


def picture_difference(old: str, new: str, rounding: bool = False) -> str:
    """How two pictures differ, each a PNG or JPEG in base64; empty if they look the same."""
    before, after = (_pixels(picture) for picture in (old, new))
    if before.shape != after.shape:
        sizes = [f"{p.shape[1]} × {p.shape[0]}" for p in (before, after)]
        return f"its picture has {sizes[1]} pixels; stored are {sizes[0]}"
    far = (np.abs(before - after) > LEVELS).any(-1)
    if far.mean() <= (SHARE_ROUNDING if rounding else SHARE):
        return ""
    return f"its picture differs from the stored one in {far.sum()} of {far.size} pixels"


def _pixels(picture: str) -> np.ndarray:
    with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
        return np.asarray(image.convert("RGBA"), dtype=np.int16)


def _normal_text(text: str) -> str:
    text = ADDRESS.sub("0x…", text)
    text = LONG_NUMBER.sub(lambda match: f"{float(match.group()):.8g}", text)
    return ERROR.sub("…", text)


def _normal_svg(text: str) -> str:
    text = SVG_DATE.sub("", text)
    for i, name in enumerate(dict.fromkeys(SVG_NAME.findall(text))):
        text = re.sub(rf'(?<=["#]){re.escape(name)}(?=[")])', f"name-{i}", text)
    return re.sub(r"\d+\.\d{3,}", lambda match: f"{float(match.group()):.2f}", text)
