"""Serve the built book on this machine.

python tools/serve.py _build/html 8000
python tools/serve.py --free 8000           only say whether the port is free
"""

import argparse
import errno
import sys
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = "127.0.0.1"


class Handler(SimpleHTTPRequestHandler):
    """Answers with the files of a folder, and with its 404.html where there is no such file."""

    def send_error(self, code, message=None, explain=None):
        """Answer that something is wrong."""
        page = Path(self.directory, "404.html")
        if code != HTTPStatus.NOT_FOUND or not page.exists():
            super().send_error(code, message, explain)
            return
        body = page.read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def main(arguments: list[str]) -> str | None:
    """Serve a folder until Ctrl-C; return what went wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path("_build/html"))
    parser.add_argument("port", type=int)
    parser.add_argument("--host", default=HOST, help="whom to answer; 0.0.0.0: everybody")
    parser.add_argument("--free", action="store_true", help="only say whether the port is free")
    given = parser.parse_args(arguments)
    handler = partial(Handler, directory=str(given.folder))
    try:
        server = ThreadingHTTPServer((given.host, given.port), handler)
    except OverflowError:
        return f"port {given.port} does not exist; choose another: make serve PORT=8001"
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        why = "busy" if error.errno == errno.EADDRINUSE else "not allowed for you"
        other = given.port + 1 if why == "busy" else 8001
        return f"port {given.port} is {why}; choose another: make serve PORT={other}"
    with server:
        if given.free:
            return None
        print(f"Open http://{HOST}:{given.port} and stop with Ctrl-C", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
