"""Row 7: files come down over the same framing; list, stat and delete."""

import hashlib
import os
import unittest

from tests.conformance.file_client import download, packed_request, receive_reply, request, upload
from tests.conformance.plain_client import connect, receive_exactly, vanish
from tests.harness.stack import Stack

CONTENT = os.urandom(3_000_000)

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("file")
    with connect(stack.address("file", "tcp")) as client:
        assert upload(client, "large.bin", CONTENT)["status"] == "ok"
        assert upload(client, "digits", b"0123456789")["status"] == "ok"
        assert upload(client, "empty", b"")["status"] == "ok"
        assert upload(client, "folder/inner", b"in a folder")["status"] == "ok"


class FileTest(unittest.TestCase):
    def setUp(self):
        self.client = connect(stack.address("file", "tcp"))
        self.addCleanup(self.client.close)

    def assert_error(self, reply, code):
        self.assertEqual((reply["status"], reply.get("code")), ("error", code))
        self.assertTrue(reply["message"])


class DownloadTest(FileTest):
    def test_whole_file(self):
        reply, content = download(self.client, "large.bin")
        self.assertTrue(content == CONTENT)
        self.assertEqual((reply["filename"], reply["filesize"], reply["total_size"]),
                         ("large.bin", len(CONTENT), len(CONTENT)))
        if "sha256" in reply:
            self.assertEqual(reply["sha256"], hashlib.sha256(CONTENT).hexdigest())

    def test_offset_and_length(self):
        cases = {(0, -1): b"0123456789", (3, -1): b"3456789", (3, 4): b"3456", (0, 0): b"", (9, 1): b"9",
                 (10, -1): b"", (8, 100): b"89"}
        for (offset, length), expected in cases.items():
            with self.subTest(offset=offset, length=length):
                reply, content = download(self.client, "digits", offset=offset, length=length)
                self.assertEqual(content, expected)
                self.assertEqual((reply["filesize"], reply["total_size"]), (len(expected), 10))

    def test_empty_file(self):
        reply, content = download(self.client, "empty")
        self.assertEqual((reply["filesize"], content), (0, b""))

    def test_many_on_one_connection(self):
        for _ in range(50):
            self.assertEqual(download(self.client, "folder/inner")[1], b"in a folder")

    def test_pipelined(self):
        self.client.sendall(packed_request({"op": "download", "filename": "digits"}) * 10)
        for _ in range(10):
            self.assertEqual(receive_reply(self.client)["filesize"], 10)
            self.assertEqual(receive_exactly(self.client, 10), b"0123456789")

    def test_uploads_and_downloads_take_turns(self):
        for number in range(20):
            upload(self.client, "turns", b"%d" % number)
            self.assertEqual(download(self.client, "turns")[1], b"%d" % number)

    def test_download_started_before_a_replacement_gets_the_old_version(self):
        upload(self.client, "version", b"1" * 8_000_000)
        self.client.sendall(packed_request({"op": "download", "filename": "version"}))
        size = receive_reply(self.client)["filesize"]
        with connect(stack.address("file", "tcp")) as other:
            upload(other, "version", b"2" * 8_000_000)
        self.assertEqual(receive_exactly(self.client, size).count(b"1"), size)

    def test_client_that_vanishes_in_mid_download_harms_nobody(self):
        for _ in range(20):
            other = connect(stack.address("file", "tcp"))
            other.sendall(packed_request({"op": "download", "filename": "large.bin"}))
            receive_exactly(other, 1000)
            vanish(other)
        self.assertEqual(download(self.client, "digits")[1], b"0123456789")

    def test_missing_file(self):
        self.assert_error(download(self.client, "missing")[0], "NOT_FOUND")

    def test_offset_past_the_end(self):
        self.assertEqual(download(self.client, "digits", offset=11)[0]["status"], "error")

    def test_folder(self):
        self.assertEqual(download(self.client, "folder")[0]["status"], "error")


class ListStatDeleteTest(FileTest):
    def names(self, **folder):
        return [entry["filename"] for entry in request(self.client, op="list", **folder)["files"]]

    def test_list_root(self):
        names = self.names()
        self.assertIn("large.bin", names)
        self.assertIn("folder", names)

    def test_list_folder(self):
        self.assertEqual(self.names(folder="folder"), ["folder/inner"])

    def test_list_in_pages(self):
        for number in range(5):
            upload(self.client, f"pages/{number}", b"x")
        names, page = [], {"next": None}
        while "next" in page:
            more = {"next": page["next"]} if page["next"] else {}
            page = request(self.client, op="list", folder="pages", limit=2, **more)
            self.assertLessEqual(len(page["files"]), 2)
            names += [entry["filename"] for entry in page["files"]]
        self.assertEqual(names, [f"pages/{number}" for number in range(5)])

    def test_entries_say_what_they_are(self):
        types = {entry["filename"]: (entry["type"], entry["size"]) for entry in request(self.client, op="list")["files"]}
        self.assertEqual((types["folder"], types["digits"]), (("folder", 0), ("file", 10)))

    def test_stat(self):
        reply = request(self.client, op="stat", filename="large.bin")
        self.assertEqual((reply["status"], reply["filename"]), ("ok", "large.bin"))
        self.assertEqual((reply["type"], reply["filesize"]), ("file", len(CONTENT)))

    def test_stat_of_missing_file(self):
        self.assert_error(request(self.client, op="stat", filename="missing"), "NOT_FOUND")

    def test_delete(self):
        upload(self.client, "doomed", b"x")
        self.assertEqual(request(self.client, op="delete", filename="doomed")["status"], "ok")
        self.assertFalse((stack.file_root / "doomed").exists())
        with connect(stack.address("file", "tcp")) as client:
            self.assert_error(download(client, "doomed")[0], "NOT_FOUND")

    def test_delete_missing_file(self):
        self.assert_error(request(self.client, op="delete", filename="missing"), "NOT_FOUND")

    def test_delete_folder_that_is_not_empty(self):
        self.assertEqual(request(self.client, op="delete", filename="folder")["status"], "error")
        self.assertTrue((stack.file_root / "folder/inner").exists())


if __name__ == "__main__":
    unittest.main()
