"""Who may do what by HTTP: tokens in the field `authorization`, and client certificates over TLS, as over gRPC."""

import base64
import http.client
import json
import ssl
import unittest

from tests.harness.access import TOKENS, AccessFile, one_user_for_each_role, user
from tests.harness.certificates import LOOPBACK, Authority
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.stack import HTTP, Stack

ECHO = "/rawgate.echo.v1.EchoService/Echo"
LIST_SERVICES = "/rawgate.control.v1.ControlService/ListServices"
STOP_SERVICE = "/rawgate.control.v1.ControlService/StopService"
MACHINE = "urn:rawgate:machine"


class ConnectAccessCase(unittest.TestCase):
    def start(self, users, flags=lambda stack: ()):
        """A stack whose gateway knows `users`; `flags` makes further ones of its own."""
        self.stack = Stack()
        self.addCleanup(self.stack.stop)
        self.stack.start_service("echo")
        access = AccessFile(self.stack.directory / "access.textproto", users)
        self.stack.start_gateway(HTTP, access.flag, *flags(self.stack))

    def ask(self, connection, path, message, token=None):
        """(HTTP status, fields, the answer's object)."""
        self.addCleanup(connection.close)
        fields = {"content-type": "application/json"}
        if token is not None:
            fields["authorization"] = token
        connection.request("POST", path, json.dumps(message), fields)
        response = connection.getresponse()
        return response.status, response.headers, json.loads(response.read())

    def assert_reason(self, answer, status, code, reason):
        self.assertEqual((answer[0], answer[2]["code"]), (status, code), answer[2])
        self.assertEqual(answer[2]["details"][0]["debug"]["reason"], reason)


class TokenTest(ConnectAccessCase):
    def setUp(self):
        self.start(one_user_for_each_role())

    def post(self, path, message, token=None):
        connection = http.client.HTTPConnection(*self.stack.http("gateway"), timeout=PATIENCE)
        return self.ask(connection, path, message, token)

    def test_roles(self):
        bearer = {name: f"Bearer {token}" for name, token in TOKENS.items()}
        self.assertEqual(self.post(LIST_SERVICES, {}, bearer["viewer"])[0], 200)
        self.assert_reason(self.post(STOP_SERVICE, {"service": "echo"}, bearer["viewer"]), 403, "permission_denied",
                           "ROLE_TOO_LOW")
        self.assertEqual(self.post(STOP_SERVICE, {"service": "echo"}, bearer["operator"])[0], 200)

    def test_who_does_not_say_who_he_is(self):
        missing = self.post(LIST_SERVICES, {})
        self.assert_reason(missing, 401, "unauthenticated", "CREDENTIALS_MISSING")
        self.assertEqual(missing[1]["www-authenticate"], "Bearer")
        for token in ("Bearer wrong", "Bearer ", "Basic eDp5", TOKENS["admin"]):
            self.assert_reason(self.post(LIST_SERVICES, {}, token), 401, "unauthenticated", "CREDENTIALS_UNKNOWN")

    def test_nobody_brings_a_certificate_as_a_field(self):
        connection = http.client.HTTPConnection(*self.stack.http("gateway"), timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("POST", LIST_SERVICES, "{}", {
            "content-type": "application/json", "x-rawgate-http-cert-cn-bin": "YWRtaW4=", "x-rawgate-role": "admin"})
        self.assertEqual(connection.getresponse().status, 401)

    def test_pages_are_for_everybody(self):
        connection = http.client.HTTPConnection(*self.stack.http("gateway"), timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("GET", "/healthz")
        self.assertEqual(connection.getresponse().status, 200)


class CertificateTest(ConnectAccessCase):
    def setUp(self):
        def flags(stack):
            self.authority = Authority(stack.directory)
            certificate, key = self.authority.issue("gateway")
            return (f"--tls_certificate={certificate}", f"--tls_key={key}",
                    f"--tls_client_ca={self.authority.certificate}")

        self.start(user("machine", "viewer", uris=(MACHINE,)) + user("ann", "admin", common_names=("ann",)), flags)

    def context(self, identity=None, names=LOOPBACK):
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        if identity:
            context.load_cert_chain(*map(str, self.authority.issue(identity, names)))
        return context

    def post(self, context, path, message):
        host, port = self.stack.http("gateway")
        connection = http.client.HTTPSConnection(host, port, timeout=PATIENCE, context=context)
        return self.ask(connection, path, message)

    def test_certificates_name_their_users(self):
        machine = self.context("any", (f"URI:{MACHINE}",))
        self.assertEqual(self.post(machine, LIST_SERVICES, {})[0], 200)
        self.assert_reason(self.post(machine, STOP_SERVICE, {"service": "echo"}), 403, "permission_denied", "ROLE_TOO_LOW")
        ann = self.context("ann")
        payload = base64.b64encode(b"hello").decode()
        wait_until(lambda: self.post(ann, ECHO, {"payload": payload})[0] == 200, "echo reached")
        self.assertEqual(self.post(ann, STOP_SERVICE, {"service": "echo"})[0], 200)

    def test_others_are_refused(self):
        self.assert_reason(self.post(self.context(), LIST_SERVICES, {}), 401, "unauthenticated", "CREDENTIALS_MISSING")
        self.assert_reason(self.post(self.context("bob"), LIST_SERVICES, {}), 401, "unauthenticated", "CREDENTIALS_UNKNOWN")
        foreign = Authority(self.stack.directory, "foreign")
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        context.load_cert_chain(*map(str, foreign.issue("ann")))
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.post(context, LIST_SERVICES, {})

    def test_plain_http_is_not_spoken(self):
        connection = http.client.HTTPConnection(*self.stack.http("gateway"), timeout=PATIENCE)
        self.addCleanup(connection.close)
        with self.assertRaises((http.client.HTTPException, ConnectionError)):
            connection.request("GET", "/healthz")
            connection.getresponse()


if __name__ == "__main__":
    unittest.main()
