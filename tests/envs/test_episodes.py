import numpy as np
import pytest

from dpgcourse.envs.episodes import Episodes
from dpgcourse.envs.make import make_vector_env
from dpgcourse.envs.vector_pendulum import VectorPendulum
from tests.training.test_resume import Wandering


def rngs(n):
    return [np.random.default_rng(i) for i in range(n)]


@pytest.mark.parametrize("env", ["Pendulum-v1", "LQR-v0", Wandering])
def test_episodes_are_played_again_from_their_seeds_and_actions(env):
    episodes = Episodes(make_vector_env(env, 3), rngs(3))
    draw = np.random.default_rng(0)
    s = episodes.reset()
    space = episodes.envs.single_action_space
    for _ in range(237):
        a = draw.uniform(space.low, space.high, (3, 1)).astype(space.dtype)
        s_next, _, terminated, truncated = episodes.step(a)
        s = episodes.reset_where(terminated | truncated, s_next)
    state = episodes.state()
    assert len(state["actions"]) == state["lengths"].sum()
    assert (state["lengths"] <= 200).all()

    again = Episodes(make_vector_env(env, 3), rngs(3))
    assert np.array_equal(again.load_state(state), s)
    a = draw.uniform(space.low, space.high, (3, 1)).astype(space.dtype)
    for one, other in zip(episodes.step(a), again.step(a), strict=True):
        assert np.array_equal(one, other)
    for name, value in episodes.state().items():
        assert np.array_equal(value, again.state()[name]), name


def test_every_episode_begins_with_a_seed_of_its_own():
    episodes = Episodes(VectorPendulum(2), rngs(2))
    seen, starts = set(), set()
    s = episodes.reset()
    for _ in range(50):
        seen |= set(episodes.seeds.tolist())
        starts |= {tuple(row) for row in s.tolist()}
        s = episodes.reset_where(np.array([True, True]), s)
    assert len(seen) == len(starts) == 100


def test_what_has_not_ended_goes_on():
    episodes = Episodes(VectorPendulum(2), rngs(2))
    s = episodes.reset()
    assert episodes.reset_where(np.zeros(2, dtype=bool), s) is s
    seeds = episodes.seeds.copy()
    s_next, *_ = episodes.step(np.zeros((2, 1), np.float32))
    s = episodes.reset_where(np.array([False, True]), s_next)
    assert np.array_equal(s[0], s_next[0]) and not np.array_equal(s[1], s_next[1])
    assert episodes.seeds[0] == seeds[0] and episodes.seeds[1] != seeds[1]
    assert episodes.state()["lengths"].tolist() == [1, 0]


def test_one_seed_draws_the_same_starts_beside_others():
    alone = Episodes(VectorPendulum(1), [np.random.default_rng(1)]).reset()
    assert np.array_equal(alone[0], Episodes(VectorPendulum(2), rngs(2)).reset()[1])
