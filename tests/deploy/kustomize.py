"""Manifests as `kubectl kustomize` renders them, and questions about them that more than one test has."""

import json
import pathlib
import re
import shutil
import subprocess
import tempfile

import yaml

from tests.harness.program import REPOSITORY

BASE = REPOSITORY / "deploy/kubernetes"
EXAMPLE = REPOSITORY / "deploy/kubernetes-example"
PROGRAMS = ("gateway", "echo", "exec", "time", "file", "chat")


def render(folder):
    """Everything that `kubectl apply -k` would send, in the words of this machine's kubectl."""
    with tempfile.TemporaryDirectory(prefix="rawgate-test-") as copies:
        for each in (BASE, EXAMPLE):
            shutil.copytree(each, pathlib.Path(copies, each.name))
        if _minor_version() < 21:
            _in_old_words(pathlib.Path(copies, EXAMPLE.name, "kustomization.yaml"))
        rendered = subprocess.run(["kubectl", "kustomize", str(pathlib.Path(copies, folder.name))], capture_output=True,
                                  text=True, check=False)
    if rendered.returncode != 0:
        raise AssertionError(f"kubectl kustomize {folder}: {rendered.stderr}")
    if rendered.stderr:
        raise AssertionError(f"kubectl kustomize {folder} warns: {rendered.stderr}")
    return Manifests(yaml.safe_load_all(rendered.stdout))


def _minor_version():
    printed = subprocess.run(["kubectl", "version", "--client", "--output=json"], capture_output=True, check=True).stdout
    return int(json.loads(printed)["clientVersion"]["minor"].rstrip("+"))


def _in_old_words(file):
    """What is deprecated today is all that kubectl before 1.21 (Debian 12's is 1.20) knows of overlays."""
    overlay = yaml.safe_load(file.read_text())
    overlay["bases"] = overlay.pop("resources")
    overlay["patchesStrategicMerge"] = [patch["path"] for patch in overlay.pop("patches")]
    file.write_text(yaml.safe_dump(overlay))


def selects(selector, labels):
    """Whether a label selector without expressions, such as a Service's, fits labels."""
    return selector.items() <= labels.items()


def size(text):
    """Bytes of a quantity such as 4Gi."""
    number, unit = re.fullmatch(r"(\d+)(Ki|Mi|Gi)", text).groups()
    return int(number) << {"Ki": 10, "Mi": 20, "Gi": 30}[unit]


class Manifests:
    def __init__(self, objects):
        self.objects = list(objects)

    def of(self, kind):
        """Objects of a kind by name."""
        found = {entry["metadata"]["name"]: entry for entry in self.objects if entry["kind"] == kind}
        if len(found) != sum(entry["kind"] == kind for entry in self.objects):
            raise AssertionError(f"two objects of kind {kind} have one name")
        return found

    def pod(self, program):
        return self.of("Deployment")[program]["spec"]["template"]["spec"]

    def labels(self, program):
        """Of the pods that run it."""
        return self.of("Deployment")[program]["spec"]["template"]["metadata"]["labels"]

    def container(self, program):
        """The only one of its pods."""
        container, = self.pod(program)["containers"]
        return container

    def ports(self, program):
        """Its container's ports, by name."""
        return {port["name"]: port for port in self.container(program)["ports"]}

    def settings(self, program):
        """Its container's environment, as kubelet makes it of ConfigMaps."""
        environment = {}
        for source in self.container(program)["envFrom"]:
            environment.update(self.of("ConfigMap")[source["configMapRef"]["name"]]["data"])
        for variable in self.container(program).get("env", []):
            environment[variable["name"]] = variable["value"]
        return environment

    def services(self, program):
        """Services that choose its pods."""
        return [service for service in self.of("Service").values()
                if selects(service["spec"]["selector"], self.labels(program))]

    def policies(self, program):
        """NetworkPolicies that choose its pods."""
        return [policy for policy in self.of("NetworkPolicy").values()
                if selects(policy["spec"]["podSelector"].get("matchLabels", {}), self.labels(program))]
