"""Flows of uploads: what the far side has of the file is asked, proved by its digest, and gone on with."""

from __future__ import annotations

from typing import Any

from rawgate._convert import from_proto
from rawgate._flow import Deadline, Finish, Flow, Open, Stream, Write, blocking, call, pause
from rawgate._methods import method
from rawgate._retry import How, Pacer
from rawgate._small_calls import stat_file
from rawgate._source import Source, UploadSource
from rawgate.errors import Aborted, AlreadyExists, DataLoss, Error, NotFound
from rawgate.file.v1 import file_service_pb2 as file_pb
from rawgate.file.v1 import upload_pb2 as upload_pb
from rawgate.progress import ProgressCallback, Reporter
from rawgate.stored import EntryType, FileInfo

_UPLOAD = method("FileService", "Upload")
_GET_UPLOAD = method("FileService", "GetUpload")
_ABORT_UPLOAD = method("FileService", "AbortUpload")
_GET_LIMITS = method("FileService", "GetLimits")

_CHUNK_MAX = 256 << 10
# More often the same file is not stored, removed and stored again within the time that the service remembers.
_GENERATIONS_MAX = 100


def put(source: UploadSource, name: str, *, progress: ProgressCallback | None, resume: bool, if_absent: bool,
        how: How) -> Flow[FileInfo]:
    """Stored, whole and verified, when this returns."""
    opened = yield from blocking(lambda: Source(source))
    try:
        return (yield from _Upload(opened, name, progress, resume, if_absent, how).run())
    finally:
        opened.close()


