"""Exercises of chapter 1, the composite function."""

from collections.abc import Callable

import numpy as np

from dpgcourse.exercises.exercise import AnswersExercise, Asked, FunctionExercise, Mistake


def _bowl(s, a, w):
    return -((a - w * s) ** 2)


def _mixed(x, y):
    return x**2 * y


def _wave(p, q, r, t):
    return np.sin(p) * q + r * t**3


# The functions that are tried, each with its partial derivatives, slot by slot.
_PARTIALS: dict[Callable, tuple[Callable, ...]] = {
    _bowl: (
        lambda s, a, w: 2 * w * (a - w * s),
        lambda s, a, w: -2 * (a - w * s),
        lambda s, a, w: 2 * s * (a - w * s),
    ),
    _mixed: (lambda x, y: 2 * x * y, lambda x, y: x**2),
    _wave: (
        lambda p, q, r, t: np.cos(p) * q,
        lambda p, q, r, t: np.sin(p),
        lambda p, q, r, t: t**3,
        lambda p, q, r, t: 3 * r * t**2,
    ),
}


def _slots(rng):
    for f, slopes in _PARTIALS.items():
        for slot in range(len(slopes)):
            yield f, slot, tuple(rng.uniform(0.5, 2, size=len(slopes)).round(2).tolist())


def _partial(f, slot, args):
    return _PARTIALS[f][slot](*args)


def _total(f, slot, args):
    return sum(slope(*args) for slope in _PARTIALS[f])


EXERCISES = (
    AnswersExercise(
        label="composite-negative",
        asked={
            "a": Asked(-2, {2: "a = us, and s is negative.", 1: "a = us = 2 · (−1)."}),
            "Q": Asked(
                -2.25,
                {
                    2.25: "Q has a minus in front of its square.",
                    -6.25: "ws is −0.5, so a − ws is −2 + 0.5.",
                    -1.5: "Q is minus the square of a − ws.",
                },
            ),
            "dQ_da": Asked(
                3,
                {
                    -3: "The derivative of −(a − ws)² is −2(a − ws), and a − ws is negative.",
                    1.5: "The square brings a factor 2.",
                    5: "ws is −0.5, so a − ws is −2 + 0.5.",
                },
            ),
            "slope": Asked(
                -3,
                {
                    3: "This is the critic's slope. The action moves by s = −1 when u moves by 1: "
                    "multiply by the actor's slope.",
                    6: "The actor's slope is s, not u.",
                    2: "Slopes along a road are multiplied, not added.",
                },
            ),
            "u_should_go": Asked(
                "down",
                {"up": "The action should go up, and a = us with s = −1: a larger u lowers a."},
            ),
        },
        checked="the action, the value, both slopes and the direction",
    ),
    FunctionExercise(
        label="composite-slot",
        name="partial",
        parameters=("f", "slot", "args"),
        cases=_slots,
        right=_partial,
        checked="three functions of two, three and four arguments, every slot",
        mistakes=(
            Mistake(
                "You move every argument. Move the one in this slot and hold the others.", _total
            ),
            Mistake(
                "The values are nearly zero: the difference is not divided by the distance of the "
                "two points, or both points are one and the same list.",
                lambda f, slot, args: 0.0,
            ),
            Mistake(
                "A central difference spans 2h: divide by 2h, not by h.",
                lambda f, slot, args: 2 * _partial(f, slot, args),
            ),
            Mistake(
                "The points are h apart, not 2h: divide by their distance.",
                lambda f, slot, args: _partial(f, slot, args) / 2,
            ),
            Mistake(
                "You always move the first argument. Move the one in this slot.",
                lambda f, slot, args: _partial(f, 0, args),
            ),
            Mistake(
                "Slots are counted from 0, as Python counts: you move the one before.",
                lambda f, slot, args: _partial(f, slot - 1, args),
            ),
        ),
        rtol=1e-3,
        atol=1e-3,
    ),
    AnswersExercise(
        label="composite-effort",
        asked={
            "partial": Asked(
                -0.1,
                {
                    7.9: "This is the total derivative. With a held, only −0.1u² moves.",
                    0: "u stands in the term −0.1u², so F moves even if a is held.",
                    -0.2: "The derivative of −0.1u² is −0.2u, and u is 0.5.",
                    -0.05: "The square brings a factor 2.",
                },
            ),
            "total": Asked(
                7.9,
                {
                    8: "This is the road through the action alone. u also has a road of its own.",
                    8.1: "The charge lowers the value: its road has the slope −0.1.",
                    -0.1: "This holds a. In the total derivative a moves with u.",
                    -0.8: "Slopes along a road are multiplied; different roads are added.",
                    3.9: "The road through the action is the critic's slope times the slope s.",
                },
            ),
        },
        checked="the partial and the total derivative at the running point",
    ),
    AnswersExercise(
        label="composite-shapes",
        asked={
            "entries_of_action_gradient": Asked(
                3,
                {
                    5000: "The action gradient has one slope for each entry of the action.",
                    1: "Q is one number; its gradient has one slope for each entry of the action.",
                },
            ),
            "entries_of_parameter_gradient": Asked(
                5000,
                {
                    3: "The parameter gradient has one slope for each parameter.",
                    15000: "That is the number of entries of the actor's table of slopes.",
                },
            ),
            "why_no_number": Asked(
                "a number keeps the three entries",
                {
                    "a number is too small": "Size is not the trouble: count the entries.",
                    "numbers do not multiply vectors": "They do, and the vector keeps its length.",
                },
            ),
            "no_u_in_Q": Asked(
                "if s, a and w are given, u changes nothing",
                {
                    "Q never changes with u": "Q(s, μ(s,u), w) changes with u, through the action.",
                    "u is not a number": "It need not be one: think of what Q takes as arguments.",
                },
            ),
        },
        checked="both shapes and both reasons",
    ),
)
