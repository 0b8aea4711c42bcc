"""The image by itself: small, nobody's root, and each of its programs at home in a container that may do nothing."""

import contextlib
import json
import re
import unittest

from tests.docker import engine as engines
from tests.docker.stack import SERVICES, state_of
from tests.harness.deadlines import wait_until
from tests.harness.program import REPOSITORY
from tests.harness.stack import LISTENERS

LARGEST = 120_000_000
# Nothing may be written but what is mounted, and root is nobody.
CONFINED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--network=none")

engine = None


def setUpModule():
    global engine
    engine = engines.engine_or_skip()


def run(*words, options=()):
    """What a command of the image prints, which must succeed, confined."""
    return engine.docker("run", "--rm", *CONFINED, *options, engines.IMAGE, *words).stdout


class ContentsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = json.loads(engine.docker("image", "inspect", engines.IMAGE).stdout)[0]

    def test_size(self):
        print(f"image: {self.image['Size'] / 1e6:.1f} MB", flush=True)
        self.assertLess(self.image["Size"], LARGEST)

    def test_user_is_a_number_and_not_root(self):
        """Kubernetes' runAsNonRoot looks at nothing else."""
        self.assertRegex(self.image["Config"]["User"], r"^[1-9][0-9]*(:[1-9][0-9]*)?$")
        self.assertEqual(run("id", "-u").split(), [self.image["Config"]["User"].partition(":")[0]])

    def test_what_engines_and_registries_read(self):
        config = self.image["Config"]
        self.assertEqual(config["StopSignal"], "SIGTERM")
        self.assertTrue(config["Healthcheck"]["Test"])
        for label in ("title", "description", "licenses", "version", "revision"):
            self.assertTrue(config["Labels"].get(f"org.opencontainers.image.{label}"), label)

    def test_the_version_is_the_projects(self):
        version = re.search(r"(?m)^project\(rawgate VERSION (\S+)", (REPOSITORY / "CMakeLists.txt").read_text()).group(1)
        self.assertEqual(self.image["Config"]["Labels"]["org.opencontainers.image.version"], version)

    def test_no_program_makes_anybody_another_user(self):
        setuid = 'find / -xdev -type f -perm "$0" 2>/dev/null | wc -l'
        self.assertEqual(run("sh", "-c", setuid, "/6000").strip(), "0")
        self.assertNotEqual(run("sh", "-c", setuid, "/0111").strip(), "0")

    def test_no_compiler_and_no_package_lists(self):
        found = run("sh", "-c", "command -v cc c++ gcc g++ clang ld as cmake ninja make python3;"
                    " find /var/lib/apt/lists /var/cache/apt /usr/include -type f; true")
        self.assertEqual(found, "")

    def test_every_library_that_a_program_loads_is_there(self):
        for name in ("rawgate", *(f"rawgate-{service}" for service in SERVICES)):
            with self.subTest(name):
                libraries = run("ldd", f"/usr/local/bin/{name}")
                self.assertIn("libc.so", libraries)
                self.assertNotIn("not found", libraries)

    def test_nothing_belongs_to_the_processes_but_their_state(self):
        # Some folders are root's alone, and have nothing of theirs.
        found = run("sh", "-c", "find / -xdev -user 10001 -not -path '/proc/*' 2>/dev/null; true").split()
        state = ("/var/lib/rawgate", "/run/rawgate", "/etc/rawgate/tls")
        self.assertLessEqual(set(state), set(found), "it does not find what is there")
        self.assertEqual([path for path in found if not path.startswith(state)], [])


class ConfinedTest(unittest.TestCase):
    """`docker run --read-only --cap-drop ALL` for each program, with a writable state folder and /tmp."""

    @contextlib.contextmanager
    def started(self, service):
        # Containers have no IPv6, where programs listen as well unless told otherwise.
        v4 = ",".join(each for each in LISTENERS.get(service, ["grpc=tcp://127.0.0.1:50051"]) if "127.0.0.1" in each)
        identity = engine.docker("run", "--detach", *CONFINED, "--tmpfs=/tmp", "--volume=/var/lib/rawgate",
                                 f"--env=RAWGATE_LISTEN={v4}", engines.IMAGE, f"rawgate-{service}").stdout.split()[-1]
        try:
            yield lambda: json.loads(engine.docker("inspect", identity).stdout)[0]
        finally:
            engine.docker("rm", "--force", "--volumes", identity)

    def test_command_line(self):
        self.assertIn("rawgate", run("rawgate", "--help"))

    def test_every_process_is_healthy_and_ends_by_itself(self):
        for service in SERVICES:
            with self.subTest(service), self.started(service) as inspect:
                def known():
                    return state_of(inspect()) != "starting"

                wait_until(known, "a word about its health")
                container = inspect()
                logs = engine.docker("logs", container["Id"]).stdout
                self.assertEqual(state_of(container), "healthy", f"{container['State']}\n{logs}")
                engine.docker("stop", container["Id"])
                self.assertEqual((state_of(inspect()), inspect()["State"]["ExitCode"]), ("exited", 0))


if __name__ == "__main__":
    unittest.main()
