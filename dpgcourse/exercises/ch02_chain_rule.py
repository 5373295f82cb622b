"""Exercises of chapter 2, the chain rule."""

import numpy as np

from dpgcourse.exercises.exercise import AnswersExercise, Asked, FunctionExercise, Mistake

H = 1e-20  # step of the complex step: it has no rounding error, so it may be tiny


def _bent_slope(s, u):
    return ((s * (u + 1j * H)) + (u + 1j * H) ** 2).imag / H


def _links(s, u, w):
    """The four slopes, each by a complex step through its own link."""
    z = u * s
    b = np.tanh(z)
    a = 2 * b
    return (
        ((u + 1j * H) * s).imag / H,
        np.tanh(z + 1j * H).imag / H,
        (2 * (b + 1j * H)).imag / H,
        (-((a + 1j * H - w * s) ** 2)).imag / H,
    )


def _changed(position, new):
    """The four slopes with another one at a position; `new` gets s, u, w."""

    def gives(s, u, w):
        slopes = list(_links(s, u, w))
        slopes[position] = new(s, u, w)
        return tuple(slopes)

    return gives


def _quartics(rng):
    """Polynomials of degree four, for which the four-point difference is exact at any step."""
    for h in (0.5, 1.0, 0.1, 2.0):
        yield np.polynomial.Polynomial(rng.normal(size=5).round(2)), round(rng.normal(), 2), h


def _near(f, x, h):
    return f(x + h) - f(x - h)


