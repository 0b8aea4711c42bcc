"""Two thousand names that climb, are absolute, have a NUL, are too long, lead through links and devices: no operation of
either door leaves the root, and what is no name is refused as such."""

import json
import os
import socket
import unittest

import grpc

from tests.conformance.file_client import receive_reply
from tests.conformance.plain_client import connect, packed_size, receive_exactly
from tests.harness import rpc
from tests.harness.durability import chance, report
from tests.harness.hostile_names import hostile_names, is_allowed, is_utf8, json_string
from tests.harness.stack import Stack
from tests.harness.tree import tree

NAMES = 2000
SECRET = b"outside's secret"
CONTENT = b"sent by a client"
# What is in the root and neither file nor folder: absent, whatever is asked.
SPECIAL = {b"fifo", b"socket", b"device", b"link", b"absolute", b"magic"}

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    root = stack.file_root
    outside = stack.directory / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(SECRET)
    (outside / "status").write_bytes(SECRET)
    for name, target in {"link": "../outside", "absolute": str(outside), "magic": "/proc/self/cwd"}.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "fifo")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(root / "socket"))
    listener.close()
    if os.geteuid() == 0:
        os.mknod(root / "device", 0o20666, os.makedev(1, 5))
    stack.start_service("file")
    stack.start_gateway()


def goes_through_something_special(name):
    return name.split(b"/")[0] in SPECIAL


