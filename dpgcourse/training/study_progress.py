"""One progress bar and one line per event over a whole study."""

import sys
from pathlib import Path

from tqdm import tqdm

from dpgcourse.training.study_folder import StudyFolder
from dpgcourse.training.variants import Variant


class StudyProgress:
    """Counts steps over all variants; a context manager.

    Steps are read from the records that the workers write, at every evaluation, so that they are
    known whichever engine trains.

    Args:
        folder: of the study.
        variants: all of them.
        shown: if false, nothing is printed.
    """

    def __init__(self, folder: StudyFolder, variants: list[Variant], shown: bool):
        self.folder, self.variants, self.shown = folder, variants, shown
        self.steps = {variant.name: self._steps_of(variant) for variant in variants}

    def __enter__(self) -> "StudyProgress":
        total, done = sum(v.config.steps for v in self.variants), sum(self.steps.values())
        self.bar = tqdm(total=total, initial=done, unit="step", disable=not self.shown)
        self.refresh()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        if self.shown:
            tqdm.write(text, file=sys.stderr)

    def refresh(self) -> None:
        """Move the bar to where the records are now."""
        for variant in self.variants:
            if self.steps[variant.name] < variant.config.steps:
                self.steps[variant.name] = self._steps_of(variant)
        done = sum(self.folder.finished(variant.name).exists() for variant in self.variants)
        self.bar.set_postfix_str(f"{done} of {len(self.variants)} finished", refresh=False)
        self.bar.update(sum(self.steps.values()) - self.bar.n)

    def _steps_of(self, variant: Variant) -> int:
        if self.folder.finished(variant.name).exists():
            return variant.config.steps
        return _evaluated_step(self.folder.partial(variant.name) / "returns.csv")


def _evaluated_step(returns: Path) -> int:
    """The step in the last whole row of a record's returns, 0 if there is none."""
    try:
        with open(returns, "rb") as file:
            file.seek(max(0, returns.stat().st_size - 200))
            *rows, _ = file.read().split(b"\n")
        return int(rows[-1].split(b",")[1])
    except (OSError, IndexError, ValueError):
        return 0
