"""The image that the Dockerfile builds on: the official one where it can be pulled, else what debootstrap makes, under the
same name."""

import pathlib
import re
import shutil
import subprocess
import tempfile

from tests.docker.daemon import Unavailable

SUITE = "bookworm"
IMAGE = f"debian:{SUITE}-slim"
# A registry that cannot be reached need not say so soon.
PULL_TIMEOUT_S = 60
# Settings of apt that say how Debian is reached.
REACHING = re.compile(r"Acquire::(https?|Retries|Check-Valid-Until|Check-Date|ForceIPv[46])\b.* \"")


def ensure(engine, cache):
    """Sees to it that the engine has IMAGE. What debootstrap makes is kept in the folder `cache`."""
    if engine.docker("image", "inspect", IMAGE, check=False).returncode == 0 or _pull(engine):
        return
    if not engine.own or not shutil.which("debootstrap"):
        raise Unavailable(f"{IMAGE} cannot be pulled, and making it takes root and debootstrap (script/bootstrap docker)")
    archive = cache / "base.tar"
    if not archive.exists():
        _bootstrap(archive)
    engine.docker("import", str(archive), IMAGE)


def _pull(engine):
    try:
        return engine.docker("pull", "--quiet", IMAGE, check=False, timeout=PULL_TIMEOUT_S).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _bootstrap(archive):
    sources = _sources()
    # Without one debootstrap knows where Debian is.
    mirror = [uri for uri, suite, _ in sources if suite == SUITE][:1]
    with tempfile.TemporaryDirectory(prefix="rawgate-base-") as folder:
        root = pathlib.Path(folder) / "root"
        result = subprocess.run(["debootstrap", "--variant=minbase", SUITE, root, *mirror], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, check=False)
        if result.returncode != 0:
            raise Unavailable(f"debootstrap failed:\n{result.stdout[-2000:]}")
        _copy_apt_settings(root / "etc/apt", sources)
        partial = archive.with_suffix(".partial")
        # The official image, too, is without what apt has fetched.
        unwanted = ["--exclude=./var/cache/apt/*", "--exclude=./var/lib/apt/lists/*"]
        subprocess.run(["tar", "-C", root, *unwanted, "-cf", partial, "."], check=True)
        partial.rename(archive)


def _sources():
    """(URI, suite, component) of all that the host gets from Debian, as apt knows it."""
    lines = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages", "Origin: Debian"],
        stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    return sorted({tuple(line.split()) for line in lines})


def _copy_apt_settings(apt, sources):
    """A host behind a mirror or a proxy reaches Debian by its own settings only, and so do its containers."""
    if sources:
        lines = "".join(f"deb {uri} {suite} {component}\n" for uri, suite, component in sources)
        (apt / "sources.list").write_text(lines)
    settings = subprocess.run(["apt-config", "dump"], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    (apt / "apt.conf.d/90host").write_text("".join(f"{line}\n" for line in settings if REACHING.match(line)))
