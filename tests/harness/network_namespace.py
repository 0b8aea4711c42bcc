"""Two machines' worth of network on this one: namespaces joined by a wire, whose packets are off loopback to both sides.

Takes root; namespaces_or_skip() skips a module aloud without it."""

import contextlib
import ctypes
import itertools
import os
import subprocess
import threading

from tests.harness.deadlines import PATIENCE
from tests.harness.durability import require_root, skip_module

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count(1)


def _ip(*arguments):
    result = subprocess.run(["ip", *map(str, arguments)], capture_output=True, timeout=PATIENCE, check=False)
    if result.returncode != 0:
        raise AssertionError(f"ip {' '.join(map(str, arguments))}: {result.stderr.decode()}")


def namespaces_or_skip():
    """For setUpModule(). Some containers' root may not have namespaces."""
    require_root("network namespaces")
    try:
        Namespace().remove()
    except AssertionError as failure:
        skip_module(f"network namespaces cannot be had here: {failure}")


class Namespace:
    """A network of its own, with nothing but a loopback interface at first. remove() it after its programs have ended."""

    def __init__(self):
        self.name = f"rawgate-{os.getpid()}-{next(_numbers)}"
        _ip("netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments):
        _ip("-n", self.name, *arguments)

    @property
    def under(self):
        """For Program and Stack.start_service(): runs a program in here."""
        return ("ip", "netns", "exec", self.name)

    def call(self, function, *arguments):
        """What a function returns that is called in here; sockets that it opens stay in here."""
        result = []

        def enter_and_call():
            try:
                with open(f"/run/netns/{self.name}", "rb") as namespace:
                    if _libc.setns(namespace.fileno(), _CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
                result.append((function(*arguments), None))
            except BaseException as failure:  # pylint: disable=broad-except
                result.append((None, failure))

        # A thread, since a namespace is a thread's own and this one is to stay where it is.
        thread = threading.Thread(target=enter_and_call)
        thread.start()
        thread.join()
        value, failure = result[0]
        if failure is not None:
            raise failure
        return value

    def remove(self):
        _ip("netns", "delete", self.name)


class Wire:
    """Two namespaces, `left` with 10.9.0.1 and fd09::1, `right` with 10.9.0.2 and fd09::2. `right` is reached as well at
    every address of 10.64.0.0/10 and fd40::/16, so that it can be a crowd, and is where everything else goes through."""

    LEFT, RIGHT = ("10.9.0.1", "fd09::1"), ("10.9.0.2", "fd09::2")

    def __init__(self):
        with contextlib.ExitStack() as cleanup:
            self.left = Namespace()
            cleanup.callback(self.left.remove)
            self.right = Namespace()
            cleanup.callback(self.right.remove)
            self.left.ip("link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", self.right.name)
            for side, (v4, v6) in ((self.left, self.LEFT), (self.right, self.RIGHT)):
                side.ip("link", "set", "wire", "up")
                side.ip("address", "add", f"{v4}/24", "dev", "wire")
                side.ip("-6", "address", "add", f"{v6}/64", "dev", "wire", "nodad")
            for family, crowd, everything, gateway in (("-4", "10.64.0.0/10", "0.0.0.0/0", self.RIGHT[0]),
                                                       ("-6", "fd40::/16", "::/0", self.RIGHT[1])):
                self.right.ip(family, "route", "add", "local", crowd, "dev", "lo")
                self.left.ip(family, "route", "add", everything, "via", gateway, "dev", "wire")
            self._cleanup = cleanup.pop_all()

    def remove(self):
        self._cleanup.close()
