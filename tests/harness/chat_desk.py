"""A chat desk that can be ended and started again, for tests of what it remembers."""

import signal
import subprocess
import unittest

from tests.conformance.plain_client import datagram_socket
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.stack import Stack

chat = rpc.chat


def session_of(visitor):
    host, port = visitor.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def rows_on_disk(stack, query):
    """Of the history, each a tuple of numbers: read from a copy, as the files are locked."""
    copy = stack.directory / "copy"
    subprocess.run(["rm", "-rf", copy], check=True)
    subprocess.run(["cp", "-r", stack.chat_history, copy], check=True)
    script = ("import sqlite3, sys\n"
              "for row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]):\n"
              "    print(*row)\n")
    found = subprocess.run(["/usr/bin/python3", "-c", script, copy / "history.sqlite3", query], capture_output=True, check=False)
    return [tuple(map(int, line.split())) for line in found.stdout.splitlines()]


class DeskTest(unittest.TestCase):
    """On ports of its own, with a gateway, that can be ended and started again."""

    def setUp(self):
        self.stack = Stack(stable_ports=True)
        self.addCleanup(self.stack.stop)
        self.service = self.stack.start_service("chat")
        self.stack.start_gateway()
        self.client = rpc.client_of(self.stack)
        self.addCleanup(self.client.close)
        self.visitor = self.new_visitor("udp")
        self.session = session_of(self.visitor)
        self.instance = self.client.service("chat").instance

    def new_visitor(self, listener):
        visitor = datagram_socket(self.stack.address("chat", listener))
        self.addCleanup(visitor.close)
        return visitor

    def start_again(self, *flags):
        """On the same ports, as whoever wrote expects."""
        addresses = [f"{entry['name'].split('-')[0]}={entry['address']}" for entry in self.service.ready["listeners"]]
        self.service = self.stack.start_service("chat", *flags, listeners=addresses, rpc=self.service.ready["rpc"])
        wait_until(self.next_one_runs, "the next desk")

    def next_one_runs(self):
        described = self.client.service("chat")
        if described.state != rpc.control.SERVICE_STATE_RUNNING or described.instance == self.instance:
            return False
        self.instance = described.instance
        return True

    def kill(self):
        self.service.process.send_signal(signal.SIGKILL)
        self.service.expect_exit(-signal.SIGKILL)

    def stop(self):
        self.service.stop()

    def messages(self):
        request = chat.ListMessagesRequest(page_size=1000)
        return list(self.client.chat.ListMessages(request, timeout=rpc.PATIENCE).messages)

    def sessions(self):
        request = chat.ListSessionsRequest(page_size=1000)
        return list(self.client.chat.ListSessions(request, timeout=rpc.PATIENCE).sessions)

    def unseen(self):
        return [session.messages_unseen for session in self.sessions()]

    def say(self, *bodies, visitor=None):
        """As datagrams, and waits until the desk has them."""
        for body in bodies:
            known = len(self.messages())
            (visitor or self.visitor).send(body)
            wait_until(lambda expected=known + 1: len(self.messages()) >= expected, "the message")

    def send(self, body=b"answer", **fields):
        fields = fields if "all_sessions" in fields else {"session_id": self.session, **fields}
        request = chat.SendMessageRequest(body=body, operator_name="Ada", **fields)
        return self.client.chat.SendMessage(request, timeout=rpc.PATIENCE)

    def watch(self, **fields):
        call = self.client.chat.WatchMessages(chat.WatchMessagesRequest(**fields), timeout=rpc.PATIENCE)
        self.addCleanup(call.cancel)
        return call

    def replay(self, **fields):
        """All that is kept, as it is shown to an operator, who then leaves."""
        watch = self.watch(**fields)
        bodies = [update.message.body for update in iter(lambda: next(watch), chat.WatchMessagesResponse(caught_up=True))]
        watch.cancel()
        wait_until(lambda: not self.watches(), "the operator's leave")
        return bodies

    def watches(self):
        request = rpc.control.ListConnectionsRequest(service="chat")
        rows = self.client.control.ListConnections(request, timeout=rpc.PATIENCE).connections
        return [row for row in rows if row.listener == "rpc"]

    def on_disk(self):
        """The messages that a process that began now would find: (number, shown)."""
        return rows_on_disk(self.stack, "SELECT number, shown FROM message ORDER BY number")

    def wait_until_written(self):
        numbers = [message.number for message in self.messages()]
        wait_until(lambda: [number for number, _ in self.on_disk()] == numbers, "all messages on disk")
