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

    def test_who_is_refused_is_not_read_and_counted(self):
        self.assert_reason(self.post(LIST_SERVICES, {"no such": "member"}), 401, "unauthenticated", "CREDENTIALS_MISSING")
        status, page = self.get("/metrics", TOKENS["viewer"])
        self.assertEqual(status, 200)
        self.assertIn(b'rawgate_gateway_refused_calls_total{reason="CREDENTIALS_MISSING"} 1\n', page)
        self.assertIn(b'rawgate_http_requests_total{service="gateway",code="401"} 1\n', page)
        self.assertIn(b'rawgate_http_connections_open{service="gateway"} 2\n', page)

    def get(self, path, token=None):
        connection = http.client.HTTPConnection(*self.stack.http("gateway"), timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("GET", path, headers={"authorization": f"Bearer {token}"} if token else {})
        response = connection.getresponse()
        return response.status, response.read()

    def test_pages_are_for_users(self):
        for path in ("/metrics", "/version"):
            self.assertEqual(self.get(path)[0], 401)
            self.assertEqual(self.get(path, "wrong")[0], 401)
            self.assertEqual(self.get(path, TOKENS["viewer"])[0], 200)

    def test_strangers_learn_whether_it_is_ready_and_no_more(self):
        self.assertEqual(self.get("/healthz"), (200, b"ok\n"))
        self.stack.programs.pop("echo").stop()
        wait_until(lambda: b"unreachable" in self.get("/readyz", TOKENS["viewer"])[1], "the end of echo")
        self.assertEqual(self.get("/readyz"), (200, b'{"ready":true,"not_serving":[]}\n'))


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
