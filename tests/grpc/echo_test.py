"""EchoService through the gateway."""

import itertools
import queue
import threading
import unittest

import grpc

from tests.harness import rpc
from tests.harness.deadlines import wait_until
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

    def test_each_request_has_its_own_transform(self):
        turns = ((echo.TRANSFORM_UPPER, b"A\0\xff"), (echo.TRANSFORM_IDENTITY, b"a\0\xff"),
                 (echo.TRANSFORM_UNSPECIFIED, b"A\0\xff"), (echo.TRANSFORM_IDENTITY, b"a\0\xff"))
        requests = (echo.ConverseRequest(payload=b"a\0\xff", transform=transform) for transform, _ in turns)
        answers = [answer.payload for answer in client.echo.Converse(requests, timeout=rpc.PATIENCE)]
        self.assertEqual(answers, [expected for _, expected in turns])

    def test_empty_and_largest_payload(self):
        payloads = [b"", b"a" * MEBIBYTE, b"", b"b" * MEBIBYTE]
        requests = (echo.ConverseRequest(payload=payload) for payload in payloads)
        answers = [answer.payload for answer in client.echo.Converse(requests, timeout=rpc.PATIENCE)]
        self.assertTrue(answers == [payload.upper() for payload in payloads], [len(answer) for answer in answers])

    def test_larger_payload_ends_the_stream(self):
        requests = iter([echo.ConverseRequest(payload=b"good"), echo.ConverseRequest(payload=b"a" * (MEBIBYTE + 1)),
                         echo.ConverseRequest(payload=b"never heard")])
        answers = client.echo.Converse(requests, timeout=rpc.PATIENCE)
        self.assertEqual(next(answers).payload, b"GOOD")
        with self.assertRaises(grpc.RpcError) as raised:
            next(answers)
        reason, details = rpc.reason_and_details(raised.exception)
        self.assertEqual((raised.exception.code(), reason), (grpc.StatusCode.INVALID_ARGUMENT, "PAYLOAD_TOO_LARGE"))
        self.assertEqual(details["google.rpc.BadRequest"].field_violations[0].field, "payload")

    def test_half_close_ends_it_well_after_the_last_answer(self):
        answers = client.echo.Converse(iter([echo.ConverseRequest(payload=b"last")]), timeout=rpc.PATIENCE)
        self.assertEqual([answer.payload for answer in answers], [b"LAST"])
        self.assertEqual(answers.code(), grpc.StatusCode.OK)

    def test_it_is_counted_as_one_request_with_its_bytes(self):
        before = client.service("echo").counters
        requests = (echo.ConverseRequest(payload=b"x" * size) for size in (1, 10, 100))
        self.assertEqual(len(list(client.echo.Converse(requests, timeout=rpc.PATIENCE))), 3)
        after = client.service("echo").counters
        self.assertEqual((after.requests - before.requests, after.request_errors - before.request_errors,
                          after.bytes_received - before.bytes_received, after.bytes_sent - before.bytes_sent),
                         (1, 0, 111, 111))

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


def calls_in_progress():
    request = rpc.control.ListConnectionsRequest(service="echo")
    return [row for row in client.control.ListConnections(request, timeout=rpc.PATIENCE).connections
            if row.listener == "rpc"]


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

    def test_stopped_service_begins_none(self):
        self.addCleanup(client.start, "echo")
        client.stop("echo")
        answers = client.echo.Converse(iter([echo.ConverseRequest(payload=b"a")]), timeout=rpc.PATIENCE)
        self.assertEqual(self.end_of(answers)[:2], (grpc.StatusCode.FAILED_PRECONDITION, "SERVICE_STOPPED"))

    def test_conversation_may_go_on_within_the_grace(self):
        self.addCleanup(client.start, "echo")
        to_say = queue.SimpleQueue()
        to_say.put(echo.ConverseRequest(payload=b"a"))
        answers = client.echo.Converse(iter(to_say.get, None), timeout=rpc.PATIENCE)
        self.assertEqual(next(answers).payload, b"A")
        stopper = threading.Thread(target=client.stop, args=("echo",), kwargs={"grace_ms": 600_000})
        stopper.start()
        wait_until(lambda: client.service("echo").state == rpc.control.SERVICE_STATE_DRAINING, "the drain")
        to_say.put(echo.ConverseRequest(payload=b"still here"))
        self.assertEqual(next(answers).payload, b"STILL HERE")
        to_say.put(None)
        self.assertEqual(list(answers), [])
        self.assertEqual(answers.code(), grpc.StatusCode.OK)
        stopper.join()
        self.assertEqual(client.service("echo").state, rpc.control.SERVICE_STATE_STOPPED)

    def test_stop_ends_one_whose_client_does_not_read(self):
        self.addCleanup(client.start, "echo")
        flood = itertools.repeat(echo.ConverseRequest(payload=b"a" * MEBIBYTE))
        answers = client.echo.Converse(flood, timeout=rpc.PATIENCE)
        self.addCleanup(answers.cancel)
        wait_until(lambda: [row for row in calls_in_progress() if row.bytes_sent > 0], "a first answer")
        self.assertEqual(client.stop("echo", grace_ms=0).state, rpc.control.SERVICE_STATE_STOPPED)
        self.assertEqual(calls_in_progress(), [])

    def test_client_cancels(self):
        answers = self.start(client)
        self.assertEqual(len(calls_in_progress()), 1)
        before = client.service("echo").counters.request_errors
        answers.cancel()
        wait_until(lambda: not calls_in_progress(), "the end of the call")
        self.assertEqual(client.service("echo").counters.request_errors, before + 1)

    def test_deadline_passes(self):
        to_say = queue.SimpleQueue()
        self.addCleanup(to_say.put, None)
        answers = client.echo.Converse(iter(to_say.get, None), timeout=0.2)
        with self.assertRaises(grpc.RpcError) as raised:
            next(answers)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        wait_until(lambda: not calls_in_progress(), "the end of the call")

    def test_operator_closes_the_call(self):
        answers = self.start(client)
        rows = calls_in_progress()
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
