"""Make the fonts of the pages: a few weights and the signs of the text, in three small files.

The sources are Adobe's Source Serif 4 and Source Sans 3, from the npm packages source-serif 4.5.1
and source-sans 3.52.0, which `npm pack` downloads. Their licence reserves the name "Source" for
the originals, so the small fonts have names of their own. WOFF2 needs the package brotli:

    python -m tools.subset_fonts source-serif/package source-sans/package
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

FOLDER = Path(__file__).resolve().parents[1] / "book/_static/fonts"
ASCII = "".join(map(chr, range(0x20, 0x7F)))
MARKS = "\u00a0§°±²·¹½×éöüŁś–—‘’“”…′−→←≈≤≥\u2011"
MATHEMATICS = "ΓΔΣαβγδεθκλμξπρστφωηℓ∂∇√ⁿ₀₁₂₃₅ᵀ⁻‖"
CHECK = "✓"  # that of the serif looks like a root
WEIGHTS = (400, 600)
# The file; its source in which package; its name; its signs; its axes.
FONTS = [
    ("course-serif", 0, "VAR/SourceSerif4Variable-Roman.ttf", "Course Serif", MATHEMATICS),
    ("course-serif-italic", 0, "VAR/SourceSerif4Variable-Italic.ttf", "Course Serif", ""),
    ("course-sans", 1, "VF/SourceSans3VF-Upright.ttf", "Course Sans", MATHEMATICS + CHECK),
]
TEXT_SIZE = 14.0  # the optical size of the serif, in points


def make(source: Path, target: Path, family: str, signs: str) -> int:
    """Write one small font and return its size in bytes."""
    font = TTFont(source)
    options = subset.Options()
    options.layout_features = ["kern", "liga", "mark", "ccmp", "lnum", "tnum", "locl"]
    options.hinting = False
    options.name_IDs = [0, 1, 2, 4, 6, 13, 14]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=map(ord, ASCII + MARKS + signs))
    subsetter.subset(font)
    italic = "italic" in target.stem
    axes = {"wght": 400 if italic else WEIGHTS, "opsz": TEXT_SIZE}
    known = {axis.axisTag for axis in font["fvar"].axes}
    font = instancer.instantiateVariableFont(font, {k: v for k, v in axes.items() if k in known})
    style = "Italic" if italic else "Regular"
    named = {1: family, 2: style, 4: f"{family} {style}"}
    named[6] = f"{family.replace(' ', '')}-{style}"
    for identifier, text in named.items():
        font["name"].setName(text, identifier, 3, 1, 0x409)
    font.flavor = "woff2"
    font.save(target)
    return target.stat().st_size


if __name__ == "__main__":
    packages = [Path(argument) for argument in sys.argv[1:3]]
    for name, package, source, family, signs in FONTS:
        size = make(packages[package] / source, FOLDER / f"{name}.woff2", family, signs)
        print(f"{name}.woff2: {size:,} bytes")
