import json

import pytest

from dpgcourse.agents.random_streams import random_streams


def draws(group, row):
    return [float(rngs[row].random()) for rngs in vars(group).values()]


def test_a_seed_draws_the_same_alone_and_beside_others():
    assert draws(random_streams([7]), 0) == draws(random_streams([3, 7, 11]), 1)


def test_all_streams_of_all_seeds_differ():
    group = random_streams(range(20))
    values = [value for row in range(20) for value in draws(group, row)]
    assert len(set(values)) == len(values)


@pytest.mark.parametrize("seeds", [[], [-1], [2, 2]])
def test_bad_seeds(seeds):
    with pytest.raises(ValueError, match="allowed: one or more different integers >= 0"):
        random_streams(seeds)


def test_the_state_of_all_streams_comes_back_through_json():
    group = random_streams([3, 7])
    draws(group, 0)
    stored = json.loads(json.dumps(group.state()))
    expected = draws(group, 0), draws(group, 1)
    again = random_streams([3, 7])
    exploration = again.exploration[0]
    again.load_state(stored)
    assert again.exploration[0] is exploration  # whoever holds a generator keeps it
    assert (draws(again, 0), draws(again, 1)) == expected


def test_the_state_of_other_streams_is_refused():
    with pytest.raises(ValueError, match="shorter|longer"):
        random_streams([3]).load_state(random_streams([3, 7]).state())
    with pytest.raises(KeyError):
        random_streams([3]).load_state({})
