"""The scores of trained agents, measured on the same start states for all of them.

The return of an episode depends on where it starts. With a few private starts per seed, most of
the difference between two seeds is luck. On many common starts it is one between their policies.
"""

import csv
from collections.abc import Mapping
from pathlib import Path

from dpgcourse.errors import InvalidInputError
from dpgcourse.training.durable_files import replace_file
from dpgcourse.training.evaluation import evaluate
from dpgcourse.training.reading import reading
from dpgcourse.training.record import Record
from dpgcourse.training.record_writer import csv_text

_COLUMNS = ("record", "seed", "first_start", "episodes", "mean_return")

FinalReturns = dict[str, dict[int, float]]
"""Name of a record -> seed -> mean return."""


def evaluate_records(
    records: Mapping[str, Record], episodes: int = 1000, seed: int = 0, env: str | None = None
) -> FinalReturns:
    """Evaluate the stored policies of several records on the same starts.

    Args:
        records: name -> record.
        episodes: per seed.
        seed: of the first start.
        env: environment to act in; default that of each record, which must be registered here.

    Raises:
        InvalidInputError: an environment that cannot be made, or stored policies of another agent.
    """
    found = {}
    for name, record in records.items():
        config = record.config
        returns = evaluate(
            record.agent,
            env or config.env,
            episodes,
            seed,
            env_kwargs=config.env_kwargs,
            wrappers=config.wrappers,
            max_steps=config.eval_max_steps,
        ).reshape(config.num_seeds, -1)
        found[name] = dict(zip(config.seeds, returns.mean(-1).tolist(), strict=True))
    return found


def write_final_returns(
    path: str | Path, found: FinalReturns, episodes: int = 1000, seed: int = 0
) -> None:
    """Write a table with one row per record and seed; the rest as for `evaluate_records`.

    Raises:
        StorageError: it cannot be written.
    """
    rows: list[tuple] = [_COLUMNS]
    for name, by_seed in found.items():
        for trained, value in by_seed.items():
            rows.append((name, trained, seed, episodes, round(value, 4)))
    replace_file(Path(path), csv_text(rows))


def read_final_returns(path: str | Path) -> FinalReturns:
    """What `write_final_returns` wrote.

    Raises:
        InvalidInputError: the file cannot be read.
    """
    with reading(Path(path)) as file:
        with open(file, newline="", encoding="utf-8") as opened:
            rows = list(csv.DictReader(opened))
        if not rows or tuple(rows[0]) != _COLUMNS:
            raise InvalidInputError(f"its columns are not {', '.join(_COLUMNS)}")
        found: FinalReturns = {}
        for row in rows:
            found.setdefault(row["record"], {})[int(row["seed"])] = float(row["mean_return"])
    return found
