"""The near end of a download: a file that appears under its name only when it is whole."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
import stat
from typing import BinaryIO, TypeAlias

from rawgate.errors import Aborted, FailedPrecondition

DownloadTarget: TypeAlias = str | os.PathLike[str] | BinaryIO

# As `rawgate get` calls them, so that `rawgate put -r` leaves them out.
_PREFIX, _SUFFIX = ".rawgate-get-", ".part"
_PIECE = 1 << 20


class PartFile:
    """Bytes beside their goal, which stay when they are not all there, so that another run goes on with them. Their name
    follows from the goal, what is fetched, and its version; those of other versions are removed. Everything here may wait
    for a disk."""

    def __init__(self, path: str | os.PathLike[str], origin: str, version: str, resume: bool) -> None:
        self._path = os.path.realpath(path)
        if os.path.isdir(self._path):
            raise FailedPrecondition(f"{os.fspath(path)} is a folder", reason="IS_A_FOLDER")
        folder, last = os.path.split(self._path)
        beginning = f"{_PREFIX}{_fingerprint(origin, last)}-"
        name = f"{beginning}{_fingerprint(version)}{_SUFFIX}"
        self._temporary = os.path.join(folder, name)
        self._file = self._open_locked()
        for other in os.listdir(folder):
            if other.startswith(beginning) and other.endswith(_SUFFIX) and other != name:
                os.unlink(os.path.join(folder, other))
        if not resume:
            self.restart()
        self._kept = True
        self.size = self._file.seek(0, os.SEEK_END)

    def _open_locked(self) -> BinaryIO:
        while True:
            descriptor = os.open(self._temporary, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
            file = os.fdopen(descriptor, "r+b", buffering=0)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                raise Aborted("the same file is being fetched to the same place", reason="ALREADY_FETCHING") from None
            opened = os.fstat(file.fileno())
            try:
                found = os.path.samestat(os.stat(self._temporary), opened)
            except FileNotFoundError:
                found = False
            if found and _is_ours_alone(opened):
                return file
            file.close()
            if found:
                raise FailedPrecondition(f"{self._temporary!r} is in the way: it is no file that is yours alone; remove it, or "
                                         "fetch into a folder of your own", reason="PART_FILE_NOT_OURS")
            # Somebody finished it between open and lock.

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view):]
        self.size += len(data)

    def digest_of_kept(self, size: int) -> hashlib._Hash:
        """A SHA-256 that has all that was kept. More than `size` bytes are none of this version."""
        sha256 = hashlib.sha256()
        if self.size > size:
            self.restart()
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            sha256.update(piece)
        return sha256

    def restart(self) -> None:
        """Back to no bytes."""
        self._file.seek(0)
        self._file.truncate()
        self.size = 0

    def discard(self) -> None:
        """What is there is not kept."""
        self._kept = False

    def commit(self) -> None:
        """Gives it its name and its permissions: those of the file that it replaces, else what the umask leaves. The name
        then refers to these bytes, also after a power cut."""
        os.fchmod(self._file.fileno(), self._mode())
        os.fsync(self._file.fileno())
        os.rename(self._temporary, self._path)
        self._temporary = ""
        folder = os.open(os.path.dirname(self._path), os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def close(self) -> None:
        if self._temporary and (not self._kept or self.size == 0):
            os.unlink(self._temporary)
        self._file.close()

    def _mode(self) -> int:
        try:
            return stat.S_IMODE(os.stat(self._path).st_mode) & 0o777
        except FileNotFoundError:
            return 0o666 & ~_UMASK


class OpenFile:
    """A file of the caller's, or a device or pipe, which gets the bytes as they come."""

    def __init__(self, file: BinaryIO, is_ours: bool = False) -> None:
        self._file = file
        self._is_ours = is_ours
        self.size = 0

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            written = self._file.write(view)
            if not isinstance(self._file, io.RawIOBase):
                break
            # Without a buffer, as much as there was room for.
            if written is None:
                raise BlockingIOError(errno.EAGAIN, "the target takes nothing, and does not wait")
            view = view[written:]
        self.size += len(data)

    def digest_of_kept(self, size: int) -> hashlib._Hash:
        return hashlib.sha256()

    def restart(self) -> None:
        if self.size:
            raise Aborted("the file was replaced over there while it was fetched", reason="FILE_CHANGED")

    def discard(self) -> None:
        """It is the caller's."""

    def commit(self) -> None:
        self._file.flush()

    def close(self) -> None:
        if self._is_ours:
            self._file.close()


def open_target(target: DownloadTarget, origin: str, version: str, resume: bool) -> PartFile | OpenFile:
    """Raises OSError, FailedPrecondition (IS_A_FOLDER, PART_FILE_NOT_OURS), Aborted (ALREADY_FETCHING)."""
    if not isinstance(target, (str, os.PathLike)):
        return OpenFile(target)
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        return PartFile(target, origin, version, resume)
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return PartFile(target, origin, version, resume)
    return OpenFile(open(target, "wb"), is_ours=True)


def _is_ours_alone(file: os.stat_result) -> bool:
    """Anybody can know the name of what is kept, and in a folder of many could have put something there: a pipe, a file of
    theirs that they go on writing to, or a second name of one of ours."""
    return stat.S_ISREG(file.st_mode) and file.st_uid == os.geteuid() and file.st_nlink == 1


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()[:16]


def _umask() -> int:
    """There is no way to ask without setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


# Once: another thread must not see the moment without one.
_UMASK = _umask()
