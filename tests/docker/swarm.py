"""deploy/swarm/stack.yml on a swarm of one machine."""

import json
import pathlib
import subprocess
import tempfile

from tests.harness.deadlines import SCALE, wait_until
from tests.harness.program import BIN_DIR, REPOSITORY, clean_environment
from tests.harness.tls_folder import init_tls

STACK_FILE = REPOSITORY / "deploy/swarm/stack.yml"
# Of the stack; its services are NAME_echo and so on.
NAME = "rawgate"
# A task has to be started, to be found healthy, and in an update to wait for those before it, one by one.
SETTLED_WITHIN_S = 180 * SCALE
SERVICES = ("echo", "exec", "time", "file", "chat")
# Each look is a run of `docker`, which takes processors from what is waited for.
POLL_S = 0.2
PUBLISHED = "127.0.0.1:50051"


class Swarm:
    """The stack, deployed, with so many replicas of each service. Makes a swarm of the engine's machine for it, which ends with
    it. Use as: unittest.enterModuleContext(Swarm(engine, image, {"echo": 3, ...}))."""

    def __init__(self, engine, image, replicas):
        self.engine = engine
        self.image = image
        self.replicas = replicas
        self._folder = tempfile.TemporaryDirectory(prefix="rawgate-swarm-")
        # Made by `rawgate init-tls`.
        self.tls = pathlib.Path(self._folder.name) / "tls"

    def __enter__(self):
        # No other machine can join.
        self.engine.docker("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1:2377")
        try:
            node = self.engine.docker("node", "ls", "--quiet").stdout.strip()
            self.engine.docker("node", "update", "--label-add", "rawgate-files=true", "--label-add", "rawgate-chat=true", node)
            init_tls(self.tls, "--host", "gateway", *(word for name in SERVICES for word in ("--service", name)))
            self._deploy()
            # Which the others are asked for through.
            for name in ("gateway", *self.replicas):
                self.await_replicas(name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _deploy(self):
        numbers = {f"RAWGATE_{name.upper()}_REPLICAS": str(number) for name, number in self.replicas.items()}
        self.engine.docker("stack", "deploy", "--resolve-image", "never", "--compose-file", str(STACK_FILE), NAME,
                           environment={"RAWGATE_IMAGE": self.image, "RAWGATE_TLS": str(self.tls), **numbers})

    def __exit__(self, *_):
        self.engine.docker("stack", "rm", NAME)
        for kind, all_of_them in (("container", ["--all"]), ("network", []), ("secret", []), ("config", [])):
            filters = ["--filter", f"label=com.docker.stack.namespace={NAME}", *all_of_them]
            wait_until(lambda: not self.engine.docker(kind, "ls", "--quiet", *filters).stdout.split(), f"no more {kind}s")
        self.engine.docker("swarm", "leave", "--force")
        self._folder.cleanup()

    # ---- What is there

    def service(self, name):
        """What `docker service inspect` tells."""
        return json.loads(self.engine.docker("service", "inspect", f"{NAME}_{name}").stdout)[0]

    def network(self, name):
        """What `docker network inspect` tells."""
        return json.loads(self.engine.docker("network", "inspect", f"{NAME}_{name}").stdout)[0]

    def containers(self, name):
        """What `docker inspect` tells of those that run for a service."""
        label = f"label=com.docker.swarm.service.name={NAME}_{name}"
        ids = self.engine.docker("ps", "--quiet", "--no-trunc", "--filter", label).stdout.split()
        # One may be gone meanwhile, of which Docker tells behind what it has of the others.
        return json.JSONDecoder().raw_decode(self.engine.docker("inspect", *ids, check=False).stdout)[0] if ids else []

    def rows(self, name):
        """What the gateway tells of a service's processes: by instance, those that run."""
        listing = json.loads(self.cli("ps", "--json"))
        return {row["instance"]: row for row in listing["services"]
                if row["name"] == name and row["state"] == "SERVICE_STATE_RUNNING"}

    def container_of(self, name, instance):
        """By the address at which the gateway knows it."""
        address = self.rows(name)[instance]["address"].split(":")[1]
        return next(each for each in self.containers(name)
                    if address in (network["IPAddress"] for network in each["NetworkSettings"]["Networks"].values()))

    def cli(self, *words):
        """What `rawgate WORDS` prints, as the user admin."""
        result = subprocess.run(
            [BIN_DIR / "rawgate", "--gateway", PUBLISHED, "--tls-ca", self.tls / "ca.pem", "--token-file", self.tls / "token",
             *words],
            capture_output=True, text=True, env=clean_environment(), stdin=subprocess.DEVNULL, timeout=SETTLED_WITHIN_S,
            check=False)
        if result.returncode != 0:
            raise RuntimeError(f"rawgate {' '.join(words)}: status {result.returncode}\n{result.stderr}")
        return result.stdout

    # ---- Waiting

    def await_replicas(self, name, number=None):
        """So many of a service, or as many as it was deployed with, are healthy, and no more are left; the gateway knows these and
        no others."""
        wanted = number or self.replicas[name]
        self.await_healthy(name, wanted)
        if name != "gateway":
            self._wait(lambda: len(self.rows(name)) == wanted, f"{wanted} of {name} at the gateway", name)

    def await_healthy(self, name, number):
        """So many of a service are healthy, and no others are left."""
        self._wait(lambda: [health_of(each) for each in self.containers(name)] == ["healthy"] * number,
                   f"{number} healthy processes of {name}", name)

    def await_running(self, name, number):
        """The same where health is not asked for."""
        self._wait(lambda: len(self.containers(name)) == number, f"{number} processes of {name}", name)

    def await_update(self, name):
        """The update that `docker service update` has begun is through, and was not taken back."""
        def completed():
            # None until it has begun, whatever became of the one before.
            state = self.service(name).get("UpdateStatus", {}).get("State")
            if state not in (None, "updating", "completed"):
                raise AssertionError(f"the update of {name} is {state}\n{self.tasks(name)}")
            return state == "completed"

        self._wait(completed, f"the end of the update of {name}", name)

    def _wait(self, condition, what, name):
        try:
            wait_until(condition, what, SETTLED_WITHIN_S, interval=POLL_S)
        except AssertionError as failure:
            logs = self.engine.docker("service", "logs", "--tail", "20", f"{NAME}_{name}", check=False).stdout
            raise AssertionError(f"{failure}\n{self.tasks(name)}\n{logs}") from None

    def tasks(self, name):
        return self.engine.docker("service", "ps", "--no-trunc", f"{NAME}_{name}", check=False).stdout

    # ---- Change

    def update(self, name, *options):
        """Begins an update; see await_update()."""
        self.engine.docker("service", "update", "--detach", "--quiet", *options, f"{NAME}_{name}")

    def scale(self, name, number):
        self.engine.docker("service", "scale", "--detach", f"{NAME}_{name}={number}")


def health_of(container):
    return container["State"].get("Health", {}).get("Status")
