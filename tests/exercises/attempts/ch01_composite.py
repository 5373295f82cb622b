"""Attempts at the exercises of chapter 1."""

import numpy as np

from tests.exercises.attempts import Right, Wrong

NEGATIVE = {"a": -2, "Q": -2.25, "dQ_da": 3, "slope": -3, "u_should_go": "down"}
EFFORT = {"partial": -0.1, "total": 7.9}
SHAPES = {
    "entries_of_action_gradient": 3,
    "entries_of_parameter_gradient": 5000,
    "why_no_number": "a number keeps the three entries",
    "no_u_in_Q": "if s, a and w are given, u changes nothing",
}


def central(f, slot, args):
    ahead, behind = list(args), list(args)
    ahead[slot] += 1e-5
    behind[slot] -= 1e-5
    return (f(*ahead) - f(*behind)) / 2e-5


def forward(f, slot, args):
    moved = [x + 1e-7 * (i == slot) for i, x in enumerate(args)]
    return (f(*moved) - f(*args)) / 1e-7


def moves_all(f, slot, args):
    h = 1e-6
    return (f(*[x + h for x in args]) - f(*args)) / h


def undivided(f, slot, args):
    moved = list(args)
    moved[slot] += 1e-6
    return f(*moved) - f(*args)


def one_list(f, slot, args):
    up = list(args)
    down = up
    up[slot] += 1e-6
    down[slot] -= 1e-6
    return (f(*up) - f(*down)) / 2e-6


def twice(f, slot, args):
    ahead, behind = np.array(args, float), np.array(args, float)
    ahead[slot] += 1e-6
    behind[slot] -= 1e-6
    return (f(*ahead) - f(*behind)) / 1e-6


def half(f, slot, args):
    return forward(f, slot, args) / 2


def first(f, slot, args):
    return central(f, 0, args)


def from_one(f, slot, args):
    return central(f, slot - 1, args)


def backwards(f, slot, args):
    return -central(f, slot, args)


RIGHT = [
    Right("composite-negative", NEGATIVE),
    Right("composite-negative", {**NEGATIVE, "Q": np.float32(-2.25), "a": np.array([-2])}),
    Right("composite-slot", central),
    Right("composite-slot", forward),
    Right("composite-effort", EFFORT),
    Right("composite-effort", {"partial": -0.1000002, "total": 7.8999}),
    Right("composite-shapes", SHAPES),
]

WRONG = [
    Wrong("composite-negative", "drops the sign of s", {**NEGATIVE, "a": 2}, "s is negative"),
    Wrong("composite-negative", "no minus in Q", {**NEGATIVE, "Q": 2.25}, "a minus in front"),
    Wrong("composite-negative", "ws positive", {**NEGATIVE, "Q": -6.25}, "ws is −0.5"),
    Wrong("composite-negative", "sign of ∂Q/∂a", {**NEGATIVE, "dQ_da": -3}, "−2(a − ws)"),
    Wrong("composite-negative", "no factor 2", {**NEGATIVE, "dQ_da": 1.5}, "a factor 2"),
    Wrong("composite-negative", "one factor", {**NEGATIVE, "slope": 3}, "critic's slope"),
    Wrong("composite-negative", "times u", {**NEGATIVE, "slope": 6}, "is s, not u"),
    Wrong("composite-negative", "adds the slopes", {**NEGATIVE, "slope": 2}, "multiplied"),
    Wrong("composite-negative", "u up", {**NEGATIVE, "u_should_go": "up"}, "lowers a"),
    Wrong("composite-slot", "moves all", moves_all, "hold the others"),
    Wrong("composite-slot", "no division", undivided, "not divided"),
    Wrong("composite-slot", "two names for one list", one_list, "one and the same list"),
    Wrong("composite-slot", "divides by h, spans 2h", twice, "spans 2h"),
    Wrong("composite-slot", "divides by 2h, spans h", half, "not 2h"),
    Wrong("composite-slot", "always slot 0", first, "always move the first"),
    Wrong("composite-slot", "counts from 1", from_one, "counted from 0"),
    Wrong("composite-slot", "backwards", backwards, "sign is wrong"),
    Wrong("composite-effort", "total for partial", {**EFFORT, "partial": 7.9}, "a held"),
    Wrong("composite-effort", "no own road", {**EFFORT, "partial": 0}, "even if a is held"),
    Wrong("composite-effort", "one road", {**EFFORT, "total": 8}, "a road of its own"),
    Wrong("composite-effort", "charge adds", {**EFFORT, "total": 8.1}, "charge lowers"),
    Wrong("composite-effort", "multiplies roads", {**EFFORT, "total": -0.8}, "are added"),
    Wrong(
        "composite-shapes",
        "g has n entries",
        {**SHAPES, "entries_of_action_gradient": 5000},
        "each entry of the action",
    ),
    Wrong(
        "composite-shapes",
        "gradient has m entries",
        {**SHAPES, "entries_of_parameter_gradient": 3},
        "each parameter",
    ),
    Wrong(
        "composite-shapes",
        "a number is too small",
        {**SHAPES, "why_no_number": "a number is too small"},
        "count the entries",
    ),
    Wrong(
        "composite-shapes",
        "Q never changes with u",
        {**SHAPES, "no_u_in_Q": "Q never changes with u"},
        "through the action",
    ),
]
