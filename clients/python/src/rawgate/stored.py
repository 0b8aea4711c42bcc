"""The file store: entries, limits, uploads that are not complete."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum


class EntryType(IntEnum):
    """What stands under a name."""

    UNSPECIFIED = 0
    FILE = 1
    FOLDER = 2


@dataclass(frozen=True, slots=True)
class Digests:
    """Hexadecimal; empty where not known."""

    md5: str
    sha256: str


@dataclass(frozen=True, slots=True)
class FileInfo:
    """One entry of the store."""

    filename: str
    type: EntryType
    size: int
    modify_time: datetime | None
    digests: Digests | None

    @property
    def is_folder(self) -> bool:
        return self.type == EntryType.FOLDER

    @property
    def sha256(self) -> str:
        """Empty where it is not known."""
        return self.digests.sha256 if self.digests else ""


@dataclass(frozen=True, slots=True)
class UnfinishedUpload:
    """An upload that is not complete."""

    upload_id: str
    filename: str
    size: int
    committed_size: int
    expire_time: datetime | None


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """What fits."""

    max_file_bytes: int
    max_chunk_bytes: int
    free_bytes: int
    upload_expiry: timedelta | None
