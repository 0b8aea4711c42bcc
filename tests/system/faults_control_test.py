"""Who may have a listener misbehave, what is refused, what is told of it, and `rawgate fault`."""

import json
import subprocess
import unittest

import grpc

from tests.conformance.plain_client import datagram_socket
from tests.harness import rpc
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.faults import ALLOWED, faults, set_faults
from tests.harness.program import BIN_DIR, clean_environment
from tests.harness.stack import HTTP, Stack

stack = None
client = None


def setUpModule():
    global stack, client
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("echo", ALLOWED, HTTP)
    stack.start_service("time", environment={"RAWGATE_ALLOW_FAULTS": "true"})
    stack.start_service("chat")
    stack.start_gateway()
    client = rpc.client_of(stack)
    unittest.addModuleCleanup(client.close)


def error_of(service="echo", listener="", **fields):
    request = rpc.control.SetFaultsRequest(service=service, listener=listener, faults=faults(**fields))
    code, reason, details = rpc.error_of(client.control.SetFaults, request)
    violations = details.get("google.rpc.BadRequest")
    return code, reason, violations.field_violations[0].field if violations else None


class ControlTest(unittest.TestCase):
    def setUp(self):
        self.addCleanup(set_faults, client, "echo")
        self.addCleanup(set_faults, client, "time")

    def test_only_where_it_is_allowed(self):
        self.assertEqual(error_of("chat", stream_sent={"delay": 1})[:2],
                         (grpc.StatusCode.FAILED_PRECONDITION, "FAULTS_NOT_ALLOWED"))
        # By its variable, too.
        self.assertEqual(set_faults(client, "time", seed=3, datagrams_sent={"loss": 1}).seed, 3)

    def test_what_is_refused(self):
        bad = grpc.StatusCode.INVALID_ARGUMENT, "BAD_FAULTS"
        for field, fields in (
                ("faults.stream_sent.delay", {"stream_sent": {"delay": 61}}),
                ("faults.stream_received.jitter", {"stream_received": {"jitter": -1}}),
                ("faults.stream_sent.merge_bytes", {"stream_sent": {"split_bytes": 1, "merge_bytes": 1}}),
                ("faults.stream_sent.cut_with_reset", {"stream_sent": {"cut_with_reset": True}}),
                ("faults.datagrams_sent.loss", {"datagrams_sent": {"loss": 1.5}}),
                ("faults.datagrams_received.corruption", {"datagrams_received": {"corruption": float("nan")}})):
            with self.subTest(field=field):
                self.assertEqual(error_of(**fields), (*bad, field))
        self.assertEqual(error_of("echo", "tcp", datagrams_sent={"loss": 1}), (*bad, "faults.datagrams_sent"))
        self.assertEqual(error_of("echo", "udp", stream_sent={"delay": 1}), (*bad, "faults.stream_sent"))
        self.assertEqual(error_of("time", stream_sent={"delay": 1}), (*bad, "faults"))
        self.assertEqual(error_of("echo", "nosuch", fail_first=1)[1], "LISTENER_NOT_FOUND")
        self.assertEqual(error_of("nosuch", fail_first=1)[1], "SERVICE_NOT_FOUND")

    def test_a_stopped_listener(self):
        client.stop("echo", "tcp")
        self.addCleanup(client.start, "echo", "tcp")
        self.assertEqual(error_of("echo", "tcp", fail_first=1)[:2],
                         (grpc.StatusCode.FAILED_PRECONDITION, "SERVICE_STOPPED"))

    def test_without_a_listener_each_takes_its_part(self):
        set_faults(client, "echo", seed=5, stream_sent={"delay": 0.5}, datagrams_sent={"loss": 0.25})
        told = {entry.name: entry.faults for entry in client.service("echo").listeners}
        self.assertEqual(told["tcp"], faults(seed=5, stream_sent={"delay": 0.5}))
        self.assertEqual(told["udp"], faults(seed=5, datagrams_sent={"loss": 0.25}))

    def test_watchers_are_told(self):
        watch = client.control.WatchServices(rpc.control.WatchServicesRequest(), timeout=PATIENCE)
        self.addCleanup(watch.cancel)
        next(watch)
        set_faults(client, "echo", "udp", seed=5, datagrams_sent={"loss": 1})
        told = next(service for message in watch for service in message.services if service.name == "echo")
        listener = next(entry for entry in told.listeners if entry.name == "udp")
        self.assertEqual(listener.faults, faults(seed=5, datagrams_sent={"loss": 1}))
        set_faults(client, "echo", "udp")
        told = next(service for message in watch for service in message.services if service.name == "echo")
        self.assertFalse(any(entry.HasField("faults") for entry in told.listeners))

    def test_the_log_tells_who(self):
        set_faults(client, "echo", "udp", seed=99, datagrams_sent={"loss": 0.5})
        log = stack.programs["echo"].log_path
        self.assertRegex(log.read_text(), r'faults set listener=udp faults="sent: loss 0.5; seed 99" peer=tcp://127.0.0.1:\d+')
        set_faults(client, "echo", "udp")
        self.assertRegex(log.read_text(), r"faults taken away listener=udp peer=tcp://127.0.0.1:\d+")

    def test_typed_calls_have_none(self):
        set_faults(client, "echo", stream_sent={"delay": 60}, fail_first=1000)
        answer = client.echo.Echo(rpc.echo.EchoRequest(payload=b"hello"), timeout=PATIENCE)
        self.assertEqual(answer.payload, b"HELLO")


