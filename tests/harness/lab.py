"""`rawgate lab` as learners run it, against live services of the test's own."""

import json
import shutil
import subprocess
import unicodedata

from tests.harness.deadlines import PATIENCE
from tests.harness.program import BIN_DIR, clean_environment
from tests.harness.stack import LISTENERS, Stack

LESSONS = ("coalescing", "framing", "nagle", "half-close", "vanished", "back-pressure", "backlog", "udp", "latency")
HEADINGS = {
    "en": ("What you will see", "What happened", "What to do about it", "Try it"),
    "zh": ("你会看到什么", "发生了什么", "怎么办", "动手试试"),
}
# It ran, and did not show what it should: the machine's doing, which a lesson says and a test allows.
NOT_SHOWN = 3


def start_stack():
    """All services behind a gateway, echo with a Unix socket as well, which the lesson latency compares."""
    stack = Stack()
    for service in LISTENERS:
        listeners = list(LISTENERS[service])
        if service == "echo":
            listeners.append(f"tcp=unix://{stack.directory}/echo.sock")
        stack.start_service(service, listeners=listeners)
    stack.start_gateway()
    return stack


def command(*words):
    return [str(BIN_DIR / "rawgate"), "lab", *map(str, words)]


def environment(stack, **extra):
    return clean_environment(**{"RAWGATE_GATEWAY": stack.gateway_target, "LC_ALL": "C.UTF-8", **extra})


def run(stack, *words, **extra):
    """The finished process, piped: output is text for whoever reads it later."""
    return subprocess.run(command(*words), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=4 * PATIENCE,
                          env=environment(stack, **extra))


def listed():
    """The lessons that there are, parts of others included. This takes no gateway."""
    done = subprocess.run(command("--json"), check=True, capture_output=True, timeout=PATIENCE, env=clean_environment())
    return json.loads(done.stdout)["lessons"]


def run_json(stack, *words):
    """(exit code, the recorded run)"""
    done = run(stack, *words, "--json")
    if done.returncode not in (0, NOT_SHOWN):
        raise AssertionError(done.stderr)
    return done.returncode, json.loads(done.stdout)


def width(text):
    """Columns on a terminal, of text without control characters."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def picture_of(svg, png):
    """Renders a drawing; None without the program for it."""
    if not shutil.which("rsvg-convert"):
        return None
    subprocess.run(["rsvg-convert", "-o", png, svg], check=True, timeout=PATIENCE)
    return png.read_bytes()
