"""The agent that trains in the page learns what the agents in Python learn."""

import shutil

import numpy as np
import pytest

from dpgcourse.agents.faulty import FAULTY_AGENTS
from dpgcourse.envs.vector_pendulum import pendulum_step
from tests.explorables.playground import (
    AFTER_UPDATES,
    SCRIPTS,
    in_node,
    largest_difference,
    problem,
)

# Two entries of an action can share their noise, and the pendulum has one.
MISTAKES = ["none", *sorted(set(FAULTY_AGENTS) - {"shared-noise"})]
PLANTS = [
    ("ddpg.js", "this.actorOptimizer.ascend(", "this.actorOptimizer.descend("),
    ("ddpg.js", "-2 * this.delta[i]", "-this.delta[i]"),
    ("ddpg.js", "(1 - terminated[i])", "1"),
    ("ddpg.js", "this.actorTarget);\n    const q", "this.actor.theta);\n    const q"),
    ("networks.js", "(1 - this.h[i] ** 2)", "1"),
    ("networks.js", "eps * unbias", "1"),
    ("networks.js", "tau * (source[i]", "(source[i]"),
    ("../mlp.js", "if (!(input[i] > 0))", "if (input[i] > 0)"),
]


@pytest.fixture(scope="module")
def of_the_right_agent():
    return problem("none")


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_hundred_updates_equal_those_in_python(mistake):
    given, expected = problem(mistake)
    assert largest_difference(in_node(AFTER_UPDATES, given), expected) < 1e-5


def test_the_page_offers_every_mistake_of_the_package_that_it_can_show():
    names = """async (load) => {
      const { MISTAKES } = await load("playground/mistakes.js");
      return Object.keys(MISTAKES);
    }"""
    assert sorted(in_node(names)) == sorted(MISTAKES)


@pytest.mark.parametrize(("file", "right", "wrong"), PLANTS, ids=[x[2] or x[1] for x in PLANTS])
def test_a_planted_fault_is_found(tmp_path, of_the_right_agent, file, right, wrong):
    scripts = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, scripts)
    path = scripts / "playground" / file
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    given, expected = of_the_right_agent
    assert largest_difference(in_node(AFTER_UPDATES, given, scripts), expected) > 1e-5


PATHS = """async (load, { theta, speed, torques }) => {
  const { Pendulum } = await load("pendulum.js");
  const pendulums = theta.map((x, i) => new Pendulum(x, speed[i]));
  return torques.map((row) => pendulums.map((pendulum, i) => {
    const r = pendulum.step(row[i]);
    return [pendulum.theta, pendulum.speed, r];
  }));
}"""


def test_the_pendulum_moves_as_in_python():
    rng = np.random.default_rng(0)
    theta, speed = rng.uniform(-7, 7, 20), rng.uniform(-8, 8, 20)
    torques = rng.uniform(-3, 3, (50, 20))
    given = {"theta": theta.tolist(), "speed": speed.tolist(), "torques": torques.tolist()}
    for torque, reached in zip(torques, in_node(PATHS, given), strict=True):
        theta, speed, r = pendulum_step(theta, speed, torque)
        np.testing.assert_allclose(reached, np.stack([theta, speed, r], -1), atol=1e-9)


OTHER_RUNS = """async (load, hashes) => {
  const { fromHash, toHash } = await load("playground/settings.js");
  return hashes.map((hash) => toHash(fromHash(hash)));
}"""


def test_an_address_gives_back_the_settings_that_it_can_hold():
    kept = "seed=7&mistake=no-detach&gamma=0.9&width=32"
    hostile = ["", "#what-to-try", "#seed=-1&gamma=2&width=1e9&mistake=toString&x=<b>", "#gamma="]
    assert in_node(OTHER_RUNS, [f"#{kept}", *hostile]) == [kept, *[""] * len(hostile)]


LEARNS = """async (load, seeds) => {
  const { Training } = await load("playground/training.js");
  const { defaults } = await load("playground/settings.js");
  return seeds.map((seed) => {
    const training = new Training({ ...defaults(), seed });
    let record;
    for (let i = 0; i < 9000 && !(record?.lastTen > -250 && i > 2000); i++) {
      record = training.step() ?? record;
    }
    return record;
  });
}"""


def test_it_learns_the_pendulum_and_a_seed_fixes_the_run():
    first, again = in_node(LEARNS, [5, 5])
    assert first == again
    assert first["lastTen"] > -250
    assert first["returned"] > -250
    assert abs(first["gap"]) < 60
    assert 0.1 < first["saturation"] < 0.8
