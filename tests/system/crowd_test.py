"""2,000 idle connections and 500 that say one byte a second, beside clients that want to be served: all of them are."""

import concurrent.futures
import resource
import threading
import unittest

from tests.conformance.plain_client import connect, receive_exactly
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.stack import Stack

IDLE = 2000
SLOW = 500
GOOD = 16

stack = None
client = None


def setUpModule():
    global stack, client
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo")
    stack.start_gateway()
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


class SlowClients:
    """Connections that each send a byte a second."""

    def __init__(self, address, count):
        self.clients = [connect(address) for _ in range(count)]
        self.sent = 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stopping.wait(1):
            for client in self.clients:
                client.send(b"s")
            self.sent += 1

    def stop(self):
        self.stopping.set()
        self.thread.join()


class CrowdTest(unittest.TestCase):
    def test_good_clients_are_served_in_a_crowd(self):
        address = stack.address("echo", "tcp")
        idle = [connect(address) for _ in range(IDLE)]
        slow = SlowClients(address, SLOW)
        self.addCleanup(slow.stop)
        with concurrent.futures.ThreadPoolExecutor(GOOD) as pool:
            counts = list(pool.map(lambda number: self.converse_until(address, number, slow), range(GOOD)))
        slow.stop()
        self.assertTrue(all(counts))
        self.assertGreaterEqual(client.listener("echo", "tcp").counters.connections_open, IDLE + SLOW)
        self.assert_slow_clients_were_served(slow)
        self.assert_idle_clients_can_speak(idle)

    def converse_until(self, address, number, slow):
        """New connections of ten exchanges, one after another, until every slow client has sent three bytes."""
        conversations = 0
        while slow.sent < 3:
            with connect(address) as raw:
                for turn in range(10):
                    text = b"client %d, turn %d" % (number, turn)
                    raw.sendall(text)
                    self.assertEqual(receive_exactly(raw, len(text)), text.upper())
            conversations += 1
        return conversations

    def assert_slow_clients_were_served(self, slow):
        for raw in slow.clients:
            with raw:
                self.assertEqual(receive_exactly(raw, slow.sent), b"S" * slow.sent)

    def assert_idle_clients_can_speak(self, idle):
        for raw in idle:
            raw.sendall(b"awake")
        for raw in idle:
            with raw:
                self.assertEqual(receive_exactly(raw, 5), b"AWAKE")
        wait_until(lambda: client.listener("echo", "tcp").counters.connections_open == 0, "the end of the crowd")


if __name__ == "__main__":
    unittest.main()
