"""``dpgcourse train`` and ``dpgcourse study``."""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dpgcourse.cli.options import CommandParser, about
from dpgcourse.cli.settings import add_progress, add_settings, read_settings
from dpgcourse.training.config import TrainConfig, make_config
from dpgcourse.training.divergence import DivergenceError


def train(arguments: Sequence[str]) -> None:
    """Train an algorithm for several seeds at once and write a record of it.

    The record is brought up to date at every evaluation; Ctrl-C keeps what has been measured.
    """
    parser = CommandParser(prog="dpgcourse train", description=about(train))
    parser.add_argument("--out", type=Path, help="folder for the record, new or empty; default "
                        "runs/ENV-ALGORITHM-NUMseeds-STEPSsteps")  # fmt: skip
    add_settings(parser, arguments)
    parser.add_argument("--tensorboard", action="store_true", help="write for TensorBoard too")
    add_progress(parser)
    given = parser.parse(arguments)
    config = make_config(**read_settings(given))
    from dpgcourse.training import loop, record_writer

    name = f"{_env(config)}-{config.algorithm_name}-{config.num_seeds}seeds-{config.steps}steps"
    out = given.out or Path("runs", record_writer.safe_filename(name))
    _print_config(record_writer.describe(config))
    policy = out / "policy.safetensors"  # is written at the first evaluation
    of_another_run = os.path.exists(policy)
    try:
        run = loop.train(config, out=out, progress=given.progress, tensorboard=given.tensorboard)
    except KeyboardInterrupt:
        kept = "the record holds every evaluation so far"
        if not os.path.exists(policy):
            kept = "nothing was written, because nothing had been evaluated yet"
        print(f"interrupted; {kept}", file=sys.stderr)
        raise SystemExit(130) from None
    else:
        final = run.final_returns
        print(f"last evaluation: mean {final.mean():.1f} over {config.num_seeds} seeds, ", end="")
        print(f"lowest seed {final.min():.1f}, highest {final.max():.1f}")
    finally:
        if not of_another_run and os.path.exists(policy):
            plot_record(out)
            print(f"record: {out}")


def study(arguments: Sequence[str]) -> None:
    """Train several algorithms and settings with the same seeds, a record each, in one folder.

    Started again, it skips what is finished and begins anew what was interrupted. A variant that
    diverges keeps its record as VARIANT.partial; the others go on, and the exit status is 1.
    """
    parser = CommandParser(prog="dpgcourse study", description=about(study))
    parser.add_argument("--out", type=Path, required=True, help="folder of the study")
    parser.add_argument("--algorithms", nargs="+", default=["ddpg"], metavar="NAME",
                        help="what to train; default ddpg")  # fmt: skip
    parser.add_argument("--vary", nargs="+", default=[], metavar="NAME=VALUE,VALUE",
                        help="settings and their values, such as tau=0.01,1.0 or "
                        "'hidden_sizes=[64,64],[8]'; several: all combinations")  # fmt: skip
    add_settings(parser, arguments, algorithm=False)
    add_progress(parser)
    given = parser.parse(arguments)
    from dpgcourse.training import loop
    from dpgcourse.training.study import run_study, study_configs

    settings = read_settings(given)
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
    plot_study(given.out)
    print(f"study: {given.out}, {len(configs) - len(failures)} of {len(configs)} variants finished")
    if failures:
        raise DivergenceError("; ".join(failures))


def _print_config(settings: dict[str, Any]) -> None:
    agent = settings.pop("agent")
    for name, value in {**settings, **agent}.items():
        if value not in (None, {}, [], ()) and name != "format":
            print(f"  {name} = {value}")


def _env(config: TrainConfig) -> str:
    from dpgcourse.envs.make import env_name

    return env_name(config.env)


def plot_record(folder: Path) -> None:
    """Draw a record's learning curve into its folder."""
    from dpgcourse.training.record import read_record

    record = read_record(folder)
    title = f"{record.config.algorithm_name} on {record.config.env}"
    _save_curves({title: record}, folder / "learning_curve.png")


def plot_study(folder: Path) -> None:
    """Draw the learning curves of a study's finished variants into its folder."""
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
