"""The pods of the base, started on this machine from the rendered manifests with the Secrets that README.md's commands make:
every probe is answered as kubelet asks it, and the gateway uses all five services over TLS by their names."""

import pathlib
import re
import shutil
import socket
import stat
import subprocess
import tempfile
import unittest

import yaml

from tests.deploy.kustomize import BASE, PROGRAMS, render
from tests.deploy.pod import ADDRESS, Cluster
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.durability import skip_module
from tests.harness.network_namespace import Namespace, namespaces_or_skip
from tests.harness.program import BIN_DIR, clean_environment

SERVICES = tuple(program for program in PROGRAMS if program != "gateway")
# kubectl writes what it would send, and asks no cluster.
KUBECTL = 'kubectl() { echo ---; command kubectl "$@" --dry-run=client --output=yaml; }\n'


def setUpModule():
    namespaces_or_skip()
    tried = subprocess.run(["bwrap", "--ro-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "true"], capture_output=True,
                           text=True, check=False)
    if tried.returncode != 0:
        skip_module(f"what stands for pods cannot be had here: {tried.stderr}")


def make_secrets(folder):
    """Runs the commands that README.md shows for the credentials in a folder, and returns what kubectl would create."""
    commands, = re.findall(r"^```sh secrets\n(.*?)^```$", (BASE / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    environment = clean_environment()
    environment["PATH"] = f"{BIN_DIR}:{environment['PATH']}"
    made = subprocess.run(["bash", "-euc", f"{KUBECTL}exec 3>&1 >&2\n{commands.replace('kubectl ', 'kubectl >&3 ')}"],
                          cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE, env=environment)
    if made.returncode != 0:
        raise AssertionError(f"README.md's commands ended with {made.returncode}:\n{made.stderr}")
    return [entry for entry in yaml.safe_load_all(made.stdout) if entry and entry["kind"] == "Secret"]


class PodsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="rawgate-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.folder.chmod(0o755)
        namespace = Namespace()
        cls.addClassCleanup(namespace.remove)
        cls.manifests = render(BASE)
        cls.cluster = Cluster(cls.manifests, namespace, cls.folder, make_secrets(cls.folder))
        cls.credentials = cls.folder / "rawgate-tls"
        cls.pods = {}
        for program in PROGRAMS:
            cls.pods[program] = cls.cluster.start(program)
            cls.addClassCleanup(lambda program=program: cls.pods[program].stop())
        # Here as well, so that what never comes is awaited once.
        cls.await_services("running")

    def setUp(self):
        self.await_services("running")

    @classmethod
    def await_services(cls, state, services=SERVICES):
        """Until the gateway says so of each."""
        wait_until(lambda: all(re.search(rf"(?m)^{service}\b.*\b{state}\b", cls.rawgate("ps")) for service in services),
                   f"{services}: {state}")

    @classmethod
    def run_inside(cls, *command):
        """A command that has run in the cluster's network, where names of Services are known."""
        script = f"mount --bind {cls.folder / 'hosts'} /etc/hosts && exec \"$@\""
        return subprocess.run([*cls.cluster.namespace.under, "sh", "-c", script, "sh", *map(str, command)], check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
                              env=clean_environment())

    @staticmethod
    def printed_by(done):
        if done.returncode != 0:
            raise AssertionError(f"{done.args} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    @classmethod
    def run_rawgate(cls, *arguments):
        """`rawgate` for the admin of `rawgate init-tls`, at the front door."""
        return cls.run_inside(BIN_DIR / "rawgate", "--gateway", "gateway", "--tls-ca", cls.credentials / "ca.pem",
                               "--token-file", cls.credentials / "token", *arguments)

    @classmethod
    def rawgate(cls, *arguments):
        """The same, which must succeed: what it prints."""
        return cls.printed_by(cls.run_rawgate(*arguments))

    def ask_rpc_as(self, name):
        """`rawgate ps` at echo's internal address, with one of the certificates."""
        path = self.credentials / name
        return self.run_inside(BIN_DIR / "rawgate", "--gateway", "echo:50061", "--tls-ca", self.credentials / "ca.pem",
                               "--tls-certificate", f"{path}.pem", "--tls-key", f"{path}-key.pem", "ps")

    def asked_by_kubelet(self, program, probe):
        """The status of a probe's answer; kubelet looks at no certificate and calls the pod by its address."""
        asked = self.manifests.container(program)[probe]["httpGet"]
        port = self.manifests.ports(program)[asked["port"]]["containerPort"]
        url = f"{asked['scheme'].lower()}://{ADDRESS}:{port}{asked['path']}"
        return self.printed_by(self.run_inside("curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", url))

    def test_probes_are_answered(self):
        for program in PROGRAMS:
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                with self.subTest(program=program, probe=probe):
                    self.assertEqual(self.asked_by_kubelet(program, probe), "200")

    def test_processes_are_what_the_manifests_say(self):
        for program in PROGRAMS:
            with self.subTest(program=program):
                status = pathlib.Path(f"/proc/{self.pods[program].pid}/status").read_text()
                for line in ("Uid:\t10001\t10001\t10001\t10001", "NSpid:.*\t1", "NoNewPrivs:\t1", "CapPrm:\t0+",
                             "CapEff:\t0+", "CapBnd:\t0+"):
                    self.assertRegex(status, f"(?m)^{line}$")

    def test_all_services_are_used_through_the_gateway(self):
        self.assertEqual(self.rawgate("echo", "hello"), "HELLO\n")
        self.assertRegex(self.rawgate("date", "%Y"), r"^\d{4}\n$")
        self.rawgate("put", BASE / "namespace.yaml")
        self.assertIn("namespace.yaml", self.rawgate("ls"))

    def test_commands_have_the_pods_user_and_write_nowhere_but_in_its_scratch(self):
        self.assertEqual(self.rawgate("run", "--", "id", "-u"), "10001\n")
        said = self.rawgate("run", "--", "touch /file /usr/file /etc/rawgate/exec/file /tmp/file 2>&1; ls /tmp/file; pwd")
        self.assertEqual(said.count("Read-only file system"), 3, said)
        self.assertEqual(said.splitlines()[-2:], ["/tmp/file", "/tmp"])

    def test_raw_clients_run_nothing_by_the_bases_policy(self):
        answer = self.cluster.namespace.call(self.exchange, 8082, b"id\n")
        self.assertIn(b"no rule of the policy", answer)
        self.assertEqual(self.cluster.namespace.call(self.exchange, 8080, b"hello"), b"HELLO")

    @staticmethod
    def exchange(port, request):
        with socket.create_connection((ADDRESS, port), timeout=PATIENCE) as client:
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: client.recv(4096), b""))

    def test_nobody_without_credentials_is_served_at_the_front_door(self):
        stranger = self.run_inside(BIN_DIR / "rawgate", "--gateway", "gateway", "--tls-ca", self.credentials / "ca.pem", "ps")
        self.assertEqual(stranger.returncode, 1)
        self.assertIn("asks who calls", stranger.stderr)

    def restart(self, program):
        """Another pod after the old one, on the same volumes."""
        self.pods[program].stop()
        self.pods[program] = self.cluster.start(program)

    def test_what_is_kept_is_found_by_the_next_pod(self):
        self.rawgate("put", BASE / "chat.yaml")
        for program in ("file", "chat"):
            self.restart(program)
        wait_until(lambda: "chat.yaml" in self.run_rawgate("ls").stdout, "the file, from the next pod")
        history = self.folder / "chat-state/chat"
        self.assertEqual(stat.S_IMODE(history.stat().st_mode) & 0o777, 0o700)

    def test_a_stopped_service_is_not_ready_and_started_by_a_gateway_that_came_later(self):
        self.rawgate("stop", "time")
        self.assertEqual(self.asked_by_kubelet("time", "readinessProbe"), "503")
        self.assertEqual(self.asked_by_kubelet("time", "livenessProbe"), "200")
        self.restart("gateway")
        self.await_services("stopped", ["time"])
        self.rawgate("start", "time")
        self.assertEqual(self.asked_by_kubelet("time", "readinessProbe"), "200")

    def test_internal_rpc_is_for_the_gateways_certificate_alone(self):
        self.assertIn("echo", self.ask_rpc_as("server").stdout)
        # A user's, and another service's, of the same authority.
        for name in ("client", "exec.service"):
            with self.subTest(certificate=name):
                self.assertNotEqual(self.ask_rpc_as(name).returncode, 0)
        self.assertIn("certificate", self.ask_rpc_as("client").stderr)


if __name__ == "__main__":
    unittest.main()
