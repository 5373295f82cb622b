import numpy as np
import pytest

from dpgcourse.lab.statistics import mean_interval


def test_covers_the_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    low, high = mean_interval(rng.normal(size=(400, 10)))
    covered = ((low < 0) & (high > 0)).mean()
    assert 0.84 < covered < 0.97  # the percentile bootstrap is a little short at n = 10


def test_is_the_same_for_the_same_data_and_wider_for_a_higher_level():
    data = np.random.default_rng(1).normal(size=10)
    assert mean_interval(data) == mean_interval(data)
    low, high = mean_interval(data, level=0.99)
    assert low < mean_interval(data)[0] < data.mean() < mean_interval(data)[1] < high


def test_equal_seeds_have_an_interval_of_no_width():
    low, high = mean_interval(np.full((2, 5), 7.0))
    assert low.tolist() == high.tolist() == [7.0, 7.0]


@pytest.mark.parametrize("per_seed", [1.0, [1.0], np.ones((3, 1))])
def test_one_seed_is_no_sample(per_seed):
    with pytest.raises(ValueError, match="allowed: \\(..., S\\) with S >= 2"):
        mean_interval(per_seed)


def test_bad_level():
    with pytest.raises(ValueError, match="level is 95; allowed: 0 < level < 1"):
        mean_interval([1.0, 2.0], level=95)
