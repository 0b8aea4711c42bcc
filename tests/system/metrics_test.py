"""/metrics of the six processes: what Prometheus accepts, counts that move as they should after known traffic, and no
series that a client makes."""

import collections
import http.client
import json
import re
import ssl
import subprocess
import time
import unittest

import grpc

from tests.conformance.plain_client import connect, datagram_socket, receive_exactly
from tests.harness import rpc
from tests.harness.access import AccessFile, as_user, bearer, one_user_for_each_role
from tests.harness.certificates import Authority
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.metrics import page_of, scrape
from tests.harness.program import REPOSITORY
from tests.harness.stack import HTTP, LISTENERS, Stack

PROGRAMS = [*LISTENERS, "gateway"]
ECHO = {"grpc_service": "rawgate.echo.v1.EchoService", "grpc_method": "Echo"}
CONVERSE = {"grpc_service": "rawgate.echo.v1.EchoService", "grpc_method": "Converse"}
LIST = {"grpc_service": "rawgate.control.v1.ControlService", "grpc_method": "ListServices"}

stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack(stable_ports=True)
    unittest.addModuleCleanup(stack.stop)
    stack.start_all(HTTP)
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


def page(name):
    return page_of(stack.programs[name])


class Growth:
    """How much samples of one process have grown since this was made."""

    def __init__(self, program):
        self.program = program
        self.before = page(program)

    def of(self, name, **labels):
        after = sum(page(self.program).find(name, **labels).values())
        return after - sum(self.before.find(name, **labels).values())


class PageTest(unittest.TestCase):
    def test_prometheus_finds_nothing_wrong(self):
        for name in PROGRAMS:
            with self.subTest(program=name):
                checked = subprocess.run(["promtool", "check", "metrics"], input=scrape(stack.programs[name]), text=True,
                                         capture_output=True, timeout=PATIENCE, check=False)
                self.assertEqual((checked.returncode, checked.stderr), (0, ""))

    def test_every_process_tells_what_it_is_and_what_it_takes(self):
        for name in PROGRAMS:
            with self.subTest(program=name):
                now = page(name)
                self.assertEqual(now.value("rawgate_build_info", service=name), 1)
                program = stack.programs[name]
                self.assertGreater(now.value("process_resident_memory_bytes"), 1 << 20)
                self.assertGreater(now.value("process_open_fds"), 3)
                self.assertGreater(now.value("process_max_fds"), now.value("process_open_fds"))
                self.assertGreaterEqual(now.value("process_threads"), 2)
                before = program.cpu_seconds()
                self.assertLessEqual(before, page(name).value("process_cpu_seconds_total"))

    def test_listeners_are_up(self):
        for name in LISTENERS:
            with self.subTest(program=name):
                up = page(name).find("rawgate_listener_up", service=name)
                self.assertEqual(len(up), len(LISTENERS[name]))
                self.assertEqual(set(up.values()), {1})

    def test_all_methods_are_there_before_anybody_calls_them(self):
        """Rates need a first value."""
        started = page("gateway").find("grpc_server_started_total")
        services = {dict(labels)["grpc_service"] for labels in started}
        self.assertEqual(services, {f"rawgate.{area}.v1.{area.capitalize()}Service"
                                    for area in ("control", "echo", "exec", "time", "file", "chat")}
                         | {"google.bytestream.ByteStream", "grpc.health.v1.Health", "unknown",
                            "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"})


