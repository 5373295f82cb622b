"""``dpgcourse train`` and ``dpgcourse study``."""

import argparse
import io
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dpgcourse.cli.options import CommandParser, about, number
from dpgcourse.cli.settings import (
    add_progress,
    add_settings,
    read_settings,
    read_study_settings,
)
from dpgcourse.errors import InvalidInputError
from dpgcourse.training.config import TrainConfig, make_config
from dpgcourse.training.divergence import DivergenceError

_MAX_CURVES = 50  # in one picture


def train(arguments: Sequence[str]) -> None:
    """Train an algorithm for several seeds at once and write a record of it.

    The record is brought up to date at every evaluation. A run that stops, by Ctrl-C or otherwise,
    goes on with --resume RECORD, as if it had never stopped.
    """
    parser = CommandParser(prog="dpgcourse train", description=about(train))
    parser.add_argument("--out", type=Path, help="folder for the record, new or empty; default "
                        "runs/ENV-ALGORITHM-NUMseeds-STEPSsteps")  # fmt: skip
    parser.add_argument("--resume", type=Path, metavar="RECORD", help="go on with the run in this "
                        "folder; its settings stay")  # fmt: skip
    parser.add_argument("--from-step", type=int, metavar="N", help="with --resume: go on from the "
                        "checkpoint of this step; default the latest")  # fmt: skip
    parser.add_argument("--checkpoint-every", type=int, metavar="N", help="steps between "
                        "checkpoints; default one after every evaluation")  # fmt: skip
    parser.add_argument("--keep-checkpoints", type=int, default=2, metavar="N", help="how many of "
                        "the latest are kept until the run is finished; default 2")  # fmt: skip
    add_settings(parser, arguments)
    parser.add_argument("--tensorboard", action="store_true", help="write for TensorBoard too")
    add_progress(parser)
    given = parser.parse(arguments)
    checkpoints = {
        "checkpoint_every": given.checkpoint_every,
        "keep_checkpoints": given.keep_checkpoints,
    }
    if given.resume is not None:
        _resume(given, checkpoints)
        return
    if given.from_step is not None:
        raise InvalidInputError("from_step is given without resume; allowed: --resume RECORD")
    config = make_config(**read_settings(given))
    from dpgcourse.training import description, loop, record_writer

    name = f"{_env(config)}-{config.algorithm_name}-{config.num_seeds}seeds-{config.steps}steps"
    out = given.out or Path("runs", record_writer.safe_filename(name))
    _print_config(description.describe(config))
    tensorboard = given.tensorboard
    with _reporting(out):
        run = loop.train(
            config, out=out, progress=given.progress, tensorboard=tensorboard, **checkpoints
        )
        _print_returns(run)


def _resume(given: argparse.Namespace, checkpoints: dict[str, Any]) -> None:
    settings = read_settings(given)
    env = settings.pop("env", None)
    if given.out is not None or given.tensorboard or settings:
        other = [*settings, *(["out"] if given.out else ["tensorboard"])][0]
        raise InvalidInputError(
            f"{other} is given beside resume; allowed: no settings, since those of the run stay"
        )
    from dpgcourse.training import loop

    with _reporting(given.resume):
        step, progress = given.from_step, given.progress
        run = loop.resume(given.resume, step=step, env=env, progress=progress, **checkpoints)
        _print_returns(run)


def _print_returns(run: Any) -> None:
    final = run.final_returns
    print(f"last evaluation: mean {final.mean():.1f} over {len(final)} seeds, ", end="")
    print(f"lowest seed {final.min():.1f}, highest {final.max():.1f}")


@contextmanager
def _reporting(out: Path) -> Iterator[None]:
    """Draw the learning curve of a run, also of one that stops, and say how to go on."""
    from dpgcourse.training.checkpoint import checkpoint_files

    before = _evaluated_at(out)
    try:
        yield
    except (KeyboardInterrupt, DivergenceError) as stop:
        evaluated = _evaluated_at(out) not in (None, before)
        if evaluated:
            plot_record(out)
        if isinstance(stop, DivergenceError):
            raise
        how = "nothing was written, because no step had been finished"
        if evaluated:
            how = f"the record {out} holds every evaluation so far"
        if checkpoint_files(out):
            how = f"go on with: dpgcourse train --resume {shlex.quote(str(out))}"
        raise type(stop)(how) from None
    plot_record(out)
    print(f"record: {out}")


