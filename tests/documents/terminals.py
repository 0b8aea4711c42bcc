"""What documents tell people to do at terminals: commands that stay until somebody ends them, and what happens between two."""

import os
import signal

from tests.harness.program import BIN_DIR
from tests.harness.terminal import CONTROL_C, CONTROL_D, Terminal


def at_terminal(test, command):
    """The command at a terminal of its own."""
    place = test.place
    terminal = Terminal(["bash", "-c", f"cd {place.home}; {place.here(command)}"], environment={
        "PATH": f"{BIN_DIR}:{os.environ['PATH']}", "HOME": str(place.home), "RAWGATE_GATEWAY": place.stack.gateway_target})
    test.addCleanup(terminal.close)
    return terminal


def stays(pattern, key, code):
    """What a command shows before anything is typed, the key that ends it, and how it ends then."""
    def follow(test, command):
        terminal = at_terminal(test, command)
        terminal.expect(pattern)
        terminal.press(key)
        test.assertEqual(terminal.wait(), code)

    return follow


def answer(test, desk, client):
    """Somebody writes to the desk, and whoever sits there answers."""
    at_desk = at_terminal(test, desk)
    at_desk.expect("> ")
    asking = at_terminal(test, client)
    at_desk.expect("is anybody there")
    at_desk.type("yes")
    asking.expect("yes")
    asking.press(CONTROL_C)
    at_desk.press(CONTROL_C)
    test.assertEqual(at_desk.wait(), -signal.SIGINT)


STAY = {
    "rawgate top": stays("echo", b"q", 0),
    "rawgate watch": stays("watching ", CONTROL_C, -signal.SIGINT),
    "rawgate date --watch": stays(r"\d\d:\d\d:\d\d", CONTROL_C, -signal.SIGINT),
    "rawgate chat": stays("> ", CONTROL_C, -signal.SIGINT),
    "rawgate shell": stays(r"[$#] ", CONTROL_D, 0),
}

# Two commands, one behind the other in a document, of which each takes a terminal.
SCENES = {
    ("rawgate chat", "printf 'is anybody there?' | nc -u -w 60 127.0.0.1 8081"): answer,
}