EXERCISES = (
    FunctionExercise(
        label="chain-bent",
        name="actor_slope",
        parameters=("s", "u"),
        cases=lambda rng: [(2.0, 0.5), (2.0, 1.5), *rng.normal(size=(20, 2)).round(2).tolist()],
        right=_bent_slope,
        checked="22 pairs of s and u, by a complex step",
        mistakes=(
            Mistake("This is the slope of us alone; u² moves the action too.", lambda s, u: s),
            Mistake("The derivative of u² is 2u, not u.", lambda s, u: s + u),
            Mistake("The derivative of u² is 2u, not u².", lambda s, u: s + u**2),
            Mistake("This is the slope of u² alone; us moves the action too.", lambda s, u: 2 * u),
            Mistake("This is the slope in s. The actor's slope is the one in u.", lambda s, u: u),
            Mistake("This is the action. Its slope in u is asked for.", lambda s, u: u * s + u**2),
            Mistake(
                "The derivative of us with respect to u is s, not us.", lambda s, u: u * s + 2 * u
            ),
            Mistake(
                "The derivative of u² is 2u; s does not multiply it.", lambda s, u: s + 2 * u * s
            ),
            Mistake(
                "The slope is right at one point only: it depends on s and u.", lambda s, u: 3.0
            ),
        ),
    ),
    FunctionExercise(
        label="chain-three",
        name="four_slopes",
        parameters=("s", "u", "w"),
        cases=lambda rng: [(3.0, 0.0, 1.0), *rng.normal(size=(20, 3)).round(2).tolist()],
        right=_links,
        checked="21 triples of s, u and w, each link by a complex step",
        mistakes=(
            Mistake(
                "These are the right slopes in the reverse order; begin with u → z.",
                lambda s, u, w: _links(s, u, w)[::-1],
            ),
            Mistake("The slope of z = us with respect to u is s.", _changed(0, lambda s, u, w: u)),
            Mistake(
                "The slope of tanh is 1 − tanh², and the square is missing.",
                _changed(1, lambda s, u, w: 1 - np.tanh(u * s)),
            ),
            Mistake(
                "The slope of tanh is 1 − b² with b = tanh(z), not 1 − z².",
                _changed(1, lambda s, u, w: 1 - (u * s) ** 2),
            ),
            Mistake(
                "The slope of tanh is 1 − b², and a = 2b stands in the place of b.",
                _changed(1, lambda s, u, w: 1 - 4 * np.tanh(u * s) ** 2),
            ),
            Mistake(
                "This link has the value of tanh in place of its slope.",
                _changed(1, lambda s, u, w: np.tanh(u * s)),
            ),
            Mistake(
                "The second slope has the factor s of the first link: each link has its own.",
                _changed(1, lambda s, u, w: s * (1 - np.tanh(u * s) ** 2)),
            ),
            Mistake(
                "The third link is a = 2b, and its slope is 2, whatever b is.",
                _changed(2, lambda s, u, w: 2 * np.tanh(u * s)),
            ),
            Mistake("The third link doubles: its slope is 2.", _changed(2, lambda s, u, w: 1.0)),
            Mistake(
                "The critic's slope is taken at b. The critic sees a = 2b.",
                _changed(3, lambda s, u, w: -2 * (np.tanh(u * s) - w * s)),
            ),
            Mistake(
                "The critic's slope is taken at us, before the actuator. The critic sees a = 2b.",
                _changed(3, lambda s, u, w: -2 * (u * s - w * s)),
            ),
            Mistake(
                "The critic's slope has the wrong sign: Q is minus a square.",
                _changed(3, lambda s, u, w: 2 * (2 * np.tanh(u * s) - w * s)),
            ),
            Mistake(
                "The product is right. The four slopes are asked for, one by one.",
                lambda s, u, w: np.prod(_links(s, u, w)),
            ),
            Mistake(
                "One link is missing: there are four, u → z → b → a → Q.",
                lambda s, u, w: [_links(s, u, w)[i] for i in (0, 1, 3)],
            ),
        ),
    ),
    AnswersExercise(
        label="chain-wiggle",
        asked={
            "slope_of_mu": Asked(
                0,
                {1: "|μ(h)/h| = |h sin(1/h)| is at most |h|.", -1: "Squeeze μ(h)/h between ±|h|."},
            ),
            "why_the_proof_fails": Asked(
                "Δa is zero arbitrarily close to 0",
                {
                    "μ is not continuous": "It is: |μ(u)| is at most u².",
                    "μ has no derivative at 0": "It has one, by (a).",
                    "Q has a corner": "Q is a parabola.",
                },
            ),
            "slope_of_ell": Asked(
                0,
                {
                    6: "This is the critic's slope at a = 0. Multiply by the actor's slope.",
                    -6: "This is minus the critic's slope at a = 0. Multiply by the actor's slope.",
                },
            ),
        },
        checked="both slopes, and where the tempting proof fails",
    ),
    AnswersExercise(
        label="chain-diagnose",
        asked={
            "A": Asked(
                "arrived",
                {
                    "flat critic": "The slope is tiny because this action is the best one.",
                    "saturated": "The actor's slope is 2: the action can move.",
                    "look after the gradient": "The product is tiny, and for a good reason.",
                },
            ),
            "B": Asked(
                "flat critic",
                {
                    "arrived": "A slope of zero does not say that this action is the best.",
                    "saturated": "The actor's slope is 2: the action can move.",
                    "look after the gradient": "The product is tiny: the trouble is in a factor.",
                },
            ),
            "C": Asked(
                "saturated",
                {
                    "arrived": "The critic asks for a change: its slope is 5.",
                    "flat critic": "The critic's slope is 5.",
                    "look after the gradient": "The product is tiny: the trouble is in a factor.",
                },
            ),
            "D": Asked(
                "look after the gradient",
                {
                    "arrived": "The critic asks for a change: its slope is 5.",
                    "flat critic": "The critic's slope is 5.",
                    "saturated": "The actor's slope is 2: the action can move.",
                },
            ),
        },
        checked="the four diagnoses",
    ),
    FunctionExercise(
        label="chain-fourth",
        name="four_point",
        parameters=("f", "x", "h"),
        cases=_quartics,
        right=lambda f, x, h: f.deriv()(x),
        checked="four polynomials of degree four, whose slopes it gives exactly at any step",
        mistakes=(
            Mistake(
                "This is the central difference with two points; two more are 2h away.",
                lambda f, x, h: _near(f, x, h) / (2 * h),
            ),
            Mistake(
                "The far difference is subtracted, not added.",
                lambda f, x, h: (8 * _near(f, x, h) + _near(f, x, 2 * h)) / (12 * h),
            ),
            Mistake(
                "The factor 8 belongs to the near points.",
                lambda f, x, h: (8 * _near(f, x, 2 * h) - _near(f, x, h)) / (12 * h),
            ),
            Mistake(
                "The factor 8 is missing.",
                lambda f, x, h: (_near(f, x, h) - _near(f, x, 2 * h)) / (12 * h),
            ),
            Mistake(
                "The sum is not divided by h.",
                lambda f, x, h: (8 * _near(f, x, h) - _near(f, x, 2 * h)) / 12,
            ),
            Mistake(
                "The far points are 2h away, not h.",
                lambda f, x, h: 7 * _near(f, x, h) / (12 * h),
            ),
            Mistake(
                "Divide by 12h: dividing by 12 and multiplying by h is another number.",
                lambda f, x, h: (8 * _near(f, x, h) - _near(f, x, 2 * h)) / 12 * h,
            ),
        ),
    ),
)
