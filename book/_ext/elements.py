"""HTML as a tree: what KaTeX writes, where each element is opened and closed."""

import re
from dataclasses import dataclass, field

TOKEN = re.compile(r'<(/?)([\w-]+)((?:\s+[\w:-]+="[^"]*")*)\s*(/?)>|([^<]+)')
ATTRIBUTE = re.compile(r'([\w:-]+)="([^"]*)"')
VOID = {"br", "img"}


@dataclass
class Element:
    """An element; its children are elements and texts."""

    tag: str
    classes: list[str] = field(default_factory=list)
    style: dict[str, str] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    children: list["Element | str"] = field(default_factory=list)

    def __str__(self):
        attributes = dict(self.others)
        if self.style:
            attributes["style"] = ";".join(f"{k}:{v}" for k, v in self.style.items())
        if self.classes:
            attributes = {"class": " ".join(self.classes), **attributes}
        opened = "".join(f' {name}="{value}"' for name, value in attributes.items())
        if self.tag in VOID:
            return f"<{self.tag}{opened}/>"
        return f"<{self.tag}{opened}>{''.join(map(str, self.children))}</{self.tag}>"

    def only_child(self):
        """Its child, if there is one only, and that is an element."""
        only = self.children[0] if len(self.children) == 1 else None
        return only if isinstance(only, Element) else None

    def has(self, name):
        """Whether it has a class."""
        return name in self.classes


def parse(html):
    """The elements of some HTML, as the children of one without a tag."""
    root = Element("")
    opened = [root]
    for closing, tag, attributes, closed, text in TOKEN.findall(html):
        if text:
            opened[-1].children.append(text)
        elif closing:
            opened.pop()
        else:
            others = dict(ATTRIBUTE.findall(attributes))
            others.pop("xmlns", None)  # HTML knows svg and math without
            style = others.pop("style", "")
            pairs = (part.partition(":") for part in style.split(";") if part)
            new = Element(
                tag,
                others.pop("class", "").split(),
                {name.strip(): value.strip() for name, _, value in pairs},
                others,
            )
            opened[-1].children.append(new)
            if not closed and tag not in VOID:
                opened.append(new)
    return root
