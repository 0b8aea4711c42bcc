"""A disk with a volatile write cache, made for being cut off its power: a process that serves one file, by FUSE, which a
loop device then makes a block device of.

What is written goes to the cache and is reported as done; a flush (FSYNC) brings all of it to the medium. A power cut
leaves the medium and, of each block in the cache, what chance decides: that is all that a disk promises, and what
copying the file from outside cannot show, since such a copy takes time and holds whatever had been reported as done.
Requests are served one at a time, so what `cut` writes to a file is the disk at one moment. It must be a process of its
own: whoever waits for the file system on it cannot serve it. Needs root, /dev/fuse and Linux.

    python3 -m tests.harness.volatile_disk FILE BYTES      FILE is there and empty; it becomes the disk

It says "ready"; then, for each line `cut PATH SEED MODE` on its stdin, "done" when PATH is the disk after a power cut.
It unmounts and ends at the end of stdin. MODE: `none` or `all` of the cache survives, or `some` blocks of it.
"""

import contextlib
import ctypes
import errno
import os
import random
import selectors
import stat
import struct
import sys

BLOCK = 4096
WRITE_MAX = 1 << 20
_IN_HEADER = struct.Struct("<IIQQIIIHH")
_OUT_HEADER = struct.Struct("<IiQ")
_ATTRIBUTES = struct.Struct("<QI4x 6Q10I")
_MAX_PAGES_FLAG = 1 << 22
_DETACH = 2

(_FORGET, _GETATTR, _SETATTR, _OPEN, _READ, _WRITE, _STATFS, _RELEASE, _FSYNC, _FLUSH, _INIT, _INTERRUPT, _DESTROY,
 _BATCH_FORGET) = 2, 3, 4, 14, 15, 16, 17, 18, 20, 25, 26, 36, 38, 42
_libc = ctypes.CDLL(None, use_errno=True)


class Medium:
    """What is on the disk for good, and what only is in its cache."""

    def __init__(self, size):
        self.size = size
        self._durable = bytearray(size)
        self._present = bytearray(size)
        self._cached = []

    def read(self, offset, size):
        return bytes(self._present[offset:offset + size])

    def write(self, offset, data):
        self._present[offset:offset + len(data)] = data
        self._cached.append((offset, data))

    def flush(self):
        for offset, data in self._cached:
            self._durable[offset:offset + len(data)] = data
        self._cached.clear()

    def after_power_cut(self, seed, mode):
        if mode == "none":
            return self._durable
        if mode == "all":
            return self._present
        chance = random.Random(seed)
        share = chance.random()
        image = bytearray(self._durable)
        for offset, data in self._cached:
            for start in range(0, len(data), BLOCK):
                if chance.random() < share:
                    part = data[start:start + BLOCK]
                    image[offset + start:offset + start + len(part)] = part
        return image


class Server:
    """Answers the kernel: the root of this file system is the one file that there is."""

    def __init__(self, path, size):
        self.medium = Medium(size)
        self.path = path
        self.fuse = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={self.fuse},rootmode={stat.S_IFREG | 0o600:o},user_id=0,group_id=0"
        if _libc.mount(b"volatile", os.fsencode(path), b"fuse", 0, options.encode()) != 0:
            raise OSError(ctypes.get_errno(), "mounting a FUSE file system")
        self._answers = {_INIT: self._init, _DESTROY: _nothing, _GETATTR: self._attributes, _SETATTR: self._attributes,
                         _OPEN: lambda _: bytes(16), _READ: self._read, _WRITE: self._write, _FSYNC: self._flush,
                         _FLUSH: _nothing, _RELEASE: _nothing, _STATFS: lambda _: bytes(80)}

    def unmount(self):
        _libc.umount2(os.fsencode(self.path), _DETACH)

    def serve_one(self):
        try:
            message = os.read(self.fuse, WRITE_MAX + BLOCK)
        except OSError as error:
            if error.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):
                return
            raise
        _, operation, unique, *_ = _IN_HEADER.unpack_from(message)
        if operation in (_FORGET, _BATCH_FORGET, _INTERRUPT):
            return
        answer = self._answers.get(operation)
        body = answer(memoryview(message)[_IN_HEADER.size:]) if answer else b""
        header = _OUT_HEADER.pack(_OUT_HEADER.size + len(body), 0 if answer else -errno.ENOSYS, unique)
        os.writev(self.fuse, [header, body])

    def _init(self, body):
        major, minor, read_ahead, flags = struct.unpack_from("<IIII", body)
        assert (major, minor >= 28) == (7, True), f"FUSE {major}.{minor}"
        return struct.pack("<IIIIHHIIHH32x", 7, 31, read_ahead, flags & _MAX_PAGES_FLAG, 0, 0, WRITE_MAX, 1,
                           WRITE_MAX // BLOCK, 0)

    def _attributes(self, _):
        return _ATTRIBUTES.pack(3600, 0, 1, self.medium.size, self.medium.size // 512, *[0] * 6,
                                stat.S_IFREG | 0o600, 1, *[0] * 3, BLOCK, 0)

    def _read(self, body):
        _, offset, size = struct.unpack_from("<QQI", body)
        return self.medium.read(offset, size)

    def _write(self, body):
        _, offset, size = struct.unpack_from("<QQI", body)
        self.medium.write(offset, bytes(body[40:40 + size]))
        return struct.pack("<II", size, 0)

    def _flush(self, _):
        self.medium.flush()
        return b""


def _nothing(_):
    return b""


def _save(image, path):
    """Sparse, so that saving costs what is in use."""
    hole = bytes(WRITE_MAX)
    with open(path, "wb") as file:
        for start in range(0, len(image), WRITE_MAX):
            part = image[start:start + WRITE_MAX]
            if not hole.startswith(part):
                file.seek(start)
                file.write(part)
        file.truncate(len(image))


def _obey(server, line):
    command, path, seed, mode = line.split()
    assert command == "cut", line
    _save(server.medium.after_power_cut(int(seed), mode), path)
    print("done", flush=True)


def main(path, size):
    server = Server(path, int(size))
    commands = os.fdopen(os.dup(0), "rb", buffering=0)
    with selectors.DefaultSelector() as selector, contextlib.closing(commands):
        selector.register(server.fuse, selectors.EVENT_READ)
        selector.register(commands, selectors.EVENT_READ)
        print("ready", flush=True)
        try:
            while True:
                for key, _ in selector.select():
                    if key.fileobj != commands:
                        server.serve_one()
                    elif line := commands.readline():
                        _obey(server, line.decode())
                    else:
                        return
        finally:
            server.unmount()


if __name__ == "__main__":
    main(*sys.argv[1:])
