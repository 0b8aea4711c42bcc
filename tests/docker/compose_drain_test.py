"""`docker compose stop` with transfers in flight: every process ends by itself within the grace, and no upload that was
acknowledged is lost."""

import hashlib
import os
import threading
import time
import unittest

from tests.conformance.file_client import download, packed_request, receive_reply, request, upload
from tests.conformance.plain_client import connect
from tests.docker import engine as engines
from tests.docker.stack import SERVICES, ComposeStack
from tests.harness import rpc
from tests.harness.deadlines import wait_until

UPLOADERS = 6
SIZE = 300_000

stack = None


def setUpModule():
    global stack
    stack = unittest.enterModuleContext(ComposeStack(engines.engine_or_skip()))


class Uploader(threading.Thread):
    """Uploads one file after another until the service is gone. `acknowledged` has the digest of each that was promised,
    `sent` that of each that was begun."""

    def __init__(self, number):
        super().__init__()
        self.prefix = f"drain/{number}"
        self.acknowledged = {}
        self.sent = {}

    def run(self):
        for count in range(100_000):
            name = f"{self.prefix}-{count}"
            content = os.urandom(SIZE)
            self.sent[name] = hashlib.sha256(content).digest()
            if not self.put(name, content):
                return
            self.acknowledged[name] = self.sent[name]


class RawUploader(Uploader):
    def put(self, name, content):
        try:
            with connect(stack.address("file", "tcp")) as raw:
                return upload(raw, name, content)["status"] == "ok"
        except (OSError, EOFError):
            return False


class TypedUploader(Uploader):
    """Through the gateway, which is stopped at the same time."""

    def run(self):
        self.client = rpc.Client(stack.gateway_target)
        super().run()
        self.client.close()

    def put(self, name, content):
        write = rpc.bytestream.WriteRequest(resource_name=name, data=content, finish_write=True)
        try:
            return self.client.bytestream.Write(iter([write]), timeout=rpc.PATIENCE).committed_size == len(content)
        except rpc.grpc.RpcError:
            return False


class StopTest(unittest.TestCase):
    def tearDown(self):
        stack.up()

    def assert_all_ended_by_themselves(self):
        for service in SERVICES:
            with self.subTest(service):
                container = stack.container(service)
                # 137 would be the SIGKILL that comes after the grace.
                self.assertEqual((container["State"]["Status"], container["State"]["ExitCode"]), ("exited", 0))
                self.assertEqual(container["RestartCount"], 0)

    def test_uploads_that_were_acknowledged_are_there_after_the_start(self):
        uploaders = [*(RawUploader(number) for number in range(UPLOADERS)), TypedUploader("typed")]
        for uploader in uploaders:
            uploader.start()
        wait_until(lambda: all(len(uploader.acknowledged) > 3 for uploader in uploaders), "uploads of each")
        begin = time.monotonic()
        stack.compose("stop")
        took = time.monotonic() - begin
        for uploader in uploaders:
            uploader.join(rpc.PATIENCE)
            self.assertFalse(uploader.is_alive(), "an uploader was left hanging")
        self.assert_all_ended_by_themselves()
        stack.up()
        acknowledged = {name: digest for uploader in uploaders for name, digest in uploader.acknowledged.items()}
        sent = {name: digest for uploader in uploaders for name, digest in uploader.sent.items()}
        print(f"{len(acknowledged)} uploads acknowledged, {len(sent)} begun; stopped within {took:.1f} s", flush=True)
        stored = self.stored()
        self.assertLessEqual(set(acknowledged), set(stored))
        # One may be stored whose word did not come through; but whole.
        self.assertEqual(stored, {name: sent[name] for name in stored})

    def stored(self):
        """The digest of every file that is seen."""
        with connect(stack.address("file", "tcp")) as raw:
            names, page = [], {"next": None}
            while "next" in page:
                more = {"next": page["next"]} if page["next"] else {}
                page = request(raw, op="list", folder="drain", **more)
                names += [entry["filename"] for entry in page["files"]]
            return {name: hashlib.sha256(download(raw, name)[1]).digest() for name in names}

    def test_an_upload_that_has_begun_is_finished_within_the_grace(self):
        content = os.urandom(SIZE)
        with connect(stack.address("file", "tcp")) as raw:
            raw.sendall(packed_request({"filename": "begun", "filesize": SIZE}) + content[:1000])
            stopping = threading.Thread(target=stack.compose, args=("stop", "file"))
            stopping.start()
            wait_until(self.refuses_newcomers, "the beginning of the end")
            raw.sendall(content[1000:])
            self.assertEqual(receive_reply(raw)["status"], "ok")
        stopping.join()
        self.assertEqual(stack.container("file")["State"]["ExitCode"], 0)
        stack.up()
        with connect(stack.address("file", "tcp")) as raw:
            self.assertEqual(download(raw, "begun")[1], content)

    def refuses_newcomers(self):
        try:
            with connect(stack.address("file", "tcp")) as raw:
                return request(raw, op="stat", filename="begun")["status"] not in ("ok", "error")
        except (OSError, EOFError):
            return True

    def test_what_hangs_on_is_ended_all_the_same(self):
        """Conversations that never end by themselves, and a command that does not care, hold nothing up beyond the grace."""
        with connect(stack.address("exec", "raw")) as command, connect(stack.address("echo", "tcp")) as idle, \
                connect(stack.address("file", "tcp")) as half:
            command.sendall(b"trap '' TERM; echo up; while :; do sleep 1; done\n")
            half.sendall(packed_request({"filename": "half", "filesize": SIZE}) + b"x" * 1000)
            idle.sendall(b"x")
            self.assertEqual(idle.recv(1), b"X")
            client = rpc.Client(stack.gateway_target)
            self.addCleanup(client.close)
            watch = client.control.WatchEvents(rpc.control.WatchEventsRequest(services=["echo"]))
            self.addCleanup(watch.cancel)
            next(watch)
            stack.compose("stop")
            self.assert_all_ended_by_themselves()
        stack.up()
        with connect(stack.address("file", "tcp")) as raw:
            self.assertEqual(request(raw, op="stat", filename="half")["code"], "NOT_FOUND")


if __name__ == "__main__":
    unittest.main()
