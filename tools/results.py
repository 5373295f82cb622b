"""What lies in ``results/``, how it is made, and whether it is what today's code makes.

make results            make what is missing or outdated, two at a time
make results-status     only say what that would be
python -m tools.results --long     also the records of chapter 15: hours, with MuJoCo installed

Every entry of `RECORDS`, `MUJOCO` and `TABLES` has a line in ``results/manifest.json``:

| field | is |
|---|---|
| ``command`` | what made it |
| ``seconds`` | how long that took; 0 if nobody measured it |
| ``files`` | a SHA-256 sum of each file |
| ``probe`` | a few numbers of a run of 60 steps with the same settings |

A record is outdated if its command is another one, or if a run of 60 steps with today's code gives
other numbers than ``probe``. A change of code that alters results is noticed in this way, and a
change that alters none is not. Numbers may differ by rounding from machine to machine.
"""

import argparse
import concurrent.futures
import hashlib
import importlib
import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results"
MANIFEST = "manifest.json"
STAGING = ROOT / "build" / "results"  # where a run is until it is finished
FINAL_RETURNS = "final_returns.csv"
MUJOCO_RETURNS = "mujoco/final_returns.csv"
EPISODES = {FINAL_RETURNS: 1000, MUJOCO_RETURNS: 100}  # per seed
NO_MUJOCO = "fine as stored; not run again, because MuJoCo is not installed"
PROBE_STEPS = 60
PROBE_TOLERANCE = 1e-3  # relative; rounding differs between machines by less after so few updates
LIMIT = 30e6  # bytes of the whole folder

FAULTS = (
    *("wrong-sign", "replay-action", "target-critic-in-actor", "truncated-as-done"),
    *("double-scaling", "broadcast-target", "missing-zero-grad", "shared-noise", "no-detach"),
    "frozen-targets",
)

BEYOND = {
    "n-step-3": "--n-step 3",
    "layer-norm": "--critic-layer-norm",
    "sac": "--algorithm sac",
}

RECORDS: dict[str, str] = {
    "ddpg-pendulum": "",
    "numpy-ddpg-pendulum": "--algorithm numpy-ddpg",
    "mechanisms/no-replay": "--buffer-size 64",
    "mechanisms/no-targets": "--tau 1",
    "mechanisms/no-noise": "--sigma 0",
    "mechanisms/no-warmup": "--learning-starts 1",
    "mechanisms/no-exploration": "--learning-starts 1 --sigma 0",
    "mechanisms/ou-noise": "--noise-type ornstein-uhlenbeck",
    "td3-pendulum/td3": "--algorithm td3 --tau 0.02",
    "td3-pendulum/td3-tau0.01": "--algorithm td3 --tau 0.01",
    "td3-pendulum/td3-single-critic": "--algorithm td3 --tau 0.02 --no-twin-critics",
    "td3-pendulum/td3-no-target-noise": "--algorithm td3 --tau 0.02 --target-policy-noise 0",
    **{f"bugs/{fault}": f"--algorithm faulty-{fault}" for fault in FAULTS},
    "bugs-fresh-seeds/ddpg": "--first-seed 200",
    **{
        f"bugs-fresh-seeds/{fault}": f"--algorithm faulty-{fault} --first-seed 200"
        for fault in FAULTS
    },
    **{f"beyond/{name}": options for name, options in BEYOND.items()},
    **{
        f"beyond-fresh-seeds/{name}": f"{options} --first-seed 200"
        for name, options in {"td3": "--algorithm td3 --tau 0.02", **BEYOND}.items()
    },
}
"""Folder of each record -> options of ``dpgcourse train``."""

