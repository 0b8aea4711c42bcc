"""Somebody whose call must go on, whatever others do to the same gateway."""

import threading
import unittest

import grpc

from tests.harness import rpc
from tests.harness.deadlines import PATIENCE


class Conversation:
    """A call of EchoService.Converse in progress, until close()."""

    def __init__(self, client):
        self._word = threading.Semaphore(0)
        self._answers = client.echo.Converse(self._words(), timeout=PATIENCE)
        self.go_on()

    def _words(self):
        while self._word.acquire(timeout=PATIENCE):
            yield rpc.echo.ConverseRequest(payload=b"x")

    def go_on(self):
        """Says another word; AssertionError unless it is answered."""
        self._word.release()
        try:
            answer = next(self._answers)
        except grpc.RpcError as error:
            raise AssertionError(f"the conversation has ended: {error.code()}, {error.details()}") from error
        if answer.payload != b"X":
            raise AssertionError(answer)

    def close(self):
        self._answers.cancel()
        self._word.release()


class BystanderTest(unittest.TestCase):
    """Each test has conversations by its side, through the gateway of `bystander_client()`: one over each of its
    connections to the service, which all of its clients share."""

    # Of the gateway to a replica (gateway/forwarder.cc), which streams take by turns.
    CONNECTIONS = 4

    def bystander_client(self):
        raise NotImplementedError

    def setUp(self):
        self.conversations = []
        for _ in range(self.CONNECTIONS):
            self.conversations.append(Conversation(self.bystander_client()))
            self.addCleanup(self.conversations[-1].close)

    def assert_conversations_go_on(self):
        for conversation in self.conversations:
            conversation.go_on()
