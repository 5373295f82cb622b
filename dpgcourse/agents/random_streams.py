"""Chapter 11: one independent random stream per seed and per purpose; no global random state.

What one seed draws never depends on how many other seeds run beside it, so a study of ten seeds
gives each of them what its own run would give.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np


@dataclass(frozen=True)
class RandomStreams:
    """Random generators of a group of seeds, one per seed in each list.

    Attributes:
        weights: draw the initial weights.
        exploration: draw warm-up actions and exploration noise.
        replay: choose the transitions of each batch.
        environment: draw the seed that each episode of the training begins with.
        target_noise: draw the noise inside the targets of TD3, and inside all updates of SAC.
    """

    weights: list[np.random.Generator]
    exploration: list[np.random.Generator]
    replay: list[np.random.Generator]
    environment: list[np.random.Generator]
    target_noise: list[np.random.Generator]

    def state(self) -> dict[str, list[dict[str, Any]]]:
        """Where every generator stands, ready for JSON."""
        return {
            field.name: [rng.bit_generator.state for rng in getattr(self, field.name)]
            for field in fields(self)
        }

    def load_state(self, state: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Bring every generator, in place, to where it stood.

        Raises:
            KeyError, TypeError, ValueError: this is no state of as many generators.
        """
        for field in fields(self):
            for rng, there in zip(getattr(self, field.name), state[field.name], strict=True):
                rng.bit_generator.state = there


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
    purposes = len(fields(RandomStreams))
    children = [np.random.SeedSequence(seed).spawn(purposes) for seed in seeds]
    by_purpose = zip(*children, strict=True)
    return RandomStreams(*([np.random.default_rng(c) for c in purpose] for purpose in by_purpose))
