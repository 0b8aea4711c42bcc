"""The gateway's HTTP door: the Connect protocol as curl and http.client speak it, and what it refuses."""

import base64
import http.client
import json
import socket
import struct
import subprocess
import unittest
import urllib.parse

from tests.harness import rpc
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.stack import HTTP, Stack

GET_TIME = "/rawgate.time.v1.TimeService/GetTime"
ECHO = "/rawgate.echo.v1.EchoService/Echo"
CONVERSE = "/rawgate.echo.v1.EchoService/Converse"
DELETE_FILE = "/rawgate.file.v1.FileService/DeleteFile"
STAT_FILE = "/rawgate.file.v1.FileService/StatFile"
DOWNLOAD = "/rawgate.file.v1.FileService/Download"
WATCH_TIME = "/rawgate.time.v1.TimeService/WatchTime"
WATCH_SERVICES = "/rawgate.control.v1.ControlService/WatchServices"
LIST_SERVICES = "/rawgate.control.v1.ControlService/ListServices"
HEALTH = "/grpc.health.v1.Health/Check"

stack = Stack()


def setUpModule():
    unittest.addModuleCleanup(stack.stop)
    for name in ("echo", "time", "file"):
        stack.start_service(name)
    stack.start_gateway(HTTP)
    rpc.client_of(stack).close()


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.type = response.getheader("content-type")
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


def ask(method, path, body=None, **headers):
    connection = http.client.HTTPConnection(*stack.http("gateway"), timeout=PATIENCE)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def post(path, body, content_type="application/json", **headers):
    return ask("POST", path, body, content_type=content_type, **headers)


def envelope(message, flags=0):
    return struct.pack(">BI", flags, len(message)) + message


def envelopes(body):
    """(flags, message) of each."""
    while body:
        flags, size = struct.unpack(">BI", body[:5])
        yield flags, body[5:5 + size]
        body = body[5 + size:]


def stream(path, *messages, **headers):
    """The messages of a JSON stream, and what its end says."""
    answer = post(path, b"".join(envelope(json.dumps(message).encode()) for message in messages),
                  "application/connect+json", **headers)
    assert (answer.status, answer.type) == (200, "application/connect+json"), (answer.status, answer.body)
    *parts, (flags, end) = envelopes(answer.body)
    assert flags == 2 and all(flag == 0 for flag, _ in parts)
    return [json.loads(message) for _, message in parts], json.loads(end)


class ConnectCase(unittest.TestCase):
    def assert_error(self, answer, status, code, reason=None):
        self.assertEqual((answer.status, answer.type), (status, "application/json"), answer.body)
        self.check_error(answer.json(), code, reason)

    def check_error(self, error, code, reason):
        self.assertEqual(error["code"], code, error)
        if reason:
            (info,) = [each for each in error["details"] if each["type"] == "google.rpc.ErrorInfo"]
            self.assertEqual(info["debug"]["reason"], reason)
            self.assertEqual(info["debug"]["domain"], "rawgate")
            packed = base64.b64decode(info["value"] + "=" * (-len(info["value"]) % 4))
            self.assertEqual(rpc.error_details_pb2.ErrorInfo.FromString(packed).reason, reason)


