"""HTTP/2 as no gRPC client speaks it, at the front door: the process lives, what it holds is bounded, and others are
served. Among it what is known against libraries of HTTP/2, and against gRPC's in particular (docs/security.md)."""

import itertools
import random
import unittest

import grpc
from hyperframe import frame as frames

from tests.harness import rpc
from tests.harness.bystander import BystanderTest
from tests.harness.deadlines import PATIENCE
from tests.harness.processes import peak_memory
from tests.harness.raw_http2 import (CANCEL, EMPTY_MESSAGE, PREFACE, RawHttp2, literal, raw_frame, request)
from tests.harness.stack import Stack

MEBIBYTE = 1 << 20
# What each attack sends unless it is stopped, and what the process may grow by at most, over all of them.
FLOOD = 256 * MEBIBYTE
GROWTH_MAX = 160 * MEBIBYTE
FRAME_MAX = 16_384
HEADERS, SETTINGS, PUSH_PROMISE, CONTINUATION = 1, 4, 5, 9
GARBAGE_SEEDS = 200
# Within the window that every connection begins with.
HELD_ANSWER = 60_000
HOLDERS = 200

stack = None
client = None
memory_at_start = None


def setUpModule():
    global stack, client, memory_at_start
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo")
    stack.start_gateway("--header_timeout=2s", "--unary_ceiling=2s")
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)
    memory_at_start = peak_memory(stack.programs["gateway"].pid)


class HostileTest(BystanderTest):
    def bystander_client(self):
        return client

    def tearDown(self):
        self.assertTrue(stack.programs["gateway"].alive())
        self.assert_conversations_go_on()
        self.assertEqual(client.echo.Echo(rpc.echo.EchoRequest(payload=b"on"), timeout=PATIENCE).payload, b"ON")
        self.assertLess(peak_memory(stack.programs["gateway"].pid) - memory_at_start, GROWTH_MAX)

    def connect(self, **options):
        connection = RawHttp2(stack.programs["gateway"].address("grpc"), **options)
        self.addCleanup(connection.socket.close)
        return connection


class FloodTest(HostileTest):
    def begin_headers(self):
        connection = self.connect()
        connection.send(frames.HeadersFrame(1, connection.encoder.encode(request())))
        return connection

    def test_header_block_without_end(self):
        """CVE-2024-28182, and CVE-2023-33953: what one frame brings is bounded, but not how many there are."""
        for field in (literal(b"x-padding", b"v" * 7_000), literal(b"x", b"") * 200, b""):
            with self.subTest(size=len(field)):
                self.assertTrue(self.begin_headers().flood(raw_frame(CONTINUATION, 0, 1, field) * 16, FLOOD))

    def test_header_field_without_end(self):
        """CVE-2023-33953: what has come of it is copied again with each frame."""
        for beginning, rest in ((b"\0\x01x\x7f\x81\xff\xff\xff\x03", b"v"), (b"\xff\x80\x80\x80\x80\x80", b"\x80")):
            with self.subTest(rest=rest):
                connection = self.begin_headers()
                connection.send(raw_frame(CONTINUATION, 0, 1, beginning))
                self.assertTrue(connection.flood(raw_frame(CONTINUATION, 0, 1, rest * FRAME_MAX), FLOOD))

    def test_calls_taken_back_at_once(self):
        """CVE-2023-44487."""
        connection = self.connect()
        streams = itertools.count(1, 2)

        def calls():
            return b"".join(connection.headers(stream, request()).serialize()
                            + frames.RstStreamFrame(stream, CANCEL).serialize()
                            for stream in itertools.islice(streams, 100))

        self.assertTrue(connection.flood(calls, 100_000 * 30))

    def test_calls_of_a_client_that_ignores_the_settings(self):
        connection = self.connect(acknowledge=False)
        streams = itertools.count(1, 2)
        self.assertTrue(connection.flood(lambda: connection.headers(next(streams), request()).serialize(), FLOOD))

    def test_frames_that_carry_nothing(self):
        for frame in (frames.PingFrame(0, b"12345678"), frames.SettingsFrame(0), frames.SettingsFrame(0, flags=["ACK"]),
                      frames.PriorityFrame(1, depends_on=3), raw_frame(200, 0, 0, b"x" * FRAME_MAX)):
            frame = frame if isinstance(frame, bytes) else frame.serialize()
            with self.subTest(kind=frame[3]):
                self.assertTrue(self.connect().flood(frame * 100, 2 * FLOOD))

    def test_empty_data(self):
        connection = self.connect()
        connection.send(connection.headers(1, request()))
        self.assertTrue(connection.flood(frames.DataFrame(1).serialize() * 1000, FLOOD))

    def test_data_beyond_the_window(self):
        connection = self.connect()
        connection.send(connection.headers(1, request()))
        self.assertTrue(connection.flood(frames.DataFrame(1, bytes(FRAME_MAX)).serialize(), FLOOD))

    def test_answers_that_nobody_takes(self):
        """Of connections without a window for them; the calls end when their time is up."""
        message = rpc.echo.EchoRequest(payload=bytes(HELD_ANSWER)).SerializeToString()
        message = b"\0" + len(message).to_bytes(4, "big") + message
        held = [self.connect(settings={frames.SettingsFrame.INITIAL_WINDOW_SIZE: 0}) for _ in range(HOLDERS)]
        for connection in held:
            pieces = [message[at:at + FRAME_MAX] for at in range(0, len(message), FRAME_MAX)]
            connection.send(connection.headers(1, request()), *(frames.DataFrame(1, piece) for piece in pieces),
                            frames.DataFrame(1, flags=["END_STREAM"]))
        for connection in held:
            self.assertNotEqual((connection.read_answer(1) or {}).get("grpc-status"), "0")


