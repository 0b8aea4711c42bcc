"""Resuming through the gateway, over a network that cuts the client's connection to it at any byte."""

import hashlib
import unittest

import grpc

from tests.harness import rpc
from tests.harness.durability import chance, figure, report
from tests.harness.fault_proxy import END, RESET, SILENCE, TO_CLIENT, TO_SERVER, Cut, FaultProxy
from tests.harness.stack import Stack
from tests.harness.stored_versions import Ledger

file = rpc.file

TRANSFERS = figure(4, 34)
SIZES = 9 << 20, 12 << 20
MOVED_MAX = 1.1
CHUNK = 64 << 10
# What a broken connection looks like to a client.
BROKEN = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("file")
    stack.start_gateway()
    rpc.client_of(stack).close()


class ResumeTest(unittest.TestCase):
    def setUp(self):
        self.chance = chance(f"resuming by gRPC: {self._testMethodName}")
        self.proxy = FaultProxy(stack.programs["gateway"].address("grpc"))
        self.addCleanup(self.proxy.close)
        self.ledger = Ledger()
        self.attempts = self.moved = self.size = 0

    def connect(self):
        """A channel of its own for each attempt, with a window that does not grow: what has come and was not read yet is
        lost with the connection."""
        host, port = self.proxy.address
        return rpc.Client(f"{host}:{port}", {"grpc.use_local_subchannel_pool": 1, "grpc.http2.bdp_probe": 0})

    def until_done(self, attempt):
        """Calls attempt(client, again) until it is not cut off; returns what it returned."""
        for number in range(10):
            self.attempts += 1
            client = self.connect()
            try:
                return attempt(client, number > 0)
            except grpc.RpcError as error:
                self.assertTrue(error.code() in BROKEN or self.is_further(error), error)
            finally:
                client.close()
        raise AssertionError("cut off ten times")

    def is_further(self, error):
        """What was still on its way between the gateway and the service has come since GetUpload was asked."""
        code, reason = error.code(), rpc.reason_and_details(error)[0]
        return (code, reason) == (grpc.StatusCode.ABORTED, "WRONG_OFFSET")

    def check_all(self, name, direction, transfer):
        for number in range(TRANSFERS):
            version = self.ledger.begin(f"{name}/{number % 10}", self.chance.randint(*SIZES))
            with self.subTest(number=number, size=version.size):
                before = self.proxy.forwarded(direction)
                how = self.chance.choice([RESET, END, SILENCE])
                self.proxy.cut_next(Cut(direction, self.chance.randint(1, version.size), how))
                transfer(version, f"{name}-{number}")
                moved = self.proxy.forwarded(direction) - before
                self.assertLess(moved, MOVED_MAX * version.size)
                self.moved += moved
                self.size += version.size
        self.assertGreater(self.attempts, 1.5 * TRANSFERS)
        report(f"{TRANSFERS} times {name} in {self.attempts} attempts: "
               f"moved {self.moved / self.size:.3f} times the size")

    def offset_of(self, client, upload_id, content):
        """Where to go on, if what the service has is the beginning of this content."""
        try:
            answer = client.file.GetUpload(file.GetUploadRequest(upload_id=upload_id), timeout=rpc.PATIENCE)
        except grpc.RpcError as error:
            self.assertIn(error.code(), (*BROKEN, grpc.StatusCode.NOT_FOUND))
            if error.code() != grpc.StatusCode.NOT_FOUND:
                raise
            return 0
        if answer.HasField("stored"):
            return len(content)
        prefix = content[:answer.upload.committed_size]
        self.assertEqual(answer.prefix_sha256, hashlib.sha256(prefix).hexdigest())
        return len(prefix)

    def assert_stored(self, version):
        self.assertEqual((stack.file_root / version.name).read_bytes(), version.content())

    def upload(self, version, upload_id):
        content = version.content()

        def messages(offset):
            yield file.UploadRequest(start=file.UploadStart(filename=version.name, size=len(content),
                                                            upload_id=upload_id, offset=offset))
            for at in range(offset, len(content), CHUNK):
                yield file.UploadRequest(data=content[at:at + CHUNK])

        def attempt(client, again):
            offset = self.offset_of(client, upload_id, content) if again else 0
            return client.file.Upload(messages(offset), timeout=rpc.PATIENCE)

        stored = self.until_done(attempt).file
        self.assertEqual((stored.size, stored.digests.sha256), (len(content), hashlib.sha256(content).hexdigest()))
        self.assert_stored(version)

    def test_upload(self):
        self.check_all("upload", TO_SERVER, self.upload)

    def write_chunks(self, version, upload_id):
        """Each chunk is a call of its own, so little is on its way."""
        content = version.content()

        def attempt(client, again):
            create = file.CreateUploadRequest(upload_id=upload_id, filename=version.name, size=len(content))
            if client.file.CreateUpload(create, timeout=rpc.PATIENCE).HasField("stored"):
                return None
            offset = self.offset_of(client, upload_id, content) if again else 0
            while offset < len(content):
                chunk = file.WriteChunkRequest(upload_id=upload_id, offset=offset, data=content[offset:offset + CHUNK])
                offset = client.file.WriteChunk(chunk, timeout=rpc.PATIENCE).committed_size
            return client.file.CompleteUpload(file.CompleteUploadRequest(upload_id=upload_id), timeout=rpc.PATIENCE)

        self.until_done(attempt)
        self.assert_stored(version)

    def test_write_chunk(self):
        self.check_all("chunks", TO_SERVER, self.write_chunks)

    def download(self, version, _):
        content = version.content()
        (stack.file_root / version.name).parent.mkdir(exist_ok=True)
        (stack.file_root / version.name).write_bytes(content)
        received = bytearray()

        def attempt(client, _):
            wanted = file.DownloadRequest(filename=version.name, offset=len(received))
            for response in client.file.Download(wanted, timeout=rpc.PATIENCE):
                received.extend(response.data)

        self.until_done(attempt)
        self.assertEqual(bytes(received), content)

    def test_download(self):
        self.check_all("download", TO_CLIENT, self.download)


