"""Style sheets joined into one, without the rules and the fonts that no page needs."""

import posixpath
import re

from fontTools import subset
from fontTools.ttLib import TTFont

ICON_FONT = "vendor/fontawesome/webfonts/fa-solid-900"
CHARSET = '@charset "UTF-8";'
NESTED = ("@media", "@supports", "@container", "@layer")
IMPORT = re.compile(r'@import "([^"]+)";')
URL = re.compile(r"url\(\s*(['\"]?)(?!data:|#|[a-z]+:|/)([^'\")]+)\1\s*\)")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
LICENSE = re.compile(r"/\*!.*?\*/", re.DOTALL)
PIECE = re.compile(
    r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|[{};]|[^{};"\'/]+|/', re.DOTALL
)
FUNCTION = re.compile(r":(?:not|is|where|has)\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\]")
NAME = re.compile(r"[.#](-?[A-Za-z_][\w-]*)")
FACE = re.compile(r"@font-face\{([^{}]*)\}")
ICON = re.compile(r'content:"\\([ef][0-9a-f]{3})"')
SOURCE_MAP = re.compile(
    r"^//# sourceMappingURL=.*$|/\*# sourceMappingURL=.*?\*/", re.MULTILINE
)


def styles_of(site, name):
    """A style sheet with what it imports; its addresses start at ``_static``."""
    folder = posixpath.dirname(name)

    def moved(found):
        address = posixpath.normpath(posixpath.join(folder, found[2]))
        return f"url({posixpath.relpath(address, '_static')})"

    def imported(found):
        return styles_of(site, posixpath.normpath(posixpath.join(folder, found[1])))

    text = SOURCE_MAP.sub("", (site / name).read_text(encoding="utf-8"))
    return IMPORT.sub(imported, URL.sub(moved, text)).replace(CHARSET, "")


def joined_styles(site, sheets, names):
    """All style sheets one after the other, without what no page needs."""
    css = "\n".join(styles_of(site, name) for name in sheets)
    licenses = LICENSE.findall(css)
    css = with_own_icons(site, pruned(COMMENT.sub("", css), names))
    return "\n".join([*licenses, without_unused_fonts(css)])


def blocks(css):
    """The top-level rules of a style sheet: what is before the brace, what inside."""
    before, inside, depth = [], [], 0
    for piece in PIECE.findall(css):
        if piece == "{":
            depth += 1
            if depth == 1:
                continue
        elif piece == "}":
            depth -= 1
            if depth == 0:
                yield "".join(before).strip(), "".join(inside).strip()
                before, inside = [], []
                continue
        elif piece == ";" and depth == 0:
            yield "".join(before).strip(), None
            before = []
            continue
        (inside if depth else before).append(piece)


def can_match(selector, names):
    """Whether the pages have every class and identifier that a selector names."""
    return names.issuperset(NAME.findall(FUNCTION.sub("", selector)))


def selectors_of(text):
    """The selectors of a rule."""
    depth, start = 0, 0
    for place, sign in enumerate(text):
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and depth == 0:
            yield text[start:place].strip()
            start = place + 1
    yield text[start:].strip()


def pruned(css, names):
    """A style sheet without the rules that no element of the pages can match."""
    kept = []
    for before, inside in blocks(css):
        before = re.sub(r"\s+", " ", before)
        if inside is None:
            kept.append(f"{before};")
        elif before.startswith(NESTED):
            rest = pruned(inside, names)
            kept += [f"{before}{{{rest}}}"] if rest else []
        elif before.startswith("@"):
            kept.append(f"{before}{{{inside}}}")
        else:
            found = [one for one in selectors_of(before) if can_match(one, names)]
            kept += [f"{','.join(found)}{{{inside}}}"] if found else []
    return "\n".join(kept)


def without_unused_fonts(css):
    """A style sheet without the fonts that no rule names."""
    rules = FACE.sub("", css)

    def keep(face):
        family = re.search(r"font-family:\s*[\"']?([^;\"'}]+)", face[1])[1].strip()
        return face[0] if family in rules else ""

    return FACE.sub(keep, css)


def names_in(site, pages):
    """Every class and identifier of the pages, and every word of a script."""
    found = set()
    for html in pages.values():
        for names in set(re.findall(r'\b(?:class|id)="([^"]*)"', html)):
            found.update(names.split())
    for script in site.rglob("*.js"):
        found.update(re.findall(r"[\w-]+", script.read_text(encoding="utf-8")))
    return found


def with_own_icons(site, css):
    """A style sheet whose icons come from a font with nothing else in it."""
    icons = {int(code, 16) for code in ICON.findall(css)}
    font = TTFont(site / "_static" / f"{ICON_FONT}.ttf", recalcTimestamp=False)
    subsetter = subset.Subsetter()
    subsetter.populate(unicodes=icons)
    subsetter.subset(font)
    font.flavor = "woff"
    font.save(site / "_static" / f"{ICON_FONT}.woff", reorderTables=False)
    css = FACE.sub(lambda face: "" if "fontawesome" in face[1] else face[0], css)
    return (
        f"{css}\n@font-face{{font-family:Font Awesome\\ 6 Free;font-weight:900;"
        f"font-display:block;src:url({ICON_FONT}.woff)}}"
    )
