"""No tracked file names a folder of the machine that it was written on, or a package registry."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.book.rules import MACHINE_PATH

ROOT = Path(__file__).resolve().parents[1]
FORBIDDEN = {
    "folder of one machine": MACHINE_PATH,
    "package registry": re.compile(
        r"pythonhosted\.org|\bpypi\.org|download\.pytorch\.org|registry\.npmjs\.org"
        r"|deb\.debian\.org|archive\.ubuntu\.com|conda\.anaconda\.org"
    ),
}


def violations(text: str) -> list[str]:
    """What must not stand in the text, with the kind of violation."""
    found = ((kind, pattern.search(text)) for kind, pattern in FORBIDDEN.items())
    return [f"{kind}: {match.group()}" for kind, match in found if match]


def tracked_files() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so nothing is tracked")
    command = ["git", "ls-files", "-z"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]


def test_tracked_files_name_no_machine_and_no_registry():
    files = tracked_files()
    assert len(files) > 20
    found = {}
    for path in files:
        content = path.read_bytes()
        is_text = b"\0" not in content
        if is_text and (wrong := violations(content.decode("utf-8"))):
            found[str(path.relative_to(ROOT))] = wrong
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        'open("/' + 'work/main/x")',
        "/" + "home/ada/course",
        "C:" + "\\Users\\ada",
        "--index-" + "url https://py" + "pi.org/simple",
        "https://download.py" + "torch.org/whl/cpu",
    ],
)
def test_violations_are_found(text):
    assert violations(text)


@pytest.mark.parametrize("text", ["book/_static", "https://example.org/work/x", "../work/x"])
def test_other_paths_are_allowed(text):
    assert violations(text) == []
