import numpy as np
import pytest

from dpgcourse.gradient.derivative_checks import (
    central_difference,
    check_gradient,
    complex_step,
    relative_error,
)


def cube_and_product(x):
    return np.stack([x[0] ** 3, x[0] * x[1]])


JACOBIAN_AT_2_5 = np.array([[12.0, 0.0], [5.0, 2.0]])  # of cube_and_product, by hand


def test_central_difference_gives_a_jacobian_by_hand():
    J = central_difference(cube_and_product, np.array([2.0, 5.0]))
    np.testing.assert_allclose(J, JACOBIAN_AT_2_5, rtol=1e-8, atol=1e-8)


def test_complex_step_gives_the_same_jacobian_to_rounding():
    J = complex_step(cube_and_product, np.array([2.0, 5.0]))
    np.testing.assert_allclose(J, JACOBIAN_AT_2_5, rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize("differentiate", [central_difference, complex_step])
def test_result_has_the_shape_of_f_then_of_x(differentiate):
    x = np.arange(6.0).reshape(2, 3)
    assert differentiate(lambda x: x.sum(), x).shape == (2, 3)
    assert differentiate(lambda x: x @ np.ones((3, 4)), x).shape == (2, 4, 2, 3)
    assert differentiate(np.exp, 0.5).shape == ()


def test_central_difference_error_falls_with_the_square_of_the_step():
    errors = [abs(central_difference(np.exp, 0.0, step=h) - 1) for h in (1e-2, 1e-3)]
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.01)


def test_central_difference_scales_its_step_with_x():
    assert central_difference(np.square, 1e9) == pytest.approx(2e9, rel=1e-9)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, complex, bool, object])
@pytest.mark.parametrize("differentiate", [central_difference, complex_step])
def test_other_types_than_float64_are_refused(differentiate, dtype):
    with pytest.raises(TypeError, match="x has dtype"):
        differentiate(np.square, np.ones(2, dtype=dtype))


def test_integers_are_taken_as_float64():
    assert central_difference(np.square, 3) == pytest.approx(6)


@pytest.mark.parametrize("step", [0.0, -1e-6, np.nan])
def test_step_must_be_positive(step):
    with pytest.raises(ValueError, match=r"step is .*; allowed: a positive number"):
        central_difference(np.square, 1.0, step=step)


def test_complex_step_refuses_a_function_that_is_not_analytic():
    with pytest.raises(TypeError, match="not analytic"):
        complex_step(np.abs, 1.0)


def test_relative_error():
    assert relative_error([1.0, 2.0], [1.0, 2.5]) == 0.2
    assert relative_error([0.0], [0.0]) == 0
    assert relative_error([1.0], [-1.0]) == 2
    assert relative_error([], []) == 0


def test_relative_error_never_broadcasts_and_never_swallows_nan():
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(2, 1\) differ"):
        relative_error(np.ones(2), np.ones((2, 1)))
    with pytest.raises(ValueError, match="NaN"):
        relative_error([np.nan], [1.0])


def test_check_gradient_passes_the_right_gradient():
    x = np.array([1.0, -2.0])
    assert check_gradient(lambda x: (x**2).sum(), 2 * x, x) < 1e-8


@pytest.mark.parametrize("fault", [-1.0, 0.5, 1.00001])
def test_check_gradient_names_the_wrong_coordinate(fault):
    x = np.array([1.0, -2.0])
    claim = 2 * x * np.array([1.0, fault])
    with pytest.raises(AssertionError, match=r"at coordinate \(1,\), central differences say -4"):
        check_gradient(lambda x: (x**2).sum(), claim, x)


def test_check_gradient_refuses_a_claim_of_another_shape():
    with pytest.raises(ValueError, match="differ"):
        check_gradient(lambda x: (x**2).sum(), np.ones((2, 1)), np.ones(2))
