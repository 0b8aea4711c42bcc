"""A Debian of its own to install packages in: made once by debootstrap, copied for each test.

RAWGATE_DEPLOY_CACHE is the folder that the first one is kept in; without it every run makes its own."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

from tests.harness.deadlines import SCALE
from tests.harness.durability import require_root, skip_module
from tests.harness.program import BIN_DIR, REPOSITORY

SUITE = "bookworm"
# Beside what is essential: an init to boot, its bus, and `ps` for the tests.
SYSTEM = ("dbus", "procps", "systemd", "systemd-sysv")
DOWNLOAD_S = 600 * SCALE
INSTALL_S = 120 * SCALE


def require_debootstrap():
    """For setUpModule()."""
    require_root("making a root file system")
    for tool in ("debootstrap", "dpkg-buildpackage", "dh", "lintian"):
        if not shutil.which(tool):
            skip_module(f"there is no {tool} (script/bootstrap test package)")


def _runtime_packages():
    """What our packages depend on, so that installing them downloads nothing."""
    lines = (REPOSITORY / "script/packages").read_text().splitlines()
    return [line.split()[1] for line in lines if line.startswith("runtime ")]


@contextlib.contextmanager
def _cache():
    """The folder of the first root, while nobody else is making it."""
    with contextlib.ExitStack() as stack:
        folder = os.environ.get("RAWGATE_DEPLOY_CACHE")
        if not folder:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="rawgate-debian-"))
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        lock = stack.enter_context(open(folder / "lock", "w"))
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _bootstrap(root):
    """Raises CalledProcessError when Debian cannot be reached."""
    partial = root.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "check": True, "timeout": DOWNLOAD_S}
    subprocess.run(["debootstrap", "--variant=minbase", f"--include={','.join(SYSTEM)}", SUITE, partial], **quiet)
    _copy_apt_settings(partial)
    with without_services(partial):
        apt = ["chroot", partial, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
        subprocess.run([*apt, "update"], **quiet)
        subprocess.run([*apt, "install", "-y", "--no-install-recommends", *_runtime_packages()], **quiet)
    partial.rename(root)


def _copy_apt_settings(root):
    """A host behind a mirror or a proxy reaches Debian by its own settings only."""
    for name in ("apt/sources.list", "apt/sources.list.d", "apt/apt.conf.d", "resolv.conf"):
        source, target = pathlib.Path("/etc", name), root / "etc" / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.exists():
            shutil.copy(source, target)
        else:
            target.unlink(missing_ok=True)


@contextlib.contextmanager
def without_services(root):
    """Packages that are installed meanwhile start nothing: policy-rc.d, as Debian's policy has it for a chroot."""
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


@contextlib.contextmanager
def copy_or_skip():
    """Yields the folder of a Debian that the caller may change."""
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rawgate-root-")))
        with _cache() as cache:
            names = " ".join([SUITE, *SYSTEM, *_runtime_packages()])
            base = cache / f"debian-{hashlib.sha256(names.encode()).hexdigest()[:12]}"
            if not base.exists():
                try:
                    _bootstrap(base)
                except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as failure:
                    skip_module(f"no Debian can be had here: {failure}\n{(failure.stdout or '')[-2000:]}")
            subprocess.run(["cp", "-a", "--reflink=auto", f"{base}/.", folder], check=True, timeout=INSTALL_S)
        yield folder


def packages():
    """Paths of our packages, by name: those of RAWGATE_PACKAGE_DIR, which are built where there are none."""
    folder = pathlib.Path(os.environ.get("RAWGATE_PACKAGE_DIR") or REPOSITORY / "build/package")
    found = {path.name.split("_")[0]: path for path in folder.glob("*.deb")}
    if not found:
        environment = {**os.environ, "RAWGATE_BIN_DIR": str(BIN_DIR)}
        subprocess.run([REPOSITORY / "script/package"], env=environment, check=True, timeout=INSTALL_S * 5)
        found = {path.name.split("_")[0]: path for path in folder.glob("*.deb")}
    return found
