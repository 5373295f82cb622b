"""Find chapters by number, name or path, and say which of their cells are folded."""

import re
from collections.abc import Iterable
from pathlib import Path

from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]


class UnknownChapterError(ValueError):
    """No chapter has this name; the message lists those that there are."""


def find(names: Iterable[str] = (), book: Path = ROOT / "book") -> list[Path]:
    """The notebooks of chapters, in the order asked for.

    Args:
        names: ``"11"``, ``"ddpg"``, ``"11_ddpg"``, ``"intro"`` or the path of a notebook; none for
            all chapters.
        book: the folder of the chapters.

    Raises:
        UnknownChapterError: a name that fits no chapter.
    """
    known = sorted(book.glob("*.ipynb"))
    names = list(names)
    return [_find(name, known) for name in names] if names else known


def module_of(page: str, book: Path = ROOT / "book") -> str:
    """The module of `dpgcourse.equation_checks` that checks the equations of a page.

    An appendix belongs to its chapter: "ch05_critic" for "05_critic" and for "appendix_05".
    Pages without a number get 00.
    """
    if appendix := re.fullmatch(r"appendix_(\d\d)", page):
        page = next((path.stem for path in book.glob(f"{appendix[1]}_*.ipynb")), page)
    return f"ch{page}" if re.match(r"\d\d_", page) else f"ch00_{page}"


def folding(cell: NotebookNode) -> dict[str, bool] | None:
    """The metadata `jupyter` that folds in JupyterLab what the page folds; else none."""
    return {"source_hidden": True} if "hide-input" in cell.metadata.get("tags", []) else None


def _find(name: str, known: list[Path]) -> Path:
    path = Path(name)
    if path.suffix == ".ipynb" and path.is_file():
        return path
    for chapter in known:
        number, title = re.fullmatch(r"(?:(\d+)_)?(.*)", chapter.stem).groups()
        if name in (chapter.stem, title) or (
            number and name.isdigit() and int(name) == int(number)
        ):
            return chapter
    listed = ", ".join(chapter.stem for chapter in known) or "none"
    raise UnknownChapterError(f"there is no chapter {name!r}; there are: {listed}")
