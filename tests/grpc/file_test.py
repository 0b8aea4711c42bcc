"""FileService through the gateway."""

import hashlib
import os
import queue
import unittest

import grpc

from tests.harness import rpc
from tests.harness.stack import Stack

CHUNK = 256 * 1024
MAX_FILE_BYTES = 20_000_000
BAD_NAMES = ("", ".", "..", "/absolute", "../outside", "a/../b", "a//b", "a/", "nul\0byte")

file = rpc.file
stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("file", f"--file_max_bytes={MAX_FILE_BYTES}")
    stack.start_gateway()
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


def upload_requests(filename, content, size=None, digests=None, if_absent=False):
    start = file.UploadStart(filename=filename, size=len(content) if size is None else size, if_absent=if_absent,
                             expected=file.Digests(**(digests or {})))
    yield file.UploadRequest(start=start)
    for offset in range(0, len(content), CHUNK):
        yield file.UploadRequest(data=content[offset:offset + CHUNK])


def upload(*arguments, **options):
    return client.file.Upload(upload_requests(*arguments, **options), timeout=rpc.PATIENCE).file


def download(filename, offset=0, **length):
    """Returns header, bytes and trailer, which must come in this order."""
    request = file.DownloadRequest(filename=filename, offset=offset, **length)
    parts = list(client.file.Download(request, timeout=rpc.PATIENCE))
    kinds = [part.WhichOneof("part") for part in parts]
    assert kinds[0] == "header" and kinds[-1] == "trailer" and set(kinds[1:-1]) <= {"data"}, kinds
    return parts[0].header, b"".join(part.data for part in parts[1:-1]), parts[-1].trailer


def stored(filename):
    path = stack.file_root / filename
    return path.read_bytes() if path.exists() else None


