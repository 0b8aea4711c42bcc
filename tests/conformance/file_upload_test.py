"""Row 7: files go up behind a 4-byte header length and a JSON header."""

import hashlib
import json
import os
import socket
import struct
import unittest

from tests.conformance.file_client import download, packed_request, receive_reply, request, upload
from tests.conformance.plain_client import connect, receive_to_end, vanish
from tests.harness.deadlines import wait_until
from tests.harness.stack import Stack

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("file")


def stored(filename):
    """The file as the server keeps it, or None."""
    path = stack.file_root / filename
    return path.read_bytes() if path.exists() else None


class ClassicUploadTest(unittest.TestCase):
    """What the old clients do: header, bytes, close; nothing is ever read."""

    def classic_upload(self, filename, content):
        client = connect(stack.address("file", "tcp"))
        header = json.dumps({"filepath": "/home/me/docs", "filename": filename, "filesize": len(content)}).encode()
        client.send(struct.pack("i", len(header)))
        client.send(header)
        for start in range(0, len(content), 1024):
            client.send(content[start:start + 1024])
        client.close()

    def test_small_file(self):
        self.classic_upload("classic.txt", b"hello file")
        wait_until(lambda: stored("classic.txt") == b"hello file", "the uploaded file")

    def test_large_file(self):
        content = os.urandom(5_000_001)
        self.classic_upload("classic.bin", content)
        wait_until(lambda: stored("classic.bin") == content, "the uploaded file")

    def test_empty_file(self):
        self.classic_upload("classic.empty", b"")
        wait_until(lambda: stored("classic.empty") == b"", "the uploaded file")

    def test_clients_own_folder_is_ignored(self):
        self.classic_upload("from-elsewhere", b"x")
        wait_until(lambda: stored("from-elsewhere") == b"x", "the uploaded file")
        self.assertFalse((stack.file_root / "home").exists())


class UploadTest(unittest.TestCase):
    def setUp(self):
        self.client = connect(stack.address("file", "tcp"))
        self.addCleanup(self.client.close)

    def test_committed_file_is_acknowledged(self):
        reply = upload(self.client, "ok.txt", b"content")
        self.assertEqual((reply["status"], reply["filename"], reply["filesize"]), ("ok", "ok.txt", 7))
        self.assertEqual(stored("ok.txt"), b"content")

    def test_op_upload_is_the_same(self):
        self.assertEqual(upload(self.client, "op.txt", b"content", op="upload")["status"], "ok")
        self.assertEqual(stored("op.txt"), b"content")

    def test_many_uploads_on_one_connection(self):
        for number in range(50):
            self.assertEqual(upload(self.client, f"many/{number}", b"%d" % number)["status"], "ok")
        self.assertEqual(stored("many/49"), b"49")

    def test_pipelined_uploads(self):
        for number in range(20):
            self.client.sendall(packed_request({"filename": f"pipe/{number}", "filesize": 3}) + b"abc")
        for number in range(20):
            self.assertEqual(receive_reply(self.client)["filename"], f"pipe/{number}")

    def test_any_segmentation(self):
        message = packed_request({"filename": "bytewise", "filesize": 4}) + b"four"
        for byte in message:
            self.client.send(bytes([byte]))
        self.assertEqual(receive_reply(self.client)["status"], "ok")
        self.assertEqual(stored("bytewise"), b"four")

    def test_newer_file_replaces_older(self):
        upload(self.client, "again", b"older and longer")
        upload(self.client, "again", b"newer")
        self.assertEqual(stored("again"), b"newer")

    def test_folders_are_made(self):
        self.assertEqual(upload(self.client, "a/b/c/deep.txt", b"deep")["status"], "ok")
        self.assertEqual(stored("a/b/c/deep.txt"), b"deep")

    def test_names_in_any_language(self):
        for name in ("文件.txt", "with space", "ü", "-dash", ".hidden", "a..b", "...", "x" * 255):
            with self.subTest(name=name):
                self.assertEqual(upload(self.client, name, b"1")["status"], "ok")
                self.assertEqual(download(self.client, name)[1], b"1")

    def test_unknown_keys_are_ignored(self):
        self.assertEqual(upload(self.client, "keys", b"1", colour="red", nested={"a": [1]})["status"], "ok")


