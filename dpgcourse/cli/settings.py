"""The options of ``train`` and ``study``: fields of the configurations, presets and files."""

import argparse
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dpgcourse.agents.registry import find_algorithm
from dpgcourse.cli.options import CommandParser, add_fields
from dpgcourse.errors import InvalidInputError
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.presets import PRESETS, preset_settings

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
    first.add_argument("--file", type=Path)
    named, _ = first.parse_known_args(list(arguments))
    names = [named.algorithm] if algorithm else named.algorithms
    base = _base(named)
    if not (names := [name for name in names or [] if name]):
        listed = base.get("algorithms")  # of a study file
        names = listed if listed and isinstance(listed, list) else [base.get("algorithm", "ddpg")]
    add_fields(parser, "the run", TrainConfig, ("agent", *(() if algorithm else ("algorithm",))))
    config_class = max(
        (find_algorithm(name).config_class for name in names), key=lambda c: len(c.__mro__)
    )
    add_fields(parser, f"hyperparameters of {', '.join(map(str, names))}", config_class)


def _base(given: argparse.Namespace) -> dict[str, Any]:
    """The settings that --preset, --config and --file give, side by side."""
    preset = {} if given.preset is None else preset_settings(given.preset)
    file = getattr(given, "file", None)  # of a study alone
    return {**preset, **_read_file("config", given.config), **_read_file("file", file)}


def _read_file(option: str, path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        text = path.read_text(encoding="utf-8")
        settings = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
        settings |= settings.pop("agent", None) or {}
    except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
        said = " ".join(str(error).split())
        raise InvalidInputError(
            f"{option} is {str(path)!r}, which cannot be read: {said}"
        ) from None
    return {name: value for name, value in settings.items() if name not in _NOT_SETTINGS}


def read_settings(given: argparse.Namespace) -> dict[str, Any]:
    """All settings of a run: those of --preset and --config, overridden by the options given."""
    own = (
        *("out", "progress", "tensorboard", "preset", "config"),
        *("resume", "from_step", "checkpoint_every", "keep_checkpoints"),
    )
    options = {name: value for name, value in vars(given).items() if name not in own}
    return {**_base(given), **options}


def read_study_settings(given: argparse.Namespace) -> dict[str, Any]:
    """What `run_study` is called with: --config, overridden by --file, by the options given."""
    from dpgcourse.training.variants import parse_vary

    read = ("config", "file")
    options = {n: x for n, x in vars(given).items() if x is not None and n not in read}
    if "vary" in options:
        options["vary"] = parse_vary(options["vary"])
    settings: dict[str, Any] = {"progress": True}
    for more in (_read_file("config", given.config), _read_file("file", given.file), options):
        for one, several in (("env", "envs"), ("algorithm", "algorithms")):
            if one in more or several in more:
                settings = {n: x for n, x in settings.items() if n not in (one, several)}
        settings |= more
    return settings
