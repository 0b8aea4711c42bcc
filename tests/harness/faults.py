"""Faults on purpose: a listener of a service that was started with ALLOWED is told what to do wrong."""

from tests.harness import rpc
from tests.harness.deadlines import PATIENCE

ALLOWED = "--allow_faults"


def faults(seed=0, fail_first=0, **ways):
    """A Faults. Each way, such as stream_sent, is a dict of its fields; times are in seconds."""
    made = rpc.control.Faults(seed=seed, fail_first=fail_first)
    for way, fields in ways.items():
        message = getattr(made, way)
        for name, value in fields.items():
            if name in ("delay", "jitter"):
                getattr(message, name).FromNanoseconds(round(value * 10**9))
            else:
                setattr(message, name, value)
    return made


def set_faults(client, service, listener="", **fields):
    """What they are then, with the seed; without fields the listener behaves again."""
    request = rpc.control.SetFaultsRequest(service=service, listener=listener, faults=faults(**fields))
    answer = client.control.SetFaults(request, timeout=PATIENCE)
    return next((entry.faults for entry in answer.service.listeners if listener in ("", entry.name)), None)


def fault_counters(client, service, listener):
    return client.listener(service, listener).fault_counters
