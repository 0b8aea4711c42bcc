"""The Kubernetes manifests, read as a reviewer would: base and example, as kubectl renders them."""

import re
import subprocess
import unittest

from tests.deploy.kustomize import BASE, EXAMPLE, PROGRAMS, render, selects, size
from tests.harness.program import BIN_DIR, REPOSITORY

# The API versions that Kubernetes 1.27 and later serve, of the kinds that there are.
API_VERSIONS = {
    "Namespace": "v1", "Service": "v1", "ConfigMap": "v1", "PersistentVolumeClaim": "v1", "Deployment": "apps/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2", "PodDisruptionBudget": "policy/v1", "NetworkPolicy": "networking.k8s.io/v1",
}
CLUSTER_WIDE = {"Namespace"}
SINGLE = ("file", "chat")


def addresses(listen):
    """{(PROTOCOL, port)} of a flag such as --listen."""
    found = re.findall(r"(tcp|udp)://([^,]+):(\d+)", listen)
    return {(scheme.upper(), int(port)) for scheme, _, port in found}


def default_addresses(program):
    """The same of what the program has without any setting: what README.md tells people."""
    usage = program_help(program)
    defaults = re.findall(r'--(?:listen|rpc_listen|http_listen) .*?currently:\s+"([^"]*)"', usage, re.DOTALL)
    return set().union(*map(addresses, defaults))


def program_help(program):
    printed = subprocess.run([BIN_DIR / f"rawgate-{program}", "--helpfull"], capture_output=True, text=True, check=False,
                             env={"PATH": "/usr/bin"})
    return printed.stdout


