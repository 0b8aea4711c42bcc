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

    def test_malformed_message_is_an_error(self):
        raw = client.channel.stream_stream("/rawgate.echo.v1.EchoService/Converse",
                                           response_deserializer=echo.ConverseResponse.FromString)
        good = echo.ConverseRequest(payload=b"good").SerializeToString()
        answers = raw(iter([good, b"\x0a\x7fcut short"]), timeout=rpc.PATIENCE)
        self.assertEqual(next(answers).payload, b"GOOD")
        with self.assertRaises(grpc.RpcError) as raised:
            next(answers)
        self.assertEqual((raised.exception.code(), rpc.reason_and_details(raised.exception)[0]),
                         (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_MESSAGE"))


class EndedByOthersTest(unittest.TestCase):
    def start(self, by):
        """A conversation that its client never ends."""
        to_say = queue.SimpleQueue()
        self.addCleanup(to_say.put, None)
        to_say.put(echo.ConverseRequest(payload=b"a"))
        answers = by.echo.Converse(iter(to_say.get, None), timeout=rpc.PATIENCE)
        self.assertEqual(next(answers).payload, b"A")
        return answers

    def end_of(self, answers):
        with self.assertRaises(grpc.RpcError) as raised:
            next(answers)
        return raised.exception.code(), *rpc.reason_and_details(raised.exception)

    def test_stopped_service(self):
        self.addCleanup(client.start, "echo")
        answers = self.start(client)
        client.stop("echo", grace_ms=0)
        self.assertEqual(self.end_of(answers)[:2], (grpc.StatusCode.FAILED_PRECONDITION, "SERVICE_STOPPED"))

    def test_operator_closes_the_call(self):
        answers = self.start(client)
        request = rpc.control.ListConnectionsRequest(service="echo")
        rows = [row for row in client.control.ListConnections(request).connections if row.listener == "rpc"]
        self.assertEqual(len(rows), 1)
        client.control.CloseConnection(rpc.control.CloseConnectionRequest(service="echo", connection_id=rows[0].id))
        self.assertEqual(self.end_of(answers)[:2], (grpc.StatusCode.CANCELLED, "CLOSED_BY_OPERATOR"))

    def test_process_goes(self):
        other = Stack()
        direct = rpc.Client(other.start_service("echo", "--grace=0s").rpc_target)
        self.addCleanup(direct.close)
        answers = self.start(direct)
        other.stop()
        code, reason, details = self.end_of(answers)
        self.assertEqual((code, reason), (grpc.StatusCode.UNAVAILABLE, "DRAINING"))
        self.assertEqual(details["google.rpc.RetryInfo"].retry_delay.seconds, 1)


if __name__ == "__main__":
    unittest.main()
