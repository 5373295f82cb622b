"""Chapter 11: one independent random stream per seed and per purpose; no global random state.

What one seed draws never depends on how many other seeds run beside it, so a study of ten seeds
gives each of them what its own run would give.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RandomStreams:
    """Random generators of a group of seeds, one per seed in each list.

    Attributes:
        weights: draw the initial weights.
        exploration: draw warm-up actions and exploration noise.
        replay: choose the transitions of each batch.
        environment: integers that seed each training environment.
        evaluation: integers that seed each evaluation environment.
        target_noise: draw the noise inside the targets of TD3.
    """

    weights: list[np.random.Generator]
    exploration: list[np.random.Generator]
    replay: list[np.random.Generator]
    environment: list[int]
    evaluation: list[int]
    target_noise: list[np.random.Generator]


def random_streams(seeds: Sequence[int]) -> RandomStreams:
    """Split every seed into its streams.

    Raises:
        ValueError: no seed, a negative one, or one given twice.

    >>> alone, together = random_streams([7]), random_streams([3, 7])
    >>> float(alone.replay[0].random()) == float(together.replay[1].random())
    True
    """
    seeds = list(seeds)
    if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds are {seeds}; allowed: one or more different integers >= 0")
    children = [np.random.SeedSequence(seed).spawn(6) for seed in seeds]
    weights, exploration, replay, environment, evaluation, target = zip(*children, strict=True)
    return RandomStreams(
        weights=[np.random.default_rng(child) for child in weights],
        exploration=[np.random.default_rng(child) for child in exploration],
        replay=[np.random.default_rng(child) for child in replay],
        environment=[int(child.generate_state(1)[0]) for child in environment],
        evaluation=[int(child.generate_state(1)[0]) for child in evaluation],
        target_noise=[np.random.default_rng(child) for child in target],
    )
