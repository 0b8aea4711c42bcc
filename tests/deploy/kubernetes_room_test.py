"""Room and time in the Kubernetes manifests: drains, rollouts, replicas, memory and disk agree with what the programs take."""

import re
import unittest

from tests.deploy.kustomize import BASE, EXAMPLE, PROGRAMS, render, size

# What a program may take after its grace: cancelled work 5 s, last words and pages 1 s each.
AFTER_GRACE = 7
# Endpoints of DNS names are told to others for so long, at most, by the usual name servers; then the gateway looks.
NAME_KEPT, LOOKUP_EVERY = 30, 5


def seconds(text):
    """Of a flag such as 20s."""
    return float(re.fullmatch(r"(\d+)s", text)[1])


def pre_stop_seconds(container):
    """How long the container goes on as if nothing were before it is told to go."""
    handler = container.get("lifecycle", {}).get("preStop")
    if handler is None:
        return 0
    command, length = handler["exec"]["command"]
    assert command == "sleep", handler
    return int(length)


class Checks:
    """What holds of the base and of the example alike."""

    folder = None

    @classmethod
    def setUpClass(cls):
        cls.manifests = render(cls.folder)

    def test_a_drain_has_the_time_that_it_may_take(self):
        for program in PROGRAMS:
            with self.subTest(program=program):
                grace = seconds(self.manifests.settings(program)["RAWGATE_GRACE"])
                longest = pre_stop_seconds(self.manifests.container(program)) + grace + AFTER_GRACE
                # Its last messages are given as long again to reach the disk.
                longest += grace if program == "chat" else 0
                self.assertLess(longest, self.manifests.pod(program)["terminationGracePeriodSeconds"])

    def test_rollouts_take_nothing_away_before_there_is_more(self):
        for program in PROGRAMS:
            with self.subTest(program=program):
                spec = self.manifests.of("Deployment")[program]["spec"]
                if spec["strategy"]["type"] == "Recreate":
                    self.assertEqual(spec["replicas"], 1)
                    continue
                self.assertEqual(spec["strategy"]["rollingUpdate"], {"maxSurge": 1, "maxUnavailable": 0})
                self.assertGreater(pre_stop_seconds(self.manifests.container(program)), 0)
                known_after = 0 if program == "gateway" else NAME_KEPT + LOOKUP_EVERY
                self.assertGreater(spec["minReadySeconds"], known_after)

    def test_one_process_has_a_volume_that_one_node_mounts(self):
        for program, claim in self.manifests.of("PersistentVolumeClaim").items():
            spec = self.manifests.of("Deployment")[program]["spec"]
            if claim["spec"]["accessModes"] == ["ReadWriteOnce"]:
                self.assertEqual((spec["replicas"], spec["strategy"]["type"]), (1, "Recreate"))
            else:
                self.assertEqual((program, claim["spec"]["accessModes"]), ("file", ["ReadWriteMany"]))
            self.assertEqual(spec["template"]["spec"]["securityContext"]["fsGroupChangePolicy"], "OnRootMismatch")

    def test_autoscalers_and_budgets_agree(self):
        budgets = self.manifests.of("PodDisruptionBudget")
        autoscalers = self.manifests.of("HorizontalPodAutoscaler")
        self.assertEqual(set(autoscalers), {"gateway", "echo", "exec", "time"})
        for program, autoscaler in autoscalers.items():
            spec = autoscaler["spec"]
            self.assertEqual(spec["scaleTargetRef"], {"apiVersion": "apps/v1", "kind": "Deployment", "name": program})
            # Or each apply would set back what the autoscaler has decided.
            self.assertNotIn("replicas", self.manifests.of("Deployment")[program]["spec"])
            # A percentage is one of what is requested.
            self.assertIn("cpu", self.manifests.container(program)["resources"]["requests"])
            self.assertGreater(spec["minReplicas"], budgets[program]["spec"]["maxUnavailable"])
            self.assertGreater(spec["maxReplicas"], spec["minReplicas"])
            # What `rawgate stop` has stopped is not ready, and must not hold up the drain of a node.
            self.assertEqual(budgets[program]["spec"]["unhealthyPodEvictionPolicy"], "AlwaysAllow")
        # A budget for one pod would hold up every drain of its node.
        self.assertEqual(set(budgets), set(autoscalers))

    def test_resources(self):
        for program in PROGRAMS:
            with self.subTest(program=program):
                resources = self.manifests.container(program)["resources"]
                self.assertLessEqual({"cpu", "memory"}, resources["requests"].keys())
                self.assertGreater(size(resources["limits"]["memory"]), size(resources["requests"]["memory"]))
                # Up to three times as much is taken for what is held of messages (docs/security.md).
                buffers = int(self.manifests.settings(program)["RAWGATE_RPC_BUFFERS_MAX_BYTES"])
                self.assertLess(3 * buffers, size(resources["limits"]["memory"]))
        self.assertIn("cpu", self.manifests.container("exec")["resources"]["limits"])

    def test_outputs_of_commands_fit_into_their_volume(self):
        settings = self.manifests.settings("exec")
        scratch, = [volume["emptyDir"] for volume in self.manifests.pod("exec")["volumes"] if "emptyDir" in volume]
        mount, = [mount for mount in self.manifests.container("exec")["volumeMounts"] if mount["name"] == "tmp"]
        self.assertEqual(mount["mountPath"], settings["RAWGATE_WORK_DIR"])
        kept = sum(int(settings[f"RAWGATE_{name}_FILE_MAX_BYTES"]) for name in ("UNREAD", "HISTORY"))
        self.assertLess(2 * kept, size(scratch["sizeLimit"]))
        limits = self.manifests.container("exec")["resources"]["limits"]
        self.assertGreater(size(limits["ephemeral-storage"]), size(scratch["sizeLimit"]))


class BaseTest(Checks, unittest.TestCase):
    folder = BASE


class ExampleTest(Checks, unittest.TestCase):
    folder = EXAMPLE


if __name__ == "__main__":
    unittest.main()
