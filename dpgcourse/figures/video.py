"""Play one noiseless episode of a policy: in a window, or into a video file."""

import math
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from dpgcourse.envs.checked_env import executed_action
from dpgcourse.envs.make import env_name, make_env
from dpgcourse.envs.sources import EnvSource, Wrapper
from dpgcourse.errors import InvalidInputError
from dpgcourse.training.evaluation import CutEpisodeWarning, require_same_spaces, require_whole
from dpgcourse.training.record_writer import require_folder

_LONGER_SIDE = 240  # pixels
_MAX_FRAMES = 2_000  # frames; what comes after is played and not filmed
_DEFAULT_FPS = 30  # frames per second, where the environment does not say
_FORMATS = (".gif", ".mp4")


def play(
    agent,
    env: EnvSource,
    *,
    video: str | Path | None = None,
    show: bool = False,
    start: int = 0,
    env_kwargs: Mapping[str, Any] | None = None,
    wrappers: Sequence[Wrapper] = (),
    max_steps: int = 10_000,
) -> float:
    """Run one noiseless episode of a single agent.

    Args:
        agent: of one seed; see `dpgcourse.load`.
        env: as for `dpgcourse.envs.make.make_env`.
        video: file to write, .gif, or .mp4 with the extra ``video``; default none.
        show: open a window.
        start: seed of the episode's initial state.
        env_kwargs: arguments of the environment's constructor.
        wrappers: of the environment.
        max_steps: the episode is cut after so many steps.

    Returns:
        The undiscounted return of the episode.

    Raises:
        InvalidInputError: several agents, a video that exists or has another ending, or an
            environment that cannot be rendered so.
    """
    if agent.num_seeds != 1:
        raise InvalidInputError(
            f"agent has {agent.num_seeds} seeds; allowed: 1, see dpgcourse.load"
        )
    require_whole("start", start, 0)
    require_whole("max_steps", max_steps, 1)
    target = None if video is None else _target(video)
    mode = "rgb_array" if target else "human" if show else None
    if mode:
        require_render_mode(env, mode, env_kwargs, wrappers)
    with _without_a_screen() if mode == "rgb_array" else nullcontext():
        made = make_env(env, env_kwargs, wrappers, render_mode=mode)
        total, frames, rate = _episode(agent, made, env_name(env), start, max_steps, target)
    if target:
        _write(target, frames, rate)
    return total


def _episode(
    agent, made: gym.Env, name: str, start: int, max_steps: int, target: Path | None
) -> tuple[float, list[Any], float]:
    """Its return, and its pictures if there is a target, and how many of them make a second."""
    frames: list[Any] = []
    total = 0.0
    try:
        require_same_spaces(agent, made.observation_space, made.action_space)
        s, _ = made.reset(seed=start)
        for _ in range(max_steps):
            if target and len(frames) < _MAX_FRAMES:
                frames.append(_small(_frame(made, name), target))
            s, r, terminated, truncated, _ = made.step(
                executed_action(agent.act(s), made.action_space)
            )
            total += float(r)
            if terminated or truncated:
                break
        else:
            warnings.warn(
                f"the episode was cut after {max_steps} steps; give the environment a time limit",
                CutEpisodeWarning,
                stacklevel=2,
            )
        return total, frames, _rate(made)
    finally:
        made.close()


def require_render_mode(
    env: EnvSource,
    mode: str,
    env_kwargs: Mapping[str, Any] | None = None,
    wrappers: Sequence[Wrapper] = (),
) -> None:
    """Check that an environment can be rendered: that it offers the mode, and makes pictures.

    Raises:
        InvalidInputError: it does not.
    """
    name = env_name(env)
    made = make_env(env, env_kwargs, wrappers)
    offered = list(made.metadata.get("render_modes") or ())
    made.close()
    if mode not in offered:
        raise InvalidInputError(
            f"env {name!r} cannot be rendered as {mode!r}; allowed: "
            f"{offered or 'no render mode, so no video and no window'}"
        )
    if mode == "rgb_array":
        made = make_env(env, env_kwargs, wrappers, render_mode=mode)
        try:
            with _without_a_screen():
                made.reset(seed=0)
                _frame(made, name)
        finally:
            made.close()


@contextmanager
def _without_a_screen() -> Iterator[None]:
    """Let pygame draw without a screen, here and not in the rest of the process."""
    chosen = os.environ.get("SDL_VIDEODRIVER")
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    try:
        yield
    finally:
        if chosen is None:
            del os.environ["SDL_VIDEODRIVER"]


def _target(video: str | Path) -> Path:
    target = Path(video)
    if target.suffix not in _FORMATS:
        raise InvalidInputError(f"video is {str(video)!r}; allowed: a name ending in .gif or .mp4")
    if os.path.exists(target):
        raise InvalidInputError(f"video is {str(video)!r}, which exists; allowed: a new file")
    require_folder(target.parent, f"video is {str(video)!r}", target.name)
    if target.suffix == ".mp4":
        try:
            import imageio_ffmpeg  # noqa: F401
        except ImportError:
            raise InvalidInputError(
                f"video is {str(video)!r}; allowed: .gif, or .mp4 after "
                "pip install 'dpgcourse[video]'"
            ) from None
    return target


def _frame(env: gym.Env, name: str) -> np.ndarray:
    """A picture of the environment, (height, width, 3), uint8."""
    returned: Any = env.render()
    frame = np.asarray(returned) if isinstance(returned, np.ndarray) else np.zeros(0)
    if frame.ndim != 3 or frame.shape[-1] != 3 or not frame.size or frame.dtype.kind not in "biuf":
        what = f"an array of shape {frame.shape} and type {frame.dtype}"
        if not isinstance(returned, np.ndarray):
            what = "None" if returned is None else f"a {type(returned).__name__}"
        raise InvalidInputError(
            f"env {name!r} rendered {what}; allowed: an array (height, width, 3) of numbers"
        )
    if frame.dtype == np.uint8:
        return frame
    small = frame.dtype.kind in "bf" and frame.max() <= 1
    return np.clip(np.nan_to_num(frame * (255.0 if small else 1.0)), 0, 255).astype(np.uint8)


def _small(frame: np.ndarray, target: Path) -> Any:
    """A frame as a picture whose longer side is that of the film, with few colors in a .gif."""
    from PIL import Image

    image = Image.fromarray(frame)
    scale = _LONGER_SIDE / max(image.size)
    width, height = (max(2, 2 * round(scale * side / 2)) for side in image.size)  # even, for mp4
    image = image.resize((width, height))
    return image.quantize(32) if target.suffix == ".gif" else image


def _rate(env: gym.Env) -> float:
    rate: Any = env.metadata.get("render_fps")
    usable = isinstance(rate, int | float) and math.isfinite(rate) and rate > 0
    return rate if usable else _DEFAULT_FPS


def _write(target: Path, frames: Sequence[Any], rate: float) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix == ".gif":
        first, *rest = frames
        first.save(target, save_all=True, append_images=rest, duration=1000 / rate, loop=0)
        return
    import imageio_ffmpeg

    size = frames[0].size
    writer = imageio_ffmpeg.write_frames(str(target), size, fps=rate, macro_block_size=2)
    writer.send(None)
    for image in frames:
        writer.send(np.asarray(image.resize(size)).tobytes())
    writer.close()
