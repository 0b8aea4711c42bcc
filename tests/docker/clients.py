"""Starts retrying_clients.py, and keeps the books on what it tells."""

import collections
import json
import os
import subprocess
import sys
import threading

from tests.harness.deadlines import PATIENCE, wait_until
from tests.harness.program import REPOSITORY


class Clients:
    """Callers, so many of each kind, that call `target` until stop(). `under` is a command that runs them elsewhere."""

    def __init__(self, target, tls, kinds, under=()):
        command = [*under, sys.executable, "-m", "tests.docker.retrying_clients", "--target", target, "--tls", str(tls)]
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command, *(f"{kind}={number}" for kind, number in kinds.items())],
            cwd=REPOSITORY, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        self._callers = [f"{kind}-{index}" for kind, number in kinds.items() for index in range(number)]
        self._lock = threading.Lock()
        self._done = collections.Counter()
        self._failures = []
        # By kind, those that have answered since the last call of forget_instances().
        self._instances = collections.defaultdict(collections.Counter)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            record = json.loads(line)
            with self._lock:
                self._done[record["caller"]] += 1
                if record["failure"]:
                    self._failures.append(record["failure"])
                else:
                    self._instances[record["caller"].rpartition("-")[0]][record["instance"]] += 1

    def failures(self):
        with self._lock:
            return list(self._failures)

    def forget_instances(self):
        with self._lock:
            self._instances.clear()

    def instances(self, kind):
        """Who has answered, and how often."""
        with self._lock:
            return dict(self._instances[kind])

    def await_calls(self, more=5):
        """Each caller has ended so many calls from now on, all but the first of which have begun from now on, too; none of all
        calls has failed."""
        with self._lock:
            before = dict(self._done)

        def moved():
            self.check()
            with self._lock:
                return all(self._done[name] >= before.get(name, 0) + more for name in self._callers)

        wait_until(moved, f"{more} more calls of every client")

    def check(self):
        """No call has failed so far."""
        if failures := self.failures():
            raise AssertionError(f"{len(failures)} calls have failed, the first: {failures[0]}")
        if self._process.poll() is not None:
            raise AssertionError(f"the clients ended with {self._process.returncode}")

    def stop(self):
        """Calls under way end first."""
        if self._process.poll() is None:
            self._process.stdin.close()
        status = self._process.wait(2 * PATIENCE)
        self._reader.join(PATIENCE)
        self._process.stdout.close()
        if status != 0:
            raise AssertionError(f"the clients ended with {status}")
