"""TimeService through the gateway."""

import datetime
import time
import unittest
import zoneinfo

import grpc

from tests.harness import rpc
from tests.harness.stack import Stack

client = None


def setUpModule():
    global client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("time")
    stack.start_gateway()
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


def get_time(**fields):
    return client.time.GetTime(rpc.time.GetTimeRequest(**fields), timeout=rpc.PATIENCE)


class GetTimeTest(unittest.TestCase):
    def test_text_is_the_timestamp_in_the_servers_zone(self):
        answer = get_time(format="%Y-%m-%d %H:%M:%S %z")
        local = time.localtime(answer.time.seconds)
        self.assertEqual(answer.formatted, time.strftime("%Y-%m-%d %H:%M:%S %z", local))
        self.assertEqual(answer.utc_offset_seconds, local.tm_gmtoff)

    def test_empty_format(self):
        answer = get_time()
        self.assertEqual(answer.formatted,
                         time.strftime("%Y-%m-%d %X", time.localtime(answer.time.seconds)))

    def test_time_zones(self):
        for name in ("UTC", "Europe/Berlin", "Asia/Shanghai", "Asia/Kathmandu", "America/St_Johns"):
            with self.subTest(zone=name):
                answer = get_time(format="%Y-%m-%d %H:%M:%S %z %Z", time_zone=name)
                there = datetime.datetime.fromtimestamp(answer.time.seconds, zoneinfo.ZoneInfo(name))
                self.assertEqual(answer.formatted, there.strftime("%Y-%m-%d %H:%M:%S %z %Z"))
                self.assertEqual(answer.utc_offset_seconds, there.utcoffset().total_seconds())
                self.assertEqual(answer.time_zone, name)

    def test_unknown_time_zone(self):
        for name in ("Mars/Olympus", "../../etc/passwd", "/etc/localtime", "x" * 5000, "nul\0"):
            with self.subTest(zone=name[:20]):
                request = rpc.time.GetTimeRequest(time_zone=name)
                self.assertEqual(rpc.error_of(client.time.GetTime, request)[:2],
                                 (grpc.StatusCode.INVALID_ARGUMENT, "UNKNOWN_TIME_ZONE"))

    def test_format_length(self):
        self.assertEqual(get_time(format="x" * 1024).formatted, "x" * 1024)
        request = rpc.time.GetTimeRequest(format="x" * 1025)
        self.assertEqual(rpc.error_of(client.time.GetTime, request)[:2],
                         (grpc.StatusCode.INVALID_ARGUMENT, "FORMAT_TOO_LONG"))

    def test_inflating_format_is_bounded(self):
        self.assertEqual(len(get_time(format="%5000d").formatted), 5000)
        self.assertLessEqual(len(get_time(format="%60000d%60000d%999999999d").formatted), 65536)

    def test_any_text(self):
        self.assertEqual(get_time(format="\0\x1b 时间 100%%").formatted, "\0\x1b 时间 100%")

    def test_percent_sign_that_begins_no_conversion(self):
        for text in ("%", "100%", "%Q", "%5", "%间", "%^间", "%E", "%Ea", "%O\U0001f600", "%%%", "%H:%"):
            with self.subTest(text=text):
                code, reason, details = rpc.error_of(client.time.GetTime, rpc.time.GetTimeRequest(format=text))
                self.assertEqual((code, reason), (grpc.StatusCode.INVALID_ARGUMENT, "BAD_FORMAT"))
                violations = details["google.rpc.BadRequest"].field_violations
                self.assertEqual([violation.field for violation in violations], ["format"])

    def test_times_of_the_exchange_are_in_order(self):
        request = rpc.time.GetTimeRequest()
        request.client_send_time.GetCurrentTime()
        answer = client.time.GetTime(request, timeout=rpc.PATIENCE)
        self.assertEqual(answer.client_send_time, request.client_send_time)
        # One machine, one clock.
        sent, received, returned = (moment.ToNanoseconds() for moment in (
            answer.client_send_time, answer.server_receive_time, answer.server_send_time))
        self.assertTrue(sent <= received <= returned <= time.time_ns())

    def test_clock(self):
        answer = get_time()
        self.assertGreater(answer.uptime.ToNanoseconds(), 0)
        self.assertIn(answer.synchronization, (rpc.time.CLOCK_SYNCHRONIZATION_SYNCHRONIZED,
                                               rpc.time.CLOCK_SYNCHRONIZATION_UNSYNCHRONIZED))


if __name__ == "__main__":
    unittest.main()
