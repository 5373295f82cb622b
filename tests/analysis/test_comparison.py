import numpy as np
import pytest

from dpgcourse.analysis.comparison import compare, table


def scores(seeds, mean, spread, number):
    values = np.random.default_rng(number).normal(mean, spread, len(seeds))
    return dict(zip(seeds, values.tolist(), strict=True))


def test_equal_seeds_are_paired_whatever_their_order():
    luck = scores(range(10), 0, 30, 0)
    a = {seed: luck[seed] + 1 + 0.1 * seed for seed in range(10)}
    b = {seed: luck[seed] for seed in reversed(range(10))}
    found = compare(a, b)
    assert found.paired and found.seeds_above == 10
    assert found.difference == pytest.approx(1.45) and 0.9 < found.low < 1.45 < found.high < 2
    assert found.shows and found.detectable < 1
    back = compare(b, a)
    assert back.difference == pytest.approx(-1.45) and back.seeds_above == 0 and back.high < 0


def test_other_seeds_are_not_paired():
    a, b = scores(range(10), 0, 30, 1), scores(range(5, 15), 1, 30, 2)
    found = compare(a, b)
    assert not found.paired and found.seeds_above is None and not found.shows
    assert found.detectable > 20


def test_runs_that_are_equal_show_no_difference():
    group = scores(range(10), -150, 5, 0)
    same = compare(group, group)
    assert (same.low, same.high) == (0, 0) and not same.shows


def test_the_table_compares_with_the_first():
    lines = table({
        "healthy": scores(range(10), -100, 1, 3),
        "ill": scores(range(10), -120, 1, 4),
        "elsewhere": scores(range(50, 60), -100, 1, 5),
        "few": scores(range(2), -100, 1, 6),
    })  # fmt: skip
    assert len(lines) == 5 + 3 + 2 - 0 - 0
    assert lines[1].startswith("healthy") and "too few seeds" in lines[4]
    ill, elsewhere = lines[-2:]
    assert ill.split()[:2] == ["ill", "yes"] and elsewhere.split()[:2] == ["elsewhere", "no"]
    assert float(ill.split()[2]) == pytest.approx(-20, abs=2)


def test_one_record_is_a_table_without_differences():
    assert len(table({"alone": scores(range(10), 0, 1, 7)})) == 2
