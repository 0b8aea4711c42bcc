"""The Debian packages of deploy/debian: what is in them, and what installing, removing and purging them does to a Debian."""

import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile
import unittest

from tests.deploy.debian_root import INSTALL_S, copy_or_skip, packages, require_debootstrap, without_services
from tests.harness.deadlines import PATIENCE
from tests.harness.program import REPOSITORY

SERVICES = ("echo", "exec", "time", "file", "chat", "gateway")
USERS = ("rawgate-chat", "rawgate-exec", "rawgate-file")
# Documents for who has the sources.
ELSEWHERE = ("CONTRIBUTING.md", "clients/", "deploy/", "examples/", "tests/")
CONFFILES = ("etc/default/rawgate", "etc/rawgate/exec-policy.textproto")


def setUpModule():
    require_debootstrap()


def output_of(*command, timeout=PATIENCE):
    result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            timeout=timeout, check=False)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: status {result.returncode}\n{result.stdout}")
    return result.stdout


class ContentTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.packages = packages()

    def field(self, package, name):
        return output_of("dpkg-deb", "--field", self.packages[package], name).strip()

    def listing(self, package):
        """Path: (mode and type as `ls` shows them, owner) of all that is in it."""
        lines = [line.split(None, 5) for line in output_of("dpkg-deb", "--contents", self.packages[package]).splitlines()]
        return {line[5].split(" -> ")[0][2:]: (line[0], line[1]) for line in lines}

    def test_there_are_two(self):
        self.assertEqual(set(self.packages), {"rawgate", "rawgate-server"})

    def test_version_is_that_of_cmake(self):
        version = re.search(r"project\(rawgate VERSION (\S+)", (REPOSITORY / "CMakeLists.txt").read_text()).group(1)
        for package in self.packages:
            self.assertEqual(self.field(package, "Version"), version)

    def test_lintian_finds_nothing(self):
        [changes] = self.packages["rawgate"].parent.glob("*.changes")
        said = output_of("lintian", "--allow-root", "--fail-on", "error,warning", changes, timeout=INSTALL_S)
        self.assertNotRegex(said, r"(?m)^[EW]: ")

    def test_programs(self):
        server = self.listing("rawgate-server")
        for name in SERVICES:
            self.assertIn(f"usr/bin/rawgate-{name}", server)
            self.assertIn(f"lib/systemd/system/rawgate-{name}.service", server)
            self.assertIn(f"usr/share/man/man8/rawgate-{name}.8.gz", server)
        for name in ("rawgate-exec", "rawgate-exec-launcher", "rawgate-exec-inner"):
            self.assertIn(f"usr/libexec/rawgate/{name}", server)
        client = self.listing("rawgate")
        for path in ("bin/rawgate", "share/man/man1/rawgate.1.gz", "share/man/man1/rawgate-context-add.1.gz",
                     "share/bash-completion/completions/rawgate", "share/zsh/vendor-completions/_rawgate",
                     "share/fish/vendor_completions.d/rawgate.fish", "share/rawgate/protos/rawgate/echo/v1/echo_service.proto"):
            self.assertIn(f"usr/{path}", client)

    def test_everything_is_roots_and_nobody_elses_to_write(self):
        for package in self.packages:
            for path, (mode, owner) in self.listing(package).items():
                self.assertEqual(owner, "root/root", path)
                self.assertTrue(mode[0] == "l" or (mode[5] == mode[8] == "-"), f"{mode} {path}")
                self.assertNotIn("s", mode, path)

    def test_documents_have_the_documents_that_they_link_to(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        output_of("dpkg-deb", "--extract", self.packages["rawgate"], folder)
        root = folder / "usr/share/doc/rawgate"
        for name in ("README.md", "README.zh-CN.md", "docs/services/exec.md", "services/exec/PROTOCOL.md", "docs/adr/0007-launchers.md"):
            self.assertTrue((root / name).is_file(), name)
        for document in root.rglob("*.md"):
            for target in re.findall(r"\]\(([^)#:\s]+\.md)(?:#[^)]*)?\)", document.read_text()):
                linked = os.path.relpath(document.parent / target, root)
                if not linked.startswith(ELSEWHERE):
                    self.assertTrue((root / linked).is_file(), f"{document.relative_to(root)} links to {linked}")

    def test_settings_are_conffiles(self):
        folder = output_of("dpkg-deb", "--info", self.packages["rawgate-server"], "conffiles").split()
        self.assertCountEqual(folder, [f"/{path}" for path in CONFFILES])

    def test_libraries_are_dependencies(self):
        depends = self.field("rawgate-server", "Depends")
        for library in ("libgrpc++", "libabsl", "libssl3", "libsqlite3-0", "systemd"):
            self.assertIn(library, depends)


class LifeTest(unittest.TestCase):
    """In a root where nothing can be started."""

    def setUp(self):
        self.root = self.enterContext(copy_or_skip())
        self.enterContext(without_services(self.root))
        self.before = self.files()

    def files(self):
        """All paths but those of apt's, dpkg's and systemd's own books."""
        books = re.compile(r"var/(lib/(dpkg|apt|systemd/deb-systemd)|cache|log|backups)|tmp|srv|run|etc/g?(passwd|group|shadow)-?$")
        paths = (str(path.relative_to(self.root)) for path in self.root.rglob("*"))
        return {path for path in paths if not books.match(path)}

    def apt(self, *words):
        apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "--no-install-recommends"]
        return output_of("chroot", self.root, *apt, *words, timeout=INSTALL_S)

    def install(self):
        for package in packages().values():
            shutil.copy(package, self.root / "srv")
        return self.apt("install", *(f"/srv/{package.name}" for package in packages().values()))

    def names_in(self, file):
        return {line.split(":")[0] for line in (self.root / "etc" / file).read_text().splitlines()}

    def enabled(self):
        links = (self.root / "etc/systemd/system").rglob("rawgate*")
        return {link.name for link in links if link.is_symlink()}

    def test_installed_and_removed_and_purged(self):
        self.install()
        self.assertLessEqual(set(USERS), self.names_in("passwd"))
        self.assertIn("rawgate", self.names_in("group"))
        everything = {f"rawgate-{name}.service" for name in SERVICES if name != "exec"}
        everything |= {f"rawgate-{name}.socket" for name in ("echo", "time", "file", "chat")} | {"rawgate.target"}
        self.assertEqual(self.enabled(), everything)
        output_of("chroot", self.root, "rawgate", "--version")
        output_of("chroot", self.root, "rawgate-exec", "--help")

        policy = self.root / CONFFILES[1]
        policy.write_text(policy.read_text() + "# Ours.\n")
        self.apt("remove", "rawgate", "rawgate-server")
        left = self.files() - self.before
        self.assertLessEqual(set(CONFFILES), left)
        self.assertIn("# Ours.", policy.read_text())
        # Whatever else is left is a folder or a link that has to do with these two.
        self.assertEqual([path for path in left if "bin/" in path or "libexec" in path or "lib/systemd" in path], [])

        self.apt("purge", "rawgate", "rawgate-server")
        self.assertEqual(self.files() - self.before, set())
        self.assertEqual(self.before - self.files(), set())
        # Users stay: their numbers may be on files somewhere.
        self.assertLessEqual(set(USERS), self.names_in("passwd"))

    def test_purging_leaves_what_users_have_stored(self):
        self.install()
        stored = self.root / "var/lib/rawgate/files/precious.txt"
        stored.parent.mkdir(parents=True)
        stored.write_text("precious")
        (self.root / "var/lib/rawgate/chat").mkdir()
        said = self.apt("purge", "rawgate-server")
        self.assertIn("left in /var/lib/rawgate", said)
        self.assertEqual(stored.read_text(), "precious")
        self.assertFalse((self.root / "var/lib/rawgate/chat").exists())

    def test_purging_after_an_administrator_has_cleared_up(self):
        self.install()
        (self.root / "var/lib/rawgate").mkdir()
        self.apt("purge", "rawgate-server")
        self.assertFalse((self.root / "var/lib/rawgate").exists())

    def test_purging_leaves_what_is_no_folder(self):
        self.install()
        moved = self.root / "srv/moved"
        moved.mkdir()
        state = self.root / "var/lib/rawgate"
        state.mkdir()
        (state / "files").symlink_to("/srv/moved")
        (state / "chat").write_text("moved elsewhere")
        (state / "note").write_text("why")
        self.assertIn("left in /var/lib/rawgate", self.apt("purge", "rawgate-server"))
        self.assertEqual({path.name for path in state.iterdir()}, {"files", "chat", "note"})
        self.assertTrue(moved.is_dir())

    def test_users_cannot_log_in(self):
        self.install()
        for line in (self.root / "etc/passwd").read_text().splitlines():
            name, _, uid, _, _, _, shell = line.split(":")
            if name in USERS:
                self.assertEqual(shell, "/usr/sbin/nologin", name)
                self.assertTrue(0 < int(uid) < 1000, line)
        self.assertEqual(stat.S_IMODE((self.root / CONFFILES[1]).stat().st_mode), 0o644)


if __name__ == "__main__":
    unittest.main()
