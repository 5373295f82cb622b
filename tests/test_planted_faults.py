"""The faults of `make faults` fit today's course, and the table of what caught them is theirs."""

import csv

import pytest

from tools.plant_faults import FOUND, ROOT, StaleFaultError, checks, planted, read_faults

FAULTS = {where: read_faults(where) for where in ("package", "book")}
ALL = [fault for faults in FAULTS.values() for fault in faults]


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault["what"])
def test_a_fault_changes_its_file_and_nothing_on_disk(fault):
    path = ROOT / fault["file"]
    before = path.read_bytes()
    assert planted(fault, path) != before
    assert path.read_bytes() == before


def test_a_fault_that_does_not_fit_is_named():
    fault = FAULTS["package"][0] | {"old": "no such text"}
    with pytest.raises(StaleFaultError, match=f"{fault['file']} no longer holds .*{fault['what']}"):
        planted(fault, ROOT / fault["file"])


def test_the_nearest_checks_come_first():
    fault = {"file": "dpgcourse/agents/ddpg.py"}
    assert [name for name, _ in checks(fault)] == ["nearest tests", "other tests"]
    assert next(checks(fault))[1][:2] == ["dpgcourse/agents/ddpg.py", "tests/agents/test_ddpg.py"]
    assert [name for name, _ in checks({"file": "results/x.csv"})] == ["reading"]


@pytest.mark.parametrize("where", FAULTS)
def test_the_table_is_of_these_faults(where):
    with (FOUND / f"{where}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    known = [(fault["file"], fault["what"]) for fault in FAULTS[where]]
    found = [(row["file"], row["what"]) for row in rows]
    assert found == [key for key in known if key in found]  # a new fault may not be planted yet