class CommandTest(unittest.TestCase):
    def setUp(self):
        self.addCleanup(set_faults, client, "echo")

    def rawgate(self, *words, code=0):
        done = subprocess.run([BIN_DIR / "rawgate", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False,
                              env=clean_environment(RAWGATE_GATEWAY=stack.gateway_target))
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout, done.stderr

    def test_set_show_clear(self):
        self.assertEqual(self.rawgate("fault")[0], "no faults\n")
        out = self.rawgate("fault", "set", "echo/udp", "--loss", "100%", "--received", "--seed", "7")[0]
        self.assertEqual(out, "NAME      SO FAR  FAULTS\n"
                              "echo/udp  -       received: loss 100%; seed 7\n")
        with datagram_socket(stack.address("echo", "udp")) as peer:
            peer.send(b"x")
        wait_until(lambda: "1 lost" in self.rawgate("fault", "show")[0], "a hit")
        self.assertEqual(self.rawgate("fault", "show", "echo", "--plain")[0],
                         "echo/udp\t\t1 lost\treceived: loss 100%; seed 7\n")
        shown = json.loads(self.rawgate("fault", "show", "--json")[0])
        self.assertEqual([entry["name"] for entry in shown["services"][0]["listeners"]], ["udp"])
        self.assertEqual(shown["services"][0]["listeners"][0]["faults"]["datagramsReceived"]["loss"], 1)
        self.assertIn("\n* echo/udp: on purpose: received: loss 100%; seed 7\n", self.rawgate("ps")[0])
        self.assertEqual(self.rawgate("fault", "clear")[0], "no faults\n")
        self.assertFalse(client.listener("echo", "udp").HasField("faults"))
        self.assertNotIn("*", self.rawgate("ps")[0])

    def test_times_and_rates_go_to_either_kind(self):
        self.rawgate("fault", "set", "echo/tcp", "--delay", "250ms", "--rate", "64k", "--sent", "--seed", "1")
        self.assertEqual(client.listener("echo", "tcp").faults,
                         faults(seed=1, stream_sent={"delay": 0.25, "bytes_per_second": 65_536}))
        self.rawgate("fault", "set", "echo", "--jitter", "1s", "--seed", "1")
        for listener, kind in (("tcp", "stream"), ("udp", "datagrams")):
            self.assertEqual(client.listener("echo", listener).faults,
                             faults(seed=1, **{f"{kind}_{way}": {"jitter": 1} for way in ("received", "sent")}))

    def test_keep(self):
        self.rawgate("fault", "set", "echo/tcp", "--received", "--split", "10", "--seed", "4")
        self.rawgate("fault", "set", "echo/tcp", "--sent", "--reset-after", "1k", "--keep")
        self.assertEqual(client.listener("echo", "tcp").faults,
                         faults(seed=4, stream_received={"split_bytes": 10},
                                stream_sent={"cut_after_bytes": 1024, "cut_with_reset": True}))

    def test_wrong_usage(self):
        for words, message in ((["echo/tcp"], "nothing to do wrong is given"),
                               (["echo/udp", "--loss", "101%"], "'101%' is not from 0 to 1"),
                               (["echo/udp", "--loss", "much"], "'much' is no chance"),
                               (["echo/tcp", "--split", "0"], "0 is not from 1 to 1048576"),
                               (["echo/tcp", "--delay", "2m"], "'2m' is out of range"),
                               (["echo", "--delay", "1s", "--keep"], "needs SERVICE/LISTENER"),
                               (["--delay", "1s"], "required")):
            with self.subTest(words=words):
                self.assertIn(message, self.rawgate("fault", "set", *words, code=2)[1])

    def test_what_the_service_refuses_is_said(self):
        self.assertIn("--allow_faults", self.rawgate("fault", "set", "chat", "--loss", "1", code=1)[1])
        self.assertIn("streams, no datagrams", self.rawgate("fault", "set", "echo/tcp", "--loss", "1", code=1)[1])


if __name__ == "__main__":
    unittest.main()
