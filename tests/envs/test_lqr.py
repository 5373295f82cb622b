import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from dpgcourse.envs.lqr import CART, FORCE, LQREnv, register
from dpgcourse.envs.make import make_env, make_vector_env
from dpgcourse.theory.lqr import LQR

TWO = LQR(0.5 * np.eye(2), np.eye(2), np.eye(2), np.eye(2), 0.9, W=[[0.2, 0.1], [0.1, 0.2]])
WIDE = {"low": -1e6, "high": 1e6}


@pytest.mark.filterwarnings("ignore:.*Box observation space m.*infinity:UserWarning")
@pytest.mark.filterwarnings("ignore:.*normalized space:UserWarning")
@pytest.mark.filterwarnings("ignore:.*We recommend you to use a symmetric:UserWarning")
@pytest.mark.parametrize("env", [LQREnv(), LQREnv(TWO, low=[-1, -3], high=[2, 5])])
def test_gymnasiums_own_checker_is_content(env):
    check_env(env, skip_render_check=True)


def test_it_is_made_by_name_and_stops_after_200_steps():
    env = make_env("LQR-v0")
    assert isinstance(env.unwrapped, LQREnv) and env.unwrapped.system is CART
    env.reset(seed=0)
    ends = [env.step(np.zeros(1, dtype=np.float32))[2:4] for _ in range(200)]
    assert ends == [(False, False)] * 199 + [(False, True)]
    envs = make_vector_env("LQR-v0", 3)
    assert envs.reset(seed=0)[0].shape == (3, 2)
    register()  # a second time is harmless
    assert "LQR-v0" in gym.registry


def test_a_step_without_noise_is_the_formula():
    system = LQR([[1, 2], [3, 4]], [[5], [6]], np.diag([1, 2]), [[3]], 0.9)
    env = LQREnv(system, -1, 1)
    env.reset(options={"state": [1, -1]})
    s_next, r, terminated, truncated, info = env.step(np.array([0.5]))
    assert s_next.tolist() == [-1 + 2.5, -1 + 3]
    assert r == -(1 + 2 + 0.75)
    assert (terminated, truncated, info) == (False, False, {})


def test_actions_outside_the_box_are_clipped_before_they_move_or_cost_anything():
    outside, at_bound = LQREnv(TWO, [-1, -3], [2, 5]), LQREnv(TWO, [-1, -3], [2, 5])
    for env in (outside, at_bound):
        env.reset(seed=1)
    one, other = outside.step(np.array([-9.0, 7.0])), at_bound.step(np.array([-1.0, 5.0]))
    assert np.array_equal(one[0], other[0]) and one[1] == other[1]


def test_first_states_and_noise_have_the_systems_covariances():
    system = LQR(TWO.A, TWO.B, TWO.M, TWO.R, 0.9, Sigma0=[[2, 1], [1, 0.5]], W=TWO.W)
    env = LQREnv(system, -1, 1)
    first = np.array([env.reset(seed=0 if i == 0 else None)[0] for i in range(4000)])
    noise = []
    for _ in range(4000):
        env.reset(options={"state": [0, 0]})
        noise.append(env.step(np.zeros(2))[0])
    for sample, covariance in ((first, system.Sigma0), (np.array(noise), system.W)):
        products = sample[:, :, None] * sample[:, None, :]
        error = np.abs(products.mean(0) - covariance)
        assert (error < 4 * products.std(0) / 4000**0.5).all()
        assert (np.abs(sample.mean(0)) < 4 * sample.std(0) / 4000**0.5).all()


def test_returns_agree_with_the_closed_form_while_the_box_is_wide():
    env, K = LQREnv(TWO, **WIDE), 0.2 * np.eye(2)
    s_0, returns = np.array([1.0, -2.0]), []
    env.reset(seed=3)
    for _ in range(400):
        s, _ = env.reset(options={"state": s_0})
        total = 0.0
        for t in range(120):
            s, r, *_ = env.step(-K @ s)
            total += TWO.gamma**t * r
        returns.append(total)
    assert abs(np.mean(returns) - TWO.V(K, s_0)) < 4 * np.std(returns) / 20


def test_the_default_box_leaves_the_optimal_gain_alone():
    deviation = np.linalg.norm(CART.optimal_gain())  # of K* s_0, as Σ_0 is the identity
    assert deviation * 3.3 < FORCE  # P(|N(0,1)| > 3.3) is below 0.001


def test_the_state_cannot_be_changed_from_outside():
    env = LQREnv()
    s, _ = env.reset(seed=0)
    s[:] = 7
    assert not np.array_equal(env.state, s)
    s, *_ = env.step(np.zeros(1))
    s[:] = 7
    assert not np.array_equal(env.state, s)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ((1, -1), "low is .*high is .*allowed: low < high"),
        ((0, 0), "allowed: low < high"),
        ((-np.inf, 1), "low is -inf; allowed: finite"),
        ((-1, np.nan), "high is nan; allowed: finite"),
        (([-1, -1], 1), r"low has shape \(2,\); allowed: \(1,\)"),
    ],
)
def test_bad_bounds_are_refused(bounds, message):
    with pytest.raises(ValueError, match=message):
        LQREnv(CART, *bounds)


def test_bad_actions_and_states_are_refused():
    env = LQREnv()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="action is .*nan.*allowed: finite"):
        env.step(np.array([np.nan]))
    with pytest.raises(ValueError, match=r"action has shape \(2,\); allowed: \(1,\)"):
        env.step(np.zeros(2))
    with pytest.raises(ValueError, match=r"state has shape \(3,\)"):
        env.reset(options={"state": np.zeros(3)})


@pytest.mark.parametrize(("growth", "start"), [(1e200, 1e150), (0.0, 1e200)])  # state, cost
def test_an_overflow_is_named(growth, start):
    env = LQREnv(LQR([[growth]], [[1]], [[1]], [[1]], 0.9), -1, 1)
    env.reset(options={"state": [start]})
    with np.errstate(over="ignore"), pytest.raises(FloatingPointError, match="is followed by"):
        env.step(np.zeros(1))


def test_another_system_can_be_given_by_arguments():
    env = make_env("LQR-v0", {"system": TWO, "low": -3, "high": 3})
    assert env.action_space == gym.spaces.Box(-3, 3, (2,))
    assert env.unwrapped.system is not CART
    np.testing.assert_array_equal(env.unwrapped.system.A, TWO.A)
    alone = make_env(LQREnv, {"system": TWO})  # the class has no time limit
    alone.reset(seed=0)
    assert not any(alone.step(np.zeros(2))[3] for _ in range(250))
