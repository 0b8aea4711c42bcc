"""`rawgate put` and `get` as people use them: folders, large files that break off and go on, in a pipe."""

import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.gated_relay import TO_CLIENT, TO_SERVER, GatedRelay
from tests.harness.program import BIN_DIR, clean_environment
from tests.harness.stack import Stack

MIB = 1 << 20
# Above the size from which files are resumed.
LARGE = 48 * MIB
# What is on its way, in buffers of two processes and their sockets, when a connection breaks.
ON_ITS_WAY = 12 * MIB

stack = None
relay = None


def setUpModule():
    global stack, relay
    stack = Stack(stable_ports=True)
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("file")
    stack.start_gateway()
    relay = GatedRelay(stack.programs["gateway"].address("grpc"))
    unittest.addModuleCleanup(relay.close)


def digest(content):
    return hashlib.sha256(content).hexdigest()


class FileCliTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rawgate-cli-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.addCleanup(relay.open)

    def start(self, *words):
        """A command in the folder, through the relay."""
        process = subprocess.Popen(
            [BIN_DIR / "rawgate", *words], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=clean_environment(RAWGATE_GATEWAY=relay.address))
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def finish(self, process, code=0):
        """Its output and what it said on standard error."""
        out, error = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, code, out + error)
        self.assertNotIn("\x1b", out + error)
        self.assertNotIn("\r", out + error)
        return out, error

    def rawgate(self, *words, code=0):
        return self.finish(self.start(*words), code)

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return content

    def unfinished(self):
        return [line for line in self.rawgate("uploads")[0].splitlines()[1:] if line]


