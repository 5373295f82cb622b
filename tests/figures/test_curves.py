import matplotlib.pyplot as plt
import numpy as np
import pytest

from dpgcourse.analysis.statistics import mean_interval
from dpgcourse.figures.curves import learning_curve

STEPS = np.arange(1, 5) * 1000


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def curve(seeds, **kwargs):
    per_seed = np.arange(4.0 * seeds).reshape(4, seeds) ** 1.5  # mean and median differ
    return per_seed, learning_curve(STEPS, per_seed, **kwargs)


@pytest.mark.parametrize("seeds", [5, 8])
def test_every_seed_and_the_mean_are_drawn_and_an_interval_from_five_seeds_on(seeds):
    fig, ax = plt.subplots()
    per_seed, returned = curve(seeds, ax=ax)
    assert returned is ax
    drawn = [line.get_ydata().tolist() for line in ax.lines]
    assert drawn == [*per_seed.T.tolist(), per_seed.mean(1).tolist()]
    (band,) = ax.collections
    low, high = mean_interval(per_seed)
    drawn = band.get_paths()[0].vertices
    for edge in (low, high):
        for point in zip(STEPS, edge, strict=True):
            assert np.isclose(drawn, point).all(1).any()
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == [f"mean of {seeds} seeds", "95% bootstrap interval of the mean"]
    plt.close(fig)


@pytest.mark.parametrize("seeds", [1, 2, 4])
def test_a_few_seeds_have_no_interval_and_references_are_labeled(seeds):
    _, ax = curve(seeds, references={"random": -5.0})
    assert not ax.collections
    assert [text.get_text() for text in ax.texts] == ["random"]
    assert ax.lines[-1].get_ydata() == [-5.0, -5.0]
