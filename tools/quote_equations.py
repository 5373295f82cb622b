"""Quote the equations and exercises of the book, as they are when somebody has compared them.

    python -m tools.quote_equations eq-chain eq-dpg    these
    python -m tools.quote_equations 06_theorem         the formulas of a page that have no label
    python -m tools.quote_equations ex-chain-fourth    an exercise with its solution
    python -m tools.quote_equations --new              those that are not quoted yet

The ledger checks functions, not pages. So `tests/equation_checks/equations.json` keeps every
equation as it stood when somebody held it against its check. A test fails where a page says
something else. Compare the new equation with the check first, then quote it. A formula without a
label has no check; it is kept so that nobody changes it by accident. An exercise and its solution
have to ask and to answer the same; of both together a checksum is kept.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # when run as a script

from tests.book import rules

ROOT = Path(__file__).resolve().parents[1]
QUOTED = ROOT / "tests" / "equation_checks" / "equations.json"


def on_pages() -> dict[str, str | list[str]]:
    """Every displayed formula and every exercise, with spaces and line ends made equal.

    Returns:
        The label of an equation -> its formula; the name of a page -> its formulas without a label;
        the label of an exercise -> a checksum.
    """
    found: dict[str, str | list[str]] = {}
    pages = [*(ROOT / "book").glob("*.ipynb"), *(ROOT / "book").glob("*.md")]
    for page in sorted(pages):
        unlabeled = []
        for label, latex in rules.displayed(page):
            plain = " ".join(latex.split())
            if label:
                found[label] = plain
            else:
                unlabeled.append(plain)
        if unlabeled:
            found[page.stem] = unlabeled
        found |= {
            label: hashlib.sha256(" ".join(text.split()).encode("utf-8")).hexdigest()[:16]
            for label, text in rules.exercises(page)
        }
    return found


def read_quoted() -> dict[str, str | list[str]]:
    """The equations as they were when they were checked."""
    return json.loads(QUOTED.read_text(encoding="utf-8")) if QUOTED.exists() else {}


def main(arguments: list[str]) -> int | str:
    """Quote some equations anew; the exit status, or what went wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("labels", nargs="*")
    parser.add_argument("--new", action="store_true", help="all that are not quoted yet")
    given = parser.parse_args(arguments)
    now, before = on_pages(), read_quoted()
    labels = [*given.labels, *(label for label in now if given.new and label not in before)]
    for label in labels:
        if label not in now:
            return f"{label} is no equation or exercise, and no page with formulas without a label"
        print(f"{label}\n  before: {before.get(label)}\n  now:    {now[label]}")
    chosen = {label: now[label] for label in labels}
    kept = {label: latex for label, latex in {**before, **chosen}.items() if label in now}
    text = json.dumps(dict(sorted(kept.items())), indent=1, ensure_ascii=False)
    QUOTED.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
