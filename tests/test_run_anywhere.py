"""What Binder, containers and GitHub Pages read: held for its form, since nothing runs it here."""

import json
import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pin(name: str, package: str) -> str:
    """The version that a file of pip pins."""
    return re.search(rf"^{package}==(\S+)", text(name), re.M)[1]


WORKFLOW = yaml.safe_load(text(".github/workflows/pages.yml"))
JOBS = WORKFLOW["jobs"].values()
STEPS = [step for job in JOBS for step in job["steps"]]
BINDER = dict(
    re.fullmatch(r"([\w-]+)=([\d.]+)", package).groups()
    for package in yaml.safe_load(text(".binder/environment.yml"))["dependencies"]
)
DEVCONTAINER = json.loads(text(".devcontainer/devcontainer.json"))
COMMANDS = {
    "Dockerfile": re.sub(r"^#.*", "", text("Dockerfile"), flags=re.M),
    "devcontainer": DEVCONTAINER["postCreateCommand"],
    "workflow": "\n".join(step.get("run", "") for step in STEPS),
}


def test_binder_installs_the_versions_of_the_constraints():
    assert BINDER["pytorch-cpu"] == pin("constraints.txt", "torch")
    assert pin("requirements.txt", "torch") == pin("constraints.txt", "torch")
    assert "pip install --no-cache-dir -c constraints.txt" in text(".binder/postBuild")


def test_binder_can_start_its_script():
    assert text(".binder/postBuild").startswith("#!/usr/bin/env bash\n")
    assert os.access(ROOT / ".binder/postBuild", os.X_OK)


def test_all_have_one_python_that_the_package_allows():
    named = {
        re.search(r"^FROM python:(\d+\.\d+)-", text("Dockerfile"), re.M)[1],
        BINDER["python"],
        *(step["with"]["python-version"] for step in STEPS if "setup-python" in str(step)),
    }
    allowed = tomllib.loads(text("pyproject.toml"))["project"]["requires-python"]
    assert len(named) == 1 and named.pop() in SpecifierSet(allowed)


@pytest.mark.parametrize("place", COMMANDS)
def test_the_targets_of_make_exist(place):
    targets = re.findall(r"\bmake ([a-z-]+)", COMMANDS[place])
    assert targets and set(targets) <= TARGETS


def test_every_action_is_pinned_by_its_hash():
    lines = re.findall(r"uses: (.*)", text(".github/workflows/pages.yml"))
    assert len(lines) == sum("uses" in step for step in STEPS)
    for line in lines:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_the_workflow_stops_at_the_first_failure():
    assert WORKFLOW["defaults"]["run"]["shell"].endswith(
        "bash --noprofile --norc -euo pipefail {0}"
    )
    assert not any("shell" in step or "continue-on-error" in step for step in STEPS)
    assert not any("|| true" in step.get("run", "") for step in STEPS)


def test_only_the_job_that_publishes_may_write():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    book, publish = JOBS
    assert book["permissions"] == {"contents": "read", "pages": "read"}
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}
    assert publish["needs"] == "book" and len(publish["steps"]) == 1


def test_the_workflow_looks_at_the_pages_before_it_uploads_them():
    book = WORKFLOW["jobs"]["book"]["steps"]
    place = {step.get("name") or step["uses"].partition("@")[0]: i for i, step in enumerate(book)}
    upload = place["actions/upload-pages-artifact"]
    verify = next(i for name, i in place.items() if name.startswith("Verify"))
    assert place["Test"] < place["Build"] < verify < upload == len(book) - 1
    tests = re.findall(r"(\S+\.py)::(\w+)", book[verify]["run"])
    assert len(tests) == 2 and all(f"def {name}(" in text(file) for file, name in tests)
    assert (ROOT / "tests/site/conftest.py").read_text().count(book[upload]["with"]["path"]) == 1


def test_the_container_serves_both_ports_to_a_reader_who_is_not_root():
    stages = re.findall(r"^FROM \S+(?: AS (\w+))?", text("Dockerfile"), re.M)
    assert DEVCONTAINER["build"]["target"] in stages
    users = re.findall(r"^USER (\w+)", text("Dockerfile"), re.M)
    assert users == [DEVCONTAINER["remoteUser"]] != ["root"]
    ports = re.search(r"^EXPOSE (.*)", text("Dockerfile"), re.M)[1].split()
    assert [int(port) for port in ports] == DEVCONTAINER["forwardPorts"]
    assert ".git" in text(".dockerignore").splitlines()