_FIVE = "--num-seeds 5 --steps {} --learning-starts 10000 --eval-every 10000 --eval-episodes 5"
_INVERTED = f"{_FIVE.format(300_000)} --compile"
_LARGE = "--hidden-sizes 256 256 --batch-size 256 --buffer-size 200000 --compile"
_LARGE = f"{_FIVE.format(200_000)} {_LARGE}"
MUJOCO: dict[str, str] = {
    f"mujoco/{folder}-{algorithm}": f"--env {env} --algorithm {algorithm} {settings}"
    for folder, env, settings in (
        ("inverted-pendulum", "InvertedPendulum-v5", _INVERTED),
        ("hopper", "Hopper-v5", _LARGE),
        ("half-cheetah", "HalfCheetah-v5", _LARGE),
    )
    for algorithm in ("ddpg", "td3")
}
MUJOCO["mujoco/inverted-pendulum-terminated-ignored"] = (
    f"--env InvertedPendulum-v5 --algorithm faulty-terminated-ignored {_INVERTED}"
)
"""The same for the tasks of MuJoCo; these runs take from minutes to hours each."""

_CHECKS = "from dpgcourse.analysis.sanity_checks import write; write"
TABLES: dict[str, str] = {
    "lqr/linear-actor.csv": "python results/lqr/linear_actor.py",
    "bugs/sanity_checks.csv": f"""python -c "{_CHECKS}('results/bugs/sanity_checks.csv')\"""",
    "bugs-fresh-seeds/sanity_checks.csv": (
        f"""python -c "{_CHECKS}('results/bugs-fresh-seeds/sanity_checks.csv', first=200)\""""
    ),
    "bugs-field/evidence.csv": "python results/bugs-field/field_faults.py",
    "bugs-field-fresh-seeds/evidence.csv": (
        "python results/bugs-field/field_faults.py --first-seed 200 "
        "--out results/bugs-field-fresh-seeds/evidence.csv"
    ),
    "trained-agent/stages.safetensors": "python results/trained-agent/trained_agent.py",
    "mujoco/observations.csv": "python results/mujoco/observations.py",
}
"""Each table or file that is no part of a record -> the command that makes it."""


def command_of(name: str) -> str:
    """The command that makes a record or a table, as a reader would give it."""
    if name in EPISODES:
        return f"dpgcourse evaluate ... --episodes {EPISODES[name]} --csv results/{name}"
    if name in TABLES:
        return TABLES[name]
    options = (RECORDS | MUJOCO)[name]
    return " ".join(["dpgcourse train", *([options] if options else []), f"--out results/{name}"])


def needs_mujoco(name: str) -> bool:
    """Whether an entry can be made only where MuJoCo is installed."""
    return name.startswith("mujoco/")


def has_mujoco() -> bool:
    """Whether MuJoCo is installed."""
    return importlib.util.find_spec("mujoco") is not None


def files_of(name: str) -> dict[str, str]:
    """The files of an entry below ``results``, and their SHA-256 sums."""
    path = RESULTS / name
    if path.is_dir():
        paths = sorted(p for p in path.iterdir() if p.suffix in (".csv", ".json", ".safetensors"))
    else:
        paths = [path, *([path.with_suffix(".json")] if name.startswith("lqr/") else [])]
    return {
        p.relative_to(RESULTS).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in paths
        if p.exists()
    }


def read_manifest() -> dict[str, dict[str, Any]]:
    """The stored manifest, empty if there is none."""
    path = RESULTS / MANIFEST
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def probe(name: str) -> list[float]:
    """A few numbers of a run of 60 steps with the settings of an entry, by today's code."""
    if name in RECORDS or name in MUJOCO:
        return _probe_record((RECORDS | MUJOCO)[name])
    if name in TABLES:
        probes: dict[str, Callable[[], list[float]]] = {
            "lqr": _probe_linear_actor,
            "bugs-field": _probe_field_faults,
            "bugs-field-fresh-seeds": _probe_field_faults,
            "trained-agent": _probe_trained_agent,
            "mujoco": _probe_observations,
        }
        return probes.get(name.partition("/")[0], _probe_sanity_checks)()
    return []


