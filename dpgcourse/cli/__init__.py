"""The command line: ``dpgcourse COMMAND``, or ``python -m dpgcourse COMMAND``."""

import difflib
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Sequence

import dpgcourse
from dpgcourse.cli.exercise_commands import exercises, grade
from dpgcourse.cli.options import about
from dpgcourse.cli.record_commands import evaluate, list_names, play
from dpgcourse.cli.training_commands import study, train
from dpgcourse.errors import InvalidInputError, StorageError
from dpgcourse.training.divergence import DivergenceError

_default_format = warnings.formatwarning

COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {
    "train": train,
    "study": study,
    "evaluate": evaluate,
    "play": play,
    "list": list_names,
    "exercises": exercises,
    "grade": grade,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a user's mistake is one line on stderr and exit status 2."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # module:Name is looked for where the user stands
    if getattr(sys.stdout, "errors", None) == "strict" and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # for names outside its code page
    terminate_before = None
    if threading.current_thread() is threading.main_thread():
        terminate_before = signal.signal(signal.SIGTERM, _terminate)
    format_before, warnings.formatwarning = warnings.formatwarning, _format_warning
    try:
        command = arguments[0] if arguments else ""
        if command in ("-h", "--help"):
            print(usage())
        elif command == "--version":
            print(f"dpgcourse {dpgcourse.__version__}")
        elif command in COMMANDS:
            COMMANDS[command](arguments[1:])
        else:
            close = difflib.get_close_matches(command, COMMANDS, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise InvalidInputError(f"command is {command!r}; allowed: {', '.join(COMMANDS)}{hint}")
        sys.stdout.flush()
    except InvalidInputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except (DivergenceError, StorageError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except BrokenPipeError:  # the reader of the output, such as `head`, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        raise SystemExit(1) from None
    except KeyboardInterrupt as stop:
        print("; ".join(["interrupted", *map(str, stop.args)]), file=sys.stderr)
        number = signal.SIGTERM if isinstance(stop, _Terminated) else signal.SIGINT
        raise SystemExit(128 + number) from None
    finally:
        warnings.formatwarning = format_before
        if terminate_before is not None:
            signal.signal(signal.SIGTERM, terminate_before)


class _Terminated(KeyboardInterrupt):
    """SIGTERM: the commands end as they do after Ctrl-C."""


def _terminate(number: int, frame: object) -> None:
    raise _Terminated


def _format_warning(message, category, filename, lineno, line=None) -> str:
    """Warnings of this package on one line, without the place in its code."""
    if category.__module__.startswith("dpgcourse."):
        return f"warning: {message}\n"
    return _default_format(message, category, filename, lineno, line)


def usage() -> str:
    """What ``dpgcourse --help`` prints."""
    lines = [f"  {name:10} {about(run).splitlines()[0]}" for name, run in COMMANDS.items()]
    return "\n".join(
        [
            "usage: dpgcourse [--help] [--version] COMMAND ...",
            "",
            "Deterministic policy gradients: train, compare and play agents.",
            "",
            "commands:",
            *lines,
            "",
            "dpgcourse COMMAND --help lists the options of a command.",
        ]
    )
