"""All entries in the order of the book, and the table that the book's ledger page shows."""

import importlib

from dpgcourse.equation_checks.entry import REGISTRY, Check, Entry

# The modules of this package that hold entries, in the order of the book.
CHAPTERS = (
    "intro",
    "composite",
    "chain_rule",
    "jacobians",
    "actor_step",
    "critic",
    "theorem",
    "lqr",
    "off_policy",
    "mechanisms",
    "by_hand",
    "ddpg",
    "fails",
    "beyond",
)


def entries(chapter: str | None = None) -> list[Entry]:
    """All entries, or those of one module of `CHAPTERS`, in the order in which they are written.

    Raises:
        ValueError: there is no such chapter.
    """
    if chapter is not None and chapter not in CHAPTERS:
        raise ValueError(f"chapter is {chapter!r}; allowed: {CHAPTERS}")
    for name in CHAPTERS:
        importlib.import_module(f"dpgcourse.equation_checks.{name}")
    return [
        entry
        for name in CHAPTERS
        for entry in REGISTRY.values()
        if chapter in (None, name) and entry.examples.__module__.endswith(f".{name}")
    ]


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
    """Run the checks of one chapter and set them in a table, in the MyST Markdown of the book.

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
