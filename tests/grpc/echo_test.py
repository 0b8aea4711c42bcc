"""EchoService through the gateway."""

import queue
import unittest

import grpc

from tests.harness import rpc
from tests.harness.stack import Stack

MEBIBYTE = 1 << 20

echo = rpc.echo
client = None


def setUpModule():
    global client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo")
    stack.start_gateway()
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


class EchoTest(unittest.TestCase):
    def test_upper_is_the_default(self):
        self.assertEqual(client.echo.Echo(echo.EchoRequest(payload=b"hello")).payload, b"HELLO")

    def test_transforms(self):
        for transform, expected in ((echo.TRANSFORM_UPPER, b"A\0\xff"), (echo.TRANSFORM_IDENTITY, b"a\0\xff")):
            request = echo.EchoRequest(payload=b"a\0\xff", transform=transform)
            self.assertEqual(client.echo.Echo(request).payload, expected)

    def test_empty(self):
        self.assertEqual(client.echo.Echo(echo.EchoRequest()).payload, b"")

    def test_largest_payload(self):
        payload = b"a" * MEBIBYTE
        self.assertEqual(client.echo.Echo(echo.EchoRequest(payload=payload)).payload, payload.upper())

    def test_larger_payload(self):
        request = echo.EchoRequest(payload=b"a" * (MEBIBYTE + 1))
        self.assertEqual(rpc.error_of(client.echo.Echo, request)[:2],
                         (grpc.StatusCode.INVALID_ARGUMENT, "PAYLOAD_TOO_LARGE"))

    def test_unknown_transform(self):
        request = echo.EchoRequest(payload=b"a", transform=99)
        self.assertEqual(rpc.error_of(client.echo.Echo, request)[:2],
                         (grpc.StatusCode.INVALID_ARGUMENT, "UNKNOWN_TRANSFORM"))


class ConverseTest(unittest.TestCase):
    def test_each_request_is_answered_in_order(self):
        requests = (echo.ConverseRequest(payload=b"message %d" % number) for number in range(500))
        answers = [answer.payload for answer in client.echo.Converse(requests, timeout=rpc.PATIENCE)]
        self.assertEqual(answers, [b"MESSAGE %d" % number for number in range(500)])

    def test_answer_comes_before_the_next_request(self):
        """A conversation, not a batch: the next word depends on the last answer."""
        to_say = queue.SimpleQueue()
        to_say.put(echo.ConverseRequest(payload=b"a"))
        heard = []
        for answer in client.echo.Converse(iter(to_say.get, None), timeout=rpc.PATIENCE):
            heard.append(answer.payload)
            finished = len(heard) == 10
            to_say.put(None if finished else echo.ConverseRequest(payload=answer.payload.lower() + b"a"))
        self.assertEqual(heard, [b"A" * length for length in range(1, 11)])

    def test_nothing_said(self):
        self.assertEqual(list(client.echo.Converse(iter(()), timeout=rpc.PATIENCE)), [])

    def test_error_ends_the_stream_after_the_good_answers(self):
        requests = iter([echo.ConverseRequest(payload=b"good"), echo.ConverseRequest(payload=b"x", transform=99)])
        answers = client.echo.Converse(requests, timeout=rpc.PATIENCE)
        self.assertEqual(next(answers).payload, b"GOOD")
        with self.assertRaises(grpc.RpcError) as raised:
            next(answers)
        self.assertEqual(rpc.reason_and_details(raised.exception)[0], "UNKNOWN_TRANSFORM")


if __name__ == "__main__":
    unittest.main()
