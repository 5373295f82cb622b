"""Local Sphinx extension: the API reference, written from the docstrings at build time.

The package is parsed, not imported. Its docstrings are Markdown, with sections in
Google's style. Each public name becomes a description of Sphinx's Python domain, so
that its place in the page is called by its dotted name.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import zip_longest
from pathlib import Path

import griffe
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "dpgcourse"
PAGES = "book/api"
LEDGER = f"{PACKAGE}.equation_checks"  # its names stay out of the general index
LONGEST_VALUE = 60  # a longer value of a constant is not printed
TITLES = {
    "parameters": "Arguments",
    "attributes": "Attributes",
    "returns": "Returns",
    "yields": "Yields",
    "raises": "Raises",
    "warns": "Warns",
}
STARS = {"variadic positional": "*", "variadic keyword": "**"}
NAME = re.compile(r"(?<!`)`([A-Za-z_][\w.]*)`(?!`)")
DOCTEST = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)


# What there is


@cache
def package() -> griffe.Module:
    """The parsed package."""
    options = {
        "warnings": False,
        "returns_multiple_items": False,
        "returns_named_value": False,
    }
    parsed = griffe.load(
        PACKAGE,
        search_paths=[ROOT],
        docstring_parser="google",
        docstring_options=options,
    )
    for module in modules(parsed):
        add_pairs(module)
    return parsed


def add_pairs(module: griffe.Module) -> None:
    """Add what ``A, B = 1, 2`` assigns, which griffe leaves out."""
    for node in ast.parse(module.filepath.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            values = node.value.elts if isinstance(node.value, ast.Tuple) else ()
            texts = [ast.unparse(value) for value in values]
            for name, text in zip_longest(
                map(ast.unparse, node.targets[0].elts), texts
            ):
                found = griffe.Attribute(name, value=text, lineno=node.lineno)
                module.set_member(name, found)


def is_property(thing) -> bool:
    """Whether a member of a class is a property."""
    return "property" in thing.labels


@cache
def declared(path: Path) -> set[str]:
    """What the bodies of a module's classes assign or declare, as Class.name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        f"{cls.name}.{ast.unparse(target)}"
        for cls in ast.walk(tree)
        if isinstance(cls, ast.ClassDef)
        for node in cls.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    }


def members(parent) -> list:
    """The public names that a module or a class defines, in the source's order."""

    def counts(member) -> bool:
        if member.is_alias or member.is_module or member.name.startswith("_"):
            return False
        if (
            member.is_function
            or member.is_class
            or parent.is_module
            or is_property(member)
        ):
            return True
        return f"{parent.name}.{member.name}" in declared(parent.filepath)

    own = filter(counts, parent.members.values())
    return sorted(own, key=lambda member: member.lineno or 0)


def modules(module) -> Iterator:
    """A module and those below it, in alphabetical order, but no empty ones."""
    if module.docstring or members(module):
        yield module
    below = [m for m in module.members.values() if not m.is_alias and m.is_module]
    for child in sorted(below, key=lambda m: m.name):
        if not child.name.startswith("_"):
            yield from modules(child)


@cache
def targets() -> dict:
    """Whatever a docstring can link to, by its dotted path."""
    found = {}

    def walk(parent) -> None:
        for member in members(parent):
            if member.is_class or member.is_function or is_property(member):
                found[member.path] = member
            if member.is_class:
                walk(member)

    for module in modules(package()):
        found[module.path] = module
        walk(module)
    return found


@cache
def front_door() -> dict[str, str]:
    """The names that the package itself offers, and the paths that they stand for."""
    stub = (ROOT / PACKAGE / "__init__.pyi").read_text(encoding="utf-8")
    return {
        alias.name: f"{PACKAGE}.{statement.module}.{alias.name}"
        for statement in ast.parse(stub).body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }


# Text


def find(name: str, scope) -> str | None:
    """The path of what a name means where a docstring uses it."""
    first, _, rest = name.partition(".")
    while scope is not None:
        member = scope.members.get(first)
        imported = member is not None and member.is_alias
        start = member.target_path if imported else f"{scope.path}.{first}"
        path = f"{start}.{rest}" if rest else start
        if path in targets() and not targets()[path].is_module:
            return path
        scope = scope.parent
    path = front_door().get(name.removeprefix(f"{PACKAGE}."), name)
    return path if path in targets() else None


def markdown(text: str, scope) -> str:
    """A docstring's text, with names as links and doctests as blocks of code."""

    def link(match) -> str:
        path = find(match[1], scope)
        if path is None or path == scope.path:
            return match[0]
        kind = "mod" if targets()[path].is_module else "obj"
        return f"{{py:{kind}}}`{match[1]} <{path}>`"

    parts, end = [], 0
    for block in DOCTEST.finditer(text):
        parts.append(NAME.sub(link, text[end : block.start()]))
        parts.append(f"```pycon\n{block[0]}\n```")
        end = block.end()
    return "".join([*parts, NAME.sub(link, text[end:])])