class Checks:
    """What holds of the base and of the example alike."""

    folder = None

    @classmethod
    def setUpClass(cls):
        cls.manifests = render(cls.folder)

    def test_kinds_and_versions(self):
        self.assertEqual(set(self.manifests.of("Deployment")), set(PROGRAMS))
        for entry in self.manifests.objects:
            with self.subTest(kind=entry["kind"], name=entry["metadata"]["name"]):
                self.assertEqual(entry["apiVersion"], API_VERSIONS[entry["kind"]])
                namespace = None if entry["kind"] in CLUSTER_WIDE else "rawgate"
                self.assertEqual(entry["metadata"].get("namespace"), namespace)

    def test_namespace_enforces_restricted_pods(self):
        labels = self.manifests.of("Namespace")["rawgate"]["metadata"]["labels"]
        for mode in ("enforce", "audit", "warn"):
            self.assertEqual(labels[f"pod-security.kubernetes.io/{mode}"], "restricted")

    def test_pods_are_restricted(self):
        for program in PROGRAMS:
            with self.subTest(program=program):
                pod, container = self.manifests.pod(program), self.manifests.container(program)
                self.assertIs(pod["automountServiceAccountToken"], False)
                self.assertIs(pod["enableServiceLinks"], False)
                for shared in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "initContainers"):
                    self.assertNotIn(shared, pod)
                identity = pod["securityContext"]
                self.assertIs(identity["runAsNonRoot"], True)
                self.assertEqual([identity[name] for name in ("runAsUser", "runAsGroup", "fsGroup")], [10001] * 3)
                self.assertEqual(identity["seccompProfile"], {"type": "RuntimeDefault"})
                self.assertEqual(container["securityContext"], {
                    "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}})
                for port in container["ports"]:
                    self.assertNotIn("hostPort", port)

    def test_volumes_are_bounded_and_of_kinds_that_restricted_pods_may_have(self):
        for program in PROGRAMS:
            with self.subTest(program=program):
                volumes = {volume["name"]: volume for volume in self.manifests.pod(program)["volumes"]}
                mounts = self.manifests.container(program)["volumeMounts"]
                self.assertEqual(set(volumes), {mount["name"] for mount in mounts})
                for volume in volumes.values():
                    kind, = set(volume) - {"name"}
                    self.assertIn(kind, {"secret", "configMap", "emptyDir", "persistentVolumeClaim"})
                    if kind == "emptyDir":
                        self.assertGreater(size(volume["emptyDir"]["sizeLimit"]), 0)
                    if kind == "configMap":
                        self.assertIn(volume["configMap"]["name"], self.manifests.of("ConfigMap"))
                    if kind == "secret":
                        self.assertEqual(volume["secret"]["defaultMode"], 0o440)
                    if kind == "persistentVolumeClaim":
                        self.assertIn(volume[kind]["claimName"], self.manifests.of("PersistentVolumeClaim"))
                # A Secret or ConfigMap that changes does not reach what is mounted by subPath.
                self.assertFalse([mount for mount in mounts if "subPath" in mount])

    def test_images_have_the_version_of_the_programs(self):
        version = re.search(r"project\(rawgate VERSION ([0-9.]+)", (REPOSITORY / "CMakeLists.txt").read_text())[1]
        for program in PROGRAMS:
            with self.subTest(program=program):
                name, tag = self.manifests.container(program)["image"].rsplit(":", 1)
                self.assertEqual((name.rsplit("/", 1)[-1], tag), ("rawgate", version))

    def test_settings_are_flags_of_the_program(self):
        for program in PROGRAMS:
            with self.subTest(program=program):
                flags = set(re.findall(r"^    --(\w+) \(", program_help(program), re.MULTILINE))
                self.assertIn("rpc_listen", flags)
                for name in self.manifests.settings(program):
                    self.assertRegex(name, "^RAWGATE_[A-Z_]+$")
                    self.assertIn(name.removeprefix("RAWGATE_").lower(), flags)
                self.assertEqual(self.manifests.container(program)["command"], [f"rawgate-{program}"])
                self.assertTrue((BIN_DIR / f"rawgate-{program}").exists())

    def test_ports_are_what_the_program_listens_on_and_what_people_are_told(self):
        for program in PROGRAMS:
            with self.subTest(program=program):
                settings = self.manifests.settings(program)
                listened = set().union(*(addresses(settings.get(f"RAWGATE_{name}", ""))
                                         for name in ("LISTEN", "RPC_LISTEN", "HTTP_LISTEN")))
                ports = {(port["protocol"], port["containerPort"]) for port in self.manifests.ports(program).values()}
                self.assertEqual(ports, listened)
                self.assertEqual(ports, default_addresses(program))

    def test_probes_ask_pages_that_there_are(self):
        for program in PROGRAMS:
            with self.subTest(program=program):
                container, settings = self.manifests.container(program), self.manifests.settings(program)
                self.assertTrue(settings["RAWGATE_TLS_CERTIFICATE"])
                http, = addresses(settings["RAWGATE_HTTP_LISTEN"])
                for probe, path in (("startupProbe", "/readyz"), ("readinessProbe", "/readyz"), ("livenessProbe", "/healthz")):
                    asked = container[probe]["httpGet"]
                    self.assertEqual((asked["path"], asked["scheme"]), (path, "HTTPS"))
                    self.assertEqual(self.manifests.ports(program)[asked["port"]]["containerPort"], http[1])

    def test_every_port_is_in_a_service_that_leads_there(self):
        for program in PROGRAMS:
            with self.subTest(program=program):
                served = set()
                for service in self.manifests.services(program):
                    for port in service["spec"]["ports"]:
                        target = self.manifests.ports(program)[port["targetPort"]]
                        self.assertEqual((port["port"], port["protocol"]), (target["containerPort"], target["protocol"]))
                        served.add(port["targetPort"])
                self.assertEqual(served, set(self.manifests.ports(program)))

    def test_selectors_choose_pods_of_one_program(self):
        for kind, key in (("Service", "selector"), ("Deployment", "selector"), ("PodDisruptionBudget", "selector")):
            for name, entry in self.manifests.of(kind).items():
                selector = entry["spec"][key]
                selector = selector.get("matchLabels", selector)
                chosen = [program for program in PROGRAMS if selects(selector, self.manifests.labels(program))]
                self.assertEqual(len(chosen), 1, f"{kind} {name}")
                self.assertEqual(name.split("-")[0], chosen[0])
        for program in PROGRAMS:
            with self.subTest(program=program):
                for spread in self.manifests.pod(program).get("topologySpreadConstraints", []):
                    self.assertEqual(spread["labelSelector"]["matchLabels"], self.manifests.labels(program))

    def test_the_gateway_looks_up_headless_services(self):
        backends = self.manifests.settings("gateway")["RAWGATE_BACKENDS"].split(",")
        targets = dict(re.fullmatch(r"(\w+)=dns:///([\w:]+)", backend).groups() for backend in backends)
        self.assertEqual(set(targets), set(PROGRAMS) - {"gateway"})
        for service, target in targets.items():
            name, port = target.split(":")
            spec = self.manifests.of("Service")[name]["spec"]
            self.assertEqual(name, service)
            self.assertEqual(spec["clusterIP"], "None")
            self.assertIs(spec["publishNotReadyAddresses"], True)
            self.assertIn(("rpc", int(port)), [(entry["name"], entry["port"]) for entry in spec["ports"]])

    def test_only_the_gateway_is_guarded_by_itself_and_rpc_is_guarded_everywhere(self):
        for program in PROGRAMS:
            with self.subTest(program=program):
                settings = self.manifests.settings(program)
                gateway = program == "gateway"
                self.assertEqual(settings.get("RAWGATE_ALLOW_INSECURE_BIND"), None if gateway else "true")
                self.assertEqual(settings.get("RAWGATE_RPC_TLS"), None if gateway else "true")
                self.assertEqual("RAWGATE_ACCESS_FILE" in settings, gateway)
                self.assertEqual("RAWGATE_BACKEND_TLS_CA" in settings, gateway)

    def test_secrets_are_each_programs_own(self):
        for program in PROGRAMS:
            with self.subTest(program=program):
                secrets = {volume["secret"]["secretName"] for volume in self.manifests.pod(program)["volumes"]
                           if "secret" in volume}
                self.assertEqual(secrets, {f"{program}-tls"} | ({"gateway-access"} if program == "gateway" else set()))


class BaseTest(Checks, unittest.TestCase):
    folder = BASE

    def test_single_pods(self):
        for program in PROGRAMS:
            with self.subTest(program=program):
                self.assertEqual(self.manifests.of("Deployment")[program]["spec"].get("replicas"),
                                 1 if program in SINGLE else None)

    def test_nothing_is_published(self):
        for service in self.manifests.of("Service").values():
            self.assertIn(service["spec"].get("type", "ClusterIP"), {"ClusterIP"})
            self.assertFalse(service["spec"].get("externalIPs"))


class ExampleTest(Checks, unittest.TestCase):
    folder = EXAMPLE

    def test_the_gateway_alone_is_published(self):
        published = [name for name, service in self.manifests.of("Service").items()
                     if service["spec"].get("type", "ClusterIP") != "ClusterIP"]
        self.assertEqual(published, ["gateway"])
        self.assertEqual(self.manifests.of("Service")["gateway"]["spec"]["externalTrafficPolicy"], "Local")

    def test_settings_are_added_to_those_of_the_base(self):
        base = render(BASE)
        for program in PROGRAMS:
            with self.subTest(program=program):
                self.assertLessEqual(base.settings(program).keys(), self.manifests.settings(program).keys())
        self.assertEqual(self.manifests.settings("exec")["RAWGATE_SANDBOX"], "landlock")
        self.assertIn("rawgate.example", self.manifests.settings("gateway")["RAWGATE_HTTP_HOSTS"])


if __name__ == "__main__":
    unittest.main()
