"""The near end of an upload."""

from __future__ import annotations

import getpass
import hashlib
import io
import os
import socket
import uuid
from typing import Any, BinaryIO, TypeAlias

from rawgate.errors import Aborted

UploadSource: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO

_PIECE = 1 << 20


class Source:
    """Bytes in a known number, and the digest of those that were read. Everything here may wait for a disk."""

    def __init__(self, source: UploadSource) -> None:
        self._path = os.fspath(source) if isinstance(source, (str, os.PathLike)) else None
        if self._path is not None:
            self._file: BinaryIO = open(self._path, "rb")  # closed by close()
        elif isinstance(source, bytes):
            self._file = io.BytesIO(source)
        else:
            assert not isinstance(source, (str, os.PathLike))
            self._file = source
        # Of a file that was read in part already, the rest.
        self._origin = self._file.tell()
        self.size = self._file.seek(0, os.SEEK_END) - self._origin
        self._stamp = self._version()
        self._file.seek(self._origin)
        self.position = 0
        self._sha256 = hashlib.sha256()
        self._seed = uuid.uuid4().hex

    @property
    def lasts(self) -> bool:
        """Whether another run can read the same, and go on with its upload."""
        return self._path is not None

    def close(self) -> None:
        if self._path is not None:
            self._file.close()

    def read(self, most: int) -> bytes:
        """The next bytes; none at the end."""
        data = self._file.read(min(most, self.size - self.position))
        self.position += len(data)
        self._sha256.update(data)
        return data

    def move_to(self, position: int) -> None:
        """Reads again, or reads on, so that `digest` is that of everything before."""
        if position < self.position:
            self._file.seek(self._origin)
            self.position, self._sha256 = 0, hashlib.sha256()
        while self.position < position:
            if not self.read(min(_PIECE, position - self.position)):
                raise self._changed()

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of the bytes until `position`."""
        return self._sha256.hexdigest()

    def check_unchanged(self) -> None:
        """Raises Aborted (FILE_CHANGED) when the file is not the one that was opened any more."""
        if self.position != self.size or self._version() != self._stamp:
            raise self._changed()

    def upload_id(self, name: str, generation: int) -> str:
        """The same in every run for the same host, user, path, size and time of change, and `name`; of what has no path, for
        this object alone. The service may know it as complete for some time: `generation` makes others."""
        if self._path is None:
            return f"py-{_fingerprint(20, self._seed, name)}-{generation}"
        file = _fingerprint(12, socket.gethostname(), getpass.getuser(), os.path.realpath(self._path), name)
        return f"py-{file}-{_fingerprint(12, *map(str, self._stamp))}-{generation}"

    def _version(self) -> tuple[Any, ...]:
        if self._path is None:
            return ()
        status = os.fstat(self._file.fileno())
        return (status.st_size, status.st_mtime_ns)

    def _changed(self) -> Aborted:
        return Aborted("the file has changed while it was sent", reason="FILE_CHANGED")


def _fingerprint(digits: int, *parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()[:digits]