def type_text(expression) -> str:
    """A type as a signature shows it; `~` makes Sphinx shorten a name of ours."""
    if expression is None or isinstance(expression, str):
        return expression or ""
    parts = (
        f"~{part.canonical_path}" if is_ours(part) else str(part)
        for part in expression.iterate(flat=True)
    )
    return "".join(parts)


def is_ours(part) -> bool:
    """Whether a part of a type is a name that the reference describes."""
    return isinstance(part, griffe.ExprName) and part.canonical_path in targets()


def signature(function, bound: bool) -> str:
    """The arguments of a function, without the first if it is bound, and its result."""
    parts, starred = [], False
    for parameter in list(function.parameters)[bound:]:
        kind = parameter.kind.value
        if kind == "keyword-only" and not starred:
            parts.append("*")
        starred = starred or kind in ("keyword-only", "variadic positional")
        hint, default = type_text(parameter.annotation), parameter.default
        text = STARS.get(kind, "") + parameter.name + (f": {hint}" if hint else "")
        if default is not None and kind not in STARS:
            text += f" = {default}" if hint else f"={default}"
        parts.append(text)
    returns = type_text(function.returns) if function.name != "__init__" else ""
    return f"({', '.join(parts)})" + (f" -> {returns}" if returns else "")


def place(path: str) -> str:
    """A mark in the page that a link can name."""
    return f'<span id="{path}"></span>'


def definitions(title: str, terms: Iterable[tuple[str, str]]) -> Iterator[str]:
    """A titled list of terms, each with its explanation below it."""
    yield from (f"**{title}**", "")
    for term, text in terms:
        first, *rest = text.splitlines() or [""]
        yield from (term, f": {first}", *(f"  {line}" for line in rest), "")


def docstring(thing) -> Iterator[str]:
    """The docstring of anything; of a class, every value that its body declares too."""
    fields = (
        {m.name: m for m in members(thing) if is_field(m)} if thing.is_class else {}
    )
    yield from contents(thing)
    for section in thing.docstring.parsed if thing.docstring else ():
        kind, title = section.kind.value, TITLES.get(section.kind.value)
        if title is None:
            yield from markdown(section.value, thing).splitlines()
        elif kind in ("parameters", "attributes"):
            terms = []
            for item in section.value:
                names = names_of(item)
                placed = [
                    n for n in names if fields.pop(n, None) or kind == "attributes"
                ]
                marks = [place(f"{thing.path}.{name}") for name in placed]
                term = ", ".join(f"`{name}`" for name in names)
                terms.append(
                    ("".join([*marks, term]), markdown(item.description, thing))
                )
            yield from definitions(title, terms)
        elif kind in ("raises", "warns"):
            yield from definitions(
                title,
                (
                    (f"`{e.annotation}`", markdown(e.description, thing))
                    for e in section.value
                ),
            )
        else:
            yield from (f"**{title}**", "")
            yield from markdown(section.value[0].description, thing).splitlines()
        yield ""
    if fields:
        yield from definitions("Attributes", map(field_term, fields.values()))


def contents(thing) -> Iterator[str]:
    """What a constant holds: names as a list, names with their meanings as a table."""
    try:
        value = ast.literal_eval(str(thing.value))
    except (AttributeError, SyntaxError, ValueError):
        return
    if isinstance(value, dict) and all(isinstance(v, str) for v in value.values()):
        yield from ("| name | meaning |", "|---|---|")
        yield from (f"| `{name}` | {text} |" for name, text in value.items())
        yield ""
    elif isinstance(value, tuple | list) and len(str(value)) > LONGEST_VALUE:
        yield from (", ".join(f"`{item}`" for item in value), "")


def arguments(cls) -> list:
    """The arguments of a class, by name; none if it does not say."""
    start = cls.all_members.get("__init__")
    return [p.name for p in start.parameters] if start is not None else []


def names_of(item) -> list[str]:
    """The names of an item such as ``low, high: bounds``."""
    several = item.name.endswith(",")  # griffe takes what follows for a type
    text = f"{item.name} {item.annotation}" if several else item.name
    return [name.strip(" *") for name in text.split(",")]


def is_field(member) -> bool:
    """Whether a member of a class is a value."""
    return member.is_attribute and not is_property(member)


def field_term(field) -> tuple[str, str]:
    """A value of a class as a term and its explanation."""
    value = "" if field.name in arguments(field.parent) else value_text(field)
    term = f"{place(field.path)}`{field.name}`" + (f" = `{value}`" if value else "")
    if field.docstring:
        return term, markdown(field.docstring.value, field.parent)
    return (
        term,
        f"of type `{field.annotation}`" if field.annotation else "a class attribute",
    )


