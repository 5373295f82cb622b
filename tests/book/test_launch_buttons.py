"""The launch buttons lead to the repository of the clone or of the setting, or are absent."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from sphinx.errors import ConfigError

from tests.site.rules import loads_nothing_from_elsewhere

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "book/_ext"))

from launch_buttons import HELP, SETTING, find_repository  # noqa: E402

NAME = "ada/course.book"


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True)


@pytest.fixture
def clone(tmp_path):
    """A repository with a remote of the given address."""

    def make(address: str | None) -> Path:
        git(tmp_path, "init")
        if address:
            git(tmp_path, "remote", "add", "origin", address)
        return tmp_path

    return make


@pytest.mark.parametrize(
    "address",
    [
        f"https://github.com/{NAME}",
        f"https://github.com/{NAME}.git",
        f"https://github.com/{NAME}/",
        f"https://ada:secret@github.com/{NAME}.git",
        f"git@github.com:{NAME}.git",
        f"github.com:{NAME}",
        f"ssh://git@github.com/{NAME}.git",
        f"ssh://git@ssh.github.com:443/{NAME}.git",
    ],
)
def test_the_remote_names_the_repository(clone, address):
    assert find_repository(clone(address)) == (NAME, "main")


@pytest.mark.parametrize(
    "address",
    [
        None,
        f"../{NAME}",
        f"/srv/github.com/{NAME}.git",
        f"file:///srv/github.com/{NAME}",
        f"https://example.org/{NAME}.git",
        f"https://example.org/github.com/{NAME}.git",
        f"https://github.com.example.org/{NAME}",
        f"https://notgithub.com/{NAME}",
        f"git@github.com.example.org:{NAME}.git",
        f"git@notgithub.com:{NAME}.git",
        "https://github.com/ada",
        "https://github.com/ada/course/tree/main",
        "https://github.com/ada/..",
    ],
)
def test_other_remotes_name_none(clone, address):
    assert find_repository(clone(address)) is None


def test_the_clone_names_its_default_branch(clone):
    folder = clone(f"https://github.com/{NAME}")
    git(folder, "-c", "user.name=a", "-c", "user.email=a", "commit", "--allow-empty", "-m", "a")
    git(folder, "update-ref", "refs/remotes/origin/trunk", "HEAD")
    git(folder, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    assert find_repository(folder) == (NAME, "trunk")


def test_a_folder_inside_another_clone_has_none(clone):
    folder = clone(f"https://github.com/{NAME}") / "book"
    folder.mkdir()
    assert find_repository(folder) is None


def test_no_git_means_none(clone, monkeypatch):
    folder = clone(f"https://github.com/{NAME}")
    monkeypatch.setenv("PATH", "")
    assert find_repository(folder) is None


def test_the_setting_wins(clone):
    folder = clone("https://github.com/somebody/else")
    assert find_repository(folder, NAME) == (NAME, "main")
    assert find_repository(folder, f"{NAME}@work/in+progress") == (NAME, "work/in+progress")
    assert find_repository(folder, "") is None


@pytest.mark.parametrize(
    "setting",
    [
        "course",
        "https://github.com/ada/course",
        "ada/course/book",
        "ada/course@",
        'a/b"><c',
        "a/..",
    ],
)
def test_a_setting_that_names_no_repository_is_an_error(tmp_path, setting):
    with pytest.raises(ConfigError, match="Write owner/name or owner/name@branch") as error:
        find_repository(tmp_path, setting)
    assert setting in str(error.value)


def build(folder: Path, setting: str) -> Path:
    """A book of a front page and a chapter, with the settings of the course."""
    for name in ("_ext", "_static"):
        shutil.copytree(ROOT / "book" / name, folder / "book" / name)
    shutil.copy(ROOT / "_config.yml", folder)
    shutil.copy(ROOT / "book/references.bib", folder / "book")
    (folder / "_toc.yml").write_text(
        "format: jb-book\nroot: book/intro\nchapters:\n  - file: book/one\n"
    )
    (folder / "book/intro.md").write_text("# Hello\n\nA front page.\n")
    cells = [new_markdown_cell("# One", id="text"), new_code_cell("1 + 1", id="code")]
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=spec), folder / "book/one.ipynb")
    program = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"
    built = subprocess.run(
        [sys.executable, "-c", program, "build", ".", "-W", "-n"],
        cwd=folder,
        env={**os.environ, SETTING: setting},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr[-2000:]
    return folder / "_build/html"


def links(page: Path) -> list[str]:
    soup = BeautifulSoup(page.read_bytes(), "html.parser")
    return [str(link["href"]) for link in soup.select("a[href]")]


def test_pages_lead_to_the_repository_and_load_nothing_from_it(tmp_path):
    html = build(tmp_path, f"{NAME}@trunk")
    found = links(html / "book/one.html")
    assert f"https://mybinder.org/v2/gh/{NAME}/trunk?urlpath=lab/tree/book/one.ipynb" in found
    assert f"https://colab.research.google.com/github/{NAME}/blob/trunk/book/one.ipynb" in found
    assert f"intro.html#{HELP}" in found
    assert found.count(f"https://github.com/{NAME}") == 2  # the button and the footer
    front = BeautifulSoup((html / "book/intro.html").read_bytes(), "html.parser")
    line = f"%pip install --no-deps git+https://github.com/{NAME}@trunk"
    assert front.select_one(f"#{HELP} pre").get_text() == line
    assert list(loads_nothing_from_elsewhere(html)) == []


def test_pages_without_a_repository_name_no_host(tmp_path):
    html = build(tmp_path, "")
    for page in ("book/one.html", "book/intro.html"):
        text = (html / page).read_text(encoding="utf-8")
        assert not any(word in text for word in ("mybinder", "colab", "Colab", HELP))
        assert not [link for link in links(html / page) if link.startswith("https://github.com/")]