class HeaderTest(HostileTest):
    def status_of(self, headers, **options):
        """The answer to a call with these headers; None where the connection was closed."""
        with RawHttp2(stack.programs["gateway"].address("grpc"), **options) as connection:
            connection.send(connection.call(1, headers))
            return connection.read_answer(1)

    def test_ordinary_call(self):
        self.assertEqual(self.status_of(request())["grpc-status"], "0")

    def test_known_headers_with_unknown_values_and_too_many_after_them(self):
        """CVE-2023-1428: such a process called abort(3)."""
        padding = [(f"x-padding-{number}", "v" * 1000) for number in range(12)]
        for name in ("te", ":scheme", "grpclb_client_stats", ":method", ":status", "content-type", "grpc-timeout",
                     "grpc-status", "grpc-encoding", "grpc-accept-encoding", "grpc-internal-encoding-request",
                     "grpc-retry-pushback-ms", "grpc-previous-rpc-attempts", "lb-cost-bin", "lb-token", "host"):
            others = [field for field in request() if field[0] != name]
            for headers in ([(name, "x"), *others], [(name, "x"), *others, *padding], [*others, (name, "x"), *padding]):
                with self.subTest(name=name, fields=len(headers)):
                    with self.connect() as connection:
                        # Twice: the second time by what the first left in the table of headers.
                        connection.send(connection.call(1, headers))
                        connection.read_answer(1)
                        try:
                            connection.send(connection.call(3, [*headers, *padding]))
                            connection.read_answer(3)
                        except ConnectionError:
                            pass

    def test_metadata_that_grpc_would_not_send(self):
        """CVE-2023-32732, and what a proxy could be made to pass on: the service's connection is everybody's."""
        for name, value in ((b"x-bin", b"***"), (b"x-bin", b"A"), (b"x-bin", b"\0\xff\x00"), (b"x-bin", b""), (b"x", b"\x01\x7f\xff"),
                            (b"X-UPPER", b"x"), (b"x y", b"x"), (b"", b"x"), (b"x", b"a\r\nb: c"), (b":unknown", b"x"),
                            (b"x-rawgate-role", b"admin"), (b"grpc-status", b"0"), (b"grpc-timeout", b"99999999999S"),
                            (b"connection", b"close"), (b"transfer-encoding", b"chunked"), (b"content-length", b"-1")):
            with self.subTest(name=name, value=value), self.connect() as connection:
                block = b"".join(literal(*(text.encode() for text in field)) for field in request())
                connection.send(raw_frame(HEADERS, 4, 1, block + literal(name, value)),
                                frames.DataFrame(1, EMPTY_MESSAGE, flags=["END_STREAM"]))
                connection.read_answer(1)
                self.assert_conversations_go_on()

    def test_metadata_beyond_the_limit(self):
        for count in (8, 20, 200):
            with self.subTest(count=count):
                answer = self.status_of([*request(), *((f"x-{number}", "v" * 1000) for number in range(count))])
                self.assertIn((answer or {}).get("grpc-status"), (None, "8"))

    def test_metadata_in_pieces(self):
        """The limit is for the block, however many frames it has, and counts what references stand for."""
        for value, references, answer in ((b"v" * 600, 10, "0"), (b"v" * 3_000, 10, "8"), (b"v" * 3_900, 10, "8"), (b"v" * 3_900, 40, None)):
            with self.subTest(size=len(value), references=references), self.connect() as connection:
                block = b"".join(literal(*(text.encode() for text in field)) for field in request())
                # Put into the table of headers once, and referred to by one byte from then on.
                indexed = b"\x40" + literal(b"x-padding", value)[1:]
                piece = b"\xbe" * (references // 5)
                connection.send(raw_frame(HEADERS, 0, 1, block + indexed), *(raw_frame(CONTINUATION, 0, 1, piece) for _ in range(4)),
                                raw_frame(CONTINUATION, 4, 1, piece), frames.DataFrame(1, EMPTY_MESSAGE, flags=["END_STREAM"]))
                self.assertEqual((connection.read_answer(1) or {}).get("grpc-status"), answer)
                if answer is None:
                    self.assertTrue(connection.is_closed())

    def test_metadata_before_the_settings_are_acknowledged(self):
        """A field that is sent once and referred to by one byte, again and again."""
        for count in (3, 1_000, 12_000):
            with self.subTest(count=count), self.connect(acknowledge=False) as connection:
                block = b"".join(literal(*(text.encode() for text in field)) for field in request())
                indexed = b"\x40" + literal(b"x-padding", b"v" * 3_900)[1:]
                connection.send(raw_frame(HEADERS, 4, 1, block + indexed + b"\xbe" * count),
                                frames.DataFrame(1, EMPTY_MESSAGE, flags=["END_STREAM"]))
                answer = connection.read_answer(1) or {}
                self.assertIn(answer.get("grpc-status"), (None, str(grpc.StatusCode.RESOURCE_EXHAUSTED.value[0])))
                self.assert_conversations_go_on()

    def test_wrong_method_path_and_content_type(self):
        unknown = grpc.StatusCode.UNIMPLEMENTED.value[0]
        for path in ("/rawgate.echo.v1.EchoService/Shout", "/none", "/" + "x" * 4000):
            with self.subTest(path=path[:40]):
                self.assertEqual(self.status_of(request(path)).get("grpc-status"), str(unknown))
        for changed in ({"method": "GET"}, {"method": "DELETE"}, {"content_type": "text/html"}, {"content_type": None},
                        {"te": None}, {"scheme": None}, {"authority": None}):
            with self.subTest(**changed):
                answer = self.status_of(request(**changed))
                self.assertTrue(answer is None or "grpc-status" in answer or answer[":status"] == "415", answer)

    def test_empty_path(self):
        """Malformed (RFC 9113, 8.3.1): the stream is reset, and the connection goes on."""
        with self.connect() as connection:
            connection.send(connection.call(1, request("")))
            self.assertIsNone(connection.read_answer(1))
            connection.send(connection.call(3))
            self.assertEqual(connection.read_answer(3)["grpc-status"], "0")


class FrameTest(HostileTest):
    def test_broken_frames(self):
        block = b"".join(literal(*(text.encode() for text in field)) for field in request())
        for number, broken in enumerate((
                raw_frame(0, 0, 0, b"x"), raw_frame(0, 8, 1, b"\xff"), raw_frame(0, 0, 1, b"\x02\xff\xff\xff\xff"),
                raw_frame(HEADERS, 4, 0, block), raw_frame(HEADERS, 4 | 8, 1, b"\xff" + block),
                raw_frame(HEADERS, 4 | 0x20, 1, b"x"), raw_frame(HEADERS, 4, 1, b"\x80"), raw_frame(HEADERS, 4, 1, b"\xff\xff\xff\xff\xff\xff"),
                raw_frame(HEADERS, 4, 1, b"\x3f\xff\xff\xff\xff\x0f"), raw_frame(HEADERS, 4, 1, b"\x20\x20\x20"),
                raw_frame(HEADERS, 4, 1, b"\0\x8a" + b"\xff" * 10 + b"\0"), raw_frame(HEADERS, 4, 1, b""), raw_frame(HEADERS, 5, 1, block[:-1]),
                raw_frame(HEADERS, 0, 1, block) + raw_frame(0, 1, 1, EMPTY_MESSAGE), raw_frame(HEADERS, 4, 2, block),
                raw_frame(CONTINUATION, 4, 1, block), raw_frame(2, 0, 1, b"x"), raw_frame(3, 0, 1, b"x"), raw_frame(3, 0, 0, bytes(4)),
                raw_frame(SETTINGS, 0, 1, b""), raw_frame(SETTINGS, 0, 0, b"x"), raw_frame(SETTINGS, 1, 0, bytes(6)),
                raw_frame(SETTINGS, 0, 0, b"\0\4\xff\xff\xff\xff"), raw_frame(SETTINGS, 0, 0, b"\0\5\0\0\0\1"),
                raw_frame(PUSH_PROMISE, 4, 1, bytes(4) + block), raw_frame(6, 0, 0, b"x"), raw_frame(6, 0, 1, bytes(8)),
                raw_frame(7, 0, 0, b"x"), raw_frame(7, 0, 0, bytes(8)), raw_frame(8, 0, 0, bytes(4)), raw_frame(8, 0, 0, b"\x7f\xff\xff\xff") * 2,
                raw_frame(8, 0, 1, b"x"), raw_frame(0, 0, 1, b"x" * FRAME_MAX, length=0xffffff), raw_frame(6, 0, 0, b"", length=0xffffff))):
            for opened in (False, True):
                with self.subTest(number=number, opened=opened), self.connect() as connection:
                    if opened:
                        connection.send(connection.headers(1, request()))
                    connection.send(broken)
                    self.close_sending(connection)
                    self.assertTrue(connection.is_closed())

    @staticmethod
    def close_sending(connection):
        try:
            connection.socket.shutdown(1)
        except OSError:
            pass  # closed already

    def test_other_protocols(self):
        for first in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
                      b"\0" * 100_000, PREFACE[:-1] + b"x", PREFACE + PREFACE, PREFACE + raw_frame(HEADERS, 4, 1, b"")):
            with self.subTest(first=first[:20]), self.connect(preface=False) as connection:
                try:
                    connection.send(first)
                except ConnectionError:
                    continue
                self.close_sending(connection)
                self.assertTrue(connection.is_closed())

    def test_slow_handshakes_end(self):
        """Those that say nothing, or not enough, are closed after --header_timeout."""
        slow = [self.connect(preface=False) for _ in range(50)]
        for number, connection in enumerate(slow):
            connection.send((PREFACE + raw_frame(SETTINGS, 0, 0, bytes(60)))[:number])
        for connection in slow:
            self.assertTrue(connection.is_closed())

    def test_changed_conversations(self):
        """A conversation with some bytes changed, cut or doubled; always the same ones."""
        with self.connect() as connection:
            whole = PREFACE + frames.SettingsFrame(0).serialize() + b"".join(
                connection.call(stream, [*request(), ("x-bin", "AAAA"), ("x", "y" * stream)]) for stream in range(1, 20, 2))
        for seed in range(GARBAGE_SEEDS):
            with self.subTest(seed=seed), self.connect(preface=False) as connection:
                try:
                    connection.send(self.changed(whole, random.Random(seed)))
                except ConnectionError:
                    pass
                self.close_sending(connection)
                self.assertTrue(connection.is_closed())

    @staticmethod
    def changed(data, chance):
        data = bytearray(data)
        for _ in range(chance.randrange(1, 8)):
            at = chance.randrange(len(PREFACE), len(data))
            kind = chance.randrange(4)
            if kind == 0:
                data[at] = chance.randrange(256)
            elif kind == 1:
                data[at] ^= 1 << chance.randrange(8)
            elif kind == 2:
                del data[at:at + chance.randrange(1, 20)]
            else:
                data[at:at] = data[at:at + chance.randrange(1, 200)]
        return bytes(data)


if __name__ == "__main__":
    unittest.main()
