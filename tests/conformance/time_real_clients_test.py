"""What everybody else's clients make of our time: chronyd, ntpdig and rdate, none of which touches the machine's clock here.

The machine's own clock need not be synchronised, so the test clock claims that it is: otherwise they refuse, as they are
to do and as is tested too."""

import calendar
import json
import os
import pwd
import random
import re
import socket
import subprocess
import time
import unittest

from tests.harness import kernel_clock, rpc
from tests.harness.deadlines import PATIENCE
from tests.harness.stack import Stack
from tests.harness.test_clock import setting

# What a client may be off by on the loopback interface, in seconds. One that was not given the processor in time reads
# more, so the best of some attempts counts.
OFFSET_MAX = 0.001
ATTEMPTS = 20
NTP_PORT = 123
# What no client takes the time from.
BAD_SERVERS = ({"leap": rpc.time.LEAP_INDICATOR_UNSYNCHRONIZED, "stratum": 3},
               {"leap": rpc.time.LEAP_INDICATOR_NO_WARNING, "stratum": 16},
               {"kiss_code": "DENY"}, {"kiss_code": "RATE"})

stack = None
client = None
# An address of this machine that nobody else has in use, for the client that knows no port but 123.
ntp_host = f"127.{random.randrange(64, 128)}.{random.randrange(256)}.{random.randrange(1, 255)}"


def may_use_ntp_port():
    # An address that this module does not serve on.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as candidate:
        try:
            candidate.bind(("127.63.255.254", NTP_PORT))
        except PermissionError:
            return False
    return True


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    listeners = ["ntp=udp://127.0.0.1:0", "ntp=udp://[::1]:0", "time=tcp://127.0.0.1:0", "time=udp://127.0.0.1:0"]
    if may_use_ntp_port():
        listeners.append(f"ntp=udp://{ntp_host}:{NTP_PORT}")
    client = rpc.Client(stack.start_service("time", "--test_clock", listeners=listeners).rpc_target)
    unittest.addModuleCleanup(client.close)


def set_clock(**fields):
    client.time.SetTestClock(rpc.time.SetTestClockRequest(test_clock=setting(**fields)), timeout=PATIENCE)


def set_synchronized_clock(**fields):
    set_clock(leap=rpc.time.LEAP_INDICATOR_NO_WARNING, stratum=3, **fields)


class Refused(Exception):
    """The client did not take the time that it was told; what it said about it."""


def run(*command):
    """What the client prints."""
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin", "LC_ALL": "C", "TZ": "UTC0"}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                          timeout=PATIENCE, check=False, env=environment)
    if done.returncode != 0:
        raise Refused(done.stdout)
    return done.stdout


def number_after(text, printed):
    """The number, of seconds, that follows `text`."""
    return float(re.search(re.escape(text) + r"\s*([-+]?[0-9.]+)", printed).group(1))


def chronyd(listener="ntp"):
    """The offset that chronyd finds. -Q: it prints what it would do to the clock, and does not do it. It asks four times,
    two seconds apart, and gives up after that, or ten seconds after it was told to ask less often."""
    host, port = stack.address("time", listener)[:2]
    user = pwd.getpwuid(os.geteuid()).pw_name
    return number_after("System clock wrong by", run(
        "chronyd", "-Q", "-U", "-u", user, "-t", "20", f"server {host} port {port} iburst maxsamples 4",
        f"pidfile {stack.directory}/chronyd.pid", "cmdport 0", "bindcmdaddress /"))


def ntpdig():
    """The offset that ntpdig finds. Without -s and -S it leaves the clock alone."""
    return json.loads(run("ntpdig", "--json", ntp_host))["offset"]


def rdate(*options, listener):
    """What rdate prints. -p: it does not set the clock."""
    host, port = stack.address("time", listener)[:2]
    return run("rdate", "-p", "-v", *options, "-o", str(port), host)


def sntp_rdate(listener="ntp"):
    """The offset that rdate finds as a client of SNTP."""
    return number_after("adjust local clock by", rdate("-n", listener=listener))


