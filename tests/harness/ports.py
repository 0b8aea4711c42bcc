"""Ports that stay ours while nothing listens on them: for tests that stop a listener and start it again.

A port that the kernel picked (port 0) is one that it also gives to outgoing connections. While its listener is stopped,
any client on this machine may get it as its own port, be it only a client that tries this very port again and again and
so connects to itself.
"""

import itertools
import os
import pathlib
import socket

LOWEST = 10_000

_reservations = {}


def stable_port():
    """A port for TCP and UDP that is out of the kernel's range and that no other test of this machine gets."""
    highest = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    span = highest - LOWEST
    first = os.getpid() * 37
    for offset in itertools.islice(itertools.count(first), span):
        port = LOWEST + offset % span
        if port not in _reservations and _reserve(port):
            return port
    raise AssertionError("no free port below the kernel's own")


def _reserve(port):
    """Takes a name that goes when this process does, whatever its end; then looks whether a stranger has the port."""
    name = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        name.bind(f"\0rawgate-test-port-{port}")
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET6, kind) as probe:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                probe.bind(("::", port))
    except OSError:
        name.close()
        return False
    _reservations[port] = name
    return True
