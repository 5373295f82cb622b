"""An episode that is played: what it returns, what its video shows, and what is refused."""

import os
import sys

import gymnasium as gym
import numpy as np
import pytest
from PIL import Image

from dpgcourse.agents.base import Agent
from dpgcourse.agents.config import AgentConfig, DDPGConfig
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.envs.make import make_env
from dpgcourse.errors import InvalidInputError
from dpgcourse.figures import video
from dpgcourse.figures.video import play, require_render_mode
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training.evaluation import CutEpisodeWarning, evaluate
from dpgcourse.training.loop import train
from dpgcourse.training.record import load

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pygame")
RED, GRAY = (255, 0, 0), (128, 128, 128)


class Screen(gym.Env):
    """Shows a picture that lasts for an episode of 12 steps; the reward is the action."""

    observation_space = gym.spaces.Box(-1.0, 1.0, (2,))
    action_space = gym.spaces.Box(-1.0, 1.0, (1,))
    metadata = {"render_modes": ["rgb_array", "human"], "render_fps": 20}  # noqa: RUF012
    picture: object = np.full((30, 60, 3), RED, np.uint8)
    made: list = []  # noqa: RUF012

    def __init__(self, render_mode=None):
        self.render_mode, self.rendered, self.closed = render_mode, 0, False
        Screen.made.append(self)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):
        assert self.action_space.contains(action)
        self.steps += 1
        return np.zeros(2, np.float32), float(action[0]), self.steps == 12, False, {}

    def render(self):
        self.rendered += 1
        return self.picture

    def close(self):
        self.closed = True


class Steady(Agent):
    """Always asks for 0.25."""

    def policy(self, s):
        return np.full((*s.shape[:2], self.action_dim), 0.25)

    def update(self, batch):
        pass

    def state(self):
        return {}

    def load_state(self, state):
        pass


@pytest.fixture(autouse=True)
def screens():
    """Every screen that was made, and closed."""
    Screen.made.clear()
    yield Screen.made
    assert all(screen.closed for screen in Screen.made)


def steady(seeds=1, d=2, low=-1.0, high=1.0):
    return Steady(AgentConfig(), d, ActionBox([low], [high]), random_streams(range(seeds)))


def showing(picture, **metadata):
    """A screen with another picture or other metadata."""
    changes = {"picture": picture, "metadata": {**Screen.metadata, **metadata}}
    return type("Showing", (Screen,), changes)


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "record"
    train(
        num_seeds=2,
        steps=20,
        learning_starts=10,
        eval_every=20,
        eval_episodes=1,
        agent=DDPGConfig(hidden_sizes=(8,)),
        out=folder,
    )
    return folder


def seconds(path):
    """How long a film lasts; equal neighboring frames may be merged into one."""
    with Image.open(path) as film:
        return sum(film.seek(i) or film.info["duration"] for i in range(film.n_frames)) / 1000


# What is played


def test_a_video_shows_the_whole_episode(record, tmp_path):
    total = play(load(record, seed=1), "Pendulum-v1", video=tmp_path / "new" / "film.gif")
    assert -2500 < total < 0
    with Image.open(tmp_path / "new" / "film.gif") as film:
        assert film.width == 240
    assert 4 < seconds(tmp_path / "new" / "film.gif") < 8  # 200 steps, 30 a second


def test_each_seed_plays_its_own_policy_with_or_without_a_video(record, tmp_path):
    returns = []
    for seed in (0, 1):
        agent, env = load(record, seed=seed), gym.make("Pendulum-v1")
        s, _ = env.reset(seed=5)
        expected, ended = 0.0, False
        while not ended:
            s, r, _, ended, _ = env.step(agent.policy(s[None, None])[0, 0])
            expected += float(r)
        returns.append(play(agent, "Pendulum-v1", start=5))
        assert returns[-1] == pytest.approx(expected)
        film = play(agent, "Pendulum-v1", start=5, video=tmp_path / f"{seed}.gif")
        assert film == returns[-1]
        assert evaluate(agent, "Pendulum-v1", episodes=1, seed=5) == pytest.approx(returns[-1])
    assert returns[0] != returns[1]


def test_the_start_chooses_the_episode(record):
    agent = load(record, seed=0)
    assert play(agent, "Pendulum-v1", start=1) != play(agent, "Pendulum-v1", start=2)
    assert play(agent, "Pendulum-v1") == play(agent, "Pendulum-v1", start=0)


def test_without_a_video_and_a_window_nothing_is_rendered(screens):
    assert play(steady(), Screen) == pytest.approx(12 * 0.25)
    assert [(screen.render_mode, screen.rendered) for screen in screens] == [(None, 0)]