class HostileNamesTest(unittest.TestCase):
    def setUp(self):
        self.names = hostile_names(NAMES, chance("hostile names"))
        self.outside = stack.directory / "outside"
        self.before = tree(self.outside)
        self.addCleanup(self.assert_nothing_outside_was_touched)

    def assert_nothing_outside_was_touched(self):
        self.assertEqual(tree(self.outside), self.before)
        beside = {path.name for path in stack.directory.iterdir() if path.suffix != ".log"}
        self.assertEqual(beside, {"files", "scratch", "outside"})
        self.assertTrue(all(program.alive() for program in stack.programs.values()))
        special = {os.fsencode(path.name) for path in stack.file_root.iterdir()
                   if path.is_symlink() or not (path.is_file() or path.is_dir())}
        self.assertLessEqual(SPECIAL - {b"device"}, special)

    # ---- the raw port

    def ask(self, members, payload=b""):
        """Sends an object of members that are JSON already; returns the reply and the bytes that come with it."""
        text = b"{" + b",".join(b'"%s":%s' % member for member in members.items()) + b"}"
        with connect(stack.address("file", "tcp")) as client:
            client.sendall(packed_size(len(text)) + text + payload)
            reply = receive_reply(client)
            content = b""
            if reply["status"] == "ok" and members.get(b"op") == b'"download"':
                content = receive_exactly(client, reply["filesize"])
            self.assertNotIn(SECRET, content + json.dumps(reply).encode())
            return reply, content

    def raw(self, op, name):
        return self.ask({b"op": b'"%s"' % op, b"folder" if op == b"list" else b"filename": json_string(name)})

    def raw_upload(self, name):
        reply, _ = self.ask({b"filename": json_string(name), b"filesize": b"%d" % len(CONTENT)}, CONTENT)
        return reply

    def test_raw(self):
        stored = refused = 0
        for name in self.names:
            with self.subTest(name=name[:100]):
                if not is_allowed(name):
                    self.assert_refused_raw(name)
                    refused += 1
                elif goes_through_something_special(name):
                    self.assert_absent_raw(name)
                else:
                    stored += self.assert_harmless_raw(name)
        self.assertGreater(stored, NAMES / 50)
        self.assertGreater(refused, NAMES / 2)
        report(f"{NAMES} hostile names by socket: {refused} refused, {stored} stored below the root and removed again")

    def assert_refused_raw(self, name):
        replies = [self.raw_upload(name), *(self.raw(op, name)[0] for op in (b"download", b"stat", b"delete"))]
        if name:  # the root may be listed
            replies.append(self.raw(b"list", name)[0])
        for reply in replies:
            self.assertEqual((reply["status"], reply["code"]), ("error", "INVALID_ARGUMENT"), reply)

    def assert_absent_raw(self, name):
        replies = [self.raw_upload(name), *(self.raw(op, name)[0] for op in (b"download", b"stat", b"delete", b"list"))]
        for reply in replies:
            self.assertEqual(reply["status"], "error", reply)
            self.assertIn(reply["code"], ("NOT_FOUND", "FAILED_PRECONDITION"), reply)

    def assert_harmless_raw(self, name):
        """An odd name is a name: its file is there and nowhere else."""
        path = os.path.join(os.fsencode(stack.file_root), name)
        if os.path.isdir(path):
            return 0
        reply = self.raw_upload(name)
        if reply["status"] == "error":
            # Where a component is a file by now, or is too long for this file system.
            self.assertIn(reply["reason"], ("NOT_A_FILE", "BAD_FILENAME"), reply)
            return 0
        with open(path, "rb") as file:
            self.assertEqual(file.read(), CONTENT)
        self.assertEqual(self.raw(b"download", name)[1], CONTENT)
        self.assertEqual(self.raw(b"stat", name)[0]["filesize"], len(CONTENT))
        self.assertEqual(self.raw(b"delete", name)[0]["status"], "ok")
        self.assertFalse(os.path.lexists(path))
        return 1

    # ---- the typed door

    def call(self, client, method, **fields):
        """The status code. Names go as bytes, which is more than the typed library lets through."""
        numbers = {"StatFile": {"filename": 1}, "CreateUpload": {"upload_id": 1, "filename": 2, "size": 3},
                   "MoveFile": {"filename": 1, "new_filename": 2}, "DeleteFile": {"filename": 1}}[method]
        message = b"".join(_field(numbers[field], value) for field, value in fields.items())
        call = client.channel.unary_unary(f"/rawgate.file.v1.FileService/{method}")
        try:
            answer = call(message, timeout=rpc.PATIENCE)
            self.assertNotIn(SECRET, answer)
            return grpc.StatusCode.OK
        except grpc.RpcError as error:
            self.assertNotIn(SECRET.decode(), str(error))
            return error.code()

    def test_typed(self):
        client = rpc.client_of(stack)
        self.addCleanup(client.close)
        (stack.file_root / "movable").write_bytes(CONTENT)
        bad = {grpc.StatusCode.INVALID_ARGUMENT}
        # The last: where nothing may be put, something is in the way.
        absent = {*bad, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ALREADY_EXISTS}
        for number, name in enumerate(self.names):
            with self.subTest(name=name[:100]):
                codes = [self.call(client, "StatFile", filename=name),
                         self.call(client, "CreateUpload", upload_id=b"hostile-%d" % number, filename=name, size=1),
                         self.call(client, "MoveFile", filename=name, new_filename=b"moved"),
                         self.call(client, "MoveFile", filename=b"movable", new_filename=name)]
                if not is_utf8(name):
                    self.assertNotIn(grpc.StatusCode.OK, codes)
                elif not is_allowed(name):
                    self.assertEqual(set(codes), bad)
                elif goes_through_something_special(name):
                    self.assertLessEqual(set(codes), absent)
                else:
                    self.move_back(client, name, codes[-1])
                self.assertEqual((stack.file_root / "movable").read_bytes(), CONTENT)
        report(f"{NAMES} hostile names by gRPC, each four times")

    def move_back(self, client, name, code):
        if code == grpc.StatusCode.OK:
            self.assertEqual(self.call(client, "MoveFile", filename=name, new_filename=b"movable"), grpc.StatusCode.OK)


def _field(number, value):
    """One field of a protobuf message."""
    if isinstance(value, int):
        return bytes([number << 3]) + _varint(value)
    return bytes([number << 3 | 2]) + _varint(len(value)) + value


def _varint(value):
    parts = []
    while value > 0x7f:
        parts.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes([*parts, value])


if __name__ == "__main__":
    unittest.main()