class DigestTest(unittest.TestCase):
    CONTENT = b"to be verified" * 1000

    def setUp(self):
        self.client = connect(stack.address("file", "tcp"))
        self.addCleanup(self.client.close)

    def test_right_digests_are_confirmed(self):
        for name in ("md5", "sha256"):
            with self.subTest(digest=name):
                digest = hashlib.new(name, self.CONTENT).hexdigest()
                reply = upload(self.client, f"by-{name}", self.CONTENT, **{name: digest})
                self.assertEqual((reply["status"], reply[name]), ("ok", digest))

    def test_upper_case_digest(self):
        digest = hashlib.sha256(self.CONTENT).hexdigest()
        self.assertEqual(upload(self.client, "by-upper", self.CONTENT, sha256=digest.upper())["status"], "ok")

    def test_wrong_digest_publishes_nothing(self):
        for name in ("md5", "sha256"):
            with self.subTest(digest=name), connect(stack.address("file", "tcp")) as client:
                wrong = hashlib.new(name, b"something else").hexdigest()
                reply = upload(client, f"wrong-{name}", self.CONTENT, **{name: wrong})
                self.assertEqual((reply["status"], reply["code"]), ("error", "DATA_LOSS"))
                self.assertIsNone(stored(f"wrong-{name}"))

    def test_wrong_digest_keeps_the_older_file(self):
        upload(self.client, "keep", b"older")
        reply = upload(self.client, "keep", b"newer", sha256="0" * 64)
        self.assertEqual(reply["code"], "DATA_LOSS")
        self.assertEqual(stored("keep"), b"older")

    def test_digest_that_is_none(self):
        for bad in ("xyz", "0" * 63, "0" * 65, "g" * 64):
            with self.subTest(digest=bad), connect(stack.address("file", "tcp")) as client:
                reply = upload(client, "bad-digest", b"1", sha256=bad)
                self.assertEqual((reply["status"], reply["code"]), ("error", "INVALID_ARGUMENT"))
        self.assertIsNone(stored("bad-digest"))


class IfAbsentTest(unittest.TestCase):
    def test_existing_file_is_not_replaced(self):
        with connect(stack.address("file", "tcp")) as client:
            self.assertEqual(upload(client, "once", b"first", if_absent=True)["status"], "ok")
        with connect(stack.address("file", "tcp")) as client:
            reply = upload(client, "once", b"second", if_absent=True)
            self.assertEqual((reply["status"], reply["code"]), ("error", "ALREADY_EXISTS"))
        self.assertEqual(stored("once"), b"first")


class BrokenUploadTest(unittest.TestCase):
    """A half-received file is never seen, and an older one survives."""

    def begin(self, filename):
        """Announces 200,000 bytes and sends half of them."""
        client = connect(stack.address("file", "tcp"))
        client.sendall(packed_request({"filename": filename, "filesize": 200_000}) + b"x" * 100_000)
        return client

    def assert_invisible(self, filename):
        self.assertIsNone(stored(filename))
        with connect(stack.address("file", "tcp")) as client:
            self.assertEqual(request(client, op="stat", filename=filename)["code"], "NOT_FOUND")
        with connect(stack.address("file", "tcp")) as client:
            self.assertNotIn(filename, [entry["filename"] for entry in request(client, op="list")["files"]])

    def test_upload_in_progress_is_invisible(self):
        with self.begin("half"):
            self.assert_invisible("half")

    def test_upload_that_ends_early_is_invisible(self):
        with self.begin("short") as client:
            client.shutdown(socket.SHUT_WR)
            receive_to_end(client)
        self.assert_invisible("short")

    def test_upload_that_was_reset_is_invisible(self):
        for _ in range(20):
            vanish(self.begin("reset"))
        self.assert_invisible("reset")

    def test_older_file_survives_a_broken_upload(self):
        with connect(stack.address("file", "tcp")) as client:
            upload(client, "survivor", b"older")
        vanish(self.begin("survivor"))
        with self.begin("survivor") as client:
            client.shutdown(socket.SHUT_WR)
            receive_to_end(client)
        with connect(stack.address("file", "tcp")) as client:
            self.assertEqual(download(client, "survivor")[1], b"older")


if __name__ == "__main__":
    unittest.main()
