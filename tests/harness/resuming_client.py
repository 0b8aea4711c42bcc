"""A client of port 8090 that goes on where it was cut off, as PROTOCOL.md says, and counts what it moves."""

import hashlib
import select
import socket

from tests.conformance.file_client import packed_request, receive_reply, request
from tests.conformance.plain_client import TIMEOUT
from tests.harness.fault_proxy import BUFFER

# Of one send(): what is on its way when a connection is cut was sent for nothing.
STEP = 16 << 10


class FileChanged(Exception):
    """What the server has is not the beginning of this file."""


def _connect(address):
    """With little room for bytes on their way."""
    client = socket.socket()
    client.settimeout(TIMEOUT)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    client.connect(address)
    return client


class ResumingUpload:
    def __init__(self, address, filename, content, upload_id, **header):
        self.address = address
        self.content = content
        self.upload_id = upload_id
        self.header = {"filename": filename, "filesize": len(content), "upload_id": upload_id, **header}
        # Bytes of the file, all attempts together.
        self.moved = 0
        self.attempts = 0

    def run(self):
        """Until it is stored; returns the reply, or the error that another attempt cannot mend."""
        offset = 0
        while True:
            self.attempts += 1
            try:
                with _connect(self.address) as client:
                    if self.attempts > 1:
                        offset = self._offset(client)
                    reply = self.attempt(client, offset)
            except (OSError, EOFError):
                continue
            if reply.get("reason") not in ("WRONG_OFFSET", "UPLOAD_COMPLETING"):
                return reply

    def _offset(self, client):
        status = request(client, op="status", upload_id=self.upload_id)
        if status.get("reason") == "UPLOAD_NOT_FOUND":
            return 0
        if status["status"] != "ok":
            raise AssertionError(status)
        prefix = self.content[:status["offset"]]
        if not status["complete"] and hashlib.sha256(prefix).hexdigest() != status["prefix_sha256"]:
            raise FileChanged(status)
        return status["offset"]

    def attempt(self, client, offset):
        """Sends the rest and awaits the reply. It may come early: bytes of the attempt before, which were still on their
        way, can have made the offset a wrong one."""
        client.sendall(packed_request({**self.header, "offset": offset}))
        while offset < len(self.content) and not select.select([client], [], [], 0)[0]:
            count = client.send(memoryview(self.content)[offset:offset + STEP])
            offset += count
            self.moved += count
        return receive_reply(client)


class ResumingDownload:
    def __init__(self, address, filename):
        self.address = address
        self.filename = filename
        self.content = bytearray()
        self.attempts = 0
        # Bytes of the file that came, all attempts together.
        self.moved = 0

    def run(self):
        """Until all of it is here, in `content`."""
        while True:
            self.attempts += 1
            try:
                with _connect(self.address) as client:
                    reply = request(client, op="download", filename=self.filename, offset=len(self.content))
                    if reply["status"] != "ok":
                        raise AssertionError(reply)
                    if self._receive(client, reply["total_size"]):
                        return
            except (OSError, EOFError):
                continue

    def _receive(self, client, total):
        while len(self.content) < total:
            part = client.recv(min(1 << 16, total - len(self.content)))
            if not part:
                return False
            self.content += part
            self.moved += len(part)
        return True
