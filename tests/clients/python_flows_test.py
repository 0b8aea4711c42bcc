"""Flows of clients/python against a far side that is a script: what is asked for after what was told."""

import copy
import unittest

from tests.harness import python_client  # pylint: disable=unused-import


# pylint: disable=wrong-import-order
import rawgate
from rawgate import _command_flows, _command_input, _flow
from rawgate._followed_job import FollowedJob
from rawgate._retry import How
from rawgate.exec.v1 import exec_service_pb2, outcome_pb2, output_pb2

LOST = rawgate.Unavailable("the connection broke")
HOW = How(retries=3, timeout=None)


class Call:
    """A stream that tells these messages and then fails, or ends."""

    def __init__(self, *told):
        self.told = list(told)
        self.cancelled = False

    def cancel(self):
        self.cancelled = True


def play(flow, answers):
    """What the flow asks for, sleeps left out, what it emits, and how it ends: its result, or what it raises. `answers` are
    those of calls, in order; errors are raised."""
    asked, items = [], []
    answers = iter(answers)
    resume = lambda: next(flow)
    while True:
        try:
            effect = resume()
        except StopIteration as end:
            return asked, items, end.value
        except rawgate.Error as error:
            return asked, items, error
        answer = None
        if isinstance(effect, _flow.Emit):
            items.append(effect.item)
        elif isinstance(effect, _flow.Read):
            answer = effect.stream.told.pop(0) if effect.stream.told else None
        elif not isinstance(effect, _flow.Sleep):
            asked.append(copy.deepcopy(effect))  # the flow may change the request afterwards
            answer = next(answers)
        if isinstance(answer, Exception):
            resume = lambda failure=answer: flow.throw(failure)
        else:
            resume = lambda value=answer: flow.send(value)


def started():
    return exec_service_pb2.RunResponse(started=exec_service_pb2.Started(job_id="7"))


def output(kind, offset, data, stream=output_pb2.OUTPUT_STREAM_STDOUT):
    return kind(output=output_pb2.Output(stream=stream, offset=offset, data=data))


def outcome(kind):
    return kind(outcome=outcome_pb2.Outcome(exited=outcome_pb2.Exited(code=3)))


RUN, ATTACH = exec_service_pb2.RunResponse, exec_service_pb2.AttachResponse


class FollowTest(unittest.TestCase):
    def follow(self, *calls, request_id="once"):
        job = _command_flows.new_job("true", request_id=request_id)
        return job, play(_command_flows.follow(job, HOW), calls)

    def test_it_is_attached_to_where_it_was(self):
        first = Call(started(), output(RUN, 0, b"abc"), output(RUN, 0, b"E", 2), LOST)
        second = Call(output(ATTACH, 3, b"def"), LOST)
        third = Call(output(ATTACH, 4, b"efgh"), outcome(ATTACH))
        job, (asked, items, end) = self.follow(first, second, third)
        self.assertIsNone(end)
        self.assertEqual([effect.method.name for effect in asked], ["Run", "Attach", "Attach"])
        self.assertEqual([(effect.request.stdout_offset, effect.request.stderr_offset) for effect in asked[1:]], [(3, 1), (6, 1)])
        self.assertEqual(b"".join(item.data for item in items[1:] if not item.is_stderr), b"abcdefgh", "each byte once")
        self.assertEqual(job.outcome.exit_code, 3)
        self.assertTrue(all(call.cancelled for call in (first, second, third)))

    def test_until_it_has_started_the_same_is_asked_for_again(self):
        _, (asked, _, end) = self.follow(LOST, Call(LOST), Call(started(), outcome(RUN)))
        self.assertIsNone(end)
        self.assertEqual([(effect.method.name, effect.request.request_id) for effect in asked], [("Run", "once")] * 3)

    def test_what_is_not_kept_is_told(self):
        attached = ATTACH(attached=exec_service_pb2.Attached(stdout_offset=10))
        _, (_, items, _) = self.follow(Call(started(), LOST), Call(attached, output(ATTACH, 12, b"x"), outcome(ATTACH)))
        lost = [item.size for item in items if isinstance(item, rawgate.OutputLost)]
        self.assertEqual((lost, items[-1].offset), ([10, 2], 12))

    def test_an_end_without_an_outcome(self):
        job, (_, _, end) = self.follow(Call(started()))
        self.assertIsInstance(end, rawgate.OutcomeUnknown)
        self.assertEqual(end.job_id, "7")
        self.assertIsNone(job.outcome)

    def test_nobody_can_be_asked(self):
        _, (asked, _, end) = self.follow(Call(started(), LOST), LOST, LOST, LOST)
        self.assertEqual((type(end), len(asked)), (rawgate.OutcomeUnknown, 4))
        _, (_, _, end) = self.follow(Call(started(), LOST), rawgate.NotFound("no", reason="NO_SUCH_JOB"))
        self.assertIsInstance(end, rawgate.OutcomeUnknown)
        _, (_, _, end) = self.follow(rawgate.PermissionDenied("no"))
        self.assertIsInstance(end, rawgate.PermissionDenied)

    def test_the_outcome_is_the_last_word(self):
        job, (_, _, end) = self.follow(Call(started(), outcome(RUN), LOST))
        self.assertEqual((end, job.outcome.exit_code), (None, 3))


class InputTest(unittest.TestCase):
    def write(self, data, *answers, end=False, offset=0):
        job = FollowedJob(job_id="7", input_offset=offset)
        asked, _, result = play(_command_input.write_stdin(job, data, end, HOW), answers)
        sent = [(effect.request.offset if effect.request.HasField("offset") else None, effect.request.data, effect.request.end)
                for effect in asked]
        return job, sent, result

    def taken(self, size):
        return exec_service_pb2.WriteStdinResponse(committed_size=size)

    def wrong(self, offset):
        return rawgate.Aborted(f"the next byte of standard input has offset {offset}", reason="WRONG_OFFSET")

    def test_an_answer_that_got_lost(self):
        job, sent, result = self.write(b"hello", LOST, self.wrong(15), self.taken(15), offset=10)
        self.assertEqual(sent, [(10, b"hello", False), (10, b"hello", False), (15, b"", False)])
        self.assertEqual((job.input_offset, result), (15, None))

    def test_half_of_it_was_written(self):
        _, sent, result = self.write(b"hello", LOST, self.wrong(12), self.taken(15), offset=10, end=True)
        self.assertEqual((sent[-1], result), ((12, b"llo", True), None))

    def test_somebody_else_has_written(self):
        for answers in ((self.wrong(12),), (LOST, self.wrong(99))):
            self.assertIsInstance(self.write(b"hello", *answers, offset=10)[2], rawgate.Aborted)

    def test_the_end_was_told(self):
        closed = rawgate.FailedPrecondition("closed", reason="STDIN_CLOSED")
        self.assertIsNone(self.write(b"", LOST, closed, end=True)[2])
        self.assertIs(self.write(b"x", closed)[2], closed)

    def test_without_an_offset_nothing_is_sent_twice(self):
        _, sent, result = self.write(b"hello", LOST, offset=None)
        self.assertEqual((sent, result), ([(None, b"hello", False)], LOST))

    def test_pieces(self):
        size = 1 << 20
        _, sent, _ = self.write(bytes(size + 1), self.taken(size), self.taken(size + 1), end=True)
        self.assertEqual([(offset, len(data), end) for offset, data, end in sent], [(0, size, False), (size, 1, True)])


if __name__ == "__main__":
    unittest.main()
