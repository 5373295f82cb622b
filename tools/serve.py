"""Serve the built book on this machine.

python tools/serve.py _build/html 8000
python tools/serve.py --free 8000           only say whether the port is free
"""

import argparse
import errno
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = "127.0.0.1"


def main(arguments: list[str]) -> str | None:
    """Serve a folder until Ctrl-C; return what went wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path("_build/html"))
    parser.add_argument("port", type=int)
    parser.add_argument("--free", action="store_true", help="only say whether the port is free")
    given = parser.parse_args(arguments)
    handler = partial(SimpleHTTPRequestHandler, directory=str(given.folder))
    try:
        server = ThreadingHTTPServer((HOST, given.port), handler)
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
