"""Local Sphinx extension: code and pictures of the pages, as light as they can be.

A token of code that has the color of the block needs no element. A picture is loaded
when it comes into sight, has its place before that, and opens at full size. Its file
has a palette of 256 colors where no reader sees a difference. The notebooks that
readers can download have no outputs.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from PIL import Image, ImageChops

TOKEN_COLOR = re.compile(
    r'\[data-theme="(\w+)"\] \.highlight(?: \.(\w+))? \{ (.*?)(#\w+);? \}', re.MULTILINE
)
TOKEN = re.compile(r'<span class="(\w+)">([^<]*)</span>')
PICTURE = re.compile(
    r'<img (?P<attributes>[^>]*\bsrc="'
    r'(?P<address>[^"]*_images/(?P<name>[^"]+\.png))"[^>]*?) ?/>'
)
COLORS = 256
VISIBLE = 16  # of 255, in any channel
ON_GROUND = 1  # of 255: around the figure a reader sees more
# Figures of 5.8 inches nearly fill the column; letters of 10 points are as in captions.
ENLARGED = 1.1
FEW = 1e-3  # share of the pixels that may differ visibly


# Code


def plain_tokens(styles):
    """The kinds of token that have the color of the block in light and in dark."""
    colors = {}
    for theme, kind, before, color in TOKEN_COLOR.findall(styles):
        if not kind or before == "color: ":
            colors.setdefault(kind, {})[theme] = color.lower()
    return {kind for kind, both in colors.items() if kind and both == colors[""]}


def lighten_code(app, exception):
    """Take the elements of plain tokens out of the code of all pages."""
    if exception is not None or app.builder.name != "html":
        return
    site = Path(app.outdir)
    plain = plain_tokens((site / "_static/pygments.css").read_text(encoding="utf-8"))
    for path in site.rglob("*.html"):
        html = path.read_text(encoding="utf-8")
        lighter = TOKEN.sub(
            lambda token: token[2] if token[1] in plain else token[0], html
        )
        path.write_text(lighter, encoding="utf-8")


# Pictures


def shown_size(picture):
    """The size of a picture on a page, in CSS pixels: that of its letters, if known."""
    dots_an_inch = picture.info.get("dpi", (None,))[0]
    scale = ENLARGED * 96 / dots_an_inch if dots_an_inch else 1
    return [round(scale * pixels) for pixels in picture.size]


def place_pictures(app, pagename, templatename, context, doctree):
    """Give each picture its size, load it late, and let it open at full size."""
    files = {name: path for path, (_, name) in app.env.images.items()}

    def placed(found):
        path = Path(app.srcdir, files[found["name"]])
        with Image.open(path) as picture:
            width, height = shown_size(picture)
        image = (
            f'<img {found["attributes"]} width="{width}" height="{height}"'
            ' loading="lazy" decoding="async" />'
        )
        return f'<a class="enlarge" href="{found["address"]}">{image}</a>'

    context["body"] = PICTURE.sub(placed, context.get("body") or "")


def difference(one, other):
    """How far the pixels of two pictures differ, at most over the three channels."""
    red, green, blue = ImageChops.difference(one, other).split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def with_palette(picture):
    """A picture with a palette; as it is, if that would be seen."""
    opaque = picture.convert("RGBA").getextrema()[3] == (255, 255)
    if not opaque:
        return picture
    plain = picture.convert("RGB")
    for method in (Image.Quantize.FASTOCTREE, Image.Quantize.MEDIANCUT):
        reduced = plain.quantize(COLORS, method=method, dither=Image.Dither.NONE)
        differs = difference(plain, reduced.convert("RGB"))
        pixels = differs.histogram()
        if (
            sum(pixels[VISIBLE + 1 :]) <= FEW * sum(pixels)
            and differs.getpixel((0, 0)) <= ON_GROUND
        ):
            return reduced
    return plain


def shrink(path):
    """Write a picture anew, with a palette."""
    with Image.open(path) as picture:
        light = with_palette(picture)
    light.save(path, optimize=True)


def shrink_pictures(app, exception):
    """Shrink the pictures of the built site, as many at a time as there are cores."""
    if exception is None and app.builder.name == "html":
        with ThreadPoolExecutor() as pool:
            list(pool.map(shrink, Path(app.outdir, "_images").glob("*.png")))


# Notebooks


def empty_notebooks(app, exception):
    """Remove the outputs of the notebooks that readers can download."""
    if exception is None and app.builder.name == "html":
        for path in Path(app.outdir, "_sources").rglob("*.ipynb"):
            notebook = nbformat.read(path, as_version=4)
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    cell.outputs, cell.execution_count = [], None
            nbformat.write(notebook, path)


def setup(app):
    """Register with Sphinx."""
    app.add_css_file("lean_pages.css")
    app.connect("html-page-context", place_pictures)
    # The theme writes the style of its two schemes when a build ends.
    app.connect("build-finished", lighten_code, priority=700)
    app.connect("build-finished", shrink_pictures)
    app.connect("build-finished", empty_notebooks)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
