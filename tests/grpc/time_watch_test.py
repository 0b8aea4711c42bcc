"""TimeService.WatchTime, through the gateway and directly."""

import datetime
import signal
import unittest
import zoneinfo

import grpc

from tests.harness import rpc
from tests.harness.stack import Stack
from tests.harness.test_clock import NANOSECONDS, TestClockStack, nanoseconds

SECOND = NANOSECONDS
TENTH = NANOSECONDS // 10

served = None


def setUpModule():
    global served
    served = TestClockStack()


class Ticks:
    """One watch. Every tick that is read is checked against the one before."""

    def __init__(self, test, client, interval=TENTH, **fields):
        self.test = test
        self.interval = interval
        self.last = None
        request = rpc.time.WatchTimeRequest(**fields)
        request.interval.FromNanoseconds(interval)
        self.call = client.time.WatchTime(request, timeout=rpc.PATIENCE)
        test.addCleanup(self.call.cancel)

    def await_start(self):
        """From here on no tick is missed that is not told."""
        self.call.initial_metadata()
        return self

    def read(self, set_back=False):
        tick = next(self.call)
        moment = nanoseconds(tick.time)
        self.test.assertEqual(moment % self.interval, 0)
        if self.last is not None and not set_back:
            self.test.assertEqual(moment, self.last + (tick.missed + 1) * self.interval)
        self.last = moment
        return tick

    def read_until(self, condition):
        while True:
            tick = self.read()
            if condition(tick):
                return tick

    def end(self):
        """Reads to the end: (code, reason)."""
        try:
            while True:
                self.read()
        except grpc.RpcError as error:
            return error.code(), rpc.reason_and_details(error)[0]


class WatchTimeTest(unittest.TestCase):
    def setUp(self):
        self.addCleanup(served.set_clock)

    def each_door(self):
        for name, client in served.doors.items():
            with self.subTest(door=name):
                yield client


class TickTest(WatchTimeTest):
    def test_ticks_are_whole_multiples_and_none_is_lost_unsaid(self):
        for client in self.each_door():
            for interval in (TENTH, 3 * TENTH + 7, SECOND):
                ticks = Ticks(self, client, interval)
                for _ in range(3):
                    tick = ticks.read()
                    self.assertGreaterEqual(nanoseconds(tick.server_send_time), nanoseconds(tick.time))
                    self.assertFalse(tick.test_clock)

    def test_a_second_unless_asked_otherwise(self):
        for client in self.each_door():
            call = client.time.WatchTime(rpc.time.WatchTimeRequest(), timeout=rpc.PATIENCE)
            self.addCleanup(call.cancel)
            first, second = next(call), next(call)
            self.assertEqual((first.time.nanos, second.time.nanos), (0, 0))
            self.assertEqual(second.time.seconds, first.time.seconds + 1 + second.missed)

    def test_text_is_the_ticks_time(self):
        zone = zoneinfo.ZoneInfo("Asia/Kathmandu")
        for client in self.each_door():
            tick = Ticks(self, client, format="%Y-%m-%d %H:%M:%S %z", time_zone="Asia/Kathmandu").read()
            there = datetime.datetime.fromtimestamp(tick.time.seconds, zone)
            self.assertEqual(tick.formatted, there.strftime("%Y-%m-%d %H:%M:%S %z"))
            self.assertEqual((tick.time_zone, tick.utc_offset_seconds), ("Asia/Kathmandu", 20_700))

    def test_errors(self):
        def with_interval(seconds, nanos):
            request = rpc.time.WatchTimeRequest()
            request.interval.seconds, request.interval.nanos = seconds, nanos
            return request

        cases = [
            ("BAD_INTERVAL", "interval", with_interval(0, 0)),
            ("BAD_INTERVAL", "interval", with_interval(0, 99_999_999)),
            ("BAD_INTERVAL", "interval", with_interval(-1, 0)),
            ("BAD_INTERVAL", "interval", with_interval(86_400, 1)),
            ("BAD_INTERVAL", "interval", with_interval(1, -1)),
            ("BAD_INTERVAL", "interval", with_interval(2**62, 0)),
            ("BAD_FORMAT", "format", rpc.time.WatchTimeRequest(format="%H:%")),
            ("FORMAT_TOO_LONG", "format", rpc.time.WatchTimeRequest(format="x" * 1025)),
            ("UNKNOWN_TIME_ZONE", "time_zone", rpc.time.WatchTimeRequest(time_zone="Mars/Olympus")),
        ]
        for client in self.each_door():
            for reason, field, request in cases:
                with self.subTest(request=str(request)[:60]):
                    code, got, details = rpc.error_of(client.time.WatchTime, request)
                    self.assertEqual((code, got), (grpc.StatusCode.INVALID_ARGUMENT, reason))
                    violations = details["google.rpc.BadRequest"].field_violations
                    self.assertEqual([violation.field for violation in violations], [field])

    def test_a_watcher_that_does_not_read_is_told_what_it_missed(self):
        for client in self.each_door():
            served.set_clock(rate=1000)
            # Each of these ticks is 60 kB: ten thousand of them fit in no buffers on the way.
            ticks = Ticks(self, client, format="%60000d")
            ticks.read()
            served.let_real_time_pass(1)
            self.assertGreater(ticks.read_until(lambda tick: tick.missed > 0).missed, 0)
            served.set_clock()
            ticks.call.cancel()


