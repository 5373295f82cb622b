"""Chapter 13: ten more mistakes, reported by users, and what the diagnosis says about each.

No rule of `dpgcourse.analysis.diagnosis` was written for one of them. Five are mistakes of the
agent (`dpgcourse.agents.faulty.FIELD_FAULTS`), three of what is stored, two of the environment; the
last five are planted here. Ten seeds of each are trained as in chapter 11.

| column | is |
|---|---|
| ``fault``, ``seed`` | which run |
| ``score`` | mean return on 1,000 common starts, in the rewards of Pendulum-v1 |
| the others | the evidence that the rules are asked about, `diagnosis.evidence` |

The probes are tasks of their own, which a mistake in the pendulum does not reach: there the two
mistakes of the environment have the answers of the right agent.
"""

import argparse
import csv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import gymnasium as gym
import numpy as np
from gymnasium.vector.utils import batch_space

from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.faulty import FIELD_FAULTS
from dpgcourse.analysis import diagnosis
from dpgcourse.analysis.sanity_checks import SANITY_CHECKS
from dpgcourse.envs import make
from dpgcourse.envs.episodes import Episodes
from dpgcourse.envs.vector_pendulum import VectorPendulum
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training.config import TrainConfig
from dpgcourse.training.evaluation import evaluate
from dpgcourse.training.loop import train
from dpgcourse.training.training_state import TrainingState

HERE = Path(__file__).resolve().parent
DIGITS = 6  # significant
LARGE = np.array([1, 1, 100], dtype=np.float32)  # factors of the observations
REWARD_SCALE = 100.0


class Autoreset(Episodes):
    """A step that ends an episode returns the first state of the next one."""

    def step(self, a):
        """Advance, and begin anew where an episode has ended."""
        s, r, terminated, truncated = super().step(a)
        return super().reset_where(terminated | truncated, s), r, terminated, truncated

    def reset_where(self, ended, s):
        """The states to act in next: what ended has begun anew already."""
        return super().reset_where(ended, s) if s is None else s


class LargeObservation(VectorPendulum):
    """The angular velocity is a hundred times as large as the other observations."""

    def __init__(self, num_envs: int):
        super().__init__(num_envs)
        bound = self.single_observation_space.high * LARGE
        self.single_observation_space = gym.spaces.Box(-bound, bound)
        self.observation_space = batch_space(self.single_observation_space, num_envs)

    def _state(self) -> np.ndarray:
        return super()._state() * LARGE


class LargeReward(VectorPendulum):
    """Rewards are a hundred times as large."""

    def step(self, actions):
        """Advance, and pay a hundred times as much."""
        s, r, terminated, truncated, info = super().step(actions)
        return s, REWARD_SCALE * r, terminated, truncated, info


ENVIRONMENTS = {"large-observation": LargeObservation, "large-reward": LargeReward}


def aliased_state(box: ActionBox, s, a, r, s_next, terminated) -> tuple:
    """The stored state is the array that the environment has changed since: s is s'."""
    return s_next, a, r, s_next, terminated


def normalized_action(box: ActionBox, s, a, r, s_next, terminated) -> tuple:
    """The stored action lies between −1 and 1, and the actor's lies in the box."""
    return s, (a - box.center) / box.half_range, r, s_next, terminated


STORAGE = {"aliased-state": aliased_state, "normalized-action": normalized_action}
FAULTS = (*FIELD_FAULTS, *STORAGE, "state-after-reset", *ENVIRONMENTS)


@contextmanager
def planted(fault: str) -> Iterator[type[DDPG]]:
    """Plant a mistake; the agent class to train while it is there."""
    if fault in FIELD_FAULTS:
        yield FIELD_FAULTS[fault]
    elif fault == "state-after-reset":
        with mock.patch("dpgcourse.training.training_state.Episodes", Autoreset):
            yield DDPG
    elif fault in ENVIRONMENTS:
        with mock.patch.dict(make.VECTORIZED, {"Pendulum-v1": ENVIRONMENTS[fault]}):
            yield DDPG
    else:
        changed = STORAGE[fault]

        class StoresWrongly(TrainingState):
            def __init__(self, config, state_dim, box):
                super().__init__(config, state_dim, box)
                add = self.replay.add
                self.replay.add = lambda *transition: add(*changed(box, *transition))

        with mock.patch("dpgcourse.training.loop.TrainingState", StoresWrongly):
            yield DDPG


def run(
    fault: str, config: TrainConfig, probe_steps: int = 700, starts: int = 1000
) -> dict[str, np.ndarray]:
    """Train with a mistake: score and evidence, (S,) each."""
    with planted(fault) as agent_class:
        trained = train(TrainConfig(**{**vars(config), "algorithm": agent_class, "agent": None}))
        score = evaluate(trained.agent, "Pendulum-v1", starts).reshape(config.num_seeds, -1)
        checks = {
            name: check(agent_class, config.num_seeds, probe_steps, config.first_seed)
            for name, check in SANITY_CHECKS.items()
        }
    scale = REWARD_SCALE if fault == "large-reward" else 1.0
    return {"score": score.mean(-1) / scale, **diagnosis.evidence(trained.log, checks)}


def write(path: Path, found: Mapping[str, Mapping[str, np.ndarray]], first: int) -> None:
    """Write what `run` found, a row per fault and seed."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        columns = list(next(iter(found.values())))
        writer.writerow(("fault", "seed", *columns))
        for fault, values in found.items():
            for i, row in enumerate(zip(*(values[name] for name in columns), strict=True)):
                writer.writerow((fault, first + i, *(f"{x:.{DIGITS}g}" for x in row)))


def main() -> None:
    """Train every mistake and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=HERE / "evidence.csv")
    given = parser.parse_args()
    found = {}
    for fault in FAULTS:
        found[fault] = run(fault, TrainConfig(first_seed=given.first_seed))
        write(given.out, found, given.first_seed)
        print(fault, found[fault]["score"].round(), diagnosis.diagnose(found[fault]), flush=True)


if __name__ == "__main__":
    main()
