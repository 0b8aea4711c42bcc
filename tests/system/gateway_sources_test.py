"""What one machine of the network may take of the gateway's connections, and that others then still get in."""

import socket
import tempfile
import unittest

from tests.harness.deadlines import PATIENCE
from tests.harness.network_namespace import Wire, namespaces_or_skip
from tests.harness.program import Program
from tests.harness.raw_http2 import RawHttp2

PER_SOURCE = 5
OTHERS = ("10.64.0.1", "10.64.0.2")


def setUpModule():
    namespaces_or_skip()


class SourcesTest(unittest.TestCase):
    def setUp(self):
        self.wire = Wire()
        self.addCleanup(self.wire.remove)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        flags = [f"--listen=grpc=tcp://{Wire.LEFT[0]}:0,six=tcp://[{Wire.LEFT[1]}]:0", "--allow_insecure_bind",
                 f"--http_listen=tcp://{Wire.LEFT[0]}:0", f"--http_connections_per_source_max={PER_SOURCE}",
                 f"--connections_per_source_max={PER_SOURCE}", "--backends=echo=127.0.0.1:1"]
        self.gateway = Program("gateway", flags, folder.name, under=self.wire.left.under).start()
        self.addCleanup(self.gateway.stop)

    def connect(self, source, listener="grpc"):
        """An accepted connection, or None where it was closed at once."""
        def made():
            return RawHttp2(self.gateway.address(listener), source=(source, 0))
        try:
            connection = self.wire.right.call(made)
        except ConnectionError:
            return None
        self.addCleanup(connection.socket.close)
        return connection if connection.read_frame() is not None else None

    def test_one_source_and_others(self):
        held = [self.connect(Wire.RIGHT[0]) for _ in range(PER_SOURCE)]
        self.assertNotIn(None, held)
        self.assertIsNone(self.connect(Wire.RIGHT[0]))
        for other in OTHERS:
            self.assertIsNotNone(self.connect(other))
        held[0].socket.shutdown(socket.SHUT_WR)
        self.assertTrue(held[0].is_closed())
        # The place is free once the gateway has seen the end, which may be after the client has.
        while self.connect(Wire.RIGHT[0]) is None:
            self.assertTrue(self.gateway.alive())

    def first_line(self, source):
        """What an HTTP client is answered, on a connection that it keeps."""
        def asked():
            connection = socket.create_connection(self.gateway.address("http"), PATIENCE, (source, 0))
            self.addCleanup(connection.close)
            connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
            return connection.recv(100).split(b"\r\n")[0]
        return self.wire.right.call(asked)

    def test_http_clients_too(self):
        for _ in range(PER_SOURCE):
            self.assertEqual(self.first_line(Wire.RIGHT[0]), b"HTTP/1.1 200 OK")
        with self.subTest("one more"):
            try:
                self.assertEqual(self.first_line(Wire.RIGHT[0]), b"HTTP/1.1 503 Service Unavailable")
            except ConnectionError:
                pass  # The reset that follows may come first.
        self.assertEqual(self.first_line(OTHERS[0]), b"HTTP/1.1 200 OK")

    def test_a_network_of_ipv6_is_one_source(self):
        addresses = [f"fd40::{number}" for number in range(1, PER_SOURCE + 2)]
        made = [self.connect(address, "six") for address in addresses]
        self.assertNotIn(None, made[:-1])
        self.assertIsNone(made[-1])
        self.assertIsNotNone(self.connect("fd40:0:0:1::1", "six"))


if __name__ == "__main__":
    unittest.main()
