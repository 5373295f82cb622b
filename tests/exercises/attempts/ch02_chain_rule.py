"""Attempts at the exercises of chapter 2."""

import math

import numpy as np
import torch

from tests.exercises.attempts import Right, Wrong

WIGGLE = {
    "slope_of_mu": 0,
    "why_the_proof_fails": "Δa is zero arbitrarily close to 0",
    "slope_of_ell": 0,
}
DIAGNOSE = {"A": "arrived", "B": "flat critic", "C": "saturated", "D": "look after the gradient"}


def by_autograd(s, u):
    u = torch.tensor(float(u), dtype=torch.float64, requires_grad=True)
    (u * s + u**2).backward()
    return u.grad


def four(s, u, w):
    b = math.tanh(s * u)
    return [s, 1 - b * b, 2, 2 * (w * s - 2 * b)]


def four_as_array(s, u, w):
    z = s * u
    return np.array([s, 1 / np.cosh(z) ** 2, 2.0, -2 * (2 * np.tanh(z) - s * w)])


def changed(position, new):
    def answer(s, u, w):
        slopes = four(s, u, w)
        slopes[position] = new(s, u, w)
        return slopes

    return answer


def four_point(f, x, h):
    weights = {-2: 1, -1: -8, 1: 8, 2: -1}
    return sum(w * f(x + k * h) for k, w in weights.items()) / 12 / h


def extrapolated(f, x, h):
    d1, d2 = (f(x + h) - f(x - h)) / (2 * h), (f(x + 2 * h) - f(x - 2 * h)) / (4 * h)
    return d1 + (d1 - d2) / 3


def weighted(a, b, divisor):
    """The four points with other weights and another divisor."""

    def answer(f, x, h):
        near, far = f(x + h) - f(x - h), f(x + 2 * h) - f(x - 2 * h)
        return (a * near + b * far) / divisor(h)

    return answer


RIGHT = [
    Right("chain-fourth", four_point),
    Right("chain-fourth", extrapolated),
    Right("chain-bent", lambda s, u: 2 * u + s),
    Right("chain-bent", by_autograd),
    Right("chain-three", four),
    Right("chain-three", four_as_array),
    Right("chain-wiggle", WIGGLE),
    Right("chain-diagnose", DIAGNOSE),
]

WRONG = [
    Wrong("chain-bent", "without u²", lambda s, u: s, "u² moves the action too"),
    Wrong("chain-bent", "u² → u", lambda s, u: u + s, "2u, not u."),
    Wrong("chain-bent", "without us", lambda s, u: u + u, "us moves the action too"),
    Wrong("chain-bent", "slope in s", lambda s, u: u, "slope in s"),
    Wrong("chain-bent", "the action", lambda s, u: u * (s + u), "This is the action"),
    Wrong("chain-bent", "us for s", lambda s, u: s * u + 2 * u, "is s, not us"),
    Wrong("chain-bent", "s(1 + 2u)", lambda s, u: s * (1 + 2 * u), "does not multiply"),
    Wrong("chain-bent", "constant", lambda s, u: 3, "at one point only"),
    Wrong("chain-bent", "square kept", lambda s, u: s + u * u, "not u²"),
    Wrong("chain-bent", "sign", lambda s, u: -(s + 2 * u), "sign is wrong"),
    Wrong("chain-three", "reversed", lambda *x: four(*x)[::-1], "reverse order"),
    Wrong("chain-three", "u for s", changed(0, lambda s, u, w: u), "is s"),
    Wrong("chain-three", "1 − b", changed(1, lambda s, u, w: 1 - math.tanh(u * s)), "square is"),
    Wrong("chain-three", "1 − z²", changed(1, lambda s, u, w: 1 - (s * u) ** 2), "not 1 − z²"),
    Wrong("chain-three", "tanh", changed(1, lambda s, u, w: math.tanh(u * s)), "the value of tanh"),
    Wrong(
        "chain-three",
        "s again",
        changed(1, lambda s, u, w: s * (1 - math.tanh(u * s) ** 2)),
        "each link has its own",
    ),
    Wrong("chain-three", "2b", changed(2, lambda s, u, w: 2 * math.tanh(u * s)), "whatever b is"),
    Wrong("chain-three", "no 2", changed(2, lambda s, u, w: 1), "The third link doubles"),
    Wrong(
        "chain-three",
        "critic at b",
        changed(3, lambda s, u, w: -2 * (math.tanh(u * s) - w * s)),
        "taken at b",
    ),
    Wrong(
        "chain-three",
        "critic at us",
        changed(3, lambda s, u, w: -2 * (u * s - w * s)),
        "before the actuator",
    ),
    Wrong(
        "chain-three",
        "critic's sign",
        changed(3, lambda s, u, w: 2 * (2 * math.tanh(u * s) - w * s)),
        "minus a square",
    ),
    Wrong(
        "chain-three",
        "2b squared",
        changed(1, lambda s, u, w: 1 - (2 * math.tanh(u * s)) ** 2),
        "in the place of b",
    ),
    Wrong("chain-three", "product", lambda *x: np.prod(four(*x)), "one by one"),
    Wrong("chain-three", "three links", lambda *x: four(*x)[:2] + four(*x)[3:], "link is missing"),
    Wrong("chain-wiggle", "slope of mu 1", {**WIGGLE, "slope_of_mu": 1}, "at most |h|"),
    Wrong("chain-wiggle", "one factor", {**WIGGLE, "slope_of_ell": 6}, "the actor's slope"),
    Wrong(
        "chain-wiggle",
        "no derivative",
        {**WIGGLE, "why_the_proof_fails": "μ has no derivative at 0"},
        "by (a)",
    ),
    Wrong("chain-diagnose", "A flat", {**DIAGNOSE, "A": "flat critic"}, "the best one"),
    Wrong("chain-diagnose", "B arrived", {**DIAGNOSE, "B": "arrived"}, "does not say"),
    Wrong("chain-diagnose", "C flat", {**DIAGNOSE, "C": "flat critic"}, "slope is 5"),
    Wrong("chain-diagnose", "D saturated", {**DIAGNOSE, "D": "saturated"}, "can move"),
    Wrong("chain-fourth", "two points", weighted(1, 0, lambda h: 2 * h), "two more are 2h away"),
    Wrong("chain-fourth", "adds", weighted(8, 1, lambda h: 12 * h), "subtracted, not added"),
    Wrong("chain-fourth", "8 at the far points", weighted(-1, 8, lambda h: 12 * h), "belongs to"),
    Wrong("chain-fourth", "no 8", weighted(1, -1, lambda h: 12 * h), "8 is missing"),
    Wrong("chain-fourth", "no h", weighted(8, -1, lambda h: 12), "not divided by h"),
    Wrong("chain-fourth", "far points at h", weighted(7, 0, lambda h: 12 * h), "2h away, not h"),
    Wrong("chain-fourth", "/ 12 * h", weighted(8, -1, lambda h: 12 / h), "is another number"),
    Wrong("chain-fourth", "6h", weighted(8, -1, lambda h: 6 * h), "2 times what it should be"),
    Wrong("chain-fourth", "sign", weighted(-8, 1, lambda h: 12 * h), "sign is wrong"),
]
