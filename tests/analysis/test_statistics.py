import numpy as np
import pytest

from dpgcourse.analysis.statistics import (
    difference_interval,
    interquartile_mean,
    mean_interval,
    stratified_interval,
)


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


def test_interquartile_mean_by_hand():
    assert interquartile_mean([8, 1, 3, 2, 5, 4, 900, -900]) == pytest.approx(3.5)  # of 2 3 4 5
    assert interquartile_mean([1, 2, 60]) == 21  # a quarter of 3 is no whole value
    assert interquartile_mean(np.eye(4), axis=0).tolist() == [0, 0, 0, 0]
    with pytest.raises(ValueError, match="allowed: one or more along the axis"):
        interquartile_mean([])


def test_a_difference_is_covered_about_as_often_as_said_even_with_unequal_groups():
    rng = np.random.default_rng(2)
    a, b = rng.normal(3, 1, (400, 12)), rng.normal(1, 4, (400, 20))
    low, high = difference_interval(a, b)
    covered = ((low < 2) & (high > 2)).mean()
    assert 0.88 < covered < 0.97  # 400 trials: one standard error is 0.011


def test_a_difference_has_the_width_that_theory_gives():
    rng = np.random.default_rng(3)
    a, b = rng.normal(0, 1, 400), rng.normal(0, 2, 100)
    low, high = difference_interval(a, b)
    width = 2 * 1.96 * np.sqrt(a.var() / 400 + b.var() / 100)
    assert high - low == pytest.approx(width, rel=0.05)
    assert (low + high) / 2 == pytest.approx(a.mean() - b.mean(), abs=0.02 * width)
    reverse = difference_interval(b, a)
    np.testing.assert_allclose(reverse, (-high, -low), atol=0.05 * width)


def test_two_seeds_each_by_hand():
    """Means of two draws are 0, 1/2, 1 with odds 1:2:1; the ends are beyond every quantile used."""
    assert difference_interval([0.0, 1.0], [10.0, 11.0]) == (-11.0, -9.0)


def test_strata_keep_the_spread_between_tasks_out():
    """Tasks far apart, seeds alike: pooling would find a wide interval, strata a narrow one."""
    rng = np.random.default_rng(4)
    scores = np.array([[0.0], [1000.0]]) + rng.normal(size=(2, 50))
    low, high = stratified_interval(scores, lambda x: x.mean(-1))
    width = 2 * 1.96 * np.sqrt(scores.var(1).sum() / 50) / 2
    assert high - low == pytest.approx(width, rel=0.05)
    assert low < scores.mean() < high
    pooled_low, pooled_high = mean_interval(scores.ravel())
    assert pooled_high - pooled_low > 100 * (high - low)


def test_a_stratified_mean_is_covered_about_as_often_as_said():
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(200):
        low, high = stratified_interval(rng.normal([[0.0], [5.0], [10.0]], 1, (3, 10)))
        covered += low < 5 < high
    assert 0.87 < covered / 200 < 0.99


@pytest.mark.parametrize("scores", [[1.0, 2.0], [[1.0], [2.0]]])
def test_scores_need_tasks_and_seeds(scores):
    with pytest.raises(ValueError, match="shape .*; allowed: "):
        stratified_interval(scores)


def test_the_interval_of_a_difference_needs_two_seeds_on_each_side():
    with pytest.raises(ValueError, match="b has shape \\(1,\\); allowed: "):
        difference_interval([1.0, 2.0], [1.0])
