"""What clients/python decides without a gateway: when to try again, what a message means, whom to trust with a token."""

import dataclasses
import datetime
import inspect
import io
import os
import tempfile
import types
import unittest
from unittest import mock

import grpc

from tests.clients.both import COUNTERPARTS

# pylint: disable=wrong-import-order
import rawgate
from rawgate import _convert, _details, _settings, clock, commands, conversations, errors, events, faults, states, stored
from rawgate._details import error_details_pb2, status_pb2
from rawgate._retry import How, Pacer
from rawgate._target import OpenFile, PartFile
from rawgate._watches import _EventPositions
from rawgate.chat.v1 import chat_service_pb2
from rawgate.control.v1 import control_service_pb2, event_pb2, fault_pb2, state_pb2
from rawgate.exec.v1 import command_pb2, job_pb2, outcome_pb2, output_pb2
from rawgate.file.v1 import file_info_pb2, file_service_pb2, upload_pb2
from rawgate.time.v1 import time_service_pb2

# The messages that are called otherwise here.
NAMES = {"GetTimeResponse": "TimeReading", "WatchTimeResponse": "Tick", "GetLimitsResponse": "StoreLimits", "Job": "JobInfo",
         "EventsLost": "Lost", "WatchServicesResponse": "ServicesChange", "SendMessageResponse": "Sent"}
# What clients/python tells in another way, or keeps for itself.
OWN = {"TimeReading": {"offset", "delay"}}
HIDDEN = {"TimeReading": {"client_send_time", "server_receive_time", "server_send_time"},
          "ServicesChange": {"sequence", "instance"}}
PAIRS = ((clock, time_service_pb2), (commands, job_pb2), (commands, outcome_pb2), (commands, output_pb2),
         (conversations, chat_service_pb2), (events, event_pb2), (faults, fault_pb2), (states, state_pb2),
         (states, control_service_pb2), (stored, file_info_pb2), (stored, upload_pb2), (stored, file_service_pb2))
ENUMS = (clock, commands, conversations, states, stored)


class ModelTest(unittest.TestCase):
    def test_every_field_of_the_protos_is_there(self):
        met = set()
        for module, contract in PAIRS:
            for name, message in contract.DESCRIPTOR.message_types_by_name.items():
                kind = getattr(module, NAMES.get(name, name), None)
                if not dataclasses.is_dataclass(kind):
                    continue
                met.add(kind.__name__)
                oneofs = {oneof.name for oneof in message.oneofs if len(oneof.fields) > 1}
                fields = {field.name for field in message.fields
                          if not field.containing_oneof or field.containing_oneof.name not in oneofs} | oneofs
                ours = {field.name for field in dataclasses.fields(kind)} - OWN.get(kind.__name__, set())
                with self.subTest(message=message.full_name):
                    self.assertEqual(ours, fields - HIDDEN.get(kind.__name__, set()))
        self.assertLessEqual({"TimeReading", "JobInfo", "Outcome", "Message", "Event", "Faults", "Service", "FileInfo", "Lost",
                              "StoreLimits", "ServicesChange", "Sent", "UnfinishedUpload"}, met)

    def test_every_value_of_the_enums_is_there(self):
        contracts = [pair[1] for pair in PAIRS] + [command_pb2]
        for module in ENUMS:
            for kind in vars(module).values():
                if not (isinstance(kind, type) and issubclass(kind, int) and kind.__module__ == module.__name__):
                    continue
                enum = next(each.DESCRIPTOR.enum_types_by_name[kind.__name__] for each in contracts
                            if kind.__name__ in each.DESCRIPTOR.enum_types_by_name)
                common = os.path.commonprefix([value.name for value in enum.values]).rpartition("_")[0] + "_"
                with self.subTest(enum=enum.full_name):
                    self.assertEqual({value.name: value.value for value in kind},
                                     {value.name.removeprefix(common): value.number for value in enum.values})

    def test_messages_and_back(self):
        there = faults.Faults(seed=7, stream_sent=faults.StreamFaults(delay=datetime.timedelta(milliseconds=250), split_bytes=1))
        message = fault_pb2.Faults()
        _convert.to_proto(there, message)
        self.assertEqual(message.stream_sent.delay.nanos, 250_000_000)
        self.assertEqual(_convert.from_proto(faults.Faults, message), there)

    def test_what_a_later_version_says(self):
        listener = state_pb2.Listener(name="tcp")
        listener.MergeFromString(b"\x10\x63")  # the transport is 99
        told = _convert.from_proto(states.Listener, listener)
        self.assertEqual((told.transport, told.state_time), (rawgate.Transport.UNSPECIFIED, None))
        self.assertIsNone(_convert.from_proto(events.Event, event_pb2.Event(service="echo")).kind)
        outcome = _convert.from_proto(commands.Outcome, outcome_pb2.Outcome())
        self.assertEqual((outcome.result, outcome.exit_code), (None, 255))

    def test_both_clients_have_the_same_methods(self):
        for ours, theirs in COUNTERPARTS.items():
            for name, method in inspect.getmembers(ours, inspect.isfunction):
                if not name.startswith("_"):
                    with self.subTest(method=f"{ours.__name__}.{name}"):
                        self.assertEqual(inspect.signature(method).parameters,
                                         inspect.signature(getattr(theirs, name)).parameters)


