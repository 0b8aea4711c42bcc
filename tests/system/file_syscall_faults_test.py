"""A fault at each system call on an upload's way to its name, in turn: an error, or the end of the process. Whatever it
is, a client that is told "ok" has its file, and else the older one is there, whole; and the same upload works then."""

import collections
import contextlib
import functools
import hashlib
import operator
import os
import re
import select
import shutil
import unittest

from tests.conformance.file_client import packed_request, receive_reply, request
from tests.conformance.plain_client import connect
from tests.harness.deadlines import wait_until
from tests.harness.durability import FULL, chance, report
from tests.harness.processes import process_exists
from tests.harness.stack import Stack
from tests.harness.stored_versions import Ledger, hidden_leftovers
from tests.harness.syscall_faults import Tracer, counts_by_thread, strace_or_skip

# Those of the commit path, and those of the records of resumable uploads.
PATH = ("openat2", "openat", "newfstatat", "fstatfs", "fallocate", "ftruncate", "pwrite64", "splice", "sync_file_range",
        "fdatasync", "linkat", "renameat2", "fsync", "unlinkat", "mkdirat")
# The end of the process comes at these too: the reply is about to be sent.
KILLED_AT = (*PATH, "sendto")
ERRORS = ("EIO", "ENOSPC", "EINTR")
RETRIED = ("fallocate", "pwrite64", "splice")
# These come as often as the socket has bytes; the first and the second are enough.
AS_OFTEN_AS_BYTES_COME = ("pwrite64", "splice", "fallocate")

PIECE = 4321
SIZE = 1_300_000
# From here on write-back begins early.
LARGE = 9_000_000
REFERENCES = 3
ATTEMPTS = 10

Fault = collections.namedtuple("Fault", "call number kind")


def setUpModule():
    strace_or_skip()


class Upload:
    """One upload, in two stages: begun with its first piece, and completed with the rest."""

    def __init__(self, version, upload_id=None):
        self.version = version
        self.content = version.content()
        self.upload_id = upload_id
        self.connection = None

    def _send(self, address, offset, end):
        self.connection = connect(address)
        header = {"filename": self.version.name, "filesize": len(self.content)}
        if self.upload_id:
            header.update(upload_id=self.upload_id, offset=offset)
        self._send_now(packed_request(header) + self.content[offset:end])

    def _send_now(self, data):
        """That the service ended meanwhile shows in that there is no reply."""
        with contextlib.suppress(ConnectionError):
            self.connection.sendall(data)

    def begin(self, address):
        self._send(address, 0, PIECE)

    def complete(self, address):
        """Resumable ones by another connection."""
        if self.upload_id:
            self.connection.close()
            self._send(address, PIECE, len(self.content))
        else:
            self._send_now(self.content[PIECE:])

    def reply(self):
        """None when there was none."""
        try:
            return receive_reply(self.connection)
        except (OSError, EOFError):
            return None
        finally:
            self.connection.close()

    def again(self, address, least=0):
        """As a client does that was told of a failure. So much of a resumable one must still be there."""
        offset = 0
        with connect(address) as client:
            if self.upload_id:
                status = request(client, op="status", upload_id=self.upload_id)
                if status.get("complete"):
                    return status
                offset = status.get("offset", 0)
                if offset < least:
                    raise AssertionError(f"{least} bytes had come, and are not all there: {status}")
                if offset and hashlib.sha256(self.content[:offset]).hexdigest() != status["prefix_sha256"]:
                    raise AssertionError(f"not the bytes that were sent: {status}")
        self._send(address, offset, len(self.content))
        return self.reply()


