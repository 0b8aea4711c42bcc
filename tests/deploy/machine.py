"""A Debian whose systemd has booted, beside this machine's: processes, mounts, cgroups and network of its own."""

import os
import pathlib
import shutil
import subprocess

from tests.deploy.debian_root import INSTALL_S
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.durability import skip_module
from tests.harness.processes import process_exists

BOOT = pathlib.Path(__file__).with_name("boot_root.sh")
NAMESPACES = ("--mount", "--pid", "--ipc", "--uts", "--net", "--cgroup")


def _cgroup_folder():
    """Where the hierarchy of version 2 is mounted, be it the only one or beside those of version 1."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        if " - cgroup2 " in line:
            return pathlib.Path(line.split()[4])
    return None


def require_boot():
    """For setUpModule(): whether this machine lets another one run in it."""
    folder = _cgroup_folder()
    if folder is None or not os.access(folder, os.W_OK):
        skip_module("no cgroups of version 2 can be made here, which systemd takes to boot")
    trial = ["unshare", "--mount", "--pid", "--ipc", "--uts", "--cgroup", "--fork", "mount", "-t", "cgroup2", "cgroup2", "/mnt"]
    result = subprocess.run(trial, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, check=False)
    if result.returncode != 0:
        skip_module(f"no namespaces that systemd could boot in: {result.stdout}")


class Machine:
    """Boots `root` in `network`, a Namespace; use as a context."""

    def __init__(self, root, network):
        self.root = pathlib.Path(root)
        self.network = network
        self._cgroup = _cgroup_folder() / f"rawgate-test-{os.getpid()}"
        self._console = self.root.with_name(f"{self.root.name}.console")
        self._process = None
        self._init = None

    def __enter__(self):
        self._cgroup.mkdir()
        try:
            with open(self._console, "wb") as console:
                within = ["setpriv", "--pdeathsig", "KILL", "nsenter", f"--net=/run/netns/{self.network.name}"]
                self._process = subprocess.Popen(
                    [*within, BOOT, self.root, self._cgroup],
                    stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True)
            self._init = wait_until(self._find_init, "a booted systemd")
            wait_until(self._is_up, f"the end of systemd's start, see {self._console}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # What runs in a pid namespace ends with its first process.
        if self._init is not None:
            os.kill(self._init, 9)
        self._process.kill()
        self._process.wait()
        if self._init is not None:
            wait_until(lambda: not process_exists(self._init), "the end of the machine")
        for folder in sorted(self._cgroup.rglob("*"), reverse=True):
            if folder.is_dir():
                folder.rmdir()
        wait_until(self._remove_cgroup, "the end of the machine's cgroup")
        self._console.unlink()

    def _remove_cgroup(self):
        try:
            self._cgroup.rmdir()
        except OSError:
            return False
        return True

    def _find_init(self):
        if self._process.poll() is not None:
            raise AssertionError(f"systemd did not boot:\n{self._console.read_text(errors='replace')[-2000:]}")
        children = pathlib.Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def _is_up(self):
        state = self.run("systemctl", "is-system-running", check=False).strip()
        return state if state in ("running", "degraded") else None

    def run(self, *command, check=True, timeout=PATIENCE, **environment):
        """What a command prints that runs in there, as root."""
        environment = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", **environment}
        entered = ["nsenter", f"--target={self._init}", *NAMESPACES, "--", "env", "-i", "-C", "/", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                   *(f"{name}={value}" for name, value in environment.items()), *map(str, command)]
        result = subprocess.run(entered, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                timeout=timeout, check=False)
        if check and result.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, command))}: status {result.returncode}\n{result.stdout}")
        return result.stdout

    def call(self, function, *arguments):
        """What a function of ours returns that is called in the machine's network."""
        return self.network.call(function, *arguments)

    def install(self, *packages):
        """From files outside, with apt, as an administrator does it."""
        inside = []
        for package in packages:
            shutil.copy(package, self.root / "srv")
            inside.append(f"/srv/{pathlib.Path(package).name}")
        return self.run("apt-get", "install", "-y", "--no-install-recommends", *inside, timeout=INSTALL_S)

    def systemctl(self, *words, check=True):
        return self.run("systemctl", "--no-pager", *words, check=check).strip()

    def state(self, unit):
        return self.systemctl("is-active", unit, check=False)

    def show(self, unit, name):
        return self.systemctl("show", f"--property={name}", "--value", unit)

    def journal(self, unit):
        """What a unit has said, and systemd about it."""
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit)
