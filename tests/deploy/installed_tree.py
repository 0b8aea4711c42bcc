"""A folder that `cmake --install` filled with the programs of this build, and systemd's own units beside ours."""

import os
import pathlib
import re
import shutil
import subprocess

from tests.harness.deadlines import PATIENCE
from tests.harness.durability import skip_module
from tests.harness.program import BIN_DIR

HOST_UNITS = pathlib.Path("/lib/systemd/system")


def require_systemd():
    """For setUpModule(): its tools, which need no systemd that runs."""
    if not shutil.which("systemd-analyze") or not HOST_UNITS.is_dir():
        skip_module("systemd's tools are not installed")


class InstalledTree:
    """`root` is as `/` will be on a machine with rawgate in `prefix`."""

    def __init__(self, root, prefix="/usr"):
        self.root = pathlib.Path(root)
        self.units = self.root / prefix.lstrip("/") / "lib/systemd/system"
        command = ["cmake", "--install", str(pathlib.Path(BIN_DIR).parent), "--prefix", prefix]
        subprocess.run(command, env={**os.environ, "DESTDIR": str(root)}, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)
        self._add_what_units_refer_to()

    def _add_what_units_refer_to(self):
        ours = self.root / "usr/lib/systemd/system"
        ours.mkdir(parents=True, exist_ok=True)
        for unit in [*HOST_UNITS.glob("*.target"), *HOST_UNITS.glob("*.slice"), *HOST_UNITS.glob("*.mount")]:
            shutil.copy(unit, ours, follow_symlinks=True)
        # Of ExecReload=.
        (self.root / "bin").mkdir(exist_ok=True)
        shutil.copy("/bin/kill", self.root / "bin")

    def unit_names(self, *suffixes):
        return sorted(path.name for path in self.units.iterdir() if path.is_file() and path.suffix in suffixes)

    def analyze(self, verb, *arguments):
        """What systemd-analyze says, all of it, and with which status."""
        result = subprocess.run(
            ["systemd-analyze", verb, f"--root={self.root}", "--no-pager", *arguments],
            env={**os.environ, "SYSTEMD_LOG_LEVEL": "notice", "LC_ALL": "C.UTF-8"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, check=False)
        return result.returncode, result.stdout

    def exposure(self, service):
        """systemd's measure of what a service could do to the machine: 0 nothing, 10 everything."""
        _, said = self.analyze("security", "--offline=yes", service)
        return float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", said).group(1))


def settings(path):
    """(key, value) of every assignment of a unit or a drop-in, in order."""
    lines = path.read_text().splitlines()
    return [tuple(line.split("=", 1)) for line in lines if line and line[0] not in "#;[" and "=" in line]


def values(path, *keys):
    return [value for key, value in settings(path) if key in keys]
