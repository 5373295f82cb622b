"""What a record holds, as TensorBoard reads it; needs the extra ``tensorboard``."""

import importlib.util
from pathlib import Path
from typing import Any

from dpgcourse.errors import InvalidInputError
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.evaluation import EvaluationReport


class TensorBoardWriter:
    """Writes the mean return and the logged quantities of each seed; a callback of `train`.

    Args:
        folder: gets a folder for each seed at the first evaluation; show it with
            ``tensorboard --logdir FOLDER``.
        config: what is being trained.
        first_step: what an earlier process wrote from this step on is dropped.

    Raises:
        InvalidInputError: TensorBoard is not installed.
    """

    def __init__(self, folder: Path, config: TrainConfig, first_step: int | None = None):
        if importlib.util.find_spec("tensorboard") is None:
            raise InvalidInputError(
                "tensorboard is True, and it is not installed; allowed: after "
                "pip install 'dpgcourse[tensorboard]'"
            )
        self.folder, self.config, self.first_step = folder, config, first_step
        self.writers: list[Any] = []

    def __call__(self, report: EvaluationReport) -> None:
        """Write one evaluation."""
        from torch.utils.tensorboard import SummaryWriter  # slow to import

        if not self.writers:
            names = [f"seed{seed}" for seed in self.config.seeds]
            self.writers = [
                SummaryWriter(self.folder / name, purge_step=self.first_step) for name in names
            ]
        for row, writer in enumerate(self.writers):
            writer.add_scalar("return", report.returns[row].mean(), report.step)
            for name, values in report.log.items():
                writer.add_scalar(f"log/{name}", values[row], report.step)
            writer.flush()
