"""When what failed is tried again, and how much later."""

from __future__ import annotations

import random
from dataclasses import dataclass

from rawgate.errors import DeadlineExceeded, Error, Unavailable

_FIRST_DELAY, _GROWTH, _DELAY_MAX = 0.2, 2.2, 5.0
# Who is asked to wait for longer is told so, and does not wait.
_ASKED_MAX = 60.0
# What passes by itself although its code does not say so.
_PASSING = frozenset({"WRONG_OFFSET", "UPLOAD_COMPLETING", "WRITE_IN_PROGRESS", "STALLED", "STDIN_BUSY", "JOB_QUEUED"})


@dataclass(frozen=True, slots=True)
class How:
    """How patient an operation is."""

    # Further attempts in a row without progress; 0 for none.
    retries: int
    # Seconds for all of it; None for no end.
    timeout: float | None

    def within(self, timeout: float | None) -> How:
        """The same, with another timeout if one is given."""
        return self if timeout is None else How(self.retries, timeout)

    def endless(self, timeout: float | None) -> How:
        """For what may take as long as it takes, unless a timeout is given."""
        return How(self.retries, timeout)

    def longer_by(self, seconds: float | None) -> How:
        """For what waits by itself for so long."""
        return self if seconds is None or self.timeout is None else How(self.retries, self.timeout + seconds)


def is_passing(error: Error) -> bool:
    """Whether another attempt may succeed: the connection broke, the far side was not there or had too much to do, or the
    two ends did not agree on how far they were. A deadline of the caller's own does not pass."""
    if isinstance(error, DeadlineExceeded):
        return error.reason == "STALLED"
    return isinstance(error, Unavailable) or error.retry_after is not None or error.reason in _PASSING


class Pacer:
    """Waits between the attempts of one operation: longer each time, as long as nothing gets through."""

    def __init__(self, how: How) -> None:
        self._most = how.retries
        self._failures = 0

    def note_progress(self) -> None:
        """Something got through since the last failure."""
        self._failures = 0

    def delay_after(self, error: Error, harmless: bool = True) -> float | None:
        """Seconds to wait, at least what the far side asks for; None when there is to be no further attempt. Where another
        one is not harmless, there is one only when the far side says when."""
        asked = error.retry_after
        if not is_passing(error) or not (harmless or asked is not None) or self._failures >= self._most:
            return None
        if asked is not None and asked > _ASKED_MAX:
            return None
        delay: float = min(_FIRST_DELAY * _GROWTH ** self._failures, _DELAY_MAX)
        self._failures += 1
        # Not in step with others whose connections broke at the same moment.
        return max(delay, asked or 0.0) * random.uniform(1.0, 1.2)
