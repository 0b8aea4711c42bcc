"""A folder of the store and a link that leads out change places, thousands of times a second, while clients use names
below it: nothing outside the root is read, written or deleted."""

import collections
import itertools
import subprocess
import sys
import threading
import time
import unittest

from tests.conformance.file_client import download, request, upload
from tests.conformance.plain_client import connect
from tests.harness import rpc
from tests.harness.durability import figure, report
from tests.harness.program import REPOSITORY
from tests.harness.stack import Stack
from tests.harness.tree import tree

SECONDS = figure(5, 30)
CLIENTS = 6
SECRET = b"outside's secret, never to be read"
INSIDE = b"inside"
# Below the folder that is swapped, and below one whose parent is.
FOLDERS = ("folder", "parent/folder")


class LinkSwapperTest(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.stop)
        self.outside = self.stack.directory / "outside"
        root = self.stack.file_root
        for place, content in ((self.outside, SECRET), (self.outside / "folder", SECRET), (root / "folder", INSIDE),
                               (root / "parent/folder", INSIDE)):
            place.mkdir(parents=True, exist_ok=True)
            (place / "kept").write_bytes(content)
            (place / "removed").write_bytes(content)
        (root / "link").symlink_to("../outside")
        (root / "parent-link").symlink_to(self.outside)
        self.before = tree(self.outside)
        self.stack.start_service("file")
        self.stack.start_gateway()
        self.counts = collections.Counter()
        self.failures = []
        self.ended = threading.Event()

    def swapper(self):
        root = self.stack.file_root
        return subprocess.Popen([sys.executable, "-m", "tests.harness.link_swapper", root / "folder", root / "link",
                                 root / "parent", root / "parent-link"],
                                cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def test_nothing_outside_is_read_or_changed(self):
        clients = [threading.Thread(target=self.watched, args=(work, number))
                   for number in range(CLIENTS) for work in (self.raw_client, self.typed_client)]
        swapper = self.swapper()
        for client in clients:
            client.start()
        time.sleep(SECONDS)  # the race is what the test is about
        self.ended.set()
        for client in clients:
            client.join()
        swaps = int(swapper.communicate()[0])
        self.assertEqual(swapper.returncode, 0)
        self.assertEqual(self.failures, [])
        self.assertEqual(tree(self.outside), self.before)
        # Both sides of the race were met, by every operation.
        for operation in ("upload", "download", "list", "delete", "stat", "move"):
            for outcome in ("ok", "error"):
                self.assertGreater(self.counts[operation, outcome], 0, (operation, outcome, self.counts))
        self.assertGreater(swaps, 1000)
        report(f"{SECONDS} s of {swaps} swaps, {sum(self.counts.values())} operations through them: "
               "nothing outside touched")

    def watched(self, work, number):
        try:
            work(number)
        except Exception as failure:  # pylint: disable=broad-except
            self.failures.append(repr(failure))

    def count(self, operation, reply):
        self.counts[operation, reply["status"]] += 1
        if reply["status"] == "error" and reply["code"] not in ("NOT_FOUND", "FAILED_PRECONDITION", "ABORTED"):
            self.failures.append(f"{operation}: {reply}")

    def raw_client(self, number):
        for serial in itertools.count():
            if self.ended.is_set():
                return
            name = f"{FOLDERS[serial % 2]}/{number}"
            with connect(self.stack.address("file", "tcp")) as client:
                self.count("upload", upload(client, name, INSIDE))
            with connect(self.stack.address("file", "tcp")) as client:
                reply, content = download(client, f"{FOLDERS[serial % 2]}/kept")
                self.count("download", reply)
                if content not in (b"", INSIDE):
                    self.failures.append(f"downloaded {content}")
                self.count("stat", request(client, op="stat", filename=name))
                self.list_folder(client, FOLDERS[serial % 2])
                self.count("delete", request(client, op="delete", filename=name))
                request(client, op="delete", filename=f"{FOLDERS[serial % 2]}/removed")

    def list_folder(self, client, folder):
        reply = request(client, op="list", folder=folder)
        self.count("list", reply)
        for entry in reply.get("files", ()):
            if entry["size"] == len(SECRET):
                self.failures.append(f"listed {entry}")

    def typed_client(self, number):
        client = rpc.client_of(self.stack)
        try:
            for serial in itertools.count():
                if self.ended.is_set():
                    return
                folder = FOLDERS[serial % 2]
                kept = rpc.file.StatFileRequest(filename=f"{folder}/kept", with_sha256=True)
                self.try_call("stat", client.file.StatFile, kept)
                here, there = f"{folder}/typed-{number}", f"moved-{number}-{serial % 2}"
                self.upload_typed(client, here)
                self.move(client, here, there)
                self.move(client, there, here)
                self.try_call("delete", client.file.DeleteFile, rpc.file.DeleteFileRequest(filename=here))
        finally:
            client.close()

    def move(self, client, here, there):
        self.try_call("move", client.file.MoveFile, rpc.file.MoveFileRequest(filename=here, new_filename=there))

    def upload_typed(self, client, name):
        start = rpc.file.UploadStart(filename=name, size=len(INSIDE))
        self.try_call("upload", client.file.Upload,
                      iter([rpc.file.UploadRequest(start=start), rpc.file.UploadRequest(data=INSIDE)]))

    def try_call(self, operation, method, message):
        try:
            reply = method(message, timeout=rpc.PATIENCE)
            self.counts[operation, "ok"] += 1
            if operation == "stat" and reply.file.size != len(INSIDE):
                self.failures.append(f"told {reply}")
        except rpc.grpc.RpcError as error:
            self.count(operation, {"status": "error", "code": error.code().name})


if __name__ == "__main__":
    unittest.main()
