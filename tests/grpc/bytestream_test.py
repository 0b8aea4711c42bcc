"""google.bytestream.ByteStream through the gateway."""

import hashlib
import os
import queue
import unittest

import grpc

from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.stack import Stack

CHUNK = 1_000_000

bytestream = rpc.bytestream
stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack(stable_ports=True)
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("file")
    stack.start_gateway()
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


def blob_name(content):
    return f"blobs/{hashlib.sha256(content).hexdigest()}/{len(content)}"


def upload_name(content):
    return f"main/uploads/{os.urandom(8).hex()}/{blob_name(content)}"


def write_requests(name, content, offset=0, finish=True):
    """The name only with the first, as most clients do it."""
    for begin in range(offset, len(content), CHUNK):
        end = min(begin + CHUNK, len(content))
        yield bytestream.WriteRequest(resource_name=name if begin == offset else "", write_offset=begin,
                                      data=content[begin:end], finish_write=finish and end == len(content))


def write(*arguments, **options):
    return client.bytestream.Write(write_requests(*arguments, **options), timeout=rpc.PATIENCE).committed_size


def query(name):
    return client.bytestream.QueryWriteStatus(bytestream.QueryWriteStatusRequest(resource_name=name),
                                              timeout=rpc.PATIENCE)


def committed(name):
    """Nothing as long as the service knows of no write."""
    try:
        return query(name).committed_size
    except grpc.RpcError as error:
        if error.code() != grpc.StatusCode.NOT_FOUND:
            raise
        return None


def read(name, offset=0, limit=0):
    request = bytestream.ReadRequest(resource_name=name, read_offset=offset, read_limit=limit)
    return b"".join(part.data for part in client.bytestream.Read(request, timeout=rpc.PATIENCE))


class HeldWrite:
    """A call whose client sends what it is told to, and does not end by itself."""

    def __init__(self, test):
        self.to_send = queue.SimpleQueue()
        self.call = client.bytestream.Write.future(iter(self.to_send.get, None), timeout=rpc.PATIENCE)
        test.addCleanup(self.to_send.put, None)

    def send(self, name, offset, data):
        self.to_send.put(bytestream.WriteRequest(resource_name=name, write_offset=offset, data=data))


class WriteTest(unittest.TestCase):
    def assert_refused(self, requests, code, reason):
        self.assertEqual(rpc.error_of(client.bytestream.Write, iter(requests))[:2], (code, reason))

    def test_blob(self):
        content = os.urandom(3_000_001)
        name = upload_name(content)
        self.assertEqual(write(name, content), len(content))
        status = query(name)
        self.assertEqual((status.committed_size, status.complete), (len(content), True))
        self.assertEqual((stack.file_root / "main" / blob_name(content)).read_bytes(), content)
        self.assertTrue(read(f"main/{blob_name(content)}") == content)

    def test_blob_that_is_stored_is_success_at_once(self):
        content = os.urandom(2 * CHUNK)
        write(upload_name(content), content)
        held = HeldWrite(self)
        held.send(upload_name(content), 0, content[:1])
        self.assertEqual(held.call.result(timeout=rpc.PATIENCE).committed_size, len(content))

    def test_wrong_blob_is_not_stored(self):
        name = upload_name(b"hello")
        self.assert_refused(write_requests(name, b"hallo"), grpc.StatusCode.DATA_LOSS, "DIGEST_MISMATCH")
        self.assert_refused(write_requests(name, b"hello, world"), grpc.StatusCode.INVALID_ARGUMENT, "SIZE_MISMATCH")
        self.assertFalse((stack.file_root / "main" / blob_name(b"hello")).exists())

    def test_file_by_name(self):
        content = os.urandom(2_500_000)
        self.assertEqual(write("notes/a.bin", content, finish=False), len(content))
        self.assertFalse(query("notes/a.bin").complete)
        self.assertFalse((stack.file_root / "notes/a.bin").exists())
        last = bytestream.WriteRequest(resource_name="notes/a.bin", write_offset=len(content), finish_write=True)
        self.assertEqual(client.bytestream.Write(iter([last]), timeout=rpc.PATIENCE).committed_size, len(content))
        self.assertTrue(query("notes/a.bin").complete)
        self.assertTrue(read("notes/a.bin") == content)

    def test_large_messages(self):
        content = os.urandom((4 << 20) - 1000)
        request = bytestream.WriteRequest(resource_name="large", data=content, finish_write=True)
        self.assertEqual(client.bytestream.Write(iter([request]), timeout=rpc.PATIENCE).committed_size, len(content))
        self.assertTrue(read("large") == content)

    def test_refusals(self):
        invalid = grpc.StatusCode.INVALID_ARGUMENT
        self.assert_refused([], invalid, "RESOURCE_NAME_MISSING")
        self.assert_refused(write_requests("../outside", b"x"), invalid, "BAD_FILENAME")
        self.assert_refused(write_requests("uploads/id/blobs/none/1", b"x"), invalid, "BAD_RESOURCE_NAME")
        self.assert_refused([*write_requests("a", b"x", finish=False), *write_requests("b", b"xy", offset=1)],
                            invalid, "RESOURCE_NAME_CHANGED")
        self.assert_refused([bytestream.WriteRequest(resource_name="never", write_offset=1, data=b"x")],
                            grpc.StatusCode.NOT_FOUND, "UPLOAD_NOT_FOUND")

    def test_wrong_offset_is_told_the_right_one(self):
        write("wrong", b"12345", finish=False)
        request = bytestream.WriteRequest(resource_name="wrong", write_offset=4, data=b"5")
        code, reason, details = rpc.error_of(client.bytestream.Write, iter([request]))
        self.assertEqual((code, reason), (grpc.StatusCode.ABORTED, "WRONG_OFFSET"))
        self.assertEqual(details["google.rpc.ErrorInfo"].metadata["committed_size"], "5")


