"""Options in listen addresses: each listener has its own, the flags are for those that say nothing, nonsense is refused."""

import unittest

from tests.conformance.plain_client import connect, datagram_socket, receive_exactly
from tests.harness import rpc
from tests.system.program_test import ProgramTest


class EchoOptionsTest(ProgramTest):
    LISTENERS = ["tcp=tcp://127.0.0.1:0", "tcp=tcp://127.0.0.1:0?transform=identity",
                 "tcp=tcp://127.0.0.1:0?transform=upper", "udp=udp://127.0.0.1:0",
                 "udp=udp://127.0.0.1:0?reply=identity", "udp=udp://127.0.0.1:0?reply=upper",
                 "udp=udp://127.0.0.1:0?reply=greeting"]

    def stream(self, listener):
        with connect(self.stack.address("echo", listener)) as client:
            client.sendall(b"Ab\0")
            return receive_exactly(client, 3)

    def datagram(self, listener):
        with datagram_socket(self.stack.address("echo", listener)) as client:
            client.send(b"Ab\0")
            return client.recv(64)

    def answers(self, *flags):
        self.stack.start_service("echo", *flags, listeners=self.LISTENERS)
        return ([self.stream(name) for name in ("tcp", "tcp-2", "tcp-3")],
                [self.datagram(name) for name in ("udp", "udp-2", "udp-3", "udp-4")])

    def test_each_listener_has_its_own(self):
        self.assertEqual(self.answers(), ([b"AB\0", b"Ab\0", b"AB\0"], [b"hi", b"Ab\0", b"AB\0", b"hi"]))

    def test_flags_are_for_listeners_that_say_nothing(self):
        self.assertEqual(self.answers("--transform=identity", "--udp_reply=upper"),
                         ([b"Ab\0", b"Ab\0", b"AB\0"], [b"AB\0", b"Ab\0", b"AB\0", b"hi"]))

    def test_option_of_a_unix_socket(self):
        path = self.stack.directory / "echo.sock"
        self.stack.start_service("echo", listeners=[f"tcp=unix://{path}?transform=identity"])
        self.assertTrue(path.exists())
        self.assertEqual(self.stream("tcp"), b"Ab\0")

    def test_operators_see_them(self):
        client = rpc.Client(self.stack.start_service("echo", listeners=self.LISTENERS).rpc_target)
        self.addCleanup(client.close)
        self.assertEqual([listener.configured_address for listener in client.service("echo").listeners],
                         [listener.partition("=")[2] for listener in self.LISTENERS])
        self.assertNotIn("?", client.listener("echo", "tcp-2").bound_address)


class RefusalTest(ProgramTest):
    def assert_refused(self, program, listen, *words):
        """By status 2 and one line that names the listener and the rest of what is needed to put it right."""
        flags = [f"--listen={listen}"]
        if program != "gateway":
            flags.append("--rpc_listen=tcp://127.0.0.1:0")
        if program == "file":
            flags.append(f"--root={self.stack.file_root}")
        if program == "chat":
            flags.append("--history=off")
        result = self.run_to_end(program, *flags)
        self.assertEqual((result.returncode, result.stdout), (2, b""), result.stderr)
        # Some services say first what they are about to do; the reason is one line, and the last.
        lines = result.stderr.decode().splitlines()
        self.assertEqual([line for line in lines[:-1] if " info " not in line], [], lines)
        for word in words:
            self.assertIn(word, lines[-1])

    def test_wrong_value(self):
        self.assert_refused("echo", "tcp=tcp://127.0.0.1:0,tcp=tcp://127.0.0.1:0?transform=sideways",
                            "tcp-2 (tcp://127.0.0.1:0?transform=sideways)", "transform is upper or identity", '"sideways"')
        self.assert_refused("echo", "udp=udp://127.0.0.1:0?reply=", "reply is greeting, identity or upper")
        for rate in ("0", "-1", "fast", "67108865"):
            self.assert_refused("echo", f"chargen=tcp://127.0.0.1:0?rate={rate}", "chargen", "from 1 to 67108864")

    def test_unknown_option(self):
        self.assert_refused("echo", "tcp=tcp://127.0.0.1:0?reply=upper", "no option reply", "only transform")
        self.assert_refused("echo", "discard=tcp://127.0.0.1:0?rate=5", "discard", "no option rate")

    def test_listeners_without_options(self):
        for program, listen in (("exec", "raw=tcp://127.0.0.1:0"), ("file", "tcp=tcp://127.0.0.1:0"),
                                ("time", "udp=udp://127.0.0.1:0"), ("chat", "udp=udp://127.0.0.1:0"),
                                ("gateway", "grpc=tcp://127.0.0.1:0")):
            with self.subTest(program=program):
                self.assert_refused(program, f"{listen}?transform=upper", "no option transform")

    def test_what_is_no_option(self):
        for text in ("?transform", "?=upper", "?transform=upper&", "?transform=upper&transform=upper"):
            with self.subTest(text=text):
                self.assert_refused("echo", f"tcp=tcp://127.0.0.1:0{text}", "tcp (tcp://127.0.0.1:0")

    def test_chargen_over_datagrams(self):
        self.assert_refused("echo", "chargen=udp://127.0.0.1:0", "chargen (udp://127.0.0.1:0)", "victim")
        self.assert_refused("echo", f"chargen=unixgram://{self.stack.directory}/chargen.sock", "streams alone")

    def test_help_names_the_options(self):
        shown = self.run_to_end("echo", "--help").stdout.decode()
        for word in ("transform=upper|identity", "reply=greeting|identity|upper", "rate=BYTES_PER_SECOND", "?KEY=VALUE"):
            self.assertIn(word, shown)


if __name__ == "__main__":
    unittest.main()
