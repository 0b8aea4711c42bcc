"""The progress line of `rawgate put` and `get`, at terminals of several widths."""

import os
import pathlib
import pty
import re
import selectors
import shutil
import subprocess
import tempfile
import termios
import time
import unicodedata
import unittest

from tests.harness.deadlines import PATIENCE
from tests.harness.gated_relay import TO_CLIENT, TO_SERVER, GatedRelay
from tests.harness.program import BIN_DIR, clean_environment
from tests.harness.stack import Stack

MIB = 1 << 20
LARGE = 48 * MIB

stack = None
relay = None


def setUpModule():
    global stack, relay
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("file")
    stack.start_gateway()
    relay = GatedRelay(stack.programs["gateway"].address("grpc"))
    unittest.addModuleCleanup(relay.close)


def columns_of(text):
    return sum(0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
               for each in text)


class Screen:
    """A command at a pseudo-terminal, and the lines that it drew on it: also those that it took away."""

    def __init__(self, test, columns, *words, output=None):
        self.columns = columns
        self.master, terminal = pty.openpty()
        test.addCleanup(os.close, self.master)
        termios.tcsetwinsize(terminal, (24, columns))
        self.process = subprocess.Popen(
            [BIN_DIR / "rawgate", *words], cwd=test.folder, stdin=terminal, stdout=output or terminal, stderr=terminal,
            start_new_session=True, env=clean_environment(RAWGATE_GATEWAY=relay.address))
        # Ctrl-C is for whose terminal it is.
        test.addCleanup(self.process.wait)
        test.addCleanup(self.process.kill)
        os.close(terminal)
        self.text = ""
        self._bytes = b""

    def read_until(self, condition, what):
        """Reads until condition() or the end of the output, which is as well."""
        end = time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(self.master, selectors.EVENT_READ)
            while not condition():
                if not selector.select(max(0, end - time.monotonic())):
                    raise AssertionError(f"not in time: {what}; {self.text[-500:]!r}")
                try:
                    self._bytes += os.read(self.master, 4096)
                except OSError:  # the other end is closed
                    return
                self.text = self._bytes.decode(errors="ignore")

    def await_line(self, pattern):
        """The first line drawn that has it."""
        self.read_until(lambda: any(re.search(pattern, line) for line in self.drawn()), pattern)
        found = [line for line in self.drawn() if re.search(pattern, line)]
        assert found, f"no {pattern} in {self.text[-500:]!r}"
        return found[0]

    def finish(self):
        """Its exit code."""
        self.read_until(lambda: False, "the end")
        return self.process.wait(PATIENCE)

    def drawn(self):
        return [line for line in re.split(r"\r\x1b\[K|\r\n", self.text) if line]

    def left(self):
        """What stays: lines that were not taken away."""
        return [line.rpartition("\r\x1b[K")[2] for line in self.text.split("\r\n")]


class ProgressTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rawgate-cli-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.addCleanup(relay.cut)
        self.addCleanup(relay.open)

    def assert_fits(self, screen):
        for line in screen.drawn():
            if "%" in line and "rawgate" not in line:
                self.assertLess(columns_of(line), screen.columns, line)

    def put(self, columns, name):
        (self.folder / name).write_bytes(os.urandom(LARGE))
        relay.hold(TO_SERVER, 24 * MIB)
        return Screen(self, columns, "put", name)

    def test_one_file(self):
        for columns, name in ((80, "notes.bin"), (200, "notes-200.bin"), (80, "一份名字很长的文件" * 4 + ".bin"), (40, "narrow"),
                              (20, "narrower")):
            with self.subTest(columns=columns, name=name):
                screen = self.put(columns, name)
                line = screen.await_line(r"\b(4|5|6)\d%")
                if columns >= 80:
                    self.assertRegex(line, r"  (4|5|6)\d%   \d\d\.\d MiB of 48\.0 MiB +\d+\.\d [KM]iB/s  \S+ left$")
                    self.assertIn(name[-7:], line)
                relay.open()
                self.assertEqual(screen.finish(), 0)
                self.assert_fits(screen)
                # The line is gone; what stays is what is printed anywhere.
                self.assertRegex("\n".join(screen.left()), rf"^[0-9a-f]{{64}}  {name}\n$")

    def test_resumed(self):
        screen = self.put(80, "resumed.bin")
        screen.await_line(r"\b(4|5|6)\d%")
        screen.process.kill()
        screen.process.wait()
        relay.open()
        relay.cut()
        relay.hold(TO_SERVER, 12 * MIB)
        screen = Screen(self, 80, "put", "resumed.bin")
        line = screen.await_line(r"left  resumed at \d+%$")
        self.assertRegex(line, r"^resumed\.bin  +\d+%")
        relay.open()
        self.assertEqual(screen.finish(), 0)
        self.assert_fits(screen)
        self.assertRegex(screen.left()[0], r"^rawgate put: resumed\.bin: resumed at \d+%$")

    def test_control_c(self):
        screen = self.put(80, "stopped.bin")
        screen.await_line(r"\b(4|5|6)\d%")
        screen.process.send_signal(2)
        self.assertEqual(screen.finish(), -2)
        self.assertEqual(screen.left(), ["rawgate put: stopped.bin: what was sent is kept over there; run the same "
                                         "command again to go on", ""])

    def test_several_files(self):
        for number in range(6):
            (stack.file_root / f"several-{number}").write_bytes(os.urandom(8 * MIB))
        relay.hold(TO_CLIENT, 28 * MIB)
        screen = Screen(self, 80, "get", "-j1", *(f"several-{number}" for number in range(6)), "-o", "into/")
        line = screen.await_line(r"^3 of 6 files +(5|6)\d%")
        self.assertRegex(line, r"files +\d+% +\d\d\.\d MiB of 48\.0 MiB")
        relay.open()
        self.assertEqual(screen.finish(), 0)
        self.assert_fits(screen)
        left = screen.left()
        self.assertEqual(len([each for each in left if re.fullmatch(r"[0-9a-f]{64}  into/several-\d", each)]), 6, left)
        self.assertRegex(left[-2], r"^rawgate get: 6 files fetched, 48\.0 MiB in \S+, .*MiB/s$")

    def test_quiet(self):
        (self.folder / "quiet.bin").write_bytes(os.urandom(LARGE))
        screen = Screen(self, 80, "put", "-q", "quiet.bin")
        self.assertEqual(screen.finish(), 0)
        self.assertEqual(screen.text, "")

    def test_output_to_a_file_leaves_the_line_alone(self):
        (self.folder / "piped.bin").write_bytes(os.urandom(LARGE))
        relay.hold(TO_SERVER, 24 * MIB)
        with open(self.folder / "out", "wb") as output:
            screen = Screen(self, 80, "put", "piped.bin", output=output)
        screen.await_line(r"\b(4|5|6)\d%")
        relay.open()
        self.assertEqual(screen.finish(), 0)
        self.assertEqual(screen.left(), [""])
        self.assertRegex((self.folder / "out").read_text(), r"^[0-9a-f]{64}  piped\.bin\n$")


if __name__ == "__main__":
    unittest.main()
