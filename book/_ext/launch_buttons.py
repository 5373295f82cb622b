"""Buttons that open a chapter on Binder or in Colab, and links to the repository.

They lead to the repository that this clone comes from, on GitHub. The environment
variable ``BOOK_REPOSITORY`` names another one. Where none is known, no page shows any.
"""

import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from sphinx.errors import ConfigError

SETTING = "BOOK_REPOSITORY"
BRANCH = "main"  # where neither the setting nor the clone names one
NAME = r"(?P<name>[A-Za-z0-9][A-Za-z0-9-]*/(?!\.)[A-Za-z0-9._-]+?)"
SETTING_FORM = re.compile(NAME + r"(?:@(?P<branch>[A-Za-z0-9][A-Za-z0-9._/+-]*))?")
# https://github.com/owner/name.git, git@github.com:owner/name.git and their like. What
# stands before the @ may be a password, so only the name is kept.
ADDRESS = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^@/]+@)?(?:www\.|ssh\.)?github\.com(?::\d+)?/"
    rf"|(?:[^@/]+@)?github\.com:){NAME}(?:\.git)?/?"
)
HELP = "run-it-without-installing"
# Colab has the other packages already. pip must not replace those that are running.
FRONT_PAGE = """
<section id="{help}"><h2>Run it without installing</h2>
<p>The button with the rocket, at the top of a chapter, opens it on Binder or in Colab.
On Binder you wait until the package is installed, and then run the cells.
Colab asks for a Google account. There, first run this line in a cell of its own:</p>
<div class="highlight"><pre tabindex="0">%pip install --no-deps {package}</pre></div>
</section>
"""


class Repository(NamedTuple):
    """A repository on GitHub: ``owner/name``, and the branch that readers are given."""

    name: str
    branch: str

    @property
    def url(self):
        """The address of its page."""
        return f"https://github.com/{self.name}"


def find_repository(folder, setting=None):
    """Return the repository of the setting or else of the clone, or None.

    An empty setting says that there is none.
    """
    if setting is not None:
        return _from_setting(setting.strip())
    # The folder may lie in a clone of something else.
    top = _git(folder, "rev-parse", "--show-toplevel")
    if not top or Path(top).resolve() != Path(folder).resolve():
        return None
    address = ADDRESS.fullmatch(_git(folder, "remote", "get-url", "origin"))
    default = _git(folder, "rev-parse", "--abbrev-ref", "origin/HEAD")
    branch = default.removeprefix("origin/") or BRANCH
    return Repository(address["name"], branch) if address else None


def _from_setting(setting):
    if not setting:
        return None
    named = SETTING_FORM.fullmatch(setting)
    if named is None:
        raise ConfigError(
            f"{SETTING} is {setting!r}, which names no repository. Write owner/name or"
            " owner/name@branch, as on GitHub; write nothing to show no buttons."
        )
    return Repository(named["name"], named["branch"] or BRANCH)


def _git(folder, *arguments):
    # What git says; nothing where it is not installed or the answer is an error.
    command = ["git", "-C", str(folder), *arguments]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


def tell_theme(app, config):
    """Give the theme the repository; it makes the buttons."""
    repository = find_repository(app.srcdir, os.environ.get(SETTING))
    if repository is None:
        return
    options = config.html_theme_options
    link = f'<a href="{repository.url}">The repository of this book</a>'
    options.update(
        repository_url=repository.url,
        repository_branch=repository.branch,
        use_repository_button=True,
        launch_buttons={
            "notebook_interface": "jupyterlab",
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
        },
        extra_footer=options.get("extra_footer", "") + link,
    )


def say_what_colab_needs(app, pagename, templatename, context, doctree):
    """Say it on the front page, and lead there from each menu of launch buttons."""
    options = app.config.html_theme_options
    # Where none is given, Jupyter Book gives the address of its own repository.
    if not options.get("use_repository_button"):
        return
    front = app.config.root_doc
    if pagename == front:
        package = "git+{repository_url}@{repository_branch}".format(**options)
        context["body"] += FRONT_PAGE.format(help=HELP, package=package)
    for group in context.get("header_buttons", []):
        if group.get("label") == "launch-buttons":
            address = app.builder.get_relative_uri(pagename, front)
            group["buttons"].append(
                {
                    "type": "link",
                    "text": "Set up Colab",
                    "tooltip": "The line to run first in Colab",
                    "url": f"{address}#{HELP}",
                }
            )


def setup(app):
    """Register with Sphinx."""
    app.connect("config-inited", tell_theme)
    # After the theme has made its buttons, at priority 501.
    app.connect("html-page-context", say_what_colab_needs, priority=510)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
