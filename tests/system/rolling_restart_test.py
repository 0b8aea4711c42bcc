"""Two replicas of each service and two gateways, restarted one after another, fifty in all, under clients that balance and
retry as gRPC clients do: they see no failure. And replicas that die: where a call may be made twice, clients that do not
retry see none either."""

import itertools
import json
import pathlib
import shutil
import tempfile
import threading
import unittest

import grpc

from tests.harness import rpc
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.ports import stable_port
from tests.harness.program import Program, grpc_target
from tests.harness.stack import LISTENERS

control = rpc.control

SERVICES = ("echo", "time")
REPLICAS = 2
RESTARTS_OF_A_SERVICE = 10
RESTARTS_OF_A_GATEWAY = 5
DEATHS = 10
CLIENTS_OF_A_KIND = 2

# What people are told to write: docs of gRPC, "Retry" and "Health checking". The library's own retries are for the unary
# calls: where 1.51.1 tries a stream again it may lose a message of it, or crash.
ATTEMPTS = 5
SERVICE_CONFIG = json.dumps({
    "loadBalancingConfig": [{"round_robin": {}}],
    "healthCheckConfig": {"serviceName": ""},
    "methodConfig": [
        {"name": [{}], "waitForReady": True},
        {"name": [{"service": "rawgate.echo.v1.EchoService", "method": "Echo"}, {"service": "rawgate.time.v1.TimeService"}],
         "waitForReady": True,
         "retryPolicy": {"maxAttempts": ATTEMPTS, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
                         "retryableStatusCodes": ["UNAVAILABLE"]}}],
})


