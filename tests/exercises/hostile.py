"""Programs that a grader must survive: each ends with a clear report and is not passed."""

RIGHT = """
from dpgcourse.exercises import check
import numpy as np

def actor_slope(s, u):
    return s + 2 * u

def four_slopes(s, u, w):
    b = np.tanh(s * u)
    return s, 1 - b**2, 2, -2 * (2 * b - w * s)

slope_of_mu, slope_of_ell = 0, 0
why_the_proof_fails = "Δa is zero arbitrarily close to 0"
A, B, C, D = "arrived", "flat critic", "saturated", "look after the gradient"

def four_point(f, x, h):
    return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)

check("chain-bent", actor_slope)
"""
ASKS = 'from dpgcourse.exercises import check\ncheck("chain-bent", actor_slope)\n'
DEFINES = "def actor_slope(s, u):\n    return 0.0\n"

# name -> source, words of the report
HOSTILE = {
    "endless loop": ("while True:\n    pass\n", "took longer than"),
    "endless loop in an answer": (
        RIGHT + "def actor_slope(s, u):\n    while True:\n        pass\n",
        "loop that never ends",
    ),
    "endless loop that catches everything": (
        RIGHT + "def actor_slope(s, u):\n    while True:\n        try:\n"
        "            while True:\n                pass\n        except BaseException:\n"
        "            pass\n",
        "loop that never ends",
    ),
    "sleeps": ("import time\ntime.sleep(1000)\n", "took longer than"),
    "memory bomb": ("x = []\nwhile True:\n    x.append(bytearray(10**7))\n", "MB of memory"),
    "memory bomb of numpy": (
        "import numpy as np\nx = [np.ones(10**7) for _ in range(1000)]\n",
        "MB of memory",
    ),
    "memory bomb in an answer": (
        RIGHT + "def actor_slope(s, u):\n    x = []\n    while True:\n"
        "        x.append(bytearray(10**7))\n",
        "",  # the time of an answer may be up first
    ),
    "huge answer": (
        RIGHT + "def actor_slope(s, u):\n    return np.zeros(3_000_000)\n",
        "too large",
    ),
    "sys.exit": ("import sys\nsys.exit(0)\n", "raised SystemExit"),
    "os._exit": ("import os\nos._exit(0)\n", "ended"),
    "kills itself": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", "ended"),
    "kills its parent": (
        RIGHT + "import os, signal\nos.kill(os.getppid(), 9)\n",
        "PermissionError",
    ),
    "crashes": ("import ctypes\nctypes.string_at(0)\n", "ended"),
    "recursion": ("def f():\n    return f()\nf()\n", "raised RecursionError"),
    "writes outside": (RIGHT + "open('{outside}', 'w').write('x')\n", "PermissionError"),
    "deletes outside": (RIGHT + "import os\nos.remove('{kept}')\n", "PermissionError"),
    "renames outside": (RIGHT + "import os\nos.rename('{kept}', '{outside}')\n", "PermissionError"),
    "makes a folder outside": (RIGHT + "import os\nos.mkdir('{outside}')\n", "PermissionError"),
    "writes through a shell": (
        RIGHT + "import subprocess\nsubprocess.run(['touch', '{outside}'], check=True)\n",
        "CalledProcessError",
    ),
    "fills the disk": (
        "with open('big', 'wb') as f:\n    while True:\n        f.write(b'x' * 10**7)\n",
        "",
    ),
    "prints megabytes": (
        "while True:\n    print('x' * 10**6)\n",
        "took longer than",
    ),
    "forks": ("import os\nwhile True:\n    os.fork()\n", ""),
    "forks and lets go": (
        RIGHT + "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        open('{outside}', 'w').write('x')\n        time.sleep(1000)\n    os._exit(0)\n"
        "raise ValueError('forked')\n",
        "ValueError",
    ),
    "many threads": (
        "import threading, time\nwhile True:\n"
        "    threading.Thread(target=time.sleep, args=(1000,)).start()\n",
        "",
    ),
    "patches the checker": (
        "from dpgcourse.exercises.exercise import FunctionExercise\n"
        "FunctionExercise.judge_values = lambda *a: True\n" + DEFINES,
        "not yet",
    ),
    "patches numpy": (
        "import numpy as np\nnp.allclose = lambda *a, **k: True\n" + DEFINES,
        "not yet",
    ),
    "reads the checkers": (
        RIGHT
        + "import dpgcourse\nprint(open(dpgcourse.__path__[0] + '/exercises/ch02_chain_rule.py')"
        ".read())\n",
        "PermissionError",
    ),
    "imports the checkers": (
        "from dpgcourse.exercises.ch02_chain_rule import _bent_slope as actor_slope\n",
        "ModuleNotFoundError",
    ),
    "reads the solutions": (
        RIGHT + "import dpgcourse, os\nbook = dpgcourse.__path__[0] + '/../book'\n"
        "open(book + '/02_chain_rule.ipynb').read()\n",
        "PermissionError",
    ),
    "writes into the connection": (
        DEFINES + "import os\nfor number in range(3, 30):\n    try:\n"
        "        os.write(number, b'passed' * 100)\n    except OSError:\n        pass\n",
        "disturbed",
    ),
    "uses the network": (
        RIGHT + "import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=3)\n",
        "PermissionError",
    ),
    "endless repr": (
        "class X:\n    def __repr__(self):\n        while True:\n            pass\n"
        "    def __float__(self):\n        while True:\n            pass\n"
        "slope_of_mu = X()\n" + DEFINES,
        "",
    ),
}
