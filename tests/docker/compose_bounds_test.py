"""What docker-compose.yml keeps its containers to: no privileges, limits, and nobody's network but what each needs."""

import itertools
import json
import subprocess
import unittest

from tests.conformance.exec_client import receive_reply
from tests.conformance.plain_client import connect
from tests.docker import engine as engines
from tests.docker.stack import ComposeStack
from tests.harness.durability import skip_test

# A drain takes the grace, 5 s, and at most 7 s more.
LONGEST_DRAIN_S = 12
# Where something listens in a container: raw, RPC and HTTP addresses, and the gateway's.
PORTS = (8080, 8081, 8082, 8088, 8090, 9000, *range(50051, 50076))

stack = None


def setUpModule():
    global stack
    stack = unittest.enterModuleContext(ComposeStack(engines.engine_or_skip()))


class PrivilegesTest(unittest.TestCase):
    def test_of_every_container(self):
        for name, container in stack.containers().items():
            with self.subTest(name):
                host = container["HostConfig"]
                self.assertTrue(host["ReadonlyRootfs"])
                self.assertFalse(host["Privileged"])
                self.assertEqual((host["CapDrop"], host["CapAdd"] or []), (["ALL"], []))
                self.assertIn("no-new-privileges:true", host["SecurityOpt"])
                self.assertRegex(container["Config"]["User"], "^[1-9]")
                self.assertEqual(host["RestartPolicy"]["Name"], "unless-stopped")
                self.assertGreater(host["PidsLimit"], 0)
                self.assertGreater(host["Memory"], 0)
                self.assertGreaterEqual(container["Config"]["StopTimeout"], LONGEST_DRAIN_S)
                self.assertIn("max-size", host["LogConfig"]["Config"])

    def test_what_the_kernel_says_of_a_command(self):
        status = dict(line.split(":\t") for line in command("cat /proc/self/status").splitlines() if ":\t" in line)
        self.assertEqual({status[name].strip("0") for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb")}, {""})
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))

    def test_what_a_command_can_write(self):
        """Scratch, and the folder of the socket that the gateway calls by: no program, and nothing that another keeps."""
        found = command("find / -xdev -writable -not -type l -not -path '/proc/*' -not -path '/dev/*' 2>/dev/null; true")
        self.assertEqual(set(found.split()), {"/tmp", "/var/lib/rawgate/exec", "/run/rawgate"})
        volumes = [mount["Destination"] for mount in stack.container("exec")["Mounts"] if mount["Type"] == "volume"]
        self.assertEqual(volumes, ["/run/rawgate"])


def command(line):
    """The output of a command in exec's container, through its published port."""
    with connect(stack.address("exec", "header")) as client:
        client.sendall(line.encode() + b"\n")
        header, output = receive_reply(client)
        if header["exit_code"] != 0:
            raise AssertionError(f"{line}: {header}\n{output.decode()}")
        return output.decode()


class NetworkTest(unittest.TestCase):
    def test_published_on_loopback_alone(self):
        for name, container in stack.containers().items():
            with self.subTest(name):
                bindings = container["NetworkSettings"]["Ports"].values()
                addresses = {binding["HostIp"] for published in bindings for binding in published or ()}
                self.assertEqual(addresses, {"127.0.0.1"})

    def test_nothing_listens_off_loopback(self):
        """Of all that there is in the engine's network."""
        if not stack.engine.own:
            skip_test(self, "what listens on a network that is not ours is not ours")
        lines = subprocess.run(["ss", "-Hltun"], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
        listening = [line.split()[4] for line in lines]
        self.assertIn("127.0.0.1:50051", listening)
        self.assertEqual([address for address in listening if not address.startswith("127.0.0.1:")], [])

    def test_rpc_addresses_lead_nowhere(self):
        """But for exec's, which the gateway reaches by a Unix socket, they are in a network of their own without a way out."""
        networks = json.loads(stack.engine.docker("network", "inspect", *self.networks_of("echo")).stdout)
        internal = {network["Name"] for network in networks if network["Internal"]}
        self.assertEqual(len(internal), 1)
        for service in ("time", "file", "chat", "gateway"):
            self.assertLessEqual(internal, set(self.networks_of(service)), service)
        self.assertFalse(internal & set(self.networks_of("exec")))

    @staticmethod
    def networks_of(service):
        return stack.container(service)["NetworkSettings"]["Networks"]

    def test_commands_reach_nobody_else(self):
        """From exec's container neither the others nor the machine, by no address that they have."""
        networks = {name: list(self.networks_of(name).values()) for name in stack.containers()}
        names = {f"{name} by name": [name] for name in networks if name != "exec"}
        others = {name: [network["IPAddress"] for network in found] for name, found in networks.items() if name != "exec"}
        # What else listens on a machine is not ours, unless the engine's network is.
        gateways = [network["Gateway"] for found in networks.values() for network in found]
        machine = {"the machine": gateways} if stack.engine.own else {}
        for name, addresses in {**names, **others, **machine}.items():
            with self.subTest(name):
                self.assertEqual(command(reached(addresses)), "")

    def test_the_gateway_reaches_them_in_the_same_way(self):
        """Or the test above would prove nothing."""
        for name, port in (("echo", 50061), ("file", 50064)):
            self.assertEqual(stack.compose("exec", "-T", "gateway", "sh", "-c", reached([name], [port])).stdout.split(),
                             [f"{name}:{port}"])
        self.assertEqual(command(reached(["127.0.0.1"], [8082])).split(), ["127.0.0.1:8082"])


def reached(addresses, ports=PORTS):
    """A shell command that prints which of these accept a connection within some seconds."""
    attempts = (f'timeout 3 bash -c "exec 3<>/dev/tcp/{address}/{port}" 2>/dev/null && echo {address}:{port} &'
                for address, port in itertools.product(addresses, ports) if address)
    return f"{' '.join(attempts)} wait"


if __name__ == "__main__":
    unittest.main()
