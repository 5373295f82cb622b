"""What the playground's page says about its mistakes is what they do."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.explorables.playground import in_node

PAGE = Path(__file__).parents[2] / "book/playground.md"
UPDATES, SEEDS = 8000, [0, 1, 2]
MEASURED = """async (load, { mistake, seeds, updates }) => {
  const { Training } = await load("playground/training.js");
  const { defaults } = await load("playground/settings.js");
  return seeds.map((seed) => {
    const training = new Training({ ...defaults(), seed, mistake }), records = [];
    for (let i = 0; i < updates && training.healthy(); i++) {
      const record = training.step();
      if (record) records.push(record);
    }
    return records.slice(-5).map(({ returned, saturation, gap }) => [returned, saturation, gap]);
  });
}"""
SAYS = {  # part of a row's last column -> what holds of return, saturation and gap
    "the return collapses": lambda r, s, g: r < -1000,
    "the return stays": lambda r, s, g: r > -260,
    "the saturation rises": lambda r, s, g: s > 0.63,
    "the saturation stays": lambda r, s, g: 0.3 < s < 0.63,
    "the gap stays near where it began": lambda r, s, g: g > 250,
    "the gap is large": lambda r, s, g: g > 25,
}


def rows() -> dict[str, str]:
    """Name of each mistake in the list of the page -> what its row says."""
    text = PAGE.read_text(encoding="utf-8")
    return dict(re.findall(r"^\| \*(.+?)\* \| (.+?) \|$", text, re.MULTILINE))


def test_every_mistake_of_the_list_has_a_row():
    names = in_node(
        """async (load) => {
          const { MISTAKES } = await load("playground/mistakes.js");
          return Object.values(MISTAKES).map(({ text }) => text);
        }"""
    )
    assert list(rows()) == names[1:]
    assert all(any(words in said for words in SAYS) for said in rows().values())


@pytest.mark.long
def test_what_a_row_says_holds():
    names = in_node(
        """async (load) => {
          const { MISTAKES } = await load("playground/mistakes.js");
          return Object.fromEntries(Object.entries(MISTAKES).map(([name, x]) => [x.text, name]));
        }"""
    )
    wrong = []
    for text, said in rows().items():
        given = {"mistake": names[text], "seeds": SEEDS, "updates": UPDATES}
        seeds = in_node(MEASURED, given)
        measured = np.median([np.mean(records, 0) for records in seeds], 0)
        wrong += [
            (text, words, measured.tolist())
            for words, holds in SAYS.items()
            if words in said and not holds(*measured)
        ]
    assert wrong == []
