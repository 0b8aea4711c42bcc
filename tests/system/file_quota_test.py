"""--quota_bytes: what does not fit is refused before its first byte, by either door; earlier files stay; what is deleted
makes room again."""

import contextlib
import unittest

import grpc

from tests.conformance.file_client import download, packed_request, receive_reply, request, upload
from tests.conformance.plain_client import connect, receive_to_end
from tests.harness import rpc
from tests.harness.stack import Stack
from tests.harness.stored_versions import Ledger

QUOTA = 1_000_000


class QuotaTest(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.stop)
        self.start()
        self.stack.start_gateway()
        self.client = rpc.client_of(self.stack)
        self.addCleanup(self.client.close)
        ledger = Ledger()
        self.content = ledger.begin("any", 600_000).content()
        self.assertEqual(self.upload("kept", self.content)["status"], "ok")

    def start(self, *flags):
        rpc_address = f"--rpc_listen=unix://{self.stack.directory}/file.rpc"
        self.service = self.stack.start_service("file", f"--quota_bytes={QUOTA}", rpc_address, *flags)

    def upload(self, name, content, **more):
        with connect(self.service.address("tcp")) as client:
            return upload(client, name, content, **more)

    def request(self, **header):
        with connect(self.service.address("tcp")) as client:
            return request(client, **header)

    def free(self):
        return self.client.file.GetLimits(rpc.file.GetLimitsRequest(), timeout=rpc.PATIENCE).free_bytes

    def announce(self, name, size, **more):
        """Not a byte follows; returns the error, behind which the connection ends."""
        with connect(self.service.address("tcp")) as client:
            client.sendall(packed_request({"filename": name, "filesize": size, **more}))
            reply = receive_reply(client)
            self.assertEqual(receive_to_end(client), b"")
            return reply

    def assert_refused(self, name, size):
        for more in ({}, {"upload_id": "too-much"}):
            reply = self.announce(name, size, **more)
            self.assertEqual((reply["status"], reply["code"], reply["reason"]),
                             ("error", "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), reply)
        exceeded = grpc.StatusCode.RESOURCE_EXHAUSTED, "QUOTA_EXCEEDED"
        start = rpc.file.UploadRequest(start=rpc.file.UploadStart(filename=name, size=size))
        code, reason, details = rpc.error_of(self.client.file.Upload, iter([start]))
        self.assertEqual((code, reason), exceeded)
        self.assertIn("RetryInfo", "".join(details))
        create = rpc.file.CreateUploadRequest(filename=name, size=size)
        self.assertEqual(rpc.error_of(self.client.file.CreateUpload, create)[:2], exceeded)

    def assert_kept(self):
        self.assertTrue(self.service.alive())
        with connect(self.service.address("tcp")) as client:
            self.assertEqual(download(client, "kept")[1], self.content)

    def test_what_does_not_fit_is_refused_and_what_does_is_not(self):
        self.assertEqual(self.free(), 400_000)
        self.assert_refused("more", 400_001)
        self.assert_refused("new/folder/more", 2 * QUOTA)
        self.assert_kept()
        self.assertEqual(self.upload("more", self.content[:400_000])["status"], "ok")
        self.assertEqual(self.free(), 0)
        self.assert_refused("one", 1)
        self.assertEqual(self.upload("empty", b"")["status"], "ok")
        self.assert_kept()

    def test_deleted_files_make_room(self):
        self.assert_refused("more", 600_000)
        self.assertEqual(self.request(op="delete", filename="kept")["status"], "ok")
        self.assertEqual(self.upload("more", self.content)["status"], "ok")

    def test_what_earlier_files_take_is_known_after_a_restart(self):
        self.stack.programs["file"].kill()
        self.start()
        self.assert_refused_raw("more", 400_001)
        self.assertEqual(self.upload("more", self.content[:400_000])["status"], "ok")
        self.assert_kept()

    def assert_refused_raw(self, name, size):
        self.assertEqual(self.announce(name, size)["reason"], "QUOTA_EXCEEDED")

    def test_uploads_at_once_share_what_is_left(self):
        """Two that would fit, each alone; the room comes back when one is given up."""
        with contextlib.ExitStack() as open_connections:
            first = open_connections.enter_context(connect(self.service.address("tcp")))
            first.sendall(packed_request({"filename": "first", "filesize": 300_000, "upload_id": "first"}))
            first.sendall(self.content[:1000])
            rpc.wait_until(lambda: self.free() == 100_000, "room taken by the first")
            self.assert_refused("second", 300_000)
        aborted = rpc.file.AbortUploadRequest(upload_id="first")
        self.client.file.AbortUpload(aborted, timeout=rpc.PATIENCE)
        self.assertEqual(self.upload("second", self.content[:300_000])["status"], "ok")
        self.assert_kept()


if __name__ == "__main__":
    unittest.main()