class _Failure:
    """What gRPC raises."""

    def __init__(self, code, message, *details):
        status = status_pb2.Status(code=code.value[0], message=message)
        for detail in details:
            packed = status.details.add(value=detail.SerializeToString())
            packed.type_url = f"type.googleapis.com/google.rpc.{detail.DESCRIPTOR.name}"
        self.code, self.details = lambda: code, lambda: message
        self.trailing_metadata = lambda: (("other", "x"), ("grpc-status-details-bin", status.SerializeToString()))


class ErrorsTest(unittest.TestCase):
    def test_details(self):
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(1500)
        violation = error_details_pb2.BadRequest.FieldViolation(field="environment[3].name", description="empty")
        error = errors.from_rpc(_Failure(
            grpc.StatusCode.RESOURCE_EXHAUSTED, "full", retry,
            error_details_pb2.ErrorInfo(reason="NO_SPACE", domain="rawgate", metadata={"free": "0"}),
            error_details_pb2.BadRequest(field_violations=[violation])))
        self.assertIsInstance(error, rawgate.ResourceExhausted)
        self.assertEqual((error.reason, error.metadata, error.retry_after, error.violations, str(error)),
                         ("NO_SPACE", {"free": "0"}, 1.5, (rawgate.Violation("environment[3].name", "empty"),), "full (NO_SPACE)"))

    def test_details_that_make_no_sense(self):
        failure = _Failure(grpc.StatusCode.NOT_FOUND, "gone")
        failure.trailing_metadata = lambda: (("grpc-status-details-bin", b"\xff\xff"),)
        self.assertEqual((type(errors.from_rpc(failure)), errors.from_rpc(failure).reason), (rawgate.NotFound, ""))

    def test_every_code_has_a_class(self):
        for code in grpc.StatusCode:
            if code not in (grpc.StatusCode.OK, grpc.StatusCode.UNKNOWN):
                self.assertEqual(errors.from_rpc(_Failure(code, "x")).code, code.name)

    def test_google_rpc_is_left_to_others(self):
        self.assertTrue(_details.__name__.startswith("rawgate."))
        self.assertEqual(status_pb2.DESCRIPTOR.package, "rawgate._details")


class PacerTest(unittest.TestCase):
    def delays(self, error, harmless=True, retries=5):
        pacer = Pacer(How(retries, None))
        return [pacer.delay_after(error, harmless) for _ in range(retries + 1)]

    def test_longer_each_time_and_not_for_ever(self):
        delays = self.delays(rawgate.Unavailable("away"))
        self.assertIsNone(delays.pop())
        for delay, least in zip(delays, (0.2, 0.44, 0.968, 2.1296, 4.68512)):
            self.assertTrue(least <= delay <= least * 1.21, delays)

    def test_progress_begins_anew(self):
        pacer = Pacer(How(1, None))
        for _ in range(3):
            self.assertIsNotNone(pacer.delay_after(rawgate.Unavailable("away")))
            pacer.note_progress()

    def test_what_the_far_side_asks_for(self):
        self.assertGreaterEqual(self.delays(rawgate.ResourceExhausted("busy", retry_after=7.0))[0], 7)
        self.assertIsNone(self.delays(rawgate.ResourceExhausted("busy", retry_after=3600.0))[0])

    def test_what_does_not_pass(self):
        for error in (rawgate.NotFound("no"), rawgate.DeadlineExceeded("late"), rawgate.ResourceExhausted("full")):
            self.assertIsNone(self.delays(error)[0], error)
        self.assertIsNotNone(self.delays(rawgate.DeadlineExceeded("stalled", reason="STALLED"))[0])

    def test_what_might_be_done_twice(self):
        self.assertIsNone(self.delays(rawgate.Unavailable("lost"), harmless=False)[0])
        self.assertIsNotNone(self.delays(rawgate.Unavailable("draining", retry_after=0.1), harmless=False)[0])


