"""Who reads a document: a shell and a Python of their own, which go on from block to block."""

import json
import os
import pathlib
import signal
import subprocess
import threading

from tests.harness.deadlines import PATIENCE

# Reads commands, each with a zero byte behind it, and prints the exit code of each, whose output goes to the file $1.
SHELL = 'while IFS= read -r -d "" command; do : >"$1"; eval "$command" </dev/null >>"$1" 2>&1; echo $?; done'

# The same for blocks of Python, each a string of JSON on a line.
PYTHON = """
import contextlib, json, sys, traceback
names = {"__name__": "__main__"}
for block in map(json.loads, sys.stdin):
    code = 0
    with open(sys.argv[1], "w", encoding="utf-8") as output, contextlib.redirect_stdout(output):
        try:
            exec(block, names)
        except BaseException:
            traceback.print_exc(file=output)
            code = 1
    print(code, flush=True)
"""


class Interpreter:
    """A process that runs what it is given, one after another, in a folder and an environment. `encode` makes of a text what
    the process reads."""

    def __init__(self, command, encode, folder, environment):
        self._encode = encode
        self.output = pathlib.Path(folder) / f".output-of-{pathlib.Path(command[0]).name}"
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command, self.output], cwd=folder, encoding="utf-8", env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)

    def run(self, text):
        """Exit code and output, of both kinds."""
        giving_up = threading.Timer(PATIENCE, os.killpg, (self.process.pid, signal.SIGKILL))
        giving_up.start()
        self.process.stdin.write(self._encode(text))
        self.process.stdin.flush()
        code = self.process.stdout.readline()
        giving_up.cancel()
        output = self.output.read_text(encoding="utf-8", errors="replace")
        if not code:
            self.process.wait()
            raise AssertionError(f"no end within {PATIENCE:g} s, or it ended the interpreter: {text}\n{output}")
        return int(code), output

    def close(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


def shell(folder, environment):
    return Interpreter(["bash", "-c", SHELL, "bash"], lambda text: text + "\0", folder, environment)


def python(folder, environment):
    return Interpreter(["/usr/bin/python3", "-c", PYTHON], lambda text: json.dumps(text) + "\n", folder, environment)
