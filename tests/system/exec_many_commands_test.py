"""Ten thousand commands one after another, and two hundred at once: each has its own outcome, and nothing piles up."""

import os
import unittest

from tests.conformance.exec_client import receive_reply
from tests.conformance.plain_client import connect, vanish
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.processes import descendants_of
from tests.harness.stack import Stack

IN_A_ROW = 10_000
# More than may run at once, so that most of them wait for their turn.
AT_ONCE = 200


class ManyCommandsTest(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.stop)
        self.service = self.stack.start_service("exec")

    def connect(self):
        client = connect(self.stack.address("exec", "header"))
        self.addCleanup(client.close)
        return client

    def test_one_after_another_on_one_connection(self):
        client = self.connect()
        self.start_idle_launchers()
        processes, descriptors = descendants_of(self.service.pid), self.service.descriptor_count()
        for number in range(IN_A_ROW):
            client.sendall(b"exit %d\n" % (number % 256))
            header, body = receive_reply(client)
            self.assertEqual((header["exit_code"], body), (number % 256, b""))
        self.assertEqual(sorted(descendants_of(self.service.pid)), sorted(processes))
        wait_until(lambda: self.service.descriptor_count() <= descriptors, "every descriptor closed")

    def start_idle_launchers(self):
        """The two that a service keeps: a command that is told before its launcher is free leaves another to the next."""
        meeting = self.stack.scratch / "meeting"
        os.mkfifo(meeting)
        meeting.chmod(0o666)
        clients = [self.connect(), self.connect()]
        for client, command in zip(clients, (b"read word < %s\n", b"echo word > %s\n")):
            client.sendall(command % bytes(meeting))
        for client in clients:
            self.assertEqual(receive_reply(client)[0]["exit_code"], 0)
            vanish(client)
        wait_until(lambda: len(descendants_of(self.service.pid)) == 2, "two launchers that have nothing to do")

    def test_at_once_on_as_many_connections(self):
        clients = [self.connect() for _ in range(AT_ONCE)]
        for number, client in enumerate(clients):
            client.sendall(self.command(number).encode() + b"\n")
        for number, client in enumerate(clients):
            header, body = receive_reply(client)
            self.assertEqual((header["exit_code"], body), self.expected(number))

    def test_at_once_in_as_many_calls(self):
        self.stack.start_gateway()
        client = rpc.client_of(self.stack)
        self.addCleanup(client.close)
        requests = [rpc.exec_.RunRequest(shell_command=self.command(number)) for number in range(AT_ONCE)]
        calls = [client.exec.Run(request, timeout=rpc.PATIENCE) for request in requests]
        for number, call in enumerate(calls):
            events = list(call)
            output = b"".join(event.output.data for event in events[1:-1])
            self.assertEqual((events[-1].outcome.exited.code, output), self.expected(number))

    def command(self, number):
        return f"echo command {number}; exit {number}"

    def expected(self, number):
        return number, b"command %d\n" % number


if __name__ == "__main__":
    unittest.main()
