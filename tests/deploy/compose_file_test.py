"""docker-compose.yml as a text: what would go wrong only where no test has been, such as with BuildKit."""

import collections
import re
import unittest

import yaml

from tests.harness.program import REPOSITORY


def services():
    # Compose takes a list of what `<<` merges in, as YAML 1.1 has it, and so does PyYAML.
    return yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]


class ComposeFileTest(unittest.TestCase):
    def test_no_image_is_built_by_two_services(self):
        """They are built at once, and whoever comes second finds the name taken."""
        builders = collections.Counter(service["image"] for service in services().values() if "build" in service)
        self.assertEqual(set(builders.values()), {1}, builders)

    def test_every_image_is_built_by_somebody_who_is_started_with_those_that_run_it(self):
        """Nothing is pulled. Without a profile the first service builds, with one a service of that profile."""
        built = {service["image"]: service.get("profiles", []) for service in services().values() if "build" in service}
        for name, service in services().items():
            with self.subTest(name):
                self.assertIn(service["image"], built)
                self.assertIn(built[service["image"]], ([], service.get("profiles", [])))

    def test_everything_is_published_on_loopback_unless_somebody_says_otherwise(self):
        for name, service in services().items():
            for port in service.get("ports", []):
                with self.subTest(service=name, port=port):
                    self.assertRegex(port, r"^(127\.0\.0\.1|\$\{RAWGATE_TLS_ADDRESS:-127\.0\.0\.1\}):")

    def test_no_two_are_published_at_the_same_port(self):
        ports = [re.sub(r"/tcp$", "", port.rpartition(":")[0].rpartition(":-")[2]) + port[-4:] * port.endswith("/udp")
                 for service in services().values() for port in service.get("ports", [])]
        self.assertEqual(len(ports), len(set(ports)), sorted(ports))


if __name__ == "__main__":
    unittest.main()