class UploadTest(unittest.TestCase):
    def assert_refused(self, requests, code, reason, call=None):
        self.assertEqual(rpc.error_of(call or client.file.Upload, requests)[:2], (code, reason))

    def test_upload(self):
        content = os.urandom(3_000_001)
        info = upload("up/load.bin", content)
        self.assertEqual((info.filename, info.size, info.type), ("up/load.bin", len(content), file.ENTRY_TYPE_FILE))
        self.assertEqual(info.digests.sha256, hashlib.sha256(content).hexdigest())
        self.assertEqual(stored("up/load.bin"), content)

    def test_empty_file(self):
        self.assertEqual(upload("empty", b"").size, 0)
        self.assertEqual(stored("empty"), b"")

    def test_right_digests(self):
        digests = {"md5": hashlib.md5(b"content").hexdigest(), "sha256": hashlib.sha256(b"content").hexdigest()}
        self.assertEqual(upload("verified", b"content", digests=digests).size, 7)

    def test_wrong_digest_keeps_the_older_file(self):
        upload("kept", b"older")
        self.assert_refused(upload_requests("kept", b"newer", digests={"sha256": "0" * 64}),
                            grpc.StatusCode.DATA_LOSS, "DIGEST_MISMATCH")
        self.assertEqual(stored("kept"), b"older")

    def test_malformed_digest(self):
        for digests in ({"md5": "x"}, {"sha256": "0" * 32}):
            self.assert_refused(upload_requests("d", b"1", digests=digests),
                                grpc.StatusCode.INVALID_ARGUMENT, "BAD_DIGEST")

    def test_if_absent(self):
        upload("once", b"first", if_absent=True)
        self.assert_refused(upload_requests("once", b"second", if_absent=True),
                            grpc.StatusCode.ALREADY_EXISTS, "FILE_EXISTS")
        self.assertEqual(stored("once"), b"first")

    def test_more_or_fewer_bytes_than_announced(self):
        for size in (2, 4, 0):
            with self.subTest(size=size):
                self.assert_refused(upload_requests("lie", b"abc", size=size),
                                    grpc.StatusCode.INVALID_ARGUMENT, "SIZE_MISMATCH")
                self.assertIsNone(stored("lie"))

    def test_no_start(self):
        self.assert_refused(iter(()), grpc.StatusCode.INVALID_ARGUMENT, "UPLOAD_START_MISSING")
        self.assert_refused(iter([file.UploadRequest(data=b"x")]),
                            grpc.StatusCode.INVALID_ARGUMENT, "UPLOAD_START_MISSING")

    def test_malformed_message_is_an_error(self):
        """Even after the last byte: what was meant is not known."""
        raw = client.channel.stream_unary("/rawgate.file.v1.FileService/Upload",
                                          response_deserializer=file.UploadResponse.FromString)
        messages = [request.SerializeToString() for request in upload_requests("malformed", b"whole")]
        self.assert_refused(iter([*messages, b"\x12\x7fcut short"]),
                            grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_MESSAGE", call=raw)
        self.assertIsNone(stored("malformed"))

    def test_too_large_is_told_before_the_first_byte(self):
        self.assert_refused(upload_requests("large", b"", size=MAX_FILE_BYTES + 1),
                            grpc.StatusCode.INVALID_ARGUMENT, "FILE_TOO_LARGE")

    def test_over_a_folder_and_through_a_file(self):
        upload("dir/inner", b"x")
        for name in ("dir", "dir/inner/below"):
            self.assert_refused(upload_requests(name, b"x"), grpc.StatusCode.FAILED_PRECONDITION, "NOT_A_FILE")

    def test_cancelled_upload_publishes_nothing(self):
        """The service has the start once the call's first bytes are counted; then the client gives up."""
        upload("cancelled", b"older")

        def endless():
            yield file.UploadRequest(start=file.UploadStart(filename="cancelled", size=CHUNK * 50))
            yield file.UploadRequest(data=b"x" * CHUNK)
            call.cancel()

        call = client.file.Upload.future(endless(), timeout=rpc.PATIENCE)
        with self.assertRaises((grpc.FutureCancelledError, grpc.RpcError)):
            call.result()
        self.assertEqual(download("cancelled")[1], b"older")

    def test_stalled_upload_is_given_up(self):
        other = Stack()
        self.addCleanup(other.stop)
        direct = rpc.Client(other.start_service("file", "--stall_timeout=100ms").rpc_target)
        self.addCleanup(direct.close)
        to_send = queue.SimpleQueue()
        self.addCleanup(to_send.put, None)
        to_send.put(file.UploadRequest(start=file.UploadStart(filename="stalled", size=CHUNK)))
        self.assert_refused(iter(to_send.get, None), grpc.StatusCode.DEADLINE_EXCEEDED, "STALLED",
                            call=direct.file.Upload)


class NameTest(unittest.TestCase):
    def test_bad_names_everywhere(self):
        for name in BAD_NAMES:
            for call, request in ((client.file.Upload, upload_requests(name, b"x")),
                                  (client.file.Download, file.DownloadRequest(filename=name)),
                                  (client.file.StatFile, file.StatFileRequest(filename=name)),
                                  (client.file.DeleteFile, file.DeleteFileRequest(filename=name))):
                with self.subTest(name=name, call=call):
                    self.assertEqual(rpc.error_of(call, request)[:2],
                                     (grpc.StatusCode.INVALID_ARGUMENT, "BAD_FILENAME"))


class DownloadTest(unittest.TestCase):
    CONTENT = os.urandom(2_000_000)

    @classmethod
    def setUpClass(cls):
        upload("down.bin", cls.CONTENT)

    def test_whole_file(self):
        header, content, trailer = download("down.bin")
        self.assertTrue(content == self.CONTENT)
        self.assertEqual((header.file.size, header.offset, header.length), (len(content), 0, len(content)))
        self.assertEqual(trailer.sha256, hashlib.sha256(content).hexdigest())

    def test_parts(self):
        size = len(self.CONTENT)
        for offset, length in ((0, 0), (0, 10), (1_000_000, 999_999), (size - 1, 1), (size, 5), (size - 5, 100)):
            with self.subTest(offset=offset, length=length):
                expected = self.CONTENT[offset:offset + length]
                header, content, trailer = download("down.bin", offset, length=length)
                self.assertTrue(content == expected)
                self.assertEqual((header.file.size, header.offset, header.length), (size, offset, len(expected)))
                self.assertEqual(trailer.sha256, hashlib.sha256(expected).hexdigest())

    def test_errors(self):
        for name, offset, code, reason in (
                ("missing", 0, grpc.StatusCode.NOT_FOUND, "FILE_NOT_FOUND"),
                ("down.bin", len(self.CONTENT) + 1, grpc.StatusCode.OUT_OF_RANGE, "OFFSET_PAST_END"),
                ("folder", 0, grpc.StatusCode.FAILED_PRECONDITION, "NOT_A_FILE")):
            with self.subTest(name=name):
                upload("folder/inner", b"x")
                request = file.DownloadRequest(filename=name, offset=offset)
                self.assertEqual(rpc.error_of(client.file.Download, request)[:2], (code, reason))


class FolderTest(unittest.TestCase):
    def list(self, folder, size=0, token=""):
        return client.file.ListFiles(file.ListFilesRequest(folder=folder, page_size=size, page_token=token))

    def test_list_in_pages(self):
        for number in range(7):
            upload(f"pages/{number}", b"x" * number)
        names, token = [], ""
        while True:
            page = self.list("pages", 3, token)
            self.assertLessEqual(len(page.files), 3)
            names += [info.filename for info in page.files]
            token = page.next_page_token
            if not token:
                break
        self.assertEqual(names, [f"pages/{number}" for number in range(7)])

    def test_folders_are_entries(self):
        upload("outer/inner/file", b"x")
        self.assertEqual([(info.filename, info.type) for info in self.list("outer").files],
                         [("outer/inner", file.ENTRY_TYPE_FOLDER)])

    def test_list_errors(self):
        upload("plain", b"x")
        for request, code, reason in (
                (file.ListFilesRequest(folder="missing"), grpc.StatusCode.NOT_FOUND, "FILE_NOT_FOUND"),
                (file.ListFilesRequest(folder="plain"), grpc.StatusCode.FAILED_PRECONDITION, "NOT_A_FOLDER"),
                (file.ListFilesRequest(page_token="junk\1"), grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN")):
            with self.subTest(reason=reason):
                self.assertEqual(rpc.error_of(client.file.ListFiles, request)[:2], (code, reason))

    def test_stat(self):
        upload("stat", b"12345")
        info = client.file.StatFile(file.StatFileRequest(filename="stat")).file
        self.assertEqual((info.filename, info.size, info.type), ("stat", 5, file.ENTRY_TYPE_FILE))
        self.assertEqual(info.modify_time.seconds, int((stack.file_root / "stat").stat().st_mtime))

    def test_delete(self):
        upload("doomed/file", b"x")
        folder, inner = file.DeleteFileRequest(filename="doomed"), file.DeleteFileRequest(filename="doomed/file")
        self.assertEqual(rpc.error_of(client.file.DeleteFile, folder)[:2],
                         (grpc.StatusCode.FAILED_PRECONDITION, "FOLDER_NOT_EMPTY"))
        client.file.DeleteFile(inner)
        client.file.DeleteFile(folder)
        self.assertFalse((stack.file_root / "doomed").exists())
        self.assertEqual(rpc.error_of(client.file.DeleteFile, folder)[:2],
                         (grpc.StatusCode.NOT_FOUND, "FILE_NOT_FOUND"))

    def test_limits(self):
        limits = client.file.GetLimits(file.GetLimitsRequest())
        self.assertEqual(limits.max_file_bytes, MAX_FILE_BYTES)
        self.assertGreaterEqual(limits.max_chunk_bytes, CHUNK)
        self.assertGreater(limits.free_bytes, 0)


if __name__ == "__main__":
    unittest.main()
