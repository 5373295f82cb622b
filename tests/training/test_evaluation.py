"""Episodes without noise: where they start, and in which environment they are played."""

import numpy as np
import pytest

from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training import evaluation
from dpgcourse.training.evaluation import evaluate
from dpgcourse.training.final_returns import evaluate_records
from dpgcourse.training.loop import train
from dpgcourse.training.record import read_record

TINY = DDPGConfig(hidden_sizes=(8,), batch_size=4)


@pytest.mark.parametrize("wrappers", [(), ("FlattenObservation",)])
def test_many_episodes_are_played_in_portions_with_starts_of_their_own(wrappers, monkeypatch):
    agent = DDPG(TINY, 3, ActionBox([-2.0], [2.0]), random_streams([0, 1]))
    whole = evaluate(agent, "Pendulum-v1", 7, seed=3, wrappers=wrappers)
    assert len(np.unique(whole[0])) == 7
    for name in ("_MAX_ENVS", "_MAX_VECTORIZED_ENVS"):
        monkeypatch.setattr(evaluation, name, 4)  # two episodes of two seeds
    parts = evaluate(agent, "Pendulum-v1", 7, seed=3, wrappers=wrappers)
    np.testing.assert_allclose(parts, whole, rtol=1e-5)


def test_a_record_is_evaluated_in_its_own_environment(tmp_path):
    settings = {"env_kwargs": {"g": 2.0}, "wrappers": ["FlattenObservation"]}
    short = {"steps": 20, "learning_starts": 10, "eval_every": 20, "eval_episodes": 1}
    train("Pendulum-v1", num_seeds=2, agent=TINY, **short, **settings, out=tmp_path / "record")
    record = read_record(tmp_path / "record")
    (found,) = evaluate_records({"a": record}, episodes=3, seed=5).values()
    expected = evaluate(record.agent, "Pendulum-v1", 3, 5, **settings).mean(-1)
    assert list(found) == [0, 1] and np.allclose(list(found.values()), expected)
    assert not np.allclose(evaluate(record.agent, "Pendulum-v1", 3, 5).mean(-1), expected)
