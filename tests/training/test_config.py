"""The settings of a run that follow from others."""

import pytest

from dpgcourse.training.config import TrainConfig


@pytest.mark.parametrize(
    ("steps", "learning_starts"), [(1, 1), (25, 3), (30, 3), (10_000, 1000), (12_000, 1000)]
)
def test_learning_starts_after_a_tenth_of_a_short_run_and_after_a_thousand_steps_of_a_long_one(
    steps, learning_starts
):
    assert TrainConfig(steps=steps).learning_starts == learning_starts
