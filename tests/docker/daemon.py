"""A Docker daemon of our own, which nobody else sees and which ends with us, whatever ends us. Takes root.

It has mounts and process ids of its own: the end of dockerd, the first of its processes, is the end of every container and
every mount that it made, and it is told to end when we do.
"""

import contextlib
import ctypes
import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.processes import contents_for_each, descendants_of

_CLONE_NEWNET = 0x40000000
_NAMESPACES = ["unshare", "--mount", "--pid", "--fork", "--mount-proc"]
# What containerd keeps outside the folders that it is given would be shared with a daemon of the host.
_START = 'mount -t tmpfs none "$1" && mkdir -p /run/containerd && mount -t tmpfs none /run/containerd && shift && exec "$@"'
_libc = ctypes.CDLL(None, use_errno=True)


class Unavailable(Exception):
    """There is no engine here and none can be started; the text says why."""


def obstacle():
    """Why no daemon can be started here, or None."""
    if os.geteuid() != 0:
        return "only root can start one"
    missing = [each for each in ("dockerd", "docker", "iptables", "ip", "nsenter", "kill") if not shutil.which(each)]
    if missing:
        return f"not installed: {', '.join(missing)} (script/bootstrap docker test)"
    trial = subprocess.run([*_NAMESPACES, "--net", "mount", "-t", "tmpfs", "none", "/run"], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, check=False)
    return f"no namespaces or mounts of our own: {trial.stdout.strip()}" if trial.returncode != 0 else None


class Daemon:
    """A dockerd that answers at `address`."""

    def __init__(self, address, process):
        self.address = address
        self._process = process
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        # As this machine counts, not as the daemon does.
        self.pid = int(children[0])

    def kill(self, pid):
        """SIGKILL to a process by the id that `docker inspect` and `docker top` tell, from outside its container."""
        subprocess.run(["nsenter", "--target", str(self.pid), "--pid", "kill", "-KILL", str(pid)], check=True)

    def host_pid(self, pid):
        """What this machine calls a process that the daemon calls `pid`."""
        for found, status in contents_for_each("/proc", "status"):
            numbers = next(line.split()[1:] for line in status.decode().splitlines() if line.startswith("NSpid:"))
            if numbers[1:2] == [str(pid)] and self._knows(found):
                return found
        raise ProcessLookupError(f"{pid} of {self.address}")

    def _knows(self, found):
        """Whether a process descends from the daemon."""
        return found in descendants_of(self.pid)

    def stop(self):
        """Containers that run get their SIGTERM, too."""
        os.kill(self.pid, signal.SIGTERM)
        self._process.wait(PATIENCE)


@contextlib.contextmanager
def for_builds(data):
    """A Daemon that keeps images and layers in `data` from run to run, for `build --network=host`: nothing of the host's
    network is changed."""
    options = ["--iptables=false", "--ip6tables=false", "--ip-forward=false"]
    # Without a default bridge dockerd deletes docker0, which then is somebody else's.
    if not pathlib.Path("/sys/class/net/docker0").exists():
        options.append("--bridge=none")
    with _locked(data), _started(data, options) as daemon:
        yield daemon


@contextlib.contextmanager
def for_runs(data):
    """A Daemon that knows nothing yet, in a network of its own that this thread enters until the end: ports are all free
    and reached at 127.0.0.1, the world is not, and swarms can be made. `data` is removed before and afterwards."""
    with _locked(data):
        shutil.rmtree(data, ignore_errors=True)
        try:
            with _network_of_our_own(), _started(data, []) as daemon:
                yield daemon
        finally:
            shutil.rmtree(data, ignore_errors=True)


@contextlib.contextmanager
def _locked(data):
    """One daemon at a time. Descriptors of the lock are the daemon's and its children's as well, so it is free when the
    last of them has ended, however that was."""
    data.parent.mkdir(parents=True, exist_ok=True)
    with open(data.with_suffix(".lock"), "w") as lock:

        def taken():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                return False

        wait_until(taken, f"the end of another daemon at {data}")
        os.set_inheritable(lock.fileno(), True)
        yield


@contextlib.contextmanager
def _started(data, options):
    data.mkdir(parents=True, exist_ok=True)
    log_path = data.with_suffix(".log")
    with tempfile.TemporaryDirectory(prefix="rawgate-docker-") as folder, open(log_path, "wb") as log:
        address = f"unix://{folder}/docker.sock"
        state = os.path.join(folder, "state")
        os.mkdir(state)
        process = subprocess.Popen(
            # Our end is that of unshare, which has dockerd told to end.
            ["setpriv", "--pdeathsig", "KILL", *_NAMESPACES, "--kill-child=TERM", "sh", "-c", _START, "sh", state]
            + ["dockerd", "--host", address, "--data-root", str(data), "--exec-root", state, "--pidfile", f"{state}/pid"]
            # A host's systemd is not asked for anything.
            + ["--exec-opt", "native.cgroupdriver=cgroupfs", *options],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, close_fds=False, start_new_session=True)
        try:
            wait_until(lambda: process.poll() is not None or _answers(address), "the daemon's answer")
            if process.poll() is not None:
                raise Unavailable(f"dockerd does not start here:\n{_tail(log_path)}")
            daemon = Daemon(address, process)
            yield daemon
            daemon.stop()
        finally:
            process.kill()
            process.wait()


def _answers(address):
    return subprocess.run(["docker", "--host", address, "version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False).returncode == 0


@contextlib.contextmanager
def _network_of_our_own():
    with open("/proc/thread-self/ns/net", "rb") as before:
        _check(_libc.unshare(_CLONE_NEWNET))
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            yield
        finally:
            _check(_libc.setns(before.fileno(), _CLONE_NEWNET))


def _check(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _tail(path, lines=12):
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
