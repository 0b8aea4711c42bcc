"""`rawgate watch`: filters, samples, its end, and a gateway that goes and comes back."""

import json
import signal
import socket
import subprocess
import unittest

from tests.conformance.plain_client import connect, receive_exactly
from tests.harness.deadlines import PATIENCE
from tests.harness.ports import stable_port
from tests.harness.program import BIN_DIR, clean_environment
from tests.harness.stack import Stack
from tests.harness.terminal import CONTROL_C, Terminal

stack = None
port = stable_port()


def setUpModule():
    global stack
    stack = Stack(stable_ports=True)
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo", "--allow_faults")
    stack.start_service("exec")
    start_gateway()


def start_gateway():
    stack.start_gateway(f"--listen=grpc=tcp://127.0.0.1:{port}")


def environment():
    return clean_environment(RAWGATE_GATEWAY=stack.gateway_target)


def converse(*words):
    """With echo, over a connection of its own; its name is returned."""
    with connect(stack.address("echo", "tcp")) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for word in words:
            client.sendall(word)
            receive_exactly(client, len(word))
        return "%s:%d" % client.getsockname()


class Watching:
    """`rawgate watch`, from the moment on from which it misses nothing."""

    def __init__(self, test, *words):
        self.process = subprocess.Popen([BIN_DIR / "rawgate", "watch", *words], text=True, env=environment(),
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        test.addCleanup(self.end)
        self.test = test
        test.assertTrue(self.process.stderr.readline().startswith("watching "))

    def end(self):
        self.process.kill()
        self.process.communicate()

    def result(self):
        """What it printed, once it has ended by itself."""
        out, error = self.process.communicate(timeout=PATIENCE)
        self.test.assertEqual(self.process.returncode, 0, error)
        return out


class Filters(unittest.TestCase):
    def test_kinds_and_count(self):
        watching = Watching(self, "echo", "--kind", "chunk,closed", "-n", "3")
        converse(b"one", b"two")
        lines = watching.result().splitlines()
        self.assertEqual([line.split()[3] for line in lines], ["chunk", "chunk", "closed"])

    def test_a_listener(self):
        watching = Watching(self, "echo/tcp-2", "--plain", "-n", "1")
        converse(b"unseen")
        with connect(stack.address("echo", "tcp-2")):
            pass
        self.assertEqual(watching.result().split("\t")[1], "echo/tcp-2")

    def test_a_peer_that_was_there_before(self):
        with connect(stack.address("echo", "tcp")) as client:
            client.sendall(b"before")
            receive_exactly(client, 6)
            watching = Watching(self, "--peer", "%s:%d" % client.getsockname(), "--chunks", "-n", "1")
            converse(b"another")
            client.sendall(b"hello")
            receive_exactly(client, 5)
            self.assertIn('5 bytes  "hello"', watching.result())

    def test_failures(self):
        watching = Watching(self, "exec", "--errors", "--json", "-n", "1")
        for command in ("true", "false"):
            subprocess.run([BIN_DIR / "rawgate", "run", command], env=environment(), timeout=PATIENCE, check=False)
        self.assertEqual(json.loads(watching.result())["commandEnded"]["outcome"], "exited 1")

    def test_text(self):
        watching = Watching(self, "--chunks", "--match", "NEEDLE", "-n", "1")
        converse(b"hay", b"a needle in hay")
        self.assertIn('"a needle in hay"', watching.result())


    def test_faults(self):
        watching = Watching(self, "echo", "--kind", "fault", "-n", "1")
        for words in (("set", "echo/tcp", "--received", "--cut-after", "3"), ("clear", "echo/tcp")):
            subprocess.run([BIN_DIR / "rawgate", "fault", *words], env=environment(), timeout=PATIENCE, check=True,
                           capture_output=True)
            if words[0] == "set":
                with connect(stack.address("echo", "tcp")) as client:
                    client.sendall(b"hello")
                    while client.recv(100):
                        pass
                    name = "%s:%d" % client.getsockname()
        self.assertTrue(watching.result().endswith(f"fault    cut of a connection from tcp://{name}\n"))


class Samples(unittest.TestCase):
    def test_hex(self):
        watching = Watching(self, "echo", "--kind", "chunk", "--hex", "--sample", "20", "-n", "1")
        converse(bytes(range(60, 84)) + b"\x00")
        self.assertEqual(watching.result().splitlines()[1:], [
            "  0000  3c 3d 3e 3f 40 41 42 43  44 45 46 47 48 49 4a 4b  |<=>?@ABCDEFGHIJK|",
            "  0010  4c 4d 4e 4f                                       |LMNO|",
            "  ...   5 more",
        ])

    def test_colours_at_a_terminal_alone(self):
        for environment_, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
            with self.subTest(environment=environment_):
                terminal = Terminal([BIN_DIR / "rawgate", "watch", "echo"],
                                    environment={"RAWGATE_GATEWAY": stack.gateway_target, **environment_})
                self.addCleanup(terminal.close)
                terminal.expect("watching echo")
                converse(b"hello")
                terminal.expect("closed")
                self.assertEqual(b"\x1b[32mopened\x1b[0m" in terminal.screen, coloured)
                self.assertEqual(b"\x1b" in terminal.screen, coloured)
                terminal.press(CONTROL_C)
                self.assertEqual(terminal.wait(), -signal.SIGINT)


class End(unittest.TestCase):
    def test_time_is_over(self):
        result = subprocess.run([BIN_DIR / "rawgate", "watch", "--timeout", "50ms", "-n", "1", "--match", "never"],
                                capture_output=True, text=True, env=environment(), timeout=PATIENCE, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("only 0 of 1 event within 50ms", result.stderr)

    def test_no_such_service(self):
        result = subprocess.run([BIN_DIR / "rawgate", "watch", "ecoh"], capture_output=True, text=True,
                                env=environment(), timeout=PATIENCE, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("'rawgate ps' lists services", result.stderr)

    def test_gateway_goes_and_nothing_is_missed(self):
        watching = Watching(self, "echo", "--kind", "chunk", "-n", "3")
        converse(b"before")
        self.assertIn('"before"', watching.process.stdout.readline())
        stack.programs.pop("gateway").stop()
        self.assertIn("Trying again.", watching.process.stderr.readline())
        converse(b"meanwhile")
        start_gateway()
        self.assertIn("connected again", watching.process.stderr.readline())
        converse(b"after")
        lines = watching.result().splitlines()
        self.assertEqual([line.split('"')[1] for line in lines], ["meanwhile", "after"])

    def test_without_reconnecting(self):
        watching = Watching(self, "echo", "--no-reconnect")
        stack.programs.pop("gateway").stop()
        self.assertEqual(watching.process.wait(PATIENCE), 1)
        start_gateway()


if __name__ == "__main__":
    unittest.main()
