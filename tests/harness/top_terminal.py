"""`rawgate top` in front of services of its own: what both its screen and its snapshots are tested with."""

import re
import subprocess
import termios
import unittest

from tests.conformance.plain_client import connect, receive_exactly
from tests.harness.deadlines import PATIENCE
from tests.harness.drawn_terminal import DrawnTerminal
from tests.harness.full_screen import FullScreen
from tests.harness.ports import stable_port
from tests.harness.program import BIN_DIR, clean_environment
from tests.harness.stack import Stack

DOWN, ENTER, ESCAPE = "\x1b[B", "\r", "\x1b"
CTRL_C, CTRL_U, CTRL_Z = "\x03\x15\x1a"


class TopTest(unittest.TestCase):
    def setUp(self):
        self.stack = Stack(stable_ports=True)
        self.addCleanup(self.stack.stop)
        self.stack.start_service("echo", "--allow_faults")
        self.stack.start_service("time")
        self.start_gateway()

    def start_gateway(self):
        """Where it is found again after a restart."""
        self.port = getattr(self, "port", None) or stable_port()
        self.stack.start_gateway(f"--listen=grpc=tcp://127.0.0.1:{self.port}")

    def environment(self, **more):
        return {"RAWGATE_GATEWAY": self.stack.gateway_target, **more}

    def top(self, *words, columns=80, rows=24, **environment):
        top = DrawnTerminal([BIN_DIR / "rawgate", "top", "--interval", "200ms", *words], columns,
                            self.environment(**environment), rows, FullScreen(columns, rows))
        self.addCleanup(top.close)
        top.shows(lambda: any("/tcp" in row for row in self.rows(top)) or "--view" in words, "services")
        return top

    def rawgate(self, *words):
        subprocess.run([BIN_DIR / "rawgate", *words], capture_output=True, env=clean_environment(**self.environment()),
                       timeout=PATIENCE, check=True)

    def run_top(self, *words, **environment):
        return subprocess.run([BIN_DIR / "rawgate", "top", "--interval", "100ms", *words], text=True, capture_output=True,
                              env=clean_environment(**self.environment(**environment)), timeout=PATIENCE, check=True)

    @staticmethod
    def rows(top):
        return top.picture.text()

    def row_of(self, top, name):
        """The row whose first word is this name, without its mark."""
        for row in self.rows(top):
            if row[2:].startswith(name + " "):
                return row
        return ""

    def await_row(self, top, name, pattern):
        return top.shows(lambda: re.search(pattern, self.row_of(top, name)), f"a row of {name} with {pattern!r}")

    def await_text(self, top, pattern):
        return top.shows(lambda: re.search(pattern, "\n".join(self.rows(top))), f"text with {pattern!r}")

    def selected(self, top):
        """Where the mark is, whatever else changes in that row."""
        return next((line, row.split()[1]) for line, row in enumerate(self.rows(top)) if row.startswith("> "))

    def select(self, top, name):
        top.keys("g")
        top.shows(lambda: self.rows(top)[4].startswith(">"), "the first row selected")
        for _ in range(20):
            selected = self.selected(top)
            if selected[1] == name:
                return
            top.keys(DOWN)
            top.shows(lambda: self.selected(top) != selected, "another row selected")
        self.fail(f"no row {name}\n{top.shown()}")

    def client(self):
        client = connect(self.stack.address("echo", "tcp"))
        self.addCleanup(client.close)
        client.sendall(b"hello")
        receive_exactly(client, 5)
        return client

    def assert_ended(self, top, code):
        self.assertEqual(top.wait(), code)
        self.assertFalse(top.picture.second)
        self.assertTrue(top.picture.cursor_shown)
        self.assertTrue(top.picture.wraps)
        self.assertEqual(self.rows(top), [""])
        self.assertTrue(top.mode()[3] & termios.ICANON)
        self.assertTrue(top.mode()[3] & termios.ECHO)
