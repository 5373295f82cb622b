"""What the accessibility checker axe says about a page, in seconds instead of minutes.

Measuring the contrast of every text takes axe 20 s on a page of formulas. Texts that look alike
have the same contrast, so it measures two of each look, that is, of each combination of color,
background, opacity, size and weight. The glyphs of other formulas are taken out, the MathML,
which a screen reader reads, becomes one text, and so does code. Contrast is measured last, on a
page that has nothing left but the texts to measure and what contains them.
"""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

_MARK_LOOKS = """() => {
  const seen = new Map();
  const visit = (element, above) => {
    const style = getComputedStyle(element);
    const solid = style.backgroundColor.startsWith("rgb(");
    const backdrop = (solid ? "" : above.backdrop) + style.backgroundColor + style.backgroundImage;
    const here = { backdrop, opacity: above.opacity * style.opacity };
    const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (text && element.checkVisibility({ visibilityProperty: true })) {
      const { color, fontSize, fontWeight } = style;
      const look = [color, fontSize, fontWeight, here.backdrop, here.opacity].join();
      seen.set(look, (seen.get(look) ?? 0) + 1);
      if (seen.get(look) <= 2) element.dataset.look = "";
    }
    for (const child of element.children) visit(child, here);
  };
  visit(document.body, { backdrop: "", opacity: 1 });
}"""
_SHORTEN = """() => {
  for (const glyphs of document.querySelectorAll(".katex-html:not(:has([data-look]))"))
    glyphs.remove();
  for (const mathml of document.querySelectorAll(".katex-mathml math"))
    mathml.replaceChildren(mathml.textContent);
  for (const token of document.querySelectorAll("pre span:not([data-look])"))
    token.replaceWith(...token.childNodes);
}"""
_MEASURE_MARKED = """() => axe.configure({
  rules: [{ id: "color-contrast", selector: "[data-look]" }],
})"""
_KEEP_MARKED = """() => {
  for (const element of document.body.querySelectorAll("*:not([data-look], :has([data-look]))"))
    element.remove();
}"""
_CONTRAST = "color-contrast"


def in_scheme(page: Page, scheme: str) -> Page:
    """Switch an open page to "light" or "dark", and wait until it has followed."""
    page.emulate_media(color_scheme=scheme)
    page.locator(f"html[data-theme={scheme}]").wait_for(state="attached")
    return page


def violations(page: Page) -> dict[str, list[tuple[str, list[str]]]]:
    """What is wrong with an open page in each scheme: what the rule says, and which elements.

    The page is changed by it.
    """
    page.add_style_tag(content="* { transition: none !important }")  # no color on its way
    for scheme in ("dark", "light"):
        in_scheme(page, scheme).evaluate(_MARK_LOOKS)
    page.evaluate(_SHORTEN)
    page.evaluate(AXE_SCRIPT)
    page.evaluate(_MEASURE_MARKED)
    light = _run(page, {"rules": {_CONTRAST: {"enabled": False}}})
    page.evaluate(_KEEP_MARKED)
    light += _run(page, {"runOnly": [_CONTRAST]})
    return {"light": light, "dark": _run(in_scheme(page, "dark"), {"runOnly": [_CONTRAST]})}


def _run(page: Page, options: dict) -> list[tuple[str, list[str]]]:
    of_one_sign_too = {_CONTRAST: {"options": {"ignoreLength": True}}}
    options = {"resultTypes": ["violations"], "checks": of_one_sign_too, **options}
    found = page.evaluate("(options) => axe.run(options)", options)["violations"]
    return [(rule["help"], [node["html"] for node in rule["nodes"]]) for rule in found]
