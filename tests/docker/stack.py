"""docker-compose.yml, as it is, up in an engine."""

import json
import os

from tests.harness.deadlines import SCALE, wait_until
from tests.harness.ports import stable_port
from tests.harness.program import REPOSITORY

SERVICES = ("echo", "exec", "time", "file", "chat", "gateway")
TLS_SERVICES = tuple(f"{service}-tls" for service in SERVICES)
HEALTHY_WITHIN_S = 60 * SCALE

# (process, listener): port and the variable of docker-compose.yml that sets another.
PUBLISHED = {
    ("echo", "tcp"): (8080, "RAWGATE_ECHO_PORT"),
    ("echo", "udp"): (8080, "RAWGATE_ECHO_PORT"),
    ("exec", "raw"): (8082, "RAWGATE_EXEC_RAW_PORT"),
    ("exec", "sized"): (8083, "RAWGATE_EXEC_SIZED_PORT"),
    ("exec", "header"): (8084, "RAWGATE_EXEC_HEADER_PORT"),
    ("exec", "framed"): (8085, "RAWGATE_EXEC_FRAMED_PORT"),
    ("time", "udp"): (9000, "RAWGATE_TIME_PORT"),
    ("file", "tcp"): (8090, "RAWGATE_FILE_PORT"),
    ("chat", "udp"): (8081, "RAWGATE_CHAT_PORT"),
    ("gateway", "grpc"): (50051, "RAWGATE_GATEWAY_PORT"),
    ("gateway", "http"): (8088, "RAWGATE_GATEWAY_HTTP_PORT"),
}
# The same of the profiles.
FURTHER_PUBLISHED = {
    ("echo-tls", "tcp"): (8480, "RAWGATE_ECHO_TLS_PORT"),
    ("exec-tls", "raw"): (8482, "RAWGATE_EXEC_RAW_TLS_PORT"),
    ("exec-tls", "sized"): (8483, "RAWGATE_EXEC_SIZED_TLS_PORT"),
    ("exec-tls", "header"): (8484, "RAWGATE_EXEC_HEADER_TLS_PORT"),
    ("exec-tls", "framed"): (8485, "RAWGATE_EXEC_FRAMED_TLS_PORT"),
    ("file-tls", "tcp"): (8490, "RAWGATE_FILE_TLS_PORT"),
    ("gateway-tls", "grpc"): (50443, "RAWGATE_GATEWAY_TLS_PORT"),
    ("gateway-tls", "http"): (8443, "RAWGATE_GATEWAY_HTTP_TLS_PORT"),
    ("prometheus", "http"): (9090, "RAWGATE_PROMETHEUS_PORT"),
}


class ComposeStack:
    """One project of docker-compose.yml. In an engine of our own it is what `docker compose up` makes; in another it keeps
    out of the way by a name and ports of its own. `services` are those that have to be healthy, `up` those that are named
    to `up`, if any. Use as: unittest.enterModuleContext(ComposeStack(engine))."""

    def __init__(self, engine, services=SERVICES, profiles=(), up=()):
        self.engine = engine
        self.services = services
        self._profiles = [option for profile in profiles for option in ("--profile", profile)]
        self._up = up
        self._environment = {}
        self._project = "rawgate" if engine.own else f"rawgate-test-{os.getpid()}"
        self._published = {**PUBLISHED, **FURTHER_PUBLISHED}
        if not engine.own:
            self._environment.update({variable: str(stable_port()) for _, variable in self._published.values()})

    def __enter__(self):
        try:
            self.up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.compose("down", "--volumes", "--remove-orphans")

    def compose(self, *arguments, **options):
        return self.engine.compose("--file", str(REPOSITORY / "docker-compose.yml"), "--project-name", self._project,
                                   *self._profiles, *arguments, environment=self._environment, **options)

    def up(self):
        """`up -d`, and all services healthy."""
        result = self.compose("up", "-d", "--no-build", *self._up, check=False)
        if result.returncode != 0:
            raise AssertionError(f"{result.stdout}\n{self._report()}")
        self.await_health()

    def await_health(self):
        def healthy():
            states = self.states()
            return all(states.get(each) == "healthy" for each in self.services)

        try:
            wait_until(healthy, "the health of every container", HEALTHY_WITHIN_S)
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{self._report()}") from None

    def _report(self):
        return f"{self.states()}\n{self.compose('logs', '--tail=40', check=False).stdout}"

    def states(self):
        """What each service's container is: healthy, unhealthy, starting, or, where it does not run, exited and the like."""
        return {name: state_of(container) for name, container in self.containers().items()}

    def containers(self):
        """What `docker inspect` says of each service's container, those that do not run included."""
        found = self.engine.docker("ps", "--all", "--quiet", "--no-trunc",
                                   "--filter", f"label=com.docker.compose.project={self._project}").stdout.split()
        described = json.loads(self.engine.docker("inspect", *found).stdout) if found else []
        return {each["Config"]["Labels"]["com.docker.compose.service"]: each for each in described}

    def container(self, service):
        return self.containers()[service]

    def volume(self, service):
        """Where the volume of a service is on this machine, for root."""
        return next(mount["Source"] for mount in self.container(service)["Mounts"] if mount["Type"] == "volume")

    def host_pid(self, service):
        """The process of a service's container, as this machine counts."""
        return self.engine.host_pid(self.container(service)["State"]["Pid"])

    def address(self, service, listener):
        """Where a listener is published, as socket.connect() wants it."""
        port, variable = self._published[service, listener]
        return "127.0.0.1", int(self._environment.get(variable, port))

    @property
    def gateway_target(self):
        return "{}:{}".format(*self.address("gateway", "grpc"))


def state_of(container):
    state = container["State"]
    return state["Health"]["Status"] if state["Running"] and "Health" in state else state["Status"]
