"""The time service's test clock: set, seen at every door, and gone again."""

import re
import time
import unittest

import grpc

from tests.conformance.plain_client import datagram_socket
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.stack import Stack
from tests.harness.test_clock import NANOSECONDS, TestClockStack, nanoseconds, setting

HOUR = 3600

served = None


def setUpModule():
    global served
    served = TestClockStack()


def error_of_setting(client, clock):
    code, reason, details = rpc.error_of(client.time.SetTestClock, rpc.time.SetTestClockRequest(test_clock=clock))
    fields = [violation.field for violation in details["google.rpc.BadRequest"].field_violations]
    return code, reason, fields


def raw_time(time_format):
    with datagram_socket(served.stack.address("time", "udp")) as raw:
        raw.send(time_format)
        return raw.recv(1024)


class TestClockTest(unittest.TestCase):
    def setUp(self):
        self.addCleanup(served.set_clock)

    def current(self):
        return served.gateway.time.GetTestClock(rpc.time.GetTestClockRequest(), timeout=rpc.PATIENCE).test_clock

    def test_what_is_set_is_what_is_got_and_replaces_what_was(self):
        everything = setting(offset=-1.5, rate=2, leap=rpc.time.LEAP_INDICATOR_LAST_MINUTE_59, stratum=0,
                             root_dispersion=0.25)
        settings = [everything, setting(frozen=True, kiss_code="RATE"), setting(stratum=255), setting(offset=HOUR),
                    setting()]
        for client in served.doors.values():
            for clock in settings:
                with self.subTest(clock=str(clock)):
                    answer = client.time.SetTestClock(rpc.time.SetTestClockRequest(test_clock=clock))
                    self.assertEqual(answer.test_clock, clock)
                    self.assertEqual(client.time.GetTestClock(rpc.time.GetTestClockRequest()).test_clock, clock)

    def test_errors(self):
        no_duration = setting()
        no_duration.offset.seconds, no_duration.offset.nanos = 1, -1
        no_dispersion = setting()
        no_dispersion.ntp.root_dispersion.nanos = NANOSECONDS
        cases = [
            ("BAD_OFFSET", "offset", setting(offset=101 * 366 * 24 * HOUR)),
            ("BAD_OFFSET", "offset", setting(offset=-101 * 366 * 24 * HOUR)),
            ("BAD_OFFSET", "offset", no_duration),
            ("BAD_RATE", "rate", setting(rate=0.0009)),
            ("BAD_RATE", "rate", setting(rate=1001)),
            ("BAD_RATE", "rate", setting(rate=-1)),
            ("BAD_RATE", "rate", setting(rate=float("nan"))),
            ("BAD_RATE", "rate", setting(rate=float("inf"))),
            ("BAD_RATE", "rate", setting(rate=1, frozen=True)),
            ("BAD_LEAP", "ntp.leap", setting(leap=5)),
            ("BAD_LEAP", "ntp.leap", setting(leap=-1)),
            ("BAD_STRATUM", "ntp.stratum", setting(stratum=256)),
            ("BAD_KISS_CODE", "ntp.kiss_code", setting(kiss_code="RATES")),
            ("BAD_KISS_CODE", "ntp.kiss_code", setting(kiss_code="é")),
            ("BAD_KISS_CODE", "ntp.kiss_code", setting(kiss_code="RATE", stratum=0)),
            ("BAD_ROOT_DISPERSION", "ntp.root_dispersion", setting(root_dispersion=65_536)),
            ("BAD_ROOT_DISPERSION", "ntp.root_dispersion", setting(root_dispersion=-1)),
            ("BAD_ROOT_DISPERSION", "ntp.root_dispersion", no_dispersion),
        ]
        before = served.set_clock(offset=HOUR)
        for client in served.doors.values():
            for reason, field, clock in cases:
                with self.subTest(clock=str(clock)):
                    self.assertEqual(error_of_setting(client, clock),
                                     (grpc.StatusCode.INVALID_ARGUMENT, reason, [f"test_clock.{field}"]))
        self.assertEqual(self.current(), before)

    def test_offset(self):
        for seconds in (HOUR, -HOUR, 100 * 365 * 24 * HOUR):
            with self.subTest(offset=seconds):
                served.set_clock(offset=seconds)
                earliest = time.time_ns()
                answer = served.get_time()
                raw = int(raw_time(b"%s"))
                latest = time.time_ns()
                told = [nanoseconds(moment) - seconds * NANOSECONDS for moment in (
                    answer.time, answer.server_receive_time, answer.server_send_time)]
                for moment in told:
                    self.assertTrue(earliest <= moment <= latest)
                self.assertTrue(earliest // NANOSECONDS <= raw - seconds <= latest // NANOSECONDS)
                self.assertTrue(answer.test_clock)

    def test_frozen(self):
        served.set_clock(offset=-HOUR, frozen=True)
        first, raw = served.get_time(), raw_time(b"%s")
        served.let_real_time_pass(1.1)
        self.assertEqual(served.get_time().time, first.time)
        self.assertEqual(raw_time(b"%s"), raw)
        self.assertEqual(int(raw), first.time.seconds)

    def test_rate(self):
        for rate in (10, 0.1):
            with self.subTest(rate=rate):
                served.set_clock(rate=rate)
                begin = served.get_time()
                served.let_real_time_pass(0.5)
                end = served.get_time()
                told, passed = (nanoseconds(getattr(end, name)) - nanoseconds(getattr(begin, name))
                                for name in ("time", "uptime"))
                self.assertTrue(rate / 2 < told / passed < rate * 2, told / passed)

    def test_real_again(self):
        served.set_clock(offset=HOUR, rate=1000)
        served.set_clock()
        earliest = time.time_ns()
        answer = served.get_time()
        self.assertTrue(earliest <= nanoseconds(answer.time) <= time.time_ns())
        self.assertFalse(answer.test_clock)
        # What is set to what is true anyway is the real clock, too.
        self.assertEqual(served.set_clock(rate=1), rpc.time.TestClock())

    def test_a_change_is_an_event_and_a_line_of_the_log(self):
        watch = served.gateway.control.WatchEvents(rpc.control.WatchEventsRequest(services=["time"]),
                                                   timeout=rpc.PATIENCE)
        self.addCleanup(watch.cancel)
        next(watch)
        served.set_clock(offset=4242)
        summaries = (event.request_served.summary for batch in watch for event in batch.events)
        self.assertEqual(next(summary for summary in summaries if summary), "test clock: offset 1h10m42s")
        log = served.stack.programs["time"].log_path
        lines = wait_until(lambda: re.findall(".*offset 1h10m42s.*", log.read_text()), "the line")
        self.assertEqual(len(lines), 1)
        self.assertRegex(lines[0], r"test clock: offset 1h10m42s, set by tcp://127\.0\.0\.1:\d+$")


class WithoutTest(unittest.TestCase):
    def test_a_service_without_it_says_so_and_tells_the_machines_time(self):
        stack = Stack()
        self.addCleanup(stack.stop)
        program = stack.start_service("time")
        stack.start_gateway()
        for client in (rpc.client_of(stack), rpc.Client(program.rpc_target)):
            self.addCleanup(client.close)
            for call, request in ((client.time.GetTestClock, rpc.time.GetTestClockRequest()),
                                  (client.time.SetTestClock, rpc.time.SetTestClockRequest())):
                self.assertEqual(rpc.error_of(call, request)[:2],
                                 (grpc.StatusCode.FAILED_PRECONDITION, "TEST_CLOCK_DISABLED"))
            tick = next(client.time.WatchTime(rpc.time.WatchTimeRequest(), timeout=rpc.PATIENCE))
            self.assertLessEqual(nanoseconds(tick.time), time.time_ns())
            self.assertFalse(tick.test_clock)


if __name__ == "__main__":
    unittest.main()
