"""A time service with a test clock, behind a gateway: what the tests of both need."""

import unittest

from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.stack import Stack

NANOSECONDS = 10**9


def nanoseconds(message):
    """Of a Duration, or of a Timestamp since 1970."""
    return message.seconds * NANOSECONDS + message.nanos


def setting(offset=None, root_dispersion=None, **fields):
    """A TestClock; durations are in seconds, fields of NTP's stand beside the others."""
    ntp = {name: fields.pop(name) for name in ("leap", "stratum", "kiss_code") if name in fields}
    clock = rpc.time.TestClock(**fields)
    if offset is not None:
        clock.offset.FromNanoseconds(round(offset * NANOSECONDS))
    if root_dispersion is not None:
        clock.ntp.root_dispersion.FromNanoseconds(round(root_dispersion * NANOSECONDS))
    if ntp:
        clock.ntp.MergeFrom(rpc.time.NtpOverride(**ntp))
    return clock


class TestClockStack:
    """For setUpModule: the programs, and the two ways to the service."""

    def __init__(self):
        self.stack = Stack()
        unittest.addModuleCleanup(self.stack.stop)
        program = self.stack.start_service("time", "--test_clock")
        self.stack.start_gateway()
        self.gateway = rpc.client_of(self.stack)
        unittest.addModuleCleanup(self.gateway.close)
        self.direct = rpc.Client(program.rpc_target)
        unittest.addModuleCleanup(self.direct.close)

    @property
    def doors(self):
        return {"gateway": self.gateway, "direct": self.direct}

    def set_clock(self, **fields):
        request = rpc.time.SetTestClockRequest(test_clock=setting(**fields))
        return self.gateway.time.SetTestClock(request, timeout=rpc.PATIENCE).test_clock

    def get_time(self, **fields):
        return self.gateway.time.GetTime(rpc.time.GetTimeRequest(**fields), timeout=rpc.PATIENCE)

    def let_real_time_pass(self, seconds):
        """By the machine's clock, whatever the service's says."""
        end = nanoseconds(self.get_time().uptime) + seconds * NANOSECONDS
        wait_until(lambda: nanoseconds(self.get_time().uptime) >= end, f"{seconds} s by the machine's clock")
