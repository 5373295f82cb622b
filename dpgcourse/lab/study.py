"""Many variants, the same seeds: one folder, a record per variant.

| in the folder | is |
|---|---|
| ``command.txt`` | the commands that filled it, one per line |
| ``VARIANT/`` | a finished record |
| ``VARIANT.partial/`` | one that was interrupted or diverged, up to its latest evaluation |

A study that is started again skips what is finished and begins anew what is partial: half of one
run is never joined to half of another.
"""

import dataclasses
import itertools
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from dpgcourse.agent.config import DDPGConfig
from dpgcourse.lab.record import Record, RecordWriter, read_record
from dpgcourse.lab.train import TrainConfig, train

SEPARATE = ("seeds", "first_seed", "agent", "method")  # not varied within a study


def variants(
    base: TrainConfig, methods: Sequence[str], vary: Sequence[str] = ()
) -> dict[str, TrainConfig]:
    """Every method with every combination of the varied settings.

    Args:
        base: what all variants share.
        methods: names of `dpgcourse.lab.methods`.
        vary: settings such as ``"tau=0.01,1.0"`` or ``"hidden=[64,64],[8]"``: a field of the
            configuration or of its agent, and the values that it takes, as JSON.

    Returns:
        Name of each variant, such as ``"ddpg-tau=1.0"``, and its configuration.

    Raises:
        ValueError: an unknown method or setting, a value that is not allowed, the same variant
            twice; the message names it.

    >>> list(variants(TrainConfig(), ["ddpg", "td3"], ["tau=0.01,1.0"]))
    ['ddpg-tau=0.01', 'ddpg-tau=1.0', 'td3-tau=0.01', 'td3-tau=1.0']
    """
    settings = [_setting(base, text) for text in vary]
    made = {}
    for method, *chosen in itertools.product(methods, *settings):
        config, name = dataclasses.replace(base, method=method), method
        for field, value in chosen:
            part = config.agent if field in _names(DDPGConfig) else config
            changed = dataclasses.replace(part, **{field: value})
            if part is not config:
                changed = dataclasses.replace(config, agent=changed)
            config = changed
            name += f"-{field}={json.dumps(value, separators=(',', ':'))}"
        if name in made:
            raise ValueError(f"variant {name} is asked for twice; allowed: once")
        made[name] = config
    if not made:
        raise ValueError("methods is empty; allowed: one or more")
    return made


def _names(cls) -> list[str]:
    return [field.name for field in dataclasses.fields(cls) if field.name not in SEPARATE]


def _setting(base: TrainConfig, text: str) -> list[tuple[str, object]]:
    name, _, listed = text.partition("=")
    allowed = [*_names(DDPGConfig), *_names(TrainConfig)]
    if name not in allowed or not listed:
        raise ValueError(f"vary is {text!r}; allowed: NAME=VALUES with one of {', '.join(allowed)}")
    try:
        values = json.loads(f"[{listed}]")
    except json.JSONDecodeError:
        values = listed.split(",")  # words
    values = [tuple(value) if isinstance(value, list) else value for value in values]
    part = base.agent if name in _names(DDPGConfig) else base
    known = getattr(part, name)
    kinds = {float: (float, int), type(None): (int, type(None))}.get(type(known), (type(known),))
    for value in values:
        if type(value) not in kinds:
            raise ValueError(f"{name} is {value!r}; allowed: values like {known!r}")
    return [(name, value) for value in values]


def run_study(
    folder: Path, configs: dict[str, TrainConfig], command: str, progress: bool = False
) -> list[str]:
    """Train every variant that is not finished.

    Args:
        folder: of the study, new or begun by an earlier call.
        configs: name and configuration of each variant, from `variants`.
        command: stored in the folder.
        progress: say what is done, with a progress bar for each variant.

    Returns:
        One line for each variant that diverged; its record up to there stays, as partial.

    Raises:
        ValueError: the folder holds something that is not a study, or a finished variant of the
            same name and another configuration. Nothing has been written then.
    """
    folder = Path(folder)
    log = folder / "command.txt"
    if folder.exists() and not log.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"out is {str(folder)!r}, which is no study; allowed: a new folder or one")
    todo = {n: c for n, c in configs.items() if not _finished(folder / n, c)}
    folder.mkdir(parents=True, exist_ok=True)
    commands = log.read_text().splitlines() if log.exists() else []
    if command not in commands:
        log.write_text("\n".join([*commands, command]) + "\n")
    failures = []
    for i, (name, config) in enumerate(configs.items(), 1):
        if progress:
            state = "training" if name in todo else "finished before, skipped"
            print(f"[{i}/{len(configs)}] {name}: {state}", file=sys.stderr)
        if name not in todo:
            continue
        partial = folder / f"{name}.partial"
        if partial.exists():
            shutil.rmtree(partial)
        writer = RecordWriter(partial, config)
        try:
            train(config, writer, progress=progress, on_log=writer.log)
        except FloatingPointError as error:
            failures.append(f"{name}: {error}")
        else:
            os.replace(partial, folder / name)
    return failures


def _finished(folder: Path, config: TrainConfig) -> bool:
    if not folder.exists():
        return False
    found = read_record(folder).config
    if found != config:
        pairs = zip(_flat(found).items(), _flat(config).values(), strict=True)
        other = [f"{name} is {b!r}, there {a!r}" for (name, a), b in pairs if a != b]
        raise ValueError(f"{str(folder)!r} was made otherwise: {'; '.join(other)}; allowed: equal")
    return True


def _flat(config: TrainConfig) -> dict:
    fields = dataclasses.asdict(config)
    return fields | fields.pop("agent")


def read_study(folder: Path) -> dict[str, Record]:
    """The finished records of a study, by variant.

    Raises:
        ValueError: the folder is no study, or a record cannot be read.
    """
    folder = Path(folder)
    if not (folder / "command.txt").exists():
        raise ValueError(f"{str(folder)!r} is no study: command.txt is missing")
    finished = [p for p in sorted(folder.iterdir()) if p.is_dir() and p.suffix != ".partial"]
    return {path.name: read_record(path) for path in finished}