def test_a_window_is_opened(screens):
    assert play(steady(), Screen, show=True) == pytest.approx(3)
    assert screens[-1].render_mode == "human"


def test_arguments_and_wrappers_reach_the_environment():
    def twice(env):
        return gym.wrappers.TransformReward(env, lambda r: 2 * r)

    total = play(steady(), Screen, wrappers=[twice], env_kwargs={"render_mode": None})
    assert total == pytest.approx(6)


def test_an_endless_episode_is_cut_with_a_warning():
    with pytest.warns(CutEpisodeWarning, match="cut after 5 steps; give the environment a time"):
        assert play(steady(), Screen, max_steps=5) == pytest.approx(5 * 0.25)


# What is shown


@pytest.mark.parametrize(
    ("picture", "color"),
    [
        (np.full((30, 60, 3), RED, np.uint8), RED),
        (np.full((30, 60, 3), [1.0, 0.0, 0.0]), RED),
        (np.full((30, 60, 3), [1.0, 0.0, 0.0], np.float32), RED),
        (np.full((30, 60, 3), [255.0, 0.0, 0.0]), RED),
        (np.full((30, 60, 3), [400.0, -9.0, np.nan]), RED),
        (np.full((30, 60, 3), 128.0), GRAY),
        (np.full((30, 60, 3), 0.502), GRAY),
        (np.full((30, 60, 3), 128, np.int64), GRAY),
        (np.full((30, 60, 3), [True, False, False]), RED),
        (np.full((30, 60, 3), 1, np.uint8), (1, 1, 1)),
        (np.full((30, 60, 3), 1, np.int64), (1, 1, 1)),
    ],
    ids=lambda value: f"{value.dtype}" if isinstance(value, np.ndarray) else str(value),
)
def test_colors_are_read_as_their_type_means_them(picture, color, tmp_path):
    play(steady(), showing(picture), video=tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as film:
        assert film.size == (240, 120)
        found = np.asarray(film.convert("RGB"))
    assert np.abs(found.astype(int) - color).max() <= 1
    assert seconds(tmp_path / "film.gif") == pytest.approx(12 / 20, rel=0.01)


@pytest.mark.parametrize(("shape", "size"), [((90, 60), (160, 240)), ((60, 90), (240, 160))])
def test_the_longer_side_of_a_film_has_240_pixels(shape, size, tmp_path):
    play(steady(), showing(np.full((*shape, 3), RED, np.uint8)), video=tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as film:
        assert film.size == size


@pytest.mark.parametrize(
    ("rate", "per_second"),
    [(50, 50), (None, 30), (0, 30), (-5, 30), ("fast", 30), (float("nan"), 30)],
)
def test_the_speed_is_that_of_the_environment_if_it_says_one(rate, per_second, tmp_path):
    play(steady(), showing(Screen.picture, render_fps=rate), video=tmp_path / "film.gif")
    assert seconds(tmp_path / "film.gif") == pytest.approx(12 / per_second, rel=0.11)


def test_a_long_episode_is_played_to_its_end_and_filmed_to_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(video, "_MAX_FRAMES", 5)
    assert play(steady(), Screen, video=tmp_path / "film.gif") == pytest.approx(3)
    assert seconds(tmp_path / "film.gif") == pytest.approx(5 / 20, rel=0.01)


# The reader of imageio_ffmpeg leaves its pipes to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("shape", "size"),
    [((31, 60), (240, 124)), ((90, 59), (158, 240)), ((1, 900), (240, 2)), ((400, 3), (2, 240))],
)
def test_an_mp4_is_written_with_the_extra(shape, size, tmp_path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    picture = np.full((*shape, 3), RED, np.uint8)
    play(steady(), showing(picture), video=tmp_path / "film.mp4")
    frames = ffmpeg.read_frames(str(tmp_path / "film.mp4"))
    meta = next(frames)
    assert meta["size"] == size and meta["fps"] == 20
    shown = [np.frombuffer(frame, np.uint8) for frame in frames]
    assert len(shown) == 12
    assert np.abs(shown[6].reshape(-1, 3).mean(0) - RED).max() < 10  # the format loses a little


# What is refused


def refused(message, agent=None, env=Screen, path=None, **settings):
    with pytest.raises(InvalidInputError) as error:
        play(agent or steady(), env, video=path, **settings)
    assert message in str(error.value)


def test_several_agents_are_refused(tmp_path):
    refused("agent has 2 seeds; allowed: 1, see dpgcourse.load", steady(seeds=2))
    refused("agent has 2 seeds; allowed: 1", steady(seeds=2), path=tmp_path / "film.gif")
    assert not list(tmp_path.iterdir())


def test_a_file_that_exists_is_left_alone(tmp_path, screens):
    for name in ("film.gif", "film.mp4"):
        (tmp_path / name).write_bytes(b"mine")
        said = f"video is {str(tmp_path / name)!r}, which exists; allowed: a new file"
        refused(said, path=tmp_path / name)
        assert (tmp_path / name).read_bytes() == b"mine"
    assert not screens  # it was refused before any environment was made


@pytest.mark.parametrize("name", ["film", "film.avi", "film.GIF", ".gif", "film.gif.txt"])
def test_a_name_with_another_ending_is_refused(name, tmp_path, screens):
    refused(
        f"video is {str(tmp_path / name)!r}; allowed: a name ending in .gif or .mp4",
        path=tmp_path / name,
    )
    assert not screens and not list(tmp_path.iterdir())


def test_an_mp4_without_the_extra_says_how_to_get_it(tmp_path, monkeypatch, screens):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    refused("allowed: .gif, or .mp4 after pip install 'dpgcourse[video]'", path=tmp_path / "f.mp4")
    play(steady(), Screen, video=tmp_path / "film.gif")
    assert [path.name for path in tmp_path.iterdir()] == ["film.gif"]


def test_an_environment_that_draws_nothing_is_refused(tmp_path):
    agent = steady(low=-30.0, high=30.0)
    said = "env 'LQR-v0' cannot be rendered as 'rgb_array'; allowed: no render mode, so no video"
    refused(said, agent, "LQR-v0", tmp_path / "film.gif")
    refused("cannot be rendered as 'human'; allowed: no render mode", agent, "LQR-v0", show=True)
    window = showing(Screen.picture, render_modes=["human"])
    said = "cannot be rendered as 'rgb_array'; allowed: ['human']"
    refused(said, env=window, path=tmp_path / "film.gif")
    assert play(agent, "LQR-v0", max_steps=200) < 0  # without a video it is played
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("picture", "what"),
    [
        (None, "rendered None"),
        ([[[0, 0, 0]]], "rendered a list"),
        ("picture", "rendered a str"),
        (np.zeros((30, 60)), "rendered an array of shape (30, 60) and type float64"),
        (np.zeros((30, 60, 4), np.uint8), "rendered an array of shape (30, 60, 4) and type uint8"),
        (np.zeros((0, 60, 3)), "rendered an array of shape (0, 60, 3)"),
        (np.full((30, 60, 3), "x"), "and type <U1"),
    ],
)
def test_what_is_no_picture_is_refused_before_the_episode(picture, what, tmp_path, screens):
    said = f"{what}; allowed: an array (height, width, 3) of numbers"
    said = said if "shape (0" not in what else what
    refused(said, env=showing(picture), path=tmp_path / "film.gif")
    assert all(getattr(screen, "steps", 0) == 0 for screen in screens)
    assert not list(tmp_path.iterdir())
    assert play(steady(), showing(picture)) == pytest.approx(3)  # without a video it is played


def test_a_picture_that_fails_later_leaves_no_file_and_closes_the_environment(tmp_path):
    class Fades(Screen):
        def render(self):
            return super().render() if self.steps < 3 else None

    refused("rendered None", env=Fades, path=tmp_path / "film.gif")
    assert not list(tmp_path.iterdir())


def test_an_agent_of_another_task_is_refused(tmp_path):
    refused("env has observations (2,) and actions (1,); allowed: (3,) and (1,)", steady(d=3))
    wider = steady(low=-2.0, high=2.0)
    refused("env has actions from [-1.] to [1.]; allowed: [-2.] to [2.]", wider)


def test_the_check_of_a_render_mode_is_quiet_where_there_is_one():
    assert require_render_mode(Screen, "rgb_array") is None
    assert require_render_mode("Pendulum-v1", "rgb_array") is None
    assert make_env("Pendulum-v1", render_mode="rgb_array").render_mode == "rgb_array"


@pytest.mark.parametrize("chosen", [None, "x11"])
def test_the_choice_of_a_screen_stays_with_the_user(monkeypatch, tmp_path, chosen):
    """pygame reads SDL_VIDEODRIVER: `play` sets it for its own drawing alone."""
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    if chosen:
        monkeypatch.setenv("SDL_VIDEODRIVER", chosen)
    seen = []
    monkeypatch.setattr(Screen, "render", lambda env: seen.append(driver()) or Screen.picture)
    play(steady(), Screen, video=tmp_path / "film.gif")
    assert set(seen) == {chosen or "dummy"} and driver() == chosen


def driver():
    return os.environ.get("SDL_VIDEODRIVER")