def _evaluated_at(out: Path) -> int | None:
    """When the policies of a record were written, None if they were not."""
    try:
        return (out / "policy.safetensors").stat().st_mtime_ns
    except (OSError, ValueError):
        return None


def study(arguments: Sequence[str]) -> None:
    """Train environments x algorithms x settings with the same seeds, a record each, in one folder.

    Runs go to the cores of this machine, or to Ray; the results are the same. Started again, it
    skips what is finished and goes on with what was interrupted. A run that fails is tried again
    from its last checkpoint; VARIANT.log says why it failed. If one fails for good, the others go
    on and the exit status is 1. A study file, TOML, holds the names of the options, and the varied
    settings as a table [vary]; options override it.
    """
    parser = CommandParser(prog="dpgcourse study", description=about(study))
    parser.add_argument("--out", type=Path, help="folder of the study")
    parser.add_argument("--file", type=Path, metavar="FILE", help="begin with a study file")
    parser.add_argument("--envs", nargs="+", metavar="NAME", help="environments; default env")
    parser.add_argument("--algorithms", nargs="+", metavar="NAME",
                        help="what to train; default ddpg")  # fmt: skip
    parser.add_argument("--vary", nargs="+", metavar="NAME=VALUE,VALUE",
                        help="settings and their values, such as tau=0.01,1.0 or "
                        "'hidden_sizes=[64,64],[8]'; several: all combinations")  # fmt: skip
    parser.add_argument("--engine", help="local, the default, or ray")
    parser.add_argument("--jobs", type=number(int), metavar="N",
                        help="most runs at a time; default one for each core")  # fmt: skip
    parser.add_argument("--address", metavar="HOST:PORT", help="of a Ray cluster, whose machines "
                        "all see the folder; default a Ray of its own on this one")  # fmt: skip
    parser.add_argument("--retries", type=number(int), metavar="N", help="how often a run that "
                        "failed goes on from its last checkpoint; default 1")  # fmt: skip
    add_settings(parser, arguments, algorithm=False)
    add_progress(parser)
    parser.set_defaults(progress=None)  # a study file may say
    given = parser.parse(arguments)
    from dpgcourse.training.study import run_study

    settings = read_study_settings(given)
    if "out" not in settings:
        raise InvalidInputError("out is missing; allowed: --out FOLDER, or out in the study file")
    command = shlex.join(["dpgcourse", "study", *arguments])
    try:
        failures = run_study(**settings, command=command)
    except KeyboardInterrupt as stop:
        raise type(stop)("the same command goes on with what is missing") from None
    out = Path(settings["out"])
    plot_study(out)
    print(f"study: {out}, results in {out / 'results.csv'}")
    if failures:
        print("\n".join(f"error: {failure}" for failure in failures), file=sys.stderr)
        raise SystemExit(1)


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
    """Draw the learning curves of a study's finished variants into its folder, if it has few."""
    from dpgcourse.training.study_folder import read_study

    records = read_study(folder)
    if 0 < len(records) <= _MAX_CURVES:
        _save_curves(records, folder / "learning_curves.png")


def _save_curves(records: dict[str, Any], target: Path) -> None:
    import matplotlib

    matplotlib.use("agg")  # here and not on import: a library must not choose a backend
    import matplotlib.pyplot as plt

    from dpgcourse.envs.vector_pendulum import REFERENCE_RETURNS
    from dpgcourse.figures import curves, style
    from dpgcourse.training.durable_files import replace_file

    style.use_course_style()
    fig, axes = plt.subplots(len(records), squeeze=False, figsize=(7, 3 * len(records)))
    for ax, (title, record) in zip(axes.flat, records.items(), strict=True):
        references = REFERENCE_RETURNS.get(record.config.env)
        curves.learning_curve(record.steps, record.returns.mean(-1), references, ax=ax)
        ax.set_title(title)
    picture = io.BytesIO()
    fig.savefig(picture, format="png")
    plt.close(fig)
    replace_file(target, picture.getvalue())
