"""What a record says of the code that wrote it."""

import subprocess

import pytest

from dpgcourse.training.provenance import provenance


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_changes_that_are_not_committed_are_seen(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert provenance()["git_commit"] is None
    for command in ("init -q", "config user.name A", "config user.email a@b", "add .", "commit -q"):
        (tmp_path / "file").write_text("one")
        extra = ["-m", "one"] if command.startswith("commit") else []
        subprocess.run(["git", *command.split(), *extra], check=True)
    clean = provenance()
    assert clean["git_clean"] is True and len(clean["git_commit"]) == 40
    (tmp_path / "file").write_text("two")
    assert provenance()["git_clean"] is False
