"""Command line: ``python -m dpgcourse`` followed by ``train``, ``study``, ``play`` and more."""

import shlex
import sys
from pathlib import Path

import torch
import tyro
from tyro.conf import OmitArgPrefixes, Positional

from dpgcourse.lab import film, plot
from dpgcourse.lab.env import REFERENCE_RETURNS, make_env
from dpgcourse.lab.memory import require_memory
from dpgcourse.lab.presets import LILLICRAP2016
from dpgcourse.lab.record import RecordWriter, read_record
from dpgcourse.lab.study import run_study, variants
from dpgcourse.lab.train import TrainConfig
from dpgcourse.lab.train import train as run_training


def train(
    config: OmitArgPrefixes[TrainConfig],
    out: Path | None = None,
    progress: bool = True,
) -> None:
    """Train a method for several seeds at once and write a record of it.

    The record is brought up to date at every evaluation; Ctrl-C keeps what has been measured.

    Args:
        config: what to train.
        out: folder for the record, new or empty; default runs/ENV-SEEDSseeds-STEPSsteps.
        progress: show a progress bar.
    """
    torch.set_num_threads(1)  # these networks are too small to gain from a second thread
    out = out or Path("runs", f"{config.env}-{config.seeds}seeds-{config.steps}steps")
    make_env(config.env).close()  # a wrong name is told before anything is written
    require_memory(config)
    writer = RecordWriter(out, config)
    try:
        result = run_training(config, writer, progress=progress, on_log=writer.log)
        final = result.final
        print(f"last evaluation: mean {final.mean():.1f} over {config.seeds} seeds, ", end="")
        print(f"lowest seed {final.min():.1f}, highest {final.max():.1f}")
    except KeyboardInterrupt:
        print("interrupted; the record holds every evaluation so far", file=sys.stderr)
        raise SystemExit(130) from None
    finally:
        if (out / "actor.safetensors").exists():  # at least one evaluation
            _draw(out)
            print(f"record: {out}")


def train_lillicrap2016(
    config: OmitArgPrefixes[TrainConfig] = LILLICRAP2016,
    out: Path | None = None,
    progress: bool = True,
) -> None:
    """Train DDPG with the settings that Lillicrap et al. (2016), section 7, publish.

    As published: layers of 400 and 300, the action in the critic's second layer, Adam with 1e-4
    (actor) and 1e-3 (critic), critic L2 1e-2, gamma 0.99, tau 0.001, replay of 1e6, batches of 64,
    Ornstein-Uhlenbeck noise (theta 0.15, sigma 0.2), first weights, 5 seeds.

    Not as published: no batch normalization; the target stops at terminal states; noise by its
    exact law, in half-ranges of the action; 64 random steps first; the environment, and fewer
    steps (the paper: at most 2.5 million). Give --env, --steps and the rest as for train.

    Args:
        config: what to change of it.
        out: folder for the record, new or empty; default runs/ENV-SEEDSseeds-STEPSsteps.
        progress: show a progress bar.
    """
    train(config, out, progress)


def study(
    config: OmitArgPrefixes[TrainConfig],
    out: Path,
    methods: tuple[str, ...] = ("ddpg",),
    vary: tuple[str, ...] = (),
    progress: bool = True,
) -> None:
    """Train several methods and settings with the same seeds, a record each, in one folder.

    Started again, it skips what is finished and begins anew what was interrupted. A variant that
    diverges keeps its record as VARIANT.partial; the others go on, and the exit status is 1.

    Args:
        config: what the variants share.
        out: folder of the study, new or begun earlier.
        methods: agents to train, as for --method.
        vary: settings and their values, such as tau=0.01,1.0 or 'hidden=[64,64],[8]'; several
            settings are combined in every way.
        progress: say which variant is trained, and show a progress bar.
    """
    torch.set_num_threads(1)
    configs = variants(config, methods, vary)
    for variant in configs.values():
        make_env(variant.env).close()
        require_memory(variant)
    command = shlex.join(["python", "-m", "dpgcourse", *sys.argv[1:]])
    try:
        failures = run_study(out, configs, command, progress)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on with what is missing", file=sys.stderr)
        raise SystemExit(130) from None
    print(f"study: {out}, {len(configs) - len(failures)} of {len(configs)} variants finished")
    if failures:
        raise FloatingPointError("; ".join(failures))


def _draw(folder: Path) -> None:
    import matplotlib

    matplotlib.use("agg")  # here and not on import: a library must not choose a backend
    import matplotlib.pyplot as plt

    record = read_record(folder)
    plot.use_course_style()
    fig, ax = plt.subplots()
    references = REFERENCE_RETURNS.get(record.config.env)
    plot.learning_curve(record.steps, record.returns.mean(-1), references, ax=ax)
    ax.set_title(f"{record.config.method} on {record.config.env}")
    fig.savefig(folder / "learning_curve.png")
    plt.close(fig)


def play(
    record: Positional[Path],
    seed: int | None = None,
    film_to: Path | None = None,
    show: bool = False,
) -> None:
    """Film one noiseless episode of a trained policy, or show it in a window.

    Args:
        record: folder that ``train`` wrote.
        seed: which policy; default the first seed of the record.
        film_to: GIF to write; default play-SEED.gif in the record.
        show: open a window instead of filming.
    """
    loaded = read_record(record)
    seed = loaded.config.first_seed if seed is None else seed
    target = None if show else film_to or record / f"play-{seed}.gif"
    total = film.play(loaded, seed, target)
    print(f"return of the episode: {total:.1f}")
    if target:
        print(f"film: {target}")


def main() -> None:
    """Run the command line; a user's mistake is one line on stderr and exit status 2."""
    try:
        tyro.extras.subcommand_cli_from_dict(
            {
                "train": train,
                "train-lillicrap2016": train_lillicrap2016,
                "study": study,
                "play": play,
            },
            prog="python -m dpgcourse",
        )
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except FloatingPointError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
