"""deploy/swarm/stack.yml on a swarm of one machine: calls are spread over replicas, and clients that retry see no failure when
one is killed, when there are more of them or fewer, and when all are replaced."""

import unittest

import grpc

from tests.docker import engine as engines
from tests.docker.clients import Clients
from tests.docker.retrying_clients import Connection, instance_of
from tests.docker.swarm import NAME, PUBLISHED, Swarm
from tests.harness import rpc
from tests.harness.deadlines import PATIENCE, SCALE, wait_until
from tests.harness.durability import skip_module

# One gateway for each machine, of which there is one. Two of `file` share its volume.
REPLICAS = {"echo": 3, "exec": 3, "time": 1, "file": 2, "chat": 1, "gateway": 1}
# Who answers each kind of calls.
SERVICE_OF = {"echo": "echo", "command": "exec", "job": "exec"}
# A gateway looks a name up every 5 s (docs/adr/0013-replicas.md); the rest is for it to connect, and for the calls.
FOUND_WITHIN_S = (5 + 10) * SCALE

engine = None
swarm = None


def setUpModule():
    global engine, swarm
    engine = engines.engine_or_skip()
    if not engine.own:
        skip_module("only an engine of our own, which takes root, is made a swarm")
    swarm = unittest.enterModuleContext(Swarm(engine, engines.IMAGE, REPLICAS))


class ReplicasTest(unittest.TestCase):
    def clients(self, **kinds):
        clients = Clients(PUBLISHED, swarm.tls, kinds)
        self.addCleanup(clients.stop)
        clients.await_calls(more=1)
        return clients

    def await_answers(self, clients, kind, deadline=PATIENCE):
        """From now on, all processes that the gateway knows answer calls of that kind, and no others; none fails."""
        known = set(swarm.rows(SERVICE_OF[kind]))
        clients.forget_instances()

        def answered():
            clients.check()
            return set(clients.instances(kind)) >= known

        wait_until(answered, f"answers to {kind} of {known}", deadline)
        self.assertEqual(set(clients.instances(kind)), known)

    def test_calls_are_spread(self):
        clients = self.clients(echo=2, command=2)
        for kind in ("echo", "command"):
            self.await_answers(clients, kind)
        clients.forget_instances()
        clients.await_calls(more=60)
        for kind in ("echo", "command"):
            answers = clients.instances(kind)
            self.assertEqual(len(answers), 3, answers)
            # They take turns, whoever calls.
            self.assertLess(max(answers.values()), 2 * min(answers.values()), answers)

    def kill_one_under_load(self, clients, name, kind, kill):
        victim = min(swarm.rows(name))
        kill(swarm.container_of(name, victim))
        clients.await_calls()
        wait_until(lambda: victim not in swarm.rows(name), f"no {victim} at the gateway")
        # Swarm starts another.
        swarm.await_replicas(name)
        self.await_answers(clients, kind)
        self.assertNotIn(victim, clients.instances(kind))

    def test_one_is_killed(self):
        clients = self.clients(echo=3, command=3)
        for name, kind in (("echo", "echo"), ("exec", "command")):
            with self.subTest(name, by="kill -9 of its process"):
                self.kill_one_under_load(clients, name, kind, lambda container: engine.kill(container["State"]["Pid"]))
            with self.subTest(name, by="docker kill"):
                self.kill_one_under_load(clients, name, kind, lambda container: engine.docker("kill", container["Id"]))
        clients.check()

    def test_more_are_found_and_fewer_are_enough(self):
        clients = self.clients(echo=3)
        self.addCleanup(swarm.await_replicas, "echo")
        self.addCleanup(swarm.scale, "echo", REPLICAS["echo"])
        swarm.scale("echo", 5)
        swarm.await_healthy("echo", 5)
        clients.forget_instances()
        wait_until(lambda: len(clients.instances("echo")) == 5, "answers of five", FOUND_WITHIN_S)
        self.await_answers(clients, "echo")
        swarm.scale("echo", 2)
        swarm.await_replicas("echo", 2)
        self.await_answers(clients, "echo")
        clients.await_calls()

    def test_rolling_update(self):
        clients = self.clients(echo=2, command=2, job=6)
        before = {name: set(swarm.rows(name)) for name in ("echo", "exec")}
        for name in before:
            swarm.update(name, "--force")
        for name, instances in before.items():
            swarm.await_update(name)
            swarm.await_replicas(name)
            self.assertEqual(instances & set(swarm.rows(name)), set())
        for kind in ("echo", "command", "job"):
            self.await_answers(clients, kind)
        # Those that were under way when the last one was told to end are among them.
        clients.await_calls(more=2)


