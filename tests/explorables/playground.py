"""The same updates in Python and in the playground's JavaScript, from the same weights."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from dpgcourse.agents.batch import Batch
from dpgcourse.agents.config import DDPGConfig
from dpgcourse.agents.faulty import FAULTY_AGENTS
from dpgcourse.agents.numpy_ddpg import NumpyDDPG
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.figures.explorables import FOLDER
from dpgcourse.gradient.action_box import ActionBox
from tests.explorables.node import NODE

SCRIPTS = Path(str(FOLDER))
AFTER_UPDATES = Path(__file__).with_name("after_updates.js").read_text(encoding="utf-8")
CONFIG = DDPGConfig(gamma=0.95, tau=0.02, actor_lr=1e-3, critic_lr=2e-3, hidden_sizes=(24, 24))
NETWORKS = ("actor", "critic", "actor_target", "critic_target")
BOX = ActionBox([-2.0], [2.0])


def batch_of(rng: np.random.Generator, size: int) -> Batch:
    """Transitions of pendulums in random states; one in ten ends the task."""
    theta, speed = rng.uniform(-np.pi, np.pi, (2, size)), rng.uniform(-8, 8, (2, size))
    s, s_next = (np.stack([np.cos(t), np.sin(t), v], -1) for t, v in zip(theta, speed, strict=True))
    a, r = rng.uniform(-2, 2, (size, 1)), rng.uniform(-16, 0, size)
    terminated = (rng.random(size) < 0.1).astype(float)
    return Batch(s, a, r, s_next, terminated).map(lambda x: x[None].astype(np.float32))


def problem(mistake: str = "none", updates: int = 100, size: int = 64, seed: int = 0):
    """What the JavaScript agent is given, and the parameters that the agent in Python reaches.

    The right agent is the one in NumPy; those with a mistake exist in torch alone.
    """
    rng, streams = np.random.default_rng(seed), random_streams([seed])
    agent: Any
    if mistake == "none":
        agent = NumpyDDPG(CONFIG, 3, BOX, streams)
    else:
        agent = FAULTY_AGENTS[mistake](CONFIG, 3, BOX, streams)
    start = {name: parameters(agent, name).tolist() for name in ("actor", "critic")}
    batches = [batch_of(rng, size) for _ in range(updates)]
    for batch in batches:
        agent.update(batch.map(np.copy))
    config = {
        **{name: getattr(CONFIG, name) for name in ("gamma", "tau", "actor_lr", "critic_lr")},
        "sigma": 0,
        "width": CONFIG.hidden_sizes[0],
    }
    given = {"mistake": mistake, "config": config, "theta": start}
    given["batches"] = [
        {("sNext" if name == "s_next" else name): x.ravel().tolist() for name, x in b.items()}
        for b in (batch._asdict() for batch in batches)
    ]
    return given, {name: parameters(agent, name) for name in NETWORKS}


def parameters(agent: Any, name: str) -> np.ndarray:
    """The parameters of one network, as a vector."""
    theta = getattr(agent, name).theta[0]
    return theta.copy() if isinstance(theta, np.ndarray) else theta.detach().numpy().copy()


def in_node(function: str, given: Any = None, scripts: Path = SCRIPTS) -> Any:
    """What a function ``async (load, given) => ...`` returns in Node.js.

    ``load`` imports a module of the scripts; what is given and returned passes as JSON.
    """
    program = f"""
import {{ readFileSync }} from "node:fs";
const load = (path) => import({json.dumps(scripts.as_uri())} + "/" + path);
const run =
{function};
const result = await run(load, JSON.parse(readFileSync(0, "utf-8")));
process.stdout.write(JSON.stringify(result));
"""
    command = [NODE, "--input-type=module", "-e", program]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def largest_difference(reached: dict, expected: dict) -> float:
    """Between any two parameters; infinite if one is not a number."""
    worst = max(np.abs(np.array(reached[name]) - expected[name]).max() for name in NETWORKS)
    return float(np.nan_to_num(worst, nan=np.inf))
