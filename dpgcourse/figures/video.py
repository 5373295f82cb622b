"""Play one noiseless episode of a policy: in a window, or into a video file."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from dpgcourse.envs.make import EnvSource, Wrapper, env_name, make_env
from dpgcourse.errors import InvalidInputError

WIDTH = 240  # pixels
FORMATS = (".gif", ".mp4")


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
    target = None if video is None else _target(video)
    mode = "rgb_array" if target else "human" if show else None
    if mode:
        require_render_mode(env, mode, env_kwargs, wrappers)
        if target:
            os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # pygame draws without a screen
    made = make_env(env, env_kwargs, wrappers, render_mode=mode)
    dtype = made.action_space.dtype
    frames: list[np.ndarray] = []
    total = 0.0
    s, _ = made.reset(seed=start)
    for _ in range(max_steps):
        if target:
            frames.append(_frame(made, env_name(env)))
        s, r, terminated, truncated, _ = made.step(agent.act(s).astype(dtype))
        total += float(r)
        if terminated or truncated:
            break
    rate = made.metadata.get("render_fps") or 30
    made.close()
    if target:
        _write(target, frames, rate)
    return total


def require_render_mode(
    env: EnvSource,
    mode: str,
    env_kwargs: Mapping[str, Any] | None = None,
    wrappers: Sequence[Wrapper] = (),
) -> None:
    """Check that an environment can be rendered.

    Raises:
        InvalidInputError: it does not offer the mode.
    """
    made = make_env(env, env_kwargs, wrappers)
    offered = list(made.metadata.get("render_modes") or ())
    made.close()
    if mode not in offered:
        raise InvalidInputError(
            f"env {env_name(env)!r} cannot be rendered as {mode!r}; allowed: "
            f"{offered or 'no render mode, so no video and no window'}"
        )


def _target(video: str | Path) -> Path:
    target = Path(video)
    if target.suffix not in FORMATS:
        raise InvalidInputError(f"video is {str(video)!r}; allowed: a name ending in .gif or .mp4")
    if target.exists():
        raise InvalidInputError(f"video is {str(video)!r}, which exists; allowed: a new file")
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
    frame: Any = env.render()
    frame = np.asarray(frame) if frame is not None else np.zeros(0)
    if frame.ndim != 3 or frame.shape[-1] != 3:
        raise InvalidInputError(
            f"env {name!r} rendered a frame of shape {frame.shape}; allowed: (height, width, 3)"
        )
    if frame.dtype != np.uint8:
        largest = 1.0 if np.issubdtype(frame.dtype, np.floating) and frame.max() <= 1 else 255.0
        frame = np.clip(frame * (255 / largest), 0, 255).astype(np.uint8)
    return frame


def _write(target: Path, frames: Sequence[np.ndarray], rate: float) -> None:
    from PIL import Image

    target.parent.mkdir(parents=True, exist_ok=True)
    images = [Image.fromarray(frame) for frame in frames]
    height = 2 * round(images[0].height * WIDTH / images[0].width / 2)  # mp4 needs even sizes
    images = [image.resize((WIDTH, height)) for image in images]
    if target.suffix == ".gif":
        first, *rest = [image.quantize(32) for image in images]
        first.save(target, save_all=True, append_images=rest, duration=1000 / rate, loop=0)
        return
    import imageio_ffmpeg

    writer = imageio_ffmpeg.write_frames(str(target), (WIDTH, height), fps=rate, macro_block_size=2)
    writer.send(None)
    for image in images:
        writer.send(np.asarray(image).tobytes())
    writer.close()