class StreamListenerTest(unittest.TestCase):
    LABELS = {"service": "echo", "listener": "tcp"}

    def test_connections_bytes_requests(self):
        growth = Growth("echo")
        with connect(stack.address("echo", "tcp")) as one:
            one.sendall(b"hello")
            self.assertEqual(receive_exactly(one, 5), b"HELLO")
            self.assertEqual(growth.of("rawgate_listener_connections", **self.LABELS), 1)
        wait_until(lambda: growth.of("rawgate_listener_connections", **self.LABELS) == 0, "the end of the connection")
        for name, value in (("rawgate_listener_connections_opened_total", 1), ("rawgate_listener_received_bytes_total", 5),
                            ("rawgate_listener_sent_bytes_total", 5), ("rawgate_listener_requests_total", 1),
                            ("rawgate_listener_request_errors_total", 0), ("rawgate_request_duration_seconds_count", 1)):
            self.assertEqual(growth.of(name, **self.LABELS), value, name)
        closed = growth.of("rawgate_listener_connections_closed_total", reason="peer_closed", **self.LABELS)
        self.assertEqual(closed, 1)

    def test_how_long_commands_took(self):
        growth = Growth("exec")
        with connect(stack.address("exec", "sized")) as one:
            one.sendall(b"sleep 0.3; false\n")
            receive_exactly(one, 4)
            wait_until(lambda: growth.of("rawgate_listener_requests_total", listener="sized") == 1, "the request's count")
        self.assertGreaterEqual(growth.of("rawgate_request_duration_seconds_sum", listener="sized"), 0.3)
        self.assertEqual(growth.of("rawgate_request_duration_seconds_bucket", listener="sized", le="0.25"), 0)
        self.assertEqual(growth.of("rawgate_request_duration_seconds_bucket", listener="sized", le="+Inf"), 1)


class DatagramListenerTest(unittest.TestCase):
    LABELS = {"service": "time", "listener": "udp"}

    def test_answered_and_dropped(self):
        growth = Growth("time")
        with datagram_socket(stack.address("time", "udp")) as one:
            for _ in range(3):
                one.send(b"%Y")
                one.recv(100)
        wait_until(lambda: growth.of("rawgate_request_duration_seconds_count", **self.LABELS) == 3, "three requests")
        for name in ("datagrams_received", "datagrams_sent", "requests"):
            self.assertEqual(growth.of(f"rawgate_listener_{name}_total", **self.LABELS), 3, name)
        self.assertEqual(growth.of("rawgate_listener_datagrams_dropped_total", **self.LABELS), 0)

    def test_every_reason_is_there(self):
        dropped = page("time").find("rawgate_listener_datagrams_dropped_total", **self.LABELS)
        reasons = {dict(labels)["reason"] for labels in dropped}
        self.assertEqual(reasons, {"source_port", "source_address", "responder_port", "broadcast", "malformed", "source_rate",
                                   "global_rate", "size"})
        self.assertEqual(page("time").find("rawgate_listener_connections"), {})


class ClientTest(unittest.TestCase):
    def test_connections_of_the_gateways_own_clients(self):
        growth = Growth("gateway")
        other = rpc.Client(stack.gateway_target, {"grpc.use_local_subchannel_pool": 1})
        self.addCleanup(other.close)
        other.control.ListServices(rpc.control.ListServicesRequest(), timeout=PATIENCE)
        labels = {"service": "gateway", "listener": "grpc"}
        self.assertEqual(growth.of("rawgate_listener_connections", **labels), 1)
        self.assertEqual(growth.of("rawgate_listener_connections_opened_total", **labels), 1)
        self.assertGreater(page("gateway").value("rawgate_listener_connections_max", **labels), 1)
        other.close()
        wait_until(lambda: growth.of("rawgate_listener_connections", **labels) == 0, "the end of the connection")
        self.assertEqual(growth.of("rawgate_listener_connections_opened_total", **labels), 1)


