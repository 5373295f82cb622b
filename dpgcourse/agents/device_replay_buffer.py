"""A replay buffer whose batches are gathered on the device where the networks learn."""

from collections.abc import Mapping

import numpy as np
import torch

from dpgcourse.agents.batch import Batch
from dpgcourse.agents.replay_buffer import ReplayBuffer


class DeviceReplayBuffer(ReplayBuffer):
    """A replay buffer with a copy on a device, so that only the places of a batch travel there.

    It draws the same batches as `ReplayBuffer`. What is measured and stored comes from the buffer
    in the main memory.

    Args:
        device: of torch, such as "cuda".
        args, kwargs: as for `ReplayBuffer`.

    Raises:
        ValueError: as `ReplayBuffer`.
    """

    def __init__(self, device: str, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._copy = torch.tensor(self._rows, device=device)

    def add(self, s, a, r, s_next, terminated) -> None:
        """Store one transition per seed: arrays (S, d), (S, m), (S,), (S, d), (S,)."""
        place = self.position
        super().add(s, a, r, s_next, terminated)
        self._copy[:, place] = torch.as_tensor(self._rows[:, place], device=self._copy.device)

    def _at(self, places: np.ndarray) -> Batch:
        """The transitions at places (S, B) of the store, as tensors on the device."""
        index = torch.as_tensor(self._first + places, device=self._copy.device)
        return self._cut(self._copy.flatten(0, 1)[index])

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` of a buffer of the same sizes returned.

        Raises:
            ValueError: the rows do not fit.
        """
        super().load_state(state)
        self._copy.copy_(torch.as_tensor(self._rows))
