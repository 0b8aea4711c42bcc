"""Waiting for a condition, never for a length of time."""

import os
import time

# Sanitizers and loaded machines are slower; RAWGATE_TEST_TIMEOUT_SCALE stretches every deadline of the tests.
SCALE = float(os.environ.get("RAWGATE_TEST_TIMEOUT_SCALE", "1"))

# Long enough that only something broken takes longer.
PATIENCE = 60 * SCALE


def wait_until(predicate, what, deadline=PATIENCE, interval=0.01):
    """Polls until predicate() is true and returns its value; fails, saying `what` was missing, after the deadline. A longer
    interval is for what takes its time to ask."""
    end = time.monotonic() + deadline
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline:g} s: {what} (last value: {value!r})")
        time.sleep(interval)