class EventPositionsTest(unittest.TestCase):
    def told(self, positions):
        return {(each.service, each.instance): each.sequence for each in positions.next_request().after}

    def test_where_it_goes_on(self):
        positions = _EventPositions((), chunks=False, sample=0)
        position = event_pb2.EventPosition
        first = control_service_pb2.WatchEventsResponse(positions=[position(service="echo", instance="a", sequence=5)])
        self.assertEqual(list(positions.items_of(first)), [])
        self.assertEqual(self.told(positions), {("echo", "a"): 5})
        following = control_service_pb2.WatchEventsResponse(
            events=[event_pb2.Event(service="echo", instance="a", sequence=6), event_pb2.Event(service="echo", instance="a")])
        self.assertEqual([each.sequence for each in positions.items_of(following)], [6, 0])
        resumed = control_service_pb2.WatchEventsResponse(positions=[position(service="echo", instance="a", sequence=9)])
        list(positions.items_of(resumed))
        self.assertEqual(self.told(positions), {("echo", "a"): 6}, "7 to 9 are still to come")
        gone = control_service_pb2.WatchEventsResponse(lost=[event_pb2.EventsLost(service="echo", instance="a")])
        self.assertEqual(list(positions.items_of(gone)), [rawgate.Lost("echo", "a", 0)])
        self.assertEqual(self.told(positions), {})

    def test_there_are_not_too_many(self):
        positions = _EventPositions((), chunks=False, sample=0)
        for number in range(2000):
            event = event_pb2.Event(service="echo", instance=str(number), sequence=1)
            list(positions.items_of(control_service_pb2.WatchEventsResponse(events=[event])))
        self.assertEqual([key[1] for key in self.told(positions)], [str(number) for number in range(976, 2000)])


class _Narrow(io.RawIOBase):
    """Takes a few bytes at a time, as a socket may; nothing at all once it has `room` no more."""

    def __init__(self, room):
        super().__init__()
        self.room = room
        self.taken = b""

    def writable(self):
        return True

    def write(self, data, /):
        piece = bytes(data[:min(3, self.room - len(self.taken))])
        self.taken += piece
        return len(piece) or None


class TargetTest(unittest.TestCase):
    def test_a_file_without_a_buffer_gets_every_byte(self):
        file = _Narrow(100)
        target = OpenFile(file)
        target.write(b"0123456789")
        target.write(b"")
        self.assertEqual((file.taken, target.size), (b"0123456789", 10))

    def test_one_that_takes_nothing_is_an_error(self):
        with self.assertRaises(BlockingIOError):
            OpenFile(_Narrow(4)).write(b"0123456789")

    def test_only_what_is_ours_alone_is_gone_on_with(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())

        def opened():
            return PartFile(os.path.join(folder, "goal"), "far/name", "version 1", resume=True)

        first = opened()
        first.write(b"abc")
        first.close()
        again = opened()
        self.assertEqual(again.size, 3)
        again.close()
        part, second = os.path.join(folder, os.listdir(folder)[0]), os.path.join(folder, "second")
        os.link(part, second)
        with self.assertRaises(errors.FailedPrecondition) as caught:
            opened()
        self.assertEqual(caught.exception.reason, "PART_FILE_NOT_OURS")
        self.assertIn(part, str(caught.exception))
        self.assertEqual(os.stat(second).st_size, 3)
        os.unlink(second)
        if os.geteuid() == 0:
            os.chown(part, 65534, 65534)
            self.assertRaises(errors.FailedPrecondition, opened)
        os.unlink(part)
        os.mkfifo(part)
        self.assertRaises((errors.FailedPrecondition, OSError), opened)


class SettingsTest(unittest.TestCase):
    def load(self, gateway=None, environment=types.MappingProxyType({}), **options):
        arguments = {"token": None, "token_file": None, "ca": None, "cert": None, "key": None, **options}
        with mock.patch.dict(os.environ, environment, clear=True):
            return _settings.load(gateway, **arguments)

    def test_targets(self):
        for gateway, target in ((None, "127.0.0.1:50051"), ("lab", "lab:50051"), ("lab:1", "lab:1"), ("tcp://lab:1", "lab:1"),
                                ("[::1]", "[::1]:50051"), ("[::1]:1", "[::1]:1"), ("unix:///run/x", "unix:///run/x")):
            self.assertEqual(self.load(gateway).target, target)
        self.assertEqual(self.load(environment={"RAWGATE_GATEWAY": "lab:2"}).target, "lab:2")

    def test_a_token_stays_on_this_machine_without_tls(self):
        for gateway in ("localhost", "127.0.0.2:1", "[::1]:1", "unix:///run/x", "dns:///localhost:1", "ipv4:127.0.0.1:1"):
            self.assertEqual(self.load(gateway, token="secret").metadata, (("authorization", "Bearer secret"),))
        for gateway in ("lab", "127.0.0.1.example", "10.0.0.1:1", "ipv4:127.0.0.1:1,10.0.0.1:1", "[fe80::1]:1"):
            with self.assertRaises(rawgate.FailedPrecondition) as raised:
                self.load(gateway, environment={"RAWGATE_TOKEN": "secret"})
            self.assertEqual(raised.exception.reason, "TOKEN_IN_THE_CLEAR")
            self.assertNotIn("secret", str(raised.exception))
        self.assertNotIn("secret", repr(self.load(token="secret")))

    def test_what_is_no_token_and_no_certificate(self):
        for token in ("", "two words", "x" * 5000):
            with self.assertRaises(rawgate.InvalidArgument):
                self.load(token=token)
        with self.assertRaises(rawgate.InvalidArgument):
            self.load(ca=b"no PEM")
        with self.assertRaises(FileNotFoundError):
            self.load(environment={"RAWGATE_TOKEN_FILE": "/no/such/file"})


if __name__ == "__main__":
    unittest.main()
