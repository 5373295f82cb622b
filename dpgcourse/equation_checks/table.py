"""All entries in the order of the book, and the tables that the book's ledger page shows.

Every module of this package whose name begins with ``ch`` and two digits holds the entries of one
chapter. It is named after the chapter's page, `page_of`, and is found by that name: there is no
list to extend.
"""

import importlib
import inspect
import pkgutil
import re

from dpgcourse import equation_checks
from dpgcourse.equation_checks.entry import REGISTRY, Check, Entry


def chapters() -> list[str]:
    """The modules with entries in the order of the book: "ch00_intro", "ch01_composite", ..."""
    names = [module.name for module in pkgutil.iter_modules(equation_checks.__path__)]
    return sorted(name for name in names if re.match(r"ch\d\d_", name))


def page_of(chapter: str) -> str:
    """The page, without its suffix, whose equations a module checks; 00 stands for no number.

    >>> page_of("ch03_jacobians"), page_of("ch00_intro")
    ('03_jacobians', 'intro')
    """
    return chapter.removeprefix("ch00_").removeprefix("ch")


def entries(chapter: str | None = None) -> list[Entry]:
    """All entries, or those of one of `chapters`, in the order in which they are written.

    Raises:
        ValueError: there is no such chapter.
    """
    found = chapters()
    if chapter is not None and chapter not in found:
        raise ValueError(f"chapter is {chapter!r}; allowed: {found}")
    modules = [_module(name).__name__ for name in found if chapter in (None, name)]
    registered = list(REGISTRY.values())
    return [entry for name in modules for entry in registered if entry.examples.__module__ == name]


def title(chapter: str) -> str:
    """The title of a chapter: the first line of its module's docstring, without the full stop.

    >>> title("ch07_lqr")
    'Chapter 7: LQR, the answer key'
    """
    docstring = inspect.getdoc(_module(chapter)) or chapter
    return docstring.splitlines()[0].removesuffix(".")


def _module(chapter: str):
    return importlib.import_module(f"{equation_checks.__name__}.{chapter}")


def name_of(function) -> str:
    """``theory.lqr.LQR.P`` for a function, method or property of the package."""
    function = getattr(function, "fget", function)
    return f"{function.__module__}.{function.__qualname__}".removeprefix("dpgcourse.")


def _measured(check: Check) -> str:
    if check.route == "Monte Carlo":
        found = f"{check.error:.1f} s.e."
    elif check.route == "worst case":
        found = "within"
    else:
        found = f"{check.error:.0e}" if check.error else "0"
    line = f"{check.route} {found}"
    return line.replace(" ", "\N{NO-BREAK SPACE}").replace("-", "\N{NON-BREAKING HYPHEN}")


def rows(chapter: str) -> str:
    """Run the checks of one of `chapters` and format them as a table in the book's MyST Markdown.

    Raises:
        AssertionError: a check fails; the message names all that do.
        ValueError: there is no such chapter.
    """
    lines = ["| equation | claim, and what computes it | checked by |", "|---|---|---|"]
    failed = []
    for entry in entries(chapter):
        checks = entry.run()
        failed += [f"{entry.label} {_measured(check)}" for check in checks if not check.passed]
        claim = [f"*{entry.kind.capitalize()}.* {entry.says}".replace("|", "\\|")]
        claim += [f"`{name_of(function)}`" for function in entry.functions]
        found = [_measured(check) for check in checks]
        lines.append(f"| {{eq}}`{entry.label}` | {'<br>'.join(claim)} | {'<br>'.join(found)} |")
    assert not failed, f"not within tolerance: {', '.join(failed)}"
    return "\n".join(lines)
