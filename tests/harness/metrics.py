"""What a process tells Prometheus, as a scraper gets it."""

import http.client
import re

from tests.harness.deadlines import PATIENCE

SAMPLE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"(?:,|$)')


def get(program, path, connection=http.client.HTTPConnection, headers=None, **options):
    """(status, headers, body) of one request of the process's own HTTP server."""
    client = connection(*program.address("http"), timeout=PATIENCE, **options)
    try:
        client.request("GET", path, headers=headers or {})
        response = client.getresponse()
        return response.status, response.headers, response.read()
    finally:
        client.close()


def scrape(program, **options):
    status, headers, body = get(program, "/metrics", **options)
    assert status == 200, (status, body)
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8", headers
    return body.decode()


class Page:
    """The samples of one scrape."""

    def __init__(self, text):
        self.text = text
        self.samples = {}
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            name, labels, value = SAMPLE.match(line).groups()
            key = (name, frozenset(LABEL.findall(labels or "")))
            assert key not in self.samples, f"twice: {line}"
            self.samples[key] = float(value)

    def names(self):
        return {name for name, _ in self.samples}

    def find(self, name, **labels):
        """All samples of a name that have these labels, by all of their labels."""
        wanted = set(labels.items())
        return {found: value for (sample, found), value in self.samples.items() if sample == name and wanted <= found}

    def value(self, name, **labels):
        """Of the only sample with these labels."""
        found = self.find(name, **labels)
        assert len(found) == 1, f"{name}{labels}: {found}"
        return next(iter(found.values()))


def page_of(program, **options):
    return Page(scrape(program, **options))
