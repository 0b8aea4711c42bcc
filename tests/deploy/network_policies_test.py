"""Who may connect to what, by the NetworkPolicies: every pair of pods, and every port."""

import unittest

from tests.deploy.kustomize import BASE, EXAMPLE, PROGRAMS, render
from tests.deploy.network_policies import OWN_NAMESPACE, Pod, Policies

SERVICES = tuple(program for program in PROGRAMS if program != "gateway")
STRANGER = Pod("elsewhere", (("app", "something"),))
RAW_CLIENT = Pod("lab", (("app", "device"),), (("rawgate/raw-clients", "true"),))
PROMETHEUS = Pod("monitoring", (("app", "prometheus"),), (("rawgate/metrics", "true"),))
NAME_SERVER = Pod("kube-system", (("k8s-app", "kube-dns"),))
OUTSIDE = "198.51.100.7"
NODE_NAME_SERVER = "169.254.20.10"
LAB_MACHINE = "192.0.2.7"


class Checks:
    folder = None

    @classmethod
    def setUpClass(cls):
        cls.manifests = render(cls.folder)
        cls.policies = Policies(cls.manifests)
        cls.pods = {program: Pod(OWN_NAMESPACE, tuple(cls.manifests.labels(program).items())) for program in PROGRAMS}

    def reached_by(self, source, among=PROGRAMS):
        """{(program, port's name)} that `source` may connect to."""
        return {(program, name) for program in among for name, port in self.manifests.ports(program).items()
                if self.policies.permit(source, self.pods[program], port["protocol"], port["containerPort"])}

    def raw_ports(self):
        return {(program, name) for program in SERVICES for name in self.manifests.ports(program)
                if name not in ("rpc", "http")}

    FRONT_DOOR = {("gateway", "grpc"), ("gateway", "http")}

    def test_nothing_is_open_that_no_policy_speaks_of(self):
        deny = self.manifests.of("NetworkPolicy")["default-deny"]["spec"]
        self.assertEqual(deny, {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
        for program in PROGRAMS:
            self.assertEqual({policy["metadata"]["name"] for policy in self.manifests.policies(program)},
                             {"default-deny", program})
        # On a port that nobody has named.
        for source in (STRANGER, RAW_CLIENT, PROMETHEUS, *self.pods.values()):
            for pod in self.pods.values():
                self.assertFalse(self.policies.permit(source, pod, "TCP", 22))

    def test_the_gateway_reaches_rpc_and_name_servers(self):
        gateway = self.pods["gateway"]
        self.assertEqual(self.reached_by(gateway, SERVICES), {(service, "rpc") for service in SERVICES})
        for server in (NAME_SERVER, NODE_NAME_SERVER):
            for protocol in ("UDP", "TCP"):
                self.assertTrue(self.policies.permit(gateway, server, protocol, 53))
            self.assertFalse(self.policies.permit(gateway, server, "TCP", 443))
        for elsewhere in (STRANGER, OUTSIDE):
            for port in (53, 443, 50061):
                self.assertFalse(self.policies.permit(gateway, elsewhere, "TCP", port))

    def test_services_reach_nothing(self):
        for service in SERVICES:
            with self.subTest(service=service):
                self.assertEqual(self.reached_by(self.pods[service]), set())
                for elsewhere in (STRANGER, NAME_SERVER, OUTSIDE, NODE_NAME_SERVER):
                    for protocol, port in (("UDP", 53), ("TCP", 53), ("TCP", 443)):
                        self.assertFalse(self.policies.permit(self.pods[service], elsewhere, protocol, port))

    def test_exec_has_no_way_out_by_a_policy_of_its_own(self):
        spec = self.manifests.of("NetworkPolicy")["exec"]["spec"]
        self.assertEqual(spec["policyTypes"], ["Ingress", "Egress"])
        self.assertFalse(spec.get("egress"))

    def test_pods_of_the_cluster_reach_the_front_door(self):
        self.assertEqual(self.reached_by(STRANGER), self.FRONT_DOOR)

    def test_labelled_namespaces_reach_raw_ports_or_pages(self):
        self.assertEqual(self.reached_by(RAW_CLIENT), self.FRONT_DOOR | self.raw_ports())
        self.assertEqual(self.reached_by(PROMETHEUS), self.FRONT_DOOR | {(service, "http") for service in SERVICES})

    def test_other_addresses_reach_nothing(self):
        self.assertEqual(self.reached_by(OUTSIDE), set())


class BaseTest(Checks, unittest.TestCase):
    folder = BASE

    def test_machines_outside_reach_nothing(self):
        self.assertEqual(self.reached_by(LAB_MACHINE), set())


class ExampleTest(Checks, unittest.TestCase):
    folder = EXAMPLE

    def test_the_labs_machines_reach_the_front_door(self):
        self.assertEqual(self.reached_by(LAB_MACHINE), self.FRONT_DOOR)


if __name__ == "__main__":
    unittest.main()
