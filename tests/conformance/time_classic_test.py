"""The older time protocols, with plain sockets: daytime (RFC 867), time (RFC 868), NTP (RFC 5905)."""

import socket
import struct
import time
import unittest

from tests.conformance.plain_client import connect, datagram_socket, receive_to_end
from tests.harness import kernel_clock
from tests.harness.stack import Stack

# From 1900 to 1970, in seconds.
EPOCH = 2_208_988_800
ORIGIN = b"\x01\x02\x03\x04\x05\x06\x07\x08"

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    listeners = ["ntp=udp://127.0.0.1:0", "ntp=udp://[::1]:0"]
    for name in ("daytime", "time"):
        listeners += [f"{name}={address}" for address in
                      ("tcp://127.0.0.1:0", "tcp://[::1]:0", f"unix://{stack.directory}/{name}.sock",
                       "udp://127.0.0.1:0", "udp://[::1]:0")]
    stack.start_service("time", listeners=listeners)


def over_streams(name, sent=b""):
    """What a client gets that connects and sends `sent` without being asked to, over each family."""
    for listener in (name, f"{name}-2", f"{name}-3"):
        with connect(stack.address("time", listener)) as client:
            client.sendall(sent)
            yield receive_to_end(client)


def over_datagrams(name, sent=b""):
    for listener in (f"{name}-4", f"{name}-5"):
        with datagram_socket(stack.address("time", listener)) as client:
            client.send(sent)
            yield client.recv(1024)


class DaytimeTest(unittest.TestCase):
    def assert_tells_the_time(self, answers):
        before = int(time.time())
        got = [answer.decode("ascii") for answer in answers]
        possible = [f"{time.ctime(second)}\r\n" for second in range(before, int(time.time()) + 1)]
        for text in got:
            self.assertIn(text, possible)

    def test_over_streams(self):
        self.assert_tells_the_time(over_streams("daytime"))

    def test_over_datagrams(self):
        self.assert_tells_the_time(over_datagrams("daytime"))
        self.assert_tells_the_time(over_datagrams("daytime", b"any\0thing" * 1000))

    def test_a_client_that_talks_gets_its_answer_and_no_reset(self):
        for _ in range(20):
            self.assert_tells_the_time(over_streams("daytime", b"GET / HTTP/1.1\r\n\r\n" * 1000))


class TimeTest(unittest.TestCase):
    def assert_tells_the_time(self, answers):
        before = int(time.time())
        got = [struct.unpack("!I", answer)[0] - EPOCH for answer in answers]
        after = int(time.time())
        for seconds in got:
            self.assertTrue(before <= seconds <= after, (before, seconds, after))

    def test_over_streams(self):
        self.assert_tells_the_time(over_streams("time"))
        self.assert_tells_the_time(over_streams("time", b"x" * 100_000))

    def test_over_datagrams(self):
        self.assert_tells_the_time(over_datagrams("time"))
        self.assert_tells_the_time(over_datagrams("time", b"x" * 60_000))


def ntp_request(version=4, mode=3, trailer=b""):
    return bytes([version << 3 | mode, 0, 6, 0]) + bytes(36) + ORIGIN + trailer


class NtpTest(unittest.TestCase):
    def setUp(self):
        self.client = datagram_socket(stack.address("time", "ntp"))
        self.addCleanup(self.client.close)

    def ask(self, request):
        self.client.send(request)
        return self.client.recv(1024)

    def test_versions(self):
        for version in (1, 2, 3, 4):
            with self.subTest(version=version):
                answer = self.ask(ntp_request(version))
                self.assertEqual(len(answer), 48)
                self.assertEqual(answer[0] & 0x3f, version << 3 | 4)
                self.assertEqual(answer[2], 6)
                self.assertEqual(answer[24:32], ORIGIN)
        self.assertEqual(self.ask(ntp_request(1, 0))[0] & 0x3f, 1 << 3 | 4)

    def test_timestamps_are_the_machines(self):
        before = time.time()
        receive, transmit = struct.unpack_from("!QQ", self.ask(ntp_request()), 32)
        after = time.time()
        receive, transmit = (stamp / 2**32 - EPOCH for stamp in (receive, transmit))
        # Floating-point numbers of this size tell no less than a fraction of a microsecond.
        grain = 1e-6
        self.assertLessEqual(before - grain, receive)
        self.assertLessEqual(receive, transmit)
        self.assertLessEqual(transmit, after + grain)

    def test_says_what_the_kernel_says_of_its_clock(self):
        answer = self.ask(ntp_request())
        leap, stratum, reference_id = answer[0] >> 6, answer[1], answer[12:16]
        if kernel_clock.is_synchronized():
            self.assertNotEqual(leap, 3)
            self.assertEqual((stratum, reference_id), (10, bytes([127, 127, 1, 1])))
        else:
            self.assertEqual((leap, stratum, reference_id), (3, 0, b"INIT"))

    def test_no_other_mode_is_answered(self):
        """Each is followed by a good request, whose answer is then the first that comes."""
        others = [(version, mode) for version in range(8) for mode in range(8)
                  if not (1 <= version <= 4 and mode == 3) and (version, mode) != (1, 0)]
        for version, mode in others:
            with self.subTest(version=version, mode=mode):
                self.client.send(bytes([version << 3 | mode]) + bytes(47))
                self.assertEqual(self.ask(ntp_request())[24:32], ORIGIN)

    def test_nothing_malformed_is_answered(self):
        for request in (b"", b"\x23", ntp_request()[:47], ntp_request(trailer=b"x"), ntp_request(trailer=bytes(16)),
                        ntp_request(trailer=b"\0\0\xff\xff" + bytes(40)), ntp_request(trailer=bytes(1000)),
                        ntp_request(3, 3, b"\0\0\0\x1c" + bytes(24)), ntp_request(trailer=bytes(60_000))):
            with self.subTest(request=request[:60]):
                self.client.send(request.replace(ORIGIN, bytes(8)))
                self.assertEqual(self.ask(ntp_request())[24:32], ORIGIN)

    def test_no_answer_is_larger_than_its_request(self):
        for trailer, size in ((b"", 48), (bytes(20), 52), (bytes(24), 52), (b"\0\0\0\x1c" + bytes(24), 48),
                              (b"\0\0\x02\0" + bytes(508), 48), (b"\0\0\0\x10" + bytes(12 + 20), 52)):
            with self.subTest(trailer=len(trailer)):
                answer = self.ask(ntp_request(trailer=trailer))
                self.assertEqual(len(answer), size)
                self.assertEqual(answer[48:], bytes(size - 48))

    def test_ipv6(self):
        with datagram_socket(stack.address("time", "ntp-2")) as client:
            self.assertEqual(client.family, socket.AF_INET6)
            client.send(ntp_request())
            self.assertEqual(client.recv(1024)[24:32], ORIGIN)


if __name__ == "__main__":
    unittest.main()