class NtpClientCase(unittest.TestCase):
    """For tests of one client, which `offset_of` runs: a function from above."""

    def setUp(self):
        self.addCleanup(set_clock)

    def assert_finds(self, offset_of, told):
        """`offset_of` runs a client."""
        errors = []
        while not errors or (errors[-1] >= OFFSET_MAX and len(errors) < ATTEMPTS):
            errors.append(abs(offset_of() - told))
        self.assertLess(errors[-1], OFFSET_MAX, f"none of {errors}")

    def assert_finds_what_is_told(self, offset_of):
        for told in (0, 5, -5):
            with self.subTest(told=told):
                set_synchronized_clock(offset=told)
                self.assert_finds(offset_of, told)

    def assert_refuses(self, offset_of):
        """Having heard what it is told."""
        before = client.service("time").counters.datagrams_sent
        self.assertRaises(Refused, offset_of)
        self.assertGreater(client.service("time").counters.datagrams_sent, before)

    def assert_refuses_bad_servers(self, offset_of):
        for fields in BAD_SERVERS:
            with self.subTest(**fields):
                set_clock(**fields)
                self.assert_refuses(offset_of)

    def assert_takes_the_kernels_word(self, offset_of):
        """The service says of the clock what the kernel does."""
        set_clock()
        if kernel_clock.is_synchronized():
            self.assert_finds(offset_of, 0)
        else:
            self.assert_refuses(offset_of)


class ChronydTest(NtpClientCase):
    def test_finds_what_is_told(self):
        self.assert_finds_what_is_told(chronyd)

    def test_ipv6(self):
        set_synchronized_clock()
        self.assert_finds(lambda: chronyd("ntp-2"), 0)

    def test_refuses_bad_servers(self):
        self.assert_refuses_bad_servers(chronyd)

    def test_takes_the_kernels_word(self):
        self.assert_takes_the_kernels_word(chronyd)


class NtpdigTest(NtpClientCase):
    @classmethod
    def setUpClass(cls):
        if not may_use_ntp_port():
            raise unittest.SkipTest("ntpdig asks at port 123, which takes root")

    def test_finds_what_is_told(self):
        self.assert_finds_what_is_told(ntpdig)

    def test_refuses_bad_servers(self):
        self.assert_refuses_bad_servers(ntpdig)

    def test_takes_the_kernels_word(self):
        self.assert_takes_the_kernels_word(ntpdig)


class SntpRdateTest(NtpClientCase):
    def test_finds_what_is_told(self):
        self.assert_finds_what_is_told(sntp_rdate)

    def test_ipv6(self):
        set_synchronized_clock()
        self.assert_finds(lambda: sntp_rdate("ntp-2"), 0)

    def test_refuses_bad_servers(self):
        self.assert_refuses_bad_servers(sntp_rdate)

    def test_takes_the_kernels_word(self):
        self.assert_takes_the_kernels_word(sntp_rdate)


class RdateTest(unittest.TestCase):
    """RFC 868, which tells whole seconds."""

    def assert_reads(self, told, *options, listener):
        set_clock(offset=told)
        self.addCleanup(set_clock)
        before = int(time.time()) + told
        printed = rdate(*options, listener=listener)
        after = int(time.time()) + told
        date = time.strptime(printed.splitlines()[0], "%a %b %d %H:%M:%S UTC %Y")
        self.assertTrue(before <= calendar.timegm(date) <= after, (before, printed, after))
        self.assertAlmostEqual(number_after("adjust local clock by", printed), told, delta=1)

    def test_over_tcp(self):
        for told in (0, 3600, -3600):
            with self.subTest(told=told):
                self.assert_reads(told, listener="time")

    def test_over_udp(self):
        for told in (0, 3600, -3600):
            with self.subTest(told=told):
                self.assert_reads(told, "-u", listener="time-2")


if __name__ == "__main__":
    unittest.main()
