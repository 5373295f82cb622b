"""``dpgcourse evaluate``, ``dpgcourse play`` and ``dpgcourse list``."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import Any

from dpgcourse.agents.registry import ALGORITHMS
from dpgcourse.cli.options import CommandParser, about
from dpgcourse.errors import InvalidInputError
from dpgcourse.training.presets import SUMMARIES


def evaluate(arguments: Sequence[str]) -> None:
    """Evaluate the agents of records on common start states, and compare them with the first.

    Records with the same seeds are compared seed by seed. "would show from" is the difference that
    such a comparison shows in 4 of 5 cases; smaller ones can hide.
    """
    parser = CommandParser(prog="dpgcourse evaluate", description=about(evaluate))
    parser.add_argument("records", nargs="+", type=Path, metavar="RECORD")
    parser.add_argument("--episodes", type=int, default=1000, help="per seed; default 1000")
    parser.add_argument("--seed", type=int, default=0, help="of the first start; default 0")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the mean of each seed to "
                        "a new file too")  # fmt: skip
    _add_env(parser)
    given = parser.parse(arguments)
    from dpgcourse.analysis import comparison
    from dpgcourse.training import final_returns
    from dpgcourse.training.record import read_record

    if given.csv is not None and given.csv.exists():
        raise InvalidInputError(f"csv is {str(given.csv)!r}, which exists; allowed: a new file")
    names = [str(folder) for folder in given.records]
    if len(set(names)) < len(names):
        raise InvalidInputError(f"records are {', '.join(names)}; allowed: each one once")
    records = {name: read_record(name) for name in names}
    for record in records.values():
        _require_stored(record, given.env)
    scores = final_returns.evaluate_records(records, given.episodes, given.seed, given.env)
    print("\n".join(comparison.table(scores)))
    if given.csv is not None:
        final_returns.write_final_returns(given.csv, scores, given.episodes, given.seed)


def play(arguments: Sequence[str]) -> None:
    """Make a video of one noiseless episode of a trained policy, or show it in a window."""
    parser = CommandParser(prog="dpgcourse play", description=about(play))
    parser.add_argument("record", type=Path, help="folder that `dpgcourse train` wrote")
    parser.add_argument("--seed", default="best", help="one of the trained seeds, or best")
    parser.add_argument("--start", type=int, default=0, help="seed of the initial state; default 0")
    parser.add_argument("--video", type=Path, help="file to write, .gif or .mp4; default "
                        "a new play-SEED.gif in the record")  # fmt: skip
    parser.add_argument("--show", action="store_true", help="open a window instead")
    _add_env(parser)
    given = parser.parse(arguments)
    from dpgcourse.figures import video
    from dpgcourse.training.record import read_record

    record = read_record(given.record)
    seed = record.best_seed if given.seed == "best" else _whole("seed", given.seed)
    agent = record.agent_of([seed])
    _require_stored(record, given.env)
    env = given.env or record.config.env
    options: dict[str, Any] = {
        "env_kwargs": record.config.env_kwargs,
        "wrappers": record.config.wrappers,
    }
    longest = record.config.eval_max_steps
    target = None if given.show else given.video or _new_file(given.record / f"play-{seed}.gif")
    if target is not None and given.video is None:
        try:
            video.require_render_mode(env, "rgb_array", **options)
        except InvalidInputError as error:
            print(f"no video: {error}", file=sys.stderr)
            target = None
    total = video.play(
        agent, env, video=target, show=given.show, start=given.start, max_steps=longest, **options
    )
    print(f"seed {seed}: return of the episode: {total:.1f}")
    if target:
        print(f"video: {target}")


def list_names(arguments: Sequence[str]) -> None:
    """List the algorithms, environments, presets and logged quantities."""
    parser = CommandParser(prog="dpgcourse list", description=about(list_names))
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


def _new_file(wanted: Path) -> Path:
    """This file; where it exists, the first of play-0-2.gif, play-0-3.gif, ... that does not."""
    others = (wanted.with_stem(f"{wanted.stem}-{n}") for n in count(2))
    return next(path for path in chain([wanted], others) if not path.exists())


def _add_env(parser: CommandParser) -> None:
    parser.add_argument("--env", help="environment to act in; needed where the record's own would "
                        "have to be imported from a module")  # fmt: skip


def _summary(entry: Any) -> str:
    return (entry.__doc__ or "").strip().splitlines()[0] if entry.__doc__ else ""


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidInputError(f"{name} is {text!r}; allowed: a whole number or best") from None


def _require_stored(record, env: str | None) -> None:
    """Check that a record alone does not choose which module is imported."""
    from dpgcourse.training.description import require_stored

    try:
        require_stored(replace(record.config, eval_env=None), () if env is None else ("env",))
    except InvalidInputError as error:
        stored = record.config.env
        name = "NAME" if " " in stored or "<" in stored else stored
        raise InvalidInputError(f"{error}{f' (--env {name})' if env is None else ''}") from None
