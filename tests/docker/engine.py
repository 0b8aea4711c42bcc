"""A Docker engine to test with: one of our own where root can start it, else the one that answers `docker info`.

In a test module:

    def setUpModule():
        global engine
        engine = engines.engine_or_skip()      # until the module ends; with the images in it
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
import unittest

from tests.docker import daemon as daemons
from tests.docker.daemon import Unavailable
from tests.harness.durability import skip_module
from tests.harness.program import REPOSITORY

# What is kept from run to run: layers of builds, the base image, the images that were built last.
CACHE = pathlib.Path(os.environ.get("RAWGATE_DOCKER_CACHE", REPOSITORY / "build/release/tests/docker"))
COMMAND_TIMEOUT_S = 600
# As docker-compose.yml calls them.
IMAGE = "rawgate"
IMAGES = (IMAGE, f"{IMAGE}:tls", "rawgate-prometheus")
ARCHIVE = CACHE / "images.tar"


class Engine:
    """Runs docker and compose against one engine. `own` tells whether it is ours alone; one to run containers with then is
    in a network of its own, as is the thread that asked for it. Only there are the default ports ours, and processes of
    containers within reach of kill()."""

    def __init__(self, daemon=None):
        self.own = daemon is not None
        self._daemon = daemon
        # Variables of ours are settings of docker-compose.yml as well.
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("RAWGATE_", "COMPOSE_"))}
        if daemon:
            self.environment["DOCKER_HOST"] = daemon.address
            # Every version of the client has this builder, and its layers stay in the cache.
            self.environment["DOCKER_BUILDKIT"] = "0"

    def answers(self):
        return bool(shutil.which("docker")) and self.docker("info", check=False, timeout=30).returncode == 0

    def docker(self, *arguments, **options):
        """Runs `docker ...`; the result has all output as text. Options are those of run()."""
        return self.run(["docker", *arguments], **options)

    def compose(self, *arguments, **options):
        """The same for `docker compose ...`, or `docker-compose ...` where that is what there is."""
        return self.run([*self._compose_command(), *arguments], **options)

    def has_compose(self):
        return shutil.which("docker-compose") or self.docker("compose", "version", check=False).returncode == 0

    def _compose_command(self):
        return ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]

    def kill(self, pid):
        """SIGKILL from outside to a process of a container, by the id that `docker inspect` tells."""
        self._daemon.kill(pid)

    def host_pid(self, pid):
        """What this machine calls a process that the engine calls `pid`."""
        return self._daemon.host_pid(pid)

    def run(self, command, check=True, environment=None, timeout=COMMAND_TIMEOUT_S):
        """Runs a command to its end, with standard error among its output; failure raises with all of that, unless
        check=False."""
        result = subprocess.run(command, env={**self.environment, **(environment or {})}, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout, check=False)
        if check and result.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))}: status {result.returncode}\n{result.stdout}")
        return result


@contextlib.contextmanager
def building():
    """Yields the Engine to build the image with."""
    with _engine(daemons.for_builds, CACHE / "build") as engine:
        yield engine


@contextlib.contextmanager
def running():
    """Yields the Engine to run containers with."""
    with _engine(daemons.for_runs, CACHE / "run") as engine:
        yield engine


@contextlib.contextmanager
def _engine(start, data):
    obstacle = daemons.obstacle()
    with contextlib.ExitStack() as stack:
        engine = Engine(None if obstacle else stack.enter_context(start(data)))
        if obstacle and not engine.answers():
            raise Unavailable(f"no engine answers `docker info`, and none can be started: {obstacle}")
        if not engine.has_compose():
            raise Unavailable("neither `docker-compose` nor `docker compose` is installed")
        yield engine


def engine_or_skip():
    """For setUpModule(): an Engine that has IMAGES, until the module ends; skips the module aloud if there is none."""
    try:
        engine = unittest.enterModuleContext(running())
        if engine.own and ARCHIVE.exists():
            engine.docker("load", "--input", str(ARCHIVE))
        if engine.docker("image", "inspect", *IMAGES, check=False).returncode != 0:
            raise Unavailable("there are no images yet: python3 -m tests.docker.image")
        return engine
    except Unavailable as reason:
        return skip_module(reason)
