"""The gateway's front door: descriptors that run out, thousands of connections, bounds, and ends that are noticed."""

import resource
import socket
import tempfile
import unittest

from tests.harness import rpc
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.raw_http2 import RawHttp2
from tests.harness.stack import Stack

# Beyond what the gateway has open when it starts.
SPARE = 40
CLIENTS = 100
# Of the descriptors, what clients leave to everything else.
SHARE_FOR_OTHERS = 4
ROUNDS = 20
CROWD = 3_000
CONNECTIONS_MAX = 20

# How long the blocked gateway is looked at, and the share of a core it may use meanwhile; one that spins uses it all.
CPU_SHARE = 0.2
WINDOW_SECONDS = 1


class DoorTest(unittest.TestCase):
    def start(self, *flags):
        self.stack = Stack()
        self.addCleanup(self.stack.stop)
        self.stack.start_service("echo")
        self.gateway = self.stack.start_gateway(*flags)
        self.client = rpc.client_of(self.stack)
        self.addCleanup(self.client.close)
        # The way to the service is made with the first call.
        self.assertEqual(self.client.echo.Echo(rpc.echo.EchoRequest(payload=b"x"), timeout=PATIENCE).payload, b"X")
        self.idle_descriptors = self.gateway.descriptor_count()

    def connect(self):
        connection = RawHttp2(self.gateway.address("grpc"))
        self.addCleanup(connection.socket.close)
        return connection

    def assert_served(self, connection, stream=1):
        connection.send(connection.call(stream))
        self.assertEqual(connection.read_answer(stream)["grpc-status"], "0")

    def wait_for_ends(self):
        wait_until(lambda: self.gateway.descriptor_count() <= self.idle_descriptors, "descriptors of ended connections")


class DescriptorTest(DoorTest):
    """gRPC's own loop, for one, never accepts again. Who was waiting is served once there are some."""

    def setUp(self):
        self.start()
        self.hard_limit = resource.prlimit(self.gateway.pid, resource.RLIMIT_NOFILE)[1]

    def limit_descriptors(self, limit):
        resource.prlimit(self.gateway.pid, resource.RLIMIT_NOFILE, (limit, self.hard_limit))

    def test_clients_that_take_all(self):
        limit = self.idle_descriptors + SPARE
        self.limit_descriptors(limit)
        for number in range(ROUNDS):
            with self.subTest(round=number):
                clients = [self.connect() for _ in range(CLIENTS)]
                wait_until(lambda: self.gateway.descriptor_count() >= limit - limit // SHARE_FOR_OTHERS - 1, "exhaustion")
                if number == 0:
                    self.assert_calm()
                    self.assert_others_have_some(limit)
                for client in clients:
                    self.assert_served(client)
                    client.socket.close()
                self.wait_for_ends()

    def test_none_at_all(self):
        for number in range(ROUNDS):
            with self.subTest(round=number):
                self.limit_descriptors(self.idle_descriptors - 1)
                clients = [self.connect() for _ in range(CLIENTS)]
                if number == 0:
                    self.assert_calm()
                self.assertLessEqual(self.gateway.descriptor_count(), self.idle_descriptors)
                # Connected before.
                self.assertEqual(self.client.echo.Echo(rpc.echo.EchoRequest(payload=b"x"), timeout=PATIENCE).payload, b"X")
                self.limit_descriptors(self.hard_limit)
                for client in clients:
                    self.assert_served(client)
                    client.socket.close()
                self.wait_for_ends()

    def assert_others_have_some(self, limit):
        """Clients do not keep the gateway from a service that comes back."""
        self.stack.programs["echo"].kill()
        address = self.stack.programs["echo"].ready["rpc"]
        self.assertLess(self.gateway.descriptor_count(), limit)
        self.stack.start_service("echo", rpc=address)

        def served():
            try:
                return self.client.echo.Echo(rpc.echo.EchoRequest(payload=b"x"), timeout=PATIENCE).payload == b"X"
            except rpc.grpc.RpcError as error:
                self.assertEqual(error.code(), rpc.grpc.StatusCode.UNAVAILABLE)
                return False

        wait_until(served, "the service behind a gateway full of clients")

    def assert_calm(self):
        before = self.gateway.cpu_seconds()
        with socket.socket() as never:
            never.settimeout(WINDOW_SECONDS)
            never.bind(("127.0.0.1", 0))
            never.listen()
            with self.assertRaises(TimeoutError):
                never.accept()
        self.assertLess(self.gateway.cpu_seconds() - before, CPU_SHARE * WINDOW_SECONDS, "it spins")
        self.assertTrue(self.gateway.alive())


class CrowdTest(DoorTest):
    def test_thousands(self):
        self.start()
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        crowd = [self.connect() for _ in range(CROWD)]
        for connection in crowd:
            self.assert_served(connection)
        for connection in crowd:
            connection.socket.close()
        self.wait_for_ends()

    def test_those_beyond_the_limit_wait(self):
        # One is the client's own.
        self.start(f"--connections_max={CONNECTIONS_MAX + 1}")
        served = [self.connect() for _ in range(CONNECTIONS_MAX)]
        for connection in served:
            self.assert_served(connection)
        waiting = self.connect()
        waiting.send(waiting.call(1))
        waiting.socket.settimeout(WINDOW_SECONDS)
        with self.assertRaises(TimeoutError):
            waiting.read_answer(1)
        waiting.socket.settimeout(PATIENCE)
        served[0].socket.close()
        self.assertEqual(waiting.read_answer(1)["grpc-status"], "0")

    def test_unix(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/door"
            self.start(f"--listen=grpc=tcp://127.0.0.1:0,local=unix://{path}")
            with rpc.grpc.insecure_channel(f"unix:{path}") as channel:
                stub = rpc.echo_service_pb2_grpc.EchoServiceStub(channel)
                self.assertEqual(stub.Echo(rpc.echo.EchoRequest(payload=b"x"), timeout=PATIENCE).payload, b"X")
            with socket.socket(socket.AF_UNIX) as named:
                # What a client calls itself must not matter.
                named.bind("\0\xff \n/?%")
                named.settimeout(PATIENCE)
                named.connect(path)
                named.sendall(b"GET / HTTP/1.1\r\n\r\n")
                while named.recv(4096):
                    pass
            self.wait_for_ends()

    def test_clients_that_vanish_before_a_word(self):
        self.start()
        for _ in range(CROWD):
            socket.create_connection(self.gateway.address("grpc"), timeout=PATIENCE).close()
        self.assert_served(self.connect())
        wait_until(lambda: self.gateway.descriptor_count() <= self.idle_descriptors + 2, "descriptors of those that vanished")


if __name__ == "__main__":
    unittest.main()
