"""`rawgate date --watch` and `rawgate test-clock` as people use them."""

import json
import signal
import subprocess
import time
import unittest

from tests.harness.deadlines import PATIENCE
from tests.harness.program import BIN_DIR, clean_environment
from tests.harness.test_clock import TestClockStack

served = None


def setUpModule():
    global served
    served = TestClockStack()


class TimeCliTest(unittest.TestCase):
    def setUp(self):
        self.addCleanup(served.set_clock)

    def start(self, *words):
        process = subprocess.Popen(
            [BIN_DIR / "rawgate", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=clean_environment(RAWGATE_GATEWAY=served.stack.gateway_target))
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def rawgate(self, *words, code=0):
        process = self.start(*words)
        out, error = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, code, out + error)
        return out, error


class DateWatchTest(TimeCliTest):
    def test_lines_on_the_second(self):
        out, error = self.rawgate("date", "--watch", "--count", "3", "%s")
        seconds = [int(line) for line in out.splitlines()]
        self.assertEqual(len(seconds), 3)
        if not error:  # which says that some were missed
            self.assertEqual(seconds, list(range(seconds[0], seconds[0] + 3)))
        self.assertLessEqual(seconds[-1], time.time())

    def test_json_lines_at_an_interval(self):
        out, error = self.rawgate("date", "--watch", "--interval", "200ms", "--count", "4", "--json", "--zone", "UTC")
        ticks = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(len(ticks), 4)
        for tick in ticks:
            self.assertEqual(tick["time"][:19], tick["formatted"].replace(" ", "T"))
        self.assertEqual(error, "")

    def test_ctrl_c_ends_it(self):
        process = self.start("date", "--watch", "--interval", "100ms")
        self.assertRegex(process.stdout.readline(), r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, -signal.SIGINT)
        self.assertEqual(error.replace("\n", "").replace("rawgate date: missed ", ""), "")

    def test_a_reader_that_is_slow_is_told_what_it_missed(self):
        served.set_clock(rate=1000)
        process = self.start("date", "--watch", "--interval", "100ms", "--count", "20", "%60000d")
        # Nobody reads its standard output, and no pipe holds ten thousand ticks of 60 kB.
        served.let_real_time_pass(1)
        out, error = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0)
        self.assertEqual([len(line) for line in out.splitlines()], [60_000] * 20)
        self.assertRegex(error, r"rawgate date: missed \d+ ticks?\n")

    def test_what_is_wrong_is_said(self):
        for words, message in ((["--interval", "99ms"], "interval must be from 100 ms to a day"),
                               (["%Q"], "begins no conversion")):
            out, error = self.rawgate("date", "--watch", *words, code=1)
            self.assertEqual(out, "")
            self.assertIn(message, error)


class TestClockTest(TimeCliTest):
    def test_set_show_and_back(self):
        self.assertEqual(self.rawgate("test-clock")[0], "the real clock\n")
        self.rawgate("test-clock", "--offset", "-1h", "--leap", "61", "--stratum", "3")
        shown = self.rawgate("test-clock")[0]
        self.assertEqual(shown.split(), ["offset", "-1h", "leap", "61", "stratum", "3"])
        told = int(self.rawgate("date", "%s")[0])
        self.assertTrue(told <= time.time() - 3600)
        self.assertIn("test clock    set\n", self.rawgate("date", "-v")[0])
        self.assertEqual(self.rawgate("test-clock", "--real")[0], "the real clock\n")
        self.assertGreater(int(self.rawgate("date", "%s")[0]), told + 3000)
        self.assertNotIn("test clock", self.rawgate("date", "-v")[0])

    def test_frozen(self):
        self.rawgate("test-clock", "--freeze")
        told = self.rawgate("date", "%s")[0]
        served.let_real_time_pass(1.1)
        self.assertEqual(self.rawgate("date", "%s")[0], told)

    def test_what_the_service_refuses_is_said(self):
        out, error = self.rawgate("test-clock", "--rate", "2000", code=1)
        self.assertEqual(out, "")
        self.assertIn("rate is 2000", error)


if __name__ == "__main__":
    unittest.main()
