"""What every example must do, in every language: one method for each program, which fails where there is none, or one
that no method knows. Each module beside this one is a language."""

import contextlib
import hashlib
import json
import os
import re
import socket
import subprocess
import threading

from tests.conformance.plain_client import connect, datagram_socket, receive_exactly
from tests.examples.follower import Follower
from tests.harness import rpc
from tests.harness.deadlines import PATIENCE
from tests.harness.ports import stable_port
from tests.harness.program import clean_environment
from tests.harness.stack import HTTP, LISTENERS, LOOPBACKS, Stack
from tests.harness.test_clock import setting

HOST = "127.0.0.1"
HOSTS = [host.strip("[]") for host in LOOPBACKS]
LINES_MAX = 60
# As README.md has them.
PORTS = {"echo_raw": "8080", "exec_raw": "8083|8084", "time_raw": "9000", "file_raw": "8090", "chat_raw": "8081"}
CONTENT = os.urandom(3_000_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Examples:
    """To be inherited together with TestCase, and with a `language`."""

    language = None

    @classmethod
    def setUpClass(cls):
        cls.language.prepare()
        cls.stack = Stack()
        cls.addClassCleanup(cls.stack.stop)
        # One port, as usual: what asks both has one to be told.
        echo = stable_port()
        for name in LISTENERS:
            listeners = [f"{kind}={kind}://{host}:{echo}" for kind in ("tcp", "udp") for host in LOOPBACKS]
            cls.stack.start_service(name, *(["--test_clock"] if name == "time" else []),
                                    listeners=listeners if name == "echo" else None)
        cls.stack.start_gateway(HTTP)
        cls.client = rpc.client_of(cls.stack)
        cls.addClassCleanup(cls.client.close)
        cls.gateway = cls.language.gateway(cls.stack.gateway_target, "{}:{}".format(*cls.stack.http("gateway")))
        cls.file = cls.stack.directory / "to-send"
        cls.file.write_bytes(CONTENT)
        # Nobody listens there as long as this test runs.
        cls.nowhere = stable_port()
        proxies = {f"{kind}_{suffix}": "" for kind in ("http", "https", "grpc", "all") for suffix in ("proxy", "PROXY")}
        cls.environment = clean_environment(**proxies, **cls.language.environment)

    def address(self, service, *listeners):
        addresses = [self.stack.address(service, listener) for listener in listeners]
        return self.language.address(HOST, *(port for _, port in addresses))

    def typed(self, area):
        return f"{area}_{self.language.typed}"

    def run_example(self, example, *arguments, code=0):
        """Its two outputs, once it has ended as it should."""
        done = subprocess.run([*self.language.command(example), *map(str, arguments)], env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=2 * PATIENCE,
                              check=False)
        self.assertEqual(done.returncode, code, f"{example} printed\n{done.stdout}\nand said\n{done.stderr}")
        return done.stdout, done.stderr

    def follow_example(self, example, *arguments):
        follower = Follower([*self.language.command(example), *map(str, arguments)], self.environment)
        self.addCleanup(follower.close)
        return follower

    def test_that_all_are_here_and_are_run(self):
        expected = {"echo_raw", "exec_raw", "time_raw", "file_raw", "chat_raw",
                    *map(self.typed, ("echo", "exec", "time", "file", "chat", "control"))}
        self.assertEqual(self.language.examples(), expected)
        for example in expected:
            self.assertTrue(hasattr(self, f"test_{example.replace('_' + self.language.typed, '_typed')}"), example)

    def test_that_each_is_read_at_a_glance(self):
        for source in self.language.sources():
            lines = source.read_text(encoding="utf-8").splitlines()
            self.assertLessEqual(len(lines), LINES_MAX, source)
            self.assertLessEqual(max(map(len, lines)), 124, source)

    def test_that_ports_are_the_usual_ones(self):
        text = {source: source.read_text(encoding="utf-8") for source in self.language.sources()}
        for example, ports in PORTS.items():
            # Go's have a folder each.
            (own,) = [each for source, each in text.items() if example in (source.stem, source.parent.name)]
            for port in ports.split("|"):
                self.assertIn(port, own, example)
        self.assertTrue(any(f"{HOST}:{port}" in each for each in text.values() for port in ("50051", "8088")))

    def test_style(self):
        self.language.check_style()

    def test_that_nobody_listens(self):
        """Each says so, in a line for people, and ends with 1."""
        here = lambda *ports: self.language.address(HOST, *ports)
        gateway = self.language.gateway(f"{HOST}:{self.nowhere}", f"{HOST}:{self.nowhere}")
        subjects = {"exec": ["uname"], "file": [self.file, "name"]}
        for example in sorted(self.language.examples()):
            area, _, kind = example.partition("_")
            subject = subjects.get(area, ["hello"] if example == "chat_raw" else [])
            where = here(*[self.nowhere] * (2 if area == "exec" else 1)) if kind == "raw" else [gateway]
            with self.subTest(example=example):
                _, said = self.run_example(example, *subject, *where, code=1)
                self.assertNotEqual(said, "")
                self.assertLessEqual(len(said.splitlines()), 2, said)

    def test_echo_raw(self):
        port = self.stack.address("echo", "tcp")[1]
        for host in HOSTS:
            printed, _ = self.run_example("echo_raw", *self.language.address(host, port))
            self.assertEqual(printed, "tcp: HELLO\nudp: hi\n")

    def test_echo_typed(self):
        printed, _ = self.run_example(self.typed("echo"), self.gateway)
        self.assertEqual(printed, "echo: HELLO\nconverse: ONE\nconverse: TWO\nconverse: THREE\n")

    def test_exec_raw(self):
        printed, said = self.run_example(
            "exec_raw", "echo out; echo err >&2; exit 3", *self.address("exec", "sized", "header"), code=3)
        self.assertEqual((printed, said), ("sized: 8 bytes\nout\nexit code: 3\n", "err\n"))

    def test_exec_raw_without_an_exit_code(self):
        _, said = self.run_example("exec_raw", "kill -9 $$", *self.address("exec", "sized", "header"), code=1)
        self.assertIn("no exit code", said)

    def test_exec_typed(self):
        printed, said = self.run_example(self.typed("exec"), "echo out; echo err >&2; exit 3", self.gateway, code=3)
        self.assertEqual(printed, "out\n")
        self.assertRegex(said, r"started: \S+\n(.*\n)*err\n")
        self.run_example(self.typed("exec"), "true", self.gateway)

    def test_exec_typed_without_an_exit_code(self):
        _, said = self.run_example(self.typed("exec"), "kill -9 $$", self.gateway, code=1)
        self.assertIn("no exit code", said)

    def test_exec_typed_shows_output_as_it_comes(self):
        go_on = self.stack.scratch / "go-on"
        running = self.follow_example(
            self.typed("exec"), f"echo first; until [ -e {go_on} ]; do sleep 0.05; done; echo second", self.gateway)
        running.expect("first\n")
        go_on.touch()
        running.expect("second\n")
        self.assertEqual(running.process.wait(PATIENCE), 0)

    def test_time_raw(self):
        printed, _ = self.run_example("time_raw", *self.address("time", "udp"))
        self.assertRegex(printed, r"\Atime: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n\Z")

    def test_time_typed(self):
        """Both clocks are this machine's, but that the service's is told to be an hour ahead."""
        self.client.time.SetTestClock(rpc.time.SetTestClockRequest(test_clock=setting(offset=3600)), timeout=PATIENCE)
        printed, _ = self.run_example(self.typed("time"), self.gateway)
        found = re.fullmatch(r"time: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\noffset: ([-+\d.]+) ms, give or take ([\d.]+) ms\n", printed)
        self.assertTrue(found, printed)
        offset, uncertainty = map(float, found.groups())
        # What is printed holds as long as nobody sets the machine's clock, which may happen to a test.
        self.assertLessEqual(abs(offset - 3_600_000), uncertainty + 50)

    def check_transfer(self, example, name, *where):
        printed, said = self.run_example(example, self.file, name, *where)
        self.assertEqual(printed, f"stored: {name} {DIGEST}\ndownloaded: the same bytes\n")
        self.assertEqual((self.stack.file_root / name).read_bytes(), CONTENT)
        return said

    def check_empty_file(self, example, *where):
        empty = self.stack.directory / "empty"
        empty.touch()
        printed, _ = self.run_example(example, empty, "nothing", *where)
        self.assertIn("downloaded: the same bytes", printed)
        self.assertEqual((self.stack.file_root / "nothing").read_bytes(), b"")
        (self.stack.file_root / "nothing").unlink()

    def test_file_raw(self):
        where = self.address("file", "tcp")
        self.check_transfer("file_raw", "folder/by socket", *where)
        self.check_empty_file("file_raw", *where)
        _, said = self.run_example("file_raw", self.file, "../outside", *where, code=1)
        self.assertIn("BAD_FILENAME", said)

    def test_file_raw_quotes_what_it_is_told(self):
        server = self.enterContext(socket.create_server((HOST, 0)))
        server.settimeout(PATIENCE)
        # Both clear a screen, by one byte and by two.
        wild = "of the \x1b[2J or \x9b2J kind"
        reply = json.dumps({"status": "error", "reason": wild, "message": wild}).encode()

        def refuse():
            client, _ = server.accept()
            with client, contextlib.suppress(ConnectionError):
                client.sendall(len(reply).to_bytes(4, "little") + reply)
                while client.recv(1 << 16):
                    pass

        refusing = threading.Thread(target=refuse)
        refusing.start()
        self.addCleanup(refusing.join)
        where = self.language.address(HOST, server.getsockname()[1])
        _, said = self.run_example("file_raw", self.file, "name", *where, code=1)
        self.assertIn("kind", said)
        self.assertNotRegex(said, "[\x1b\x80-\x9f]")

    def test_file_typed(self):
        example = self.typed("file")
        said = self.check_transfer(example, "folder/by gateway", self.gateway)
        self.assertIn(f"{len(CONTENT)} of {len(CONTENT)} bytes\n", said)
        self.assertEqual(self.check_transfer(example, "folder/by gateway", self.gateway), "")
        self.check_empty_file(example, self.gateway)
        _, said = self.run_example(example, self.file, "../outside", self.gateway, code=1)
        self.assertRegex(said, r"INVALID_ARGUMENT|InvalidArgument|invalid_argument|\b3: ")

    def test_file_typed_goes_on_where_it_was(self):
        name, half = "resumed", 700_000
        upload_id = hashlib.sha256(f"{name} {DIGEST}".encode()).hexdigest()
        begin = rpc.file.CreateUploadRequest(upload_id=upload_id, filename=name, size=len(CONTENT))
        begin.expected.sha256 = DIGEST
        self.client.file.CreateUpload(begin, timeout=PATIENCE)
        chunk = rpc.file.WriteChunkRequest(upload_id=upload_id, data=CONTENT[:half])
        self.client.file.WriteChunk(chunk, timeout=PATIENCE)
        printed, _ = self.run_example(self.typed("file"), self.file, name, self.gateway)
        self.assertEqual(printed, f"resumed at: {half}\nstored: {name} {DIGEST}\ndownloaded: the same bytes\n")
        self.assertEqual((self.stack.file_root / name).read_bytes(), CONTENT)

    def operator(self):
        operator = self.follow_example(self.typed("chat"), self.gateway)
        operator.expect("waiting\n")
        return operator

    def test_chat_raw(self):
        operator = self.operator()
        printed, _ = self.run_example("chat_raw", "good morning 你好", *self.address("chat", "udp"))
        self.assertRegex(printed, r"\Aanswer: .?hello.?\n\Z")
        operator.expect(r"127\.0\.0\.1:\d+: .?good morning 你好.?\n")

    def test_chat_typed(self):
        """Whoever writes again is not answered again, and control characters stay away from the terminal."""
        operator = self.operator()
        with datagram_socket(self.stack.address("chat", "udp")) as peer:
            for text in ("one", "\033[2Jtwo", "three"):
                peer.send(text.encode())
                seen = operator.expect(f"[^\n]*{text[-3:]}[^\n]*\n")
                self.assertNotIn("\033", seen[0])
            self.assertEqual(peer.recv(4096), b"hello")
            session = "{}:{}".format(*peer.getsockname())
        operator.interrupt()
        request = rpc.chat.ListMessagesRequest(session_id=session)
        messages = self.client.chat.ListMessages(request, timeout=PATIENCE).messages
        self.assertEqual([message.body for message in messages if message.direction == rpc.chat.DIRECTION_OUTBOUND], [b"hello"])

    def test_control_typed(self):
        follower = self.follow_example(self.typed("control"), self.gateway)
        listed = follower.expect(r"(?s)\A.*watching\n")[0]
        for service in LISTENERS:
            self.assertRegex(listed, rf"(?m)^{service} .*RUNNING$")
        self.assertIn("udp://{}:{}".format(*self.stack.address("time", "udp")), listed)
        with connect(self.stack.address("echo", "tcp")) as raw:
            raw.sendall(b"hello")
            raw.shutdown(socket.SHUT_WR)
            receive_exactly(raw, 5)
        number = follower.expect(r"echo/tcp #(\d+): chunk of 5 bytes: .*\n")[1]
        follower.expect(rf"echo/tcp #{number}: (?i:connection.?closed)\n")
        self.assertNotIn("Traceback", follower.interrupt())
