"""The options of ``train`` and ``study``: fields of the configurations, presets and files."""

import argparse
import dataclasses
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dpgcourse.agents.registry import find_algorithm
from dpgcourse.cli.options import CommandParser, add_fields
from dpgcourse.errors import InvalidInputError
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.presets import PRESETS

_NOT_SETTINGS = ("format", "state_dim", "action_low", "action_high")  # of a record's config.json


def add_progress(parser: CommandParser) -> None:
    """Add --progress and --no-progress."""
    parser.add_argument("--progress", action=argparse.BooleanOptionalAction, default=True,
                        help="show a progress bar")  # fmt: skip


def add_settings(parser: CommandParser, arguments: Sequence[str], algorithm: bool = True) -> None:
    """Add the options of a run and of its algorithm, which the arguments name."""
    parser.add_argument("--preset", choices=list(PRESETS), help="begin with published settings")
    parser.add_argument("--config", type=Path, metavar="FILE",
                        help="begin with the settings of a .json or .toml file, such as a record's "
                        "config.json")  # fmt: skip
    first = CommandParser(add_help=False)
    first.add_argument("--algorithm")
    first.add_argument("--algorithms", nargs="*")
    first.add_argument("--preset")
    first.add_argument("--config", type=Path)
    named, _ = first.parse_known_args(list(arguments))
    base = _base(named)
    names = named.algorithms if not algorithm else [named.algorithm]
    names = [name for name in names or [] if name] or [base.get("algorithm", "ddpg")]
    add_fields(parser, "the run", TrainConfig, ("agent", *(() if algorithm else ("algorithm",))))
    config_class = max(
        (find_algorithm(name).config_class for name in names), key=lambda c: len(c.__mro__)
    )
    add_fields(parser, f"hyperparameters of {', '.join(names)}", config_class)


def _base(given: argparse.Namespace) -> dict[str, Any]:
    """The settings that --preset and --config give, side by side."""
    settings: dict[str, Any] = {}
    if given.preset is not None:
        if given.preset not in PRESETS:
            raise InvalidInputError(f"preset is {given.preset!r}; allowed: {', '.join(PRESETS)}")
        preset = PRESETS[given.preset]
        settings |= {f.name: getattr(preset, f.name) for f in dataclasses.fields(preset)}
        settings |= dataclasses.asdict(settings.pop("agent"))
    if given.config is not None:
        settings |= _read_file(given.config)
    return settings


def _read_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        settings = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
        settings |= settings.pop("agent", None) or {}
    except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
        raise InvalidInputError(f"config is {str(path)!r}, which cannot be read: {error}") from None
    return {name: value for name, value in settings.items() if name not in _NOT_SETTINGS}


def read_settings(given: argparse.Namespace) -> dict[str, Any]:
    """All settings: those of --preset and --config, overridden by the options given."""
    own = (
        *("out", "progress", "tensorboard", "preset", "config", "algorithms", "vary"),
        *("resume", "from_step", "checkpoint_every", "keep_checkpoints"),
    )
    options = {name: value for name, value in vars(given).items() if name not in own}
    return {**_base(given), **options}
