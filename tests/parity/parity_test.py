"""The raw port and the gateway are two doors to one thing: every case goes through both, and the results must agree.

A door is a class with one method for each kind of case. What a method returns is compared as it is; an error is its
canonical code, such as "NOT_FOUND", which both sides have.
"""

import hashlib
import unittest

import grpc

from tests.conformance import file_client
from tests.conformance.plain_client import connect, datagram_socket, receive_exactly
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.stack import Stack
from tests.parity import exec_doors

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()

# Kind of case, and its arguments.
CASES = [
    ("echo", b"hello"),
    ("echo", bytes(range(256))),
    ("echo", "grüße, 你好".encode()),
    ("echo", b"a" * 100_000),
    ("run", "echo hello"),
    ("run", "echo out; echo err >&2; exit 3"),
    ("run", "true"),
    ("run", "no-such-command-at-all"),
    ("run", r"printf '\000\377\n'"),
    ("run", "kill -KILL $$"),
    ("run", "cat; id -un; pwd; umask"),
    ("run", "env | grep -v JOB_ID | sort"),
    ("run", "seq 1 20000"),
    ("run", "exit 300"),
    ("program", {"argv": ["printf", "%s|", "$HOME", "a b", "*"]}, b""),
    ("program", {"argv": ["wc", "-c"]}, CONTENT),
    ("program", {"command": "cat; pwd; echo $WORD", "cwd": "/usr", "env": {"WORD": "a b"}}, b"input\n"),
    ("program", {"command": "kill -TERM $$"}, b""),
    ("program", {"argv": ["no-such-program-at-all"]}, b""),
    ("program", {"command": "true", "cwd": "/no/such/folder"}, b""),
    ("program", {"command": "true", "cwd": "relative"}, b""),
    ("program", {"command": "true", "env": {"A=B": "c"}}, b""),
    ("program", {"command": "true", "timeout_ms": 10**12}, b""),
    ("program", {"command": "a\0b"}, b""),
    ("program", {"command": "x" * 65537}, b""),
    ("program", {"argv": ["x"] * 4097}, b""),
    ("program", {}, b""),
    ("time", b"%Y-%m-%d"),
    ("time", "no conversion, \0 时间".encode()),
    ("time", b"%Z %z %%"),
    ("time", b"%1000d"),
    ("upload", "parity/new", CONTENT, {}),
    ("upload", "parity/empty", b"", {}),
    ("upload", "parity/digest", CONTENT, {"sha256": SHA256}),
    ("upload", "parity/upper", CONTENT, {"sha256": SHA256.upper()}),
    ("upload", "parity/wrong", CONTENT, {"sha256": "0" * 64}),
    ("upload", "parity/none", CONTENT, {"sha256": "short"}),
    ("upload", "parity/md5", CONTENT, {"md5": "0" * 32}),
    ("upload", "present/file", CONTENT, {"if_absent": True}),
    ("upload", "present", b"x", {}),
    ("upload", "present/file/below", b"x", {}),
    ("upload", "../climb", b"x", {}),
    ("upload", "/absolute", b"x", {}),
    ("upload", "a//b", b"x", {}),
    ("upload", "nul\0", b"x", {}),
    ("upload", "", b"x", {}),
    ("download", "present/file", 0, None),
    ("download", "present/file", 1000, 100),
    ("download", "present/file", len(CONTENT), None),
    ("download", "present/file", len(CONTENT) + 1, None),
    ("download", "present/file", 5, 10**9),
    ("download", "present", 0, None),
    ("download", "missing", 0, None),
    ("download", "../climb", 0, None),
    ("stat", "present/file"),
    ("stat", "missing"),
    ("stat", "present/file/below"),
    ("stat", ".."),
    ("list", "present"),
    ("list", "missing"),
    ("list", "present/file"),
    ("list", "a/../present"),
    ("delete", "missing"),
    ("delete", "present"),
    ("delete", "present/file/.."),
    ("delete", "doomed"),
]

stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_all()
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


def asked(door, request, stdin=b""):
    """What a command did, or for what reason it was refused."""
    try:
        answer = door.ask(request, stdin)
    finally:
        door.close()
    return answer.reason if isinstance(answer, exec_doors.Refusal) else answer


class RawDoor:
    """The old ports."""

    def echo(self, payload):
        with connect(stack.address("echo", "tcp")) as raw:
            raw.sendall(payload)
            return receive_exactly(raw, len(payload))

    def run(self, command):
        return asked(exec_doors.HeaderDoor(stack), {"command": command})

    def program(self, request, stdin):
        return asked(exec_doors.FramedDoor(stack), request, stdin)

    def time(self, time_format):
        with datagram_socket(stack.address("time", "udp")) as raw:
            raw.send(time_format)
            return raw.recv(65536)

    def upload(self, name, content, options):
        with connect(stack.address("file", "tcp")) as raw:
            reply = file_client.upload(raw, name, content, **options)
        return self.result(reply, "filename", "filesize")

    def download(self, name, offset, length):
        with connect(stack.address("file", "tcp")) as raw:
            part = {"offset": offset} if length is None else {"offset": offset, "length": length}
            reply, content = file_client.download(raw, name, **part)
        return self.result(reply, "filename", "filesize", "total_size"), content

    def stat(self, name):
        return self.result(self.ask(op="stat", filename=name), "filename", "filesize")

    def list(self, folder):
        reply = self.ask(op="list", folder=folder)
        return self.result(reply) or [entry["filename"] for entry in reply["files"]]

    def delete(self, name):
        return self.result(self.ask(op="delete", filename=name))

    def ask(self, **header):
        with connect(stack.address("file", "tcp")) as raw:
            return file_client.request(raw, **header)

    def result(self, reply, *keys):
        return reply["code"] if reply["status"] == "error" else tuple(reply[key] for key in keys)


