"""Command-line options made from the fields of configuration classes, with argparse."""

import argparse
import ast
import dataclasses
import difflib
import inspect
import itertools
import json
import textwrap
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from dpgcourse.errors import InvalidInputError


class CommandParser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, raised as `InvalidInputError`."""

    def __init__(self, **kwargs):
        super().__init__(
            allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs
        )

    def error(self, message: str) -> NoReturn:
        """Raise the error as "NAME is VALUE; allowed: ..." where it is about an option."""
        kind, _, rest = message.partition(": ")
        if kind.startswith("argument ") and rest:
            name = kind.removeprefix("argument ").split("/")[0].lstrip("-").replace("-", "_")
            raise InvalidInputError(f"{name} {rest}")
        raise InvalidInputError(message)

    def parse(self, arguments: Iterable[str]) -> argparse.Namespace:
        """Parse options; underscores in their names are read as dashes.

        Raises:
            InvalidInputError: an unknown option, with the nearest known one, or a bad value.
        """
        found, unknown = self.parse_known_args([_dashed(text) for text in arguments])
        for text in unknown:
            name = text.partition("=")[0]
            known = [option for action in self._actions for option in action.option_strings]
            close = difflib.get_close_matches(name, known, n=1) if name.startswith("-") else []
            hint = f"; did you mean {close[0]}?" if close else f"; see {self.prog} --help"
            raise InvalidInputError(f"unknown option {name}{hint}")
        return found


def _dashed(text: str) -> str:
    name, equals, value = text.partition("=")
    return name.replace("_", "-") + equals + value if name.startswith("--") else text


def add_fields(
    parser: argparse.ArgumentParser, title: str, config_class: type, skip: Iterable[str] = ()
) -> None:
    """Add an option for each field of a dataclass; options that are not given leave no trace.

    Args:
        parser: gets the options.
        title: heading in the help.
        config_class: a dataclass whose fields are documented by a string below each.
        skip: names of fields without an option.
    """
    group = parser.add_argument_group(title)
    hints, texts = typing.get_type_hints(config_class), field_docs(config_class)
    for field in dataclasses.fields(config_class):
        if field.name in skip:
            continue
        group.add_argument(
            "--" + field.name.replace("_", "-"),
            dest=field.name,
            default=argparse.SUPPRESS,
            help=_help(texts.get(field.name, ""), field),
            **_reader(hints[field.name]),
        )


def field_docs(config_class: type) -> dict[str, str]:
    """The string below each field of a dataclass and of its bases."""
    docs: dict[str, str] = {}
    for cls in reversed(config_class.__mro__):
        if dataclasses.is_dataclass(cls):
            (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
            body = typing.cast(ast.ClassDef, tree).body
            for field, text in itertools.pairwise(body):
                if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
                    docs[ast.unparse(field.target)] = " ".join(ast.literal_eval(text.value).split())
    return docs


def _help(text: str, field: dataclasses.Field) -> str:
    default = field.default
    known = default not in (dataclasses.MISSING, None, ()) and "default" not in text
    if isinstance(default, tuple):
        default = " ".join(map(str, default))
    return (text + (f" Default {default}." if known else "")).replace("%", "%%").replace("`", "")


def _reader(hint: Any) -> dict[str, Any]:
    """The arguments of `add_argument` that read a type."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
        hint = kinds[0]
    if hint is bool:
        return {"action": argparse.BooleanOptionalAction}
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        read = number(int) if arguments[0] is int else str
        return {"nargs": "+", "type": read, "metavar": _metavar(arguments[0])}
    if origin is not None and issubclass(origin, Mapping):
        return {"nargs": "+", "action": _Pairs, "metavar": "NAME=VALUE"}
    if hint in (int, float):
        return {"type": number(hint), "metavar": _metavar(hint)}
    return {"metavar": "NAME"}


def _metavar(kind: Any) -> str:
    return {int: "N", float: "X"}.get(kind, "NAME")


def number(kind: type) -> Callable[[str], Any]:
    """A reader of whole numbers or of numbers, for `add_argument`."""

    def read(text: str) -> Any:
        try:
            return kind(text)
        except ValueError:
            what = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"is {text!r}; allowed: {what}") from None

    return read


class _Pairs(argparse.Action):
    """Collects NAME=VALUE, values as JSON or else as text."""

    def __call__(self, parser, namespace, values, option_string=None):
        pairs = {}
        for text in values:
            name, equals, value = text.partition("=")
            if not equals:
                parser.error(f"argument {option_string}: is {text!r}; allowed: NAME=VALUE")
            try:
                pairs[name] = json.loads(value)
            except json.JSONDecodeError:
                pairs[name] = value
        setattr(namespace, self.dest, pairs)


def about(function: Callable[..., Any]) -> str:
    """What a command says of itself: its docstring."""
    return "\n".join(line.strip() for line in (function.__doc__ or "").strip().splitlines())
