"""A chat desk whose disk is full goes on, and writes its history when it can."""

import os
import subprocess
import unittest

from tests.harness.chat_desk import DeskTest
from tests.harness.deadlines import wait_until
from tests.harness.durability import private_mounts_or_skip


def setUpModule():
    private_mounts_or_skip()


class FullDiskTest(DeskTest):
    def setUp(self):
        super().setUp()
        self.stop()
        self.disk = self.stack.directory / "disk"
        self.disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", self.disk], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.disk], check=True)
        self.start_again(f"--history={self.disk}/chat")
        self.stack.chat_history = self.disk / "chat"

    def test_the_desk_goes_on_and_writes_when_it_can(self):
        self.say(b"before")
        self.wait_until_written()
        with open(self.disk / "ballast", "wb", buffering=0) as ballast, self.assertRaises(OSError):
            while True:
                ballast.write(bytes(4096))
        self.say(*(b"%d" % number + bytes(4000) for number in range(50)))
        self.send(request_id="r1")
        self.assertEqual(len(self.visitor.recv(64)), len(b"answer"))
        wait_until(lambda: "the desk goes on" in self.service.log_tail(), "the error in the log")
        self.assertEqual(self.on_disk(), [(1, 0)])
        os.unlink(self.disk / "ballast")
        self.wait_until_written()
        before = self.messages()
        self.kill()
        self.start_again(f"--history={self.disk}/chat")
        self.assertEqual(self.messages(), before)


if __name__ == "__main__":
    unittest.main()
