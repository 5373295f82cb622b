import importlib.util

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from dpgcourse.errors import InvalidInputError
from dpgcourse.training.config import make_config
from dpgcourse.training.loop import train

CONFIG = make_config(
    "LQR-v0", "numpy-ddpg", num_seeds=2, first_seed=7, steps=40, learning_starts=20, eval_every=20
)


@pytest.mark.filterwarnings("ignore")  # of TensorBoard's own dependencies
def test_tensorboard_shows_what_was_measured(tmp_path):
    run = train(CONFIG, out=tmp_path / "new", tensorboard=True)
    for row, seed in enumerate((7, 8)):
        events = EventAccumulator(str(tmp_path / "new" / "tensorboard" / f"seed{seed}"))
        events.Reload()
        shown = {tag: events.Scalars(tag) for tag in events.Tags()["scalars"]}
        assert set(shown) == {"return", *(f"log/{name}" for name in run.log)}
        assert [scalar.step for scalar in shown["return"]] == [20, 40]
        means = run.returns[:, row].mean(-1)
        np.testing.assert_allclose([x.value for x in shown["return"]], means, rtol=1e-6)
        q = [x.value for x in shown["log/q_mean"]]
        np.testing.assert_allclose(q, run.log["q_mean"][:, row], rtol=1e-6)


def test_without_tensorboard_nothing_is_written(tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "tensorboard" else find(name)
    )
    with pytest.raises(InvalidInputError, match=r"not installed; .*pip install 'dpgcourse\[tens"):
        train(CONFIG, out=tmp_path / "new", tensorboard=True)
    assert list(tmp_path.iterdir()) == []


def test_tensorboard_needs_a_folder():
    with pytest.raises(InvalidInputError, match="tensorboard is True and out is None"):
        train(CONFIG, tensorboard=True)
