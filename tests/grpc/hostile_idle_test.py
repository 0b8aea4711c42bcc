"""Clients that hold connections and calls without doing anything: their time, and what they cost, is bounded."""

import itertools
import socket
import struct
import time
import unittest

from hyperframe import frame as frames

from tests.harness import rpc
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.processes import peak_memory
from tests.harness.raw_http2 import EMPTY_MESSAGE, PREFACE, RawHttp2, literal, raw_frame, request
from tests.harness.stack import Stack

HEADERS, PING = 1, 6
END_HEADERS = 4
HEALTH = "/grpc.health.v1.Health/Check"
WINDOW_MAX = 0x7fffffff
GROWTH_MAX = 256 << 20
CONNECTIONS = 40
CALLS = 1024
BEYOND_THE_BOUND = 50_000
BATCH = 100
# More than sockets hold.
UNREAD_ANSWER = 200_000
UNREAD_ANSWERS = 30

stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo")
    stack.start_gateway("--idle_timeout=2s", "--header_timeout=2s", "--unary_ceiling=2s")
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


def block(path):
    return b"".join(literal(*(text.encode() for text in field)) for field in request(path))


class IdleTest(unittest.TestCase):
    def connect(self, **options):
        connection = RawHttp2(stack.programs["gateway"].address("grpc"), **options)
        self.addCleanup(connection.socket.close)
        return connection

    def assert_ends(self, connection, word):
        """While it says this once a second, which keeps it from being silent."""
        next_word = time.monotonic()

        def ended():
            nonlocal next_word
            if time.monotonic() < next_word:
                return False
            next_word += 1
            try:
                connection.sendall(word)
                return False
            except ConnectionError:
                return True

        wait_until(ended, "the end of the connection")

    def test_header_block_that_does_not_end(self):
        """It is no call yet, nor is its connection in use, however slowly it goes on."""
        connection = self.connect()
        # A field whose value fills the frame, once all of it has come.
        connection.send(raw_frame(HEADERS, END_HEADERS, 1, block(HEALTH) + b"\0\x01x\x7f\x81\x7c", length=16_384))
        self.assert_ends(connection.socket, b"v")

    def test_client_that_reads_nothing_but_pings(self):
        """Answers are reset when nobody takes them; then the connection is idle, whatever waits to be sent on it."""
        deaf = socket.socket()
        self.addCleanup(deaf.close)
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        deaf.connect(stack.programs["gateway"].address("grpc"))
        deaf.settimeout(PATIENCE)
        settings = frames.SettingsFrame(0, settings={frames.SettingsFrame.INITIAL_WINDOW_SIZE: WINDOW_MAX})
        deaf.sendall(PREFACE + settings.serialize() + frames.SettingsFrame(0, flags=["ACK"]).serialize()
                     + raw_frame(8, 0, 0, struct.pack(">I", WINDOW_MAX - 65_535)))
        message = rpc.echo.EchoRequest(payload=bytes(UNREAD_ANSWER)).SerializeToString()
        message = b"\0" + len(message).to_bytes(4, "big") + message
        pieces = [message[at:at + 16_384] for at in range(0, len(message), 16_384)]
        for stream in range(1, 2 * UNREAD_ANSWERS, 2):
            deaf.sendall(raw_frame(HEADERS, END_HEADERS, stream, block("/rawgate.echo.v1.EchoService/Echo"))
                         + b"".join(raw_frame(0, 0, stream, piece) for piece in pieces) + raw_frame(0, 1, stream))
        self.assert_ends(deaf, raw_frame(PING, 0, 0, b"12345678"))

    def test_calls_of_the_gateways_own_services_without_a_message(self):
        """Asked without credentials; the metadata is sent once and referred to by one byte."""
        gateway = stack.programs["gateway"]
        at_start = peak_memory(gateway.pid)
        field = b"\x40" + literal(b"x-padding", b"v" * 3_600)[1:]
        for _ in range(CONNECTIONS):
            connection = self.connect()
            try:
                connection.send(raw_frame(HEADERS, END_HEADERS, 1, block(HEALTH) + field + b"\xbe"),
                                *(raw_frame(HEADERS, END_HEADERS, stream, block(HEALTH) + b"\xbe\xbe")
                                  for stream in range(3, 2 * CALLS, 2)))
            except ConnectionError:
                pass
        # Behind the others' at the gateway's own services.
        client.control.ListServices(rpc.control.ListServicesRequest(), timeout=PATIENCE)
        self.assertLess(peak_memory(gateway.pid) - at_start, GROWTH_MAX)

    @staticmethod
    def is_ended_by(connection, call):
        """Whether the server ends it before so many calls have been reset, of which never many are in progress."""
        streams = itertools.count(1, 2)
        for _ in range(BEYOND_THE_BOUND // BATCH):
            try:
                connection.send(*(call(stream) for stream in itertools.islice(streams, BATCH)))
                resets = 0
                while resets < BATCH:
                    read = connection.read_frame()
                    if read is None or isinstance(read, frames.GoAwayFrame):
                        return True
                    resets += isinstance(read, frames.RstStreamFrame)
            except ConnectionError:
                return True
        return False

    def test_calls_that_the_server_has_to_take_back(self):
        """CVE-2025-8671: as "rapid reset", but what resets is the server, since each call breaks a rule."""
        service = stack.programs["echo"]
        at_start = peak_memory(service.pid)
        for name, fields, breaks in (
                ("content-length", [("content-length", "1")], b""),
                ("window", [], struct.pack(">I", WINDOW_MAX))):
            with self.subTest(name):
                connection = self.connect(settings={frames.SettingsFrame.INITIAL_WINDOW_SIZE: 1_000})
                headers = block("/rawgate.echo.v1.EchoService/Converse") + b"".join(
                    literal(*(text.encode() for text in field)) for field in fields)
                self.assertTrue(self.is_ended_by(connection, lambda stream: (
                    raw_frame(HEADERS, END_HEADERS, stream, headers) + raw_frame(0, 0, stream, EMPTY_MESSAGE)
                    + (raw_frame(8, 0, stream, breaks) if breaks else b""))))
        self.assertLess(peak_memory(service.pid) - at_start, GROWTH_MAX)


if __name__ == "__main__":
    unittest.main()
