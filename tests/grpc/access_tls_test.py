"""Users who are known by their certificates, and what `rawgate init-tls` promises."""

import re
import shlex
import subprocess
import threading
import unittest

import grpc

from tests.harness import rpc
from tests.harness.access import AccessFile, as_user, one_user_for_each_role, user
from tests.harness.tls_folder import TlsFolder
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.program import BIN_DIR, Program, clean_environment
from tests.harness.stack import Stack

UNAUTHENTICATED, DENIED, UNAVAILABLE = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED,
                                        grpc.StatusCode.UNAVAILABLE)

stack = None
authority = None
foreign = None
access = None


def setUpModule():
    global stack, authority, foreign, access
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    authority = TlsFolder(stack.directory / "tls")
    foreign = TlsFolder(stack.directory / "foreign")
    authority.sign("named", common_name="named.example")
    authority.sign("several", uris=("urn:example:other", "urn:example:ops"))
    authority.sign("stranger", common_name="stranger", uris=("urn:example:stranger",))
    authority.sign("nameless")
    authority.sign("expired", uris=("urn:example:ops",), days=-1)
    foreign.sign("ops", uris=("urn:example:ops",))
    access = AccessFile(authority.path("access.textproto"),
                        authority.path("access.textproto").read_text() + one_user_for_each_role().replace('"admin"', '"boss"') +
                        user("ops", "operator", uris=("urn:example:ops",)) +
                        user("named", "viewer", common_names=("named.example",)))
    stack.start_service("echo")
    stack.start_gateway(access.flag, *authority.gateway_flags())
    wait_until(lambda: outcome("client") is None, "the gateway has met echo")


def channel_with(certificate="", signer=None):
    options = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]
    return grpc.secure_channel(stack.gateway_target, authority.credentials(certificate, signer), options)


def outcome(certificate="", metadata=(), signer=None):
    """None when Echo is served, else code and reason."""
    with channel_with(certificate, signer) as channel:
        stub = rpc.echo_service_pb2_grpc.EchoServiceStub(channel)
        try:
            stub.Echo(rpc.echo.EchoRequest(payload=b"on"), timeout=PATIENCE, metadata=metadata)
        except grpc.RpcError as error:
            if error.code() == UNAVAILABLE:
                return UNAVAILABLE, ""
            return error.code(), rpc.reason_and_details(error)[0]
    return None


class CertificateTest(unittest.TestCase):
    def test_users_by_their_certificates(self):
        self.assertIsNone(outcome("client"), "the user that init-tls makes")
        self.assertIsNone(outcome("several"), "any of its URIs")
        self.assertEqual(outcome("named"), (DENIED, "ROLE_TOO_LOW"), "a viewer by the common name")

    def test_certificates_that_nobody_has(self):
        self.assertEqual(outcome("stranger"), (UNAUTHENTICATED, "CREDENTIALS_UNKNOWN"))
        self.assertEqual(outcome("nameless"), (UNAUTHENTICATED, "CREDENTIALS_UNKNOWN"))
        self.assertEqual(outcome(), (UNAUTHENTICATED, "CREDENTIALS_MISSING"))

    def test_certificates_that_are_not_good_get_no_connection(self):
        self.assertEqual(outcome("expired"), (UNAVAILABLE, ""))
        self.assertEqual(outcome("ops", signer=foreign), (UNAVAILABLE, ""))
        self.assertEqual(outcome("client", signer=foreign), (UNAVAILABLE, ""))
        self.assertIsNone(outcome("client"), "others are served")

    def test_a_token_counts_before_a_certificate(self):
        self.assertIsNone(outcome(metadata=as_user("operator")))
        self.assertIsNone(outcome("stranger", as_user("operator")))
        self.assertEqual(outcome("client", as_user("viewer")), (DENIED, "ROLE_TOO_LOW"))
        self.assertEqual(outcome("client", (("authorization", "Bearer nobody"),)), (UNAUTHENTICATED, "CREDENTIALS_UNKNOWN"))

    def test_plain_clients_are_not_served(self):
        with grpc.insecure_channel(stack.gateway_target, options=[("grpc.enable_http_proxy", 0)]) as channel:
            stub = rpc.echo_service_pb2_grpc.EchoServiceStub(channel)
            with self.assertRaises(grpc.RpcError) as raised:
                stub.Echo(rpc.echo.EchoRequest(payload=b"on"), timeout=PATIENCE, metadata=as_user("operator"))
            self.assertEqual(raised.exception.code(), UNAVAILABLE)


