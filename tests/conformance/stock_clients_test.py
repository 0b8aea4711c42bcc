"""socat and nc, as they come, with every protocol that a person would try by hand."""

import os
import selectors
import subprocess
import time
import unittest

from tests.conformance.clock_answers import check_daytime, check_seconds
from tests.harness import rpc
from tests.harness.deadlines import PATIENCE
from tests.harness.stack import Stack

CHARGEN_LINE = bytes(range(32, 104)) + b"\r\n"

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)

    def both(*roles):
        return [f"{role}={address}" for role in roles for address in
                ("tcp://127.0.0.1:0", f"unix://{stack.directory}/{role}.sock")]

    stack.start_service("echo", listeners=[*both("tcp", "discard", "chargen"), "udp=udp://127.0.0.1:0", "discard=udp://[::1]:0",
                                           f"udp=unixgram://{stack.directory}/udp.sock?reply=upper"])
    stack.start_service("time", listeners=[*both("daytime", "time"), "udp=udp://127.0.0.1:0", "daytime=udp://127.0.0.1:0",
                                           "time=udp://127.0.0.1:0", f"udp=unixgram://{stack.directory}/strftime.sock"])
    stack.start_service("chat", "--auto_reply=The desk opens at nine. 九点见。")


def nc(service, listener, *options):
    """OpenBSD's nc for a listener's address."""
    address = stack.address(service, listener)
    return ["nc", *options, "-U", address] if isinstance(address, str) else ["nc", *options, address[0], str(address[1])]


def socat(service, listener, kind, options=("-",)):
    """socat between its standard input and output, or what `options` says, and an address of one of its kinds."""
    address = stack.address(service, listener)
    where = address if isinstance(address, str) else f"[{address[0]}]:{address[1]}" if ":" in address[0] else \
        f"{address[0]}:{address[1]}"
    return ["socat", "-t60", *options, f"{kind}:{where}"]


class StockTest(unittest.TestCase):
    def run_to_end(self, command, text=b""):
        """For streams, which have an end."""
        result = subprocess.run(command, input=text, capture_output=True, timeout=PATIENCE, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, b""), command)
        return result.stdout

    def ask(self, command, *texts, size=1):
        """What comes back for each of the texts, at least `size` bytes of it: for datagrams, which have no end."""
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
            answers = []
            for text in texts or (b"",):
                client.stdin.write(text)
                client.stdin.flush()
                answers.append(self._read(client, size))
            client.terminate()
        return answers

    def _read(self, client, size):
        received, end = b"", time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(client.stdout, selectors.EVENT_READ)
            while len(received) < size:
                self.assertTrue(selector.select(max(0, end - time.monotonic())), f"only {received!r} came")
                part = os.read(client.stdout.fileno(), 65536)
                self.assertTrue(part, f"{client.args} ended")
                received += part
        return received


class StreamTest(StockTest):
    def test_echo(self):
        for command in (nc("echo", "tcp", "-N"), nc("echo", "tcp-2", "-N"), socat("echo", "tcp", "TCP"),
                        socat("echo", "tcp-2", "UNIX-CONNECT")):
            with self.subTest(command=command):
                self.assertEqual(self.run_to_end(command, b"hello\n"), b"HELLO\n")
                text = b"a longer text, " * 20_000
                self.assertTrue(self.run_to_end(command, text) == text.upper())

    def test_discard(self):
        for command in (nc("echo", "discard", "-N"), nc("echo", "discard-2", "-N"), socat("echo", "discard", "TCP"),
                        socat("echo", "discard-2", "UNIX-CONNECT", ("-u", "-"))):
            with self.subTest(command=command):
                self.assertEqual(self.run_to_end(command, b"x" * 1_000_000), b"")

    def test_chargen(self):
        for command in (nc("echo", "chargen"), nc("echo", "chargen-2"), socat("echo", "chargen", "TCP"),
                        socat("echo", "chargen-2", "UNIX-CONNECT")):
            with self.subTest(command=command):
                self.assertEqual(self.ask(command, size=100_000)[0][:74], CHARGEN_LINE)

    def test_chargen_and_a_half_close(self):
        """`nc -N </dev/null`: the first lines come, then the end."""
        self.assertEqual(self.run_to_end(nc("echo", "chargen", "-N"))[:74], CHARGEN_LINE)

    def test_daytime(self):
        for command in (nc("time", "daytime"), nc("time", "daytime-2", "-N"), socat("time", "daytime", "TCP"),
                        socat("time", "daytime-2", "UNIX-CONNECT")):
            with self.subTest(command=command):
                check_daytime(self, self.run_to_end(command))

    def test_time(self):
        for command in (nc("time", "time"), nc("time", "time-2"), socat("time", "time", "TCP")):
            with self.subTest(command=command):
                check_seconds(self, self.run_to_end(command))


class DatagramTest(StockTest):
    def test_echo(self):
        for command in (nc("echo", "udp", "-u"), socat("echo", "udp", "UDP"), socat("echo", "udp", "UDP-SENDTO")):
            with self.subTest(command=command):
                self.assertEqual(self.ask(command, b"hello\n", b"again\n", size=2), [b"hi", b"hi"])

    def test_echo_over_a_unix_socket(self):
        own = f"bind={stack.directory}/socat.sock,unlink-close"
        command = socat("echo", "udp-2", "UNIX-SENDTO")
        command[-1] += f",{own}"
        self.assertEqual(self.ask(command, b"hello\n", b"again\n", size=6), [b"HELLO\n", b"AGAIN\n"])
        self.assertEqual(self.ask(nc("echo", "udp-2", "-u"), b"hello\n", size=6), [b"HELLO\n"])

    def test_strftime(self):
        for command in (nc("time", "udp", "-u"), socat("time", "udp", "UDP"), nc("time", "udp-2", "-u")):
            with self.subTest(command=command):
                self.assertEqual(self.ask(command, b"100 %%\n", b"50 %%\n", size=5), [b"100 %\n", b"50 %\n"])

    def test_daytime_and_time(self):
        for tool in (lambda listener: nc("time", listener, "-u"), lambda listener: socat("time", listener, "UDP")):
            check_daytime(self, self.ask(tool("daytime-3"), b"?\n")[0])
            check_seconds(self, self.ask(tool("time-3"), b"?\n")[0])

    def test_discard(self):
        client = rpc.Client(stack.programs["echo"].rpc_target)
        self.addCleanup(client.close)
        before = client.listener("echo", "discard-3").counters
        self.run_to_end(["socat", "-u", "-", socat("echo", "discard-3", "UDP6")[-1]], b"thrown away\n")
        self.assertEqual(self.run_to_end(socat("echo", "discard-3", "UDP6", ("-t0", "-")), b"thrown away\n"), b"")
        after = client.listener("echo", "discard-3").counters
        self.assertEqual((after.requests - before.requests, after.bytes_received - before.bytes_received), (2, 24))

    def test_chat(self):
        answer = "The desk opens at nine. 九点见。".encode()
        for command in (nc("chat", "udp", "-u"), socat("chat", "udp", "UDP")):
            with self.subTest(command=command):
                self.assertEqual(self.ask(command, b"anybody there?\n", size=len(answer)), [answer])


if __name__ == "__main__":
    unittest.main()
