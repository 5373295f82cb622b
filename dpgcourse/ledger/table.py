"""All entries in the order of the book, and the table that the book's ledger page shows."""

import importlib

from dpgcourse.ledger.entry import REGISTRY, Check, Entry

# module of this package -> chapter, in the order of the book
CHAPTERS = {
    "intro": "Start here",
    "composite": "1. A composite function",
    "chain_rule": "2. The chain rule",
    "jacobians": "3. Jacobians and batches",
    "actor_step": "4. The actor step",
    "critic": "5. The critic",
    "theorem": "6. The theorem",
    "lqr": "7. LQR, the answer key",
    "off_policy": "8. Off-policy, and compatible critics",
    "ddpg": "11. DDPG",
}


def entries(chapter: str | None = None) -> list[Entry]:
    """All entries, or those of one module of `CHAPTERS`, in the order in which they are written.

    Raises:
        ValueError: there is no such chapter.
    """
    if chapter is not None and chapter not in CHAPTERS:
        raise ValueError(f"chapter is {chapter!r}; allowed: {list(CHAPTERS)}")
    for name in CHAPTERS:
        importlib.import_module(f"dpgcourse.ledger.{name}")
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
        return f"{check.error:.1f} s.e."
    return f"{check.error:.0e}" if check.error else "0"


def rows(chapter: str, results: dict[str, list[Check]]) -> str:
    """The table of one chapter, in the MyST Markdown of the book.

    Args:
        chapter: a key of `CHAPTERS`.
        results: label -> what its checks found.
    """
    lines = [
        "| equation | what it says | kind | computed by | checked by |",
        "|---|---|---|---|---|",
    ]
    for entry in entries(chapter):
        functions = ", ".join(f"`{name_of(f)}`" for f in entry.functions) or "the chapter"
        checks = ", ".join(f"{c.route} {_measured(c)}" for c in results[entry.label])
        says = entry.says.replace("|", "\\|")
        lines.append(f"| {{eq}}`{entry.label}` | {says} | {entry.kind} | {functions} | {checks} |")
    return "\n".join(lines)
