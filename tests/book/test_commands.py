"""The commands that the book and the results name exist, and make what they say that they make."""

import json
import re
import shlex
from pathlib import Path

import pytest

from dpgcourse.cli import main
from tests.book import rules
from tools import results

ROOT = Path(__file__).resolve().parents[2]
COMMAND = re.compile(
    r"(?:^|`)((?:python -m )?dpgcourse (?:train|study|play|evaluate|list)\b[^`\n]*)", re.MULTILINE
)


class Trained(Exception):
    """In place of training: what would be trained."""


@pytest.fixture
def settings_of(monkeypatch):
    """The settings that a command of training asks for."""

    def train(config, **options):
        raise Trained(config, options["out"])

    monkeypatch.setattr("dpgcourse.training.loop.train", train)

    def read(command: str):
        with pytest.raises(Trained) as asked:
            main(shlex.split(command)[1:])
        return asked.value.args

    return read


def commands(text: str) -> list[str]:
    return COMMAND.findall(text)


PAGES = [*(ROOT / "book").glob("*.ipynb"), *(ROOT / "book").glob("*.md")]
IN_BOOK = sorted({command for page in PAGES for command in commands(rules.page_text(page))})
README = (ROOT / "results/README.md").read_text(encoding="utf-8")
IN_RESULTS = [command for command in commands(README) if " --out " in command]


def filled(command: str) -> str:
    """A command with something in the place of what the reader fills in."""
    return command.replace("NAME", "no-detach").replace("--env ENV", "--env LQR-v0")


def test_commands_are_found():
    assert len(IN_BOOK) >= 4 and len(IN_RESULTS) >= 14


@pytest.mark.parametrize("command", [c for c in IN_BOOK if " train " in c])
def test_a_command_of_training_in_the_book_can_be_given(command, settings_of):
    settings_of(filled(command))


def test_the_results_name_the_commands_that_make_them():
    named = set(IN_RESULTS) - {c for c in IN_RESULTS if "NAME" in c}
    made = {results.command_of(name) for name in (*results.RECORDS, *results.MUJOCO)}
    faulty = {
        command for command in made if "--out results/bugs" in command and "faulty-" in command
    }
    assert named == made - faulty


@pytest.mark.parametrize("command", IN_RESULTS)
def test_a_command_of_the_results_asks_for_the_stored_settings(command, settings_of):
    config, out = settings_of(filled(command))
    stored = json.loads((ROOT / out / "config.json").read_text(encoding="utf-8"))
    agent = stored.pop("agent")
    for name in ("env", "num_seeds", "first_seed", "steps", "learning_starts", "buffer_size"):
        assert getattr(config, name) == stored[name]
    assert config.algorithm_name == stored["algorithm"]
    for name, value in agent.items():
        assert getattr(config.agent, name) == (tuple(value) if isinstance(value, list) else value)
