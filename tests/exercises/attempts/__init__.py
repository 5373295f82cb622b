"""Right and wrong answers to the exercises, one module per chapter, as readers might write them.

They are written without the code of the checkers. Every wrong answer says which words of its own
hint the reader must see.
"""

from typing import Any, NamedTuple


class Wrong(NamedTuple):
    """A wrong answer.

    Attributes:
        exercise: label of the exercise.
        mistake: what is wrong in it, for the name of the test.
        answer: a function, or values by name.
        hint: words of the hint that names this mistake; empty if it is rejected without a name.
    """

    exercise: str
    mistake: str
    answer: Any
    hint: str


class Right(NamedTuple):
    """A right answer: a function, or values by name."""

    exercise: str
    answer: Any
