"""Show or film a policy acting in its environment."""

import os
from pathlib import Path

import numpy as np
from PIL import Image

from dpgcourse.lab.env import make_env
from dpgcourse.lab.record import Record

FILM_WIDTH = 240  # pixels


def play(record: Record, seed: int, film: Path | None, start: int = 0) -> float:
    """Run one noiseless episode of a stored policy.

    Args:
        record: the stored policies.
        seed: which of them.
        film: GIF to write; None opens a window instead.
        start: seed of the episode's initial state.

    Returns:
        The undiscounted return of the episode.

    Raises:
        ValueError: the record holds no such seed, or the film's name does not end in .gif.
    """
    seeds = record.config.seed_list
    if seed not in seeds:
        raise ValueError(f"seed is {seed}; allowed: {seeds[0]} to {seeds[-1]}, those trained")
    if film is not None and film.suffix != ".gif":
        raise ValueError(f"film is {str(film)!r}; allowed: a name that ends in .gif")
    if film:
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # pygame draws without a screen
    env = make_env(record.config.env, render_mode="rgb_array" if film else "human")
    frames, total = [], 0.0
    s, _ = env.reset(seed=start)
    while True:
        if film:
            frames.append(_small(env.render()))
        s, r, terminated, truncated, _ = env.step(_action(record, seeds.index(seed), s))
        total += float(r)
        if terminated or truncated:
            break
    pause = 1000 / env.metadata.get("render_fps", 30)  # milliseconds a frame
    env.close()
    if film:
        film.parent.mkdir(parents=True, exist_ok=True)
        frames[0].save(film, save_all=True, append_images=frames[1:], duration=pause, loop=0)
    return total


def _action(record: Record, row: int, s: np.ndarray) -> np.ndarray:
    copies = np.tile(s, (record.config.seeds, 1, 1))  # every seed's actor answers
    return record.agent.act(copies)[row, 0]


def _small(frame: np.ndarray) -> Image.Image:
    image = Image.fromarray(frame)
    size = (FILM_WIDTH, round(image.height * FILM_WIDTH / image.width))
    return image.resize(size).quantize(32)
