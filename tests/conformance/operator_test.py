"""Rows 8 and 9 with a person at the terminal: `rawgate chat` answers, `rawgate watch --chunks` shows how bytes arrive."""

import os
import signal
import subprocess
import unittest

from tests.conformance.plain_client import connect, datagram_socket, receive_exactly
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.program import BIN_DIR, clean_environment
from tests.harness.stack import Stack

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo")
    stack.start_service("chat")
    stack.start_service("exec")
    stack.start_gateway()


def rawgate(*words, **options):
    """A command that ends by itself."""
    return subprocess.run([BIN_DIR / "rawgate", *words], capture_output=True, timeout=PATIENCE, check=False,
                          env=clean_environment(RAWGATE_GATEWAY=stack.gateway_target), **options)


class Terminal:
    """A `rawgate` command that stays: what it shows can be awaited, and lines can be typed."""

    def __init__(self, test, *words):
        self.path = stack.directory / f"{test.id()}.out"
        with open(self.path, "wb") as screen:
            self.process = subprocess.Popen(
                [BIN_DIR / "rawgate", *words], stdin=subprocess.PIPE, stdout=screen, stderr=subprocess.STDOUT,
                env=clean_environment(RAWGATE_GATEWAY=stack.gateway_target))
        test.addCleanup(self.kill)

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def lines(self):
        return self.path.read_text(errors="surrogateescape").splitlines()

    def await_line(self, *parts):
        """The first line that has all of these in it."""
        return wait_until(lambda: next((line for line in self.lines() if all(part in line for part in parts)), None),
                          f"a line with {parts} in {self.lines()}")

    def type(self, line):
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()


class WatchTest(unittest.TestCase):
    def setUp(self):
        self.terminal = Terminal(self, "watch", "--chunks", "echo")
        self.terminal.await_line("watching")

    def chunk_lines(self, conversation):
        with connect(stack.address("echo", "tcp")) as client:
            name = "%s:%d" % client.getsockname()
            conversation(client)
        number = self.terminal.await_line("opened", name).split()[2]
        self.terminal.await_line(f" {number} ", "closed")
        return [line for line in self.terminal.lines() if f" {number} " in line and " chunk " in line]

    def test_two_messages_and_the_size_of_each(self):
        def conversation(client):
            for word in (b"hello", b"world"):
                client.sendall(word)
                receive_exactly(client, 5)

        first, second = self.chunk_lines(conversation)
        self.assertIn("5 bytes", first)
        self.assertIn("hello", first)
        self.assertIn("5 bytes", second)
        self.assertIn("world", second)

    def test_two_quick_sends_show_as_they_arrived(self):
        def conversation(client):
            client.send(b"hello")
            client.send(b"world")
            receive_exactly(client, 10)

        lines = self.chunk_lines(conversation)
        sizes = [int(line.split(" bytes")[0].split()[-1]) for line in lines]
        self.assertIn(sizes, ([10], [5, 5]))

    def test_escapes_never_reach_the_terminal_raw(self):
        def conversation(client):
            client.sendall(b"\x1b[2J\x07")
            receive_exactly(client, 5)

        lines = self.chunk_lines(conversation)
        self.assertEqual(len(lines), 1)
        self.assertNotIn("\x1b", lines[0])

    def test_control_c_ends_it(self):
        self.terminal.process.send_signal(signal.SIGINT)
        self.assertIn(self.terminal.process.wait(PATIENCE), (0, 130, -signal.SIGINT))


class ChatTest(unittest.TestCase):
    def test_person_answers_a_client(self):
        with datagram_socket(stack.address("chat", "udp")) as visitor:
            visitor.send(b"anybody \x1b[2J there?")
            terminal = Terminal(self, "chat", "--name", "anna")
            line = terminal.await_line("anybody", "there?")
            self.assertNotIn("\x1b", line)
            terminal.type("yes, 你好".encode())
            self.assertEqual(visitor.recv(4096).decode(), "yes, 你好")
            visitor.send(b"thanks")
            terminal.await_line("thanks")
            terminal.process.stdin.close()
            self.assertEqual(terminal.process.wait(PATIENCE), 0)

    def test_a_line_that_cannot_be_sent_fails_a_script(self):
        for line in (b"@77 hi\n", b"/bogus\n"):
            with self.subTest(line=line):
                result = rawgate("chat", input=line)
                self.assertEqual(result.returncode, 1)
                self.assertIn(b"-- no s", result.stderr)
                self.assertNotIn(b"-- no s", result.stdout)


class CommandLineTest(unittest.TestCase):
    def test_words_that_are_no_text_are_named(self):
        for words, named in (
            (("stat", b"b\xff.txt"), rb'NAME: "b\xff.txt"'),
            (("stop", b"\xff"), rb'SERVICE[/LISTENER]: "\xff"'),
            (("run", "--", "echo", b"\xff"), rb'COMMAND: "\xff"'),
        ):
            with self.subTest(words=words):
                result = rawgate(*words)
                self.assertEqual(result.returncode, 2)
                self.assertIn(named + b" is not UTF-8", result.stderr)
                self.assertEqual(result.stderr.count(b"\n"), 1)

    def run_with_idle_input(self, command):
        """`rawgate run`, with a standard input that stays open and brings nothing."""
        reader, writer = os.pipe()
        self.addCleanup(os.close, writer)
        with os.fdopen(reader) as idle:
            process = subprocess.Popen([BIN_DIR / "rawgate", "run", command], stdin=idle, stdout=subprocess.PIPE,
                                       env=clean_environment(RAWGATE_GATEWAY=stack.gateway_target))
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_control_c_ends_a_command_that_waits_for_input(self):
        process = self.run_with_idle_input("echo up; cat")
        self.assertEqual(process.stdout.readline(), b"up\n")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), -signal.SIGINT)

    def test_a_command_that_ends_does_not_wait_for_input(self):
        self.assertEqual(self.run_with_idle_input("exit 3").wait(PATIENCE), 3)


if __name__ == "__main__":
    unittest.main()
