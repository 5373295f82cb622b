"""One entry of the formula ledger: what an equation of the book claims, and its checks.

An entry is a function that draws a random example. It returns the value of the formula, and the
same quantity computed by other routes::

    @entry("eq-jac-chain", "theorem", gradient_by_jacobian)
    def chain(rng):
        ...
        return {
            "formula": gradient_by_jacobian(composite, s, u, w),
            "central differences": central_difference(ell, u),
        }

The docstring of `chain` is the claim in words, in one line. "formula" is the equation as the page
writes it, computed by the package's function wherever there is one. A route must not call that
function: the tests break each function in turn, and every route of its entry must then disagree.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dpgcourse.gradient.derivative_checks import relative_error

FORMULA = "formula"

KINDS = {
    "definition": "gives a symbol its meaning; the package must compute what the page writes",
    "rule": "a step of an algorithm; the package must do what the page writes",
    "identity": "two expressions are equal, by algebra",
    "theorem": "holds through a derivative, a limit, an expectation or a fixed point",
    "estimate": "a bound or an approximation; a bound must also be tight within a factor of 2",
}


@dataclass(frozen=True)
class Estimate:
    """A Monte Carlo estimate: means and their standard errors, arrays of the claim's shape."""

    mean: np.ndarray
    standard_error: np.ndarray


def standard_errors(claim, estimate: Estimate) -> float:
    """Largest distance of claim and estimate in standard errors.

    Infinite when a standard error exceeds 2% of the claim: such an estimate would agree with
    many formulas.
    """
    claim, error = np.asarray(claim), np.asarray(estimate.standard_error)
    if claim.shape != error.shape or error.max() > 0.02 * np.abs(claim).max():
        return np.inf
    return float((np.abs(claim - estimate.mean) / error).max())


def excess(bound, worst) -> float:
    """How far the worst case found exceeds the bound, relative to the bound; 0 if it does not.

    Infinite when the worst case stays below half of the bound, which then is not tight.
    """
    bound, worst = np.asarray(bound), np.asarray(worst)
    if bound.shape != worst.shape or np.isnan(worst).any() or (worst < bound / 2).any():
        return np.inf
    return float(np.maximum((worst - bound) / bound, 0).max())


@dataclass(frozen=True)
class Route:
    """A way to compute the quantity independently of the formula.

    Attributes:
        how: how it works, in words.
        tolerance: largest distance from the formula that passes.
        distance: function of the formula and of the route's value.
    """

    how: str
    tolerance: float
    distance: Callable = relative_error


ROUTES = {
    "by hand": Route("the same quantity in plain arithmetic, written again", 1e-12),
    "closed form": Route("another formula for it, derived independently", 1e-9),
    "series": Route("a sum over time, term by term", 1e-9),
    "sympy": Route("derived by a computer algebra system", 1e-10),
    "autograd": Route("reverse-mode differentiation by PyTorch, float64", 1e-10),
    "complex step": Route("Im f(x + ih) / h", 1e-10),
    "central differences": Route("(f(x + h) − f(x − h)) / 2h", 1e-6),
    "simulation": Route("the process run step by step", 1e-9),
    "quadrature": Route("an expectation integrated numerically", 1e-9),
    "limit": Route("values on a shrinking grid, extrapolated", 1e-5),
    "order": Route("the exponent measured on a shrinking grid", 0.05),
    "Monte Carlo": Route("a mean of random draws, in standard errors", 4.0, standard_errors),
    "worst case": Route("the worst of many cases against the bound", 1e-9, excess),
}


@dataclass(frozen=True)
class Check:
    """The result of one route of one entry.

    Attributes:
        route: key of `ROUTES`.
        error: the largest distance between formula and route, over the examples.
    """

    route: str
    error: float

    @property
    def passed(self) -> bool:
        """Whether the error is within the route's tolerance."""
        return self.error <= ROUTES[self.route].tolerance


@dataclass(frozen=True)
class Entry:
    """What an equation of the book claims, and how that is checked.

    Attributes:
        label: of the equation.
        kind: one of `KINDS`.
        says: the claim in words.
        functions: of the package that compute the formula.
        examples: draws an example; see `entry`.
        draws: number of examples.
    """

    label: str
    kind: str
    says: str
    functions: tuple
    examples: Callable
    draws: int

    def run(self) -> list[Check]:
        """Draw the examples, always the same ones, and compare every route with the formula.

        Raises:
            ValueError: no route, a route that is not in `ROUTES`, or a formula that is not
                finite or is zero everywhere, since any small number would agree with that.
        """
        errors: dict[str, float] = {}
        for draw in range(self.draws):
            values = self.examples(np.random.default_rng([draw, *self.label.encode()]))
            formula = np.asarray(values.pop(FORMULA), dtype=np.float64)
            if not np.isfinite(formula).all() or not np.abs(formula).max() > 1e-6:
                raise ValueError(f"{self.label}: the formula gives {formula}")
            if not values or not set(values) <= set(ROUTES):
                raise ValueError(f"{self.label}: routes {list(values)}; allowed: {list(ROUTES)}")
            for route, value in values.items():
                error = ROUTES[route].distance(formula, value)
                errors[route] = max(errors.get(route, 0.0), error)
        return [Check(route, error) for route, error in errors.items()]


REGISTRY: dict[str, Entry] = {}


def entry(label: str, kind: str, *functions, draws: int = 3) -> Callable:
    """Add an equation to the ledger; decorates the function that draws its examples.

    The docstring of that function says in one line what the equation claims.

    Args:
        label: of the equation in the book.
        kind: one of `KINDS`.
        functions: functions, methods or properties of the package that compute it.
        draws: number of examples. The function gets a fresh random generator for each and
            returns ``{"formula": value, route: value, ...}`` with routes from `ROUTES`; values
            are numbers or arrays of one shape, for "Monte Carlo" an `Estimate`.

    Raises:
        ValueError: an unknown kind, a label that has an entry already, or a definition or rule
            for which no function of the package is named.
    """
    if kind not in KINDS:
        raise ValueError(f"{label}: kind is {kind!r}; allowed: {list(KINDS)}")
    if label in REGISTRY:
        raise ValueError(f"{label} has an entry already")
    if kind in ("definition", "rule") and not functions:
        raise ValueError(f"{label}: a {kind} names the function of the package that computes it")

    def register(examples: Callable) -> Callable:
        claim = inspect.getdoc(examples) or ""
        REGISTRY[label] = Entry(label, kind, claim, functions, examples, draws)
        return examples

    return register
