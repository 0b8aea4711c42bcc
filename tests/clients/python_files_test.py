"""The file store with clients/python, over networks that break and services that are killed."""

import hashlib
import io
import os
import pathlib
import random
import tempfile
import unittest
from unittest import mock

from tests.clients.both import classes_of, collected, cut_short, restart
from tests.harness.fault_proxy import END, RESET, TO_CLIENT, TO_SERVER, Cut, FaultProxy
from tests.harness.gated_relay import GatedRelay
from tests.harness.program import Program
from tests.harness.stack import Stack

# pylint: disable=wrong-import-order
import rawgate

BIG = 6 << 20

stack = None


def setUpModule():
    global stack
    stack = Stack(stable_ports=True)
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("file")
    stack.start_gateway()


def content(size):
    return random.Random(size).randbytes(size)


def digest(data):
    return hashlib.sha256(data).hexdigest()


class FilesCases:
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.seen = []
        # Of every message, not ten times a second.
        self.enterContext(mock.patch("rawgate.progress._INTERVAL", 0))

    def client(self, **options):
        return self.connect(stack.gateway_target, **options)

    def proxy(self, *cuts):
        proxy = FaultProxy(stack.programs["gateway"].address("grpc"))
        self.addCleanup(proxy.close)
        proxy.cut_next(*cuts)
        return proxy, self.connect("%s:%d" % proxy.address)

    def relay(self, retries):
        relay = GatedRelay(stack.programs["gateway"].address("grpc"))
        self.addCleanup(relay.close)
        return relay, self.connect(relay.address, retries=retries)

    def note(self, progress):
        self.seen.append(progress)

    def much_arrived(self):
        return bool(self.seen) and self.seen[-1].done > 2 << 20

    def local(self, data, name="local.bin"):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def stored(self, name):
        return (stack.file_root / name).read_bytes()

    def parts(self):
        return [name for name in os.listdir(self.folder) if name.endswith(".part")]

    async def test_there_and_back(self):
        client, data = self.client(), content(1_000_000)
        for kind, source in (("path", self.local(data)), ("text", str(self.local(data))), ("bytes", data),
                             ("file", io.BytesIO(data))):
            with self.subTest(source=kind):
                info = await client.files.put(source, f"there/{self.id()}/{kind}", progress=self.note)
                self.assertEqual((info.size, info.sha256, info.type), (len(data), digest(data), rawgate.EntryType.FILE))
                self.assertEqual(self.stored(info.filename), data)
                self.assertEqual(self.seen[-1], rawgate.Progress(info.filename, len(data), len(data), 0))
        name, target, opened = f"there/{self.id()}/path", self.folder / "back.bin", io.BytesIO()
        for goal in (target, opened):
            self.assertEqual((await client.files.get(name, goal, progress=self.note)).sha256, digest(data))
            self.assertEqual(self.seen[-1], rawgate.Progress(name, len(data), len(data), 0))
        self.assertEqual((target.read_bytes(), opened.getvalue()), (data, data))
        self.assertEqual(self.parts(), [])

    async def test_into_a_pipe(self):
        client = self.client()
        await client.files.put(b"through a pipe", "piped")
        os.mkfifo(self.folder / "pipe")
        with open(os.open(self.folder / "pipe", os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
            await client.files.get("piped", self.folder / "pipe")
            self.assertEqual(reader.read(), b"through a pipe")
        self.assertEqual(os.listdir(self.folder), ["pipe"])

    async def test_nothing_at_all(self):
        client = self.client()
        await client.files.put(b"", f"{self.id()}.empty", progress=self.note)
        await client.files.get(f"{self.id()}.empty", self.folder / "empty")
        self.assertEqual((self.folder / "empty").read_bytes(), b"")

    async def test_entries(self):
        client, folder = self.client(), f"entries-{self.id()}"
        await client.files.put(b"one", f"{folder}/one")
        await client.files.put(b"two", f"{folder}/below/two")
        self.assertEqual([(each.filename, each.is_folder) for each in await collected(client.files.list(folder))],
                         [(f"{folder}/below", True), (f"{folder}/one", False)])
        self.assertEqual((await client.files.stat(f"{folder}/one", with_sha256=True)).sha256, digest(b"one"))
        moved = await client.files.move(f"{folder}/one", f"{folder}/below/one")
        self.assertEqual(moved.filename, f"{folder}/below/one")
        with self.assertRaises(rawgate.AlreadyExists):
            await client.files.move(f"{folder}/below/two", f"{folder}/below/one", if_absent=True)
        with self.assertRaises(rawgate.AlreadyExists) as raised:
            await client.files.put(b"", f"{folder}/below/one", if_absent=True)
        self.assertEqual(raised.exception.reason, "FILE_EXISTS")
        await client.files.delete(f"{folder}/below/one")
        with self.assertRaises(rawgate.NotFound) as raised:
            await client.files.delete(f"{folder}/below/one")
        self.assertEqual((raised.exception.code, raised.exception.reason), ("NOT_FOUND", "FILE_NOT_FOUND"))
        await client.files.delete(f"{folder}/below/one", missing_ok=True)
        self.assertGreater((await client.files.limits()).max_file_bytes, 0)

    async def test_errors_of_this_machine_are_its_own(self):
        client = self.client()
        with self.assertRaises(FileNotFoundError):
            await client.files.put(self.folder / "missing", "missing")
        with self.assertRaises(rawgate.NotFound):
            await client.files.get("missing", self.folder / "missing")
        self.assertEqual(os.listdir(self.folder), [])
        with self.assertRaises(rawgate.InvalidArgument) as raised:
            await client.files.put(b"", "../climbing")
        self.assertEqual(raised.exception.reason, "BAD_FILENAME")

    async def test_an_upload_goes_on_over_broken_connections(self):
        data, name = content(BIG), f"broken-{self.id()}"
        for kind, source in (("path", self.local(data)), ("bytes", data)):
            with self.subTest(source=kind):
                proxy, client = self.proxy(Cut(TO_SERVER, 2 << 20, RESET), Cut(TO_SERVER, 1 << 20, END))
                info = await client.files.put(source, name, progress=self.note)
                self.assertEqual((info.sha256, proxy.cuts_left()), (digest(data), 0))
                self.assertEqual(self.stored(name), data)
                self.assertGreater(self.seen[-1].resumed_from, 0)
                self.assertLess(proxy.forwarded(TO_SERVER), 1.5 * BIG, "little was sent twice")

    async def test_a_download_goes_on_over_broken_connections(self):
        data, name = content(BIG + 1), f"broken-{self.id()}"
        await self.client().files.put(data, name)
        for kind, target in (("path", self.folder / "there"), ("file", io.BytesIO())):
            with self.subTest(target=kind):
                relay, client = self.relay(retries=5)
                self.seen.clear()
                info = await cut_short(relay, TO_CLIENT, client.files.get(name, target, progress=self.note), self.much_arrived)
                self.assertEqual(info.sha256, digest(data))
                self.assertEqual(target.read_bytes() if kind == "path" else target.getvalue(), data)
                self.assertGreater(self.seen[-1].resumed_from, 2 << 20)

    async def test_a_download_over_one_connection_after_the_other(self):
        data, name = content(BIG + 1), f"cuts-{self.id()}"
        await self.client().files.put(data, name)
        proxy, client = self.proxy(Cut(TO_CLIENT, 2 << 20, RESET), Cut(TO_CLIENT, 1 << 20, END))
        await client.files.get(name, self.folder / "there")
        self.assertEqual(((self.folder / "there").read_bytes(), proxy.cuts_left()), (data, 0))

    def restart(self):
        restart(stack, "file", Program.kill)

    async def test_another_run_goes_on_after_a_restart_of_the_service(self):
        data, name = content(BIG + 2), f"restart-{self.id()}"
        path, target = self.local(data), self.folder / "back"
        relay, client = self.relay(retries=0)
        with self.assertRaises(rawgate.Unavailable):
            await cut_short(relay, TO_SERVER, client.files.put(path, name), meanwhile=self.restart)
        self.assertFalse((stack.file_root / name).exists())
        again = self.client()
        await again.files.put(path, name, progress=self.note)
        self.assertEqual(self.stored(name), data)
        self.assertGreater(self.seen[-1].resumed_from, 0)
        relay, client = self.relay(retries=0)
        self.seen.clear()
        with self.assertRaises(rawgate.Unavailable):
            await cut_short(relay, TO_CLIENT, client.files.get(name, target, progress=self.note), self.much_arrived, self.restart)
        self.assertFalse(target.exists())
        self.assertEqual(len(self.parts()), 1)
        await again.files.get(name, target, progress=self.note)
        self.assertEqual((target.read_bytes(), self.parts()), (data, []))
        self.assertGreater(self.seen[-1].resumed_from, 2 << 20)


globals().update(classes_of(FilesCases))

if __name__ == "__main__":
    unittest.main()
