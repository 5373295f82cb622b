"""Independent ways to differentiate a function, and how far two answers are apart.

Nothing here knows about actors or critics, and nothing here uses a hand-written derivative:
that is what makes these functions a check. All of them expect x in float64.
`complex_step` calls f with complex numbers.
"""

from collections.abc import Callable

import numpy as np

CUBE_ROOT_EPS = float(np.finfo(np.float64).eps ** (1 / 3))  # 6.06e-6


def _as_float64(x) -> np.ndarray:
    x = np.asarray(x)
    if x.dtype.kind == "f" and x.dtype != np.float64:
        raise TypeError(f"x has dtype {x.dtype}; numerical differentiation needs float64")
    if x.dtype.kind not in "fiu":
        raise TypeError(f"x has dtype {x.dtype}; allowed: real numbers, taken as float64")
    return x.astype(np.float64)


def _steps_along_axes(x: np.ndarray):
    """Yield ``(index, unit)``: every coordinate of x and the unit array that moves only it."""
    for index in np.ndindex(x.shape):
        unit = np.zeros_like(x)
        unit[index] = 1.0
        yield index, unit


def central_difference(f: Callable, x, step: float | None = None) -> np.ndarray:
    """Derivative of f at x by central differences, (f(x+h) − f(x−h)) / 2h per coordinate.

    Args:
        f: maps an array of x's shape to an array or number.
        x: point, any shape, float64.
        step: h for every coordinate. By default coordinate i has its own step,
            ε^(1/3)·max(1, |x_i|), at least 6e-6, where the truncation error O(h²) and the rounding
            error O(ε/h) balance (chapter 2).

    Returns:
        Array of shape ``f(x).shape + x.shape``; for a scalar f, the gradient.

    Raises:
        TypeError: x is not float64.
        ValueError: step is not positive.

    >>> float(np.round(central_difference(lambda x: x**3, 2.0), 8))
    12.0
    """
    x = _as_float64(x)
    if step is not None and not step > 0:
        raise ValueError(f"step is {step}; allowed: a positive number")
    columns = []
    for index, unit in _steps_along_axes(x):
        h = step if step is not None else CUBE_ROOT_EPS * max(1.0, abs(float(x[index])))
        forward, backward = x + h * unit, x - h * unit
        width = forward[index] - backward[index]  # the step actually taken after rounding
        columns.append((np.asarray(f(forward)) - np.asarray(f(backward))) / width)
    return _stack(columns, x)


def complex_step(f: Callable, x, step: float = 1e-20) -> np.ndarray:
    """Derivative of f at x by the complex step, Im f(x + ih) / h per coordinate.

    Nothing is subtracted, so nothing cancels: the result is exact to rounding. f must be built
    from analytic operations only (no ``abs``, no ``maximum``, no conjugate).

    Args:
        f: maps a complex array of x's shape to a complex array or number.
        x: point, any shape, float64.
        step: h.

    Returns:
        Array of shape ``f(x).shape + x.shape``.

    Raises:
        TypeError: x is not float64, or f returns real values for a complex argument.

    Source: Squire and Trapp (1998), doi:10.1137/S003614459631241X.

    >>> float(complex_step(np.exp, 0.0))
    1.0
    """
    x = _as_float64(x)
    columns = []
    for _, unit in _steps_along_axes(x):
        value = np.asarray(f(x + 1j * step * unit))
        if not np.iscomplexobj(value):
            raise TypeError("f returned a real value for a complex argument; it is not analytic")
        columns.append(value.imag / step)
    return _stack(columns, x)


def _stack(columns: list[np.ndarray], x: np.ndarray) -> np.ndarray:
    stacked = np.stack(columns, axis=-1)  # f.shape + (x.size,)
    return stacked.reshape(stacked.shape[:-1] + x.shape)


def relative_error(a, b) -> float:
    """Largest difference between a and b, relative to the largest entry of either.

    Returns 0 when both are all zero.

    Raises:
        ValueError: a and b have different shapes (they are never broadcast) or hold NaN.

    >>> relative_error([1.0, 2.0], [1.0, 2.5])
    0.2
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        raise ValueError(f"shapes {a.shape} and {b.shape} differ; allowed: equal shapes")
    if np.isnan(a).any() or np.isnan(b).any():
        raise ValueError("a NaN has no relative error")
    scale = max(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0))
    return 0.0 if scale == 0 else float(np.abs(a - b).max() / scale)


def check_gradient(f: Callable, gradient, x, rtol: float = 1e-6) -> float:
    """Hold a claimed gradient of a scalar function against central differences.

    Args:
        f: scalar function of an array of x's shape.
        gradient: the claim, x's shape.
        x: point, float64.
        rtol: largest relative error allowed.

    Returns:
        The relative error found.

    Raises:
        AssertionError: the claim is wrong; the message names the worst coordinate.
        ValueError: the claim has not x's shape.
    """
    gradient = np.asarray(gradient)
    numeric = central_difference(f, x)
    error = relative_error(gradient, numeric)
    if error > rtol:
        worst = np.unravel_index(np.abs(gradient - numeric).argmax(), gradient.shape)
        at = f" at coordinate {tuple(int(i) for i in worst)}" if worst else ""
        raise AssertionError(
            f"gradient is {gradient[worst]:.6g}{at}, central differences say "
            f"{numeric[worst]:.6g} (relative error {error:.1e}, allowed {rtol:.0e})"
        )
    return error
