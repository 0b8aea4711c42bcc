"""System calls of a running program, told by strace, and made to fail or to be its last."""

import collections
import re
import subprocess

from tests.harness.deadlines import PATIENCE
from tests.harness.durability import skip_module

_LINE = re.compile(r"^(?P<thread>\d+) +(?:(?P<name>\w+)\((?P<rest>.*)|<\.\.\. (?P<resumed>\w+) resumed>(?P<more>.*))$")

# One call as it was made: `text` has its arguments and its result.
Call = collections.namedtuple("Call", "thread name text")


def strace_or_skip():
    """For setUpModule(): containers may forbid tracing."""
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        try:
            Tracer(sleeper.pid, "/dev/null", ["close"]).stop()
        except (OSError, AssertionError) as error:
            skip_module(f"strace cannot trace here: {error}")
        finally:
            sleeper.kill()


class Tracer:
    """strace on a process that runs, with all of its threads. Counters of `fault` begin with it, one for each thread.

    fault: such as "fsync:error=EIO:when=2" or "linkat:signal=KILL:when=1"."""

    def __init__(self, pid, log_path, calls, fault=None):
        self.log_path = log_path
        command = ["strace", "-f", "-o", str(log_path), "--trace=" + ",".join(calls), "-p", str(pid)]
        self._process = subprocess.Popen([*command, *([f"--inject={fault}"] if fault else [])],
                                         stderr=subprocess.PIPE, text=True)
        line = self._process.stderr.readline()
        if " attached" not in line:
            self.stop()
            raise AssertionError(f"strace: {line!r}")

    def stop(self, dying=False):
        """Lets the process go on without it. One that is `dying` is awaited: strace cannot let go of it, and waits for
        ever if told to."""
        if not dying:
            self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError("strace did not end") from None
        finally:
            self._process.stderr.close()

    def calls(self):
        """After stop(): what was called, in the order of the calls' beginnings."""
        calls, unfinished = [], {}
        for line in self.log_path.read_text(errors="replace").splitlines():
            found = _LINE.match(line)
            if not found:
                continue
            thread = int(found["thread"])
            if found["name"]:
                unfinished[thread] = len(calls)
                calls.append(Call(thread, found["name"], found["rest"]))
            elif thread in unfinished:
                call = calls[unfinished[thread]]
                calls[unfinished[thread]] = call._replace(text=call.text + found["more"])
        return calls


def counts_by_thread(calls):
    """How often each was called by the thread that called it most: the numbers that a fault may have."""
    each = collections.Counter((call.thread, call.name) for call in calls)
    most = {}
    for (_, name), count in each.items():
        most[name] = max(count, most.get(name, 0))
    return most
