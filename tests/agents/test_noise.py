import numpy as np
import pytest

from dpgcourse.agents.noise import GaussianNoise, OrnsteinUhlenbeckNoise


def test_scale_and_independence_of_dimensions_and_seeds():
    rngs = [np.random.default_rng(seed) for seed in range(2)]
    noise = GaussianNoise([0.5, 2.0], rngs)
    draws = np.stack([noise() for _ in range(20_000)])  # (T, S, m)
    assert np.allclose(draws.std(0), [0.5, 2.0], rtol=0.03)
    correlation = np.corrcoef(draws.reshape(len(draws), -1).T)
    assert np.abs(correlation - np.eye(4)).max() < 5 / np.sqrt(len(draws))
    successive = np.corrcoef(draws[1:, 0, 0], draws[:-1, 0, 0])[0, 1]
    assert abs(successive) < 5 / np.sqrt(len(draws))


@pytest.mark.parametrize("scale", [[-1.0], [np.nan], [np.inf], 0.5])
def test_bad_scale(scale):
    with pytest.raises(ValueError, match="allowed: \\(m,\\) finite numbers >= 0"):
        GaussianNoise(scale, [])


STEPS, WARM = 40_000, 200  # after 200 steps the start is forgotten: e^(−0.15·200) = 1e-13


def ou_noise(theta=0.15, scale=(0.2, 1.0), seeds=3, steps=STEPS):
    rngs = [np.random.default_rng(seed) for seed in range(seeds)]
    noise = OrnsteinUhlenbeckNoise(scale, rngs, theta)
    return np.stack([noise() for _ in range(steps + WARM)])[WARM:]  # (T, S, m)


@pytest.mark.parametrize("theta", [0.15, 1.0])
def test_ou_noise_has_the_stationary_law(theta):
    x, sd = ou_noise(theta), np.array([0.2, 1.0]) / np.sqrt(2 * theta)
    effective = STEPS * np.tanh(theta / 2)  # draws as good as this many independent ones
    assert (np.abs(x.mean(0)) < 4 * sd / np.sqrt(effective)).all()
    squares = STEPS * np.tanh(theta)  # the squares forget twice as fast
    assert (np.abs(x.var(0) / sd**2 - 1) < 4 * np.sqrt(2 / squares)).all()


@pytest.mark.parametrize("lag", [1, 5, 20])
def test_ou_noise_forgets_exponentially(lag):
    x = ou_noise()
    x = (x - x.mean(0)) / x.std(0)
    correlation = (x[lag:] * x[:-lag]).mean(0)
    assert np.abs(correlation - np.exp(-0.15 * lag)).max() < 4 / np.sqrt(STEPS * 0.15 / 2)


def test_ou_noise_of_dimensions_and_seeds_is_independent():
    x = ou_noise(scale=(1.0, 1.0))
    correlation = np.corrcoef(x.reshape(len(x), -1).T)
    assert np.abs(correlation - np.eye(6)).max() < 5 / np.sqrt(STEPS * np.tanh(0.15))


def test_two_half_steps_are_one_step_in_law():
    half, whole = (OrnsteinUhlenbeckNoise([1.0], [], theta) for theta in (0.1, 0.2))
    assert half.decay**2 == pytest.approx(whole.decay, rel=1e-14)
    # θ is per step, so halving the step halves θ and the variance σ² of the noise
    variance = 0.5 * half.step_scale**2 * (1 + half.decay**2)
    assert variance == pytest.approx(whole.step_scale**2, rel=1e-14)


def test_reset_starts_the_given_seeds_at_zero_and_leaves_the_others():
    def noise(seed):
        return OrnsteinUhlenbeckNoise([1.0, 2.0], [np.random.default_rng(seed)])

    both = OrnsteinUhlenbeckNoise([1.0, 2.0], [np.random.default_rng(seed) for seed in (0, 1)])
    alone = [noise(0), noise(1)]
    for step in range(6):
        if step == 3:
            both.reset(np.array([True, False]))
            alone[0].reset([True])
            assert (both.x[0] == 0).all() and (both.x[1] != 0).all()
        drawn = both()
        assert (drawn == np.concatenate([one() for one in alone])).all()
        drawn[:] = 99.0  # what the caller does with the noise does not come back
    fresh = np.random.default_rng(0).standard_normal((4, 2))[3]
    replayed = OrnsteinUhlenbeckNoise([1.0, 2.0], [np.random.default_rng(0)])
    for _ in range(3):
        replayed()
    replayed.reset([True])
    assert replayed()[0] == pytest.approx(replayed.step_scale * np.array([1.0, 2.0]) * fresh)


def test_independent_noise_has_nothing_to_reset():
    noises = [GaussianNoise([1.0], [np.random.default_rng(0)]) for _ in range(2)]
    noises[0].reset(np.array([True]))
    assert noises[0]() == noises[1]()


@pytest.mark.parametrize("theta", [0.0, -1.0, np.nan, np.inf])
def test_bad_theta(theta):
    with pytest.raises(ValueError, match="allowed: a finite number > 0"):
        OrnsteinUhlenbeckNoise([1.0], [], theta)


@pytest.mark.parametrize("ended", [True, [True], [[True, True]]])
def test_bad_reset(ended):
    noise = OrnsteinUhlenbeckNoise([1.0], [np.random.default_rng(seed) for seed in range(2)])
    with pytest.raises(ValueError, match="ended has shape .*; allowed: \\(2,\\)"):
        noise.reset(ended)


def test_the_memory_of_the_noise_comes_back():
    def noise():
        return OrnsteinUhlenbeckNoise([1.0, 2.0], [np.random.default_rng(i) for i in range(3)])

    one, other = noise(), noise()
    one()
    state = one.state()
    other()  # the generators are not part of the state
    other.load_state({name: 0 * value for name, value in state.items()})
    assert not np.array_equal(noise_of(one), noise_of(other))
    other.load_state(state)
    one.load_state(state)
    assert np.array_equal(one.x, other.x) and one.x is not other.x
    assert GaussianNoise([1.0], [np.random.default_rng(0)]).state() == {}


def noise_of(noise):
    return noise.x.copy()
