"""Row 7, the hostile half: lengths, JSON and names that lie. A typed error, a closed connection, nothing touched."""

import json
import random
import socket
import struct
import unittest

from tests.conformance.file_client import download, packed_request, receive_reply, request, upload
from tests.conformance.plain_client import connect, packed_size, receive_to_end
from tests.harness.stack import Stack

LARGEST_HEADER = 65536

BAD_NAMES = ("", ".", "..", "/", "//", "/etc/passwd", "../outside", "a/../../outside", "a/..", "a/./b", "a//b", "a/",
             "./a", "nul\0byte", "..\0", "x" * 256, "/".join(["deep"] * 2000))

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("file", "--file_max_bytes=1000000")
    with connect(stack.address("file", "tcp")) as client:
        assert upload(client, "kept", b"kept")["status"] == "ok"


class BadInputTest(unittest.TestCase):
    def setUp(self):
        self.before = self.everything()

    def tearDown(self):
        """Whatever was sent: nothing was touched, and the next client is served."""
        self.assertEqual(self.everything(), self.before)
        with connect(stack.address("file", "tcp")) as client:
            self.assertEqual(download(client, "kept")[1], b"kept")

    def everything(self):
        """Every path at and beside the root, but for logs, and what the store keeps for itself."""
        visible = (path for path in stack.directory.rglob("*") if path.suffix != ".log")
        return sorted(str(path.relative_to(stack.directory)) for path in visible)

    def assert_refused(self, message, code="INVALID_ARGUMENT"):
        """One typed error, then the end of the connection."""
        with connect(stack.address("file", "tcp")) as client:
            client.sendall(message)
            reply = receive_reply(client)
            self.assertEqual((reply["status"], reply["code"]), ("error", code), reply)
            self.assertTrue(reply["message"])
            self.assertEqual(receive_to_end(client), b"")


class BadLengthTest(BadInputTest):
    def test_lengths_that_no_header_has(self):
        for size in (0, -1, -2**31, LARGEST_HEADER + 1, 2**31 - 1):
            with self.subTest(size=size):
                self.assert_refused(packed_size(size))

    def test_largest_header(self):
        header = {"op": "stat", "filename": "kept", "padding": ""}
        header["padding"] = "x" * (LARGEST_HEADER - len(json.dumps(header)))
        with connect(stack.address("file", "tcp")) as client:
            self.assertEqual(request(client, **header)["status"], "ok")

    def test_big_endian_client_is_told(self):
        """20 in network order is over 300 million in ours."""
        self.assert_refused(b"\0\0\0\x14")


class BadJsonTest(BadInputTest):
    def test_text_that_is_no_json_object(self):
        for text in (b"{", b"}", b"nonsense", b"[]", b"null", b"7", b'"text"', b"{'filename': 'a'}", b'{"a":1}{"b":2}',
                     b'{"filename": "a", "filesize": 1,}', b"\xff\xfe", b'{"filename": "\xff"}', b" "):
            with self.subTest(text=text):
                self.assert_refused(packed_size(len(text)) + text)

    def test_json_bomb(self):
        for text in (b"[" * 60000, b'{"a":' * 10000 + b"1" + b"}" * 10000,
                     b'{"filename":"a","filesize":1,"x":' + b"[" * 30000 + b"]" * 30000 + b"}"):
            with self.subTest(text=text[:20]):
                self.assert_refused(packed_size(len(text)) + text)

    def test_wrong_types(self):
        for header in ({"filename": 1, "filesize": 1}, {"filename": "a", "filesize": "1"},
                       {"filename": None, "filesize": 1}, {"filename": ["a"], "filesize": 1},
                       {"filename": "a", "filesize": 1.5}, {"filename": "a", "filesize": True},
                       {"filename": "a", "filesize": 1, "md5": 5}, {"filename": "a", "filesize": 1, "if_absent": "no"},
                       {"op": 1, "filename": "kept"}, {"op": "download", "filename": "kept", "offset": "0"},
                       {"op": "download", "filename": "kept", "length": "all"}):
            with self.subTest(header=header):
                self.assert_refused(packed_request(header))

    def test_missing_keys(self):
        for header in ({}, {"filename": "a"}, {"filesize": 1}, {"op": "download"}, {"op": "stat"}, {"op": "delete"}):
            with self.subTest(header=header):
                self.assert_refused(packed_request(header))

    def test_unknown_op(self):
        self.assert_refused(packed_request({"op": "chmod", "filename": "kept"}))


class GarbageTest(BadInputTest):
    def test_random_bytes(self):
        """Whatever they happen to mean, the answer is made of typed errors, and the connection ends."""
        for seed in range(300):
            chance = random.Random(seed)
            # Half of them have a plausible length in front, so that the rest is read as a header.
            length = packed_size(chance.randrange(1, 100)) if seed % 2 else b""
            with self.subTest(seed=seed), connect(stack.address("file", "tcp")) as client:
                client.sendall(length + chance.randbytes(chance.randrange(1, 200)))
                client.shutdown(socket.SHUT_WR)
                self.assert_only_errors(receive_to_end(client))

    def assert_only_errors(self, answer):
        while answer:
            size = struct.unpack("<i", answer[:4])[0]
            self.assertEqual(json.loads(answer[4:4 + size])["status"], "error")
            answer = answer[4 + size:]


