"""The command line: ``dpgcourse COMMAND``, or ``python -m dpgcourse COMMAND``."""

import argparse
import dataclasses
import difflib
import json
import os
import shlex
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dpgcourse
from dpgcourse.agents.registry import ALGORITHMS, find_algorithm
from dpgcourse.errors import InvalidInputError
from dpgcourse.options import OptionParser, add_fields
from dpgcourse.training.config import TrainConfig, make_config
from dpgcourse.training.divergence import DivergenceError
from dpgcourse.training.presets import PRESETS, SUMMARIES

NOT_SETTINGS = ("format", "state_dim", "action_low", "action_high")  # of a record's config.json
BAND_SEEDS = 5  # fewer seeds get no confidence interval


def train(arguments: Sequence[str]) -> None:
    """Train an algorithm for several seeds at once and write a record of it.

    The record is brought up to date at every evaluation; Ctrl-C keeps what has been measured.
    """
    parser = OptionParser(prog="dpgcourse train", description=_about(train))
    parser.add_argument("--out", type=Path, help="folder for the record, new or empty; default "
                        "runs/ENV-ALGORITHM-NUMseeds-STEPSsteps")  # fmt: skip
    _add_settings(parser, arguments)
    parser.add_argument("--tensorboard", action="store_true", help="write for TensorBoard too")
    _add_progress(parser)
    given = parser.parse(arguments)
    config = make_config(**_settings(given, TrainConfig))
    from dpgcourse.training import loop, record

    name = f"{_env(config)}-{config.algorithm_name}-{config.num_seeds}seeds-{config.steps}steps"
    out = given.out or Path("runs", record.portable_name(name))
    _print_config(record.describe(config))
    try:
        run = loop.train(config, out=out, progress=given.progress, tensorboard=given.tensorboard)
    except KeyboardInterrupt:
        kept = "the record holds every evaluation so far"
        if not (out / "policy.safetensors").exists():
            kept = "nothing was written, because nothing had been evaluated yet"
        print(f"interrupted; {kept}", file=sys.stderr)
        raise SystemExit(130) from None
    else:
        final = run.final
        print(f"last evaluation: mean {final.mean():.1f} over {config.num_seeds} seeds, ", end="")
        print(f"lowest seed {final.min():.1f}, highest {final.max():.1f}")
    finally:
        if (out / "policy.safetensors").exists():  # at least one evaluation
            _draw_record(out)
            print(f"record: {out}")


def study(arguments: Sequence[str]) -> None:
    """Train several algorithms and settings with the same seeds, a record each, in one folder.

    Started again, it skips what is finished and begins anew what was interrupted. A variant that
    diverges keeps its record as VARIANT.partial; the others go on, and the exit status is 1.
    """
    parser = OptionParser(prog="dpgcourse study", description=_about(study))
    parser.add_argument("--out", type=Path, required=True, help="folder of the study")
    parser.add_argument("--algorithms", nargs="+", default=["ddpg"], metavar="NAME",
                        help="what to train; default ddpg")  # fmt: skip
    parser.add_argument("--vary", nargs="+", default=[], metavar="NAME=VALUE,VALUE",
                        help="settings and their values, such as tau=0.01,1.0 or "
                        "'hidden_sizes=[64,64],[8]'; several: all combinations")  # fmt: skip
    _add_settings(parser, arguments, algorithm=False)
    _add_progress(parser)
    given = parser.parse(arguments)
    from dpgcourse.training import loop
    from dpgcourse.training.study import run_study, study_configs

    settings = _settings(given, TrainConfig)
    settings.pop("algorithm", None)
    configs = study_configs(given.algorithms, given.vary, **settings)
    for variant in configs.values():
        loop.check_config(variant)
    command = shlex.join(["dpgcourse", "study", *arguments])
    try:
        failures = run_study(given.out, configs, command, given.progress)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on with what is missing", file=sys.stderr)
        raise SystemExit(130) from None
    _draw_study(given.out)
    print(f"study: {given.out}, {len(configs) - len(failures)} of {len(configs)} variants finished")
    if failures:
        raise DivergenceError("; ".join(failures))


