import copy
from collections import deque

import numpy as np
import pytest

from dpgcourse.agents.batch import Batch
from dpgcourse.agents.replay_buffer import ReplayBuffer


def rngs(seeds=1):
    return [np.random.default_rng(seed) for seed in range(seeds)]


def transition(k, seeds=1):
    """A transition that carries its own number in every field."""
    one = np.full(seeds, float(k))
    return one[:, None] + [0, 0.25], one[:, None], one, one[:, None] + [0.5, 0.75], one % 2


@pytest.mark.parametrize("capacity", [1, 3, 7])
def test_keeps_the_latest_transitions_like_a_deque(capacity):
    replay, expected = ReplayBuffer(capacity, 2, 1, rngs()), deque(maxlen=capacity)
    for k in range(20):
        replay.add(*transition(k))
        expected.append(k)
        drawn = replay.sample(200)
        assert set(drawn.r.flatten().tolist()) <= set(expected)
        assert replay.size == len(expected)
    assert set(replay.sample(500).r.flatten().tolist()) == set(expected)


def test_a_copy_goes_on_by_itself():
    first = ReplayBuffer(5, 2, 1, rngs())
    first.add(*transition(1))
    second = copy.deepcopy(first)
    second.add(*transition(2))
    assert set(first.sample(100).r.flatten().tolist()) == {1}
    assert set(second.sample(100).r.flatten().tolist()) == {1, 2}


def test_the_fields_of_a_transition_stay_together():
    replay = ReplayBuffer(50, 2, 1, rngs())
    for k in range(80):
        replay.add(*transition(k))
    batch = replay.sample(200)
    k = batch.r
    assert np.array_equal(batch.s, k[..., None] + [0, 0.25])
    assert np.array_equal(batch.a, k[..., None])
    assert np.array_equal(batch.s_next, k[..., None] + [0.5, 0.75])
    assert np.array_equal(batch.terminated, k % 2)


def test_every_seed_draws_from_its_own_rows_with_its_own_generator():
    together, alone = ReplayBuffer(10, 1, 1, rngs(2)), ReplayBuffer(10, 1, 1, rngs(2)[1:])
    for k in range(10):
        column = np.array([[k], [100.0 + k]])
        together.add(column, column, column[:, 0], column, np.zeros(2))
        alone.add(column[1:], column[1:], column[1:, 0], column[1:], np.zeros(1))
    one, both = alone.sample(64), together.sample(64)
    assert both.r[0].max() < 100 <= both.r[1].min()
    assert np.array_equal(both.r[1], one.r[0])


def test_samples_are_uniform():
    replay = ReplayBuffer(10, 1, 1, rngs())
    for k in range(10):
        replay.add([[k]], [[0]], [k], [[k]], [0])
    counts = np.bincount(replay.sample(100_000).r.astype(int).ravel())
    assert (abs(counts - 10_000) < 5 * 95).all()  # the standard deviation is 95


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64, np.bool_])
def test_whatever_comes_in_one_dtype_comes_out(dtype):
    replay = ReplayBuffer(4, 1, 1, rngs())
    one = np.ones((1, 1), dtype)
    replay.add(one, one, one[0], one, np.array([True]))
    assert {field.dtype for field in replay.sample(2)} == {np.dtype("float32")}


@pytest.mark.parametrize("B", [1, 2, 7])
def test_one_number_per_transition_has_no_trailing_axis(B):
    replay = ReplayBuffer(4, 3, 2, rngs(5))
    replay.add(np.ones((5, 3)), np.ones((5, 2)), np.ones(5), np.ones((5, 3)), np.ones(5))
    shapes = [tuple(field.shape) for field in replay.sample(B)]
    assert shapes == [(5, B, 3), (5, B, 2), (5, B), (5, B, 3), (5, B)]


def test_a_wrong_shape_is_refused_by_name():
    replay = ReplayBuffer(4, 2, 1, rngs())
    for name in Batch._fields:
        good = dict(zip(Batch._fields, transition(1), strict=True))
        good[name] = np.ones((1, 5))
        with pytest.raises(ValueError, match=rf"{name} has shape \(1, 5\)"):
            replay.add(**good)


def test_empty_buffers_and_batches_are_refused():
    with pytest.raises(ValueError, match="batch of 4 from 0 transitions"):
        ReplayBuffer(4, 1, 1, rngs()).sample(4)
    with pytest.raises(ValueError, match="capacity is 0"):
        ReplayBuffer(0, 1, 1, rngs())


def test_transitions_are_found_by_age():
    replay = ReplayBuffer(3, 1, 1, rngs(2))
    for i in range(5):
        replay.add(*(np.full((2, *shape), i) for shape in ((1,), (1,), (), (1,), ())))
    assert replay.transitions_at(np.arange(3)).r.tolist() == [[2, 3, 4]] * 2
    assert replay.transitions_at([0]).s.shape == (2, 1, 1)
    for place in (-1, 3):
        with pytest.raises(ValueError, match="allowed: 0 to 2"):
            replay.transitions_at([place])


@pytest.mark.parametrize(("steps", "share"), [(3, 1 / 3), (9, 2 / 5)])
def test_ends_are_counted_among_all_that_is_kept(steps, share):
    replay = ReplayBuffer(5, 2, 1, rngs())
    for k in range(steps):
        replay.add(*transition(k))  # every odd one is an end
    assert np.isclose(replay.terminated_fraction(), share)


def filled(number, capacity=4):
    buffer = ReplayBuffer(capacity, 2, 1, [np.random.default_rng(0)])
    for k in range(number):
        buffer.add(np.full((1, 2), k), np.full((1, 1), k), [k], np.full((1, 2), k + 1), [False])
    return buffer


@pytest.mark.parametrize("number", [0, 1, 3, 4, 5, 11])
def test_what_is_kept_comes_back_and_goes_on(number):
    one, other = filled(number), filled(2)
    other.load_state(one.state())
    for buffer in (one, other):
        buffer.add(np.full((1, 2), 99), np.full((1, 1), 99), [99], np.full((1, 2), 99), [True])
    positions = np.arange(one.size)
    for x, y in zip(one.transitions_at(positions), other.transitions_at(positions), strict=True):
        assert np.array_equal(x, y)


@pytest.mark.parametrize(
    ("size", "position", "width"), [(5, 0, 7), (3, 2, 7), (4, 4, 7), (4, -1, 7), (2, 2, 6)]
)
def test_what_cannot_have_been_kept_is_refused(size, position, width):
    state = {"rows": np.zeros((1, size, width)), "position": np.array([position])}
    with pytest.raises(ValueError, match="rows have shape"):
        filled(0).load_state(state)
