"""``dpgcourse evaluate``, ``dpgcourse play`` and ``dpgcourse list``."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dpgcourse.agents.registry import ALGORITHMS
from dpgcourse.cli.options import CommandParser, about
from dpgcourse.errors import InvalidInputError
from dpgcourse.training.presets import SUMMARIES

_MIN_INTERVAL_SEEDS = 5  # fewer seeds get no confidence interval


def evaluate(arguments: Sequence[str]) -> None:
    """Evaluate the agents of records on common start states, and print a table."""
    parser = CommandParser(prog="dpgcourse evaluate", description=about(evaluate))
    parser.add_argument("records", nargs="+", type=Path, metavar="RECORD")
    parser.add_argument("--episodes", type=int, default=100, help="per seed; default 100")
    parser.add_argument("--seed", type=int, default=0, help="of the first start; default 0")
    _add_env(parser)
    given = parser.parse(arguments)
    from dpgcourse.analysis.statistics import mean_interval
    from dpgcourse.training.evaluation import evaluate as evaluate_agent
    from dpgcourse.training.record import read_record

    records = [read_record(folder) for folder in given.records]
    agents = [record.agent for record in records]
    envs = [_stored_env(record, given.env) for record in records]
    print(
        f"{'record':40} {'seeds':>5} {'mean':>9} {'95% interval':>20} {'lowest':>9} {'highest':>9}"
    )
    for folder, record, agent, env in zip(given.records, records, agents, envs, strict=True):
        config = record.config
        returns = evaluate_agent(
            agent,
            env,
            given.episodes,
            given.seed,
            env_kwargs=_stored_arguments(record),
            wrappers=_stored_wrappers(record, given.env),
            max_steps=config.eval_max_steps,
        )
        means = returns.reshape(config.num_seeds, -1).mean(-1)
        band = "too few seeds"
        if len(means) >= _MIN_INTERVAL_SEEDS:
            band = "{:.1f} to {:.1f}".format(*mean_interval(means))
        print(f"{folder!s:40} {len(means):5} {means.mean():9.1f} {band:>20} "
              f"{means.min():9.1f} {means.max():9.1f}")  # fmt: skip


def play(arguments: Sequence[str]) -> None:
    """Make a video of one noiseless episode of a trained policy, or show it in a window."""
    parser = CommandParser(prog="dpgcourse play", description=about(play))
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
    options: dict[str, Any] = {
        "env_kwargs": _stored_arguments(record),
        "wrappers": _stored_wrappers(record, given.env),
    }
    longest = record.config.eval_max_steps
    target = None if given.show else given.video or given.record / f"play-{seed}.gif"
    if target is not None and given.video is None:
        try:
            video.require_render_mode(env, "rgb_array", **options)
        except InvalidInputError as error:
            print(f"no video: {error}", file=sys.stderr)
            target = None
        if target is not None and target.exists():
            target.unlink()  # the one that an earlier `play` wrote
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


def _stored_env(record, given: str | None) -> str:
    """The environment to act in; a record's own only if that imports no module."""
    from dpgcourse.envs.make import is_registered

    name = given or record.config.env
    if given is None and not is_registered(name):
        nameless = " " in name or "<" in name  # an instance, a lambda
        again = "--env NAME" if nameless else f"--env {name}, which imports its module"
        raise InvalidInputError(
            f"the record's environment {name!r} is not registered here; allowed: {again}"
        )
    return name


def _stored_arguments(record) -> Mapping[str, Any]:
    """The arguments of the record's environment, if all of them could be stored."""
    from dpgcourse.training.record_writer import NOT_STORED

    for name, value in record.config.env_kwargs.items():
        if str(value).startswith(NOT_STORED):
            raise InvalidInputError(
                f"the record's environment was made with {name} = {' '.join(value.split())[:100]}; "
                "allowed: dpgcourse.evaluate and dpgcourse.play in Python, with that argument"
            )
    return record.config.env_kwargs


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