def evaluate(arguments: Sequence[str]) -> None:
    """Evaluate the agents of records on common start states, and print a table."""
    parser = OptionParser(prog="dpgcourse evaluate", description=_about(evaluate))
    parser.add_argument("records", nargs="+", type=Path, metavar="RECORD")
    parser.add_argument("--episodes", type=int, default=100, help="per seed; default 100")
    parser.add_argument("--seed", type=int, default=0, help="of the first start; default 0")
    _add_env(parser)
    given = parser.parse(arguments)
    from dpgcourse.analysis.statistics import mean_interval
    from dpgcourse.training.evaluation import evaluate as evaluate_agent
    from dpgcourse.training.record import read_record

    print(
        f"{'record':40} {'seeds':>5} {'mean':>9} {'95% interval':>20} {'lowest':>9} {'highest':>9}"
    )
    for folder in given.records:
        record = read_record(folder)
        config = record.config
        returns = evaluate_agent(
            record.agent,
            _stored_env(record, given.env),
            given.episodes,
            given.seed,
            env_kwargs=config.env_kwargs,
            wrappers=_stored_wrappers(record, given.env),
        )
        means = returns.reshape(config.num_seeds, -1).mean(-1)
        band = "too few seeds"
        if len(means) >= BAND_SEEDS:
            band = "{:.1f} to {:.1f}".format(*mean_interval(means))
        print(f"{folder!s:40} {len(means):5} {means.mean():9.1f} {band:>20} "
              f"{means.min():9.1f} {means.max():9.1f}")  # fmt: skip


def play(arguments: Sequence[str]) -> None:
    """Make a video of one noiseless episode of a trained policy, or show it in a window."""
    parser = OptionParser(prog="dpgcourse play", description=_about(play))
    parser.add_argument("record", type=Path, help="folder that `dpgcourse train` wrote")
    parser.add_argument("--seed", default="best", help="one of the trained seeds, or best")
    parser.add_argument("--start", type=int, default=0, help="seed of the initial state; default 0")
    parser.add_argument("--video", type=Path, help="file to write, .gif or .mp4; default "
                        "play-SEED.gif in the record")  # fmt: skip
    parser.add_argument("--show", action="store_true", help="open a window instead")
    _add_env(parser)
    given = parser.parse(arguments)
    from dpgcourse.figures import video
    from dpgcourse.training.record import read_record

    record = read_record(given.record)
    seed = record.best_seed if given.seed == "best" else _whole("seed", given.seed)
    agent = record.agent_of([seed])
    env = _stored_env(record, given.env)
    options = {
        "env_kwargs": record.config.env_kwargs,
        "wrappers": _stored_wrappers(record, given.env),
    }
    target = None if given.show else given.video or given.record / f"play-{seed}.gif"
    if target is not None and given.video is None:
        try:
            video.require_render_mode(env, "rgb_array", **options)
        except InvalidInputError as error:
            print(f"no video: {error}", file=sys.stderr)
            target = None
        if target is not None and target.exists():
            target.unlink()  # the one that an earlier `play` wrote
    total = video.play(agent, env, video=target, show=given.show, start=given.start, **options)
    print(f"seed {seed}: return of the episode: {total:.1f}")
    if target:
        print(f"video: {target}")


def list_names(arguments: Sequence[str]) -> None:
    """List the algorithms, environments, presets and logged quantities."""
    parser = OptionParser(prog="dpgcourse list", description=_about(list_names))
    parser.parse(arguments)
    import gymnasium as gym

    from dpgcourse.envs import make  # registers the environments of this package
    from dpgcourse.training.diagnostics import QUANTITIES

    own = sorted(n for n, spec in gym.registry.items() if "dpgcourse" in str(spec.entry_point))
    for title, lines in (
        ("algorithms", {name: a.summary for name, a in ALGORITHMS.items()}),
        ("presets", SUMMARIES),
        (
            "environments of this package",
            {n: _summary(gym.registry[n].entry_point) for n in own},
        ),
        ("computed for all seeds at once", {n: _summary(c) for n, c in make.VECTORIZED.items()}),
        ("logged quantities", QUANTITIES),
    ):
        print(f"{title}:")
        for name, text in lines.items():
            print(f"  {name:30} {text}")
    print("Every environment of Gymnasium with a bounded Box of actions can be trained, and every")
    print("environment class, as module:Name.")


COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {
    "train": train,
    "study": study,
    "evaluate": evaluate,
    "play": play,
    "list": list_names,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a user's mistake is one line on stderr and exit status 2."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # module:Name is looked for where the user stands
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
    except InvalidInputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except DivergenceError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def usage() -> str:
    """What ``dpgcourse --help`` prints."""
    lines = [f"  {name:10} {_about(run).splitlines()[0]}" for name, run in COMMANDS.items()]
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


def _about(function: Callable[..., Any]) -> str:
    return "\n".join(line.strip() for line in (function.__doc__ or "").strip().splitlines())


def _summary(entry: Any) -> str:
    return (entry.__doc__ or "").strip().splitlines()[0] if entry.__doc__ else ""


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidInputError(f"{name} is {text!r}; allowed: a whole number or best") from None


def _env(config: TrainConfig) -> str:
    from dpgcourse.envs.make import env_name

    return env_name(config.env)


def _add_progress(parser: OptionParser) -> None:
    parser.add_argument("--progress", action=argparse.BooleanOptionalAction, default=True,
                        help="show a progress bar")  # fmt: skip


def _add_env(parser: OptionParser) -> None:
    parser.add_argument("--env", help="environment to act in; needed where the record's own would "
                        "have to be imported from a module")  # fmt: skip


def _add_settings(parser: OptionParser, arguments: Sequence[str], algorithm: bool = True) -> None:
    """Add the options of a run and of its algorithm, which the arguments name."""
    parser.add_argument("--preset", choices=list(PRESETS), help="begin with published settings")
    parser.add_argument("--config", type=Path, metavar="FILE",
                        help="begin with the settings of a .json or .toml file, such as a record's "
                        "config.json")  # fmt: skip
    first = OptionParser(add_help=False)
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
        settings |= _read_settings(given.config)
    return settings


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        settings = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
        settings |= settings.pop("agent", None) or {}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise InvalidInputError(f"config is {str(path)!r}, which cannot be read: {error}") from None
    return {name: value for name, value in settings.items() if name not in NOT_SETTINGS}


def _settings(given: argparse.Namespace, config_class: type) -> dict[str, Any]:
    """All settings: those of --preset and --config, overridden by the options given."""
    own = ("out", "progress", "tensorboard", "preset", "config", "algorithms", "vary")
    options = {name: value for name, value in vars(given).items() if name not in own}
    return {**_base(given), **options}


def _print_config(settings: dict[str, Any]) -> None:
    agent = settings.pop("agent")
    for name, value in {**settings, **agent}.items():
        if value not in (None, {}, [], ()) and name != "format":
            print(f"  {name} = {value}")


def _stored_env(record, given: str | None) -> str:
    """The environment to act in; a record's own only if that imports no module."""
    from dpgcourse.envs.make import is_registered

    name = given or record.config.env
    if given is None and not is_registered(name):
        raise InvalidInputError(
            f"the record's environment {name!r} is not registered here; allowed: --env {name}, "
            "which imports its module"
        )
    return name


def _stored_wrappers(record, given: str | None) -> Sequence[Any]:
    """The record's wrappers; those of other modules are used only with --env."""
    wrappers = record.config.wrappers
    foreign = [w for w in wrappers if ":" in w and not w.startswith("gymnasium.wrappers")]
    if foreign and given is None:
        raise InvalidInputError(
            f"the record's environment has the wrapper {foreign[0]!r}; allowed: with --env, which "
            "lets it be imported"
        )
    return wrappers


def _draw_record(folder: Path) -> None:
    from dpgcourse.training.record import read_record

    record = read_record(folder)
    title = f"{record.config.algorithm_name} on {record.config.env}"
    _save_curves({title: record}, folder / "learning_curve.png")


def _draw_study(folder: Path) -> None:
    from dpgcourse.training.study import read_study

    if records := read_study(folder):
        _save_curves(records, folder / "learning_curves.png")


def _save_curves(records: dict[str, Any], target: Path) -> None:
    import matplotlib

    matplotlib.use("agg")  # here and not on import: a library must not choose a backend
    import matplotlib.pyplot as plt

    from dpgcourse.envs.vector_pendulum import REFERENCE_RETURNS
    from dpgcourse.figures import curves, style

    style.use_course_style()
    fig, axes = plt.subplots(len(records), squeeze=False, figsize=(7, 3 * len(records)))
    for ax, (title, record) in zip(axes.flat, records.items(), strict=True):
        references = REFERENCE_RETURNS.get(record.config.env)
        curves.learning_curve(record.steps, record.returns.mean(-1), references, ax=ax)
        ax.set_title(title)
    fig.savefig(target)
    plt.close(fig)