class ResumeTest(unittest.TestCase):
    def break_after(self, name, content, size):
        held = HeldWrite(self)
        held.send(name, 0, content[:size])
        wait_until(lambda: committed(name) == size, f"{size} bytes on disk")
        held.call.cancel()

    def test_broken_call(self):
        content = os.urandom(5 << 20)
        name = upload_name(content)
        self.assertIsNone(committed(name))
        self.break_after(name, content, 2 << 20)
        status = query(name)
        self.assertEqual((status.committed_size, status.complete), (2 << 20, False))
        self.assertEqual(write(name, content, offset=status.committed_size), len(content))
        self.assertTrue(read(f"main/{blob_name(content)}") == content)

    def restart(self, how):
        getattr(stack.programs["file"], how)()
        stack.programs["file"].start()
        wait_until(lambda: client.service("file").state == rpc.control.SERVICE_STATE_RUNNING, "file running")

    def test_restart_of_the_service(self):
        for how in ("stop", "kill"):
            with self.subTest(how=how):
                content = os.urandom(3 << 20)
                blob, name = upload_name(content), f"restarted/{how}"
                for resource in (blob, name):
                    self.break_after(resource, content, 1 << 20)
                self.restart(how)
                for resource in (blob, name):
                    self.assertEqual(committed(resource), 1 << 20)
                    self.assertEqual(write(resource, content, offset=1 << 20), len(content))
                self.assertTrue(read(f"main/{blob_name(content)}") == content)
                self.assertTrue(read(name) == content)

    def test_a_blob_is_complete_as_long_as_it_is_there(self):
        content = os.urandom(1 << 20)
        name = upload_name(content)
        write(name, content)
        self.restart("kill")
        self.assertTrue(query(name).complete)
        (stack.file_root / "main" / blob_name(content)).unlink()
        self.assertIsNone(committed(name))

    def test_from_the_beginning_again(self):
        """As clients do that never ask how far they were."""
        content = os.urandom(2 << 20)
        name = upload_name(content)
        self.break_after(name, content, 1 << 20)
        self.assertEqual(write(name, content), len(content))
        self.assertTrue(read(f"main/{blob_name(content)}") == content)

    def test_is_an_upload_as_any_other(self):
        write("listed", b"123", finish=False)
        upload_id = hashlib.sha256(b"listed").hexdigest()[:32]
        uploads = client.file.ListUploads(rpc.file.ListUploadsRequest(), timeout=rpc.PATIENCE).uploads
        self.assertEqual([(each.filename, each.committed_size) for each in uploads if each.upload_id == upload_id],
                         [("listed", 3)])
        client.file.CompleteUpload(rpc.file.CompleteUploadRequest(upload_id=upload_id), timeout=rpc.PATIENCE)
        self.assertTrue(query("listed").complete)
        self.assertEqual(read("listed"), b"123")


class ReadTest(unittest.TestCase):
    CONTENT = os.urandom(1_000_000)

    @classmethod
    def setUpClass(cls):
        write("read.bin", cls.CONTENT)

    def test_parts(self):
        size = len(self.CONTENT)
        for offset, limit in ((0, 0), (0, 10), (500_000, 400_000), (size - 1, 1), (size, 5), (size - 5, 100)):
            with self.subTest(offset=offset, limit=limit):
                expected = self.CONTENT[offset:offset + limit] if limit else self.CONTENT[offset:]
                self.assertTrue(read("read.bin", offset, limit) == expected)

    def test_errors(self):
        for name, offset, limit, code, reason in (
                ("missing", 0, 0, grpc.StatusCode.NOT_FOUND, "FILE_NOT_FOUND"),
                ("read.bin", len(self.CONTENT) + 1, 0, grpc.StatusCode.OUT_OF_RANGE, "OFFSET_PAST_END"),
                ("read.bin", -1, 0, grpc.StatusCode.OUT_OF_RANGE, "OFFSET_PAST_END"),
                ("read.bin", 0, -1, grpc.StatusCode.INVALID_ARGUMENT, "BAD_READ_LIMIT"),
                ("/read.bin", 0, 0, grpc.StatusCode.INVALID_ARGUMENT, "BAD_FILENAME")):
            with self.subTest(name=name, offset=offset, limit=limit):
                request = bytestream.ReadRequest(resource_name=name, read_offset=offset, read_limit=limit)
                self.assertEqual(rpc.error_of(client.bytestream.Read, request)[:2], (code, reason))


if __name__ == "__main__":
    unittest.main()
