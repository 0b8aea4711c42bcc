"""A service that has no descriptor left neither dies nor spins; those who wait are served once there are some again."""

import resource
import select
import unittest

from tests.conformance.file_client import packed_request
from tests.conformance.plain_client import connect, receive_exactly
from tests.harness.deadlines import wait_until
from tests.harness.stack import Stack

# Beyond what the service has open when it starts.
SPARE = 40
CLIENTS = 100
ROUNDS = 2

# How long the blocked service is looked at, and the share of a core it may use meanwhile; one that spins uses it all.
WINDOW_SECONDS = 1
CPU_SHARE = 0.2


class ExhaustionTest(unittest.TestCase):
    def start(self, service):
        self.stack = Stack()
        self.addCleanup(self.stack.stop)
        self.service = self.stack.start_service(service)
        self.limit = self.service.descriptor_count() + SPARE
        resource.prlimit(self.service.pid, resource.RLIMIT_NOFILE, (self.limit, self.limit))

    def test_echo(self):
        self.start("echo")
        for _ in range(ROUNDS):
            self.exhaust_and_free("tcp", b"x")

    def test_file(self):
        self.start("file")
        for _ in range(ROUNDS):
            self.exhaust_and_free("tcp", packed_request({"op": "list"}))

    def test_exec(self):
        """The commands need descriptors too. While there are none, an accepted client gets some answer all the same."""
        self.start("exec")
        for _ in range(ROUNDS):
            self.exhaust_and_free("raw", b"echo hello\n")
        with connect(self.stack.address("exec", "raw")) as client:
            client.sendall(b"echo hello\n")
            self.assertEqual(receive_exactly(client, 6), b"hello\n")

    def exhaust_and_free(self, listener, request):
        """Fills the service up, watches it while it is full, makes room, and sees that everybody is served."""
        clients = [connect(self.stack.address(self.service.name, listener)) for _ in range(CLIENTS)]
        wait_until(lambda: self.service.descriptor_count() >= self.limit - 2, "exhaustion")
        for client in clients:
            client.sendall(request)
        served = self.answered(clients)
        waiting = [client for client in clients if client not in served]
        self.assertTrue(served)
        self.assertTrue(waiting)
        self.assert_alive_and_calm(waiting)
        for client in served:
            client.close()
        for client in waiting:
            with client:
                self.assertTrue(client.recv(1), "closed unanswered")

    def answered(self, clients):
        """Those who have an answer or were closed, once there are no more of them for a while."""
        readable = []
        while len(now := select.select(clients, [], [], WINDOW_SECONDS)[0]) > len(readable):
            readable = now
            select.select([client for client in clients if client not in readable], [], [], WINDOW_SECONDS)
        return readable

    def assert_alive_and_calm(self, waiting):
        before = self.service.cpu_seconds()
        readable, _, _ = select.select(waiting, [], [], WINDOW_SECONDS)
        self.assertEqual(readable, [], "somebody was served without a descriptor")
        self.assertLess(self.service.cpu_seconds() - before, CPU_SHARE * WINDOW_SECONDS, "it spins")
        self.assertTrue(self.service.alive())


if __name__ == "__main__":
    unittest.main()
