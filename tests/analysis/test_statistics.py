import numpy as np
import pytest
from scipy import stats

from dpgcourse.analysis.statistics import (
    detectable_difference,
    difference_interval,
    interquartile_mean,
    mean_interval,
    paired_difference_interval,
    stratified_interval,
)


def test_covers_the_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    low, high = mean_interval(rng.normal(size=(1600, 10)))
    covered = ((low < 0) & (high > 0)).mean()
    assert 0.925 < covered < 0.965  # one standard error is 0.005; plain percentiles have 0.90


def test_is_as_wide_as_the_interval_of_student():
    samples = np.random.default_rng(4).normal(size=(400, 10))
    low, high = mean_interval(samples)
    student = 2 * stats.t.ppf(0.975, 9) * samples.std(axis=1, ddof=1) / np.sqrt(10)
    ratio = ((high - low) / student).mean()
    assert 0.97 < ratio < 1.03, ratio  # 0.95 without the factor n/(n - 1)


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
    assert interquartile_mean([[0, 9], [2, 9], [4, 9], [90, 1]], axis=0).tolist() == [3, 9]
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


def test_a_paired_difference_sees_what_both_runs_of_a_seed_have_in_common():
    rng = np.random.default_rng(6)
    luck = rng.normal(0, 20, 10)  # of each seed, the same in both runs
    a, b = luck + rng.normal(2, 1, 10), luck + rng.normal(0, 1, 10)
    low, high = paired_difference_interval(a, b)
    assert 0 < low < 2 < high and high - low < 4
    unpaired = difference_interval(a, b)
    assert unpaired[0] < -10 and unpaired[1] > 10
    np.testing.assert_array_equal(paired_difference_interval(a, a), (0.0, 0.0))
    assert paired_difference_interval(b, a) == pytest.approx((-high, -low), abs=0.3)
    assert paired_difference_interval(a, b, level=0.5) == mean_interval(a - b, level=0.5)
    with pytest.raises(ValueError, match="a has 10 seeds and b 9; allowed: the same seeds"):
        paired_difference_interval(a, b[1:])


@pytest.mark.parametrize("paired", [True, False])
def test_a_detectable_difference_shows_as_often_as_said(paired):
    rng = np.random.default_rng(7)
    common = rng.normal(0, 3, (4000, 12)) if paired else 0.0
    a, b = common + rng.normal(0, 1, (4000, 12)), common + rng.normal(0, 1, (4000, 12))
    truth = 1.2 if not paired else 1.25
    sizes = [detectable_difference(x, y, paired) for x, y in zip(a[:200], b[:200], strict=True)]
    size = np.sqrt(np.mean(np.square(sizes)))  # variances are estimated without bias
    assert size == pytest.approx(truth, rel=0.1)
    test = stats.ttest_rel if paired else stats.ttest_ind
    shown = test(a + size, b, axis=1).pvalue < 0.05
    assert 0.76 < shown.mean() < 0.84


def test_more_seeds_see_smaller_differences():
    rng = np.random.default_rng(8)
    few, many = (rng.normal(size=(2, n)) for n in (5, 500))
    assert detectable_difference(*many, paired=False) < 0.2
    assert detectable_difference(*few, paired=False) > 1.0
    assert detectable_difference([0.0, 1.0], [3.0, 3.5], paired=True, power=0.99) > 0
    with pytest.raises(ValueError, match="power is 1.0; allowed: 0 < power < 1"):
        detectable_difference(*few, paired=False, power=1.0)
