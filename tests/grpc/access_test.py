"""The gate at its edges: credentials that are none, users that come and go while calls are made, addresses that are not to
be served without one."""

import socket
import struct
import subprocess
import tempfile
import threading
import unittest

import grpc

from tests.harness import rpc
from tests.harness.access import AccessFile, as_user, bearer, one_user_for_each_role, user
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.program import BIN_DIR, clean_environment
from tests.harness.stack import Stack

UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY, END_STREAM, END_HEADERS = 0, 1, 3, 4, 7, 1, 4

stack = None
client = None
access = None


def setUpModule():
    global stack, client, access
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo")
    access = AccessFile(stack.directory / "access.textproto", one_user_for_each_role())
    stack.start_gateway(access.flag)
    client = rpc.Client(stack.gateway_target)
    unittest.addModuleCleanup(client.close)
    wait_until(lambda: described().state == rpc.control.SERVICE_STATE_RUNNING, "echo reported as running")


def described():
    request = rpc.control.GetServiceRequest(service="echo")
    return client.control.GetService(request, timeout=PATIENCE, metadata=as_user("admin")).service


def echo(metadata):
    return client.echo.Echo(rpc.echo.EchoRequest(payload=b"on"), timeout=PATIENCE, metadata=metadata)


def refusal(metadata):
    """Code and reason of a call that must fail; None when it does not."""
    try:
        echo(metadata)
    except grpc.RpcError as error:
        return error.code(), rpc.reason_and_details(error)[0]
    return None


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def header(name, value):
    """A literal header field without indexing and with a new name (RFC 7541, 6.2.2); at most 126 bytes each."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


class BrokenTokenTest(unittest.TestCase):
    def setUp(self):
        self.served = described().counters.requests

    def tearDown(self):
        self.assertEqual(described().counters.requests, self.served, "a refused call has reached the service")
        self.assertEqual(echo(as_user("operator")).payload, b"ON")

    def test_shapes_that_are_no_token(self):
        token = as_user("operator")[0][1].removeprefix("Bearer ")
        for value in ("", token, "Bearer", "Bearer ", f"Bearer{token}", f"Bearer {token} {token}",
                      f"Bearer {token},", f"Basic {token}", f"Digest {token}", f"Token {token}", f"Bearer {token[:-1]}",
                      f"Bearer {token.upper()}", f"Bearer {'a' * 5000}", f'Bearer "{token}"'):
            with self.subTest(value=value[:40]):
                self.assertEqual(refusal((("authorization", value),)), (UNAUTHENTICATED, "CREDENTIALS_UNKNOWN"))

    def test_two_headers(self):
        self.assertEqual(refusal(2 * as_user("operator")), (UNAUTHENTICATED, "CREDENTIALS_UNKNOWN"))
        self.assertEqual(refusal(as_user("operator") + bearer("x")), (UNAUTHENTICATED, "CREDENTIALS_UNKNOWN"))

    def test_other_names_are_no_credentials(self):
        for name in ("proxy-authorization", "x-authorization", "authorization-bin", "x-rawgate-user", "x-rawgate-role",
                     "x-rawgate-http-cert-uri-bin", "x-rawgate-http-cert-cn-bin", "cookie"):
            with self.subTest(name=name):
                value = b"admin" if name.endswith("-bin") else "admin"
                self.assertEqual(refusal(((name, value),)), (UNAUTHENTICATED, "CREDENTIALS_MISSING"))

    def test_more_than_grpc_takes(self):
        # On a connection of its own, which may be closed for it.
        own = rpc.Client(stack.gateway_target, {"grpc.use_local_subchannel_pool": 1})
        self.addCleanup(own.close)
        with self.assertRaises(grpc.RpcError) as raised:
            own.echo.Echo(rpc.echo.EchoRequest(), timeout=PATIENCE, metadata=bearer("a" * 10_000))
        self.assertEqual(raised.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)

    def test_bytes_that_no_client_library_sends(self):
        token = as_user("operator")[0][1].encode()
        for value in (b"Bearer \0", b"Bearer\t" + token[7:], token + b"\0", token[:9] + b"\n" + token[9:], token + b"\r\n", b"\xff\xfe", b"\x7f",
                      token + b"\x01"):
            with self.subTest(value=value):
                self.send_raw(value)

    def send_raw(self, authorization):
        """Makes a call by hand, and waits until the gateway has answered it in whatever way."""
        host, _, port = stack.gateway_target.rpartition(":")
        block = b"".join(header(name, value) for name, value in (
            (b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/rawgate.echo.v1.EchoService/Echo"),
            (b":authority", b"x"), (b"te", b"trailers"), (b"content-type", b"application/grpc"),
            (b"authorization", authorization)))
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0) +
                               frame(HEADERS, END_HEADERS, 1, block) + frame(DATA, END_STREAM, 1, b"\0\0\0\0\0"))
            with connection.makefile("rb") as stream:
                while len(head := stream.read(9)) == 9:
                    length, kind, _, _ = struct.unpack(">IBBI", b"\0" + head)
                    stream.read(length)
                    if kind in (HEADERS, RST_STREAM, GOAWAY):
                        break


class ReloadTest(unittest.TestCase):
    def setUp(self):
        self.addCleanup(self.settle)
        self.stop = threading.Event()
        self.failures = []
        self.calls = 0

    def settle(self):
        access.put(one_user_for_each_role())
        wait_until(lambda: refusal(as_user("executor")) is None, "the first users again")

    def keep_calling(self):
        while not self.stop.is_set():
            failed = refusal(as_user("operator"))
            self.calls += 1
            if failed:
                self.failures.append(failed)

    def under_load(self):
        callers = [threading.Thread(target=self.keep_calling) for _ in range(4)]
        for caller in callers:
            caller.start()

        def end():
            self.stop.set()
            for caller in callers:
                caller.join()
        self.addCleanup(end)
        return end

    def test_users_come_and_go_under_load(self):
        end = self.under_load()
        for number in range(5):
            newcomer = bearer(f"of the newcomer {number}".replace(" ", "-"))
            self.assertEqual(refusal(newcomer), (UNAUTHENTICATED, "CREDENTIALS_UNKNOWN"))
            token = newcomer[0][1].removeprefix("Bearer ")
            access.put(one_user_for_each_role() + user("newcomer", "operator", token))
            wait_until(lambda who=newcomer: refusal(who) is None, "the newcomer is let in")
            access.put(one_user_for_each_role())
            wait_until(lambda who=newcomer: refusal(who) is not None, "the newcomer is gone")
        end()
        self.assertGreater(self.calls, 0)
        self.assertEqual(self.failures, [])

    def test_another_role_counts_from_the_next_call_on(self):
        access.put(user("viewer", "operator", "token-of-the-viewer") + user("admin", "admin", "token-of-the-admin"))
        wait_until(lambda: refusal(as_user("viewer")) is None, "the viewer is operator")
        self.assertEqual(refusal(as_user("operator")), (UNAUTHENTICATED, "CREDENTIALS_UNKNOWN"))

    def test_a_broken_file_changes_nothing_and_is_logged_once(self):
        log = stack.programs["gateway"].log_path
        end = self.under_load()
        access.put(user("viewer", "viewer", "x") + 'user { name: "ops" role: ROLE_ADMIN token_sha256: "plain-secret" }\n')
        wait_until(lambda: "the users in force stay" in log.read_text(), "a line in the log")
        for _ in range(20):
            self.assertIsNone(refusal(as_user("operator")))
        access.path.unlink()
        wait_until(lambda: "No such file" in log.read_text(), "another line in the log")
        end()
        self.settle()
        wait_until(lambda: "is good again" in log.read_text(), "the last line in the log")
        self.assertEqual(self.failures, [])
        text = log.read_text()
        self.assertIn('access.textproto:2:37: user "ops" has a token_sha256 that is not 64', text)
        self.assertEqual(text.count('user "ops"'), 1)
        self.assertNotIn("plain-secret", text)


class InProgressTest(unittest.TestCase):
    """Calls in progress end when their caller may not make them any more, and no others do."""

    LEAVING = "of-one-who-leaves"

    def setUp(self):
        self.addCleanup(access.put, one_user_for_each_role())
        access.put(one_user_for_each_role() + user("leaving", "operator", self.LEAVING))
        wait_until(lambda: refusal(bearer(self.LEAVING)) is None, "the newcomer is let in")
        self.sending = threading.Event()
        self.addCleanup(self.sending.set)

    def requests(self):
        yield rpc.echo.ConverseRequest(payload=b"a")
        self.sending.wait()

    def converse(self, metadata):
        """A conversation that has begun."""
        call = client.echo.Converse(self.requests(), timeout=PATIENCE, metadata=metadata)
        self.addCleanup(call.cancel)
        next(call)
        return call

    def watch_events(self, metadata):
        call = client.control.WatchEvents(rpc.control.WatchEventsRequest(), timeout=PATIENCE, metadata=metadata)
        self.addCleanup(call.cancel)
        next(call)
        return call

    def watch_services(self, metadata):
        call = client.control.WatchServices(rpc.control.WatchServicesRequest(), timeout=PATIENCE, metadata=metadata)
        self.addCleanup(call.cancel)
        next(call)
        return call

    def end_of(self, call):
        with self.assertRaises(grpc.RpcError) as raised:
            for _ in call:
                pass
        return raised.exception.code(), rpc.reason_and_details(raised.exception)[0]

    def test_whoever_is_removed_loses_calls(self):
        staying = self.converse(as_user("operator"))
        begins = (self.converse, self.watch_events, self.watch_services)
        calls = [begin(bearer(self.LEAVING)) for begin in begins]
        access.put(one_user_for_each_role())
        for call, begin in zip(calls, begins):
            with self.subTest(call=begin.__name__):
                self.assertEqual(self.end_of(call), (UNAUTHENTICATED, "CREDENTIALS_UNKNOWN"))
        self.sending.set()
        self.assertEqual(list(staying), [])

    def test_a_lower_role_ends_what_it_may_not(self):
        conversation, watch = self.converse(bearer(self.LEAVING)), self.watch_services(bearer(self.LEAVING))
        access.put(one_user_for_each_role() + user("leaving", "viewer", self.LEAVING))
        self.assertEqual(self.end_of(conversation), (grpc.StatusCode.PERMISSION_DENIED, "ROLE_TOO_LOW"))
        self.assertTrue(watch.is_active())


class StartTest(unittest.TestCase):
    """What the gateway says at its start, and what it does not serve."""

    def run_gateway(self, *flags):
        """A start that must fail: exit code and log."""
        ended = subprocess.run([BIN_DIR / "rawgate-gateway", "--backends=echo=127.0.0.1:1", *flags], check=False,
                               capture_output=True, text=True, timeout=PATIENCE, env=clean_environment())
        self.assertEqual(ended.stdout, "")
        return ended.returncode, ended.stderr

    def test_an_address_off_loopback_takes_tls_and_users(self):
        listen = "--listen=grpc=tcp://0.0.0.0:0"
        code, log = self.run_gateway(listen)
        self.assertEqual(code, 1)
        self.assertIn("--access_file, which `rawgate init-tls DIR` makes", log)
        self.assertEqual(self.run_gateway(listen, access.flag)[0], 1)

    def test_a_bad_access_file_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            bad = AccessFile(f"{folder}/access", 'user {\n  name: "ops"\n  role: ROLE_KING\n}\n')
            code, log = self.run_gateway("--listen=grpc=tcp://127.0.0.1:0", bad.flag)
            self.assertEqual(code, 1)
            self.assertIn('access:4:1: Unknown enumeration value of "ROLE_KING"', log)
            code, log = self.run_gateway("--listen=grpc=tcp://127.0.0.1:0", f"--access_file={folder}/none")
            self.assertEqual(code, 1)
            self.assertIn("No such file or directory", log)

    def test_the_log_says_whom_it_is_open_to(self):
        self.assertIn("open to 4 users", stack.programs["gateway"].log_path.read_text())


if __name__ == "__main__":
    unittest.main()
