"""`rawgate doctor`: all is well, and each thing that is not."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import unittest

from tests.harness import rpc
from tests.harness.access import TOKENS, AccessFile, one_user_for_each_role
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.ports import stable_port
from tests.harness.program import BIN_DIR, clean_environment
from tests.harness.stack import LOOPBACKS, Stack
from tests.harness.tls_folder import TlsFolder


def doctor(target, *words, **environment):
    """The page that it prints, with the state of each check by id and subject."""
    done = subprocess.run([BIN_DIR / "rawgate", "--gateway", target, *words, "doctor", "--json"], capture_output=True, text=True,
                          timeout=PATIENCE, env=clean_environment(**environment), check=False)
    page = json.loads(done.stdout)
    assert done.stderr == "", done.stderr
    assert page["ok"] == (done.returncode == 0), done
    for check in page["checks"]:
        assert bool(check["remedy"]) == (check["state"] in ("warning", "failure")), check
    return Page(page["checks"])


class Page:
    def __init__(self, checks):
        self.checks = checks

    def find(self, identity, subject=None):
        found = [check for check in self.checks if check["id"] == identity and subject in (None, check["subject"])]
        assert found, f"{identity} {subject} is not in {json.dumps(self.checks, indent=1)}"
        return found[0]

    def bad(self):
        return [(check["state"], check["id"], check["subject"]) for check in self.checks if check["state"] in ("warning", "failure")]


class DoctorTestCase(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.stop)

    def start(self, *names, **flags):
        for name in names:
            self.stack.start_service(name, *flags.get(name, ()))
        self.stack.start_gateway()
        self.await_services()

    def await_services(self):
        """The gateway has found them: what it has only begun to look for does not answer."""
        client = rpc.client_of(self.stack)
        client.close()

    def doctor(self, *words, **environment):
        return doctor(self.stack.gateway_target, *words, **environment)

    def rawgate(self, *words):
        return subprocess.run([BIN_DIR / "rawgate", "--gateway", self.stack.gateway_target, *words], capture_output=True,
                              text=True, timeout=PATIENCE, env=clean_environment(), check=False)


class HealthyTest(DoctorTestCase):
    def test_all_is_well(self):
        self.stack.start_all()
        self.await_services()
        page = self.doctor()
        # What this machine's kernel says of its clock, and how full its disk is, is its own affair.
        self.assertEqual([bad for bad in page.bad() if bad[1] not in ("clock.synchronised", "file.space")], [])
        self.assertIn("role admin", page.find("gateway.rpc")["detail"])
        self.assertIn("usable from here: tcp, tcp-2, udp, udp-2", page.find("listener.reachable", "echo")["detail"])
        self.assertEqual(page.find("listener.reachable", "chat")["state"], "skipped")
        self.assertIn("without a sandbox", page.find("exec.confinement")["detail"])
        text = self.rawgate("doctor").stdout
        self.assertRegex(text, r"(?m)^ok    echo: running, instance [0-9a-f]{8}, version ")
        self.assertRegex(text, r"\n\d+ checks: 0 failures, \d+ warnings?")
        self.assertNotIn("\x1b", text)
        self.assertIn("ok\tservice.state\techo\trunning", self.rawgate("doctor", "--plain").stdout)


class NoGatewayTest(unittest.TestCase):
    def test_nothing_listens(self):
        check = doctor("127.0.0.1:1").find("gateway.connect")
        self.assertEqual(check["state"], "failure")
        self.assertIn("Connection refused", check["detail"])

    @unittest.skipIf(os.geteuid() != 0, "only root sees who has which port")
    def test_a_gateway_that_runs_elsewhere_is_named(self):
        stack = Stack()
        self.addCleanup(stack.stop)
        stack.start_service("time")
        gateway = stack.start_gateway()
        remedy = doctor("127.0.0.1:1").find("gateway.connect")["remedy"]
        self.assertIn(f"process {gateway.process.pid} at port {stack.gateway_target.rsplit(':', 1)[1]}", remedy)

    def test_an_unknown_name(self):
        self.assertEqual(doctor("no-such-host.invalid:1").find("gateway.name")["state"], "failure")

    def test_something_else_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            page = doctor(f"127.0.0.1:{server.getsockname()[1]}")
        self.assertEqual(page.find("gateway.connect")["state"], "ok")
        self.assertEqual(page.find("gateway.rpc")["state"], "failure")


class ServicesTest(DoctorTestCase):
    def test_a_service_that_has_died(self):
        self.start("echo", "time")
        self.stack.programs.pop("echo").kill()
        wait_until(lambda: self.doctor().find("service.state", "echo")["state"] == "failure", "word of its end")
        self.assertIn("rawgate-echo", self.doctor().find("service.state", "echo")["remedy"])

    def test_a_service_and_a_listener_that_are_stopped(self):
        self.start("echo", "time")
        self.assertEqual(self.rawgate("stop", "time").returncode, 0)
        self.assertEqual(self.rawgate("stop", "echo/tcp").returncode, 0)
        page = self.doctor()
        self.assertIn("rawgate start time", page.find("service.state", "time")["remedy"])
        self.assertEqual(page.find("listener.bound", "echo/tcp")["state"], "warning")

    def test_a_port_that_another_program_has_taken(self):
        self.stack.stable_ports = True
        self.start("echo")
        host, port = self.stack.address("echo", "tcp")
        self.assertEqual(self.rawgate("stop", "echo/tcp").returncode, 0)
        with socket.create_server((host, port)):
            self.assertEqual(self.rawgate("start", "echo/tcp").returncode, 1)
            check = self.doctor().find("listener.bound", "echo/tcp")
        self.assertEqual(check["state"], "failure")
        self.assertIn(f"(process {os.getpid()})", check["detail"])

    @unittest.skipIf(os.geteuid() != 0, "only root sees who has which port")
    def test_who_has_another_address_is_not_blamed(self):
        """And what still serves is looked at."""
        port = stable_port()
        self.stack.start_service("file", listeners=[f"tcp=tcp://127.0.0.1:{port}", f"tcp=tcp://{LOOPBACKS[1]}:{port}"])
        self.stack.start_gateway()
        self.await_services()
        self.assertEqual(self.rawgate("stop", "file/tcp").returncode, 0)
        with socket.create_server(("127.0.0.1", port)):
            self.assertEqual(self.rawgate("start", "file/tcp").returncode, 1)
            page = self.doctor()
        self.assertIn(f"(process {os.getpid()})", page.find("listener.bound", "file/tcp")["detail"])
        self.assertNotIn("rawgate-file", page.find("listener.bound", "file/tcp")["detail"])
        self.assertTrue(page.find("file.space")["detail"])

    def test_a_listener_that_cannot_be_reached(self):
        path = self.stack.directory / "echo.sock"
        self.stack.start_service("echo", listeners=[f"tcp=unix://{path}", "udp=udp://127.0.0.1:0"])
        self.stack.start_gateway()
        self.await_services()
        path.unlink()
        page = self.doctor()
        self.assertEqual(page.find("listener.reachable", "echo/tcp")["state"], "failure")
        self.assertIn("usable from here: udp", page.find("listener.reachable", "echo")["detail"])

    def test_faults_on_purpose(self):
        self.start("echo", echo=["--allow_faults"])
        self.assertEqual(self.rawgate("fault", "set", "echo/udp", "--loss", "100%").returncode, 0)
        page = self.doctor()
        self.assertIn("rawgate fault clear echo/udp", page.find("listener.faults", "echo/udp")["remedy"])
        self.assertEqual(page.find("listener.reachable", "echo/udp")["state"], "failure")

    def test_datagrams_that_are_not_answered(self):
        self.start("echo")
        echo = self.stack.programs["echo"].process
        # The gateway knows its state for some seconds more, and the kernel accepts for it.
        echo.send_signal(signal.SIGSTOP)
        self.addCleanup(echo.send_signal, signal.SIGCONT)
        bad = self.doctor().bad()
        self.assertTrue({("failure", "listener.reachable", "echo/udp"), ("failure", "service.state", "echo")} & set(bad), bad)


class ContentsTest(DoctorTestCase):
    def test_a_test_clock(self):
        self.start("time", time=["--test_clock"])
        self.assertEqual(self.rawgate("test-clock", "--offset", "1h").returncode, 0)
        check = self.doctor().find("clock.test")
        self.assertEqual(check["state"], "warning")
        self.assertRegex(check["detail"], r"\+3(599|600)\.\d{3} s")

    @unittest.skipIf(os.geteuid() != 0, "takes root")
    def test_commands_that_run_as_root(self):
        self.start("exec", exec=["--run_as=root"])
        check = self.doctor().find("exec.confinement")
        self.assertEqual(check["state"], "warning")
        self.assertIn("commands run as root", check["detail"])

    def test_commands_that_wait(self):
        self.start("exec", exec=["--commands_max=1"])
        for _ in range(2):
            process = subprocess.Popen([BIN_DIR / "rawgate", "--gateway", self.stack.gateway_target, "run", "--", "sleep", "600"],
                                       env=clean_environment())
            self.addCleanup(process.wait)
            self.addCleanup(process.terminate)
        wait_until(lambda: self.doctor().find("exec.load")["state"] == "warning", "a command that waits")

    def test_a_store_that_is_full(self):
        self.start("file", file=["--quota_bytes=1000000"])
        check = self.doctor().find("file.space")
        self.assertEqual(check["state"], "failure")
        self.assertIn("are free for uploads", check["detail"])


class CredentialsTest(DoctorTestCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tls = TlsFolder(f"{folder.name}/tls", "--host", "localhost")
        self.stack.start_service("time")
        self.access = AccessFile(self.stack.directory / "access.textproto", one_user_for_each_role())

    def start_gateway(self, certificate="server"):
        self.stack.start_gateway(f"--tls_certificate={self.tls.path(certificate + '.pem')}",
                                 f"--tls_key={self.tls.path(certificate + '-key.pem')}", self.access.flag)
        self.target = "localhost:" + self.stack.gateway_target.rsplit(":", 1)[1]

    def doctor_as(self, user, *words):
        token = self.stack.directory / "token"
        token.write_text(TOKENS[user])
        token.chmod(0o600)
        return doctor(self.target, "--tls-ca", str(self.tls.path("ca.pem")), "--token-file", str(token), *words)

    def test_roles(self):
        self.start_gateway()
        for role in TOKENS:
            page = self.doctor_as(role)
            self.assertIn(f"over TLS; role {role}", page.find("gateway.rpc")["detail"])
            self.assertEqual(page.find("credentials.expiry", "gateway")["state"], "ok")
        found = lambda: [check["state"] for check in self.doctor_as("viewer").checks if check["id"] == "clock.offset"]
        self.assertEqual(wait_until(found, "the time service at the gateway"), ["skipped"])

    def test_nobody_and_a_stranger(self):
        self.start_gateway()
        ca = str(self.tls.path("ca.pem"))
        self.assertIn("--token-file", doctor(self.target, "--tls-ca", ca).find("gateway.rpc")["remedy"])
        page = doctor(self.target, "--tls-ca", ca, RAWGATE_TOKEN="a-stranger-s")
        self.assertIn("new-token", page.find("gateway.rpc")["remedy"])

    def test_a_token_that_others_may_read(self):
        self.start_gateway()
        token = self.stack.directory / "open"
        token.write_text(TOKENS["admin"])
        token.chmod(0o644)
        page = doctor(self.target, "--tls-ca", str(self.tls.path("ca.pem")), "--token-file", str(token))
        self.assertEqual(page.find("credentials.private", str(token)), {
            "id": "credentials.private", "subject": str(token), "state": "warning",
            "detail": "others on this machine may read it", "remedy": f"chmod 600 {token}"})

    def test_certificates_that_end_soon_or_have_ended(self):
        self.tls.sign("soon", "admin")
        self.tls.sign("over", "admin", days=-1)
        self.start_gateway("soon")
        own = lambda name: ("--tls-certificate", str(self.tls.path(f"{name}.pem")), "--tls-key", str(self.tls.path(f"{name}-key.pem")))
        page = self.doctor_as("admin", *own("soon"))
        self.assertEqual(page.find("credentials.expiry", str(self.tls.path("soon.pem")))["state"], "warning")
        self.assertEqual(page.find("credentials.expiry", "gateway")["state"], "warning")
        page = self.doctor_as("admin", *own("over"))
        self.assertEqual(page.find("credentials.expiry", str(self.tls.path("over.pem")))["state"], "failure")
        self.assertEqual(page.find("credentials.loaded")["state"], "failure")

    def test_a_gateway_without_tls(self):
        self.start("time")
        page = self.doctor("--tls-ca", str(self.tls.path("ca.pem")))
        self.assertEqual(page.find("gateway.tls")["state"], "failure")
        self.assertEqual(page.find("gateway.rpc")["state"], "failure")

    def test_files_that_are_not_there(self):
        self.start("time")
        page = self.doctor("--token-file", "/no/such/token")
        self.assertEqual(page.find("credentials.loaded")["state"], "failure")
        self.assertEqual(page.find("gateway.connect")["state"], "ok")


if __name__ == "__main__":
    unittest.main()
