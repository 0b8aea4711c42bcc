"""A program at a pseudo-terminal of its own, and the person in front of it, who types and reads."""

import fcntl
import os
import pty
import re
import selectors
import struct
import subprocess
import termios
import time

from tests.harness.deadlines import PATIENCE
from tests.harness.program import clean_environment

CONTROL_C, CONTROL_D = b"\x03", b"\x04"


class Terminal:
    """What the terminal echoes of the typing is on the screen too, as for a person. Close it after use."""

    def __init__(self, command, rows=24, columns=80, environment=None):
        self.screen = b""
        self._seen = 0
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "setsid", "--ctty", *map(str, command)], stdin=slave, stdout=slave,
            stderr=slave, env=clean_environment(**{"LC_ALL": "C.UTF-8", "TERM": "xterm", **(environment or {})}))
        os.close(slave)

    def type(self, line):
        """A line and the enter key."""
        self.press(line.encode() + b"\r")

    def press(self, keys):
        os.write(self._master, keys)

    def expect(self, pattern):
        """Waits until a regular expression matches what came after the last match, which it returns."""
        match = self.comes(pattern, within=PATIENCE)
        if match is None:
            raise AssertionError(f"{pattern!r} is not in {self.screen[self._seen:]!r}")
        return match

    def comes(self, pattern, within):
        """The same, but None when it has not come within so many seconds, or the program has ended without it."""
        expression = re.compile(pattern.encode())
        end = time.monotonic() + within
        while not (match := expression.search(self.screen, self._seen)):
            if not self._read(end):
                return None
        self._seen = match.end()
        return match

    def _read(self, end):
        """Whether something came, before the end of the program and of our patience."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._master, selectors.EVENT_READ)
            if not selector.select(max(0, end - time.monotonic())):
                return False
        try:
            part = os.read(self._master, 65536)
        except OSError:  # EIO: the last one at the other side is gone
            return False
        self.screen += part
        return bool(part)

    def wait(self):
        """The program's exit code, once it has ended by itself."""
        end = time.monotonic() + PATIENCE
        while self._read(end):
            pass
        return self.process.wait(timeout=PATIENCE)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)