def value_text(thing) -> str:
    """The value of a constant, if it is short."""
    text = "" if thing.value is None else str(thing.value)
    computed = len(text) > LONGEST_VALUE or "\n" in text or text.startswith("field(")
    return "" if computed else text


# Descriptions


def write(thing, depth: int = 0) -> Iterator[str]:
    """Everything about a class, a function, a constant, a method or a property."""
    kind, head, options = describe(thing)
    fence = "`" * (8 - 2 * depth)  # longer than those inside
    if thing.path.startswith(LEDGER):
        options = [*options, "no-index-entry:"]
    yield from (f"{fence}{{py:{kind}}} {head}", *(f":{line}" for line in options), "")
    if thing.is_class:
        bases = [
            markdown(f"`{base}`", thing) for base in thing.bases if str(base) != "ABC"
        ]
        if bases:
            yield from (f"A subclass of {', '.join(bases)}.", "")
    yield from docstring(thing)
    if thing.is_class:
        for member in members(thing):
            if not is_field(member):
                yield from write(member, depth + 1)
    yield from (fence, "")


def describe(thing) -> tuple[str, str, list[str]]:
    """The directive that describes a thing, its first line, and its options."""
    if thing.is_class:
        start = thing.all_members.get("__init__")
        known = start is not None and start.is_function
        return "class", thing.name + (signature(start, bound=True) if known else ""), []
    if thing.is_function and thing.parent.is_class:
        kinds = [
            k
            for k in ("classmethod", "staticmethod", "abstractmethod")
            if k in thing.labels
        ]
        head = thing.name + signature(thing, bound="staticmethod" not in kinds)
        return "method", head, [f"{kind}:" for kind in kinds]
    if thing.is_function:
        return "function", thing.name + signature(thing, bound=False), []
    if is_property(thing):
        hint = type_text(thing.annotation)
        return "property", thing.name, [f"type: {hint}"] if hint else []
    value = value_text(thing)
    return "data", thing.name, [f"value: {value}"] if value else []


def room(path: str) -> Iterator[str]:
    """Everything about the modules at and below a path."""
    for module in modules(package()[path.removeprefix(f"{PACKAGE}.")]):
        yield from (f"```{{py:module}} {module.path}", "```", "")
        yield from (f"## `{module.path.removeprefix(f'{PACKAGE}.')}`", "")
        yield from docstring(module)
        yield ""
        for member in members(module):
            yield from write(member)


def front_table() -> Iterator[str]:
    """The names of the front door in a table: functions, classes, errors."""

    def order(entry) -> tuple:
        name, path = entry
        return targets()[path].is_class, name.endswith("Error"), name.lower()

    yield from ("| name | what it is |", "|---|---|")
    for name, path in sorted(front_door().items(), key=order):
        thing = targets()[path]
        summary = thing.docstring.value.split("\n\n")[0].replace("\n", " ")
        sentence = re.split(r"(?<=\.) (?=[A-Z])", summary)[0]
        link = f"{{py:obj}}`{name} <{path}>`"
        yield f"| {place(f'{PACKAGE}.{name}')}{link} | {markdown(sentence, thing)} |"


class ApiReference(SphinxDirective):
    """``{api} dpgcourse.agents``: a room or module; ``{api}``: the front door."""

    optional_arguments = 1

    def run(self):
        """Write the docstrings as Markdown and let the parser of the page read it."""
        for module in modules(package()):
            self.env.note_dependency(str(module.filepath))
        lines = room(self.arguments[0]) if self.arguments else front_table()
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


SIGNATURE = re.compile(r'<dt class="sig .*?</dt>', re.DOTALL)
LINES = {
    "<dl>": '<span class="sig-lines">',
    "</dl>": "</span>",
    "<dd>": '<span class="sig-line">',
    "</dd>": "</span>",
}


def mend_signatures(app, pagename, templatename, context, doctree):
    """Sphinx writes the lines of a long signature as a list without terms."""
    if pagename.startswith(PAGES):
        context["body"] = SIGNATURE.sub(
            lambda found: re.sub("</?d[ld]>", lambda tag: LINES[tag[0]], found[0]),
            context["body"],
        )


def add_style(app, pagename, templatename, context, doctree):
    """The style sheet of these pages, and of the general index."""
    if pagename.startswith((PAGES, "genindex")):
        app.add_css_file("api.css")


def setup(app):
    """Register with Sphinx."""
    app.add_directive("api", ApiReference)
    app.connect("html-page-context", add_style)
    app.connect("html-page-context", mend_signatures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