class UnaryTest(ConnectCase):
    def test_curl_asks_the_time(self):
        host, port = stack.http("gateway")
        asked = subprocess.run(
            ["curl", "-sS", "-H", "content-type: application/json", "-d", '{"format":"%H:%M"}',
             f"http://{host}:{port}{GET_TIME}"], capture_output=True, timeout=PATIENCE, check=True)
        self.assertRegex(json.loads(asked.stdout)["formatted"], r"^\d\d:\d\d$")

    def test_json_and_binary_say_the_same(self):
        as_json = post(ECHO, json.dumps({"payload": base64.b64encode(b"hello").decode()}))
        self.assertEqual((as_json.status, as_json.type), (200, "application/json"))
        self.assertEqual(base64.b64decode(as_json.json()["payload"]), b"HELLO")
        request = rpc.echo.EchoRequest(payload=b"hello").SerializeToString()
        binary = post(ECHO, request, "application/proto")
        self.assertEqual((binary.status, binary.type), (200, "application/proto"))
        self.assertEqual(rpc.echo.EchoResponse.FromString(binary.body).payload, b"HELLO")

    def test_what_only_reads_is_asked_by_get(self):
        message = json.dumps({"format": "still"})
        query = urllib.parse.urlencode({"connect": "v1", "encoding": "json", "message": message})
        self.assertEqual(ask("GET", f"{GET_TIME}?{query}").json()["formatted"], "still")
        packed = rpc.time.GetTimeRequest(format="still").SerializeToString()
        message = base64.urlsafe_b64encode(packed).decode().rstrip("=")
        answer = ask("GET", f"{GET_TIME}?connect=v1&encoding=proto&base64=1&message={message}")
        self.assertEqual(rpc.time.GetTimeResponse.FromString(answer.body).formatted, "still")

    def test_control_and_health_are_served_too(self):
        names = [service["name"] for service in post(LIST_SERVICES, "{}").json()["services"]]
        self.assertEqual(names, ["echo", "file", "time"])
        self.assertEqual(post(HEALTH, "{}").json(), {"status": "SERVING"})

    def test_an_error_of_a_service(self):
        self.assert_error(post(STAT_FILE, '{"filename":"missing"}'), 404, "not_found", "FILE_NOT_FOUND")

    def test_methods_that_there_are_not(self):
        for path in ("/rawgate.time.v1.TimeService/SetClock", "/a.B/C", "/", "/rawgate.time.v1.TimeService/"):
            self.assert_error(post(path, "{}"), 404, "unimplemented", "UNKNOWN_METHOD")
        self.assertEqual(ask("GET", "/a.B/C").status, 404)

    def test_other_verbs(self):
        for verb in ("GET", "PUT", "DELETE", "HEAD", "OPTIONS"):
            answer = ask(verb, DELETE_FILE)
            self.assertEqual((answer.status, answer.headers["allow"]), (405, "POST"), verb)
        self.assertEqual(ask("PUT", GET_TIME).headers["allow"], "GET, POST")

    def test_other_content_types(self):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/grpc", "application/grpc-web+proto",
                     "application/connect+json", "application/json; charset=latin-1", "application/jsonx", "json", ""):
            answer = post(GET_TIME, "{}", kind)
            self.assertEqual(answer.status, 415, kind)
            self.assertEqual(answer.headers["accept-post"], "application/json, application/proto")
        self.assertEqual(post(GET_TIME, "{}", "Application/JSON; charset=UTF-8").status, 200)
        self.assertEqual(post(WATCH_TIME, "{}").status, 415)
        self.assertEqual(ask("GET", f"{GET_TIME}?encoding=xml&message=%7B%7D").status, 415)

    def test_bad_messages(self):
        for body in ("", "{", "[]", "null", '{"format":"a"}}', '{"formt":"a"}', '{"format":1}', b'{"format":"\xff"}',
                     "[" * 10_000, '{"format":' * 10_000, '{"format":"' + "\\" * 99):
            self.assert_error(post(GET_TIME, body), 400, "invalid_argument", "BAD_JSON")
        self.assertIn("formt", post(GET_TIME, '{"formt":"a"}').json()["message"])
        self.assertGreaterEqual(post(GET_TIME, b"\x0a\x7f", "application/proto").status, 400)
        self.assert_error(ask("GET", f"{GET_TIME}?encoding=json&message=%zz"), 400, "invalid_argument", "BAD_QUERY")
        self.assert_error(ask("GET", f"{GET_TIME}?encoding=proto&base64=1&message=*"), 400, "invalid_argument", "BAD_QUERY")

    def test_compression_is_not_spoken(self):
        self.assert_error(post(GET_TIME, "{}", content_encoding="gzip"), 501, "unimplemented", "COMPRESSED")
        self.assertEqual(post(GET_TIME, "{}", content_encoding="identity", accept_encoding="gzip").status, 200)
        self.assert_error(ask("GET", f"{GET_TIME}?encoding=json&compression=br&message=%7B%7D"), 501, "unimplemented", "COMPRESSED")

    def test_the_protocols_own_headers(self):
        self.assertEqual(post(GET_TIME, "{}", connect_protocol_version="1").status, 200)
        self.assert_error(post(GET_TIME, "{}", connect_protocol_version="2"), 400, "invalid_argument", "BAD_PROTOCOL_VERSION")
        for wrong in ("", "soon", "-1", "12345678901", "1.5"):
            self.assert_error(post(GET_TIME, "{}", connect_timeout_ms=wrong), 400, "invalid_argument", "BAD_TIMEOUT")
        self.assert_error(post(GET_TIME, "{}", connect_timeout_ms="0"), 504, "deadline_exceeded", "DEADLINE_EXCEEDED")
        self.assert_error(post(GET_TIME, "{}", x_odd_bin="*"), 400, "invalid_argument", "BAD_METADATA")

    def test_large_messages(self):
        payload = base64.b64encode(bytes(1_000_000)).decode()
        self.assertEqual(len(base64.b64decode(post(ECHO, json.dumps({"payload": payload})).json()["payload"])), 1_000_000)
        self.assertEqual(post(ECHO, b" " * (5 << 20)).status, 413)


