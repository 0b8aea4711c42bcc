"""`rawgate lab udp` where faults may be set: what it sets is shown, and always taken away again."""

import json
import signal
import subprocess
import time
import unittest

from tests.harness import lab
from tests.harness.deadlines import PATIENCE
from tests.harness.stack import Stack

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("time", "--allow_faults")
    stack.start_gateway()


def listeners_with_faults():
    shown = subprocess.run([lab.command()[0], "ps", "--json"], env=lab.environment(stack), check=True,
                           capture_output=True, timeout=PATIENCE)
    return [listener["name"] for service in json.loads(shown.stdout)["services"] for listener in service["listeners"]
            if listener.get("faults")]


class FaultsTest(unittest.TestCase):
    def test_a_live_service_loses_and_reorders(self):
        code, run = lab.run_json(stack, "udp")
        self.assertEqual([scene["id"] for scene in run["scenes"]], ["buffer", "faults"])
        live, facts = run["scenes"][1], run["facts"]
        self.assertEqual(live["service"], "time/udp")
        lost = [step for step in live["steps"] if step["kind"] == "lost"]
        self.assertEqual(len(lost), facts["faultsLost"])
        numbers = [step["sample"] for step in live["steps"] if step["what"] == "recv" and step["side"] == "service"]
        self.assertEqual(len(numbers), facts["sent"] - facts["faultsLost"])
        late = sum(number < max(numbers[:i], default="") for i, number in enumerate(numbers))
        self.assertEqual(late, facts["faultsOvertaken"])
        self.assertEqual(code == 0, facts["bufferLost"] > 0 < facts["faultsLost"] and late > 0)
        self.assertNotEqual(facts["seed"], 0)
        self.assertEqual(listeners_with_faults(), [])

    def test_ctrl_c_takes_faults_away(self):
        process = subprocess.Popen(lab.command("udp", "--repeat", 100, "--json"), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, env=lab.environment(stack))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        end = time.monotonic() + PATIENCE
        while not listeners_with_faults():
            self.assertLess(time.monotonic(), end)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=PATIENCE), -signal.SIGINT)
        self.assertEqual(listeners_with_faults(), [])

    def test_faults_of_somebody_else_are_left_alone(self):
        rawgate = lab.command()[0]
        subprocess.run([rawgate, "fault", "set", "time/udp", "--loss", "50%"], env=lab.environment(stack), check=True,
                       capture_output=True, timeout=PATIENCE)
        self.addCleanup(subprocess.run, [rawgate, "fault", "clear", "time/udp"], env=lab.environment(stack), check=True,
                        capture_output=True, timeout=PATIENCE)
        _, run = lab.run_json(stack, "udp")
        self.assertEqual(run["facts"]["faultsRefused"], "time/udp has faults of somebody else's")
        self.assertEqual(listeners_with_faults(), ["udp"])


if __name__ == "__main__":
    unittest.main()
