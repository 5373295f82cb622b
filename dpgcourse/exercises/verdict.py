"""What a checker answers: a card in Jupyter, plain text elsewhere."""

import html
from dataclasses import dataclass
from typing import Any

import numpy as np

LONGEST = 300  # characters of a value on a card


@dataclass(frozen=True, repr=False)
class Verdict:
    """The answer to an attempt.

    Attributes:
        exercise: number and name of the exercise.
        passed: whether the answer is right.
        message: one sentence. If passed, what was verified; else the mistake.
        details: what was given, expected and received, as pairs of a name and a value.
    """

    exercise: str
    passed: bool
    message: str
    details: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        """Whether the answer is right, so that ``assert check(...)`` can be written."""
        return self.passed

    @property
    def headline(self) -> str:
        """The exercise, and whether the answer is right."""
        return f"{self.exercise}: {'right' if self.passed else 'not yet'}"

    def __str__(self) -> str:
        width = max((len(name) for name, _ in self.details), default=0)
        lines = [self.headline + ".", self.message]
        for name, value in self.details:
            first, *rest = value.split("\n")
            lines.append(f"  {name:{width}}  {first}")
            lines += [" " * (width + 4) + line for line in rest]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        color = "#1a7f37" if self.passed else "#b35900"  # readable on white and on black
        rows = "".join(
            f'<tr style="text-align: left"><th scope="row">{html.escape(name)}</th>'
            f'<td><pre style="margin: 0">{html.escape(value)}</pre></td></tr>'
            for name, value in self.details
        )
        return (
            f'<div style="border-left: 0.3em solid {color}; padding: 0.3em 0.8em">'
            f"<strong>{html.escape(self.headline)}.</strong> {html.escape(self.message)}"
            + (f"<table>{rows}</table>" if rows else "")
            + "</div>"
        )


def shown(value: Any) -> str:
    """A number, an array or anything else, short enough for a card."""
    if hasattr(value, "detach"):  # a tensor
        value = value.detach().numpy()
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, (bool, str)) or value is None:
        text = repr(value)
    elif isinstance(value, (int, float, np.number)):
        text = f"{value:.6g}"
    elif isinstance(value, np.ndarray):
        text = np.array2string(value, precision=4, suppress_small=True, threshold=30, edgeitems=2)
        if value.size > 30:
            text = f"shape {value.shape}\n{text}"
    elif isinstance(value, (tuple, list)):
        inside = ", ".join(map(shown, value))
        text = f"({inside})" if isinstance(value, tuple) else f"[{inside}]"
    else:
        text = _described(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _described(value: Any) -> str:
    try:
        return repr(value)
    except Exception as error:  # the reader's own class
        return f"a {type(value).__name__} whose repr raises {type(error).__name__}"
