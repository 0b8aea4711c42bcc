"""What clients/python makes of files that are not what they were: nothing wrong is ever stored, or taken for right."""

import os
import pathlib
import tempfile
import unittest
from unittest import mock

from tests.clients.both import classes_of, collected, cut_short
from tests.harness.gated_relay import TO_CLIENT, TO_SERVER, GatedRelay
from tests.harness.stack import Stack

# pylint: disable=wrong-import-order
import rawgate

SIZE = 4 << 20

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("file")
    stack.start_gateway()


class DigestsCases:
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.name = self.id()
        self.seen = []

    def client(self):
        return self.connect(stack.gateway_target)

    async def broken_off(self, direction, transfer):
        """A transfer by a client that does not try again, whose connection breaks in its middle."""
        relay = GatedRelay(stack.programs["gateway"].address("grpc"))
        self.addCleanup(relay.close)
        client = self.connect(relay.address, retries=0)
        with self.assertRaises(rawgate.Unavailable), mock.patch("rawgate.progress._INTERVAL", 0):
            arrived = lambda: direction == TO_SERVER or (bool(self.seen) and self.seen[-1].done > 2 << 20)
            await cut_short(relay, direction, transfer(client.files, progress=self.seen.append), arrived)

    def local(self, data):
        path = self.folder / "local.bin"
        path.write_bytes(data)
        os.utime(path, (1, 1))
        return path

    async def test_another_file_under_the_same_upload(self):
        """Size, time and path are the same, the bytes are not: only the proof of the beginning tells."""
        path = self.local(b"a" * SIZE)
        await self.broken_off(TO_SERVER, lambda files, progress: files.put(path, self.name, progress=progress))
        client = self.client()
        self.assertEqual(len([each for each in await collected(client.files.uploads()) if each.filename == self.name]), 1)
        await client.files.put(self.local(b"b" * SIZE), self.name, progress=self.seen.append)
        self.assertEqual((stack.file_root / self.name).read_bytes(), b"b" * SIZE)
        self.assertEqual(self.seen[-1].resumed_from, 0)

    async def test_the_same_file_again_after_it_was_removed(self):
        client, path = self.client(), self.local(b"c" * 1000)
        for _ in range(3):
            await client.files.put(path, self.name)
            self.assertEqual((stack.file_root / self.name).read_bytes(), b"c" * 1000)
            await client.files.put(path, self.name)
            await client.files.delete(self.name)

    async def test_a_file_that_changes_while_it_is_sent(self):
        path = self.local(b"d" * SIZE)

        def change(progress):
            with open(path, "r+b") as file:
                file.write(b"changed")

        with self.assertRaises(rawgate.Aborted) as raised:
            await self.client().files.put(path, self.name, progress=change)
        self.assertEqual(raised.exception.reason, "FILE_CHANGED")
        self.assertFalse((stack.file_root / self.name).exists())
        self.assertNotIn(self.name, [each.filename for each in await collected(self.client().files.uploads())])

    async def test_a_callback_that_fails_ends_the_transfer(self):
        def fail(_):
            raise ZeroDivisionError

        with self.assertRaises(ZeroDivisionError):
            await self.client().files.put(b"e" * SIZE, self.name, progress=fail)
        self.assertFalse((stack.file_root / self.name).exists())

    async def kept(self, data):
        """A part of the file, fetched by a client whose connection broke."""
        (stack.file_root / self.name).write_bytes(data)
        target = self.folder / "target.bin"
        await self.broken_off(TO_CLIENT, lambda files, progress: files.get(self.name, target, progress=progress))
        part, = self.folder.glob(".rawgate-get-*.part")
        self.assertFalse(target.exists())
        return target, part

    async def test_a_kept_part_that_was_damaged(self):
        data = b"f" * SIZE
        target, part = await self.kept(data)
        with open(part, "r+b") as file:
            file.write(b"damaged")
        await self.client().files.get(self.name, target, progress=self.seen.append)
        self.assertEqual((target.read_bytes(), self.seen[-1].resumed_from), (data, 0))
        self.assertEqual(os.listdir(self.folder), ["target.bin"])

    async def test_a_kept_part_of_another_version(self):
        target, part = await self.kept(b"g" * SIZE)
        (stack.file_root / self.name).write_bytes(b"h" * SIZE)
        await self.client().files.get(self.name, target)
        self.assertEqual(target.read_bytes(), b"h" * SIZE)
        self.assertFalse(part.exists())

    async def test_a_file_that_is_replaced_while_it_is_fetched(self):
        (stack.file_root / self.name).write_bytes(b"i" * SIZE)
        target, changes = self.folder / "target.bin", [b"j"]
        relay = GatedRelay(stack.programs["gateway"].address("grpc"))
        self.addCleanup(relay.close)

        def replace(_):
            if changes:
                (stack.file_root / "new").write_bytes(changes[-1] * SIZE)
                (stack.file_root / "new").rename(stack.file_root / self.name)
                changes.pop()

        client = self.connect(relay.address)
        await cut_short(relay, TO_CLIENT, client.files.get(self.name, target, progress=replace), lambda: not changes)
        self.assertEqual(target.read_bytes(), b"j" * SIZE)

    async def test_permissions_and_links(self):
        target, link = self.folder / "target.bin", self.folder / "link"
        target.write_bytes(b"old")
        target.chmod(0o640)
        link.symlink_to(target)
        (stack.file_root / self.name).write_bytes(b"new")
        await self.client().files.get(self.name, link)
        self.assertTrue(link.is_symlink())
        self.assertEqual((target.read_bytes(), target.stat().st_mode & 0o777), (b"new", 0o640))


globals().update(classes_of(DigestsCases))

if __name__ == "__main__":
    unittest.main()
