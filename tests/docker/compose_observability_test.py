"""The profile `observability`: Prometheus with our rules and dashboard, which sees all six processes."""

import json
import unittest
import urllib.parse
import urllib.request

from tests.conformance.plain_client import connect, receive_exactly
from tests.docker import engine as engines
from tests.docker.stack import SERVICES, ComposeStack
from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.program import REPOSITORY

stack = None


def setUpModule():
    global stack
    stack = unittest.enterModuleContext(
        ComposeStack(engines.engine_or_skip(), (*SERVICES, "prometheus"), ["observability"]))


def fetch(path):
    url = "http://{}:{}/{}".format(*stack.address("prometheus", "http"), path)
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return answer.read().decode()


def ask(path, **query):
    answer = json.loads(fetch(f"api/v1/{path}?{urllib.parse.urlencode(query)}"))
    if answer["status"] != "success":
        raise AssertionError(answer)
    return answer["data"]


def programs_that(expression):
    """The label `program` of every series."""
    return {row["metric"]["program"] for row in ask("query", query=expression)["result"]}


class PrometheusTest(unittest.TestCase):
    def setUp(self):
        wait_until(lambda: programs_that('up{job="rawgate"} == 1') == set(SERVICES), "all six, as Prometheus sees them")

    def test_counts_what_happens(self):
        received = 'rawgate_listener_received_bytes_total{service="echo", listener="tcp"}'

        def counted():
            (series,) = ask("query", query=received)["result"]
            return float(series["value"][1])

        before = counted()
        with connect(stack.address("echo", "tcp")) as client:
            client.sendall(b"x" * 1000)
            receive_exactly(client, 1000)
        wait_until(lambda: counted() == before + 1000, "the bytes in Prometheus")

    def test_rules_are_those_of_the_repository(self):
        rules = [rule["name"] for group in ask("rules")["groups"] for rule in group["rules"] if rule["type"] == "alerting"]
        text = (REPOSITORY / "deploy/prometheus/rawgate.rules.yml").read_text()
        self.assertEqual(sorted(rules), sorted(line.split("alert:")[1].strip() for line in text.splitlines() if "- alert:" in line))

    def test_one_that_goes_away_is_seen_and_so_is_its_return(self):
        stack.compose("stop", "echo")
        wait_until(lambda: programs_that('up{job="rawgate"} == 0') == {"echo"}, "that echo is away")
        stack.up()
        wait_until(lambda: programs_that('up{job="rawgate"} == 1') == set(SERVICES), "that echo is back")

    def test_dashboard(self):
        page = fetch("consoles/rawgate.html")
        for service in SERVICES:
            self.assertIn(service, page)
        self.assertNotIn("error calling", page)

    def test_published_on_loopback_alone(self):
        bindings = stack.container("prometheus")["NetworkSettings"]["Ports"].values()
        self.assertEqual({each["HostIp"] for published in bindings for each in published or ()}, {"127.0.0.1"})


if __name__ == "__main__":
    unittest.main()
