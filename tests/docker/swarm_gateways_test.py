"""A rolling update of the gateways of deploy/swarm/stack.yml, seen by clients that know them by name and balance over them.

One machine has a published port once, so there would be one gateway here. Hence the ports are taken from them, and clients are in
the network `front`, where all else is as it is for clients of several machines: a name with several addresses."""

import unittest

from tests.docker import engine as engines
from tests.docker.clients import Clients
from tests.docker.swarm import NAME, Swarm
from tests.harness.durability import skip_module

REPLICAS = {"echo": 2, "exec": 2, "gateway": 1}
GATEWAYS = 2
# Docker's name server of the network that the clients are in.
TARGET = "dns://127.0.0.11:53/gateway:50051"

engine = None
swarm = None


def setUpModule():
    global engine, swarm
    engine = engines.engine_or_skip()
    if not engine.own:
        skip_module("only an engine of our own, which takes root, is made a swarm")
    swarm = unittest.enterModuleContext(Swarm(engine, engines.IMAGE, REPLICAS))
    # Of a change of places alone, as this one counts, Swarm does not begin anew what is in its place: hence --force.
    swarm.update("gateway", "--force", "--publish-rm", "target=50051,mode=host", "--publish-rm", "target=8088,mode=host",
                 "--replicas-max-per-node", str(GATEWAYS), "--replicas", str(GATEWAYS))
    swarm.await_update("gateway")
    swarm.await_healthy("gateway", GATEWAYS)


class GatewaysTest(unittest.TestCase):
    def test_rolling_update(self):
        clients = Clients(TARGET, swarm.tls, {"echo": 2, "command": 2, "job": 6}, under=self.in_the_front_network())
        self.addCleanup(clients.stop)
        clients.await_calls()
        before = {container["Id"] for container in swarm.containers("gateway")}
        swarm.update("gateway", "--force")
        swarm.await_update("gateway")
        swarm.await_healthy("gateway", GATEWAYS)
        self.assertEqual(before & {container["Id"] for container in swarm.containers("gateway")}, set())
        clients.await_calls()

    def in_the_front_network(self):
        """Runs a command in the network of a container that does nothing else."""
        engine.docker("service", "create", "--detach", "--quiet", "--name", f"{NAME}_clients", "--network", f"{NAME}_front",
                      "--endpoint-mode", "dnsrr", "--no-resolve-image", "--no-healthcheck", engines.IMAGE, "sleep", "infinity")
        self.addCleanup(engine.docker, "service", "rm", f"{NAME}_clients")
        swarm.await_running("clients", 1)
        container = swarm.containers("clients")[0]
        return ["nsenter", f"--net=/proc/{engine.host_pid(container['State']['Pid'])}/ns/net"]


if __name__ == "__main__":
    unittest.main()
