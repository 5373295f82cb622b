import gymnasium as gym
import pytest
import torch
from PIL import Image

from dpgcourse.agents.ddpg import DDPGConfig
from dpgcourse.figures.video import play
from dpgcourse.training.loop import TrainConfig, train
from dpgcourse.training.record import RecordWriter, read_record

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pygame")


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "record"
    config = TrainConfig(
        seeds=2, steps=20, warmup=10, eval_every=20, eval_episodes=1, agent=DDPGConfig(hidden=(8,))
    )
    train(config, RecordWriter(folder, config))
    return read_record(folder)


def test_a_film_shows_the_whole_episode(record, tmp_path):
    total = play(record, seed=1, film=tmp_path / "new" / "film.gif")
    assert -2500 < total < 0
    with Image.open(tmp_path / "new" / "film.gif") as film:
        assert film.width == 240
        # Equal neighboring frames may be merged, so the whole is measured in time: 200 steps.
        shown = sum(film.seek(i) or film.info["duration"] for i in range(film.n_frames))
        assert 4000 < shown < 8000


def test_each_seed_plays_its_own_policy(record, tmp_path):
    for row, seed in enumerate(record.config.seed_list):
        env = gym.make("Pendulum-v1")
        s, _ = env.reset(seed=5)
        expected, ended = 0.0, False
        while not ended:
            with torch.no_grad():
                states = torch.tensor(s).expand(2, 1, 3)
                a = record.actor(states)[row, 0].numpy()
            s, r, _, ended, _ = env.step(a)
            expected += float(r)
        assert play(record, seed, tmp_path / "film.gif", start=5) == pytest.approx(expected)


def test_bad_seeds_and_names_are_refused_before_anything_is_written(record, tmp_path):
    with pytest.raises(ValueError, match="seed is 2; allowed: 0 to 1"):
        play(record, seed=2, film=tmp_path / "film.gif")
    with pytest.raises(ValueError, match="allowed: a name that ends in .gif"):
        play(record, seed=0, film=tmp_path / "film.mp4")
    assert not list(tmp_path.iterdir())
