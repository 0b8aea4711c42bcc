"""script/up and script/down, as a user sees them. Needs RAWGATE_BIN_DIR, the folder of the built programs."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import unittest
import urllib.request

from tests.harness.ports import stable_port

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "script"
NAMES = ("echo", "exec", "time", "file", "chat", "gateway")
RAW_PORTS = ("ECHO", "EXEC_RAW", "EXEC_SIZED", "EXEC_HEADER", "EXEC_FRAMED", "TIME", "FILE", "CHAT", "GATEWAY")
WITHIN_S = 60


class UpTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="rawgate-up-")
        self.addCleanup(folder.cleanup)
        self.state = pathlib.Path(folder.name)
        self.environment = {**os.environ, "RAWGATE_STATE_DIR": folder.name}
        internal = [f"{name.upper()}_{kind}" for name in NAMES for kind in ("RPC", "HTTP")]
        for name in (*RAW_PORTS, *internal):
            self.environment[f"RAWGATE_{name}_PORT"] = "0"
        self.addCleanup(self.run_script, "down")

    def run_script(self, *command, **environment):
        return subprocess.run(
            [SCRIPT / command[0], *command[1:]], env={**self.environment, **environment}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=WITHIN_S, check=False,
        )

    def up(self):
        result = self.run_script("up", "-d")
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def pids(self):
        files = {name: self.state / "run" / f"{name}.pid" for name in NAMES}
        return {name: int(file.read_text().split()[0]) for name, file in files.items() if file.exists()}

    def assert_gone(self, pids):
        for name, pid in pids.items():
            self.assertFalse(self.is_running(pid), name)

    @staticmethod
    def is_running(pid):
        """One that has ended may stay a zombie until the machine's first process collects it."""
        try:
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
        except FileNotFoundError:
            return False
        return stat.rpartition(")")[2].split()[0] != "Z"

    def assert_refused(self, result, message):
        """Nothing runs, and the message says why."""
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(message, result.stderr)
        self.assertEqual(self.pids(), {})
        self.assertIn("not running", self.run_script("down").stdout)

    def address(self, listing, service, listener):
        return re.search(rf"^{service} +{listener} +\w+://(\S+)$", listing, re.MULTILINE).group(1)

    def echo(self, listing):
        host, port = self.address(listing, "echo", "tcp").rsplit(":", 1)
        with socket.create_connection((host, int(port)), WITHIN_S) as connection:
            connection.sendall(b"hello")
            return connection.recv(16)

    def test_starts_all_and_down_stops_all(self):
        self.assertEqual(self.echo(self.up()), b"HELLO")
        pids = self.pids()
        self.assertEqual(set(pids), set(NAMES))
        down = self.run_script("down")
        self.assertEqual(down.returncode, 0, down.stderr)
        self.assert_gone(pids)
        again = self.run_script("down")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn("not running", again.stdout)

    def test_every_process_has_its_pages(self):
        listing = self.up()
        for name in NAMES:
            with urllib.request.urlopen(f"http://{self.address(listing, name, 'http')}/version", timeout=WITHIN_S) as page:
                self.assertEqual(json.load(page)["name"], name)

    def test_second_up_changes_nothing_and_says_so(self):
        first = self.up()
        pids = self.pids()
        second = self.up()
        self.assertIn("already running", second)
        self.assertEqual(self.address(first, "echo", "tcp"), self.address(second, "echo", "tcp"))
        self.assertEqual(self.pids(), pids)

    def test_up_starts_again_what_died(self):
        # With a port of its own: the gateway goes on looking where the service was.
        self.environment["RAWGATE_ECHO_RPC_PORT"] = str(stable_port())
        self.up()
        before = self.pids()
        os.kill(before["echo"], signal.SIGKILL)
        self.assertEqual(self.echo(self.up()), b"HELLO")
        after = self.pids()
        self.assertEqual({name for name in NAMES if before[name] != after[name]}, {"echo"})

    def test_taken_ports_are_named_with_who_has_them(self):
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            tcp.listen()
            udp.bind(("0.0.0.0", 0))
            tcp_port, udp_port = tcp.getsockname()[1], udp.getsockname()[1]
            result = self.run_script(
                "up", "-d", RAWGATE_FILE_PORT=str(tcp_port), RAWGATE_TIME_PORT=str(udp_port)
            )
        self.assert_refused(result, f"rawgate-file: tcp port {tcp_port} is taken by pid {os.getpid()}")
        self.assertIn(f"rawgate-time: udp port {udp_port} is taken by pid {os.getpid()}", result.stderr)

    def test_process_that_cannot_start_shows_its_log(self):
        self.assert_refused(self.run_script("up", "-d", RAWGATE_LOG_LEVEL="loud"), "--log_level")

    def test_interrupt_drains_the_foreground(self):
        with subprocess.Popen(
            [SCRIPT / "up"], env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        ) as foreground:
            listing = ""
            while "Ctrl-C" not in listing:
                line = foreground.stdout.readline()
                self.assertTrue(line, "script/up ended")
                listing += line
            self.assertEqual(self.echo(listing), b"HELLO")
            pids = self.pids()
            foreground.send_signal(signal.SIGINT)
            self.assertEqual(foreground.wait(WITHIN_S), 0)
        self.assert_gone(pids)

    def test_down_spares_a_process_that_only_has_the_pid(self):
        with subprocess.Popen(["sleep", "1000"]) as stranger:
            (self.state / "run").mkdir()
            (self.state / "run/echo.pid").write_text(f"{stranger.pid} 1 another-boot\n")
            self.assertIn("not running", self.run_script("down").stdout)
            self.assertIsNone(stranger.poll())
            stranger.kill()


if __name__ == "__main__":
    unittest.main()
