"""`rawgate top` where nobody types: its snapshots in a pipe, in a file, at a terminal that can do nothing else."""

import json
import re
import signal
import subprocess
import unittest

from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.drawn_terminal import DrawnTerminal
from tests.harness.program import BIN_DIR, clean_environment
from tests.harness.top_terminal import TopTest


class Snapshots(TopTest):
    def test_piped(self):
        client = self.client()
        result = self.run_top("-n", "2")
        self.assertEqual(result.stderr, "")
        self.assertNotIn("\x1b", result.stdout)
        self.assertEqual(result.stdout.count("rawgate top  "), 2)
        self.assertEqual(len(re.findall(r"(?m)^echo/tcp +running +\S+ +1 ", result.stdout)), 2)
        client.close()

    def test_json(self):
        result = self.run_top("--json", "-n", "2")
        first, second = map(json.loads, result.stdout.splitlines())
        self.assertLess(first["time"], second["time"])
        self.assertEqual([service["name"] for service in second["services"]], ["echo", "time"])
        listener = second["services"][0]["listeners"][0]
        self.assertEqual(listener["address"], "tcp://%s:%d" % self.stack.address("echo", "tcp"))
        self.assertEqual(listener["requestsPerSecond"], 0)

    def test_plain(self):
        lines = self.run_top("--plain", "--once", "--filter", "time").stdout.splitlines()
        self.assertEqual({len(line.split("\t")) for line in lines}, {16})
        self.assertEqual([line.split("\t")[1] for line in lines], ["time", "time/udp", "time/udp-2"])

    def test_a_terminal_that_cannot_move_its_cursor(self):
        top = DrawnTerminal([BIN_DIR / "rawgate", "top", "-n", "1"], 80, self.environment(TERM="dumb"))
        self.addCleanup(top.close)
        self.assertEqual(top.wait(), 0)
        self.assertNotIn("\x1b", top.output)
        self.assertIn("echo/tcp", top.output)
        rows = top.output.splitlines()
        self.assertIn("ADDRESS", rows[1])
        self.assertLessEqual(max(map(len, rows)), 80)

    def test_gateway_away(self):
        with subprocess.Popen([BIN_DIR / "rawgate", "top", "--json", "--interval", "100ms"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=clean_environment(**self.environment())) as top:
            self.addCleanup(top.kill)
            self.assertTrue(top.stdout.readline())
            self.stack.programs.pop("gateway").stop()
            self.assertIn("gateway lost", top.stderr.readline())
            self.start_gateway()
            # Samples of before may be on their way.
            before = top.stdout.readline()
            wait_until(lambda: json.loads(top.stdout.readline())["time"] > json.loads(before)["time"], "snapshots go on")
            top.send_signal(signal.SIGINT)
            self.assertEqual(top.wait(PATIENCE), -signal.SIGINT)


if __name__ == "__main__":
    unittest.main()
