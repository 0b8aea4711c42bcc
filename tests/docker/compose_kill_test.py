"""A container, or its process, that is killed: the others go on, it comes back as Docker's rules have it, the gateway finds
it again."""

import unittest

from tests.conformance.plain_client import connect, receive_exactly
from tests.docker import engine as engines
from tests.docker.stack import SERVICES, ComposeStack
from tests.harness import rpc
from tests.harness.deadlines import wait_until
from tests.harness.durability import skip_test

stack = None


def setUpModule():
    global stack
    stack = unittest.enterModuleContext(ComposeStack(engines.engine_or_skip()))


class KillTest(unittest.TestCase):
    def setUp(self):
        self.client = rpc.Client(stack.gateway_target)
        self.addCleanup(self.client.close)

    def instances(self):
        """The instance id of each service that runs, as the gateway knows it; none while there is no gateway."""
        try:
            services = self.client.control.ListServices(rpc.control.ListServicesRequest(), timeout=rpc.PATIENCE).services
        except rpc.grpc.RpcError:
            return {}
        return {each.name: each.instance for each in services if each.state == rpc.control.SERVICE_STATE_RUNNING}

    def assert_others_go_on(self, killed):
        expected = set(SERVICES) - {killed, "gateway"}
        if killed != "gateway":
            wait_until(lambda: set(self.instances()) == expected, f"the gateway's word that {killed} alone is away")
        listener = ("exec", "raw", b"echo HELLO\n") if killed == "echo" else ("echo", "tcp", b"hello\n")
        with connect(stack.address(*listener[:2])) as raw:
            raw.sendall(listener[2])
            self.assertEqual(receive_exactly(raw, 6), b"HELLO\n")

    def assert_back(self, killed, before):
        stack.await_health()
        after = wait_until(lambda: (found := self.instances()) if len(found := self.instances()) == 5 else None,
                           "all services at the gateway")
        changed = {name for name in after if after[name] != before[name]}
        self.assertEqual(changed, {killed} - {"gateway"})

    def test_killed_container_stays_away_until_up_brings_it_back(self):
        """To Docker `docker kill` is somebody's wish, which `restart: unless-stopped` respects."""
        for service in SERVICES:
            with self.subTest(service):
                before = self.instances()
                stack.engine.docker("kill", stack.container(service)["Id"])
                wait_until(lambda: stack.states()[service] == "exited", "the container's end")
                self.assert_others_go_on(service)
                self.assertEqual(stack.states()[service], "exited")
                stack.up()
                self.assert_back(service, before)

    def test_killed_process_comes_back_by_the_restart_policy(self):
        if not stack.engine.own:
            skip_test(self, "processes of containers are within reach with an engine of our own only, which takes root")
        for service in SERVICES:
            with self.subTest(service):
                before = self.instances()
                container = stack.container(service)
                stack.engine.kill(container["State"]["Pid"])
                wait_until(lambda: stack.container(service)["RestartCount"] > container["RestartCount"], "the restart")
                self.assert_back(service, before)


if __name__ == "__main__":
    unittest.main()
