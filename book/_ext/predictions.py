"""Questions with choices that answer: each choice has its reason, in a fold of its own.

```{prediction} name-of-the-question
The question.

- a choice

  Why it is wrong.
- another choice

  Right. Why it is right.
```

Without a script a page shows the choices, and each reason unfolds. ``predictions.js``
makes the choices selectable, and keeps them on the reader's own machine.
"""

import re

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

NAME = re.compile(r"[a-z0-9-]+")
RIGHT = re.compile(r"Right\b")


class Prediction(SphinxDirective):
    """A question, and a list of choices with reasons."""

    required_arguments = 1
    has_content = True

    def run(self):
        """The question as a group of choices."""
        name = self.arguments[0]
        if not NAME.fullmatch(name):
            raise self.error(
                f"the name is {name!r}; allowed: small letters, digits and dashes"
            )
        box = nodes.container(classes=["prediction"], ids=[f"predict-{name}"])
        self.state.nested_parse(self.content, self.content_offset, box)
        lists = [x for x in box.children if isinstance(x, nodes.bullet_list)]
        if len(lists) != 1 or box.children[-1] is not lists[0]:
            raise self.error(f"prediction {name} must end with one list of choices")
        right = 0
        for item in lists[0].children:
            choice, *reasons = item.children
            if not reasons:
                raise self.error(
                    f"prediction {name}: {choice.astext()!r} has no reason"
                )
            is_right = bool(RIGHT.match(reasons[0].astext()))
            right += is_right
            item["classes"] += ["right" if is_right else "wrong"]
            fold = '<details class="fold"><summary>If you choose this</summary>'
            item.children[1:] = []
            item += nodes.raw("", fold, format="html")
            item += reasons
            item += nodes.raw("", "</details>", format="html")
        if right != 1:
            raise self.error(
                f"prediction {name} has {right} right choices; allowed: one"
            )
        return [box]


def names_are_unique(app, env):
    """Refuse two questions with one name, since their choices would be kept as one."""
    seen = {}
    for page in sorted(env.found_docs):
        for box in env.get_doctree(page).findall(nodes.container):
            if "prediction" in box["classes"]:
                name = box["ids"][0]
                if name in seen:
                    raise ExtensionError(f"{name} is on {seen[name]} and on {page}")
                seen[name] = page


def setup(app):
    """Register with Sphinx."""
    app.add_directive("prediction", Prediction)
    app.add_css_file("predictions.css")
    app.add_js_file("predictions.js")
    app.connect("env-check-consistency", names_are_unique)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
