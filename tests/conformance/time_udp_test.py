"""Row 6: the datagram is a strftime format, the answer the server's time in that format."""

import time
import unittest

from tests.conformance.plain_client import datagram_socket
from tests.harness.stack import Stack

REPLY_LIMIT = 1024

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("time")


class TimeTest(unittest.TestCase):
    def setUp(self):
        self.client = datagram_socket(stack.address("time", "udp"))
        self.addCleanup(self.client.close)

    def ask(self, time_format):
        self.client.send(time_format)
        return self.client.recv(65536)

    def test_formats(self):
        """Asks for the seconds since 1970 along with the text, so that no tick between two clocks matters."""
        for time_format in ("%Y-%m-%d %X", "%H:%M", "%a %b %d", "%j %U %w %y", "%I:%M:%S %p", "%A %B", "%c", "%x",
                            "%Z %z", "%%", "%D %T", "%F %R", "%G-W%V-%u", "%n%t", "%e %C"):
            with self.subTest(format=time_format):
                seconds, text = self.ask(b"%s|" + time_format.encode()).decode().split("|", 1)
                self.assertEqual(text, time.strftime(time_format, time.localtime(int(seconds))))

    def test_empty_datagram_means_date_and_time(self):
        before = int(time.time())
        answer = self.ask(b"").decode()
        after = int(time.time())
        possible = [time.strftime("%Y-%m-%d %X", time.localtime(s)) for s in range(before, after + 1)]
        self.assertIn(answer, possible)

    def test_time_is_the_machines(self):
        before = int(time.time())
        answer = int(self.ask(b"%s"))
        self.assertTrue(before <= answer <= int(time.time()))

    def test_other_text_passes_through(self):
        self.assertEqual(self.ask(b"no conversion at all"), b"no conversion at all")
        self.assertEqual(self.ask("现在几点？".encode()).decode(), "现在几点？")

    def test_any_bytes_are_safe(self):
        every_byte = bytes(byte for byte in range(256) if byte != ord("%"))
        self.assertEqual(self.ask(every_byte), every_byte)
        self.assertEqual(self.ask(b"a\0b%%c\0"), b"a\0b%c\0")

    def test_malformed_conversions_are_answered(self):
        for malformed in (b"%", b"100%", b"%Q", b"%!", b"%\xff", b"%5", b"%-", b"%E", b"%O", b"%Ez", b"%" + b"9" * 20 + b"d"):
            with self.subTest(format=malformed):
                self.assertLessEqual(len(self.ask(malformed)), REPLY_LIMIT)
        self.assertEqual(self.ask(b"still here"), b"still here")

    def test_inflating_formats_are_cut_at_the_reply_limit(self):
        for inflating in (b"%1000d%1000d", b"%1024d%d", b"%99999d", b"%c" * 512, b"%2000Y"):
            with self.subTest(format=inflating[:20]):
                self.assertEqual(len(self.ask(inflating)), REPLY_LIMIT)

    def test_width_within_the_limit(self):
        self.assertEqual(len(self.ask(b"%1000d")), 1000)

    def test_only_1024_bytes_of_format_are_looked_at(self):
        self.assertEqual(self.ask(b"x" * 1023 + b"yz"), b"x" * 1023 + b"y")
        self.assertEqual(self.ask(b"q" * 65507), b"q" * 1024)

    def test_loop_of_requests(self):
        for number in range(200):
            self.assertEqual(self.ask(b"request %d" % number), b"request %d" % number)

    def test_ipv6(self):
        with datagram_socket(stack.address("time", "udp-2")) as client:
            client.send(b"over six")
            self.assertEqual(client.recv(64), b"over six")


class TimeZoneTest(unittest.TestCase):
    def test_servers_zone_is_used(self):
        own = Stack()
        self.addCleanup(own.stop)
        own.start_service("time", environment={"TZ": "XYZ-5:45"})
        with datagram_socket(own.address("time", "udp")) as client:
            client.send(b"%Z %z")
            self.assertEqual(client.recv(64), b"XYZ +0545")


class LocaleTest(unittest.TestCase):
    def test_c_locale_whatever_the_environment_says(self):
        own = Stack()
        self.addCleanup(own.stop)
        own.start_service("time", environment={"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"})
        with datagram_socket(own.address("time", "udp")) as client:
            client.send(b"%s|%A %B")
            seconds, text = client.recv(64).decode().split("|")
            self.assertEqual(text, time.strftime("%A %B", time.localtime(int(seconds))))


if __name__ == "__main__":
    unittest.main()
