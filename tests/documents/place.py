"""Where documents are read: a folder like the repository's in which `script/up -d` has been run, with six processes on ports
of their own. What a document says of ports, folders and hosts becomes what they are here."""

import os
import re
import shutil

from tests.documents import shells
from tests.harness.deadlines import wait_until
from tests.harness.ports import stable_port
from tests.harness.program import BIN_DIR, REPOSITORY, clean_environment
from tests.harness.stack import HTTP, LISTENERS, Stack

# Ports of raw listeners, by service and role, as documents have them.
RAW_PORTS = {
    "echo": {"tcp": 8080, "udp": 8080},
    "exec": {"raw": 8082, "sized": 8083, "header": 8084, "framed": 8085},
    "time": {"udp": 9000},
    "file": {"tcp": 8090},
    "chat": {"udp": 8081},
}
GRPC_PORT, HTTP_PORT, FIRST_RPC_PORT, FIRST_SERVICE_HTTP_PORT = 50051, 8088, 50061, 50071
FAR_HOST = "lab.example"
# What commands name or read.
FOLDERS, FILES = ("clients", "docs", "examples", "protos", "script"), ("README.md",)
# What an administrator has elsewhere than below the repository, and where it is here.
ELSEWHERE = {"/etc/rawgate": "etc/rawgate", "/backup": "backup", "/var/lib/rawgate": ".rawgate"}
# Ports that documents have for what the reader starts besides.
SPARE_PORTS = (8180, 8190)
UNCOPIED = shutil.ignore_patterns("node_modules", "__pycache__", "build")


class Place:
    def __init__(self):
        self.stack = Stack(stable_ports=True)
        self.front = None
        self.home = self.stack.directory / "home"
        self.state = self.home / ".rawgate"
        for name in ("run", "files", "log"):
            (self.state / name).mkdir(parents=True)
        self.ports = {port: stable_port() for port in SPARE_PORTS}
        self._start_services()
        self._copy_repository()
        self.environment = clean_environment(
            HOME=str(self.home), PATH=f"{BIN_DIR.resolve()}:{os.environ['PATH']}", COLUMNS="80", PYTHONDONTWRITEBYTECODE="1",
            RAWGATE_GATEWAY=self.stack.gateway_target, RAWGATE_CONFIG=str(self.home / ".config/rawgate/config.json"))
        self.shell = shells.shell(self.home, self.environment)
        self._python = None
        self.await_health(f"http://127.0.0.1:{self.ports[HTTP_PORT]}")

    def close(self):
        self.shell.close()
        if self._python:
            self._python.close()
        if self.front:
            self.front.stop()
        self.stack.stop()

    def run(self, language, text):
        """Exit code and output of a command as the document has it."""
        if language == "sh":
            return self.shell.run(self.here(text))
        if self._python is None:
            self._python = shells.python(self.home, self.environment)
        return self._python.run(self.here(text))

    def _start_services(self):
        """What listens at one well-known port, be it over TCP, UDP or IPv6, gets one port here, too."""
        for number, (service, usual) in enumerate(LISTENERS.items()):
            listeners = []
            for entry in usual:
                role, _, address = entry.partition("=")
                well_known = RAW_PORTS[service][role]
                if well_known not in self.ports:
                    self.ports[well_known] = stable_port()
                listeners.append(f"{entry.removesuffix('0')}{self.ports[well_known]}")
                if address.startswith("tcp://127."):
                    socket = service if len(RAW_PORTS[service]) < 3 else f"{service}-{role}"
                    listeners.append(f"{role}=unix://{self.state}/run/{socket}.sock")
            flags = {"time": ["--test_clock"], "file": [f"--root={self.state}/files"],
                     "chat": [f"--history={self.state}/chat"]}.get(service, [])
            program = self.stack.start_service(service, HTTP, "--allow_faults", *flags, listeners=listeners)
            self.ports[FIRST_RPC_PORT + number] = int(program.rpc_target.rpartition(":")[2])
            self.ports[FIRST_SERVICE_HTTP_PORT + number] = program.address("http")[1]
            (self.state / f"run/{service}.pid").write_text(f"{program.pid} 0 0\n")
        gateway = self.stack.start_gateway(HTTP)
        self.ports.update({HTTP_PORT: gateway.address("http")[1], GRPC_PORT: gateway.address("grpc")[1]})

    def _copy_repository(self):
        """Examples have the ports of documents, so their copies are changed in the same way."""
        for name in FOLDERS:
            if (REPOSITORY / name).exists():
                shutil.copytree(REPOSITORY / name, self.home / name, ignore=UNCOPIED)
        for name in FILES:
            shutil.copy(REPOSITORY / name, self.home)
        for folder in ("clients", "examples"):
            for file in filter(os.path.isfile, (self.home / folder).rglob("*")):
                file.write_bytes(self._with_ports(file.read_bytes().decode(errors="surrogateescape")).encode(
                    errors="surrogateescape"))
        (self.home / "build/release").mkdir(parents=True)
        (self.home / "build/release/bin").symlink_to(BIN_DIR.resolve())
        for folder in ELSEWHERE.values():
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        # Which a person at a terminal would not see in between either.
        (self.home / ".curlrc").write_text("no-progress-meter\n")

    def await_health(self, gateway):
        """As script/up does: until the gateway reaches every service."""
        wait_until(lambda: '"ready":true' in self.shell.run(f"curl --insecure {gateway}/readyz")[1], "the services")

    def start_front(self):
        """The gateway of the chapter about other machines, once `init-tls` has made what it takes."""
        made = self.home / "rawgate-tls"
        if self.front or not made.exists():
            return
        self.front = Stack()
        self.front.start_gateway(
            HTTP, f"--tls_certificate={made}/server.pem", f"--tls_key={made}/server-key.pem",
            f"--tls_client_ca={made}/ca.pem", f"--access_file={made}/access.textproto",
            backends={name: self.stack.programs[name].rpc_target for name in LISTENERS})
        self.await_health(f"https://localhost:{self.front.http('gateway')[1]}")

    def _with_ports(self, text):
        return re.sub(r"(?<![\w.])\d{4,5}\b", lambda match: str(self.ports.get(int(match[0]), match[0])), text)

    def here(self, text):
        """The text with ports, folders and hosts of this place."""
        text = self._with_ports(text)
        if self.front:
            grpc, http = (self.front.address("gateway", name)[1] for name in ("grpc", "http"))
            text = text.replace(f"{FAR_HOST}:{self.ports[HTTP_PORT]}", f"localhost:{http}")
            text = text.replace(f"{FAR_HOST}:{self.ports[GRPC_PORT]}", f"localhost:{grpc}")
            text = text.replace(f"--gateway {FAR_HOST}", f"--gateway localhost:{grpc}")
            text = text.replace(f"--address {FAR_HOST}", f"--address localhost:{grpc}")
        for name, folder in ELSEWHERE.items():
            text = re.sub(rf"(?<![\w.]){name}\b", f"{self.home}/{folder}", text)
        # "with the settings of the process": those of the echo service here.
        rpc = self.stack.programs["echo"].ready["rpc"]
        return re.sub(r"\brawgate-echo healthcheck\b", f"RAWGATE_RPC_LISTEN={rpc} \\g<0>", text)
