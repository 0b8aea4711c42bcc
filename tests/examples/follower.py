"""A program that goes on until it is told to end, and prints as it goes."""

import os
import re
import selectors
import signal
import subprocess
import time

from tests.harness.deadlines import PATIENCE


class Follower:
    def __init__(self, command, environment):
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        self.output = ""

    def expect(self, pattern):
        """Reads until the pattern has been printed, after what was expected before, and returns the match."""
        end = time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not (found := re.search(pattern, self.output)):
                if not selector.select(max(0, end - time.monotonic())):
                    raise AssertionError(f"not printed in time: {pattern}\n{self.output}")
                piece = os.read(self.process.stdout.fileno(), 65536)
                if not piece:
                    raise AssertionError(f"it ended, and has not printed {pattern}:\n{self.output}")
                self.output += piece.decode(errors="replace")
        self.output = self.output[found.end():]
        return found

    def interrupt(self):
        """Ctrl-C, which reaches all processes of a terminal's foreground. Returns what else was printed."""
        os.killpg(self.process.pid, signal.SIGINT)
        rest, _ = self.process.communicate(timeout=PATIENCE)
        return self.output + rest.decode(errors="replace")

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()
