"""A service that is frozen, as by SIGSTOP, is missing from what the gateway lists and takes nothing else with it."""

import signal
import unittest

from tests.conformance.plain_client import connect
from tests.harness import rpc
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.processes import all_threads_are_stopped
from tests.harness.stack import Stack


class FrozenBackendTest(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.stop)
        for name in ("echo", "file"):
            self.stack.start_service(name)
        self.stack.start_gateway()
        self.client = rpc.client_of(self.stack)
        self.addCleanup(self.client.close)

    def freeze(self, name):
        process = self.stack.programs[name].process
        process.send_signal(signal.SIGSTOP)
        self.addCleanup(process.send_signal, signal.SIGCONT)
        wait_until(lambda: all_threads_are_stopped(process.pid), "the stop of every thread")

    def test_connections_of_the_others_are_listed(self):
        held = connect(self.stack.address("file", "tcp"))
        self.addCleanup(held.close)
        request = rpc.control.ListConnectionsRequest()

        def listed():
            rows = self.client.control.ListConnections(request, timeout=PATIENCE).connections
            return [row.service for row in rows]

        # The gateway's own is that of this client.
        wait_until(lambda: listed() == ["file", "gateway"], "both connections")
        self.freeze("echo")
        self.assertEqual(listed(), ["file", "gateway"])

    def test_it_is_listed_as_unreachable(self):
        self.freeze("echo")
        services = self.client.control.ListServices(rpc.control.ListServicesRequest(), timeout=PATIENCE).services
        self.assertEqual({service.name: service.state for service in services},
                         {"echo": rpc.control.SERVICE_STATE_UNREACHABLE, "file": rpc.control.SERVICE_STATE_RUNNING})


if __name__ == "__main__":
    unittest.main()
