"""Every listener that answers datagrams, and datagrams from ports that are not the sender's."""

import collections
import socket
import struct

from tests.harness import rpc
from tests.harness.stack import Stack, listener_names

NTP_REQUEST = b"\x23" + bytes(39) + b"\xec\x01\x02\x03\x04\x05\x06\x07"  # version 4, mode 3 (client)

# `query` is what its address in --listen ends with, `request` is a datagram that it answers, `port` its usual one.
Responder = collections.namedtuple("Responder", "name service role query request port")
RESPONDERS = (
    Responder("greeting", "echo", "udp", "?reply=greeting", b"hello", 8080),
    Responder("echo", "echo", "udp", "?reply=identity", b"hello", 7),
    Responder("upper", "echo", "udp", "?reply=upper", b"hello", 8080),
    Responder("strftime", "time", "udp", "", b"%H:%M", 9000),
    Responder("daytime", "time", "daytime", "", b"", 13),
    Responder("time", "time", "time", "", b"", 37),
    Responder("ntp", "time", "ntp", "", NTP_REQUEST, 123),
    Responder("chat", "chat", "udp", "", b"hello", 8081),
)
# Much to say, so that it is seen whether an answer is cut.
FLAGS = {"chat": ["--auto_reply=" + "we open at nine " * 200, "--auto_reply_interval=1s"]}


class Service:
    """A service process whose listeners are some of the responders, in a namespace or not. stop() it after use."""

    def __init__(self, service, responders, addresses, namespace=None):
        """`addresses` has a URI, with a port, for each responder."""
        self.responders = responders
        self.stack = Stack()
        under = namespace.under if namespace else ()
        listeners = [f"{responder.role}={address}{responder.query}"
                     for responder, address in zip(responders, addresses)]
        # A socket's path is the same in every namespace.
        self.program = self.stack.start_service(service, *FLAGS.get(service, ()), listeners=listeners, under=under,
                                                rpc=f"unix://{self.stack.directory}/rpc.sock")
        self.client = rpc.Client(self.program.rpc_target)
        self.name = service

    def listener_of(self, index):
        """Name of the index-th listener, with its address."""
        name = listener_names(responder.role for responder in self.responders)[index]
        return name, self.program.address(name)

    def counters(self, listener):
        return self.client.listener(self.name, listener).counters

    def stop(self):
        self.client.close()
        self.stack.stop()


def forge(source_port, address, payload=b"%H:%M"):
    """Sends a datagram from a port that is not ours, which takes a raw socket. Checksum 0 means none (RFC 768), which
    IPv6 does not allow: there the kernel makes it."""
    header = struct.pack("!HHHH", source_port, address[1], 8 + len(payload), 0)
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
        if family == socket.AF_INET6:
            raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_CHECKSUM, 6)
        raw.sendto(header + payload, (address[0], 0))
