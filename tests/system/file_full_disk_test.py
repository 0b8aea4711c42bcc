"""A disk that is full, and one that is read-only: both doors say so, earlier files are as they were, the service stays,
and works again when the disk does."""

import contextlib
import pathlib
import subprocess
import unittest

import grpc

from tests.conformance.file_client import download, packed_request, receive_reply, request, upload
from tests.conformance.plain_client import connect
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.durability import private_mounts_or_skip
from tests.harness.stack import Stack
from tests.harness.stored_versions import Ledger, hidden_leftovers, visible_files

DISK = 24 << 20
LARGE = 3 << 20
KEPT = b"kept" * 1000


def setUpModule():
    private_mounts_or_skip()


class DiskTest(unittest.TestCase):
    def mount(self, folder):
        """On an empty folder. tmpfs has neither journal nor reservation."""
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", folder], check=True)

    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.stop)
        self.root = self.stack.file_root
        self.mount(self.root)
        self.addCleanup(subprocess.run, ["umount", self.root], check=True)
        self.addCleanup(lambda: self.stack.programs.pop("file").stop())
        self.addCleanup(lambda: self.stack.programs.pop("gateway").stop())
        self.service = self.stack.start_service("file")
        self.stack.start_gateway()
        self.client = rpc.client_of(self.stack)
        self.addCleanup(self.client.close)
        self.ledger = Ledger()
        self.assertEqual(self.upload("kept", KEPT)["status"], "ok")

    def connect(self):
        return connect(self.service.address("tcp"))

    def upload(self, name, content, **more):
        with self.connect() as client:
            return upload(client, name, content, **more)

    def content(self, size=LARGE):
        return self.ledger.begin("any", size).content()

    def typed_upload(self, name, content, **more):
        start = rpc.file.UploadStart(filename=name, size=len(content), **more)
        parts = [content[at:at + 60_000] for at in range(0, len(content), 60_000)]
        return iter([rpc.file.UploadRequest(start=start), *(rpc.file.UploadRequest(data=part) for part in parts)])

    def assert_error(self, reply, code, reason):
        self.assertEqual((reply["status"], reply.get("code"), reply.get("reason")), ("error", code, reason), reply)

    def assert_typed_error(self, call, message, code, reason):
        found = rpc.error_of(call, message)
        self.assertEqual(found[:2], (code, reason))
        return found[2]

    def assert_untouched(self, *others):
        self.assertTrue(self.service.alive())
        self.assertEqual(set(visible_files(self.root)), {"kept", *others})
        with self.connect() as client:
            self.assertEqual(download(client, "kept")[1], KEPT)

    def free(self):
        return self.client.file.GetLimits(rpc.file.GetLimitsRequest(), timeout=rpc.PATIENCE).free_bytes

    @contextlib.contextmanager
    def full(self, leaving=1 << 20):
        """Somebody else takes the space, but for about so many bytes."""
        ballast = self.root / ".ballast"
        with open(ballast, "wb") as file:
            while self.free() > leaving:
                file.write(bytes(min(256 << 10, self.free() - leaving + 1)))
                file.flush()
        try:
            yield
        finally:
            ballast.unlink()
            wait_until(lambda: self.free() > LARGE, "free space again")