def _probe_record(options: str) -> list[float]:
    from dpgcourse.training.loop import train

    given = [x for x in shlex.split(options) if x != "--compile"]  # it costs a minute a probe
    if "--learning-starts" not in given or "10000" in given:
        given.append("--learning-starts=20")
    short = ["--num-seeds=1", f"--steps={PROBE_STEPS}", "--eval-every=60", "--eval-episodes=2"]
    run = train(_config([*given, *short]))
    log = [float(run.log[key][-1, 0]) for key in ("q_mean", "value_gap", "actor_change")]
    return [float(run.returns.mean()), *log]


def _config(arguments: list[str]) -> Any:
    from dpgcourse.cli.options import CommandParser
    from dpgcourse.cli.settings import add_settings, read_settings
    from dpgcourse.training.config import make_config

    parser = CommandParser()
    add_settings(parser, arguments)
    return make_config(**read_settings(parser.parse(arguments)))


def _probe_linear_actor() -> list[float]:
    from results.lqr import linear_actor

    config = replace(linear_actor.CONFIG, num_seeds=1, steps=60, learning_starts=20, eval_every=60)
    _, columns = linear_actor.run(config)
    return [float(values[-1, 0]) for values in columns.values()]


def _probe_observations() -> list[float]:
    observations = importlib.import_module("results.mujoco.observations")
    rows = [row for env in observations.ENVS for row in observations.rows(env, PROBE_STEPS)]
    return [float(x) for *_, mean, deviation in rows for x in (mean, deviation)]


def _probe_trained_agent() -> list[float]:
    stages = importlib.import_module("results.trained-agent.trained_agent").short_run()
    actor, critic = (stages[name][-1].sum(dtype=float) for name in ("actors", "critics"))
    return [float(x) for x in (stages["returns"][-1], actor, critic)]


@cache  # the same for both sets of seeds
def _probe_field_faults() -> list[float]:
    from dpgcourse.training.config import TrainConfig

    field_faults = importlib.import_module("results.bugs-field.field_faults")
    config = TrainConfig(
        num_seeds=1, steps=PROBE_STEPS, learning_starts=20, eval_every=60, eval_episodes=2
    )
    found = (field_faults.run(fault, config, 110, 2) for fault in field_faults.FAULTS)
    return [float(x[name][0]) for x in found for name in ("score", "q_mean", "bandit_slope")]


@cache  # the same for both sets of seeds
def _probe_sanity_checks() -> list[float]:
    from dpgcourse.analysis.sanity_checks import SANITY_CHECKS

    return [float(check(seeds=1, steps=160)[0]) for check in SANITY_CHECKS.values()]


def status_of(name: str, manifest: dict[str, dict[str, Any]]) -> str:
    """ "fine", or why an entry has to be made again."""
    entry, files = manifest.get(name), files_of(name)
    if not files:
        return "missing"
    if entry is None:
        return "not in the manifest"
    if entry["command"] != command_of(name):
        return "made by another command"
    if entry["files"] != files:
        return "changed since it was made"
    if needs_mujoco(name) and not has_mujoco():
        return NO_MUJOCO
    if not np.allclose(entry["probe"], probe(name), rtol=PROBE_TOLERANCE, atol=1e-6):
        return "outdated: today's code gives other numbers"
    return "fine"