class BadSizeTest(BadInputTest):
    def test_negative_size(self):
        self.assert_refused(packed_request({"filename": "a", "filesize": -1}))

    def test_size_that_no_file_has(self):
        for size in (2**63, 2**64, 10**30):
            with self.subTest(size=size):
                self.assert_refused(packed_request({"filename": "a", "filesize": size}))

    def test_announced_size_is_checked_before_the_first_byte(self):
        for size in (1_000_001, 2**63 - 1):
            with self.subTest(size=size):
                self.assert_refused(packed_request({"filename": "a", "filesize": size}))

    def test_error_is_told_even_with_payload_in_flight(self):
        """The server drains what is on its way, so that a reset does not overtake the error."""
        self.assert_refused(packed_request({"filename": "../a", "filesize": 500_000}) + b"x" * 500_000)

    def test_negative_offset(self):
        self.assert_refused(packed_request({"op": "download", "filename": "kept", "offset": -1}))


class LyingSizeTest(unittest.TestCase):
    def test_more_bytes_than_announced_are_the_next_request(self):
        """The file has what was announced; what follows is no header and is refused."""
        with connect(stack.address("file", "tcp")) as client:
            client.sendall(packed_request({"filename": "short", "filesize": 4}) + b"four" + b"\xff\xff\xff\xff")
            self.assertEqual(receive_reply(client)["status"], "ok")
            self.assertEqual(receive_reply(client)["code"], "INVALID_ARGUMENT")
            self.assertEqual(receive_to_end(client), b"")
        self.assertEqual((stack.file_root / "short").read_bytes(), b"four")


class BadNameTest(BadInputTest):
    def test_upload(self):
        for name in BAD_NAMES:
            with self.subTest(name=name[:20]):
                self.assert_refused(packed_request({"filename": name, "filesize": 1}) + b"x")

    def test_other_operations(self):
        for op in ("download", "stat", "delete"):
            for name in BAD_NAMES:
                with self.subTest(op=op, name=name[:20]):
                    self.assert_refused(packed_request({"op": op, "filename": name}))

    def test_list(self):
        for name in BAD_NAMES[1:]:  # the empty name is the root
            with self.subTest(name=name[:20]):
                self.assert_refused(packed_request({"op": "list", "folder": name}))

    def test_through_a_file(self):
        with connect(stack.address("file", "tcp")) as client:
            self.assertEqual(upload(client, "kept/below", b"x")["status"], "error")


class OverFolderTest(unittest.TestCase):
    def test_folder_is_never_replaced_by_a_file(self):
        with connect(stack.address("file", "tcp")) as client:
            self.assertEqual(upload(client, "folder/inner", b"x")["status"], "ok")
            self.assertEqual(upload(client, "folder", b"x")["status"], "error")
        self.assertTrue((stack.file_root / "folder/inner").is_file())


class SymlinkTest(unittest.TestCase):
    """Nothing outside the root is ever read or written, whatever links lie inside."""

    def setUp(self):
        self.outside = stack.directory / "outside"
        self.outside.mkdir()
        (self.outside / "secret").write_bytes(b"secret")
        links = {"link-to-folder": "../outside", "link-to-file": "../outside/secret", "absolute": str(self.outside),
                 "dangling": "../outside/new"}
        for name, target in links.items():
            (stack.file_root / name).symlink_to(target)
            self.addCleanup((stack.file_root / name).unlink, missing_ok=True)
        self.addCleanup(self.remove_outside)

    def remove_outside(self):
        for path in self.outside.iterdir():
            path.unlink()
        self.outside.rmdir()

    def test_nothing_outside_is_read(self):
        for name in ("link-to-folder/secret", "link-to-file", "absolute/secret"):
            with self.subTest(name=name), connect(stack.address("file", "tcp")) as client:
                client.sendall(packed_request({"op": "download", "filename": name}))
                self.assertEqual(receive_reply(client)["status"], "error")

    def test_nothing_outside_is_listed(self):
        for name in ("link-to-folder", "absolute"):
            with self.subTest(name=name), connect(stack.address("file", "tcp")) as client:
                self.assertEqual(request(client, op="list", folder=name)["status"], "error")

    def test_nothing_outside_is_written(self):
        for name in ("link-to-folder/new", "absolute/new", "link-to-file", "dangling", "link-to-folder/a/b"):
            with self.subTest(name=name), connect(stack.address("file", "tcp")) as client:
                upload(client, name, b"overwritten")
                self.assert_outside_untouched()

    def test_nothing_outside_is_deleted(self):
        for name in ("link-to-folder/secret", "absolute/secret", "link-to-file"):
            with self.subTest(name=name), connect(stack.address("file", "tcp")) as client:
                request(client, op="delete", filename=name)
                self.assert_outside_untouched()

    def assert_outside_untouched(self):
        self.assertEqual([path.name for path in self.outside.iterdir()], ["secret"])
        self.assertEqual((self.outside / "secret").read_bytes(), b"secret")


if __name__ == "__main__":
    unittest.main()