class LargeFileTest(FileCliTest):
    """Names are of each test's own: the store is one for all."""

    def test_put_goes_on_after_sigkill(self):
        content = self.write("put-killed", os.urandom(LARGE))
        relay.hold(TO_SERVER, 20 * MIB)
        process = self.start("put", "put-killed")
        wait_until(lambda: relay.holds(TO_SERVER), "20 MiB sent")
        process.kill()
        process.wait()
        relay.open()
        relay.cut()
        self.assertIn("put-killed", " ".join(self.unfinished()))
        self.assertFalse((stack.file_root / "put-killed").exists())

        before = relay.passed(TO_SERVER)
        out, error = self.rawgate("put", "put-killed")
        self.assertEqual(out, f"{digest(content)}  put-killed\n")
        percent = int(re.fullmatch(r"rawgate put: put-killed: resumed at (\d+)%\n", error)[1])
        self.assertLess(0, percent)
        self.assertLess(percent, 45)
        sent = relay.passed(TO_SERVER) - before
        self.assertLess(sent, LARGE * (100 - percent) // 100 + MIB)
        self.assertLess(sent, LARGE - 20 * MIB + ON_ITS_WAY)
        self.assertEqual((stack.file_root / "put-killed").read_bytes(), content)
        self.assertNotIn("put-killed", " ".join(self.unfinished()))

    def test_put_goes_on_within_one_run(self):
        content = self.write("put-cut", os.urandom(LARGE))
        before = relay.passed(TO_SERVER)
        relay.hold(TO_SERVER, 10 * MIB)
        process = self.start("put", "put-cut")
        for _ in range(3):
            wait_until(lambda: relay.holds(TO_SERVER), "10 MiB more sent")
            relay.hold(TO_SERVER, 10 * MIB)
            relay.cut()
        relay.open()
        out, error = self.finish(process)
        self.assertEqual((out, error), (f"{digest(content)}  put-cut\n", ""))
        self.assertLess(relay.passed(TO_SERVER) - before, LARGE + 3 * ON_ITS_WAY)
        self.assertEqual((stack.file_root / "put-cut").read_bytes(), content)

    def test_put_survives_a_service_that_is_killed(self):
        content = self.write("put-restart", os.urandom(LARGE))
        relay.hold(TO_SERVER, 20 * MIB)
        process = self.start("put", "put-restart")
        wait_until(lambda: relay.holds(TO_SERVER), "20 MiB sent")
        stack.programs["file"].kill()
        stack.programs["file"].start()
        relay.open()
        out, error = self.finish(process)
        self.assertEqual((out, error), (f"{digest(content)}  put-restart\n", ""))
        self.assertEqual((stack.file_root / "put-restart").read_bytes(), content)

    def test_put_of_a_changed_file_begins_anew(self):
        for keeps_times in (True, False):
            with self.subTest(keeps_times=keeps_times):
                name = f"put-changed-{keeps_times}"
                content = bytearray(self.write(name, os.urandom(LARGE)))
                relay.hold(TO_SERVER, 20 * MIB)
                process = self.start("put", name)
                wait_until(lambda: relay.holds(TO_SERVER), "20 MiB sent")
                process.kill()
                process.wait()
                relay.open()
                relay.cut()
                times = os.stat(self.folder / name)
                content[5] ^= 1
                self.write(name, content)
                if keeps_times:
                    os.utime(self.folder / name, ns=(times.st_atime_ns, times.st_mtime_ns))
                error = self.rawgate("put", name)[1]
                self.assertIn("the file has changed since it was sent in part; starting anew", error)
                self.assertEqual((stack.file_root / name).read_bytes(), content)
                self.assertNotIn(name, " ".join(self.unfinished()))

    def test_an_unfinished_upload_is_given_up(self):
        self.write("put-aborted", os.urandom(LARGE))
        relay.hold(TO_SERVER, 20 * MIB)
        process = self.start("put", "put-aborted")
        wait_until(lambda: relay.holds(TO_SERVER), "20 MiB sent")
        process.send_signal(signal.SIGINT)
        _, error = self.finish(process, -signal.SIGINT)
        self.assertEqual(error, "rawgate put: put-aborted: what was sent is kept over there; run the same command "
                         "again to go on\n")
        relay.open()
        relay.cut()
        line = wait_until(lambda: next((each for each in self.unfinished() if "put-aborted" in each), None),
                          "the upload listed")
        self.rawgate("uploads", "--abort", line.split()[0])
        self.assertNotIn("put-aborted", " ".join(self.unfinished()))

    def test_get_goes_on_after_sigkill(self):
        content = os.urandom(LARGE)
        (stack.file_root / "get-killed").write_bytes(content)
        relay.hold(TO_CLIENT, 20 * MIB)
        process = self.start("get", "get-killed")
        wait_until(lambda: relay.holds(TO_CLIENT), "20 MiB fetched")
        part, = wait_until(lambda: list(self.folder.glob(".rawgate-get-*.part")), "a part")
        wait_until(lambda: part.stat().st_size > 18 * MIB, "most of it written")
        process.kill()
        process.wait()
        relay.open()
        relay.cut()
        self.assertEqual(os.listdir(self.folder), [part.name])

        before = relay.passed(TO_CLIENT)
        out, error = self.rawgate("get", "get-killed")
        self.assertEqual(out, f"{digest(content)}  get-killed\n")
        self.assertRegex(error, r"^rawgate get: get-killed: resumed at (3[789]|4[01])%\n$")
        self.assertLess(relay.passed(TO_CLIENT) - before, LARGE - 17 * MIB)
        self.assertEqual(os.listdir(self.folder), ["get-killed"])
        self.assertEqual((self.folder / "get-killed").read_bytes(), content)

    def test_get_goes_on_within_one_run(self):
        content = os.urandom(LARGE)
        (stack.file_root / "get-cut").write_bytes(content)
        before = relay.passed(TO_CLIENT)
        relay.hold(TO_CLIENT, 10 * MIB)
        process = self.start("get", "get-cut", "-o", "here")
        for _ in range(3):
            wait_until(lambda: relay.holds(TO_CLIENT), "10 MiB more fetched")
            relay.hold(TO_CLIENT, 10 * MIB)
            relay.cut()
        relay.open()
        out, error = self.finish(process)
        self.assertEqual((out, error), (f"{digest(content)}  here\n", ""))
        self.assertLess(relay.passed(TO_CLIENT) - before, LARGE + 3 * ON_ITS_WAY)
        self.assertEqual((self.folder / "here").read_bytes(), content)

    def test_get_of_a_replaced_file_begins_anew(self):
        (stack.file_root / "get-replaced").write_bytes(os.urandom(LARGE))
        relay.hold(TO_CLIENT, 20 * MIB)
        process = self.start("get", "get-replaced")
        wait_until(lambda: relay.holds(TO_CLIENT), "20 MiB fetched")
        process.send_signal(signal.SIGINT)
        _, error = self.finish(process, -signal.SIGINT)
        self.assertRegex(error, r"^rawgate get: get-replaced: \d+% is kept in \.rawgate-get-[-0-9a-f]+\.part; run ")
        relay.open()
        relay.cut()
        content = os.urandom(LARGE)
        replacement = stack.directory / "replacement"
        replacement.write_bytes(content)
        replacement.rename(stack.file_root / "get-replaced")
        _, error = self.rawgate("get", "get-replaced")
        self.assertIn("the file was replaced since it was fetched in part; starting anew", error)
        self.assertEqual(os.listdir(self.folder), ["get-replaced"])
        self.assertEqual((self.folder / "get-replaced").read_bytes(), content)


class FolderTest(FileCliTest):
    def test_there_and_back(self):
        contents = {f"tree/{number % 7}/deep er/{number}-你好.bin": os.urandom(number * 997 % 50_000)
                    for number in range(150)}
        for name, content in contents.items():
            self.write(name, content)
        out, error = self.rawgate("put", "-r", "tree", "--to", "round/trip")
        self.assertRegex(error, r"^rawgate put: 150 files sent, \d+\.\d [KM]iB in \S+, .*/s\n$")
        # As sha256sum prints, so that it can check.
        subprocess.run(["sha256sum", "--check", "--quiet"], input=out, text=True, cwd=stack.file_root, check=True)
        self.assertEqual(len(out.splitlines()), 150)

        out, error = self.rawgate("put", "-r", "tree", "--to", "round/trip", "--checksum")
        self.assertEqual(len(out.splitlines()), 150)
        self.assertEqual(error, "rawgate put: 0 files sent; 150 unchanged\n")

        out, error = self.rawgate("get", "-r", "round/trip", "-o", "back", "-j", "8")
        subprocess.run(["sha256sum", "--check", "--quiet"], input=out, text=True, cwd=self.folder, check=True)
        for name, content in contents.items():
            self.assertEqual((self.folder / name.replace("tree", "back", 1)).read_bytes(), content)
        self.assertEqual(self.rawgate("get", "-r", "round/trip", "-o", "back", "--checksum")[1],
                         "rawgate get: 0 files fetched; 150 unchanged\n")

        listed = self.rawgate("ls", "-r", "round")[0]
        self.assertEqual(listed.count(".bin\n"), 150)
        self.rawgate("mv", "round/trip", "moved/")
        self.assertEqual(self.rawgate("ls", "-r", "moved/trip")[0].count(".bin\n"), 150)
        self.assertIn("not empty", self.rawgate("rm", "moved", code=1)[1].lower())
        self.rawgate("rm", "-r", "moved", "round")
        self.assertFalse((stack.file_root / "moved").exists())

    def test_digests_on_request(self):
        content = os.urandom(100_000)
        (stack.file_root / "put-by-hand").write_bytes(content)
        self.assertNotIn("sha256", self.rawgate("stat", "put-by-hand")[0])
        self.assertIn(f"sha256    {digest(content)}\n", self.rawgate("stat", "put-by-hand", "--sha256")[0])


if __name__ == "__main__":
    unittest.main()
