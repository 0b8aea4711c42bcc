"""`rawgate chat` goes on when the service or the gateway was away."""

import contextlib
import unittest

from tests.harness import rpc
from tests.harness.chat_desk import rows_on_disk
from tests.harness.deadlines import wait_until
from tests.system.chat_terminal_test import ChatTerminalTest


class ChatRestartTest(ChatTerminalTest):
    def restarted(self, name):
        visitor = self.visitor()
        visitor.send(b"before")
        chat = self.chat()
        before = self.answers_on_disk()
        chat.keys("yes\r")
        chat.await_row("> ann                  yes")
        # Until then its call has not ended, and is made again: whoever was told may be told twice.
        wait_until(lambda: self.answers_on_disk() > before, "the answer on disk")
        self.stack.programs[name].kill()
        chat.await_row("-- connection lost: ")
        chat.keys("draft")
        if name == "gateway":
            visitor.send(b"meanwhile")
        self.stack.programs[name].start()
        chat.await_row("-- connected again")
        visitor.send("之后".encode())
        chat.await_row("之后")
        chat.keys(" 见\r")
        chat.await_row("> ann                  draft 见")
        self.assert_told(chat, "  meanwhile", times=int(name == "gateway"))
        for part in ("  before", "  yes", "  draft 见", "之后", "connection lost"):
            self.assert_told(chat, part)
        self.assertEqual([visitor.recv(100) for _ in range(2)], [b"yes", "draft 见".encode()])

    def answers_on_disk(self):
        return len(rows_on_disk(self.stack, "SELECT number FROM message WHERE body = x'796573'"))  # "yes"

    def test_of_the_service(self):
        self.restarted("chat")

    def test_of_the_gateway(self):
        self.restarted("gateway")

    def test_stopped_by_an_operator(self):
        chat = self.chat()
        with contextlib.closing(rpc.client_of(self.stack)) as client:
            client.stop("chat")
            chat.await_row("-- connection lost: ")
            client.start("chat")
        chat.await_row("-- connected again")


if __name__ == "__main__":
    unittest.main()
