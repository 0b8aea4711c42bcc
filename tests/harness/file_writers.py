"""Many clients that upload to port 8090 all the time, in all the ways there are, and write down what they were told."""

import hashlib
import random
import threading
import time

from tests.conformance.file_client import packed_request, receive_reply, request
from tests.conformance.plain_client import connect
from tests.harness.stored_versions import STORED, REFUSED

OWN_NAMES = 4
SHARED_NAMES = 5
NEW_FOLDERS = 6
# In an upload that is asked about: there is more of it by then than the answer has told.
LONGEST_PAUSE_S = 0.5


class Writer:
    """One client. What it could not finish it goes on with in its next run."""

    def __init__(self, number, ledger, seed, size_max):
        self.number = number
        self.address = self.stopping = None
        self.ledger = ledger
        self.chance = random.Random(seed)
        self.size_max = size_max
        self.serial = 0
        self.new_folders = []
        # (version, upload id) of a resumable upload that is not complete.
        self.unfinished = None
        self.resumed = 0
        self.failures = []
        # By upload id: the version; how much the service has said to have on disk, and when (time.monotonic_ns()).
        self.uploads = {}
        self.told = {}

    def run(self, address, stopping):
        """Until `stopping` is set, or the service is gone."""
        self.address = address
        self.stopping = stopping
        try:
            with connect(address) as client:
                self.finish(client)
                while not stopping.is_set() and not self.failures:
                    self._step(client)
        except (OSError, EOFError) as error:
            if not stopping.is_set():
                self.failures.append(f"writer {self.number}: {error!r}")

    def _step(self, client):
        chosen = self.chance.random()
        if chosen < 0.3:
            self._upload(client, f"own/{self.number}/{self.chance.randrange(OWN_NAMES)}")
        elif chosen < 0.45:
            self._upload(client, f"shared/{self.chance.randrange(SHARED_NAMES)}")
        elif chosen < 0.7:
            self._new_folder(client)
        else:
            self._begin_resumable(client)

    def _size(self):
        largest = self.chance.choices([0, 1000, 65_000, self.size_max], [1, 6, 8, 4])[0]
        return self.chance.randint(0, largest)

    def _new_folder(self, client):
        self.serial += 1
        folder = f"new/{self.number}-{self.serial}"
        self._upload(client, f"{folder}/deep/file")
        self.new_folders.append(folder)
        if len(self.new_folders) > NEW_FOLDERS:
            self._delete_folder(client, self.new_folders.pop(0))

    def _delete_folder(self, client, folder):
        version = self.ledger.begin(f"{folder}/deep/file", None)
        self._settle(version, request(client, op="delete", filename=version.name))
        for each in (f"{folder}/deep", folder):
            request(client, op="delete", filename=each)

    def _upload(self, client, name):
        version = self.ledger.begin(name, self._size())
        content = version.content()
        header = {"filename": name, "filesize": version.size}
        if self.chance.random() < 0.3:
            header["sha256"] = hashlib.sha256(content).hexdigest()
        self._send(client, header, content)
        self._settle(version, receive_reply(client))

    def _send(self, client, header, content):
        """In up to three pieces, so that the service is met at different stages."""
        message = packed_request(header) + content
        cuts = sorted(self.chance.randint(0, len(message)) for _ in range(self.chance.randrange(3)))
        for start, end in zip([0, *cuts], [*cuts, len(message)]):
            client.sendall(message[start:end])

    def _settle(self, version, reply):
        stored = reply["status"] == "ok"
        self.ledger.settle(version, STORED if stored else REFUSED)
        if not stored:
            self.failures.append(f"{version}: {reply}")

    def _begin_resumable(self, client):
        self.serial += 1
        version = self.ledger.begin(f"resumable/{self.number}/{self.chance.randrange(OWN_NAMES)}", self._size())
        self.unfinished = version, f"writer-{self.number}-{self.serial}"
        self.uploads[self.unfinished[1]] = version
        self._send_rest(client, 0, ask=self.chance.random() < 0.5)

    def finish(self, client):
        """Completes the upload that an earlier run had begun."""
        if not self.unfinished:
            return
        version, upload_id = self.unfinished
        status = request(client, op="status", upload_id=upload_id)
        if status.get("complete"):
            self._settle(version, status)
            self.unfinished = None
        elif status["status"] == "ok":
            self._check_prefix(version, upload_id, status)
            self.resumed += status["offset"] > 0
            self._send_rest(client, status["offset"])
        elif status["reason"] == "UPLOAD_NOT_FOUND":
            # It was stored, or had nothing that was told.
            if upload_id in self.told and version.outcome != STORED:
                self.failures.append(f"{version}: {self.told[upload_id][0]} bytes were told, and are gone")
            self._send_rest(client, 0)
        else:
            self.failures.append(f"{version}: {status}")

    def _check_prefix(self, version, upload_id, status):
        prefix = version.content()[:status["offset"]]
        least = self.told.get(upload_id, (0, 0))[0]
        if status["offset"] < least or hashlib.sha256(prefix).hexdigest() != status["prefix_sha256"]:
            self.failures.append(f"{version}: not the bytes that were sent, or less than {least}: {status}")

    def _send_rest(self, client, offset, ask=False):
        version, upload_id = self.unfinished
        header = {"filename": version.name, "filesize": version.size, "upload_id": upload_id, "offset": offset}
        content = version.content()[offset:]
        half, more = (len(content) // 2, len(content) * 3 // 4) if ask else (0, 0)
        self._send(client, header, content[:half])
        if half:
            self._ask(version, upload_id)
            client.sendall(content[half:more])
            self.stopping.wait(self.chance.uniform(0, LONGEST_PAUSE_S))
        client.sendall(content[more:])
        self._settle(version, receive_reply(client))
        self.unfinished = None

    def _ask(self, version, upload_id):
        """How far it is, by another connection, while this one goes on."""
        with connect(self.address) as other:
            status = request(other, op="status", upload_id=upload_id)
        if status["status"] == "ok":
            self._check_prefix(version, upload_id, status)
            self.told[upload_id] = status["offset"], time.monotonic_ns()
        elif status["reason"] != "UPLOAD_NOT_FOUND":
            self.failures.append(f"{version}: {status}")


class Writers:
    """All of them, each on a thread of its own."""

    def __init__(self, ledger, chance, size_max, count=50):
        self.ledger = ledger
        self.each = [Writer(number, ledger, chance.random(), size_max) for number in range(count)]
        self._stopping = threading.Event()
        self._threads = []

    def start(self, address):
        self._stopping.clear()
        self._threads = [threading.Thread(target=writer.run, args=(address, self._stopping)) for writer in self.each]
        for thread in self._threads:
            thread.start()

    def expect_end(self):
        """From here on the service may go."""
        self._stopping.set()

    def join(self):
        self.expect_end()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def failures(self):
        return [failure for writer in self.each for failure in writer.failures]

    def resumable_names(self):
        return {writer.unfinished[0].name for writer in self.each if writer.unfinished}

    def upload_ids(self):
        return {writer.unfinished[1] for writer in self.each if writer.unfinished}

    def version_of(self, upload_id):
        return self.each[int(upload_id.split("-")[1])].uploads[upload_id]

    def told_before(self, moment):
        """(version, upload id, bytes) of uploads that were not stored by then, and of which so much was on disk."""
        told = [(writer.uploads[upload_id], upload_id, offset) for writer in self.each
                for upload_id, (offset, when) in list(writer.told.items()) if when < moment]
        return [each for each in told if each[0].end is None or each[0].end >= moment]

    def resumed_count(self):
        return sum(writer.resumed for writer in self.each)
