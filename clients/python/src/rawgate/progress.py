"""How far a transfer is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

_INTERVAL = 0.1


@dataclass(frozen=True, slots=True)
class Progress:
    """One file on its way."""

    # In the store.
    name: str
    # Bytes that are at their goal, those of earlier runs included.
    done: int
    total: int
    # What an earlier run, or an earlier attempt of this one, had moved already: where the last attempt began.
    resumed_from: int


ProgressCallback: TypeAlias = Callable[[Progress], None]


class Reporter:
    """Tells a callback some ten times a second at most, and of the end."""

    def __init__(self, callback: ProgressCallback | None, name: str) -> None:
        self._callback = callback
        self._name = name
        self._next = 0.0
        self._resumed_from = 0
        self.total = 0

    def resume_from(self, offset: int) -> None:
        self._resumed_from = offset

    def move_to(self, done: int) -> None:
        if self._callback is not None and time.monotonic() >= self._next:
            self._tell(done)

    def finish(self) -> None:
        if self._callback is not None:
            self._tell(self.total)

    def _tell(self, done: int) -> None:
        self._next = time.monotonic() + _INTERVAL
        assert self._callback is not None
        self._callback(Progress(self._name, done, self.total, self._resumed_from))