class ChangedFileTest(unittest.TestCase):
    def setUp(self):
        self.client = rpc.client_of(stack)
        self.addCleanup(self.client.close)
        ledger = Ledger()
        self.older, self.before, self.after = (ledger.begin(self.id(), 3_000_000).content() for _ in range(3))
        self.name = self.id()
        (stack.file_root / self.name).write_bytes(self.older)
        create = file.CreateUploadRequest(upload_id="changed", filename=self.name, size=len(self.before))
        self.client.file.CreateUpload(create, timeout=rpc.PATIENCE)
        self.offset = self.write(0, self.before[:CHUNK])
        self.addCleanup(self.abort)

    def abort(self):
        try:
            self.client.file.AbortUpload(file.AbortUploadRequest(upload_id="changed"))
        except grpc.RpcError as error:
            self.assertEqual(error.code(), grpc.StatusCode.NOT_FOUND)

    def write(self, offset, data):
        chunk = file.WriteChunkRequest(upload_id="changed", offset=offset, data=data)
        return self.client.file.WriteChunk(chunk, timeout=rpc.PATIENCE).committed_size

    def test_prefix_digest_tells(self):
        prefix = self.client.file.GetUpload(file.GetUploadRequest(upload_id="changed")).prefix_sha256
        self.assertEqual(prefix, hashlib.sha256(self.before[:CHUNK]).hexdigest())
        self.assertNotEqual(prefix, hashlib.sha256(self.after[:CHUNK]).hexdigest())

    def test_splicing_is_refused_by_the_digest_of_the_whole(self):
        for at in range(self.offset, len(self.after), CHUNK):
            self.write(at, self.after[at:at + CHUNK])
        expected = file.Digests(sha256=hashlib.sha256(self.after).hexdigest())
        complete = file.CompleteUploadRequest(upload_id="changed", expected=expected)
        self.assertEqual(rpc.error_of(self.client.file.CompleteUpload, complete)[:2],
                         (grpc.StatusCode.DATA_LOSS, "DIGEST_MISMATCH"))
        self.assertEqual((stack.file_root / self.name).read_bytes(), self.older)


if __name__ == "__main__":
    unittest.main()
