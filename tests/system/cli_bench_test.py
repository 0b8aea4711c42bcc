"""`rawgate bench`: what it measures is what the services have seen, and nothing is left behind. Not how fast they are."""

import json
import signal
import socket
import subprocess
import time
import unittest

from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.program import BIN_DIR, clean_environment
from tests.harness.stack import Stack
from tests.harness.terminal import CONTROL_C, Terminal

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_all()


class BenchTestCase(unittest.TestCase):
    def rawgate(self, *words, code=0):
        done = subprocess.run([BIN_DIR / "rawgate", "--gateway", stack.gateway_target, *words], capture_output=True, text=True,
                              timeout=PATIENCE, env=clean_environment(), check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout, done.stderr

    def bench(self, *words):
        out, error = self.rawgate("bench", *words, "--json")
        self.assertEqual(error, "")
        return json.loads(out)["runs"]

    def requests_served(self, service, listener=None):
        services = json.loads(self.rawgate("ps", "--json")[0])["services"]
        found = next(each for each in services if each["name"] == service)
        if listener:
            found = next(each for each in found["listeners"] if each["name"] == listener)
        return int(found["counters"]["requests"])


class CountsTest(BenchTestCase):
    def check(self, run, operation, door, requests):
        self.assertEqual((run["operation"], run["door"], run["requests"], run["errors"]), (operation, door, requests, {}))
        latency = [float(run["latency"][name].removesuffix("s")) for name in ("min", "p50", "p90", "p99", "p999", "max")]
        self.assertEqual(latency, sorted(latency))
        self.assertGreater(latency[0], 0)

    def test_typed_calls(self):
        for operation, size in (("echo", 64), ("time", 0), ("exec", 0)):
            before = self.requests_served(operation)
            run, = self.bench(operation, "-n", "50", "-c", "3", "--in-flight", "2")
            self.check(run, operation, "typed", 50)
            self.assertEqual((run["connections"], run["inFlight"], run["sizeBytes"]), (3, 2, size))
            self.assertEqual(self.requests_served(operation) - before, 50)

    def test_raw_listeners(self):
        for operation, listener in (("echo", "tcp"), ("time", "udp"), ("exec", "sized")):
            before = self.requests_served(operation, listener)
            run, = self.bench(operation, "--raw", "-n", "50", "-c", "3", "--in-flight", "4")
            self.check(run, operation, "raw", 50)
            # echo's requests are what a read brought.
            if operation != "echo":
                self.assertEqual(self.requests_served(operation, listener) - before, 50)

    def test_bytes_are_counted(self):
        for raw in ([], ["--raw"]):
            run, = self.bench("echo", *raw, "-n", "20", "--size", "100000", "-c", "2", "--in-flight", "5" if raw else "1")
            self.assertEqual((run["bytesSent"], run["bytesReceived"]), (2_000_000, 2_000_000))

    def test_files_come_and_go(self):
        for raw in ([], ["--raw"]):
            up, down = self.bench("file", *raw, "-n", "12", "-c", "3", "--size", "300000")
            self.check(up, "upload", "raw" if raw else "typed", 12)
            self.check(down, "download", "raw" if raw else "typed", 12)
            self.assertGreaterEqual(down["bytesReceived"], 12 * 300_000)
            self.assertEqual(list(stack.file_root.glob("rawgate-bench*")), [])
        run, = self.bench("file", "--download", "-n", "3")
        self.check(run, "download", "typed", 3)

    def test_a_listener_of_one_s_own_choice_needs_no_gateway(self):
        host, port = stack.address("echo", "tcp-2")
        done = subprocess.run([BIN_DIR / "rawgate", "--gateway", "127.0.0.1:1", "bench", "echo", "--address", f"tcp://[{host}]:{port}",
                               "-n", "5", "--json"], capture_output=True, text=True, timeout=PATIENCE, env=clean_environment(),
                              check=True)
        self.check(json.loads(done.stdout)["runs"][0], "echo", "raw", 5)

    def test_a_duration_and_a_rate(self):
        run, = self.bench("time", "-d", "300ms", "--warmup", "100ms", "--rate", "100")
        # 300 ms of 100 a second, however slow this machine is.
        self.assertEqual(run["requests"], 30)
        self.assertEqual(run["rate"], 100)


class StandstillTest(BenchTestCase):
    def test_an_open_loop_sees_all_that_had_to_wait(self):
        """The far side answers nothing for a while: with a rate that is not one slow request, but many."""
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        process = subprocess.Popen(
            [BIN_DIR / "rawgate", "bench", "echo", "--address", "tcp://127.0.0.1:%d" % server.getsockname()[1], "-c", "1",
             "--rate", "100", "-n", "50", "--size", "10", "--json"], stdout=subprocess.PIPE, text=True, env=clean_environment())
        self.addCleanup(process.communicate)
        connection, _ = server.accept()
        self.addCleanup(connection.close)
        connection.settimeout(PATIENCE)
        # Those of half a second come together, once all of them should have been sent.
        first = connection.recv(10, socket.MSG_WAITALL)
        with self.assertRaises(BlockingIOError):
            connection.setblocking(False)
            connection.recv(1)
        connection.setblocking(True)
        answered_from = time.monotonic() + 0.6
        wait_until(lambda: time.monotonic() > answered_from, "the time of all requests")
        connection.sendall(first)
        for _ in range(49):
            connection.sendall(connection.recv(10, socket.MSG_WAITALL))
        out, _ = process.communicate(timeout=PATIENCE)
        run = json.loads(out)["runs"][0]
        self.assertEqual(run["requests"], 50)
        # A closed loop would have had one that took long, and 49 that did not.
        self.assertGreater(float(run["latency"]["p50"].removesuffix("s")), 0.1)


class FailuresTest(BenchTestCase):
    def test_a_stopped_service_is_an_error_with_its_reason(self):
        self.rawgate("stop", "time")
        self.addCleanup(self.rawgate, "start", "time")
        out, _ = self.rawgate("bench", "time", "-n", "5", "--json", code=1)
        self.assertEqual(json.loads(out)["runs"][0]["errors"], {"SERVICE_STOPPED": 5})
        _, error = self.rawgate("bench", "time", "--raw", code=1)
        self.assertIn("no listener 'udp' at udp:// that runs", error)

    def test_commands_that_fail_are_errors(self):
        out, _ = self.rawgate("bench", "exec", "--command", "exit 3", "-n", "2", "--json", code=1)
        self.assertEqual(json.loads(out)["runs"][0]["errors"], {"EXITED_3": 2})

    def test_a_closed_port_is_given_up(self):
        out, _ = self.rawgate("bench", "echo", "--address", "tcp://127.0.0.1:1", "-c", "1", "-n", "100", "--json", code=1)
        self.assertEqual(list(json.loads(out)["runs"][0]["errors"]), ["ECONNREFUSED"])

    def test_a_far_side_that_hangs_up(self):
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        process = subprocess.Popen(
            [BIN_DIR / "rawgate", "bench", "echo", "--address", "tcp://127.0.0.1:%d" % server.getsockname()[1], "-c", "1", "-n", "3",
             "--size", "4", "--json"], stdout=subprocess.PIPE, text=True, env=clean_environment())
        self.addCleanup(process.communicate)
        connection, _ = server.accept()
        connection.sendall(connection.recv(4, socket.MSG_WAITALL))
        connection.recv(4, socket.MSG_WAITALL)
        connection.close()
        connection, _ = server.accept()
        connection.sendall(connection.recv(4, socket.MSG_WAITALL))
        out, _ = process.communicate(timeout=PATIENCE)
        connection.close()
        run = json.loads(out)["runs"][0]
        self.assertEqual((run["requests"], run["errors"]), (2, {"CLOSED": 1}))

    def test_another_machine_is_not_hammered_unasked(self):
        for words in (["-c", "9"], ["--rate", "1001"], ["-d", "61s"]):
            _, error = self.rawgate("bench", "echo", "--address", "tcp://192.0.2.1:80", *words, code=2)
            self.assertIn("is another machine", error)
        for words in (["echo", "-c", "1000", "--in-flight", "1000"], ["echo", "--raw", "-c", "1000", "--in-flight", "1000", "--size", "1048576"],
                      ["time", "--address", "tcp://127.0.0.1:1"], ["echo", "--size", "1048577"], ["nothing"],
                      ["exec", "--command", "a\nb"], ["file", "--upload", "--download"]):
            self.rawgate("bench", *words, code=2)


class TerminalTest(BenchTestCase):
    def test_ctrl_c_shows_what_was_measured_and_leaves_no_file(self):
        terminal = Terminal([BIN_DIR / "rawgate", "--gateway", stack.gateway_target, "bench", "file", "--size", "1000", "--warmup", "0",
                             "-d", "1h"])
        self.addCleanup(terminal.close)
        terminal.expect(r"upload  \d+\.\ds of 3600s  [1-9]\d* requests")
        terminal.press(CONTROL_C)
        terminal.expect(r"upload, typed, .*\r\n  requests   \d+, \d+/s")
        terminal.expect(r"latency    p50 ")
        self.assertEqual(terminal.process.wait(timeout=PATIENCE), -signal.SIGINT)
        self.assertEqual(list(stack.file_root.glob("rawgate-bench*")), [])

    def test_nor_does_a_signal_while_files_are_stored(self):
        process = subprocess.Popen([BIN_DIR / "rawgate", "--gateway", stack.gateway_target, "bench", "file", "--download",
                                    "--size", "1000", "-c", "100", "--in-flight", "10", "-d", "1h"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=clean_environment())
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        wait_until(lambda: list(stack.file_root.glob("rawgate-bench*/*")), "the first file stored")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=PATIENCE), -signal.SIGTERM)
        self.assertEqual(list(stack.file_root.glob("rawgate-bench*")), [])

    def test_a_histogram_is_for_terminals(self):
        words = ["bench", "echo", "-n", "20"]
        terminal = Terminal([BIN_DIR / "rawgate", "--gateway", stack.gateway_target, *words])
        self.addCleanup(terminal.close)
        terminal.expect(r"  errors     0\r\n\r\n +[0-9.e+]+[um]s \.\. +[0-9.]+% #+")
        out, error = self.rawgate(*words)
        self.assertNotIn("#", out)
        self.assertEqual(error, "")


if __name__ == "__main__":
    unittest.main()
