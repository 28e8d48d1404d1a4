"""Try the service of a runtime that is installed: start it, let it answer one picture, and stop it by SIGTERM.

    python scripts/service_smoke.py [PYTHON]

It needs the standard library alone, and tries the runtime of PYTHON, by default of this one.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import urllib.request

__all__ = ["smoke"]

_SECONDS = 120
# An image of the digit 1, white on black as MNIST has them.
_ONE = [[255 if 12 <= column <= 15 and 4 <= row <= 23 else 0 for column in range(28)] for row in range(28)]


def smoke(python: str) -> str:
    """Return what the service of this Python's runtime read in a picture; it was started, asked and stopped.

    Raises:
        RuntimeError: it did not start, answered otherwise, or did not end with 0.
    """
    command = [python, "-m", "mnist_edge_runtime", "serve", "--port", "0", "--network", "small"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    told, last = "", threading.Timer(_SECONDS, process.kill)  # what it says ends with it
    last.start()
    try:
        assert process.stderr
        for line in process.stderr:
            told += line
            if address := re.match(r"serving on (http://\S+) ", line):
                break
        else:
            within = "" if last.is_alive() else f" within {_SECONDS} seconds"
            raise RuntimeError(f"it did not start{within}: {told}")
        last.cancel()
        body = json.dumps({"pictures": [{"pixels": _ONE}], "preprocess": "none"}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{address[1]}v1/classify", body, headers)
        ask = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy leads to this machine
        with ask.open(request, timeout=_SECONDS) as response:
            (found,) = json.load(response)["predictions"]
        if found["label"] != "1":
            raise RuntimeError(f"a 1 was answered with {found}")
        process.terminate()
        _, rest = process.communicate(timeout=_SECONDS)
        if process.returncode != 0:
            raise RuntimeError(f"it ended with {process.returncode}: {told}{rest}")
        return str(found["label"])
    finally:
        last.cancel()
        process.kill()
        process.wait()


if __name__ == "__main__":
    print(f"the service started, read {smoke(sys.argv[1] if len(sys.argv) > 1 else sys.executable)} and ended with 0")