class Fleet:
    """Programs by name and number, each in a folder of its own, that can be started again where they were."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="rawgate-test-"))
        self.programs = {}

    def add(self, name, number, *flags):
        folder = self.directory / f"{name}-{number}"
        folder.mkdir()
        self.programs[name, number] = Program(name, flags, folder).start()

    def add_service(self, name, number):
        listeners = [address.removesuffix("0") + str(stable_port()) for address in LISTENERS[name]]
        self.add(name, number, f"--listen={','.join(listeners)}", f"--rpc_listen=tcp://127.0.0.1:{stable_port()}")

    def add_gateway(self, number):
        backends = ",".join(f"{name}={self.target(name)}" for name in SERVICES)
        self.add("gateway", number, f"--listen=grpc=tcp://127.0.0.1:{stable_port()}", f"--backends={backends}")

    def target(self, name):
        """All of that name, as one gRPC target."""
        addresses = [grpc_target(program.ready.get("rpc") or program.ready["listeners"][0]["address"])
                     for (each, _), program in sorted(self.programs.items()) if each == name]
        return f"ipv4:{','.join(addresses)}"

    def restart(self, name, number):
        """As a supervisor does: SIGTERM, the end, a start, the ready line."""
        self.programs[name, number].stop()
        self.programs[name, number].start()

    def stop(self):
        for program in reversed(self.programs.values()):
            program.stop()
        shutil.rmtree(self.directory)


class Caller:
    """One client, on a thread and a channel of its own, that calls without a pause and counts how it went."""

    def __init__(self, target, call, service_config=SERVICE_CONFIG):
        self.client = rpc.Client(target, [("grpc.service_config", service_config), ("grpc.use_local_subchannel_pool", 1)])
        self.call = call
        self.done = 0
        self.failures = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        for number in itertools.count():
            if self.stopping.is_set():
                return
            try:
                self.call(self.client, number)
                self.done += 1
            except (grpc.RpcError, AssertionError) as error:
                self.failures.append(f"{self.call.__name__} {number}: {error}")

    def stop(self):
        self.stopping.set()
        self.thread.join()
        self.client.close()


def echo(client, number):
    payload = b"call %d" % number
    answer = client.echo.Echo(rpc.echo.EchoRequest(payload=payload), timeout=PATIENCE).payload
    assert answer == payload.upper(), answer


def tell_time(client, number):
    answer = client.time.GetTime(rpc.time.GetTimeRequest(format=str(number)), timeout=PATIENCE).formatted
    assert answer == str(number), answer


def converse(client, number):
    """A stream. Once it was answered it is not begun again: it has the grace of whoever goes to end."""
    texts = [b"turn %d of %d" % (turn, number) for turn in range(5)]
    for attempt in range(ATTEMPTS):
        answers = []
        try:
            for answer in client.echo.Converse(map(request_of, texts), timeout=PATIENCE):
                answers.append(answer.payload)
            break
        except grpc.RpcError as error:
            if answers or error.code() != grpc.StatusCode.UNAVAILABLE or attempt == ATTEMPTS - 1:
                raise
    assert b"".join(answers) == b"".join(texts).upper(), answers


def request_of(text):
    return rpc.echo.ConverseRequest(payload=text)


class RollingRestartTest(unittest.TestCase):
    def setUp(self):
        self.fleet = Fleet()
        self.addCleanup(self.fleet.stop)
        for name, number in itertools.product(SERVICES, range(REPLICAS)):
            self.fleet.add_service(name, number)
        for number in range(REPLICAS):
            self.fleet.add_gateway(number)
            self.await_all_replicas(number)
        target = self.fleet.target("gateway")
        self.callers = [Caller(target, call) for call in (echo, tell_time, converse) for _ in range(CLIENTS_OF_A_KIND)]
        self.addCleanup(self.stop_callers)

    def stop_callers(self):
        for caller in self.callers:
            caller.stop()

    def await_all_replicas(self, number):
        """The gateway tells of every replica that runs, by its instance. That is when an operator goes on."""
        running = {self.instance(name, replica) for name, replica in itertools.product(SERVICES, range(REPLICAS))}
        gateway = rpc.Client(grpc_target(self.fleet.programs["gateway", number].ready["listeners"][0]["address"]))

        def known():
            services = gateway.control.ListServices(control.ListServicesRequest(), timeout=PATIENCE).services
            return {each.instance for each in services if each.state == control.SERVICE_STATE_RUNNING}

        wait_until(lambda: known() >= running, f"every replica as running at gateway {number}")
        gateway.close()

    def instance(self, name, number):
        return self.ask_itself(name, number).instance

    def ask_itself(self, name, number):
        client = rpc.Client(self.fleet.programs[name, number].rpc_target)
        service = client.service(name)
        client.close()
        return service

    def await_calls(self):
        """Each caller has begun and ended some calls from now on, and none has failed."""
        before = [caller.done for caller in self.callers]

        def moved():
            self.assertEqual([failure for caller in self.callers for failure in caller.failures], [])
            return all(caller.done > count + 10 for caller, count in zip(self.callers, before))

        wait_until(moved, "ten more calls of every client")

    def test_services(self):
        for _ in range(RESTARTS_OF_A_SERVICE):
            for name, number in itertools.product(SERVICES, range(REPLICAS)):
                self.await_calls()
                wait_until(lambda: self.ask_itself(name, number).counters.requests > 0, "calls to each replica")
                self.fleet.restart(name, number)
                for gateway in range(REPLICAS):
                    self.await_all_replicas(gateway)
        self.await_calls()

    def test_replicas_that_die(self):
        """Echo has no side effects, so the gateway makes the call again, at the other replica."""
        self.stop_callers()
        target = grpc_target(self.fleet.programs["gateway", 0].ready["listeners"][0]["address"])
        self.callers = [Caller(target, echo, service_config="{}") for _ in range(2 * CLIENTS_OF_A_KIND)]
        for number in itertools.islice(itertools.cycle(range(REPLICAS)), DEATHS):
            self.await_calls()
            wait_until(lambda: self.ask_itself("echo", number).counters.requests > 0, "calls to each replica")
            self.fleet.programs["echo", number].kill()
            self.await_calls()
            self.fleet.programs["echo", number].start()
            self.await_all_replicas(0)
        self.await_calls()

    def test_gateways(self):
        for _ in range(RESTARTS_OF_A_GATEWAY):
            for number in range(REPLICAS):
                self.await_calls()
                self.fleet.restart("gateway", number)
                self.await_all_replicas(number)
        self.await_calls()


if __name__ == "__main__":
    unittest.main()