def make(name: str) -> float:
    """Make one record or table; the seconds that it took."""
    start = time.perf_counter()
    quiet = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    if name in TABLES:
        command = [sys.executable, *shlex.split(TABLES[name])[1:]]
        subprocess.run(command, check=True, cwd=ROOT, env=quiet, stderr=subprocess.DEVNULL)
        return time.perf_counter() - start
    staged = STAGING / name  # below ROOT, so that no path of a machine is recorded
    command = [sys.executable, "-m", "dpgcourse", "train", "--no-progress"]
    if (staged / "checkpoints").is_dir():
        command += ["--resume", str(staged.relative_to(ROOT))]
    else:
        shutil.rmtree(staged, ignore_errors=True)  # our own folder, and no checkpoint in it
        options = shlex.split((RECORDS | MUJOCO)[name])
        command += [*options, "--out", str(staged.relative_to(ROOT))]
    subprocess.run(command, check=True, cwd=ROOT, env=quiet, stdout=subprocess.DEVNULL)
    (staged / "learning_curve.png").unlink()  # the chapters draw their own
    provenance = staged / "provenance.json"
    made = json.loads(provenance.read_text(encoding="utf-8")) | {"command": command_of(name)}
    provenance.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    target = RESULTS / name
    if target.exists():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(staged, target)
    return time.perf_counter() - start


def final_means() -> dict[str, float]:
    """Mean final return of each record in the tables of final returns, as far as there are any."""
    from dpgcourse.training.final_returns import read_final_returns

    paths = [RESULTS / name for name in EPISODES if (RESULTS / name).exists()]
    found = {name: x for path in paths for name, x in read_final_returns(path).items()}
    return {name: float(np.mean(list(by_seed.values()))) for name, by_seed in found.items()}


def write_final_returns(table: str) -> None:
    """Evaluate every record of a table of final returns on common starts."""
    from dpgcourse.training.final_returns import evaluate_records, write_final_returns
    from dpgcourse.training.record import read_record

    names = MUJOCO if table == MUJOCO_RETURNS else RECORDS
    records = {name: read_record(RESULTS / name) for name in names}
    episodes = EPISODES[table]
    write_final_returns(RESULTS / table, evaluate_records(records, episodes), episodes)


def entry_of(name: str, seconds: int) -> dict[str, Any]:
    """What the manifest says of an entry that lies in ``results/`` now."""
    return {
        "command": command_of(name),
        "seconds": seconds,
        "probe": [float(f"{x:.7g}") for x in probe(name)],
        "files": files_of(name),
    }


def write_manifest(manifest: dict[str, dict[str, Any]]) -> None:
    """Store the manifest, sorted."""
    text = json.dumps(dict(sorted(manifest.items())), indent=1)
    (RESULTS / MANIFEST).write_text(text + "\n", encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Say what is missing or outdated, and make it unless only asked for the status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--status", action="store_true", help="make nothing")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    parser.add_argument("--long", action="store_true", help="also chapter 15's, which take hours")
    given = parser.parse_args(arguments)
    manifest = read_manifest()
    todo = {}
    for name in (*RECORDS, *MUJOCO, *TABLES):
        status = status_of(name, manifest)
        seconds = manifest.get(name, {}).get("seconds") or "?"
        left = needs_mujoco(name) and not given.long
        if status not in ("fine", NO_MUJOCO):
            todo |= {} if left and not given.status else {name: status}
            status += "; --long makes it" if left else ""
        if given.status or status != "fine":
            print(f"{name:45} {seconds!s:>6} s  {status}", flush=True)
    if given.status:
        return 1 if todo else 0
    before = final_means()
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        running = {pool.submit(make, name): name for name in todo}
        for future in concurrent.futures.as_completed(running):
            name = running[future]
            manifest[name] = entry_of(name, round(future.result()))
            write_manifest(manifest)
            print(f"made {name} in {manifest[name]['seconds']} s", flush=True)
    tables = [name for name in EPISODES if given.long or not needs_mujoco(name)]
    tables = [name for name in tables if todo or not (RESULTS / name).exists()]
    for name in tables:
        write_final_returns(name)
        manifest[name] = entry_of(name, 0)
        known = (*RECORDS, *MUJOCO, *TABLES, *EPISODES)
        write_manifest({name: entry for name, entry in manifest.items() if name in known})
    if tables:
        for name, mean in final_means().items():
            moved = f", before {before[name]:.1f}" if name in before else ""
            print(f"{name:45} {mean:9.1f}{moved}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