class FullDiskTest(DiskTest):
    def assert_untouched(self, *others):
        super().assert_untouched(".ballast", *others)

    def test_announced_size_that_does_not_fit_is_refused_at_once(self):
        with self.full():
            with self.connect() as client:
                client.sendall(packed_request({"filename": "kept", "filesize": LARGE}))
                self.assert_error(receive_reply(client), "RESOURCE_EXHAUSTED", "NO_SPACE")
            details = self.assert_typed_error(self.client.file.Upload, self.typed_upload("kept", self.content()),
                                              grpc.StatusCode.RESOURCE_EXHAUSTED, "NO_SPACE")
            self.assertIn("RetryInfo", "".join(details))
            create = rpc.file.CreateUploadRequest(filename="kept", size=LARGE)
            self.assert_typed_error(self.client.file.CreateUpload, create,
                                    grpc.StatusCode.RESOURCE_EXHAUSTED, "NO_SPACE")
            self.assert_untouched()
        self.assert_works_again()

    def test_disk_that_fills_up_under_an_upload(self):
        """It fitted when it was announced."""
        content = self.content()
        for more in ({}, {"upload_id": "resumable"}):
            with self.connect() as client:
                client.sendall(packed_request({"filename": "kept", "filesize": LARGE, **more}) + content[:100_000])
                wait_until(self.first_bytes_are_written, "the first bytes")
                with self.full(leaving=100_000):
                    with contextlib.suppress(ConnectionError):
                        client.sendall(content[100_000:])
                    self.assert_error(receive_reply(client), "RESOURCE_EXHAUSTED", "NO_SPACE")
                    self.assert_untouched()
        self.assert_works_again()
        self.assert_resumable_goes_on(content)

    def first_bytes_are_written(self):
        folder = pathlib.Path(f"/proc/{self.service.pid}/fd")
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            return any(str(entry.readlink()).startswith(str(self.root)) and entry.stat().st_size == 100_000
                       for entry in folder.iterdir())
        return False

    def assert_resumable_goes_on(self, content):
        with self.connect() as client:
            offset = request(client, op="status", upload_id="resumable")["offset"]
            header = {"filename": "kept", "filesize": LARGE, "upload_id": "resumable", "offset": offset}
            client.sendall(packed_request(header) + content[offset:])
            self.assertEqual(receive_reply(client)["status"], "ok")
        self.assertEqual((self.root / "kept").read_bytes(), content)

    def test_uploads_until_nothing_fits(self):
        stored = []
        for number in range(DISK // LARGE + 1):
            content = self.content()
            reply = self.upload(f"many/{number}", content)
            if reply["status"] != "ok":
                break
            stored.append((f"many/{number}", content))
        self.assert_error(reply, "RESOURCE_EXHAUSTED", "NO_SPACE")
        self.assertGreater(len(stored), 4)
        DiskTest.assert_untouched(self, *(name for name, _ in stored))
        for name, content in stored:
            self.assertEqual((self.root / name).read_bytes(), content)
        with self.connect() as client:
            self.assertEqual(request(client, op="delete", filename=stored[0][0])["status"], "ok")
        self.assertEqual(self.upload("many/after", self.content())["status"], "ok")

    def assert_works_again(self):
        DiskTest.assert_untouched(self)
        self.assertEqual(hidden_leftovers(self.root), [])
        content = self.content()
        self.assertEqual(self.upload("after", content)["status"], "ok")
        self.assertEqual((self.root / "after").read_bytes(), content)
        self.assertEqual(self.client.file.Upload(self.typed_upload("typed", content)).file.size, len(content))


class ReadOnlyStoreTest(DiskTest):
    def remount(self, how):
        subprocess.run(["mount", "-o", f"remount,{how}", self.root], check=True)

    def test_everything_that_writes_is_refused_and_reading_goes_on(self):
        self.assertEqual(self.upload("folder/other", b"other")["status"], "ok")
        self.remount("ro")
        self.check_raw()
        self.check_typed()
        self.assert_untouched("folder/other")
        self.remount("rw")
        self.assertEqual(self.upload("kept", b"newer")["status"], "ok")
        with self.connect() as client:
            self.assertEqual(request(client, op="delete", filename="folder/other")["status"], "ok")

    def check_raw(self):
        self.assert_error(self.upload("kept", b"newer"), "FAILED_PRECONDITION", "EROFS")
        self.assert_error(self.upload("new/folder/file", b"newer"), "FAILED_PRECONDITION", "EROFS")
        self.assert_error(self.upload("kept", b"newer", upload_id="refused"), "FAILED_PRECONDITION", "EROFS")
        with self.connect() as client:
            self.assert_error(request(client, op="delete", filename="kept"), "FAILED_PRECONDITION", "EROFS")
            self.assertEqual(request(client, op="stat", filename="kept")["filesize"], len(KEPT))
            self.assertEqual([entry["filename"] for entry in request(client, op="list")["files"]], ["folder", "kept"])

    def check_typed(self):
        read_only = grpc.StatusCode.FAILED_PRECONDITION, "EROFS"
        self.assert_typed_error(self.client.file.Upload, self.typed_upload("kept", b"newer"), *read_only)
        move = rpc.file.MoveFileRequest(filename="kept", new_filename="moved")
        for call, message in ((self.client.file.CreateUpload, rpc.file.CreateUploadRequest(filename="kept", size=1)),
                              (self.client.file.DeleteFile, rpc.file.DeleteFileRequest(filename="kept")),
                              (self.client.file.MoveFile, move)):
            self.assert_typed_error(call, message, *read_only)
        self.assertEqual(self.client.file.StatFile(rpc.file.StatFileRequest(filename="kept")).file.size, len(KEPT))

    def test_service_starts_on_a_read_only_store(self):
        self.stack.programs.pop("file").stop()
        self.remount("ro")
        self.service = self.stack.start_service("file")
        self.check_raw_reading()
        self.assert_error(self.upload("kept", b"newer"), "FAILED_PRECONDITION", "EROFS")
        self.remount("rw")
        self.assertEqual(self.upload("kept", b"newer")["status"], "ok")

    def check_raw_reading(self):
        with self.connect() as client:
            self.assertEqual(download(client, "kept")[1], KEPT)


class OnExt4:
    """The same on a file system with a journal, and blocks that are set aside."""

    def mount(self, folder):
        image = self.stack.directory / "image"
        with open(image, "wb") as file:
            file.truncate(DISK)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^has_journal", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, folder], check=True)
        (folder / "lost+found").rmdir()


class FullExt4Test(OnExt4, FullDiskTest):
    pass


class ReadOnlyExt4Test(OnExt4, ReadOnlyStoreTest):
    pass


if __name__ == "__main__":
    unittest.main()