class StreamTest(ConnectCase):
    def test_messages_and_an_end(self):
        (stack.file_root / "streamed").write_bytes(b"content")
        messages, end = stream(DOWNLOAD, {"filename": "streamed"})
        self.assertEqual(base64.b64decode(messages[1]["data"]), b"content")
        self.assertEqual(list(messages[-1]), ["trailer"])
        self.assertNotIn("error", end)

    def test_many_messages_arrive_in_order(self):
        (stack.file_root / "long").write_bytes(content := b"".join(struct.pack(">I", i) for i in range(2_000_000)))
        messages, end = stream(DOWNLOAD, {"filename": "long"})
        self.assertNotIn("error", end)
        self.assertEqual(b"".join(base64.b64decode(each.get("data", "")) for each in messages), content)

    def test_an_error_is_in_the_end(self):
        messages, end = stream(DOWNLOAD, {"filename": "missing"})
        self.assertEqual(messages, [])
        self.check_error(end["error"], "not_found", "FILE_NOT_FOUND")

    def test_a_deadline(self):
        messages, end = stream(WATCH_SERVICES, {}, connect_timeout_ms="300")
        self.assertTrue(messages[0]["snapshot"])
        self.check_error(end["error"], "deadline_exceeded", None)

    def test_a_conversation_whose_one_side_is_said_first(self):
        messages, end = stream(CONVERSE, *({"payload": base64.b64encode(text).decode()} for text in (b"a", b"b")))
        self.assertEqual([base64.b64decode(each["payload"]) for each in messages], [b"A", b"B"])
        self.assertNotIn("error", end)

    def test_bad_envelopes(self):
        for body in (b"", b"\0\0", envelope(b"{}")[:-1], envelope(b"{}") * 2, b"\0\xff\xff\xff\xff", envelope(b"{}", 2)):
            ((flags, end),) = envelopes(post(DOWNLOAD, body, "application/connect+json").body)
            self.assertEqual(flags, 2)
            self.check_error(json.loads(end)["error"], "invalid_argument", "BAD_ENVELOPE")
        for refused in (post(DOWNLOAD, envelope(b"{}", 1), "application/connect+json"),
                        post(DOWNLOAD, envelope(b"{}"), "application/connect+json", connect_content_encoding="gzip")):
            ((_, end),) = envelopes(refused.body)
            self.check_error(json.loads(end)["error"], "unimplemented", "COMPRESSED")

    def test_a_bad_message_among_good_ones(self):
        for bodies in ((b"nonsense", b"{}"), (b"{}", b"nonsense")):
            *_, (_, end) = envelopes(post(CONVERSE, b"".join(map(envelope, bodies)), "application/connect+json").body)
            self.check_error(json.loads(end)["error"], "invalid_argument", "BAD_JSON")

    def test_a_client_is_known_by_its_address_and_its_leaving_ends_the_call(self):
        client = rpc.Client(stack.gateway_target)
        self.addCleanup(client.close)

        def peers():
            request = rpc.control.ListConnectionsRequest(service="time")
            return [each.peer for each in client.control.ListConnections(request, timeout=PATIENCE).connections]

        body = envelope(b"{}")
        with socket.create_connection(stack.http("gateway"), PATIENCE) as connection:
            own = "tcp://{}:{}".format(*connection.getsockname())
            connection.sendall(f"POST {WATCH_TIME} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/connect+json\r\n"
                               "x-rawgate-peer: tcp://10.0.0.1:1\r\nx-rawgate-role: viewer\r\n"
                               f"content-length: {len(body)}\r\n\r\n".encode() + body)
            self.assertTrue(connection.recv(100))
            self.assertIn(own, peers())
            self.assertNotIn("tcp://10.0.0.1:1", peers())
        wait_until(lambda: own not in peers(), "the end of the watch")