class VolumeTest(unittest.TestCase):
    def test_what_one_has_stored_the_other_has(self):
        connection = Connection(PUBLISHED, swarm.tls)
        self.addCleanup(connection.channel.close)
        content = b"shared" * 20_000
        start = rpc.file.UploadStart(filename="shared.bin", size=len(content))
        parts = [rpc.file.UploadRequest(start=start), rpc.file.UploadRequest(data=content)]
        connection.file.Upload(iter(parts), timeout=PATIENCE)
        instances = set()

        def downloaded_from_both():
            call = connection.file.Download(rpc.file.DownloadRequest(filename="shared.bin"), timeout=PATIENCE)
            self.assertEqual(b"".join(message.data for message in call), content)
            instances.add(instance_of(call))
            return len(instances) == REPLICAS["file"]

        wait_until(downloaded_from_both, "a download from each process")


class BoundsTest(unittest.TestCase):
    def test_only_the_gateway_is_published(self):
        for name in REPLICAS:
            for container in swarm.containers(name):
                ports = container["NetworkSettings"]["Ports"].items()
                published = {port for port, bindings in ports if bindings}
                self.assertEqual(published, {"50051/tcp", "8088/tcp"} if name == "gateway" else set(), name)

    def test_containers_are_without_privileges(self):
        for name in REPLICAS:
            for container in swarm.containers(name):
                settings = container["HostConfig"]
                self.assertEqual(settings["CapDrop"], ["ALL"], name)
                self.assertTrue(settings["ReadonlyRootfs"], name)
                self.assertGreater(settings["Memory"], 0, name)
                self.assertGreater(settings["PidsLimit"], 0, name)
                self.assertEqual(engine.docker("exec", container["Id"], "id", "-u").stdout.strip(), "10001", name)

    def test_strangers_are_refused(self):
        stranger = rpc.Client(PUBLISHED)
        self.addCleanup(stranger.close)
        with self.assertRaises(grpc.RpcError) as refused:
            stranger.echo.Echo(rpc.echo.EchoRequest(payload=b"x"), timeout=PATIENCE)
        self.assertEqual(refused.exception.code(), grpc.StatusCode.UNAVAILABLE, "without TLS")
        authority = grpc.ssl_channel_credentials((swarm.tls / "ca.pem").read_bytes())
        with grpc.secure_channel(PUBLISHED, authority) as channel, self.assertRaises(grpc.RpcError) as refused:
            rpc.echo_service_pb2_grpc.EchoServiceStub(channel).Echo(rpc.echo.EchoRequest(payload=b"x"), timeout=PATIENCE)
        self.assertEqual(refused.exception.code(), grpc.StatusCode.UNAUTHENTICATED, "without a token")

    def test_each_service_has_a_network_with_the_gateway_alone(self):
        for name in REPLICAS:
            for container in swarm.containers(name):
                networks = set(container["NetworkSettings"]["Networks"])
                if name == "gateway":
                    self.assertEqual(networks, {f"{NAME}_{each}" for each in (*REPLICAS, "front") if each != "gateway"})
                else:
                    self.assertEqual(networks, {f"{NAME}_{name}"})
                    self.assertTrue(swarm.network(name)["Internal"], name)

    def test_commands_reach_no_service(self):
        self.assertEqual(self.reached("exec", "gateway", 50051), "reached", "what else says that it can be seen")
        for name, port in (("echo", 50061), ("time", 50063), ("file", 50064), ("chat", 50065)):
            self.assertEqual(self.reached(name, name, port), "not reached")

    def test_commands_cannot_call_as_a_gateway(self):
        """Whoever may call a service's RPC says who he is. A command can read exec's certificate, and its address is there."""
        own = "--tls-ca ca.pem --tls-certificate certificate.pem --tls-key key.pem"
        said = swarm.cli("run", "--", "sh", "-c", f"cd /run/secrets && rawgate --gateway exec:50062 {own} ps 2>&1 || true")
        self.assertIn("CLIENT_NOT_LISTED", said)

    @staticmethod
    def reached(network, name, port):
        """Whether a command can connect to a process of `name` at its address in a network."""
        address = swarm.containers(name)[0]["NetworkSettings"]["Networks"][f"{NAME}_{network}"]["IPAddress"]
        trial = f"timeout 5 bash -c 'exec 3<>/dev/tcp/{address}/{port}' 2>/dev/null && echo reached || echo not reached"
        return swarm.cli("run", "--", "sh", "-c", trial).strip()


if __name__ == "__main__":
    unittest.main()