class SyscallFaultsTest(unittest.TestCase):
    def setUp(self):
        self.chance = chance(f"system calls: {self._testMethodName}")
        self.stack = Stack()
        self.addCleanup(self.stack.stop)
        self.service = self.stack.start_service("file")
        self.ledger = Ledger()
        self.serial = 0
        self.runs = 0

    @property
    def address(self):
        return self.service.address("tcp")

    def next_upload(self, name, size, resumable):
        self.serial += 1
        version = self.ledger.begin(name.format(self.serial), size)
        return Upload(version, f"upload-{self.serial}" if resumable else None)

    def stored(self, upload):
        path = self.stack.file_root / upload.version.name
        return path.read_bytes() if path.exists() else None

    def first_piece_is_written(self):
        folder = f"/proc/{self.service.pid}/fd"
        for descriptor in os.listdir(folder):
            try:
                if (os.readlink(f"{folder}/{descriptor}").startswith(str(self.stack.file_root))
                        and os.stat(f"{folder}/{descriptor}").st_size == PIECE):
                    return True
            except FileNotFoundError:
                pass  # closed meanwhile
        return False

    def traced(self, upload, stage, fault=None):
        """Does the upload, one stage of it under strace. Returns its reply and that stage's calls."""
        log = self.stack.directory / "trace"
        inject = fault and f"{fault.call}:{fault.kind}:when={fault.number}"

        def trace():
            return Tracer(self.service.pid, log, KILLED_AT, inject)

        if stage == "begin":
            tracer = trace()
            upload.begin(self.address)
            wait_until(lambda: self.answered(upload) or self.first_piece_is_written(), "the end of the first stage")
            over = self.answered(upload)
            tracer.stop(dying=over and self.kills(fault))
            if not over:
                upload.complete(self.address)
            return upload.reply(), tracer.calls()
        upload.begin(self.address)
        wait_until(self.first_piece_is_written, "the first piece in its file")
        tracer = trace()
        upload.complete(self.address)
        reply = upload.reply()
        tracer.stop(dying=not reply and self.kills(fault))
        return reply, tracer.calls()

    def kills(self, fault):
        return fault and "KILL" in fault.kind

    def answered(self, upload):
        """By a reply, or by the end of the connection."""
        return bool(select.select([upload.connection], [], [], 0)[0])

    def check(self, upload, stage, older, reply, fault):
        killed = self.kills(fault)
        found = self.stored(upload)
        if reply and reply["status"] == "ok":
            self.assertEqual(found, upload.content)
        elif killed and found == upload.content:
            pass  # between the name and the reply
        else:
            self.assertEqual(found, older)
        if killed:
            self.stack.programs.pop("file").expect_exit(-9)
            self.service = self.stack.start_service("file")
        else:
            self.check_error(reply, fault)
        ended = found == upload.content or reply and reply.get("code") == "DATA_LOSS"
        kept = upload.upload_id and stage == "complete" and not ended
        self.assertEqual(upload.again(self.address, PIECE if kept else 0)["status"], "ok")
        self.assertEqual(self.stored(upload), upload.content)

    def check_error(self, reply, fault):
        told = reply and (reply["status"], reply.get("code"), reply.get("reason"))
        if fault.call in ("fdatasync", "fsync"):
            self.assertEqual(told, ("error", "DATA_LOSS", "SYNC_FAILED"))
        elif "EINTR" in fault.kind and fault.call in RETRIED:
            self.assertEqual(told, ("ok", None, None))
        elif "ENOSPC" in fault.kind and fault.call in ("fallocate", "pwrite64", "mkdirat", "linkat", "renameat2"):
            self.assertEqual(told, ("error", "RESOURCE_EXHAUSTED", "NO_SPACE"))

    def was_hit(self, fault, calls):
        if self.kills(fault):
            return not process_exists(self.service.pid)
        return any("(INJECTED)" in call.text for call in calls)

    def prepare(self, stage, name, size, resumable):
        """The folder of resumable uploads is made by the first one that begins."""
        if resumable and stage == "begin":
            self.stack.programs.pop("file").stop()
            shutil.rmtree(self.stack.file_root / ".rawgate-uploads", ignore_errors=True)
            self.service = self.stack.start_service("file")
        return self.next_upload(name, size, resumable)

    def run_with(self, fault, stage, name, size, resumable):
        for _ in range(ATTEMPTS):
            upload = self.prepare(stage, name, size, resumable)
            older = self.stored(upload)
            reply, calls = self.traced(upload, stage, fault)
            if self.was_hit(fault, calls):
                self.runs += 1
                return self.check(upload, stage, older, reply, fault)
            self.assertEqual(reply and reply["status"], "ok")
        raise AssertionError("this call was not made again")

    def calls_of(self, stage, name, size, resumable):
        """How often each is made by one thread, as far as that does not depend on which thread has which piece of work."""
        counts = []
        for _ in range(REFERENCES):
            reply, calls = self.traced(self.prepare(stage, name, size, resumable), stage)
            self.assertEqual(reply["status"], "ok")
            counts.append(collections.Counter(counts_by_thread(calls)))
        return functools.reduce(operator.and_, counts)

    def faults_of(self, counts, only=KILLED_AT):
        """Each call that was made, with each error, or with one of them where time counts; and the end at each."""
        for call, most in sorted(counts.items()):
            for number in range(1, 1 + (min(most, 2) if call in AS_OFTEN_AS_BYTES_COME else most)):
                if call in only:
                    yield Fault(call, number, "signal=KILL")
                    for error in ERRORS if FULL else [self.chance.choice(ERRORS)]:
                        if call in PATH:
                            yield Fault(call, number, f"error={error}")

    def check_all(self, name, size=SIZE, resumable=False, stages=("begin", "complete"), only=KILLED_AT):
        met = set()
        if "{}" not in name:
            self.assertEqual(self.next_upload(name, 1, None).again(self.address)["status"], "ok")
        for stage in stages:
            for fault in self.faults_of(self.calls_of(stage, name, size, resumable), only):
                with self.subTest(stage=stage, fault=":".join(map(str, fault))):
                    self.run_with(fault, stage, name, size, resumable)
                    met.add(fault.call)
        self.restart()
        wait_until(lambda: not hidden_leftovers(self.stack.file_root), "the end of what was left")
        report(f"{self.runs} faults, each at its own system call, at: {' '.join(sorted(met))}")
        return met

    def restart(self):
        self.stack.programs.pop("file").stop()
        self.service = self.stack.start_service("file")

    def test_order(self):
        """Bytes, folders, name, folder, reply: each on disk before the next."""
        upload = self.next_upload("ordered/deep/file", SIZE, None)
        reply, calls = self.traced(upload, "complete")
        self.assertEqual(reply["status"], "ok")
        made = [at for at, call in enumerate(calls) if call.name == "mkdirat" and call.text.endswith("= 0")]
        named = next(at for at, call in enumerate(calls) if call.name == "linkat" and call.text.endswith("= 0"))
        replied = next(at for at, call in enumerate(calls) if call.name == "sendto" and "ok" in call.text)
        self.assertEqual(len(made), 2)
        self.assertTrue(any(call.name == "fdatasync" and call.text.endswith("= 0") for call in calls[:made[0]]))
        for at in made:
            self.assert_synced(calls[at + 1:named], calls[at].text.split(",")[0])
        self.assert_synced(calls[named + 1:replied], calls[named].text.split(", ")[2])

    def assert_synced(self, calls, folder):
        synced = [call.text for call in calls if call.name == "fsync"]
        self.assertTrue(any(re.fullmatch(rf"{folder}\) += 0", text) for text in synced), f"{folder} in {synced}")

    def test_file_in_a_new_folder(self):
        met = self.check_all("new-{}/deep/file")
        self.assertLessEqual({"openat2", "openat", "fallocate", "pwrite64", "splice", "fdatasync", "mkdirat", "linkat",
                              "fsync", "sendto"}, met)

    def test_file_that_replaces_an_older_one(self):
        met = self.check_all("folder/replaced")
        self.assertLessEqual({"newfstatat", "fdatasync", "linkat", "renameat2", "fsync", "unlinkat"}, met)

    def test_resumable_upload(self):
        met = self.check_all("folder/resumed", resumable=True)
        self.assertLessEqual({"openat", "pwrite64", "fdatasync", "renameat2", "fsync", "unlinkat"}, met)

    def test_early_write_back(self):
        met = self.check_all("large", size=LARGE, stages=["complete"], only=("sync_file_range",))
        self.assertEqual(met, {"sync_file_range"})


if __name__ == "__main__":
    unittest.main()
