"""Let Ctrl-C and SIGTERM end a run after the step that it is in."""

import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any

from dpgcourse.errors import StorageError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Notes the first signal to stop, so that the training loop can finish its step and save.

    A second signal acts at once, as it would have without this class. Python delivers signals to
    the main thread alone; in another thread nothing is changed.

    Args:
        active: if false, nothing is changed either.

    Attributes:
        signal: the signal that was received, or None.
    """

    def __init__(self, active: bool = True) -> None:
        self.active = active
        self.signal: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopRequest":
        if self.active and threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                before = signal.getsignal(number)
                if before not in (signal.SIG_IGN, None):  # `nohup` and the like stay in force
                    self._before[number] = before
                    signal.signal(number, self._note)
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:
            self._restore()
            signal.raise_signal(number)
            return
        self.signal = number
        print(
            "\nstopping after this step, to save a checkpoint; once more stops at once",
            file=sys.stderr,
        )

    def _restore(self) -> None:
        while self._before:
            signal.signal(*self._before.popitem())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._restore()
        if self.signal is not None and not isinstance(error, KeyboardInterrupt | StorageError):
            signal.raise_signal(self.signal)  # KeyboardInterrupt, or whatever the caller has chosen
