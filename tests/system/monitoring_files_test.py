"""What deploy/ has for Prometheus and Grafana, as their own tools judge it."""

import json
import re
import subprocess
import tempfile
import unittest

from tests.harness.deadlines import PATIENCE
from tests.harness.program import REPOSITORY
from tests.harness.stack import LISTENERS

PROMETHEUS = REPOSITORY / "deploy/prometheus"
# For processes on one machine, and for those of docker-compose.yml.
CONFIGURATIONS = ("prometheus.yml", "containers.yml")


class PrometheusTest(unittest.TestCase):
    def promtool(self, *words):
        result = subprocess.run(["promtool", *words], cwd=PROMETHEUS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, timeout=PATIENCE, check=False)
        self.assertEqual(result.returncode, 0, result.stdout)
        return result.stdout

    def test_configurations(self):
        for name in CONFIGURATIONS:
            self.promtool("check", "config", name)

    def test_rules(self):
        self.promtool("check", "rules", "--lint-fatal", "rawgate.rules.yml")

    def test_alerts_come_when_they_should(self):
        self.promtool("test", "rules", "rawgate.rules.test.yml")

    def test_every_alert_has_a_test(self):
        rules = (PROMETHEUS / "rawgate.rules.yml").read_text()
        tests = (PROMETHEUS / "rawgate.rules.test.yml").read_text()
        alerts = [line.split("alert:")[1].strip() for line in rules.splitlines() if "- alert:" in line]
        self.assertGreater(len(alerts), 10)
        for alert in alerts:
            self.assertIn(f"alertname: {alert}\n", tests)

    def test_all_six_are_scraped(self):
        for name in CONFIGURATIONS:
            text = (PROMETHEUS / name).read_text()
            for program in (*LISTENERS, "gateway"):
                self.assertIn(f"labels: {{program: {program}}}", text, name)


class GrafanaTest(unittest.TestCase):
    def setUp(self):
        self.dashboard = json.loads((REPOSITORY / "deploy/grafana/rawgate.json").read_text())

    def test_panels_do_not_overlap_and_have_a_source(self):
        taken = set()
        ids = set()
        for panel in self.dashboard["panels"]:
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            self.assertFalse(cells & taken, panel["title"])
            taken |= cells
            self.assertNotIn(panel["id"], ids)
            ids.add(panel["id"])
            for target in panel.get("targets", ()):
                self.assertEqual(target["datasource"], {"type": "prometheus", "uid": "${datasource}"})

    def test_expressions_are_promql(self):
        """As rules of a file of their own: promtool has no other way to look at an expression."""
        expressions = [target["expr"].replace("$__rate_interval", "5m")
                       for panel in self.dashboard["panels"] for target in panel.get("targets", ())]
        rules = {"groups": [{"name": "panels", "rules": [{"record": f"panel:{i}", "expr": expression}
                                                         for i, expression in enumerate(expressions)]}]}
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            json.dump(rules, file)
            file.flush()
            result = subprocess.run(["promtool", "check", "rules", file.name], stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn(f"{len(expressions)} rules found", result.stdout)

    def test_the_console_shows_the_same(self):
        """But for versions, which are in the dashboard alone."""
        console = (PROMETHEUS / "consoles/rawgate.html").read_text()
        shown = set(re.findall(r"`([^`]+)`", console))
        expected = {target["expr"].replace("$__rate_interval", "1m")
                    for panel in self.dashboard["panels"] for target in panel.get("targets", ())}
        self.assertEqual(shown, expected - {"rawgate_build_info"})


if __name__ == "__main__":
    unittest.main()
