"""`rawgate-<x> healthcheck`: the question that a container engine asks of the process with the same settings."""

import pathlib
import signal
import subprocess
import tempfile
import unittest

from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.ports import stable_port
from tests.harness.program import BIN_DIR, clean_environment
from tests.harness.stack import LISTENERS, Stack
from tests.harness.tls_folder import TlsFolder


def healthcheck(name, *flags, **environment):
    return subprocess.run([BIN_DIR / f"rawgate-{name}", "healthcheck", *flags], capture_output=True, text=True,
                          timeout=PATIENCE, env=clean_environment(RAWGATE_HEALTHCHECK_TIMEOUT="30s", **environment))


class HealthcheckCase(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.stop)

    def assert_serves(self, checked):
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))

    def assert_does_not_serve(self, checked, why):
        self.assertEqual((checked.returncode, checked.stdout), (1, ""))
        self.assertEqual(checked.stderr.count("\n"), 1, checked.stderr)
        self.assertIn(why, checked.stderr)


class HealthcheckTest(HealthcheckCase):
    def test_of_every_service(self):
        for name in LISTENERS:
            with self.subTest(service=name):
                rpc = f"--rpc_listen={self.stack.start_service(name).ready['rpc']}"
                self.assert_serves(healthcheck(name, rpc))

    def test_of_the_gateway(self):
        gateway = self.stack.start_service("echo") and self.stack.start_gateway()
        listen = f"--listen=grpc={gateway.ready['listeners'][0]['address']}"
        wait_until(lambda: healthcheck("gateway", listen).returncode == 0, "a gateway that serves")

    def test_settings_come_from_the_environment_and_all_addresses_mean_loopback(self):
        for host in ("0.0.0.0", "[::]"):
            with self.subTest(host=host):
                listen = f"tcp://{host}:{stable_port()}"
                self.stack.start_service("echo", "--allow_insecure_bind", rpc=listen, label=host)
                self.assert_serves(healthcheck("echo", RAWGATE_RPC_LISTEN=listen))

    def test_no_proxy_is_asked(self):
        """Docker's client gives containers the proxy of its user."""
        rpc = self.stack.start_service("echo").ready["rpc"]
        self.assert_serves(healthcheck("echo", f"--rpc_listen={rpc}", http_proxy=f"http://127.0.0.1:{stable_port()}"))

    def test_at_a_unix_socket(self):
        rpc = f"unix://{self.stack.directory}/rpc.sock"
        self.stack.start_service("echo", rpc=rpc)
        self.assert_serves(healthcheck("echo", f"--rpc_listen={rpc}"))

    def test_of_a_process_that_is_not_there(self):
        self.assert_does_not_serve(healthcheck("echo", f"--rpc_listen=tcp://127.0.0.1:{stable_port()}"), "onnect")

    def test_of_a_process_that_is_frozen(self):
        program = self.stack.start_service("echo")
        program.process.send_signal(signal.SIGSTOP)
        self.addCleanup(program.process.send_signal, signal.SIGCONT)
        checked = healthcheck("echo", f"--rpc_listen={program.ready['rpc']}", "--healthcheck_timeout=100ms")
        self.assert_does_not_serve(checked, "eadline")

    def test_wrong_usage(self):
        for name, arguments in (("echo", ["--rpc_listen=tcp://127.0.0.1:0"]), ("gateway", ["--listen=grpc=tcp://[::1]:0"]), ("gateway", ["--listen="]),
                                ("echo", ["more"])):
            with self.subTest(program=name, arguments=arguments):
                self.assertEqual(healthcheck(name, *arguments).returncode, 2)


class HealthcheckUnderTlsTest(HealthcheckCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory(prefix="rawgate-healthcheck-")
        self.addCleanup(folder.cleanup)
        self.tls = TlsFolder(pathlib.Path(folder.name) / "tls", "--service", "echo.example")

    def test_of_a_service_with_rpc_tls(self):
        """Its own certificate is good for this question, though not listed in --rpc_clients."""
        flags = ["--rpc_tls", "--rpc_clients=urn:somebody", *self.tls.gateway_flags()]
        rpc = self.stack.start_service("echo", *flags).ready["rpc"]
        self.assert_serves(healthcheck("echo", *flags, f"--rpc_listen={rpc}"))
        self.assert_does_not_serve(healthcheck("echo", f"--rpc_listen={rpc}"), rpc.removeprefix("tcp://"))

    def test_of_a_service_whose_certificate_is_for_no_name_of_this_machine(self):
        """And not a word of it in the log: it is asked every few seconds."""
        flags = ["--rpc_tls", f"--tls_client_ca={self.tls.path('ca.pem')}",
                 f"--tls_certificate={self.tls.path('echo.example.service.pem')}",
                 f"--tls_key={self.tls.path('echo.example.service-key.pem')}"]
        program = self.stack.start_service("echo", *flags)
        before = program.log_path.read_text()
        self.assert_serves(healthcheck("echo", *flags, f"--rpc_listen={program.ready['rpc']}"))
        self.assertEqual(program.log_path.read_text(), before)

    def test_of_a_gateway_whatever_it_asks_of_its_clients(self):
        self.stack.start_service("echo")
        for asked in ("none", "request", "require"):
            with self.subTest(client_certificates=asked):
                flags = [*self.tls.gateway_flags(), f"--tls_client_certificates={asked}"]
                gateway = self.stack.start_gateway(*flags)
                listen = f"--listen=grpc={gateway.ready['listeners'][0]['address']}"
                wait_until(lambda: healthcheck("gateway", *flags, listen).returncode == 0, "a gateway that serves")
                self.stack.programs.pop("gateway").stop()


if __name__ == "__main__":
    unittest.main()