class TestClockTest(WatchTimeTest):
    def test_a_jump_forward_is_told_as_missed(self):
        for client in self.each_door():
            ticks = Ticks(self, client)
            ticks.read()
            served.set_clock(offset=3600)
            tick = ticks.read_until(lambda tick: tick.test_clock)
            self.assertGreaterEqual(tick.missed, 36_000 - 1)
            ticks.read()
            served.set_clock()

    def test_a_clock_that_is_set_back_goes_on_ticking(self):
        for client in self.each_door():
            ticks = Ticks(self, client)
            before = nanoseconds(ticks.read().time)
            served.set_clock(offset=-3600)
            while not ticks.read(set_back=True).test_clock:
                pass
            self.assertLess(ticks.last, before - 3500 * SECOND)
            for _ in range(3):
                ticks.read()
            served.set_clock()

    def test_a_frozen_clock_does_not_tick_until_it_moves_again(self):
        for client in self.each_door():
            ticks = Ticks(self, client).await_start()
            served.set_clock(frozen=True)
            stands = nanoseconds(served.get_time().time)
            served.let_real_time_pass(0.5)
            self.assertEqual(nanoseconds(served.get_time().time), stands)
            served.set_clock()
            tick = ticks.read_until(lambda tick: nanoseconds(tick.time) > stands)
            self.assertFalse(tick.test_clock, "the frozen clock has ticked")
            self.assertGreaterEqual(tick.missed, 3)

    def test_a_fast_clock_ticks_faster(self):
        served.set_clock(rate=10)
        for client in self.each_door():
            begin = served.get_time()
            ticks = Ticks(self, client, SECOND)
            for _ in range(10):
                self.assertTrue(ticks.read().test_clock)
            end = served.get_time()
            told, passed = (nanoseconds(getattr(end, name)) - nanoseconds(getattr(begin, name))
                            for name in ("time", "uptime"))
            self.assertGreaterEqual(told, 9 * SECOND)
            self.assertGreater(told, 5 * passed)

    def test_a_slow_clock_is_awaited(self):
        served.set_clock(rate=0.5)
        for client in self.each_door():
            ticks = Ticks(self, client)
            for _ in range(3):
                ticks.read()


class EndTest(WatchTimeTest):
    def test_stop_and_start(self):
        for client in self.each_door():
            ticks = Ticks(self, client).await_start()
            served.gateway.stop("time", grace_ms=600_000)
            self.assertEqual(ticks.end(), (grpc.StatusCode.FAILED_PRECONDITION, "SERVICE_STOPPED"))
            self.assertEqual(rpc.error_of(client.time.WatchTime, rpc.time.WatchTimeRequest())[:2],
                             (grpc.StatusCode.FAILED_PRECONDITION, "SERVICE_STOPPED"))
            served.gateway.start("time")
            Ticks(self, client).read()

    def test_an_operator_closes_it(self):
        for client in self.each_door():
            ticks = Ticks(self, client).await_start()
            request = rpc.control.ListConnectionsRequest(service="time")
            rows = served.gateway.control.ListConnections(request, timeout=rpc.PATIENCE).connections
            # Those of earlier tests may be on their way out, and have lower numbers.
            request = rpc.control.CloseConnectionRequest(service="time", connection_id=max(row.id for row in rows))
            served.gateway.control.CloseConnection(request, timeout=rpc.PATIENCE)
            self.assertEqual(ticks.end(), (grpc.StatusCode.CANCELLED, "CLOSED_BY_OPERATOR"))


class DrainTest(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.stop)
        self.program = self.stack.start_service("time", "--grace=1h")
        self.gateway = self.stack.start_gateway()
        self.client = rpc.client_of(self.stack)
        self.addCleanup(self.client.close)

    def test_a_service_that_goes_ends_its_watches(self):
        direct = rpc.Client(self.program.rpc_target)
        self.addCleanup(direct.close)
        watches = [Ticks(self, client).await_start() for client in (self.client, direct)]
        self.program.process.send_signal(signal.SIGTERM)
        for ticks in watches:
            self.assertEqual(ticks.end(), (grpc.StatusCode.UNAVAILABLE, "DRAINING"))
        self.stack.programs.pop("time").expect_exit(0)

    def test_a_gateway_that_goes_ends_its_watches(self):
        ticks = Ticks(self, self.client).await_start()
        self.gateway.process.send_signal(signal.SIGTERM)
        self.assertEqual(ticks.end(), (grpc.StatusCode.UNAVAILABLE, "DRAINING"))
        self.stack.programs.pop("gateway").expect_exit(0)


if __name__ == "__main__":
    unittest.main()