class RenewTest(unittest.TestCase):
    def test_new_certificates_under_load(self):
        """Each connection is new, so that each meets the certificate of that moment."""
        stop, failures, calls = threading.Event(), [], []

        def keep_calling():
            while not stop.is_set():
                failed = outcome(metadata=as_user("operator"))
                calls.append(failed)
                if failed:
                    failures.append(failed)

        callers = [threading.Thread(target=keep_calling) for _ in range(2)]
        for caller in callers:
            caller.start()
        try:
            for _ in range(5):
                before = authority.path("server.pem").read_text()
                served = len(calls)
                subprocess.run([BIN_DIR / "rawgate", "init-tls", "--renew", authority.folder], check=True,
                               capture_output=True, env=clean_environment())
                self.assertNotEqual(authority.path("server.pem").read_text(), before)
                wait_until(lambda expected=served + 4: len(calls) > expected, "calls over new connections")
        finally:
            stop.set()
            for caller in callers:
                caller.join()
        self.assertEqual(failures, [])
        self.assertIsNone(outcome("client"), "the new certificate of the client")


class InitTlsTest(unittest.TestCase):
    def test_openssl_verifies_them(self):
        for name, purpose in (("server", "sslserver"), ("server", "sslclient"), ("client", "sslclient")):
            with self.subTest(name=name, purpose=purpose):
                subprocess.run(["openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", authority.path("ca.pem"),
                                authority.path(f"{name}.pem")], check=True, capture_output=True)
        refused = subprocess.run(["openssl", "verify", "-purpose", "sslserver", "-CAfile", authority.path("ca.pem"),
                                  authority.path("client.pem")], check=False, capture_output=True)
        self.assertNotEqual(refused.returncode, 0)

    def test_the_printed_commands_work_when_pasted(self):
        made = TlsFolder(stack.directory / "it's new")
        commands = [shlex.split(command) for command in
                    re.findall(r"^  (rawgate.*(?:\n    .*)*)", made.printed.replace(" \\\n", " "), re.MULTILINE)]
        self.assertEqual([command[0] for command in commands], ["rawgate-gateway"] + 3 * ["rawgate"])
        environment = {"RAWGATE_LISTEN": "grpc=tcp://127.0.0.1:0", "RAWGATE_BACKENDS": f"echo={stack.programs['echo'].rpc_target}"}
        gateway = Program("gateway", commands[0][1:], stack.directory / "it's new", environment).start()
        self.addCleanup(gateway.stop)
        host, port = gateway.address("grpc")
        for command in commands[1:]:
            with self.subTest(command=command):
                ended = subprocess.run([BIN_DIR / command[0], *command[1:]], check=False, capture_output=True, text=True,
                                       timeout=PATIENCE, env=clean_environment(RAWGATE_GATEWAY=f"{host}:{port}"))
                self.assertEqual(ended.returncode, 0, ended.stderr)
                self.assertIn("server.pem" if "--renew" in command else "echo", ended.stdout)


class CommandTest(unittest.TestCase):
    """What the command says when the gateway does not trust it, or it the gateway."""

    def run_ps(self, *options, **environment):
        ended = subprocess.run([BIN_DIR / "rawgate", "--gateway", stack.gateway_target, *options, "ps"], check=False,
                               capture_output=True, text=True, timeout=PATIENCE, env=clean_environment(**environment))
        self.assertEqual(ended.returncode == 0, ended.stderr == "", ended)
        return ended.stderr

    def test_ways_in(self):
        trusting = ("--tls-ca", authority.path("ca.pem"))
        token = as_user("viewer")[0][1].removeprefix("Bearer ")
        self.assertEqual(self.run_ps(*trusting, RAWGATE_TOKEN=token), "")
        self.assertEqual(self.run_ps(RAWGATE_TOKEN=token, RAWGATE_TLS_CA=str(authority.path("ca.pem"))), "")
        self.assertEqual(self.run_ps(*trusting, "--tls-certificate", authority.path("named.pem"), "--tls-key",
                                     authority.path("named-key.pem")), "")

    def test_ways_that_are_none(self):
        trusting = ("--tls-ca", authority.path("ca.pem"))
        self.assertIn("says who you are", self.run_ps(*trusting))
        self.assertIn("new-token", self.run_ps(*trusting, RAWGATE_TOKEN="nobody"))
        self.assertIn("is not trusted: its certificate has expired, or is not signed by the CA of --tls-ca",
                      self.run_ps("--tls-ca", foreign.path("ca.pem")))
        self.assertIn("--tls-ca", self.run_ps())
        refused = self.run_ps(*trusting, "--tls-certificate", foreign.path("client.pem"), "--tls-key",
                              foreign.path("client-key.pem"))
        self.assertIn("rawgate ps: ", refused)

    def test_a_role_that_is_too_low(self):
        ended = subprocess.run([BIN_DIR / "rawgate", "--gateway", stack.gateway_target, "--tls-ca", authority.path("ca.pem"),
                                "stop", "echo"], check=False, capture_output=True, text=True, timeout=PATIENCE,
                               env=clean_environment(RAWGATE_TOKEN=as_user("viewer")[0][1].removeprefix("Bearer ")))
        self.assertEqual(ended.returncode, 1)
        self.assertEqual(ended.stderr,
                         "rawgate stop: rawgate.control.v1.ControlService/StopService needs the role operator, and viewer is "
                         "viewer. Whoever keeps the gateway's access file can give you more.\n")


if __name__ == "__main__":
    unittest.main()