class TypedDoor:
    """The gateway."""

    def echo(self, payload):
        return client.echo.Echo(rpc.echo.EchoRequest(payload=payload), timeout=rpc.PATIENCE).payload

    def run(self, command):
        return asked(exec_doors.RunDoor(client), {"command": command})

    def program(self, request, stdin):
        return asked(exec_doors.RunDoor(client), request, stdin)

    def time(self, time_format):
        request = rpc.time.GetTimeRequest(format=time_format.decode())
        return client.time.GetTime(request, timeout=rpc.PATIENCE).formatted.encode()

    def upload(self, name, content, options):
        digests = {key: options[key] for key in ("md5", "sha256") if key in options}
        start = rpc.file.UploadStart(filename=name, size=len(content), if_absent=options.get("if_absent", False),
                                     expected=rpc.file.Digests(**digests))
        requests = iter([rpc.file.UploadRequest(start=start), rpc.file.UploadRequest(data=content)])
        return self.result(lambda: self.described(client.file.Upload(requests, timeout=rpc.PATIENCE).file))

    def download(self, name, offset, length):
        part = {} if length is None else {"length": length}
        request = rpc.file.DownloadRequest(filename=name, offset=offset, **part)
        parts = self.result(lambda: list(client.file.Download(request, timeout=rpc.PATIENCE)))
        if isinstance(parts, str):
            return parts, b""
        header = parts[0].header
        return ((header.file.filename, header.length, header.file.size), b"".join(part.data for part in parts))

    def stat(self, name):
        request = rpc.file.StatFileRequest(filename=name)
        return self.result(lambda: self.described(client.file.StatFile(request, timeout=rpc.PATIENCE).file))

    def list(self, folder):
        request = rpc.file.ListFilesRequest(folder=folder)
        return self.result(lambda: [
            entry.filename for entry in client.file.ListFiles(request, timeout=rpc.PATIENCE).files])

    def delete(self, name):
        request = rpc.file.DeleteFileRequest(filename=name)
        return self.result(lambda: client.file.DeleteFile(request, timeout=rpc.PATIENCE) and ())

    def described(self, info):
        return info.filename, info.size

    def result(self, call):
        try:
            return call()
        except grpc.RpcError as error:
            return error.code().name


class ParityTest(unittest.TestCase):
    def test_table(self):
        raw, typed = RawDoor(), TypedDoor()
        for kind, *arguments in CASES:
            with self.subTest(kind=kind, arguments=[repr(argument)[:40] for argument in arguments]):
                results = [self.prepared(door, kind, arguments) for door in (raw, typed)]
                self.assertEqual(results[0], results[1])

    def prepared(self, door, kind, arguments):
        """Both doors find the same files."""
        for name, content in (("present/file", CONTENT), ("doomed", b"x")):
            path = stack.file_root / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        for path in stack.file_root.glob("parity/*"):
            path.unlink()
        return getattr(door, kind)(*arguments)


class DifferentTest(unittest.TestCase):
    """What the old port does for ever, and a typed client is better told of."""

    def test_only_raw_clients_have_what_is_no_conversion_passed_through(self):
        for text in (b"%", b"%Q %5"):
            with self.subTest(text=text):
                self.assertEqual(RawDoor().time(text), text)
                request = rpc.time.GetTimeRequest(format=text.decode())
                self.assertEqual(rpc.error_of(client.time.GetTime, request)[:2],
                                 (grpc.StatusCode.INVALID_ARGUMENT, "BAD_FORMAT"))


class OneThingTest(unittest.TestCase):
    """What goes in at one door comes out at the other."""

    def test_file_put_raw_is_got_typed_and_the_other_way_round(self):
        RawDoor().upload("put-raw", CONTENT, {})
        self.assertEqual(TypedDoor().download("put-raw", 0, None)[1], CONTENT)
        TypedDoor().upload("put-typed", CONTENT, {})
        self.assertEqual(RawDoor().download("put-typed", 0, None)[1], CONTENT)

    def test_chat_bytes_are_the_same_on_both_sides(self):
        for body in (b"hello", b"", bytes(range(256)), "你好".encode(), b"x" * 4096):
            with self.subTest(body=body[:20]), datagram_socket(stack.address("chat", "udp")) as visitor:
                session = "%s:%d" % visitor.getsockname()
                visitor.send(body)
                request = rpc.chat.ListMessagesRequest(session_id=session)
                kept = wait_until(lambda: self.messages(request), "the message")
                self.assertEqual([message.body for message in kept], [body])
                client.chat.SendMessage(rpc.chat.SendMessageRequest(session_id=session, body=body))
                self.assertEqual(visitor.recv(65536), body)

    def messages(self, request):
        """None while the visitor is not yet known at the desk."""
        try:
            return client.chat.ListMessages(request).messages
        except grpc.RpcError as error:
            self.assertEqual(error.code(), grpc.StatusCode.NOT_FOUND)
            return None

    def test_counters_cover_both_doors(self):
        before = client.service("echo").counters.requests
        TypedDoor().echo(b"typed")
        self.assertEqual(client.service("echo").counters.requests, before + 1)


if __name__ == "__main__":
    unittest.main()