class PagesTest(unittest.TestCase):
    def test_pages(self):
        self.assertEqual(ask("GET", "/healthz").body, b"ok\n")
        self.assertEqual(ask("GET", "/readyz").json(), {"ready": True, "not_serving": []})
        self.assertEqual(ask("GET", "/version").json()["name"], "gateway")
        self.assertEqual(ask("HEAD", "/healthz").headers["content-length"], "3")

    def test_pages_of_other_origins_are_refused(self):
        self.assertEqual(post(GET_TIME, "{}", origin="http://evil.example").status, 403)
        host, port = stack.http("gateway")
        self.assertEqual(post(GET_TIME, "{}", origin=f"http://{host}:{port}").status, 200)

    def test_other_hosts_are_refused(self):
        self.assertEqual(ask("GET", "/healthz", host="evil.example").status, 421)


class OwnStackTest(ConnectCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.stop)

    def get(self, name, path):
        connection = http.client.HTTPConnection(*self.stack.http(name), timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("GET", path)
        return Answer(connection.getresponse())

    def test_a_service_is_ready_while_its_listeners_serve(self):
        client = rpc.Client(self.stack.start_service("echo", HTTP).rpc_target)
        self.addCleanup(client.close)
        self.assertEqual(self.get("echo", "/readyz").status, 200)
        client.stop("echo", "udp")
        stopped = self.get("echo", "/readyz")
        self.assertEqual((stopped.status, stopped.json()),
                         (503, {"ready": False, "not_serving": [{"name": "udp", "state": "stopped"}]}))
        self.assertEqual(self.get("echo", "/healthz").status, 200)
        client.start("echo", "udp")
        self.assertEqual(self.get("echo", "/readyz").status, 200)

    def test_an_unreachable_backend_is_told_and_its_calls_fail(self):
        self.stack.start_gateway(HTTP, backends={"echo": "127.0.0.1:1"})
        ready = self.get("gateway", "/readyz")
        self.assertEqual((ready.status, ready.json()["not_serving"]),
                         (200, [{"name": "backend echo", "state": "unreachable"}]))
        connection = http.client.HTTPConnection(*self.stack.http("gateway"), timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("POST", ECHO, "{}", {"content-type": "application/json"})
        self.assert_error(Answer(connection.getresponse()), 503, "unavailable", "BACKEND_UNREACHABLE")

    def test_a_drain_ends_streams_with_a_word(self):
        self.stack.start_service("time")
        gateway = self.stack.start_gateway(HTTP)
        rpc.client_of(self.stack).close()
        connection = http.client.HTTPConnection(*self.stack.http("gateway"), timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("POST", WATCH_TIME, envelope(b"{}"), {"content-type": "application/connect+json"})
        response = connection.getresponse()
        self.assertEqual(response.status, 200)
        self.assertTrue(response.read(5))
        gateway.process.terminate()
        rest = response.read()
        self.assertIn(b'"unavailable"', rest)
        self.assertIn(b"DRAINING", rest)
        gateway.expect_exit(0)
        del self.stack.programs["gateway"]


if __name__ == "__main__":
    unittest.main()
