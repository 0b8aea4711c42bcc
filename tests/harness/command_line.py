"""`rawgate` as people and scripts run it: in a pipe, or at a terminal."""

import json
import subprocess

from tests.harness.deadlines import PATIENCE
from tests.harness.program import BIN_DIR, clean_environment
from tests.harness.terminal import Terminal

RAWGATE = BIN_DIR / "rawgate"


class CommandLine:
    """With the environment that it is given, besides the usual."""

    def __init__(self, **environment):
        self.environment = environment

    def run(self, *words, code=0, text_in="", **environment):
        """What it prints on standard output and on standard error. Its exit code has to be `code`."""
        done = subprocess.run(
            [RAWGATE, *map(str, words)], input=text_in, capture_output=True, text=True, timeout=PATIENCE,
            env=clean_environment(**{**self.environment, **environment}))
        if done.returncode != code:
            raise AssertionError(f"rawgate {' '.join(map(str, words))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout, done.stderr

    def out(self, *words, **options):
        """What it prints, with nothing on standard error."""
        out, error = self.run(*words, **options)
        if error:
            raise AssertionError(f"rawgate {' '.join(map(str, words))}: {error}")
        return out

    def json(self, *words, **options):
        return json.loads(self.out(*words, "--json", **options))

    def json_lines(self, *words, **options):
        return [json.loads(line) for line in self.out(*words, "--json", **options).splitlines()]

    def error(self, *words, code=1, **options):
        """The object that a failure is told by with --json."""
        out, error = self.run(*words, "--json", code=code, **options)
        if out:
            raise AssertionError(out)
        return json.loads(error)["error"]

    def at_terminal(self, *words, columns=80, **environment):
        """All that it writes to a terminal of 24 rows."""
        terminal = Terminal([RAWGATE, *words], columns=columns, environment={**self.environment, **environment})
        try:
            terminal.wait()
            return terminal.screen.decode()
        finally:
            terminal.close()
