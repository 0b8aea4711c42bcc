"""The profile `tls`: certificates made on the first start, every service over TLS, a token at the gateway."""

import json
import pathlib
import socket
import ssl
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from tests.conformance.exec_client import packed_request, receive_reply
from tests.conformance.file_client import download, upload
from tests.conformance.plain_client import TIMEOUT, connect, receive_exactly, receive_to_end
from tests.docker import engine as engines
from tests.docker.stack import FURTHER_PUBLISHED, TLS_SERVICES, ComposeStack
from tests.harness.deadlines import PATIENCE
from tests.harness.program import BIN_DIR, clean_environment

AUTHORITY = "/var/lib/rawgate/tls/authority"
# From the client's side a refused certificate is an alert, or the end that overtakes it.
REFUSED = (ssl.SSLError, ConnectionError, EOFError)

stack = None
folder = None


def setUpModule():
    global stack, folder
    engine = engines.engine_or_skip()
    folder = pathlib.Path(unittest.enterModuleContext(tempfile.TemporaryDirectory(prefix="rawgate-test-")))
    stack = unittest.enterModuleContext(ComposeStack(engine, TLS_SERVICES, ["tls"], ["gateway-tls"]))
    take_what_the_user_has()


def take_what_the_user_has():
    """As somebody does who was told where it is."""
    identity = stack.container("certificates")["Id"]
    for name in ("ca.pem", "client.pem", "client-key.pem", "token"):
        stack.engine.docker("cp", f"{identity}:{AUTHORITY}/{name}", str(folder / name))


def context(certificate=True):
    found = ssl.create_default_context(cafile=folder / "ca.pem")
    if certificate:
        found.load_cert_chain(folder / "client.pem", folder / "client-key.pem")
    return found


class TlsTest(unittest.TestCase):
    def connect(self, service, listener, certificate=True):
        raw = socket.create_connection(stack.address(service, listener), timeout=TIMEOUT)
        self.addCleanup(raw.close)
        client = context(certificate).wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False)
        self.addCleanup(client.close)
        return client


class RawTest(TlsTest):
    def test_echo(self):
        client = self.connect("echo-tls", "tcp")
        client.sendall(b"over tls")
        self.assertEqual(receive_exactly(client, 8), b"OVER TLS")

    def test_exec(self):
        client = self.connect("exec-tls", "framed")
        client.sendall(packed_request(argv=["id", "-u"]))
        self.assertEqual(receive_reply(client)[1], b"10001\n")

    def test_file(self):
        client = self.connect("file-tls", "tcp")
        self.assertEqual(upload(client, "over-tls", b"content")["status"], "ok")
        self.assertEqual(download(client, "over-tls")[1], b"content")

    def test_nobody_without_a_certificate_is_served(self):
        for service, listener in FURTHER_PUBLISHED:
            if service in TLS_SERVICES and service != "gateway-tls":
                with self.subTest(service=service, listener=listener), self.assertRaises(REFUSED):
                    client = self.connect(service, listener, certificate=False)
                    client.sendall(b"id\n")
                    receive_exactly(client, 1)

    def test_nobody_without_tls_is_served(self):
        for service, listener in FURTHER_PUBLISHED:
            if service in TLS_SERVICES:
                with self.subTest(service=service, listener=listener), connect(stack.address(service, listener)) as client:
                    client.sendall(b"echo hello, in 32 bytes and plain\n")
                    try:
                        # An alert of TLS at most.
                        self.assertIn(receive_to_end(client)[:1], (b"", b"\x15"))
                    except ConnectionError:
                        pass


class GatewayTest(TlsTest):
    def rawgate(self, *words, token=True):
        options = [f"--token-file={folder / 'token'}"] if token else []
        target = "localhost:{1}".format(*stack.address("gateway-tls", "grpc"))
        return subprocess.run([BIN_DIR / "rawgate", f"--gateway={target}", f"--tls-ca={folder / 'ca.pem'}", *options, *words],
                              capture_output=True, timeout=PATIENCE, check=False, env=clean_environment())

    def test_token_opens_every_service(self):
        listed = json.loads(self.rawgate("ps", "--json").stdout)["services"]
        self.assertEqual({each["name"]: each["state"] for each in listed},
                         dict.fromkeys(("echo", "exec", "time", "file", "chat"), "SERVICE_STATE_RUNNING"))
        for words, output in ((("echo", "hello"), b"HELLO\n"), (("run", "--", "id", "-u"), b"10001\n"),
                              (("date", "still"), b"still\n")):
            result = self.rawgate(*words)
            self.assertEqual((result.returncode, result.stdout), (0, output), result.stderr)

    def test_nobody_without_a_token_is_served(self):
        result = self.rawgate("ps", token=False)
        self.assertEqual((result.returncode, result.stdout), (1, b""))

    def test_console_in_a_container(self):
        result = stack.compose("run", "--rm", "-T", "certificates", "rawgate", "ps")
        for service in ("echo", "exec", "time", "file", "chat"):
            self.assertIn(service, result.stdout)

    def test_http(self):
        url = "https://localhost:{1}/rawgate.time.v1.TimeService/GetTime".format(*stack.address("gateway-tls", "http"))
        headers = {"content-type": "application/json", "authorization": f"Bearer {(folder / 'token').read_text().strip()}"}
        request = urllib.request.Request(url, b'{"format": "still"}', headers)
        with urllib.request.urlopen(request, timeout=PATIENCE, context=context(False)) as answer:
            self.assertEqual(json.load(answer)["formatted"], "still")
        request.remove_header("Authorization")
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=PATIENCE, context=context(False))
        self.assertEqual(refused.exception.code, 401)


class CertificatesTest(TlsTest):
    def test_next_start_renews_and_the_user_stays(self):
        before = {name: (folder / name).read_bytes() for name in ("ca.pem", "client.pem", "token")}
        stack.compose("stop")
        stack.up()
        take_what_the_user_has()
        after = {name: (folder / name).read_bytes() for name in before}
        self.assertEqual({name: after[name] == before[name] for name in before},
                         {"ca.pem": True, "client.pem": False, "token": True})
        client = self.connect("echo-tls", "tcp")
        client.sendall(b"renewed")
        self.assertEqual(receive_exactly(client, 7), b"RENEWED")

    def test_every_process_has_its_own_key_and_sees_no_other(self):
        mounts = {name: {mount["Name"] for mount in container["Mounts"] if mount["Destination"] == "/etc/rawgate/tls"}
                  for name, container in stack.containers().items() if name in TLS_SERVICES}
        self.assertEqual({len(names) for names in mounts.values()}, {1})
        self.assertEqual(len(set.union(*mounts.values())), len(TLS_SERVICES))


if __name__ == "__main__":
    unittest.main()
