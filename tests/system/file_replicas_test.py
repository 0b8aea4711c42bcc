"""Two processes of rawgate-file on one root: an upload that one has begun goes on at the other, as if they were one."""

import concurrent.futures
import hashlib
import subprocess
import threading
import unittest

import grpc

from tests.conformance.file_client import packed_request, request
from tests.conformance.plain_client import connect
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.durability import chance
from tests.harness.program import BIN_DIR, clean_environment
from tests.harness.stack import Stack

file = rpc.file

LABELS = "file-1", "file-2"
ROUNDS = 20
CHUNK = 64 << 10
WRITERS = 4
NOT_FOUND = grpc.StatusCode.NOT_FOUND, "UPLOAD_NOT_FOUND"
TAKEN_OVER = grpc.StatusCode.ABORTED, "UPLOAD_TAKEN_OVER"


class Sending:
    """An Upload call that sends some of a file, and the rest, or an end, when it is told to."""

    def __init__(self, client, header, parts):
        self.parts = parts
        self.sent = 0
        self.more = threading.Semaphore(0)
        self.call = client.file.Upload.future(self._messages(header), timeout=rpc.PATIENCE)

    def _messages(self, header):
        yield file.UploadRequest(start=file.UploadStart(**header))
        for part in self.parts:
            self.more.acquire()
            yield file.UploadRequest(data=part)

    def send(self, count):
        for _ in range(count):
            self.more.release()

    def close(self):
        self.call.cancel()
        self.send(len(self.parts))


