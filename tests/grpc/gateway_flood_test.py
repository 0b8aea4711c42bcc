"""No connection and no user must take all places of the gateway from the other clients."""

import socket
import struct
import unittest

import grpc

from tests.harness import rpc
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.stack import Stack

# The build generates it, beside the stubs that rpc has put on the path.
from health.v1 import health_pb2, health_pb2_grpc

HEADERS, RST_STREAM, SETTINGS, END_HEADERS, ACK = 1, 3, 4, 4, 1
MAX_CONCURRENT_STREAMS = 3
PLACES = 4096
PLACES_OF_A_CONNECTION = 1024
HEALTH_WATCHES = 2048
ECHO = b"/rawgate.echo.v1.EchoService/Echo"

stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo")
    stack.start_gateway("--unary_ceiling=2s")
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def header(name, value):
    """A literal header field without indexing and with a new name (RFC 7541, 6.2.2)."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def call_without_message(number):
    block = b"".join(header(name, value) for name, value in (
        (b":method", b"POST"), (b":scheme", b"http"), (b":path", ECHO), (b":authority", b"x"),
        (b"te", b"trailers"), (b"content-type", b"application/grpc")))
    return frame(HEADERS, END_HEADERS, 1 + 2 * number, block)


def calls_without_message(count):
    return b"".join(map(call_without_message, range(count)))


class FloodTest(unittest.TestCase):
    def setUp(self):
        self.connection = self.connect()
        self.stream = self.connection.makefile("rb")
        self.addCleanup(self.stream.close)

    def connect(self):
        host, _, port = stack.gateway_target.rpartition(":")
        connection = socket.create_connection((host, int(port)), timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0))
        return connection

    def read_frame(self, wanted):
        """The payload of the next frame of that kind."""
        while True:
            head = self.stream.read(9)
            if len(head) < 9:
                raise EOFError
            length, kind, flags, _ = struct.unpack(">IBBI", b"\0" + head)
            payload = self.stream.read(length)
            if kind == wanted and not (kind == SETTINGS and flags & ACK):
                return payload

    def assert_others_are_served(self):
        self.assertEqual(client.echo.Echo(rpc.echo.EchoRequest(payload=b"on"), timeout=PATIENCE).payload, b"ON")

    def test_connection_that_takes_too_many_places_is_closed(self):
        settings = dict(struct.iter_unpack(">HI", self.read_frame(SETTINGS)))
        self.assertEqual(settings[MAX_CONCURRENT_STREAMS], PLACES_OF_A_CONNECTION)
        try:
            self.connection.sendall(frame(SETTINGS, ACK, 0) + calls_without_message(PLACES))
            while self.stream.read(4096):
                pass
        except ConnectionError:
            pass
        self.assert_others_are_served()

    def test_places_without_a_message_are_given_back(self):
        """As many connections as it takes, each with all the calls that it may have; one more takes what they leave."""
        others = [self.connect() for _ in range(PLACES // PLACES_OF_A_CONNECTION)]
        for connection in others:
            connection.sendall(frame(SETTINGS, ACK, 0) + calls_without_message(PLACES_OF_A_CONNECTION))
        rest = iter(range(PLACES_OF_A_CONNECTION))

        def all_taken():
            self.connection.sendall(call_without_message(next(rest)))
            return not self.served()

        wait_until(all_taken, "all places to be taken")
        # The end of a call, by the ceiling.
        self.read_frame(HEADERS)
        wait_until(self.served, "a place")

    def served(self):
        try:
            self.assert_others_are_served()
            return True
        except grpc.RpcError as error:
            self.assertEqual(error.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
            return False

    def test_client_that_does_not_acknowledge_the_settings(self):
        """It is bound by them all the same: of what is too much each call is refused, or the connection ends for all of it."""
        try:
            self.connection.sendall(calls_without_message(PLACES))
            for _ in range(PLACES - PLACES_OF_A_CONNECTION):
                self.read_frame(RST_STREAM)
        except (ConnectionError, EOFError):
            pass
        self.assert_others_are_served()


class HealthTest(unittest.TestCase):
    """Nobody is asked who he is, so there is a bound for all together."""

    def test_watches_are_bounded(self):
        request = health_pb2.HealthCheckRequest()
        channels = [grpc.insecure_channel(stack.gateway_target, [("grpc.use_local_subchannel_pool", 1)]) for _ in range(3)]
        watches = []
        for channel in channels:
            self.addCleanup(channel.close)
            stub = health_pb2_grpc.HealthStub(channel)
            watches += [stub.Watch(request, timeout=10 * PATIENCE) for _ in range(PLACES_OF_A_CONNECTION)]
        wait_until(lambda: sum(watch.done() for watch in watches) >= len(watches) - HEALTH_WATCHES, "refusals")
        refused = [watch for watch in watches if watch.done()]
        self.assertEqual(len(watches) - len(refused), HEALTH_WATCHES)
        self.assertEqual({watch.code() for watch in refused}, {grpc.StatusCode.CANCELLED})
        with grpc.insecure_channel(stack.gateway_target, [("grpc.use_local_subchannel_pool", 1)]) as other:
            health_pb2_grpc.HealthStub(other).Check(request, timeout=PATIENCE)
        self.assertEqual(client.echo.Echo(rpc.echo.EchoRequest(payload=b"on"), timeout=PATIENCE).payload, b"ON")


if __name__ == "__main__":
    unittest.main()
