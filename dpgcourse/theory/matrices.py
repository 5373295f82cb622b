"""Checks of the matrices and vectors that users hand to a linear system."""

import numpy as np


def matrix(name: str, value, shape: tuple[int, int]) -> np.ndarray:
    """A float64 matrix of the given shape.

    Raises:
        ValueError: another shape, or entries that are not finite numbers; names the argument.
    """
    try:
        value = np.array(value, dtype=np.float64)  # a copy: the caller may change theirs
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is {value!r}; allowed: a matrix of real numbers") from error
    if value.shape != shape:
        raise ValueError(f"{name} has shape {value.shape}; allowed: {shape}")
    if not np.isfinite(value).all():
        raise ValueError(f"{name} is {value.tolist()}; allowed: finite entries")
    return value


def semidefinite(name: str, value, size: int, definite: bool = False) -> np.ndarray:
    """A symmetric matrix without negative eigenvalues; if definite, without zero ones either.

    Eigenvalues down to −1e-12 times the largest entry count as zero, for they may come of rounding.

    Raises:
        ValueError: as `matrix`, and for a matrix that is not symmetric or has such an eigenvalue.
    """
    value = matrix(name, value, (size, size))
    scale = float(np.abs(value).max(initial=0.0))
    if np.abs(value - value.T).max(initial=0.0) > 1e-10 * scale:
        raise ValueError(f"{name} is {value.tolist()}; allowed: a symmetric matrix")
    lowest, slack = float(np.linalg.eigvalsh(value)[0]), 1e-12 * scale
    if lowest < -slack or (definite and lowest <= slack):
        kind = "definite" if definite else "semidefinite"
        raise ValueError(f"{name} has eigenvalue {lowest:.3g}; allowed: positive {kind}")
    return (value + value.T) / 2


def columns_last(name: str, value, size: int) -> np.ndarray:
    """Vectors as an array (..., size).

    Raises:
        ValueError: the last axis has another size; names the argument.
    """
    value = np.asarray(value, dtype=np.float64)
    if value.ndim == 0 or value.shape[-1] != size:
        raise ValueError(f"{name} has shape {value.shape}; allowed: (..., {size})")
    return value
