"""Rows 3 to 5: what a command starts goes with it, and never holds up its answer."""

import json
import socket
import unittest

from tests.conformance.plain_client import connect, receive_exactly, receive_size, receive_to_end, vanish
from tests.harness.processes import process_exists, read_pids, wait_for_exit_of
from tests.harness.stack import Stack

stack = None


def setUpModule():
    global stack
    stack = Stack()
    unittest.addModuleCleanup(stack.stop)
    stack.start_service("exec")


class GoneClientTest(unittest.TestCase):
    def test_reset_ends_the_commands_whole_tree(self):
        for listener in ("raw", "sized", "header"):
            with self.subTest(listener=listener):
                self.assert_reset_ends_tree(listener)

    def assert_reset_ends_tree(self, listener):
        pids = stack.scratch / f"reset-{listener}"
        client = connect(stack.address("exec", listener))
        client.sendall(b"P=%s; echo $$ >> $P; sleep 1000 & echo $! >> $P;"
                       b" setsid sh -c 'echo $$ >> %s; trap \"\" TERM HUP; sleep 1000; sleep 1000' & wait\n"
                       % (bytes(pids), bytes(pids)))
        running = read_pids(pids, 3)
        self.assertTrue(all(process_exists(pid) for pid in running))
        vanish(client)
        for pid in running:
            wait_for_exit_of(pid)

    def test_half_close_is_not_gone(self):
        with connect(stack.address("exec", "header")) as client:
            client.sendall(b"sleep 0.5; echo done")
            client.shutdown(socket.SHUT_WR)
            header = json.loads(receive_exactly(client, receive_size(client)))
            self.assertEqual(header["exit_code"], 0)
            self.assertEqual(receive_to_end(client), b"done\n")


class BackgroundTest(unittest.TestCase):
    def test_background_child_that_holds_the_output_does_not_hold_up_the_answer(self):
        with connect(stack.address("exec", "sized")) as client:
            client.sendall(b"sleep 1000 & echo started\n")
            self.assertEqual(receive_exactly(client, receive_size(client)), b"started\n")

    def test_double_forked_child_does_not_hold_up_the_answer(self):
        with connect(stack.address("exec", "sized")) as client:
            client.sendall(b"(setsid sleep 1000 &) ; echo started\n")
            self.assertEqual(receive_exactly(client, receive_size(client)), b"started\n")


class StopTest(unittest.TestCase):
    def test_stopped_service_leaves_no_process(self):
        own = Stack()
        service = own.start_service("exec", "--grace=100ms")
        pids = own.scratch / "pids"
        with connect(own.address("exec", "raw")) as client:
            client.sendall(b"P=%s; echo $$ >> $P; setsid sleep 1000 & echo $! >> $P; wait\n" % bytes(pids))
            running = read_pids(pids, 2)
            own.stop()
            for pid in running:
                wait_for_exit_of(pid)
        self.assertFalse(service.alive())


if __name__ == "__main__":
    unittest.main()
