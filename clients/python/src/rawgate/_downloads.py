"""Flows of downloads: one version of a file, over as many calls as it takes, and proved to be right."""

from __future__ import annotations

import hashlib
from typing import Any

from rawgate._convert import from_proto
from rawgate._flow import Deadline, Flow, Open, Read, Stream, blocking, call, pause
from rawgate._methods import method
from rawgate._retry import How, Pacer
from rawgate._target import DownloadTarget, OpenFile, PartFile, open_target
from rawgate.errors import Aborted, DataLoss, Error, FailedPrecondition, NotFound, OutOfRange
from rawgate.file.v1 import file_service_pb2 as file_pb
from rawgate.progress import ProgressCallback, Reporter
from rawgate.stored import FileInfo

_DOWNLOAD = method("FileService", "Download")
_STAT_FILE = method("FileService", "StatFile")

# Versions of a file, and of what was kept of it, that are tried in one run.
_VERSIONS_MAX = 3


def get(name: str, target: DownloadTarget, *, progress: ProgressCallback | None, resume: bool, how: How) -> Flow[FileInfo]:
    """Here, whole and verified, when this returns."""
    deadline = Deadline(how.timeout)
    version = 1
    while True:
        file = yield from _stat(name, False, How(how.retries, deadline.left()))
        if from_proto(FileInfo, file).is_folder:
            raise FailedPrecondition(f"{name} is a folder", reason="NOT_A_FILE")
        stamp = f"{file.size} {file.modify_time.seconds}.{file.modify_time.nanos:09}"
        opened = yield from blocking(lambda: open_target(target, name, stamp, resume))
        download = _Download(name, file, opened, progress, how, deadline)
        try:
            return (yield from download.run())
        except (Aborted, DataLoss) as error:
            # The file was replaced over there, or what an earlier run has kept is not right.
            anew = error.reason == "FILE_CHANGED" or (isinstance(error, DataLoss) and download.resumed)
            if not anew or version == _VERSIONS_MAX or (isinstance(opened, OpenFile) and opened.size > 0):
                raise
            version += 1
        finally:
            opened.close()


def _stat(name: str, with_sha256: bool, how: How) -> Flow[Any]:
    response = yield from call(_STAT_FILE, file_pb.StatFileRequest(filename=name, with_sha256=with_sha256), how)
    return response.file


def _same_version(one: Any, other: Any) -> bool:
    return bool((one.size, one.modify_time) == (other.size, other.modify_time))


class _Download:
    """One version of one file."""

    def __init__(self, name: str, file: Any, target: PartFile | OpenFile, progress: ProgressCallback | None, how: How,
                 deadline: Deadline) -> None:
        self._name = name
        self._file = file
        self._target = target
        self._how = how
        self._deadline = deadline
        self._reporter = Reporter(progress, name)
        self._reporter.total = file.size
        # Of all bytes until the target's size.
        self._sha256 = hashlib.sha256()
        # Every byte came in one call, whose trailer is about all of them.
        self._in_one_call = True
        # Bytes of an earlier run are part of it.
        self.resumed = False

    def run(self) -> Flow[FileInfo]:
        self._sha256 = yield from blocking(lambda: self._target.digest_of_kept(self._file.size))
        self.resumed = self._target.size > 0
        pacer = Pacer(self._how)
        while True:
            before = self._target.size
            try:
                yield from self._fetch()
                if not self._in_one_call:
                    yield from self._check_whole()
                break
            except (DataLoss, NotFound):
                self._target.discard()
                raise
            except Error as error:
                if error.reason == "FILE_CHANGED":
                    self._target.discard()
                if self._target.size > before:
                    pacer.note_progress()
                yield from pause(pacer, error, self._deadline)
        yield from blocking(self._target.commit)
        self._reporter.finish()
        self._file.digests.sha256 = self._sha256.hexdigest()
        return from_proto(FileInfo, self._file)

    def _fetch(self) -> Flow[None]:
        """The rest of the file, in one call."""
        offset = self._target.size
        self._reporter.resume_from(offset)
        self._in_one_call = offset == 0
        of_this_call, trailer = hashlib.sha256(), None
        request = file_pb.DownloadRequest(filename=self._name, offset=offset)
        stream: Stream = yield Open(_DOWNLOAD, request, self._deadline.left())
        try:
            while (message := (yield Read(stream))) is not None:
                match message.WhichOneof("part"):
                    case "header":
                        self._check_version(message.header.file)
                    case "data":
                        of_this_call.update(message.data)
                        yield from self._take(message.data)
                    case "trailer":
                        trailer = message.trailer.sha256
        except OutOfRange:
            # Cut by something other than the store: it is as good as replaced.
            raise _changed() from None
        finally:
            stream.cancel()
        if self._target.size != self._file.size or trailer is None:
            raise _corrupted(f"{self._target.size} of {self._file.size} bytes, or no digest")
        _check_digest(of_this_call.hexdigest(), trailer)

    def _take(self, data: bytes) -> Flow[None]:
        if len(data) > self._file.size - self._target.size:
            raise _corrupted(f"more than {self._file.size} bytes")
        yield from blocking(lambda: self._target.write(data))
        self._sha256.update(data)
        self._reporter.move_to(self._target.size)

    def _check_version(self, told: Any) -> None:
        known, now = self._file.digests.sha256, told.digests.sha256
        if not _same_version(told, self._file) or (known and now and known != now):
            raise _changed()

    def _check_whole(self) -> Flow[None]:
        """The trailers are about parts."""
        now = yield from _stat(self._name, True, How(self._how.retries, self._deadline.left()))
        if not _same_version(now, self._file):
            raise _changed()
        _check_digest(self._sha256.hexdigest(), now.digests.sha256)


def _changed() -> Aborted:
    return Aborted("the file was replaced over there while it was fetched", reason="FILE_CHANGED")


def _corrupted(what: str) -> DataLoss:
    return DataLoss(f"what came is not what was stored: {what}", reason="TRANSFER_CORRUPTED")


def _check_digest(ours: str, theirs: str) -> None:
    if ours != theirs:
        raise _corrupted(f"SHA-256 {ours}, announced was {theirs}")