class _Upload:
    """One file, over as many calls as it takes."""

    def __init__(self, source: Source, name: str, progress: ProgressCallback | None, resume: bool, if_absent: bool,
                 how: How) -> None:
        self._source = source
        self._name = name
        self._resume = resume
        self._if_absent = if_absent
        self._how = how
        self._deadline = Deadline(how.timeout)
        self._reporter = Reporter(progress, name)
        self._reporter.total = source.size
        self._generation = 0
        # The far side has heard of it in this run.
        self._begun = False
        # It may be stored, even if nobody has said so.
        self._all_sent = False
        # The furthest that the far side has told.
        self._furthest = 0
        self._chunk = _CHUNK_MAX

    def run(self) -> Flow[FileInfo]:
        limits = yield from call(_GET_LIMITS, file_pb.GetLimitsRequest(), self._how)
        self._chunk = min(_CHUNK_MAX, limits.max_chunk_bytes or _CHUNK_MAX)
        pacer = Pacer(self._how)
        while True:
            furthest = self._furthest
            try:
                stored = yield from self._attempt()
                return (yield from self._conclude(stored))
            except Error as error:
                if self._resume and error.reason == "OTHER_FILE_SYSTEM":
                    # A folder of the store for which it cannot keep anything: then in one piece.
                    self._resume = False
                    continue
                if self._furthest > furthest:
                    pacer.note_progress()
                # What is not resumable and was sent whole may be stored already: storing it again does no harm, unless
                # that is what if_absent is to prevent.
                yield from pause(pacer, error, self._deadline, harmless=self._resume or not self._if_absent)

    def _attempt(self) -> Flow[FileInfo]:
        offset = 0
        # What has no path was never sent before this run.
        if self._resume and (self._begun or self._source.lasts):
            point = yield from self._find()
            if isinstance(point, FileInfo):
                return point
            offset = point
        self._furthest = max(self._furthest, offset)
        self._reporter.resume_from(offset)
        yield from blocking(lambda: self._source.move_to(offset))
        return (yield from self._send_from(offset))

    def _find(self) -> Flow[FileInfo | int]:
        """The file, when nothing is left to do, else how many of its bytes are there."""
        while self._generation < _GENERATIONS_MAX:
            request = upload_pb.GetUploadRequest(upload_id=self._id)
            try:
                there = yield from call(_GET_UPLOAD, request, self._left())
            except NotFound:
                return 0
            if not there.HasField("stored"):
                return (yield from self._offset_of(there))
            if self._begun:
                return from_proto(FileInfo, there.stored)
            # Completed by an earlier run: the file may have been removed or replaced since.
            stored = yield from self._find_stored()
            if stored is not None:
                return stored
            self._generation += 1
        raise Aborted("the same file was stored and removed too often of late; try it with resume=False",
                      reason="UPLOAD_EXISTS")

    def _offset_of(self, there: Any) -> Flow[int]:
        """Trusted only where the far side has the beginning of this very file; else it is given up over there."""
        upload = there.upload
        if (upload.filename, upload.size) == (self._name, self._source.size) and upload.committed_size <= upload.size:
            yield from blocking(lambda: self._source.move_to(upload.committed_size))
            if self._source.digest == there.prefix_sha256:
                return int(upload.committed_size)
        yield from self._abandon()
        return 0

    def _abandon(self) -> Flow[None]:
        try:
            yield from call(_ABORT_UPLOAD, upload_pb.AbortUploadRequest(upload_id=self._id), self._left())
        except NotFound:
            pass

    def _find_stored(self) -> Flow[FileInfo | None]:
        """The file over there, when it has the content of ours."""
        try:
            file = yield from stat_file(self._name, False, self._left())
            if file.type != EntryType.FILE or file.size != self._source.size:
                return None
            file = yield from stat_file(self._name, True, self._left())
        except NotFound:
            return None
        yield from blocking(lambda: self._source.move_to(self._source.size))
        return file if file.sha256 == self._source.digest else None

    def _send_from(self, offset: int) -> Flow[FileInfo]:
        start = upload_pb.UploadStart(filename=self._name, size=self._source.size, if_absent=self._if_absent)
        if self._resume:
            start.upload_id, start.offset = self._id, offset
        sent_before = self._all_sent
        stream: Stream = yield Open(_UPLOAD, None, self._deadline.left())
        try:
            if (yield Write(stream, upload_pb.UploadRequest(start=start))):
                self._begun = True
                yield from self._send_bytes(stream)
            response = yield Finish(stream)
        except AlreadyExists as error:
            # Perhaps by the attempt before, whose response got lost.
            stored = (yield from self._find_stored()) if sent_before and error.reason == "FILE_EXISTS" else None
            if stored is None:
                raise
            return stored
        finally:
            # Without a half-close the store publishes nothing.
            stream.cancel()
        return from_proto(FileInfo, response.file)

    def _send_bytes(self, stream: Stream) -> Flow[None]:
        """The rest of the file and its digest; it ends early when the far side takes no more, and Finish tells why."""
        while self._source.position < self._source.size:
            data = yield from blocking(lambda: self._source.read(self._chunk))
            if not data:
                break
            if not (yield Write(stream, upload_pb.UploadRequest(data=data))):
                return
            self._reporter.move_to(self._source.position)
        try:
            self._source.check_unchanged()
        except Aborted:
            if self._resume:
                yield from self._abandon()
            raise
        finish = upload_pb.UploadFinish()
        finish.expected.sha256 = self._source.digest
        self._all_sent = bool((yield Write(stream, upload_pb.UploadRequest(finish=finish))))

    def _conclude(self, stored: FileInfo) -> Flow[FileInfo]:
        yield from blocking(lambda: self._source.move_to(self._source.size))
        if (stored.size, stored.sha256) != (self._source.size, self._source.digest):
            raise DataLoss(f"what was stored is not what was sent: {stored.size} bytes, SHA-256 {stored.sha256}; sent were "
                           f"{self._source.size} bytes, SHA-256 {self._source.digest}", reason="TRANSFER_CORRUPTED")
        self._reporter.finish()
        return stored

    @property
    def _id(self) -> str:
        return self._source.upload_id(self._name, self._generation)

    def _left(self) -> How:
        return How(self._how.retries, self._deadline.left())