class FileReplicasTest(unittest.TestCase):
    def setUp(self):
        self.chance = chance(f"two on one root: {self._testMethodName}")
        self.stack = Stack()
        self.addCleanup(self.stack.stop)
        for label in LABELS:
            self.stack.start_service("file", label=label)
        targets = ",".join(self.stack.programs[label].rpc_target for label in LABELS)
        self.stack.start_gateway(backends={"file": f"ipv4:{targets}"})
        self.gateway = rpc.client_of(self.stack)
        self.addCleanup(self.gateway.close)
        self.first, self.second = (rpc.Client(self.stack.programs[label].rpc_target) for label in LABELS)
        self.addCleanup(self.first.close)
        self.addCleanup(self.second.close)

    def content(self, size):
        return self.chance.randbytes(size)

    def create(self, client, upload_id, size):
        return client.file.CreateUpload(file.CreateUploadRequest(upload_id=upload_id, filename=upload_id, size=size),
                                        timeout=rpc.PATIENCE)

    def write(self, client, upload_id, offset, data):
        chunk = file.WriteChunkRequest(upload_id=upload_id, offset=offset, data=data)
        return client.file.WriteChunk(chunk, timeout=rpc.PATIENCE).committed_size

    def get(self, client, upload_id):
        return client.file.GetUpload(file.GetUploadRequest(upload_id=upload_id), timeout=rpc.PATIENCE)

    def complete(self, client, upload_id, content):
        expected = file.Digests(sha256=hashlib.sha256(content).hexdigest())
        return client.file.CompleteUpload(file.CompleteUploadRequest(upload_id=upload_id, expected=expected),
                                          timeout=rpc.PATIENCE)

    def upload(self, client, upload_id, content, offset):
        """The rest of a file by one Upload call."""
        def messages():
            yield file.UploadRequest(start=file.UploadStart(filename=upload_id, size=len(content), upload_id=upload_id,
                                                            offset=offset))
            for at in range(offset, len(content), CHUNK):
                yield file.UploadRequest(data=content[at:at + CHUNK])
        return client.file.Upload(messages(), timeout=rpc.PATIENCE).file

    def sending(self, client, upload_id, content):
        """An Upload call of which the first half of the file has come, and nothing more does until it is told to."""
        parts = [content[at:at + CHUNK] for at in range(0, len(content), CHUNK)]
        header = {"filename": upload_id, "size": len(content), "upload_id": upload_id}
        call = Sending(client, header, parts)
        self.addCleanup(call.close)
        half = len(parts) // 2
        call.send(half)
        wait_until(lambda: self.size_in_hand(upload_id) == half * CHUNK, "half of the file")
        return call

    def size_in_hand(self, upload_id):
        path = self.stack.file_root / ".rawgate-uploads" / upload_id
        return path.stat().st_size if path.exists() else -1

    def assert_stored(self, name, content):
        self.assertEqual((self.stack.file_root / name).read_bytes(), content)
        self.assertEqual(self.unfinished(self.first) | self.unfinished(self.second), set())
        self.assertEqual(list((self.stack.file_root / ".rawgate-uploads").iterdir()), [])

    def unfinished(self, client):
        uploads = client.file.ListUploads(file.ListUploadsRequest(), timeout=rpc.PATIENCE).uploads
        return {upload.upload_id for upload in uploads}

    def assert_prefix(self, answer, content, committed):
        self.assertEqual(answer.upload.committed_size, committed)
        self.assertEqual(answer.prefix_sha256, hashlib.sha256(content[:committed]).hexdigest())

    def test_chunks_alternate(self):
        content = self.content(ROUNDS * CHUNK)
        self.create(self.first, "u", len(content))
        self.create(self.second, "u", len(content))
        for number, at in enumerate(range(0, len(content), CHUNK)):
            one, other = (self.first, self.second) if number % 2 else (self.second, self.first)
            self.assertEqual(self.write(one, "u", at, content[at:at + CHUNK]), at + CHUNK)
            self.assert_prefix(self.get(other, "u"), content, at + CHUNK)
            self.assertEqual(self.unfinished(one), {"u"})
        self.complete(self.second, "u", content)
        self.assert_stored("u", content)
        for client in (self.first, self.second):
            self.assertEqual(rpc.error_of(lambda **_: self.write(client, "u", len(content), b""))[:2], NOT_FOUND)

    def test_all_through_the_gateway(self):
        for number in range(ROUNDS):
            with self.subTest(number=number):
                upload_id, content = f"u{number}", self.content(3 * CHUNK)
                self.create(self.gateway, upload_id, len(content))
                for at in range(0, 2 * CHUNK, CHUNK):
                    self.assertEqual(self.write(self.gateway, upload_id, at, content[at:at + CHUNK]), at + CHUNK)
                    self.assert_prefix(self.get(self.gateway, upload_id), content, at + CHUNK)
                self.upload(self.gateway, upload_id, content, 2 * CHUNK)
                self.assert_stored(upload_id, content)
        self.assertGreater(min(self.calls_of(client) for client in (self.first, self.second)), ROUNDS)

    def calls_of(self, client):
        return client.service("file").counters.requests

    def test_put(self):
        content = self.content(20 << 20)
        source = self.stack.directory / "source"
        source.write_bytes(content)
        command = [str(BIN_DIR / "rawgate"), "--gateway", self.stack.gateway_target, "put", str(source), "--to", "stored"]
        subprocess.run(command, env=clean_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       timeout=rpc.PATIENCE, check=True)
        self.assert_stored("stored", content)

    def test_upload_that_breaks_off_goes_on_at_the_other(self):
        for number in range(ROUNDS):
            with self.subTest(number=number):
                upload_id, content = f"u{number}", self.content(8 * CHUNK)
                one, other = (self.first, self.second) if number % 2 else (self.second, self.first)
                self.sending(one, upload_id, content).close()
                answer = self.get(other, upload_id)
                self.assert_prefix(answer, content, answer.upload.committed_size)
                self.assertGreaterEqual(answer.upload.committed_size, 4 * CHUNK)
                self.upload(other, upload_id, content, answer.upload.committed_size)
                self.assert_stored(upload_id, content)

    def test_socket_that_breaks_off_goes_on_at_the_other(self):
        content = self.content(8 * CHUNK)
        header = {"op": "upload", "filename": "u", "filesize": len(content), "upload_id": "u"}
        one, other = (self.stack.programs[label].address("tcp") for label in LABELS)
        with connect(one) as client:
            client.sendall(packed_request(header) + content[:CHUNK])
            wait_until(lambda: self.size_in_hand("u") == CHUNK, "what was sent")
        with connect(other) as client:
            self.assertEqual(request(client, op="status", upload_id="u")["offset"], CHUNK)
            client.sendall(packed_request({**header, "offset": CHUNK}) + content[CHUNK:])
            self.assertEqual(request(client, op="stat", filename="u")["status"], "ok")
        self.assert_stored("u", content)

    def test_one_that_is_being_sent_is_left_alone(self):
        content = self.content(8 * CHUNK)
        call = self.sending(self.first, "u", content)
        offset = 4 * CHUNK
        self.assert_prefix(self.get(self.first, "u"), content, offset)
        for attempt in (lambda **_: self.write(self.second, "u", offset, b"x"), lambda **_: self.get(self.second, "u"),
                        lambda **_: self.upload(self.second, "u", content, offset)):
            self.assertEqual(rpc.error_of(attempt)[:2], TAKEN_OVER)
        self.assertEqual(self.unfinished(self.second), {"u"})
        call.send(4)
        self.assertEqual(call.call.result().file.size, len(content))
        self.assert_stored("u", content)

    def test_kill_of_the_one_that_has_it(self):
        content = self.content(8 * CHUNK)
        call = self.sending(self.first, "u", content)
        self.stack.programs.pop("file-1").kill()
        self.assertEqual(call.call.code(), grpc.StatusCode.UNAVAILABLE)
        self.assert_prefix(self.get(self.second, "u"), content, 4 * CHUNK)
        self.upload(self.second, "u", content, 4 * CHUNK)
        self.assertEqual((self.stack.file_root / "u").read_bytes(), content)
        self.assertEqual(self.unfinished(self.second), set())

    def test_of_many_writers_one_wins_each_time(self):
        content = self.content(ROUNDS * CHUNK)
        self.create(self.first, "u", len(content))

        def attempt(client, at):
            try:
                return self.write(client, "u", at, content[at:at + CHUNK])
            except grpc.RpcError as error:
                self.assertEqual(error.code(), grpc.StatusCode.ABORTED, error)
                return None

        with concurrent.futures.ThreadPoolExecutor(2 * WRITERS) as pool:
            for at in range(0, len(content), CHUNK):
                wins = [future.result() for future in
                        [pool.submit(attempt, client, at) for client in (self.first, self.second) * WRITERS]]
                self.assertEqual([win for win in wins if win is not None], [at + CHUNK])
        self.complete(self.second, "u", content)
        self.assert_stored("u", content)


if __name__ == "__main__":
    unittest.main()