class CallTest(unittest.TestCase):
    def test_unary_calls_are_counted_at_the_gateway_and_in_the_service(self):
        at_gateway, at_service = Growth("gateway"), Growth("echo")
        for _ in range(5):
            client.echo.Echo(rpc.echo.EchoRequest(payload=b"x"), timeout=PATIENCE)
        for growth in (at_gateway, at_service):
            for name in ("started", "msg_received", "msg_sent"):
                self.assertEqual(growth.of(f"grpc_server_{name}_total", **ECHO), 5, name)
            self.assertEqual(growth.of("grpc_server_handled_total", grpc_code="OK", **ECHO), 5)
            self.assertEqual(growth.of("grpc_server_handling_seconds_count", **ECHO), 5)
            self.assertGreater(growth.of("grpc_server_handling_seconds_sum", **ECHO), 0)

    def test_streams(self):
        growth = Growth("gateway")
        answers = client.echo.Converse((rpc.echo.ConverseRequest(payload=b"%d" % i) for i in range(7)), timeout=PATIENCE)
        count = sum(1 for _ in answers)
        wait_until(lambda: growth.of("grpc_server_handled_total", grpc_code="OK", **CONVERSE) == 1, "the stream's end")
        self.assertEqual(growth.of("grpc_server_msg_received_total", grpc_type="bidi_stream", **CONVERSE), 7)
        self.assertEqual(growth.of("grpc_server_msg_sent_total", grpc_type="bidi_stream", **CONVERSE), count)

    def test_calls_that_the_gateway_answers_itself(self):
        growth = Growth("gateway")
        for _ in range(3):
            client.control.ListServices(rpc.control.ListServicesRequest(), timeout=PATIENCE)
        self.assertEqual(growth.of("grpc_server_handled_total", grpc_code="OK", **LIST), 3)
        self.assertEqual(growth.of("grpc_server_started_total", **LIST), 3)

    def test_errors_by_their_code(self):
        growth = Growth("gateway")
        code, *_ = rpc.error_of(client.file.StatFile, rpc.file.StatFileRequest(filename="nobody-has-this"))
        self.assertEqual(code, grpc.StatusCode.NOT_FOUND)
        self.assertEqual(growth.of("grpc_server_handled_total", grpc_code="NotFound", grpc_method="StatFile"), 1)

    def test_names_that_clients_make_up_make_no_series(self):
        def unknown(path):
            call = client.channel.unary_unary(path, request_serializer=bytes, response_deserializer=bytes)
            with self.assertRaises(grpc.RpcError):
                call(b"", timeout=PATIENCE)

        unknown("/first.of/Its")
        before = page("gateway")
        growth = Growth("gateway")
        for i in range(50):
            unknown(f"/made.up{i}/Method")
            unknown(f"/rawgate.echo.v1.EchoService/Echo{i}")
            # No path of HTTP/2: that call's stream is reset, and counts as none.
            unknown(f'/x"}} {i}\\n/y')
        self.assertEqual(set(page("gateway").samples), set(before.samples))
        self.assertEqual(growth.of("grpc_server_handled_total", grpc_service="unknown", grpc_code="Unimplemented"), 100)
        self.assertEqual(growth.of("rawgate_gateway_refused_calls_total", reason="UNKNOWN_METHOD"), 100)


class StateTest(unittest.TestCase):
    def test_a_listener_that_an_operator_stops(self):
        self.addCleanup(client.start, "echo")
        client.stop("echo", "tcp")
        now = page("echo")
        self.assertEqual(now.value("rawgate_listener_up", service="echo", listener="tcp"), 0)
        self.assertEqual(now.value("rawgate_listener_wanted", service="echo", listener="tcp"), 0)
        self.assertEqual(now.value("rawgate_listener_up", service="echo", listener="udp"), 1)
        client.stop("echo")
        self.assertEqual(page("echo").value("rawgate_service_accepting", service="echo"), 0)
        client.start("echo")
        now = page("echo")
        self.assertEqual(now.value("rawgate_listener_up", service="echo", listener="tcp"), 1)
        self.assertEqual(now.value("rawgate_listener_wanted", service="echo", listener="tcp"), 1)

    def test_a_service_that_is_gone(self):
        def up(service):
            return page("gateway").value("rawgate_backend_up", service=service)

        self.assertEqual([up(name) for name in LISTENERS], [1] * len(LISTENERS))
        program = stack.programs["chat"]
        program.kill()
        wait_until(lambda: up("chat") == 0, "the service's absence in the metrics")
        self.assertEqual(up("echo"), 1)
        program.start()
        wait_until(lambda: up("chat") == 1, "the service's return")


