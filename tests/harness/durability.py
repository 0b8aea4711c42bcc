"""What the durability tests share: how much of each to do, chance that can be repeated, and being skipped aloud.

RAWGATE_DURABILITY=full makes them do what script/durability promises; without it they do what fits a change's checks.
RAWGATE_DURABILITY_SEED repeats a run's chances, as far as the machine's own allow that.
"""

import atexit
import ctypes
import os
import random
import subprocess
import tempfile
import unittest

_CLONE_NEWNS = 0x20000

FULL = os.environ.get("RAWGATE_DURABILITY") == "full"
SEED = int(os.environ.get("RAWGATE_DURABILITY_SEED") or random.SystemRandom().randrange(1 << 32))


def figure(usual, full):
    """How often, how many or how long."""
    return full if FULL else usual


def chance(purpose):
    """A random.Random of this run's seed, which is told."""
    report(f"{purpose}: RAWGATE_DURABILITY_SEED={SEED}")
    return random.Random(f"{SEED} {purpose}")


def report(line):
    """A line of script/durability's report."""
    print(f"durability: {line}", flush=True)


def _report_skip(reason):
    """ctest looks for the first word, and script/test then names the module."""
    print(f"\nSKIPPED: {reason}", flush=True)


def skip_module(reason):
    """For setUpModule()."""
    _report_skip(reason)
    raise unittest.SkipTest(reason)


def skip_test(case, reason):
    """For a test method. Its module counts as skipped then, unless something in it fails: ctest would not look at the exit
    code of a module that has said so. Hence at the end."""
    result = case._outcome.result
    atexit.register(lambda: result.wasSuccessful() and _report_skip(reason))
    case.skipTest(reason)


def require_root(what):
    if os.geteuid() != 0:
        skip_module(f"{what} takes root")


def private_mounts_or_skip():
    """From here on, what this process mounts is seen by it and its children only, and goes when they do. For
    setUpModule(): threads that run already are not part of it. Some containers' root may not mount."""
    require_root("mounting file systems")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS) != 0:
        skip_module(f"mounts of our own cannot be had here: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=False).returncode != 0:
            skip_module("no file system can be mounted here")
        subprocess.run(["umount", folder], check=True)
