"""What clients have sent to a store under which names and what they were told of it, and so what may be found there."""

import pathlib
import random
import threading
import time

SIZE_MAX = 12 << 20
_STARTS = 4 << 20
_POOL = random.Random(4).randbytes(_STARTS + SIZE_MAX)
PENDING, STORED, REFUSED = "pending", "stored", "refused"


class Version:
    """One content of one name, of at most SIZE_MAX bytes; or its absence, after a deletion (`size` None). Times are
    time.monotonic_ns()."""

    def __init__(self, name, number, size):
        self.name = name
        self.number = number
        self.size = size
        self.begin = time.monotonic_ns()
        self.end = None
        self.outcome = PENDING

    def content(self):
        """No two versions of some bytes have the same, nor is one the beginning of another."""
        if self.size is None:
            return None
        head = b"version %012d %012d\n" % (self.number, self.size)
        start = self.number * 7919 % _STARTS
        return (head + _POOL[start:start + max(0, self.size - len(head))])[:self.size]

    def __repr__(self):
        return f"{self.name}#{self.number} of {self.size} bytes, {self.outcome}"


class Ledger:
    """Thread-safe."""

    def __init__(self):
        self._lock = threading.Lock()
        self._versions = {}
        self._count = 0
        self._stored = 0

    def begin(self, name, size):
        """To be called before the first byte is sent. Size None: a deletion."""
        with self._lock:
            self._count += 1
            version = Version(name, self._count, size)
            self._versions.setdefault(name, []).append(version)
            return version

    def settle(self, version, outcome):
        """To be called when the reply is here. What was settled stays."""
        with self._lock:
            if version.outcome == PENDING:
                version.end = time.monotonic_ns()
                version.outcome = outcome
                self._stored += outcome == STORED

    def stored_count(self):
        with self._lock:
            return self._stored

    def pending(self):
        with self._lock:
            return [version for versions in self._versions.values() for version in versions
                    if version.outcome == PENDING]

    def settle_interrupted(self, root, resumable):
        """The service is dead, so what it had not answered is either there by now or never will be, but for uploads
        that can be resumed (names)."""
        for version in self.pending():
            if _read(root / version.name) == version.content():
                self.settle(version, STORED)
            elif version.name not in resumable:
                self.settle(version, REFUSED)

    def shows_stored(self, root, version):
        """Whether it was stored, by what its name has below `root`: its content, or that of one that was begun only when
        the reply to it was here."""
        found = _read(pathlib.Path(root) / version.name)
        with self._lock:
            later = [each for each in self._versions[version.name]
                     if version.outcome == STORED and each.begin >= version.end]
        return found is not None and any(found == each.content() for each in [version, *later])

    def _allowed(self, name, begin, end):
        """The versions that a name may have, if the store was as it is at one moment between `begin` and `end`: not one
        that another has replaced for certain. None is absence."""
        with self._lock:
            known = [version for version in self._versions.get(name, ()) if version.begin <= end]
            acknowledged = [version for version in known if version.outcome == STORED and version.end < begin]
            newest = max((version.begin for version in acknowledged), default=0)
            allowed = [version for version in known
                       if (version.end is None or version.end >= newest)
                       and (version.outcome != REFUSED or version.end >= begin)]
            return allowed if acknowledged else [*allowed, None]

    def faults(self, root, begin, end):
        """What is wrong below `root`, which is the store as it was at one moment between two: a sentence each. Names
        that the store keeps for itself are left out."""
        root = pathlib.Path(root)
        with self._lock:
            names = set(self._versions)
        faults = [f"{name} was never sent" for name in visible_files(root) if name not in names]
        for name in sorted(names):
            found = _read(root / name)
            allowed = self._allowed(name, begin, end)
            if not any(found == (version and version.content()) for version in allowed):
                faults.append(f"{name} is {self._describe(name, found)}, not any of {allowed}")
        return faults

    def _describe(self, name, found):
        if found is None:
            return "missing"
        with self._lock:
            versions = list(self._versions[name])
        for version in versions:
            if found == version.content():
                return f"one that was replaced or refused: {version}"
        return f"not whole: {len(found)} bytes {found[:40]!r}"


def visible_files(root):
    """What clients can name, from the root. Anything but files and folders is told too."""
    for path in pathlib.Path(root).rglob("*"):
        name = path.relative_to(root)
        if path.is_dir() and not path.is_symlink():
            continue
        if not any(part.startswith(".rawgate-") for part in name.parts) and name.parts[0] != "lost+found":
            yield str(name)


def hidden_leftovers(root):
    """What the store keeps for itself, but for the folder of uploads that can be resumed."""
    return [str(path) for path in pathlib.Path(root).rglob(".rawgate-*") if ".rawgate-uploads" not in path.parts]


def _read(path):
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
