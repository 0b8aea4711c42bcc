"""A Docker engine to test with: the one that answers, else one of our own, started in a temporary folder."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile

from tests.harness.deadlines import wait_until

START_TIMEOUT_S = 60
SUITE = "bookworm"
OFFICIAL_BASE = f"debian:{SUITE}-slim"
BOOTSTRAPPED_BASE = f"rawgate-debian:{SUITE}"


class Unavailable(Exception):
    """There is no engine here and none can be started; the text says why."""


class Engine:
    """Runs docker and compose against one engine. `address` is its DOCKER_HOST, where that is not the usual one."""

    def __init__(self, address=None, build_options=()):
        self.environment = {**os.environ, **({"DOCKER_HOST": address} if address else {})}
        self._build_options = build_options

    def answers(self):
        if not shutil.which("docker"):
            return False
        return self._run(["docker", "info"], check=False, timeout=30).returncode == 0

    def docker(self, *arguments, check=True, **options):
        return self._run(["docker", *arguments], check=check, **options)

    def build(self, *arguments):
        return self.docker("build", *self._build_options, *arguments)

    def compose(self, *arguments, environment=None, **options):
        return self._run([*self._compose_command(), *arguments], extra=environment, **options)

    def _compose_command(self):
        if self.docker("compose", "version", check=False).returncode == 0:
            return ["docker", "compose"]
        if shutil.which("docker-compose"):
            return ["docker-compose"]
        raise Unavailable("neither `docker compose` nor `docker-compose` is installed")

    def _run(self, command, check=True, extra=None, timeout=600):
        result = subprocess.run(
            command,
            env={**self.environment, **(extra or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and result.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: status {result.returncode}\n{result.stdout}")
        return result


@contextlib.contextmanager
def running(cache):
    """Yields an Engine. `cache` is a folder where an engine of our own keeps its images from run to run."""
    found = Engine()
    if found.answers():
        yield found
        return
    if os.geteuid() != 0:
        raise Unavailable("no engine answers `docker info`, and only root can start one")
    if not shutil.which("dockerd"):
        raise Unavailable("no engine answers, and there is no dockerd (script/bootstrap docker)")
    with tempfile.TemporaryDirectory(prefix="rawgate-docker-") as folder, _daemon(
        pathlib.Path(folder), cache / "data"
    ) as engine:
        yield engine


@contextlib.contextmanager
def _daemon(folder, data):
    data.mkdir(parents=True, exist_ok=True)
    address = f"unix://{folder}/docker.sock"
    log_path = folder / "log"
    with open(log_path, "wb") as log:
        daemon = subprocess.Popen(
            # It ends with us, whatever ends us.
            ["setpriv", "--pdeathsig", "TERM", "dockerd", "--host", address, "--data-root", data]
            + ["--exec-root", folder / "exec", "--pidfile", folder / "pid"]
            + _network_options(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        engine = Engine(address, build_options=["--network=host"])
        with contextlib.suppress(AssertionError):
            wait_until(lambda: daemon.poll() is not None or engine.answers(), "the engine's answer", START_TIMEOUT_S)
        if not engine.answers():
            raise Unavailable(f"dockerd does not start here:\n{_tail(log_path)}")
        # What a run that was killed has left in `data`, bridges included.
        for container in engine.docker("ps", "--all", "--quiet").stdout.split():
            engine.docker("rm", "--force", container)
        engine.docker("network", "prune", "--force")
        yield engine
    finally:
        daemon.terminate()
        daemon.wait()
        _unmount_below(folder)


def _network_options():
    """Nothing of the host's network is changed: builds use it as it is, and published ports go through the proxy."""
    options = ["--iptables=false", "--ip6tables=false", "--ip-forward=false"]
    # Without a default bridge dockerd deletes docker0, which then is somebody else's.
    return options if pathlib.Path("/sys/class/net/docker0").exists() else [*options, "--bridge=none"]


def _unmount_below(folder):
    """dockerd leaves the host's network namespace mounted where it kept its state."""
    mounted = [line.split()[1] for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()]
    for target in mounted:
        if pathlib.Path(target).is_relative_to(folder):
            subprocess.run(["umount", target], check=True)


def _tail(path, lines=12):
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def base_image(engine, cache):
    """The name of a Debian image to build on: the official one where it can be had, else one from debootstrap."""
    for name in (OFFICIAL_BASE, BOOTSTRAPPED_BASE):
        if engine.docker("image", "inspect", name, check=False).returncode == 0:
            return name
    if engine.docker("pull", OFFICIAL_BASE, check=False).returncode == 0:
        return OFFICIAL_BASE
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        raise Unavailable(f"{OFFICIAL_BASE} cannot be pulled, and debootstrap needs root")
    archive = cache / "base.tar"
    if not archive.exists():
        _bootstrap(archive)
    engine.docker("import", str(archive), BOOTSTRAPPED_BASE)
    return BOOTSTRAPPED_BASE


def _bootstrap(archive):
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rawgate-base-") as folder:
        root = pathlib.Path(folder) / "root"
        subprocess.run(
            ["debootstrap", "--variant=minbase", SUITE, root],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )
        _copy_apt_settings(root)
        partial = archive.with_suffix(".partial")
        subprocess.run(["tar", "-C", root, "-cf", partial, "."], check=True)
        partial.rename(archive)


def _copy_apt_settings(root):
    """A host behind a mirror or a proxy reaches Debian by its own settings only, and so do its containers."""
    apt = pathlib.Path("/etc/apt")
    for name in ("sources.list", "sources.list.d", "apt.conf.d"):
        source, target = apt / name, root / "etc/apt" / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.exists():
            shutil.copy(source, target)
        elif target.exists():
            target.unlink()
