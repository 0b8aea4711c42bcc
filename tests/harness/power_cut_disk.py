"""ext4 on a disk whose power can be cut: see volatile_disk.py for what that leaves. Needs root and mounts of our own."""

import contextlib
import os
import pathlib
import subprocess
import sys
import uuid

from tests.harness.durability import skip_module
from tests.harness.program import REPOSITORY

BYTES = 192 << 20


def disk_or_skip():
    """For setUpModule(), after private_mounts_or_skip()."""
    for device in ("/dev/fuse", "/dev/loop-control"):
        if not os.path.exists(device):
            skip_module(f"there is no {device}")
    if subprocess.run(["losetup", "--find"], stdout=subprocess.DEVNULL, check=False).returncode != 0:
        skip_module("no loop device can be had")


def _run(*command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: status {result.returncode}\n{result.stdout}")


@contextlib.contextmanager
def mounted(image, at, *options):
    """The file system in a file, mounted by a loop device."""
    at.mkdir(exist_ok=True)
    _run("mount", "-o", ",".join(["loop", *options]), image, at)
    try:
        yield at
    finally:
        _run("umount", at)


class PowerCutDisk:
    """Use as a context manager. `folder` is the mounted file system, with these options; `work` is where the rest is, a
    tmpfs."""

    def __init__(self, directory, options=()):
        self._options = options
        self.work = pathlib.Path(directory) / "disk"
        self.folder = self.work / "mounted"
        self._file = self.work / "device"
        self._open = contextlib.ExitStack()
        self._server = None

    def __enter__(self):
        with contextlib.ExitStack() as opening:
            self.work.mkdir()
            opening.callback(self.work.rmdir)
            _run("mount", "-t", "tmpfs", "none", self.work)
            opening.callback(_run, "umount", self.work)
            self._file.touch()
            self._serve()
            opening.callback(self._end)
            _run("mkfs.ext4", "-q", "-F", "-b", "4096", "-i", "4096",
                 "-E", "lazy_itable_init=0,lazy_journal_init=0", self._file)
            opening.enter_context(mounted(self._file, self.folder, *self._options))
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_):
        self._open.close()

    def _serve(self):
        self._server = subprocess.Popen([sys.executable, "-m", "tests.harness.volatile_disk", self._file, str(BYTES)],
                                        cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._expect("ready\n")

    def _end(self):
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()

    def _expect(self, answer):
        line = self._server.stdout.readline()
        if line != answer:
            raise AssertionError(f"the disk's process said {line!r}, not {answer!r}")

    @contextlib.contextmanager
    def after_power_cut(self, seed, mode):
        """Cuts the power, of a copy, and yields a file with what is left; see mounted_copy()."""
        image = self.work / "cut"
        self._server.stdin.write(f"cut {image} {seed} {mode}\n")
        self._server.stdin.flush()
        self._expect("done\n")
        try:
            yield image
        finally:
            image.unlink()

    def mounted_copy(self, image):
        """Mounts it, which replays its journal."""
        return mounted(image, self.work / "copy")


@contextlib.contextmanager
def another_boot(directory):
    """Who reads the machine's boot id meanwhile finds another: as after a power cut."""
    boot_id = pathlib.Path(directory) / "boot_id"
    boot_id.write_text(f"{uuid.uuid4()}\n")
    _run("mount", "--bind", boot_id, "/proc/sys/kernel/random/boot_id")
    try:
        yield
    finally:
        _run("umount", "/proc/sys/kernel/random/boot_id")


def check_file_system(image):
    """The kernel's own promise, without which nothing here says anything about the service."""
    _run("e2fsck", "-fn", image)
