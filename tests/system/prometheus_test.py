"""Prometheus itself, with the configuration, rules and dashboard of deploy/, before all six processes."""

import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import urllib.parse
import urllib.request

from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.ports import stable_port
from tests.harness.program import REPOSITORY
from tests.harness.stack import HTTP, LISTENERS, Stack

DEPLOY = REPOSITORY / "deploy"
PROGRAMS = [*LISTENERS, "gateway"]


class Prometheus:
    """Runs until the test ends. Scrapes each second, where it otherwise does every 15."""

    def __init__(self, test, stack):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="rawgate-prometheus-"))
        test.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        shutil.copy(DEPLOY / "prometheus/rawgate.rules.yml", folder)
        (folder / "prometheus.yml").write_text(self._configuration(stack))
        self.address = f"127.0.0.1:{stable_port()}"
        with open(folder / "log", "wb") as log:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
                 f"--web.listen-address={self.address}"], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        test.addCleanup(process.wait)
        test.addCleanup(process.kill)

    @staticmethod
    def _configuration(stack):
        text = (DEPLOY / "prometheus/prometheus.yml").read_text().replace("interval: 15s", "interval: 1s")
        for program in PROGRAMS:
            host, port = stack.http(program)
            text, count = re.subn(rf'"[^"]*"(?=\], labels: {{program: {program}}})', f'"{host}:{port}"', text)
            assert count == 1, program
        return text

    def get(self, path, **query):
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=PATIENCE) as response:
            answer = json.load(response)
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expression):
        """Labels and value of each series."""
        return [(row["metric"], float(row["value"][1])) for row in self.get("query", query=expression)["result"]]

    def ready(self):
        try:
            return self.get("targets")
        except OSError:
            return None


class PrometheusTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack()
        cls.addClassCleanup(cls.stack.stop)
        cls.stack.start_all(HTTP)

    def setUp(self):
        self.prometheus = Prometheus(self, self.stack)
        wait_until(self.prometheus.ready, "Prometheus")
        wait_until(lambda: len(self.prometheus.query('up{job="rawgate"} == 1')) == len(PROGRAMS), "six targets that are up")

    def test_every_panel_has_something_to_show(self):
        """But for what did not happen, such as errors: those that filter by a value may be empty."""
        dashboard = json.loads((DEPLOY / "grafana/rawgate.json").read_text())
        # A rate takes two scrapes.
        wait_until(lambda: min(value for _, value in self.prometheus.query('count_over_time(up{job="rawgate"}[1m])')) >= 3,
                   "three scrapes of each")
        for panel in dashboard["panels"]:
            for target in panel.get("targets", ()):
                expression = target["expr"].replace("$__rate_interval", "1m")
                with self.subTest(panel=panel["title"]):
                    found = self.prometheus.query(expression)
                    if "> 0" not in expression and "!=" not in expression:
                        self.assertTrue(found, expression)
                    labels = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
                    for metric, _ in found:
                        self.assertLessEqual(labels, set(metric), expression)

    def test_nothing_is_wrong(self):
        def rules():
            [group] = self.prometheus.get("rules")["groups"]
            return group["rules"]

        wait_until(lambda: all(rule["evaluationTime"] for rule in rules()), "the first evaluation")
        # A target that was not scraped yet may be thought to be down.
        wait_until(lambda: not [rule["name"] for rule in rules() if rule["state"] != "inactive"], "no alert that is about to come")
        for rule in rules():
            self.assertEqual((rule["name"], rule["health"], rule.get("lastError")), (rule["name"], "ok", None))


if __name__ == "__main__":
    unittest.main()
