import numpy as np
import pytest

from dpgcourse.gradient.derivative_checks import central_difference, relative_error
from dpgcourse.theory.bandit import ESTIMATORS, Bandit, actor_direction, fit_critic, run_bandit


def batch(rng, bandit, theta, sigma, copies, size):
    offsets = sigma * rng.normal(size=(copies, size, bandit.m))
    return offsets, -bandit.cost(theta + offsets)


def test_the_costs_of_the_start_are_those_of_the_replication():
    assert [Bandit(m).cost(np.zeros(m)) for m in (10, 50)] == pytest.approx([88.0, 440.0])
    assert Bandit(10).cost(np.full(10, 4.0)) == 0
    assert sorted(Bandit(4).eigenvalues) == [0.1, 0.1, 1.0, 1.0]
    assert sorted(Bandit(25).eigenvalues) == 12 * [0.1] + 13 * [1.0]
    assert Bandit(25).cost(np.zeros(25)) == pytest.approx(16 * (12 * 0.1 + 13))


def test_the_critic_recovers_a_linear_reward_exactly():
    rng = np.random.default_rng(0)
    offsets, slope = rng.normal(size=(3, 20, 10)), rng.normal(size=(3, 10))
    slopes, constants = fit_critic(offsets, np.einsum("snm,sm->sn", offsets, slope) + 5.0)
    assert relative_error(slopes, slope) < 1e-10
    assert np.allclose(constants, 5.0)


def test_the_critic_is_the_least_squares_solution_at_any_scale_of_the_offsets():
    rng = np.random.default_rng(3)
    for sigma in (1e-3, 1.0, 1e3):
        offsets, r = sigma * rng.normal(size=(1, 20, 10)), rng.normal(size=(1, 20))
        x = np.hstack([offsets[0], np.ones((20, 1))])
        slopes, constants = fit_critic(offsets, r)
        expected = np.linalg.lstsq(x, r[0], rcond=None)[0]
        assert relative_error(np.append(slopes, constants), expected) < 1e-9


def test_every_estimator_estimates_the_same_gradient():
    """All three are right on average; only their spread differs."""
    rng, bandit = np.random.default_rng(1), Bandit(4)
    theta = np.array([1.0, 2.0, 3.0, 3.5])
    offsets, r = batch(rng, bandit, theta, 0.1, 20_000, 8)
    gradient = central_difference(lambda x: -bandit.cost(x), theta)
    critic = fit_critic(offsets, r)
    spread = {}
    for estimator in ESTIMATORS:
        directions = actor_direction(estimator, offsets, *critic, sigma=0.1)
        error = np.abs(directions.mean(0) - gradient)
        assert (error < 4.5 * directions.std(0) / 20_000**0.5 + 1e-9).all(), estimator
        spread[estimator] = directions.std(0).mean()
    assert spread["stochastic"] > 5 * spread["stochastic, baseline"]
    assert spread["stochastic, baseline"] > spread["deterministic"]


@pytest.mark.parametrize("m", [10, 25, 50])
def test_the_missing_baseline_makes_the_gap(m):
    """Each estimator at its best step size of a grid, as in a fair comparison."""
    final = {}
    for estimator in ESTIMATORS:
        with np.errstate(over="ignore", invalid="ignore"):
            costs = [
                np.median(
                    run_bandit(Bandit(m), estimator, alpha, s, 4000, 5, np.random.default_rng(2))[
                        -1
                    ]
                )
                for alpha in (0.003, 0.01, 0.1, 0.3)
                for s in (0.1, 0.5)
                if not (estimator == "stochastic" and alpha > 0.05)  # these diverge
            ]
        final[estimator] = np.nanmin(costs)
    assert final["stochastic"] > 20 * final["deterministic"]
    ratio = final["stochastic, baseline"] / final["deterministic"]
    assert 0.1 < ratio < 10  # with the baseline the two are alike


def test_learning_starts_at_the_start_counts_its_actions_and_repeats_itself():
    runs = [
        run_bandit(Bandit(4), "deterministic", 0.1, 0.1, 83, 3, np.random.default_rng(s))
        for s in (0, 0, 1)
    ]
    assert runs[0].shape == (11, 3)  # 10 updates of 8 actions each
    assert np.allclose(runs[0][0], Bandit(4).cost(np.zeros(4)))
    assert np.array_equal(runs[0], runs[1]) and not np.array_equal(runs[0], runs[2])


def test_a_step_size_for_each_run():
    def run(alpha):
        return run_bandit(Bandit(4), "deterministic", alpha, 0.1, 80, 2, np.random.default_rng(0))

    both = run(np.array([0.1, 0.2]))
    assert np.array_equal(both[:, 0], run(0.1)[:, 0])
    assert np.array_equal(both[:, 1], run(0.2)[:, 1])


def test_bad_arguments_are_refused_by_name():
    rng = np.random.default_rng(0)
    for m in (0, 1, -2, 2.5):
        with pytest.raises(ValueError, match=f"m is {m}; allowed: a whole number"):
            Bandit(m)
    with pytest.raises(ValueError, match="estimator is 'magic'; allowed"):
        run_bandit(Bandit(2), "magic", 0.1, 0.1, 100, 1, rng)
    with pytest.raises(ValueError, match="alpha is 0; allowed: a positive"):
        run_bandit(Bandit(2), ESTIMATORS[0], 0, 0.1, 100, 1, rng)
    with pytest.raises(ValueError, match="alpha is .*; allowed: a positive"):
        run_bandit(Bandit(2), ESTIMATORS[0], np.array([0.1, -0.1]), 0.1, 100, 2, rng)
    with pytest.raises(ValueError, match="sigma is nan; allowed: a positive"):
        run_bandit(Bandit(2), ESTIMATORS[0], 0.1, np.nan, 100, 1, rng)
