"""SIGTERM to a service that has work in progress: the work ends well, and whoever comes is told to try again."""

import signal
import unittest

import grpc

from tests.conformance.plain_client import connect, receive_exactly, receive_size, refuses
from tests.harness import rpc
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.stack import Stack


class ProcessDrainTest(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.stop)
        self.exec = self.stack.start_service("exec", "--grace=1h")
        self.stack.start_gateway()
        self.client = rpc.Client(self.exec.rpc_target)
        self.addCleanup(self.client.close)
        self.through_gateway = rpc.client_of(self.stack)
        self.addCleanup(self.through_gateway.close)
        self.gate, started = self.stack.scratch / "gate", self.stack.scratch / "started"
        self.raw = connect(self.exec.address("sized"))
        self.addCleanup(self.raw.close)
        self.raw.sendall(b"touch %s; until [ -e %s ]; do sleep 0.01; done; echo done\n" % (bytes(started), bytes(self.gate)))
        wait_until(started.exists, "the start of the command")
        self.exec.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses(self.exec.address("sized")), "refusal of new clients")

    def tearDown(self):
        self.gate.touch()
        self.assertEqual(receive_exactly(self.raw, receive_size(self.raw)), b"done\n")
        self.stack.programs.pop("exec").expect_exit(0)

    def assert_draining(self, call, request):
        code, reason, details = rpc.error_of(call, request, timeout=PATIENCE)
        self.assertEqual((code, reason), (grpc.StatusCode.UNAVAILABLE, "DRAINING"))
        self.assertIn("google.rpc.RetryInfo", details)

    def await_draining(self):
        wait_until(lambda: self.through_gateway.service("exec").state == rpc.control.SERVICE_STATE_DRAINING, "DRAINING")

    def test_new_calls_are_told_to_try_again(self):
        self.await_draining()
        for client in (self.client, self.through_gateway):
            self.assert_draining(client.exec.Run, rpc.exec_.RunRequest(shell_command="true"))

    def test_nobody_starts_or_stops_what_is_being_left(self):
        for client in (self.client, self.through_gateway):
            self.assert_draining(client.control.StartService, rpc.control.StartServiceRequest(service="exec"))
            self.assert_draining(client.control.StopService, rpc.control.StopServiceRequest(service="exec"))

    def test_the_gateway_says_that_it_drains(self):
        self.await_draining()


if __name__ == "__main__":
    unittest.main()