class RefusalTest(unittest.TestCase):
    def test_who_may_not(self):
        own = Stack()
        self.addCleanup(own.stop)
        own.start_service("echo")
        access = AccessFile(own.directory / "access", one_user_for_each_role())
        program = own.start_gateway(HTTP, access.flag)
        caller = rpc.Client(own.gateway_target)
        self.addCleanup(caller.close)
        for metadata in (as_user("viewer"), bearer("nobody-has-this"), bearer("nor-this"), ()):
            rpc.error_of(caller.echo.Echo, rpc.echo.EchoRequest(payload=b"x"), metadata=metadata)
        # Those that the gateway answers itself as well.
        rpc.error_of(caller.control.ListServices, rpc.control.ListServicesRequest())
        rpc.error_of(caller.control.StopService, rpc.control.StopServiceRequest(service="echo"), metadata=as_user("viewer"))
        now = page_of(program, headers=dict(as_user("viewer")))
        for reason, count in (("ROLE_TOO_LOW", 2), ("CREDENTIALS_UNKNOWN", 2), ("CREDENTIALS_MISSING", 2), ("DRAINING", 0)):
            self.assertEqual(now.value("rawgate_gateway_refused_calls_total", reason=reason), count, reason)


class CertificateTest(unittest.TestCase):
    def test_when_it_expires(self):
        """Certificates of the harness are good for two days."""
        own = Stack()
        self.addCleanup(own.stop)
        authority = Authority(own.directory)
        certificate, key = authority.issue("echo")
        program = own.start_service("echo", HTTP, f"--tls_certificate={certificate}", f"--tls_key={key}")
        trust = ssl.create_default_context(cafile=authority.certificate)
        now = page_of(program, connection=http.client.HTTPSConnection, context=trust)
        left = now.value("rawgate_tls_certificate_expiry_timestamp_seconds") - time.time()
        self.assertAlmostEqual(left, 2 * 86400, delta=3600)

    def test_without_one_there_is_no_such_metric(self):
        for name in PROGRAMS:
            self.assertEqual(page(name).find("rawgate_tls_certificate_expiry_timestamp_seconds"), {})


class NamesTest(unittest.TestCase):
    """Whatever rules and dashboard name is something that a process tells."""

    NAME = re.compile(r"\b(?:rawgate|grpc_server|process)_[a-z_]+")
    # Only processes with a certificate have it.
    ELSEWHERE = {"rawgate_tls_certificate_expiry_timestamp_seconds"}

    def setUp(self):
        pages = [page(name) for name in PROGRAMS]
        self.told = set().union(*(one.names() for one in pages)) | self.ELSEWHERE
        self.labels = collections.defaultdict(set)
        for one in pages:
            for name, labels in one.samples:
                self.labels[name] |= {label for label, _ in labels}

    def assert_told(self, expressions):
        for expression in expressions:
            names = set(self.NAME.findall(expression))
            self.assertLessEqual(names, self.told, expression)

    def test_dashboard(self):
        dashboard = json.loads((REPOSITORY / "deploy/grafana/rawgate.json").read_text())
        expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
        self.assertGreater(len(expressions), 20)
        self.assert_told(expressions)

    def test_rules(self):
        rules = (REPOSITORY / "deploy/prometheus/rawgate.rules.yml").read_text()
        expressions = [line for line in rules.splitlines() if self.NAME.search(line)]
        self.assertGreater(len(expressions), 14)
        self.assert_told(expressions)

    def test_labels_by_which_sums_are_made(self):
        """`program` and `instance` are the scraper's."""
        known = set().union(*self.labels.values()) | {"program", "instance"}
        for file in ("deploy/grafana/rawgate.json", "deploy/prometheus/rawgate.rules.yml"):
            for labels in re.findall(r"\bby \(([a-z_, ]+)\)", (REPOSITORY / file).read_text()):
                self.assertLessEqual(set(labels.split(", ")), known, file)


if __name__ == "__main__":
    unittest.main()
