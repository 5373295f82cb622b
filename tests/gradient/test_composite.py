import numpy as np
import pytest

from dpgcourse.gradient.composite import (
    Composite,
    LinearActor,
    QuadraticCritic,
    SineCritic,
    TanhActor,
)
from dpgcourse.gradient.derivative_checks import central_difference, relative_error

ACTORS = [LinearActor(3, 2), TanhActor(3, 2)]
RNG = np.random.default_rng(0)
SINES = SineCritic(RNG.normal(size=(4, 3)), RNG.normal(size=(4, 2)), RNG.normal(size=4))
CRITICS = [(QuadraticCritic(3, 2), 6), (SINES, 4)]  # critic, length of w
LEADS = [(), (5,), (2, 5)]


def test_running_example():
    composite = Composite(LinearActor(1, 1), QuadraticCritic(1, 1))
    s, u, w = [2.0], [0.5], [1.5]
    np.testing.assert_array_equal(composite.actor.mu(s, u), [1.0])
    assert composite.ell(s, u, w) == -4
    g, J = composite.factors(s, u, w)
    np.testing.assert_array_equal(g, [4.0])
    np.testing.assert_array_equal(J, [[2.0]])


def test_two_actions_by_hand():
    # U = [[1, 2], [3, 4]], s = (5, 6): a = (17, 39); row i of J holds s beside U's row i.
    actor = LinearActor(2, 2)
    np.testing.assert_array_equal(actor.mu([5.0, 6.0], [1.0, 2.0, 3.0, 4.0]), [17.0, 39.0])
    J = actor.da_du([5.0, 6.0], [1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(J, [[5.0, 6.0, 0.0, 0.0], [0.0, 0.0, 5.0, 6.0]])


def test_sine_critic_by_hand():
    # 2 sin(1·s + 3·a + 0) at s = 0, a = 0: value 0, slope 2 · 3 · cos 0 = 6.
    critic = SineCritic(np.array([[1.0]]), np.array([[3.0]]), np.array([0.0]))
    assert critic.Q([0.0], [0.0], [2.0]) == 0
    np.testing.assert_array_equal(critic.dQ_da([0.0], [0.0], [2.0]), [6.0])


@pytest.mark.parametrize("actor", ACTORS, ids=lambda actor: type(actor).__name__)
@pytest.mark.parametrize("lead", LEADS)
def test_actor_derivatives(actor, lead):
    rng = np.random.default_rng(1)
    s, u = rng.normal(size=(*lead, 3)), rng.normal(size=6)
    J = actor.da_du(s, u)
    assert J.shape == (*lead, 2, 6)
    assert relative_error(J, central_difference(lambda u: actor.mu(s, u), u)) < 1e-6
    g, du = rng.normal(size=(*lead, 2)), rng.normal(size=6)
    np.testing.assert_allclose(actor.vjp(s, u, g), np.einsum("...m,...mn->...n", g, J))
    np.testing.assert_allclose(actor.jvp(s, u, du), J @ du)


@pytest.mark.parametrize(("critic", "size_w"), CRITICS, ids=["quadratic", "sine"])
@pytest.mark.parametrize("lead", LEADS)
def test_critic_derivatives(critic, size_w, lead):
    rng = np.random.default_rng(2)
    s, a, w = rng.normal(size=(*lead, 3)), rng.normal(size=(*lead, 2)), rng.normal(size=size_w)
    g = critic.dQ_da(s, a, w)
    assert critic.Q(s, a, w).shape == lead and g.shape == (*lead, 2)
    slope = central_difference(lambda a: critic.Q(s, a, w).sum(), a)  # states do not mix
    assert relative_error(g, slope) < 1e-6


def test_tanh_actions_stay_inside_the_unit_box():
    a = TanhActor(3, 2).mu(np.random.default_rng(3).normal(size=(100, 3)), np.ones(6))
    assert (np.abs(a) < 1).all()


def test_quadratic_critic_is_best_at_its_favorite_action():
    critic, s, w = QuadraticCritic(1, 1), [2.0], [1.5]
    np.testing.assert_array_equal(critic.dQ_da(s, [3.0], w), [0.0])
    assert critic.Q(s, [3.0], w) == 0 > critic.Q(s, [2.9], w)


@pytest.mark.parametrize("actor", ACTORS, ids=lambda actor: type(actor).__name__)
@pytest.mark.parametrize("method", ["mu", "da_du"])
def test_actors_refuse_wrong_shapes(actor, method):
    call = getattr(actor, method)
    with pytest.raises(ValueError, match=r"s has shape \(2,\); allowed: \(\.\.\., 3\)"):
        call(np.zeros(2), np.zeros(6))
    with pytest.raises(ValueError, match=r"s has shape \(\); allowed: \(\.\.\., 3\)"):
        call(1.0, np.zeros(6))
    for u in (np.zeros(5), np.zeros((2, 3))):
        with pytest.raises(ValueError, match=r"u has shape \(.*\); allowed: \(6,\)"):
            call(np.zeros(3), u)


@pytest.mark.parametrize("actor", ACTORS, ids=lambda actor: type(actor).__name__)
def test_products_refuse_wrong_shapes(actor):
    with pytest.raises(ValueError, match=r"g has shape \(3,\); allowed: \(\.\.\., 2\)"):
        actor.vjp(np.zeros(3), np.zeros(6), np.zeros(3))
    with pytest.raises(ValueError, match=r"u has shape \(5,\); allowed: \(6,\)"):
        actor.vjp(np.zeros(3), np.zeros(5), np.zeros(2))
    with pytest.raises(ValueError, match=r"has shape \(5,\); allowed: \(6,\)"):
        actor.jvp(np.zeros(3), np.zeros(6), np.zeros(5))


@pytest.mark.parametrize(("critic", "size_w"), CRITICS, ids=["quadratic", "sine"])
@pytest.mark.parametrize("method", ["Q", "dQ_da"])
def test_critics_refuse_wrong_shapes(critic, size_w, method):
    call = getattr(critic, method)
    with pytest.raises(ValueError, match=r"s has shape \(2,\); allowed: \(\.\.\., 3\)"):
        call(np.zeros(2), np.zeros(2), np.zeros(size_w))
    with pytest.raises(ValueError, match=r"a has shape \(3,\); allowed: \(\.\.\., 2\)"):
        call(np.zeros(3), np.zeros(3), np.zeros(size_w))
    with pytest.raises(ValueError, match=rf"w has shape \(9,\); allowed: \({size_w},\)"):
        call(np.zeros(3), np.zeros(2), np.zeros(9))


@pytest.mark.parametrize("name", ["alpha", "beta"])
def test_sine_critic_refuses_frequencies_of_another_number_of_sines(name):
    arrays = {"alpha": np.zeros((4, 3)), "beta": np.zeros((4, 2)), "phi": np.zeros(4)}
    for wrong in (np.zeros((5, 2)), np.zeros(4)):
        with pytest.raises(ValueError, match=rf"{name} has shape .*; allowed: \(4, columns\)"):
            SineCritic(**(arrays | {name: wrong}))
