"""Serving the built book: a busy port is one line that says how to choose another."""

import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tools import serve

TOOL = Path(serve.__file__)


@pytest.fixture
def busy_port():
    with socket.socket() as other:
        other.bind((serve.HOST, 0))
        other.listen()
        yield other.getsockname()[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((serve.HOST, 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("option", [["--free"], ["somewhere"]])
def test_a_busy_port_is_one_line(busy_port, option):
    command = [sys.executable, TOOL, *option, str(busy_port)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1 and result.stdout == ""
    other = busy_port + 1
    assert result.stderr == (f"port {busy_port} is busy; choose another: make serve PORT={other}\n")


def test_a_port_that_does_not_exist_is_one_line():
    assert serve.main(["--free", "99999"]) == (
        "port 99999 does not exist; choose another: make serve PORT=8001"
    )


def test_a_free_port_is_no_complaint():
    assert serve.main(["--free", str(free_port())]) is None


@pytest.mark.parametrize("host", [[], ["--host", "0.0.0.0"]])
def test_the_folder_is_served(tmp_path, host):
    (tmp_path / "index.html").write_text("hello")
    port = free_port()
    command = [sys.executable, TOOL, tmp_path, str(port), *host]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        assert server.stdout.readline().startswith(b"Open http://127.0.0.1:%d" % port)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/index.html") as page:
            assert page.read() == b"hello"
        server.terminate()
