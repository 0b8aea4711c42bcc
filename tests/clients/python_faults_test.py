"""Faults on purpose with clients/python."""

import datetime
import socket
import unittest

from tests.clients.both import classes_of
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.stack import Stack

# pylint: disable=wrong-import-order
import rawgate

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo", "--allow_faults")
    stack.start_gateway()
    with rawgate.connect(stack.gateway_target) as client:
        wait_until(lambda: client.services.get("echo").state == rawgate.ServiceState.RUNNING, "echo")


def first_byte():
    """What a raw client is answered; None when its connection is reset."""
    try:
        with socket.create_connection(stack.address("echo", "tcp"), PATIENCE) as client:
            client.sendall(b"x")
            return client.recv(1)
    except ConnectionError:
        return None


class FaultsCases:
    async def test_a_listener_that_misbehaves(self):
        client = self.connect(stack.gateway_target)
        delay = rawgate.StreamFaults(delay=datetime.timedelta(milliseconds=1), split_bytes=100)
        wrong = rawgate.Faults(seed=7, fail_first=1, stream_sent=delay)
        told = await client.services.set_faults("echo", wrong, listener="tcp")
        self.assertEqual(told.listener("tcp").faults, wrong)
        self.assertEqual([first_byte(), first_byte()], [None, b"X"])
        listener = (await client.services.get("echo")).listener("tcp")
        self.assertEqual((listener.faults, listener.fault_counters.failed_first), (wrong, 1))
        right = await client.services.set_faults("echo", None, listener="tcp")
        self.assertEqual((right.listener("tcp").faults, first_byte()), (None, b"X"))

    async def test_faults_that_do_not_fit(self):
        with self.assertRaises(rawgate.InvalidArgument) as raised:
            await self.connect(stack.gateway_target).services.set_faults(
                "echo", rawgate.Faults(datagrams_sent=rawgate.DatagramFaults(loss=2.0)), listener="udp")
        self.assertEqual(raised.exception.reason, "BAD_FAULTS")

    async def test_off_unless_allowed(self):
        own = Stack()
        self.addCleanup(own.stop)
        own.start_service("echo")
        own.start_gateway()
        with self.assertRaises(rawgate.FailedPrecondition) as raised:
            await self.connect(own.gateway_target).services.set_faults("echo", rawgate.Faults(fail_first=1), listener="tcp")
        self.assertEqual(raised.exception.reason, "FAULTS_NOT_ALLOWED")


globals().update(classes_of(FaultsCases))

if __name__ == "__main__":
    unittest.main()
